//! Turns a Whisper model in `CTranslate2`'s form into the GGML file whisper.cpp reads.
//!
//! The conversion is exact: half floats are copied, the mel filters are computed, nothing depends on the machine. From
//! the pinned packages it gives, byte for byte, the files whisper.cpp's makers publish, so the hashes in the catalogue are
//! theirs: a third party's upload of the weights is proved right or refused.
//!
//! GGML layout: magic, eleven numbers, mel filters, tokens (length and bytes), then tensors until the end of the file:
//! number of dimensions, length of the name, kind (0 f32, 1 f16), dimensions innermost first, name, data.

mod ct2;
mod mel;
mod tensors;
mod vocabulary;

use std::io::{self, Write};

pub use vocabulary::Vocabulary;

use ct2::{Ct2, Kind, Tensor};
use tensors::Part;

const GGML_MAGIC: u32 = 0x6767_6d6c;
const F32: i32 = 0;
const F16: i32 = 1;
/// Width of one attention head, the same in every Whisper model.
const HEAD_WIDTH: u32 = 64;
/// Tokens of text; what follows them in the tables (languages, tasks, times) the loader makes up itself.
const TEXT_TOKENS: usize = 50_257;
const ENGLISH_ONLY_TOKENS: u32 = 51_864;

#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error("it is not a CTranslate2 Whisper model: {0}")]
    NotCt2(String),
    #[error("it is not a Whisper model in GGML form: {0}")]
    NotGgml(String),
    #[error("the weights lack the tensor {0}: the file is incomplete or of another kind of model")]
    MissingTensor(String),
    #[error(
        "the tensor {name} is of kind {kind}: only models of 16 or 32 bit floats can be converted, quantised ones cannot"
    )]
    UnsupportedKind { name: String, kind: String },
    #[error("the vocabulary is unusable: {0}")]
    Vocabulary(String),
    #[error("writing the converted model failed: {0}")]
    Write(#[from] io::Error),
}

/// The numbers a GGML file of Whisper begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GgmlHeader {
    pub tokens: u32,
    pub audio_context: u32,
    pub width: u32,
    pub encoder_layers: u32,
    pub text_context: u32,
    pub decoder_layers: u32,
    pub mels: u32,
    /// 1: weights are half floats, 0: floats, more: quantised.
    pub kind: u32,
}

impl GgmlHeader {
    pub const BYTES: usize = 48;

    pub fn parse(head: &[u8; Self::BYTES]) -> Result<Self, ConvertError> {
        let field = |index: usize| {
            let at = index * 4;
            u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
        };
        if field(0) != GGML_MAGIC {
            return Err(ConvertError::NotGgml("it does not begin with the letters of one".to_owned()));
        }
        let header = Self {
            tokens: field(1),
            audio_context: field(2),
            width: field(3),
            encoder_layers: field(5),
            text_context: field(6),
            decoder_layers: field(9),
            mels: field(10),
            kind: field(11),
        };
        let plausible = (50_000..60_000).contains(&header.tokens)
            && header.audio_context == 1500
            && (64..=4096).contains(&header.width)
            && (1..=64).contains(&header.encoder_layers)
            && (1..=64).contains(&header.decoder_layers)
            && [80, 128].contains(&header.mels);
        if plausible {
            Ok(header)
        } else {
            Err(ConvertError::NotGgml("its first numbers are not Whisper's".to_owned()))
        }
    }

    pub fn is_english_only(&self) -> bool {
        self.tokens == ENGLISH_ONLY_TOKENS
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let heads = self.width / HEAD_WIDTH;
        for number in [
            GGML_MAGIC,
            self.tokens,
            self.audio_context,
            self.width,
            heads,
            self.encoder_layers,
            self.text_context,
            self.width,
            heads,
            self.decoder_layers,
            self.mels,
            self.kind,
        ] {
            out.write_all(&number.to_le_bytes())?;
        }
        Ok(())
    }
}

/// Whether `bytes` begin as a `CTranslate2` Whisper model does.
pub fn is_ct2(bytes: &[u8]) -> bool {
    ct2::begins_as_whisper(bytes)
}

