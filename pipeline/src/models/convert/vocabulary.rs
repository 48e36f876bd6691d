//! The tokens of a model as bytes, by number. The files beside a `CTranslate2` model write each byte as a printable
//! character of GPT-2's byte alphabet; this undoes it.

use std::collections::BTreeMap;

use super::ConvertError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    tokens: Vec<Vec<u8>>,
}

impl Vocabulary {
    /// From `vocabulary.txt` (a token a line), `vocabulary.json` (a list) or `tokenizer.json` (a table), told by content.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConvertError> {
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text"))?;
        let names = match serde_json::from_str::<serde_json::Value>(text) {
            Ok(serde_json::Value::Array(list)) => {
                list.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            Ok(serde_json::Value::Object(table)) => from_tokenizer(&table),
            _ => Some(text.lines().map(str::to_owned).collect()),
        };
        let names = names.filter(|names| !names.is_empty()).ok_or_else(|| refuse("no list of tokens is in it"))?;
        let alphabet = byte_alphabet();
        Ok(Self { tokens: names.iter().map(|name| bytes_of(name, &alphabet)).collect() })
    }

    pub(super) fn tokens(&self) -> &[Vec<u8>] {
        &self.tokens
    }
}

fn refuse(reason: &str) -> ConvertError {
    ConvertError::Vocabulary(reason.to_owned())
}

fn from_tokenizer(table: &serde_json::Map<String, serde_json::Value>) -> Option<Vec<String>> {
    let text = table.get("model")?.get("vocab")?.as_object()?.iter().map(|(name, id)| (id.as_u64(), name.as_str()));
    let added = table.get("added_tokens").and_then(serde_json::Value::as_array);
    let special = added
        .into_iter()
        .flatten()
        .filter_map(|token| Some((token.get("id")?.as_u64(), token.get("content")?.as_str()?)));
    let by_id: BTreeMap<u64, &str> = text.chain(special).filter_map(|(id, name)| Some((id?, name))).collect();
    by_id.iter().enumerate().map(|(index, (id, name))| (index as u64 == *id).then(|| (*name).to_owned())).collect()
}

/// Special tokens are not written in the alphabet's terms only: where a character is not in it, the text is meant.
fn bytes_of(name: &str, alphabet: &BTreeMap<char, u8>) -> Vec<u8> {
    name.chars()
        .map(|letter| alphabet.get(&letter).copied())
        .collect::<Option<Vec<u8>>>()
        .unwrap_or_else(|| name.as_bytes().to_vec())
}

/// Printable bytes stand for themselves; the others, in order, for the characters from U+0100 on.
fn byte_alphabet() -> BTreeMap<char, u8> {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let printable = (0..=u8::MAX).filter(|byte| is_printable(*byte)).map(|byte| (char::from(byte), byte));
    let others = (0..=u8::MAX).filter(|byte| !is_printable(*byte));
    let stand_ins = (0x100_u32..).filter_map(char::from_u32);
    printable.chain(stand_ins.zip(others)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_file_gives_the_same_bytes() {
        let expected = Vocabulary { tokens: vec![b"!".to_vec(), b" the".to_vec(), vec![0xc3], b"<|en|>".to_vec()] };
        let forms = [
            "!\nĠthe\nÃ\n<|en|>\n",
            r#"["!", "Ġthe", "Ã", "<|en|>"]"#,
            r#"{"model": {"vocab": {"Ġthe": 1, "!": 0, "Ã": 2}}, "added_tokens": [{"id": 3, "content": "<|en|>"}]}"#,
        ];
        for form in forms {
            assert_eq!(Vocabulary::parse(form.as_bytes()).unwrap(), expected, "{form}");
        }
        assert_eq!(byte_alphabet().len(), 256);
    }

    #[test]
    fn a_table_with_holes_is_refused() {
        let holes = r#"{"model": {"vocab": {"a": 0, "b": 2}}}"#;
        assert!(Vocabulary::parse(holes.as_bytes()).is_err());
    }
}
