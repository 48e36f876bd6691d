//! Values that were found to be private once are private wherever they show up again, with or without a label.
//!
//! They live in memory only, for as long as one recording is worked on.

use super::code::Field;
use super::{Found, PiiKind};
use crate::models::ocr::TextLine;

/// Shorter ones are words and numbers like any other.
const SHORTEST_EMAIL: usize = 6;
const SHORTEST_NUMBER: usize = 7;
const SHORTEST_TEXT: usize = 8;
const SHORTEST_NAME_PART: usize = 2;
/// More screens that ask for a code than any recording has.
const MOST_FIELDS: usize = 200;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// In lower case (ASCII), longest first.
    values: Vec<(PiiKind, String)>,
    fields: Vec<Field>,
}

impl Known {
    pub fn learn(&mut self, kind: PiiKind, text: &str) {
        let value = text.trim().to_ascii_lowercase();
        if !is_telling(kind, &value) || self.values.iter().any(|(_, known)| *known == value) {
            return;
        }
        let at = self.values.partition_point(|(_, known)| known.len() >= value.len());
        self.values.insert(at, (kind, value));
    }

    /// Remembers where a screen asks for a security code.
    pub fn learn_fields(&mut self, lines: &[TextLine]) {
        for field in Field::all_on(lines) {
            if self.fields.len() < MOST_FIELDS && !self.fields.contains(&field) {
                self.fields.push(field);
            }
        }
    }

    /// Lines of a screen that stand where such a field was.
    pub(super) fn values_in_fields(&self, lines: &[TextLine]) -> Vec<usize> {
        self.fields.iter().filter_map(|field| field.value_in(lines)).collect()
    }

    pub fn add(&mut self, other: Self) {
        self.fields.extend(other.fields);
        for (kind, value) in other.values {
            self.learn(kind, &value);
        }
    }

    /// Where a text has such a value as words of its own.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let plain = text.to_ascii_lowercase();
        let mut all = Vec::new();
        for (kind, value) in &self.values {
            for (start, _) in plain.match_indices(value.as_str()) {
                let end = start + value.len();
                let is_apart =
                    !text[..start].ends_with(char::is_alphanumeric) && !text[end..].starts_with(char::is_alphanumeric);
                if is_apart {
                    super::text::push(&mut all, *kind, start, end);
                }
            }
        }
        all
    }
}

/// Whether a value alone, without its label, says who or what it is.
fn is_telling(kind: PiiKind, value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    match kind {
        PiiKind::Email => value.contains('@') && value.len() >= SHORTEST_EMAIL,
        PiiKind::PaymentCard | PiiKind::Phone | PiiKind::OrderNumber | PiiKind::TrackingNumber => {
            digits >= SHORTEST_NUMBER
        }
        PiiKind::Name => {
            let mut parts = value.split_whitespace();
            parts.clone().count() >= 2 && parts.all(|part| part.chars().count() >= SHORTEST_NAME_PART)
        }
        PiiKind::Address => digits > 0 && value.len() >= SHORTEST_TEXT && value.split_whitespace().count() >= 2,
        PiiKind::Secret => value.len() >= SHORTEST_TEXT,
        // A security code is three digits, which also stand in prices.
        PiiKind::Cvv | PiiKind::Marked => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_private_once_is_found_again() {
        let mut known = Known::default();
        for (kind, value) in [
            (PiiKind::Name, "Jane Doe"),
            (PiiKind::Name, "Rose"),
            (PiiKind::Cvv, "123"),
            (PiiKind::OrderNumber, "AB-20931"),
            (PiiKind::OrderNumber, "112-1234567"),
        ] {
            known.learn(kind, value);
        }
        let found =
            |text: &str| known.find(text).iter().map(|hit| text[hit.start..hit.end].to_owned()).collect::<Vec<_>>();
        assert_eq!(found("JANE DOE's cart, order 112-1234567"), ["112-1234567", "JANE DOE"], "the longest first");
        assert!(found("A rose for $123, model AB-20931, Jane Doering").is_empty());
    }
}
