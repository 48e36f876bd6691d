//! Which `CTranslate2` tensor each GGML tensor is made from, in the order of `OpenAI`'s own files. `CTranslate2` stacks query,
//! key and value of self-attention (and key and value of cross-attention) into one tensor; Whisper's keys have no bias.

/// Where a tensor comes from: part `index` of `of` equal parts of `source`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) source: String,
    pub(super) index: u32,
    pub(super) of: u32,
    pub(super) is_column: bool,
}

impl Part {
    fn whole(source: String) -> Self {
        Self { source, index: 0, of: 1, is_column: false }
    }
}

pub(super) fn in_order(decoder_layers: u32, encoder_layers: u32) -> Vec<(String, Part)> {
    let mut list = vec![
        whole("decoder.positional_embedding", "decoder/position_encodings/encodings"),
        whole("encoder.positional_embedding", "encoder/position_encodings/encodings"),
        whole("decoder.token_embedding.weight", "decoder/embeddings/weight"),
    ];
    for layer in 0..decoder_layers {
        block(&mut list, "decoder", layer);
        let (to, from) = (format!("decoder.blocks.{layer}"), format!("decoder/layer_{layer}/attention"));
        norm(&mut list, &format!("{to}.cross_attn_ln"), &format!("{from}/layer_norm"));
        let query = [("query", 0, 1, true)];
        attention(&mut list, &format!("{to}.cross_attn"), &format!("{from}/linear_0"), &query);
        let key_and_value = [("key", 0, 2, false), ("value", 1, 2, true)];
        attention(&mut list, &format!("{to}.cross_attn"), &format!("{from}/linear_1"), &key_and_value);
        attention(&mut list, &format!("{to}.cross_attn"), &format!("{from}/linear_2"), &[("out", 0, 1, true)]);
    }
    norm(&mut list, "decoder.ln", "decoder/layer_norm");
    for conv in ["conv1", "conv2"] {
        list.push(whole(&format!("encoder.{conv}.weight"), &format!("encoder/{conv}/weight")));
        let (name, bias) = whole(&format!("encoder.{conv}.bias"), &format!("encoder/{conv}/bias"));
        list.push((name, Part { is_column: true, ..bias }));
    }
    for layer in 0..encoder_layers {
        block(&mut list, "encoder", layer);
    }
    norm(&mut list, "encoder.ln_post", "encoder/layer_norm");
    list
}

/// What encoder and decoder blocks share: the two-layer perceptron and self-attention.
fn block(list: &mut Vec<(String, Part)>, side: &str, layer: u32) {
    let (to, from) = (format!("{side}.blocks.{layer}"), format!("{side}/layer_{layer}"));
    norm(list, &format!("{to}.mlp_ln"), &format!("{from}/ffn/layer_norm"));
    for (linear, place) in [("linear_0", 0), ("linear_1", 2)] {
        for leaf in ["weight", "bias"] {
            list.push(whole(&format!("{to}.mlp.{place}.{leaf}"), &format!("{from}/ffn/{linear}/{leaf}")));
        }
    }
    norm(list, &format!("{to}.attn_ln"), &format!("{from}/self_attention/layer_norm"));
    let stacked = [("query", 0, 3, true), ("key", 1, 3, false), ("value", 2, 3, true)];
    attention(list, &format!("{to}.attn"), &format!("{from}/self_attention/linear_0"), &stacked);
    attention(list, &format!("{to}.attn"), &format!("{from}/self_attention/linear_1"), &[("out", 0, 1, true)]);
}

/// `parts`: name, which part, of how many, whether it has a bias.
fn attention(list: &mut Vec<(String, Part)>, to: &str, from: &str, parts: &[(&str, u32, u32, bool)]) {
    for (name, index, of, has_bias) in parts {
        for leaf in ["weight", "bias"] {
            if leaf == "weight" || *has_bias {
                let source = format!("{from}/{leaf}");
                list.push((format!("{to}.{name}.{leaf}"), Part { source, index: *index, of: *of, is_column: false }));
            }
        }
    }
}

fn norm(list: &mut Vec<(String, Part)>, to: &str, from: &str) {
    list.push(whole(&format!("{to}.weight"), &format!("{from}/gamma")));
    list.push(whole(&format!("{to}.bias"), &format!("{from}/beta")));
}

fn whole(name: &str, source: &str) -> (String, Part) {
    (name.to_owned(), Part::whole(source.to_owned()))
}
