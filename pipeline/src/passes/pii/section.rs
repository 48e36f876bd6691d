//! An address in rows below its heading: "Deliver to", then "Name", "Street", "City" with their values beside them. By
//! itself a label such as "Name" or "City" says nothing, since products have them too.

use super::PiiKind;
use super::address::is_telling;
use super::screen::{beside, next_below, plain_label};
use crate::models::ocr::TextLine;

const MAX_ROWS: usize = 10;
/// `None` for what is no address, and may stand between.
const LABELS: &[(&str, Option<PiiKind>)] = &[
    ("name", Some(PiiKind::Name)),
    ("full name", Some(PiiKind::Name)),
    ("first name", Some(PiiKind::Name)),
    ("last name", Some(PiiKind::Name)),
    ("surname", Some(PiiKind::Name)),
    ("recipient", Some(PiiKind::Name)),
    ("contact", Some(PiiKind::Name)),
    ("attention", Some(PiiKind::Name)),
    ("address", Some(PiiKind::Address)),
    ("address line 1", Some(PiiKind::Address)),
    ("address line 2", Some(PiiKind::Address)),
    ("street", Some(PiiKind::Address)),
    ("street address", Some(PiiKind::Address)),
    ("apartment", Some(PiiKind::Address)),
    ("apt", Some(PiiKind::Address)),
    ("unit", Some(PiiKind::Address)),
    ("city", Some(PiiKind::Address)),
    ("city, state", Some(PiiKind::Address)),
    ("town", Some(PiiKind::Address)),
    ("town/city", Some(PiiKind::Address)),
    ("county", Some(PiiKind::Address)),
    ("state", Some(PiiKind::Address)),
    ("province", Some(PiiKind::Address)),
    ("zip", Some(PiiKind::Address)),
    ("zip code", Some(PiiKind::Address)),
    ("postal code", Some(PiiKind::Address)),
    ("postcode", Some(PiiKind::Address)),
    ("country", None),
    ("company", None),
    ("phone", None),
    ("phone number", None),
    ("mobile", None),
    ("e-mail", None),
    ("email", None),
];

/// The values of the rows below a heading, if one of them reads like an address.
pub(super) fn rows_below(heading: &TextLine, lines: &[TextLine]) -> Vec<(PiiKind, usize)> {
    let mut found = Vec::new();
    let mut is_address = false;
    let mut edge = heading;
    for _ in 0..MAX_ROWS {
        let Some(label) = next_below(edge, lines).map(|at| &lines[at]) else { break };
        let name = plain_label(&label.text);
        let Some(&(_, kind)) = LABELS.iter().find(|(known, _)| *known == name) else { break };
        if let (Some(kind), Some(value)) = (kind, beside(label, lines)) {
            let text = &lines[value].text;
            is_address |= kind == PiiKind::Address && (is_telling(text) || text.chars().any(|c| c.is_ascii_digit()));
            found.push((kind, value));
        }
        edge = label;
    }
    if is_address { found } else { Vec::new() }
}