/// Writes the model in `weights` (a whole `model.bin`) with its vocabulary to `out` in GGML form.
pub fn to_ggml(weights: &[u8], vocabulary: &Vocabulary, out: &mut impl Write) -> Result<(), ConvertError> {
    let model = Ct2::parse(weights)?;
    let header = header_of(&model)?;
    header.write(out)?;

    let filters = mel::filters(header.mels as usize);
    write_number(out, header.mels as i32)?;
    write_number(out, mel::BINS as i32)?;
    for value in filters {
        out.write_all(&value.to_le_bytes())?;
    }

    let text = vocabulary.tokens();
    let text = &text[..text.len().min(TEXT_TOKENS)];
    write_number(out, text.len() as i32)?;
    for token in text {
        write_number(out, token.len() as i32)?;
        out.write_all(token)?;
    }

    for (name, part) in tensors::in_order(header.decoder_layers, header.encoder_layers) {
        write_tensor(out, &model, &name, &part)?;
    }
    Ok(())
}

fn header_of(model: &Ct2<'_>) -> Result<GgmlHeader, ConvertError> {
    let dimension = |name: &str, index: usize| {
        let tensor = model.tensor(name)?;
        tensor.dims.get(index).copied().ok_or_else(|| ConvertError::NotCt2(format!("{name} has too few dimensions")))
    };
    let embeddings = model.tensor("decoder/embeddings/weight")?;
    Ok(GgmlHeader {
        tokens: dimension("decoder/embeddings/weight", 0)?,
        audio_context: dimension("encoder/position_encodings/encodings", 0)?,
        width: dimension("decoder/embeddings/weight", 1)?,
        encoder_layers: model.layers("encoder"),
        text_context: dimension("decoder/position_encodings/encodings", 0)?,
        decoder_layers: model.layers("decoder"),
        mels: dimension("encoder/conv1/weight", 1)?,
        kind: u32::from(embeddings.kind == Kind::F16),
    })
}

fn write_tensor(out: &mut impl Write, model: &Ct2<'_>, name: &str, part: &Part) -> Result<(), ConvertError> {
    let whole = model.tensor(&part.source)?;
    let tensor = whole
        .rows(part.index, part.of)
        .ok_or_else(|| ConvertError::NotCt2(format!("{} cannot be split into {} equal parts", part.source, part.of)))?;
    // The loader multiplies with one-dimensional tensors and positions as floats; it wants a convolution's bias as a column.
    let as_floats = tensor.dims.len() == 1 || name.ends_with("positional_embedding");
    let mut dims: Vec<u32> = tensor.dims.clone();
    if part.is_column {
        dims.push(1);
    }
    let kind = if tensor.kind == Kind::F16 && !as_floats { F16 } else { F32 };
    write_number(out, dims.len() as i32)?;
    write_number(out, name.len() as i32)?;
    write_number(out, kind)?;
    for dim in dims.iter().rev() {
        out.write_all(&dim.to_le_bytes())?;
    }
    out.write_all(name.as_bytes())?;
    write_data(out, &part.source, &tensor, kind)
}

fn write_data(out: &mut impl Write, name: &str, tensor: &Tensor<'_>, kind: i32) -> Result<(), ConvertError> {
    match tensor.kind {
        Kind::F16 if kind == F32 => {
            for half in tensor.data.chunks_exact(2) {
                out.write_all(&float_of_half(u16::from_le_bytes([half[0], half[1]])).to_le_bytes())?;
            }
            Ok(())
        }
        Kind::F16 | Kind::F32 => Ok(out.write_all(tensor.data)?),
        other => Err(ConvertError::UnsupportedKind { name: name.to_owned(), kind: format!("{other:?}") }),
    }
}

fn write_number(out: &mut impl Write, number: i32) -> io::Result<()> {
    out.write_all(&number.to_le_bytes())
}

/// IEEE 754 half to single precision; every half float has an exact single.
fn float_of_half(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((half >> 10) & 0x1f);
    let fraction = f32::from(half & 0x3ff);
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests;
