//! The JSON object in what a model wrote: alone, in a fenced block, between sentences, with a comma too many.

use serde_json::Value;

/// How many opening braces are tried: each may lie open to the end of a long answer.
const MOST_TRIED: usize = 32;

/// The first object that can be read, the longest reading of it first.
pub fn object(text: &str) -> Option<Value> {
    let whole = parse(text.trim());
    whole.or_else(|| text.match_indices('{').take(MOST_TRIED).find_map(|(at, _)| parse(balanced(&text[at..])?)))
}

fn parse(text: &str) -> Option<Value> {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    read(text).or_else(|| read(&without_spare_commas(text)))
}

/// From an opening brace to the one that closes it; braces in strings do not count.
fn balanced(text: &str) -> Option<&str> {
    let mut depth = 0_u32;
    let mut in_string = false;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            '{' if !in_string => depth += 1,
            '}' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return Some(&text[..=at]);
                }
            }
            _ => {}
        }
    }
    None
}

/// A comma before a closing bracket says nothing.
fn without_spare_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut in_string = false;
    let mut is_escaped = false;
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            '}' | ']' if !in_string => {
                let end = kept.trim_end().len();
                if kept[..end].ends_with(',') {
                    kept.truncate(end - 1);
                }
            }
            _ => {}
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::object;

    #[test]
    fn the_object_is_found_whatever_stands_around_it() {
        let wanted = json!({"steps": [{"index": 1, "why": "a } and a \" in it"}]});
        let plain = wanted.to_string();
        for text in [
            plain.clone(),
            format!("```json\n{plain}\n```"),
            format!("Here you are: {plain}\nI hope that {{helps}}."),
            format!("{{not this}} but {plain}"),
            plain.replace("}]}", ",\n}, ]\n}"),
        ] {
            assert_eq!(object(&text).as_ref(), Some(&wanted), "{text}");
        }
    }

    #[test]
    fn an_answer_of_millions_of_open_braces_holds_nobody_up() {
        // Each brace read to the end would take hours.
        for open in ["{", "{\"", "{\"a\":"] {
            assert_eq!(object(&open.repeat(1 << 20)), None, "{open}");
        }
    }

    #[test]
    fn where_there_is_none_nothing_is_found() {
        for text in ["", "null", "[1, 2]", "{", "{\"a\": ", "}{", "{\"a\": \"\\", "I cannot do that."] {
            assert_eq!(object(text), None, "{text}");
        }
    }
}
