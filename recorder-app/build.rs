//! The window's page must exist before it can be built in. It is never made from here: that is `./dev setup`'s work.

use std::path::PathBuf;
use std::{env, fs, io};

const PLACEHOLDER: &str = "<!doctype html><title>Not built</title><p>The screens are not built: run ./dev setup.";

fn main() -> io::Result<()> {
    let built = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join("../ui/dist");
    let page = built.join("recorder.html");
    let is_built = fs::read_to_string(&page).is_ok_and(|text| text != PLACEHOLDER);
    if !is_built && env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        return Err(io::Error::other("ui/dist/recorder.html is missing: build the screens first, with ./dev setup"));
    }
    if !is_built {
        fs::create_dir_all(&built)?;
        fs::write(&page, PLACEHOLDER)?;
    }
    println!("cargo::rerun-if-changed={}", built.display());
    tauri_build::try_build(tauri_build::Attributes::new()).map_err(io::Error::other)
}
