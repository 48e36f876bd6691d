use super::*;

/// A model of two layers, width 64 and three tokens, in which every tensor's data counts up from its own length.
fn made_ct2() -> Vec<u8> {
    let mut file = Vec::new();
    let string = |file: &mut Vec<u8>, text: &str| {
        file.extend((text.len() as u16 + 1).to_le_bytes());
        file.extend(text.as_bytes());
        file.push(0);
    };
    let mut tensors: Vec<(String, Vec<u32>)> = vec![
        ("decoder/embeddings/weight".into(), vec![3, 64]),
        ("decoder/position_encodings/encodings".into(), vec![4, 64]),
        ("encoder/position_encodings/encodings".into(), vec![6, 64]),
        ("encoder/conv1/weight".into(), vec![64, 80, 3]),
        ("encoder/conv2/weight".into(), vec![64, 64, 3]),
    ];
    for name in ["encoder/conv1/bias", "encoder/conv2/bias"] {
        tensors.push((name.into(), vec![64]));
    }
    for (side, attentions) in [("encoder", &["self_attention"][..]), ("decoder", &["self_attention", "attention"])] {
        let mut norms = vec![format!("{side}/layer_norm")];
        let layer = format!("{side}/layer_0");
        norms.push(format!("{layer}/ffn/layer_norm"));
        norms.extend(attentions.iter().map(|attention| format!("{layer}/{attention}/layer_norm")));
        for norm in norms {
            tensors.push((format!("{norm}/gamma"), vec![64]));
            tensors.push((format!("{norm}/beta"), vec![64]));
        }
        let mut linear = |name: String, rows: u32, columns: u32| {
            tensors.push((format!("{name}/weight"), vec![rows, columns]));
            tensors.push((format!("{name}/bias"), vec![rows]));
        };
        linear(format!("{layer}/ffn/linear_0"), 256, 64);
        linear(format!("{layer}/ffn/linear_1"), 64, 256);
        linear(format!("{layer}/self_attention/linear_0"), 192, 64);
        linear(format!("{layer}/self_attention/linear_1"), 64, 64);
        if side == "decoder" {
            linear(format!("{layer}/attention/linear_0"), 64, 64);
            linear(format!("{layer}/attention/linear_1"), 128, 64);
            linear(format!("{layer}/attention/linear_2"), 64, 64);
        }
    }
    file.extend(6_u32.to_le_bytes());
    string(&mut file, "WhisperSpec");
    file.extend(3_u32.to_le_bytes());
    file.extend((tensors.len() as u32).to_le_bytes());
    for (name, dims) in &tensors {
        string(&mut file, name);
        file.push(dims.len() as u8);
        for dim in dims {
            file.extend(dim.to_le_bytes());
        }
        file.push(4);
        let values = dims.iter().product::<u32>();
        file.extend((values * 2).to_le_bytes());
        file.extend((0..values).flat_map(|value| (value as u16).to_le_bytes()));
    }
    file.extend(0_u32.to_le_bytes());
    file
}

fn convert(weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let vocabulary = Vocabulary::parse(b"a\n\xc4\xa0b\n").unwrap();
    let mut out = Vec::new();
    to_ggml(weights, &vocabulary, &mut out).map(|()| out)
}

struct ReadTensor {
    name: String,
    kind: i32,
    dims: Vec<u32>,
    data: Vec<u8>,
}

/// Reads a GGML file back: its tokens and its tensors.
fn read_back(file: &[u8]) -> (Vec<Vec<u8>>, Vec<ReadTensor>) {
    let mut at = 0;
    let mut take = |count: usize| {
        at += count;
        &file[at - count..at]
    };
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    take(GgmlHeader::BYTES);
    let (mels, bins) = (number(take(4)), number(take(4)));
    take((mels * bins * 4) as usize);
    let tokens = number(take(4));
    let tokens = (0..tokens)
        .map(|_| {
            let length = number(take(4));
            take(length as usize).to_vec()
        })
        .collect();
    let mut tensors = Vec::new();
    let mut left = true;
    while left {
        let (rank, length, kind) = (number(take(4)), number(take(4)), number(take(4)) as i32);
        let dims: Vec<u32> = (0..rank).map(|_| number(take(4))).collect();
        let name = String::from_utf8(take(length as usize).to_vec()).unwrap();
        let width = if kind == F16 { 2 } else { 4 };
        let data = take(dims.iter().product::<u32>() as usize * width).to_vec();
        left = name != "encoder.ln_post.bias";
        tensors.push(ReadTensor { name, kind, dims, data });
    }
    assert_eq!(at, file.len());
    (tokens, tensors)
}

#[test]
fn a_made_model_comes_out_in_ggml_form() {
    let file = convert(&made_ct2()).unwrap();
    let (tokens, tensors) = read_back(&file);
    assert_eq!(tokens, [b"a".to_vec(), b" b".to_vec()]);
    let find = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap_or_else(|| panic!("{name}"));
    let check = |name: &str, kind: i32, dims: &[u32], first: &[u8]| {
        let tensor = find(name);
        assert_eq!((tensor.kind, tensor.dims.as_slice()), (kind, dims), "{name}");
        assert_eq!(&tensor.data[..first.len()], first, "{name}");
    };
    // The value is the third part of the stack of query, key and value; the second of key and value.
    check("encoder.blocks.0.attn.value.weight", F16, &[64, 64], &(2 * 64 * 64_u16).to_le_bytes());
    check("decoder.blocks.0.cross_attn.value.bias", F32, &[64], &float_of_half(64).to_le_bytes());
    check("encoder.conv1.weight", F16, &[3, 80, 64], &[0, 0, 1, 0]);
    check("encoder.conv1.bias", F32, &[1, 64], &[]);
    check("decoder.positional_embedding", F32, &[64, 4], &[]);
    assert!(tensors.iter().all(|tensor| tensor.name != "encoder.blocks.0.attn.key.bias"), "keys have no bias");
}

#[test]
fn what_cannot_be_converted_is_told_in_a_sentence() {
    let good = made_ct2();
    let check = |weights: &[u8], expected: &str| {
        let error = convert(weights).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(b"not a model", "does not begin with the name");
    check(&good[..good.len() / 2], "ends early");
    let renamed = String::from_utf8_lossy(b"encoder/conv2/bias").into_owned();
    let at = good.windows(renamed.len()).position(|bytes| bytes == renamed.as_bytes()).unwrap();
    let mut missing = good.clone();
    missing[at] = b'x';
    check(&missing, "lack the tensor encoder/conv2/bias");
}

#[test]
fn half_floats_are_exact() {
    let rows = [
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x7bff, 65504.0),
        (0x0001, 2_f32.powi(-24)),
        (0x0400, 2_f32.powi(-14)),
        (0x3555, 0.333_251_95),
    ];
    for (half, float) in rows {
        assert_eq!(float_of_half(half).to_bits(), f32::to_bits(float), "{half:#x}");
    }
    assert_eq!(float_of_half(0x8000).to_bits(), (-0.0_f32).to_bits());
}
