//! Lines of text as captions: which of them name a thing, and what they say without the icons beside them.

use crate::models::ocr::TextLine;

/// From the middle of one character to the next over a space, in usual steps from one to the next within a word.
const ICON_GAP: f64 = 2.4;

/// Not a lone sign, which most often is an icon or a badge.
pub(super) fn is_words(line: &TextLine) -> bool {
    line.text.chars().filter(|c| c.is_alphanumeric()).count() >= 2
}

/// The title and what belongs to it up to the price; without a price the first line alone.
pub(super) fn title_and_price<'a>(lines: &[&'a TextLine]) -> Vec<&'a TextLine> {
    let end = lines.iter().take(6).position(|line| is_price(&line.text));
    lines.iter().take(end.map_or(1, |end| end + 1)).copied().collect()
}

pub(super) fn is_price(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let signs = ['$', '€', '£', '¥', '₹'];
    let other = text.chars().filter(|c| c.is_alphabetic()).count();
    digits >= 1 && text.contains(signs) && other <= 3
}

/// The texts of lines as one, without icons that were read as letters.
pub(super) fn caption_of(lines: &[&TextLine]) -> String {
    lines.iter().map(|line| without_icons(line)).collect::<Vec<_>>().join(" ")
}

/// A lone sign set well apart from the words of its line is an icon: the glass of a search field, the cross of a tab.
fn without_icons(line: &TextLine) -> String {
    let characters: Vec<char> = line.text.chars().collect();
    if characters.len() != line.char_x.len() {
        return line.text.clone();
    }
    let is_letter = |index: usize| !characters[index].is_whitespace();
    let mut steps: Vec<f64> = (1..characters.len())
        .filter(|index| is_letter(*index) && is_letter(index - 1))
        .map(|index| line.char_x[index] - line.char_x[index - 1])
        .collect();
    steps.sort_by(f64::total_cmp);
    let Some(usual) = steps.get(steps.len() / 2) else { return line.text.clone() };
    let apart = ICON_GAP * usual;
    let mut letters: Vec<usize> = (0..characters.len()).filter(|index| is_letter(*index)).collect();
    while let [first, second, ..] = letters.as_slice()
        && second - first > 1
        && line.char_x[*second] - line.char_x[*first] > apart
    {
        letters.remove(0);
    }
    while let [.., second, first] = letters.as_slice()
        && first - second > 1
        && line.char_x[*first] - line.char_x[*second] > apart
    {
        letters.pop();
    }
    match (letters.first(), letters.last()) {
        (Some(first), Some(last)) => characters[*first..=*last].iter().collect(),
        _ => String::new(),
    }
}

/// `shop.example/help/size-guide?x=1` is about "Size guide".
pub(super) fn name_of_link(link: &str) -> Option<String> {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let last = path.split_once('/')?.1.split('/').rfind(|part| !part.is_empty())?;
    let name = last.split('.').next().unwrap_or_default().replace(['-', '_'], " ");
    let mut characters = name.chars();
    let first = characters.next()?;
    Some(first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::read_screen::made_line;

    #[test]
    fn icons_read_as_letters_are_left_out() {
        let check = |text: &str, middles: &[f64], expected: &str| {
            let mut line = made_line(text, [0.0, 0.0, 200.0, 20.0]);
            line.char_x = middles.to_vec();
            assert_eq!(without_icons(&line), expected);
        };
        check("Q tea", &[10.0, 22.0, 35.0, 42.0, 49.0], "tea");
        check("tea ×", &[10.0, 17.0, 24.0, 50.0, 80.0], "tea");
        check("a tea", &[10.0, 14.0, 22.0, 29.0, 36.0], "a tea");
    }

    #[test]
    fn a_card_is_named_by_title_and_price() {
        let lines = ["Storm Lantern", "4.5 (120)", "$34.50", "Add to cart"].map(|text| made_line(text, [0.0; 4]));
        let lines: Vec<&TextLine> = lines.iter().collect();
        assert_eq!(caption_of(&title_and_price(&lines)), "Storm Lantern 4.5 (120) $34.50");
        assert_eq!(caption_of(&title_and_price(&lines[3..])), "Add to cart");
    }

    #[test]
    fn links_are_named_by_their_last_part() {
        assert_eq!(name_of_link("localhost:3001/cart").as_deref(), Some("Cart"));
        assert_eq!(name_of_link("shop.example/help/size-guide.html?x=1").as_deref(), Some("Size guide"));
        assert_eq!(name_of_link("shop.example"), None);
    }
}
