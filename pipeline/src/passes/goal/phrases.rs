//! The phrases in which goals name their demands, as patterns and lists of words.

use std::sync::LazyLock;

use regex::Regex;

pub(super) fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

pub(super) static SEEK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\s*(?:please\s+)?(?:help\s+me\s+)?
        (?:(?:i|we)(?:['’](?:m|d|re))?\s+(?:am\s+|are\s+|would\s+)?)?(?:(?:want|need|like|wish)\s+to\s+)?
        (?: find | (?:go\s+)?buy | get | order | purchase | need | want | pick(?:\s+out)? | choose | select | compare
          | (?:go\s+)?shop(?:ping)?\s+for | look(?:ing)?\s+for | search(?:ing)?(?:\s+for)? | browse\s+for )\b
        (?:\s+(?:me|us|yourself|out)\b)?(?:\s+(?:a|an|the|some|any|my|your)\b)?
        (?:\s+(?:pair|pairs|set|bottle|box|bag)\s+of\b)?",
    )
});
pub(super) static LOOK_AROUND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\s*(?:please\s+)?(?:look|browse|explore|visit|open|go|check|scroll|watch|see|show|click|navigate|log|sign
        |read|play|test|try)\b",
    )
});

pub(super) static MAX_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)(?:\b(?:under|below|beneath|less\s+than|cheaper\s+than|lower\s+than|at\s+most|up\s+to|no\s+more\s+than
        |not\s+more\s+than|not\s+over|max(?:imum)?(?:\s+of)?|within|limit(?:\s+of)?
        |(?:(?:with|on|in)\s+)?(?:an?\s+|the\s+|my\s+)?budget(?:\s+(?:of|is))?:?)|<=?|≤)\s*(?:an?\s+)?$",
    )
});
/// These say a limit only before what is surely money.
pub(super) static MAX_BEFORE_MONEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:for|spend|with|costing)\s+$"));
pub(super) static MIN_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:\b(?:over|above|more than|at least|min(?:imum)?(?: of)?|from|starting at)|>=?|≥)\s*(?:an?\s+)?$")
});
pub(super) static AROUND_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:\b(?:around|about|approximately|roughly|circa)|~)\s*(?:an?\s+)?$"));
pub(super) static RANGE_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:between|from|(?:(?:with|on) )?(?:an? |the |my )?(?:budget|price)(?: range)?(?: (?:of|is|between|from))?:?|for))\s*$",
    )
});
pub(super) static RANGE_JOIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\s*(?:-|–|—|to|and)\s*$"));
pub(super) static MAX_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*(?:or (?:less|under|below|cheaper)|max(?:imum)?|tops|at most|budget|limit)\b"));
pub(super) static MIN_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*(?:or (?:more|above|over)\b|and up\b|minimum\b|\+)"));
pub(super) static EACH_BEFORE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:each|all|both)\s+(?:one\s+)?$"));
pub(super) static EACH_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*(?:each|apiece|a piece|per (?:item|piece|pair|unit))\b"));
/// After a number these make it a measure.
pub(super) static UNIT_NEXT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?ix)^[\s-]*(?:"|″|%|°|(?:inch(?:es)?|in|gb|tb|mb|kg|g|grams?|lbs?|pounds?|oz|ounces?|ml|l|lit(?:er|re)s?|cm|mm|m
        |meters?|ft|feet|years?|yrs?|months?|weeks?|days?|hours?|minutes?|people|persons|pieces?|packs?|stars?|percent|w
        |watts?|mah|hz|mp|miles?)\b)"#,
    )
});

pub(super) static SIZES: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        pattern(
            r"(?ix)\b(?:in\s+)?(?:a\s+)?(?:sizes?|sz)\s+(?:\d+(?:\.\d+)?[a-z]{0,2}|x{0,3}[sl]|m|small|medium|large|petite
            |plus|one|two|four|six|eight|ten|twelve|fourteen)\b(?:\s?(?:us|uk|eu)\b)?",
        ),
        pattern(
            r"(?i)\b(?:petite|plus|toddler|queen|king|twin|full|travel|carry[- ]on|extra[- ](?:small|large)|small|medium|large|x{1,3}[sl])[- ]sized?\b",
        ),
        pattern(r"(?i)\b(?:w\d{2}[ /]?l\d{2}|\d{2}\s?x\s?\d{2})\b"),
        pattern(r#"(?i)\b\d+(?:\.\d+)?(?:[- ]?inch(?:es)?\b|"|″)"#),
        pattern(r"(?i)\b(?:extra[ -](?:small|large)|x{1,3}l|x{1,2}s|small|medium|large|petite)\b"),
    ]
});

const COLOURS: &str = "black|white|red|blue|navy|green|olive|yellow|orange|purple|violet|lavender|pink|brown|tan|beige|\
    cream|ivory|grey|gray|silver|gold|golden|burgundy|maroon|teal|turquoise|charcoal|khaki|coral|magenta|multicolou?red";
pub(super) static COLOUR: LazyLock<Regex> = LazyLock::new(|| {
    let one = format!("(?:(?:light|dark|bright|pale|royal|sky|hot|deep|navy|rose|matte)[ -])?(?:{COLOURS})");
    pattern(&format!(r"(?i)\b(?:in\s+)?(?P<colour>{one}(?:(?:\s+or\s+|\s+and\s+|\s*/\s*|,\s*){one})*)\b"))
});
/// Names of things that only begin with a colour.
pub(super) static NOT_A_COLOUR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s+(?:noise|tea|coffee|wine|juice|cheese|pepper|friday|light|rice|bread|chocolate|board|beans?|ribbon|sox)\b",
    )
});

