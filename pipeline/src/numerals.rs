//! English number words, for whoever reads or writes spoken numbers.

/// Zero to nineteen.
pub const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// Twenty to ninety.
pub const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// The number that a word below twenty, or a word for tens, stands for.
pub fn value(word: &str) -> Option<u32> {
    let place = |list: &[&str]| list.iter().position(|&known| known == word).map(|at| at as u32);
    place(&SMALL).or_else(|| place(&TENS).map(|at| (at + 2) * 10))
}
