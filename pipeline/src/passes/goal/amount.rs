//! Amounts in a text, in digits (`$1,299.00`, `100 dollars`) or in words as people say prices ("one hundred dollars",
//! "fifty three ninety four").

use std::sync::LazyLock;

use regex::Regex;

use crate::numerals;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount {
    pub(super) value: f64,
    /// Bytes of the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Said or written as money; otherwise any number.
    pub(super) is_money: bool,
}

static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        (?P<sign> us\$ | [$€£¥] | \b(?:usd|eur|gbp)\b )? \s?
        (?P<number> \d+(?:[.,]\d+)* ) (?P<kilo> k\b )?
        (?P<after> \s?[€£] | \s?-?(?:dollars?|bucks|euros?|usd|eur|gbp)\b )?",
    )
    .expect("the pattern is valid")
});
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("[A-Za-z]+").expect("the pattern is valid"));

/// All numbers of a text in order.
pub(super) fn amounts(text: &str) -> Vec<Amount> {
    let mut found = in_digits(text);
    found.extend(in_words(text));
    found.sort_by_key(|amount| amount.start);
    found
}

/// Only what is surely money.
pub(super) fn prices(text: &str) -> Vec<Amount> {
    amounts(text).into_iter().filter(|amount| amount.is_money).collect()
}

fn in_digits(text: &str) -> Vec<Amount> {
    DIGITS
        .captures_iter(text)
        .filter_map(|found| {
            let (whole, number) = (found.get(0)?, found.name("number")?);
            let sign = found.name("sign");
            let before = text[..number.start()].chars().next_back();
            if sign.is_none() && before.is_some_and(char::is_alphanumeric) {
                return None;
            }
            let value = decimal(number.as_str())? * if found.name("kilo").is_some() { 1000.0 } else { 1.0 };
            let is_money = sign.is_some() || found.name("after").is_some();
            let start = sign.map_or(number.start(), |sign| sign.start());
            Some(Amount { value, start, end: whole.end(), is_money })
        })
        .collect()
}

/// `1,299.00`, `1.299,00`, `12,50` and `1.299` as numbers: the last separator is the decimal one unless three digits
/// follow it.
fn decimal(number: &str) -> Option<f64> {
    let last = number.rfind(['.', ',']);
    let decimals_at = last.filter(|at| number.len() - at - 1 != 3);
    let plain: String = number
        .char_indices()
        .filter_map(|(at, c)| match c {
            '.' | ',' => (Some(at) == decimals_at).then_some('.'),
            digit => Some(digit),
        })
        .collect();
    plain.parse().ok()
}

#[derive(Clone, Copy, PartialEq)]
enum NumberWord {
    Unit(u32),
    Teen(u32),
    Tens(u32),
    Hundred,
    Thousand,
}

fn number_word(word: &str) -> Option<NumberWord> {
    let word = word.to_lowercase();
    match word.as_str() {
        "hundred" => return Some(NumberWord::Hundred),
        "thousand" => return Some(NumberWord::Thousand),
        "oh" => return Some(NumberWord::Unit(0)),
        _ => {}
    }
    numerals::value(&word).map(|value| match value {
        0..10 => NumberWord::Unit(value),
        10..20 => NumberWord::Teen(value),
        _ => NumberWord::Tens(value),
    })
}

/// The value of a single word: "nine" is 9, "twelve" is 12.
pub(super) fn small_number(word: &str) -> Option<u32> {
    match number_word(word)? {
        NumberWord::Unit(n) | NumberWord::Teen(n) | NumberWord::Tens(n) => Some(n),
        NumberWord::Hundred | NumberWord::Thousand => None,
    }
}

/// One number as it is said: "one hundred ninety two".
#[derive(Clone, Copy)]
struct Group {
    thousands: u32,
    rest: u32,
    last: NumberWord,
    start: usize,
    end: usize,
}

impl Group {
    fn new(word: NumberWord, start: usize, end: usize) -> Self {
        let (thousands, rest) = match word {
            NumberWord::Unit(n) | NumberWord::Teen(n) | NumberWord::Tens(n) => (0, n),
            NumberWord::Hundred => (0, 100),
            NumberWord::Thousand => (1000, 0),
        };
        Self { thousands, rest, last: word, start, end }
    }

    fn value(self) -> u32 {
        self.thousands + self.rest
    }

    /// Takes the next word in if it continues the number; "three" after "fifty" does, "ninety" does not.
    fn take(&mut self, word: NumberWord, end: usize) -> bool {
        use NumberWord::{Hundred, Teen, Tens, Thousand, Unit};
        match (self.last, word) {
            (Tens(_) | Hundred | Thousand, Unit(n @ 1..)) | (Hundred | Thousand, Teen(n) | Tens(n)) => self.rest += n,
            (Unit(1..) | Teen(_) | Tens(_), Hundred) if self.rest < 100 => self.rest *= 100,
            (Unit(1..) | Teen(_) | Tens(_) | Hundred, Thousand) if self.thousands == 0 => {
                self.thousands = self.rest.saturating_mul(1000);
                self.rest = 0;
            }
            _ => return false,
        }
        self.last = word;
        self.end = end;
        true
    }
}

