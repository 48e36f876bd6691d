//! What kind of page an address or a title is of, in shops at large.

use std::sync::LazyLock;

use regex::Regex;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Page {
    /// Offers in a list: a category, the results of a search.
    List,
    /// One product.
    Product,
    /// Products side by side.
    Comparison,
    Cart,
    /// Known to be none of these.
    Other,
    #[default]
    Unknown,
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static CART: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)/(?:cart|basket|bag|trolley|checkout|warenkorb)(?:[/?#.]|$)"));
static COMPARISON: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)/compare(?:[/?#]|$)"));
static PRODUCT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)/(?:products?|p|dp|gp/product|items?|itm|sku|listing|ip|pd|artikel)/[^/?#]|/[\w-]+/p/\w|-p-?\d{4,}")
});
static LIST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)/(?:collections?|category|categories|catalog|c|cat|cp|department|browse|shop|search|s|sch|b|list|women|men|kids|sale)(?:[/?\#]|$)
        | [?&](?:q|k|query|search|s|keyword|_nkw|text|facets?|filters?|sort|order|page|category|rh)=",
    )
});
static LIST_TITLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:search results?|results for|search:)|\bgoogle search\b|\bat bing\b|\bat duckduckgo\b")
});
static CART_TITLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:shopping cart|your (?:cart|bag|basket)|basket)\b"));
static COMPARISON_TITLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\bcompare (?:products|items)|\bproduct comparison"));

/// The address tells more than the title, which is the shop's to word.
pub(super) fn page_of(url: Option<&str>, title: Option<&str>) -> Page {
    if let Some(url) = url {
        for (pattern, page) in
            [(&CART, Page::Cart), (&COMPARISON, Page::Comparison), (&PRODUCT, Page::Product), (&LIST, Page::List)]
        {
            if pattern.is_match(url) {
                return page;
            }
        }
    }
    let title = title.unwrap_or_default();
    for (pattern, page) in [(&LIST_TITLE, Page::List), (&CART_TITLE, Page::Cart), (&COMPARISON_TITLE, Page::Comparison)]
    {
        if pattern.is_match(title) {
            return page;
        }
    }
    // A host alone is where a shop begins.
    let is_front = url.is_some_and(|url| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.trim_end_matches('/').split('/').count() == 1 && !rest.contains(['?', ' '])
    });
    if is_front { Page::Other } else { Page::Unknown }
}

/// Two readings of one address differ by less.
const SAME_ADDRESS: f64 = 0.95;

/// Whether two addresses, as they were read, are of one page. What follows host and path tells of the page's state, as a colour
/// that was picked, but of lists what they list.
pub(super) fn is_same_page(a: &str, b: &str) -> bool {
    let is_list = |url: &str| page_of(Some(url), None) == Page::List;
    let ((path_a, query_a), (path_b, query_b)) = (parts(a), parts(b));
    reads_alike(path_a, path_b) && (reads_alike(query_a, query_b) || !is_list(a) && !is_list(b))
}

/// Host and path, and what follows them.
fn parts(url: &str) -> (&str, &str) {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    url.split_once('?').unwrap_or((url, ""))
}

/// Whether two texts may be one that was read twice. One letter may have been misread, but a digit tells things apart.
fn reads_alike(a: &str, b: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (plain_a, plain_b) = (plain(a), plain(b));
    let is_near = strsim::levenshtein(&plain_a, &plain_b) <= 1
        || strsim::normalized_levenshtein(&plain_a, &plain_b) >= SAME_ADDRESS;
    plain_a == plain_b || digits(a) == digits(b) && is_near
}

/// Letters and digits, of which those that look alike count as one.
fn plain(text: &str) -> String {
    let alike = |letter: char| match letter {
        'o' => '0',
        'l' | 'i' | '|' => '1',
        's' => '5',
        'b' => '8',
        'z' => '2',
        other => other,
    };
    text.to_lowercase().chars().map(alike).filter(|letter| letter.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_page_is_known_however_it_was_read() {
        let check = |a: &str, b: &str, expected: bool| assert_eq!(is_same_page(a, b), expected, "{a}, {b}");
        check("shop.example/product/tee", "shop.example/product/tee?variant=123", true);
        check("shop.example/product/tee#reviews", "https://shop.example/product/tee/", true);
        check("shop.example/product/oak-stool", "sh0p.example/product/oak-stoo1", true);
        check("shop.example/product/oak-stool", "shop.exampie/product/oak-stcol", true);
        check("shop.example/p/1", "shop.example/p/2", false);
        check("shop.example/product/oak-stool", "shop.example/product/ash-stool", false);
        check("shop.example", "shop.example/lamps", false);
        check("shop.example/find?q=lamp", "shop.example/find?q=1amp", true);
        check("shop.example/find?q=lamp", "shop.example/find?q=chair", false);
        check("shop.example/find?q=lamp", "shop.example/find?q=lamp&max=80", false);
        check("shop.example/find?q=lamp&page=2", "shop.example/find?q=lamp&page=3", false);
    }

    #[test]
    fn addresses_tell_what_they_show() {
        for (url, page) in [
            ("localhost:3001", Page::Other),
            ("localhost:3001/collection/home-garden?facets=31", Page::List),
            ("shop.example/search?q=tennis", Page::List),
            ("shop.example/dp/B07XYZ", Page::Product),
            ("https://shop.example/women/dresses", Page::List),
            ("shop.example/product/aloe-vera?size=1", Page::Product),
            ("shop.example/cart", Page::Cart),
            ("shop.example/compare?ids=1,2", Page::Comparison),
            ("shop.example/about-us", Page::Unknown),
        ] {
            assert_eq!(page_of(Some(url), None), page, "{url}");
        }
        assert_eq!(page_of(None, Some("Search results: lamp")), Page::List);
        assert_eq!(page_of(None, None), Page::Unknown);
    }
}
