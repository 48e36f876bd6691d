//! Products on the screen: a price and the title that stands above it, or before it in the same line.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::step::PixelBox;
use shared_types::summary::ProductSeen;

use super::amount::prices;
use super::words::stems;
use crate::models::ocr::TextLine;
use crate::passes::Screen;

/// Letters that may stand around a price: "from", "now", "each", "incl. VAT".
const MAX_LETTERS_BESIDE_PRICE: usize = 14;
/// A title lies within this many heights of its line above the price, ratings in between apart.
const MAX_GAP_TO_TITLE: f64 = 2.2;
/// Lines of one title follow each other this closely, in heights.
const MAX_GAP_IN_TITLE: f64 = 0.7;
const MAX_TITLE_LINES: usize = 3;
const MAX_TITLE_CHARS: usize = 160;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static STARS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)(?P<stars>[0-5][.,]\d|[1-5]) \s* (?: (?:out\s+of|/|of) \s* 5 (?:\s*stars?)? | [★☆⭐]+ | stars?\b
        | \s \(\s*\d[\d.,]*k?\s*\) ) | [★⭐]+\s*(?P<after>[0-5][.,]\d)",
    )
});
static COUNT_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\(\s*\d[\d.,]*k?(?:\s*(?:ratings?|reviews?))?\s*\)"));
static PRICE_RANGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\s*(?:-|–|—|to)\s*$"));
/// Lines that stand near prices and are no titles.
static NO_TITLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\W*(?: (?:sub|grand\s+|order\s+)?totals?\b.* | shipping\b.* | tax(?:es)?\b.* | vat\b.* | discount\b.* | delivery\b.*
        | price\b.* | (?:was|now|from|list|save|only|rrp|msrp)\b.{0,14} | (?:on\s+)?sale | new(?:\s+arrival)? | hot
        | best[\s-]?seller | sponsored | limited\s+time\s+deal | in\s+stock | out\s+of\s+stock | sold\s+out | sku\b.*
        | qty\b.* | quantity\b.* | size\b.{0,14} | colou?r\b.{0,14} | add\s+to\s+\w+ | buy(?:\s+it)?\s+now | view\b.* | quick\s+\w+
        | shopping\s+cart | your\s+cart | cart\b.{0,6} | order\s+summary | items?\b.{0,8} | products? | each | free\b.*
        | under\b.* | over\b.* | up\s+to\b.* | filters? | sort\b.* | featured(?:\s+products)? | related\b.* | remove | home
        | \d+\s+(?:products?|items?|results?) )\W*$",
    )
});

/// A product as one screen shows it.
#[derive(Debug, Clone)]
struct Sighting {
    t: f64,
    title: String,
    price: String,
    rating: Option<String>,
}

