//! Products on the screen: a price and what is written with it, above it in its column, left of it in its row, or before
//! it in the same line. The top line of that block is the title; a line below it often says only what kind of thing it is.

use std::sync::LazyLock;

use regex::Regex;
use shared_types::step::PixelBox;
use shared_types::summary::ProductSeen;

use super::amount::prices;
use super::misread::{Shown, joined};
use super::words::stems;
use crate::models::ocr::TextLine;
use crate::passes::Screen;

/// Letters that may stand around a price: "from", "now", "each", "incl. VAT".
const MAX_LETTERS_BESIDE_PRICE: usize = 14;
/// A title lies within this many heights of its line above the price, ratings in between apart.
const MAX_GAP_TO_TITLE: f64 = 2.2;
/// Lines of one title follow each other this closely, in heights.
const MAX_GAP_IN_TITLE: f64 = 0.7;
/// Lines about one product follow each other this closely, in heights.
const MAX_GAP_IN_BLOCK: f64 = 1.3;
const MAX_TITLE_LINES: usize = 3;
/// Title, kind, rating, options.
const MAX_BLOCK_LINES: usize = 5;
/// What differs more than this in height or in the width of its letters, as a logarithm, is in another type.
const OTHER_HEIGHT: f64 = 0.3;
const OTHER_WIDTH: f64 = 0.25;
/// A line above the title in smaller type than this share of it is a path or a badge.
const LEAST_TITLE_SHARE: f64 = 0.8;
const MAX_TITLE_CHARS: usize = 160;

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the pattern is valid")
}

static STARS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)(?P<stars>[0-5][.,]\d|[1-5]) \s* (?: (?:out\s+of|/|of) \s* 5 (?:\s*stars?)? | [★☆⭐]+ | stars?\b
        | \s \(\s*\d[\d.,]*k?(?:\s*(?:ratings?|reviews?))?\s*\) ) | [★⭐]+\s*(?P<after>[0-5][.,]\d)",
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
        | \d[\d,.]*\+?\s+(?:of\s+\d[\d,.]*\s+)?(?:products?|items?|results?)\b.* | (?:search\s+)?results?\s+for\b.* )\W*$",
    )
});
/// What an order comes to, and what is added to it or taken off: not asked for a product.
static SUM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\W*(?:(?:sub|(?:grand|order|cart|estimated)\s+)?totals?|shipping|delivery|tax(?:es)?|vat|discount|savings?|you\s+save)\b",
    )
});
/// A price that limits a list rather than being asked for something.
static LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^\W*(?:[o0]\s+)?(?:under|over|up\s+to|below|above|less\s+than|more\s+than|at\s+(?:most|least)|max\.?|min\.?)\s*(?:us)?[$€£]
        | \d\s*(?:and|&|or)\s*(?:up|above|over|more|less|under|below)\b
        | \(\d+\)\W*$",
    )
});

/// A product as one screen shows it.
#[derive(Debug, Clone)]
struct Sighting {
    t: f64,
    title: String,
    price: String,
    rating: Option<String>,
    about: Vec<String>,
}

/// A product with what else was written with it: its kind, colour, size.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) seen: ProductSeen,
    pub(super) about: Vec<String>,
}

impl Offer {
    /// Whether one of the lines about it has just these words.
    fn says(&self, words: &[String]) -> bool {
        self.about.iter().any(|line| stems(line) == words)
    }
}

