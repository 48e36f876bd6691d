//! Reads `CTranslate2`'s `model.bin`: little endian throughout; version, name of the architecture, revision, number of
//! tensors; of each its name, number of dimensions, dimensions, kind, length in bytes and data; then aliases, which
//! Whisper does not need. A string is a 16 bit length, its closing NUL included, and the bytes.

use std::collections::BTreeMap;

use super::ConvertError;

const ARCHITECTURE: &str = "WhisperSpec";
const VERSIONS: std::ops::RangeInclusive<u32> = 2..=6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    I8,
    I16,
    I32,
    F16,
    Other(u8),
}

impl Kind {
    fn parse(byte: u8) -> Self {
        match byte {
            0 => Self::F32,
            1 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 => Self::F16,
            other => Self::Other(other),
        }
    }

    fn bytes(self) -> Option<usize> {
        match self {
            Self::I8 => Some(1),
            Self::I16 | Self::F16 => Some(2),
            Self::F32 | Self::I32 => Some(4),
            Self::Other(_) => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Tensor<'a> {
    pub(super) dims: Vec<u32>,
    pub(super) kind: Kind,
    pub(super) data: &'a [u8],
}

impl Tensor<'_> {
    /// Part `index` of `of` equal parts along the first dimension.
    pub(super) fn rows(&self, index: u32, of: u32) -> Option<Self> {
        let rows = *self.dims.first()?;
        if of == 0 || rows % of != 0 || index >= of {
            return None;
        }
        let bytes = self.data.len() / of as usize;
        let mut dims = self.dims.clone();
        dims[0] = rows / of;
        let from = bytes * index as usize;
        Some(Self { dims, kind: self.kind, data: &self.data[from..from + bytes] })
    }
}

pub(super) struct Ct2<'a> {
    tensors: BTreeMap<&'a str, Tensor<'a>>,
}

pub(super) fn begins_as_whisper(bytes: &[u8]) -> bool {
    let mut reader = Reader { bytes, at: 0 };
    reader.number().is_ok_and(|version| VERSIONS.contains(&version))
        && reader.string().is_ok_and(|name| name == ARCHITECTURE)
}

impl<'a> Ct2<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ConvertError> {
        if !begins_as_whisper(bytes) {
            return Err(ConvertError::NotCt2(format!("it does not begin with the name {ARCHITECTURE}")));
        }
        let mut reader = Reader { bytes, at: 0 };
        reader.number()?;
        reader.string()?;
        reader.number()?;
        let count = reader.number()?;
        let mut tensors = BTreeMap::new();
        for _ in 0..count {
            let name = reader.string()?;
            tensors.insert(name, reader.tensor(name)?);
        }
        Ok(Self { tensors })
    }

    pub(super) fn tensor(&self, name: &str) -> Result<&Tensor<'a>, ConvertError> {
        self.tensors.get(name).ok_or_else(|| ConvertError::MissingTensor(name.to_owned()))
    }

    /// Number of layers of the `encoder` or `decoder`.
    pub(super) fn layers(&self, side: &str) -> u32 {
        (0..u32::from(u8::MAX))
            .find(|layer| !self.tensors.contains_key(format!("{side}/layer_{layer}/ffn/linear_0/weight").as_str()))
            .unwrap_or(0)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ConvertError> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| ConvertError::NotCt2(format!("it ends early, at byte {}", self.bytes.len())))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, ConvertError> {
        let four = self.take(4)?;
        Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    }

    fn byte(&mut self) -> Result<u8, ConvertError> {
        Ok(self.take(1)?[0])
    }

    fn string(&mut self) -> Result<&'a str, ConvertError> {
        let two = self.take(2)?;
        let bytes = self.take(usize::from(u16::from_le_bytes([two[0], two[1]])))?;
        let text = bytes.strip_suffix(&[0]).unwrap_or(bytes);
        std::str::from_utf8(text).map_err(|_| ConvertError::NotCt2("a name in it is not text".to_owned()))
    }

    fn tensor(&mut self, name: &str) -> Result<Tensor<'a>, ConvertError> {
        let rank = self.byte()?;
        let dims = (0..rank).map(|_| self.number()).collect::<Result<Vec<_>, _>>()?;
        let kind = Kind::parse(self.byte()?);
        let bytes = self.number()? as usize;
        let data = self.take(bytes)?;
        let values = dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim as usize));
        let expected = kind.bytes().and_then(|width| values?.checked_mul(width));
        if expected.is_some_and(|expected| expected != bytes) {
            return Err(ConvertError::NotCt2(format!("{name} has {bytes} bytes, which its dimensions contradict")));
        }
        Ok(Tensor { dims, kind, data })
    }
}