/// The products of all screens, each once, in the order in which they came into view.
pub fn products(screens: &[Screen<'_>]) -> Vec<ProductSeen> {
    let mut products: Vec<(Vec<String>, ProductSeen)> = Vec::new();
    for sighting in sightings(screens) {
        let name = stems(&sighting.title);
        match products.iter_mut().find(|(known, _)| *known == name) {
            Some((_, product)) => {
                if product.rating.is_none() {
                    product.rating = sighting.rating;
                }
            }
            None => products.push((
                name,
                ProductSeen {
                    t: sighting.t,
                    title: sighting.title,
                    price: Some(sighting.price),
                    rating: sighting.rating,
                },
            )),
        }
    }
    products.into_iter().map(|(_, product)| product).collect()
}

fn sightings(screens: &[Screen<'_>]) -> Vec<Sighting> {
    screens.iter().flat_map(|&(t, lines)| on_screen(t, lines)).collect()
}

fn on_screen(t: f64, lines: &[TextLine]) -> Vec<Sighting> {
    lines
        .iter()
        .filter_map(|line| {
            let price = price_of(&line.text)?;
            let (title, bounds) = match title_before(line) {
                Some(title) => (title, line.bounds),
                None if is_mostly_price(&line.text) => title_above(line, lines)?,
                None => return None,
            };
            let rating = rating_near(line, bounds, lines);
            Some(Sighting { t, title, price, rating })
        })
        .collect()
}

/// The price to pay: a range stays a range, of "was" and "now" the lower one counts.
fn price_of(text: &str) -> Option<String> {
    let prices = prices(text);
    if let [low, high] = prices[..]
        && PRICE_RANGE.is_match(&text[low.end..high.start])
    {
        return Some(text[low.start..high.end].to_owned());
    }
    let lowest = prices.iter().min_by(|a, b| a.value.total_cmp(&b.value)).filter(|price| price.value > 0.0)?;
    Some(text[lowest.start..lowest.end].trim().to_owned())
}

fn is_mostly_price(text: &str) -> bool {
    let in_prices: usize = prices(text).iter().map(|price| letters(&text[price.start..price.end])).sum();
    letters(text) - in_prices <= MAX_LETTERS_BESIDE_PRICE
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphabetic()).count()
}

/// "Aloe Vera $8.39"
fn title_before(line: &TextLine) -> Option<String> {
    let first = prices(&line.text).first().copied()?;
    let before = line.text[..first.start].trim().trim_end_matches(['-', '–', '—', ':', '|', '·']).trim();
    let is_sentence = before.split_whitespace().count() > 14;
    (letters(before) >= 4 && !is_sentence && is_title(before)).then(|| before.to_owned())
}

fn is_title(text: &str) -> bool {
    letters(text) >= 3
        && !text.contains("://")
        && !NO_TITLE.is_match(text)
        && rating_of(text).is_none()
        && price_of(text).is_none()
        && !is_filter(text)
}

/// `black (4)`
fn is_filter(text: &str) -> bool {
    let count = text.rsplit_once('(').map(|(_, end)| end.trim_end_matches(')'));
    count.is_some_and(|count| !count.is_empty() && count.chars().all(|c| c.is_ascii_digit()))
}

/// Up to three lines above a price in its column, joined.
fn title_above(price: &TextLine, lines: &[TextLine]) -> Option<(String, PixelBox)> {
    let mut above: Vec<&TextLine> = lines
        .iter()
        .filter(|line| line.middle_y() < price.bounds[1] && shares_column(line, price))
        .filter(|line| price.bounds[1] - line.bottom() < 8.0 * price.bounds[3])
        .collect();
    above.sort_by(|a, b| b.bottom().total_cmp(&a.bottom()));
    let mut title: Vec<&TextLine> = Vec::new();
    let mut edge = price;
    for line in above {
        let gap = edge.bounds[1] - line.bottom();
        let largest = if title.is_empty() { MAX_GAP_TO_TITLE } else { MAX_GAP_IN_TITLE };
        if gap > largest * line.bounds[3].max(edge.bounds[3]) {
            break;
        }
        let is_between =
            rating_of(&line.text).is_some() || is_mostly_price(&line.text) && price_of(&line.text).is_some();
        if title.is_empty() && (is_between || NO_TITLE.is_match(&line.text)) {
            edge = line;
            continue;
        }
        let same_type = title.last().is_none_or(|last| (last.bounds[3] / line.bounds[3]).ln().abs() < 0.3);
        if !is_title(&line.text) || !same_type || title.len() == MAX_TITLE_LINES {
            break;
        }
        title.push(line);
        edge = line;
    }
    title.reverse();
    let text = title.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join(" ");
    let top = title.first()?;
    if text.chars().count() > MAX_TITLE_CHARS {
        return None;
    }
    let left = title.iter().map(|line| line.bounds[0]).fold(price.bounds[0], f64::min);
    let right = title.iter().map(|line| line.right()).fold(price.right(), f64::max);
    Some((text, [left, top.bounds[1], right - left, price.bottom() - top.bounds[1]]))
}

/// Aligned left, or one above the middle of the other.
fn shares_column(line: &TextLine, price: &TextLine) -> bool {
    let tolerance = 0.8 * price.bounds[3];
    let middle = |line: &TextLine| line.bounds[0] + line.bounds[2] / 2.0;
    (line.bounds[0] - price.bounds[0]).abs() < tolerance || (middle(line) - middle(price)).abs() < tolerance
}

fn rating_of(text: &str) -> Option<String> {
    let found = STARS.captures(text)?;
    let stars = found.name("stars").or_else(|| found.name("after"))?.as_str().replace(',', ".");
    let count = COUNT_AFTER.find(text).map(|count| format!(" {}", count.as_str())).unwrap_or_default();
    Some(format!("{stars}{count}"))
}

/// A rating between title and price, or right below the price.
fn rating_near(price: &TextLine, bounds: PixelBox, lines: &[TextLine]) -> Option<String> {
    lines
        .iter()
        .filter(|line| {
            let is_inside = line.middle_y() > bounds[1] && line.middle_y() < price.bottom() + 2.0 * price.bounds[3];
            let starts_in_column = line.right() > bounds[0] && line.bounds[0] < bounds[0] + bounds[2].max(120.0);
            is_inside && starts_in_column
        })
        .find_map(|line| rating_of(&line.text))
}