/// The products of all screens, each once, in the order in which they came into view.
pub fn products(screens: &[Screen<'_>]) -> Vec<ProductSeen> {
    offers(screens).into_iter().map(|offer| offer.seen).collect()
}

/// The same with all that was written about them.
pub(super) fn offers(screens: &[Screen<'_>]) -> Vec<Offer> {
    let mut offers: Vec<(Vec<String>, Shown)> = Vec::new();
    for Sighting { t, title, price, rating, about } in sightings(screens) {
        let name = stems(&title);
        // Its title may have left the window while what stands below it is still there.
        let is_part = |offer: &Offer| offer.seen.price.as_ref() == Some(&price) && offer.says(&name);
        let by_name = offers.iter().position(|(known, _)| *known == name);
        if let Some(index) = by_name.or_else(|| offers.iter().position(|(_, shown)| is_part(&shown.offer))) {
            let Shown { offer, times } = &mut offers[index].1;
            times.push(t);
            if offer.seen.rating.is_none() {
                offer.seen.rating = rating;
            }
            for line in about {
                if !offer.about.contains(&line) {
                    offer.about.push(line);
                }
            }
        } else {
            let offer = Offer { seen: ProductSeen { t, title, price: Some(price), rating }, about };
            offers.push((name, Shown { offer, times: vec![t] }));
        }
    }
    joined(offers.into_iter().map(|(_, shown)| shown).collect())
}

fn sightings(screens: &[Screen<'_>]) -> Vec<Sighting> {
    screens.iter().flat_map(|&(t, lines)| on_screen(t, lines)).collect()
}

fn on_screen(t: f64, lines: &[TextLine]) -> Vec<Sighting> {
    lines
        .iter()
        .filter_map(|line| {
            let is_asked = !LIMIT.is_match(&line.text) && !SUM.is_match(&line.text);
            let price = price_of(&line.text).filter(|_| is_asked)?;
            let Block { title, about, bounds } = match title_before(line) {
                Some(title) => Block { title, about: Vec::new(), bounds: line.bounds },
                None if is_mostly_price(&line.text) && !is_row_of_table(line, lines) => {
                    block_above(line, lines).or_else(|| block_beside(line, lines))?
                }
                None => return None,
            };
            let rating = rating_near(line, bounds, lines);
            Some(Sighting { t, title, price, rating, about })
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
        && ![" / ", " > ", "›", "»"].iter().any(|path| text.contains(path))
}

/// `black (4)`
fn is_filter(text: &str) -> bool {
    let count = text.rsplit_once('(').map(|(_, end)| end.trim_end_matches(')'));
    count.is_some_and(|count| !count.is_empty() && count.chars().all(|c| c.is_ascii_digit()))
}

/// What is written about one product, without its price.
struct Block {
    title: String,
    about: Vec<String>,
    bounds: PixelBox,
}

impl Block {
    /// Of lines from top to bottom.
    fn of(lines: &[&TextLine], price: &TextLine) -> Option<Self> {
        let &first = lines.first()?;
        let is_more = |pair: &[&TextLine]| {
            let gap = pair[1].bounds[1] - pair[0].bottom();
            let is_close = gap <= MAX_GAP_IN_TITLE * pair[0].bounds[3] && pair[1].bottom() <= price.middle_y();
            is_title(&pair[1].text) && is_close && same_type(first, pair[1])
        };
        let further = lines.windows(2).take_while(|pair| is_more(pair)).count();
        let (title, about) = lines.split_at((1 + further).min(MAX_TITLE_LINES));
        let title = title.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join(" ");
        if !is_title(&first.text) || title.chars().count() > MAX_TITLE_CHARS {
            return None;
        }
        let about =
            about.iter().map(|line| line.text.trim()).filter(|text| is_title(text)).map(str::to_owned).collect();
        let left = lines.iter().map(|line| line.bounds[0]).fold(price.bounds[0], f64::min);
        let right = lines.iter().map(|line| line.right()).fold(price.right(), f64::max);
        let bottom = lines.iter().map(|line| line.bottom()).fold(price.bottom(), f64::max);
        Some(Self { title, about, bounds: [left, first.bounds[1], right - left, bottom - first.bounds[1]] })
    }
}

fn same_type(a: &TextLine, b: &TextLine) -> bool {
    let letter = |line: &TextLine| line.bounds[2] / line.text.chars().count().max(1) as f64;
    (a.bounds[3] / b.bounds[3]).ln().abs() < OTHER_HEIGHT && (letter(a) / letter(b)).ln().abs() < OTHER_WIDTH
}

/// Ratings, other prices and badges stand between a title and its price.
fn is_between(line: &TextLine) -> bool {
    rating_of(&line.text).is_some()
        || NO_TITLE.is_match(&line.text)
        || is_mostly_price(&line.text) && price_of(&line.text).is_some()
}

/// The lines above a price in its column, as far as they follow each other closely.
fn block_above(price: &TextLine, lines: &[TextLine]) -> Option<Block> {
    let mut above: Vec<&TextLine> = lines
        .iter()
        .filter(|line| line.middle_y() < price.bounds[1] && shares_column(line, price))
        .filter(|line| price.bounds[1] - line.bottom() < 10.0 * price.bounds[3])
        .collect();
    above.sort_by(|a, b| b.bottom().total_cmp(&a.bottom()));
    let mut block: Vec<&TextLine> = Vec::new();
    let mut edge = price;
    for line in above {
        let gap = edge.bounds[1] - line.bottom();
        let largest =
            if block.is_empty() || rating_of(&edge.text).is_some() { MAX_GAP_TO_TITLE } else { MAX_GAP_IN_BLOCK };
        if gap > largest * line.bounds[3].max(edge.bounds[3]) || block.len() == MAX_BLOCK_LINES {
            break;
        }
        let is_smaller = block.last().is_some_and(|below| line.bounds[3] < LEAST_TITLE_SHARE * below.bounds[3]);
        if block.is_empty() && is_between(line) || rating_of(&line.text).is_some() {
            edge = line;
            continue;
        }
        if !is_title(&line.text) || is_smaller {
            break;
        }
        block.push(line);
        edge = line;
    }
    block.reverse();
    Block::of(&block, price)
}

/// The block left of a price in its row: a list of products with their prices in a column of their own.
fn block_beside(price: &TextLine, lines: &[TextLine]) -> Option<Block> {
    let in_row = |line: &&TextLine| (line.middle_y() - price.middle_y()).abs() < 0.9 * price.bounds[3];
    let left = lines.iter().filter(in_row).filter(|line| line.right() <= price.bounds[0] + 0.5 * price.bounds[3]);
    let seed = left.max_by(|a, b| a.right().total_cmp(&b.right()))?;
    let is_about_one = is_title(&seed.text) || rating_of(&seed.text).is_some();
    if !is_about_one {
        return None;
    }
    let is_aligned = |line: &&TextLine| (line.bounds[0] - seed.bounds[0]).abs() < 0.6 * seed.bounds[3];
    let mut column: Vec<&TextLine> = lines.iter().filter(is_aligned).collect();
    column.sort_by(|a, b| a.bounds[1].total_cmp(&b.bounds[1]));
    let at = column.iter().position(|line| std::ptr::eq(*line, seed))?;
    let follows = |upper: &TextLine, lower: &TextLine| {
        lower.bounds[1] - upper.bottom() <= MAX_GAP_IN_BLOCK * upper.bounds[3].min(lower.bounds[3])
            && (is_title(&upper.text) || rating_of(&upper.text).is_some())
            && (is_title(&lower.text) || rating_of(&lower.text).is_some())
            && upper.bounds[3] >= LEAST_TITLE_SHARE * lower.bounds[3]
    };
    let first =
        (1..=at).rev().take_while(|&lower| follows(column[lower - 1], column[lower])).last().map_or(at, |at| at - 1);
    let last = (at..column.len() - 1).take_while(|&upper| follows(column[upper], column[upper + 1])).last();
    let last = last.map_or(at, |upper| upper + 1).min(first + MAX_BLOCK_LINES - 1);
    Block::of(&column[first..=last], price)
}

/// Whether an amount stands in a table of labels and values: left of it and of what is above or below it stand texts that
/// begin at one place.
fn is_row_of_table(price: &TextLine, lines: &[TextLine]) -> bool {
    let left_of = |line: &TextLine| {
        let in_row = |other: &&TextLine| (other.middle_y() - line.middle_y()).abs() < 0.5 * line.bounds[3];
        let left = lines.iter().filter(in_row).filter(|other| other.right() <= line.bounds[0]);
        left.max_by(|a, b| a.right().total_cmp(&b.right()))
    };
    let is_plain = |line: &&TextLine| price_of(&line.text).is_none() && rating_of(&line.text).is_none();
    let Some(label) = left_of(price).filter(is_plain) else { return false };
    lines.iter().filter(is_plain).any(|line| {
        let is_near = (line.middle_y() - price.middle_y()).abs() < 3.0 * price.bounds[3];
        let is_aligned = (line.bounds[0] - price.bounds[0]).abs() < 0.5 * price.bounds[3];
        let same_labels = |other: &TextLine| (other.bounds[0] - label.bounds[0]).abs() < 0.5 * price.bounds[3];
        is_near && is_aligned && left_of(line).is_some_and(same_labels)
    })
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