pub(super) static PLACES: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    let name = r"[A-Z][\w'’&.]*(?:,?\s+[A-Z][\w'’&.]*)*";
    [
        pattern(&format!(
            r"(?x)(?:\b(?:from|at|in|with|for)\s+)?(?:\b(?:an?|the)\s+)?\b(?i:local|nearby|near\s+me|close\s+by)\b
            (?:\s+(?i:stores?|shops?|pick[-\s]?up|sellers?|delivery|retailers?|boutiques?|business(?:es)?))?
            (?:\s+(?:in|near|around)\s+{name})?"
        )),
        pattern(
            r"(?i)\b(?:with\s+|for\s+|available\s+for\s+)?(?:in[- ]store|store|curbside|same[- ]day)\s+pick[- ]?up\b|\bpick[- ]?up\s+in\s+stores?\b|\bin[- ]store\b",
        ),
        pattern(&format!(r"\b(?:in|near|around|from|at|on)\s+{name}")),
        pattern(r"(?i)\bpick[- ]?up\b"),
    ]
});

const GROUPS: &str = "women|woman|men|man|ladies|girls?|boys?|kids?|children|child|toddlers?|bab(?:y|ies)|infants?|teens?|\
    teenagers?|adults?|seniors?|beginners?|unisex";
const PEOPLE: &str = "mom|mum|mother|mommy|dad|father|wife|husband|spouse|partner|girlfriend|boyfriend|fianc[eé]e?|sister|\
    brother|daughter|son|niece|nephew|aunt|uncle|cousin|grandma|grandpa|grandmother|grandfather|granddaughter|grandson|\
    grandparents?|parents?|friends?|best friend|boss|coworkers?|colleagues?|teachers?|students?|neighbou?rs?|roommates?|\
    couples?|bride|groom|family|someone|somebody|myself|dog|cat|puppy|kitten";
const AGE: &str = concat!(
    r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen)",
    r"[- ]years?[- ]olds?(?:\s+(?:girls?|boys?|kids?|child(?:ren)?|son|daughter|nephew|niece))?",
);
/// Before a person these belong to the person; other words are a use of their own ("flat feet women").
const OF_A_PERSON: &str = "young|younger|old|older|elderly|teenage|little|tall|short|pregnant|busy|new|college|school|\
    university|best|good|adult|baby|big|petite|middle-aged";
pub(super) static FOR_PEOPLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?P<for>for)\s+(?:(?:an?|the|my|your|his|her|their|our)\s+)?(?P<other>(?:[a-z-]+\s+){{0,3}}?)(?P<person>(?:(?:{OF_A_PERSON})\s+){{0,2}}(?:{AGE}|{GROUPS}|{PEOPLE}))\b(?:['’]s?\b)?"
    ))
});
pub(super) static PEOPLES: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(?i)\b(?P<person>{AGE}|(?:{GROUPS}|{PEOPLE}))(?:['’]s|s['’])")));
pub(super) static PLAIN_PEOPLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?i)\b(?P<person>{AGE}|women|men|womens|mens|ladies|girls|boys|kids|children|unisex)\b"))
});

pub(super) static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^[\s|]*(?P<count>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|a couple of|a dozen|both)\s+(?:different\s+|pairs\s+of\s+)?[a-z|]",
    )
});

/// Where the name of the item ends.
pub(super) static BOUNDARY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\b(?:as|with|without|for|that|which|who|whose|to|in|from|at|on|made)\b
        | \b(?:under|over|below|above|between|around|about|less\s+than|more\s+than|up\s+to|at\s+least)\s+\d
        | [|,;:()] | \.(?:\s|$) | \s[-–—]\s",
    )
});
pub(super) const OPENS_CLAUSE: [&str; 4] = ["who", "that", "which", "whose"];

pub(super) const ADJECTIVES: &[&str] = &[
    "affordable",
    "authentic",
    "beautiful",
    "best",
    "boring",
    "breathable",
    "bright",
    "casual",
    "cheap",
    "classic",
    "comfortable",
    "comfy",
    "compact",
    "cool",
    "cozy",
    "cute",
    "decent",
    "durable",
    "easy",
    "eco-friendly",
    "educational",
    "elegant",
    "ergonomic",
    "fancy",
    "fashionable",
    "fast",
    "formal",
    "fun",
    "funny",
    "gentle",
    "good",
    "handmade",
    "healthy",
    "heavy",
    "high-quality",
    "inexpensive",
    "interesting",
    "lightweight",
    "machine-washable",
    "minimalist",
    "modern",
    "natural",
    "new",
    "nice",
    "organic",
    "personalized",
    "portable",
    "practical",
    "premium",
    "pretty",
    "professional",
    "quality",
    "quiet",
    "refurbished",
    "reliable",
    "romantic",
    "rugged",
    "safe",
    "simple",
    "sleek",
    "small",
    "soft",
    "special",
    "stylish",
    "sturdy",
    "suitable",
    "sustainable",
    "thoughtful",
    "top-rated",
    "trendy",
    "unique",
    "used",
    "useful",
    "vegan",
    "versatile",
    "vintage",
    "warm",
    "washable",
    "waterproof",
    "wireless",
];
pub(super) const CONNECTORS: [&str; 10] = ["but", "not", "and", "or", "yet", "too", "very", "also", "both", "more"];
/// Names of no product.
pub(super) const GENERIC: &[&str] = &[
    "category",
    "site",
    "website",
    "page",
    "home",
    "homepage",
    "store",
    "shop",
    "product",
    "item",
    "thing",
    "something",
    "anything",
    "stuff",
    "catalogue",
    "catalog",
    "deal",
    "offer",
    "option",
    "sale",
    "collection",
    "one",
    "cart",
    "way",
    "price",
    "everything",
    "nothing",
    "lot",
    "bargain",
    "discount",
];