/// The numbers of each unbroken run of number words, then what the run means.
fn in_words(text: &str) -> Vec<Amount> {
    let mut found = Vec::new();
    let mut run: Vec<Group> = Vec::new();
    let mut and_before = false;
    for word in WORD.find_iter(text) {
        let is_joined = run.last().is_some_and(|group| {
            let between = if and_before {
                text[group.end..word.start()].replace("and", "")
            } else {
                text[group.end..word.start()].to_owned()
            };
            between.chars().all(|c| c == ' ' || c == '-')
        });
        if !is_joined {
            close(text, &mut run, &mut found);
        }
        match number_word(word.as_str()) {
            Some(number) => {
                let continues = run.last_mut().is_some_and(|group| group.take(number, word.end()));
                if !continues {
                    if and_before {
                        close(text, &mut run, &mut found);
                    }
                    run.push(Group::new(number, word.start(), word.end()));
                }
                and_before = false;
            }
            None if word.as_str().eq_ignore_ascii_case("and")
                && run.last().is_some_and(|group| matches!(group.last, NumberWord::Hundred | NumberWord::Thousand)) =>
            {
                and_before = true;
            }
            None => {
                close(text, &mut run, &mut found);
                and_before = false;
            }
        }
    }
    close(text, &mut run, &mut found);
    found
}

static CURRENCY_NEXT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^[ -](?:dollars?|bucks|euros?)\b").expect("the pattern is valid"));

fn close(text: &str, run: &mut Vec<Group>, found: &mut Vec<Amount>) {
    let Some((&first, &last)) = run.first().zip(run.last()) else { return };
    let currency_end = CURRENCY_NEXT.find(&text[last.end..]).map(|currency| last.end + currency.end());
    let says_currency = currency_end.is_some();
    let values: Vec<u32> = run.iter().map(|group| group.value()).collect();
    let cents = 10..100;
    let price = match values[..] {
        [a] if says_currency => Some(f64::from(a)),
        // "one fifty dollars"
        [a @ 1..10, b] if says_currency && cents.contains(&b) => Some(f64::from(a * 100 + b)),
        [a, b] if cents.contains(&b) => Some(f64::from(a) + f64::from(b) / 100.0),
        [a, 0, b @ 0..10] => Some(f64::from(a) + f64::from(b) / 100.0),
        // "one nineteen ninety nine"
        [a @ 1..10, b, c] if cents.contains(&b) && cents.contains(&c) => {
            Some(f64::from(a * 100 + b) + f64::from(c) / 100.0)
        }
        _ => None,
    };
    if let Some(value) = price {
        found.push(Amount { value, start: first.start, end: currency_end.unwrap_or(last.end), is_money: true });
    } else {
        found.extend(run.iter().map(|group| Amount {
            value: f64::from(group.value()),
            start: group.start,
            end: group.end,
            is_money: false,
        }));
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::{amounts, prices};

    #[track_caller]
    fn check(text: &str, expected: &[f64]) {
        let values: Vec<f64> = prices(text).iter().map(|price| price.value).collect();
        assert_eq!(values, expected, "{text}");
    }

    #[test]
    fn prices_are_read_as_written_and_as_said() {
        check("$53.94", &[53.94]);
        check("Was $1,299.00, now US$999", &[1299.0, 999.0]);
        check("12,50 € statt 1.299,00 €", &[12.5, 1299.0]);
        check("100 dollars, or 80 bucks", &[100.0, 80.0]);
        check("find a pair of shoes for under one hundred dollars.", &[100.0]);
        check("The Freerun is one hundred ninety two dollars. That's too much.", &[192.0]);
        check("The Run X is only fifty three ninety four. I'm opening it", &[53.94]);
        check("Aloe vera is eight thirty nine, and very easy to keep.", &[8.39]);
        check("Fifteen twenty eight. Together that is fifty eight dollars", &[15.28, 58.0]);
        check("It is one nineteen ninety nine.", &[119.99]);
        check("nine oh five", &[9.05]);
        check("a hundred and twenty-five dollars, two thousand three hundred dollars", &[125.0, 2300.0]);
        check("one fifty dollars", &[150.0]);
    }

    #[test]
    fn other_numbers_are_not_prices() {
        for text in [
            "size forty two",
            "a nine year old",
            "Size 32",
            "14 products",
            "SC3137-056",
            "Each one, two plants",
            "a mile",
        ] {
            check(text, &[]);
        }
        let found = amounts("size 42 or forty two");
        assert_eq!(found.iter().map(|number| number.value).collect::<Vec<_>>(), [42.0, 42.0]);
    }
}
