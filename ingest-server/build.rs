//! Lays the built screens where the program embeds them from; where they are not built, a page that says so.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PAGES: [&str; 2] = ["admin.html", "site.html"];

fn main() -> io::Result<()> {
    let var = |name: &str| env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let built = var("CARGO_MANIFEST_DIR").join("../ui/dist");
    let into = var("OUT_DIR").join("ui");
    println!("cargo::rerun-if-changed={}", built.display());
    if into.exists() {
        fs::remove_dir_all(&into)?;
    }
    fs::create_dir_all(into.join("assets"))?;
    if built.exists() {
        copy(&built, &into)?;
    }
    for page in PAGES.iter().filter(|page| !into.join(page).exists()) {
        if env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
            return Err(io::Error::other(format!(
                "ui/dist/{page} is missing: build the screens first, with ./dev setup"
            )));
        }
        fs::write(
            into.join(page),
            "<!doctype html><title>Not built</title><p>The screens are not built: run ./dev setup.",
        )?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
