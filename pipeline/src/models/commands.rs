//! `pipeline models list | fetch | import`: what they find, as data, and what they print.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::catalog::{self, MODELS};
use super::error::ModelError;
use super::fetch::Fetcher;
use super::files::{self, ModelFiles};
use super::import::{self, Imported};
use super::progress::Progress;

/// One line of `models list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: &'static str,
    pub purpose: &'static str,
    pub licence: &'static str,
    pub bytes: u64,
    pub is_present: bool,
    /// Where it lies or would lie; the user's own file where that is used instead.
    pub path: PathBuf,
}

pub fn list(models_dir: &Path) -> Result<Vec<Listed>, ModelError> {
    let lines = MODELS.iter().map(|model| {
        let own = import::users_own(model, models_dir).and_then(|own| own.paths.into_iter().next());
        let is_present = own.is_some() || files::present(model, models_dir)?.is_some();
        Ok(Listed {
            name: model.name,
            purpose: model.purpose,
            licence: model.licence,
            bytes: model.files.iter().map(|file| file.bytes).sum(),
            is_present,
            path: own.unwrap_or_else(|| files::dir_of(model, models_dir)),
        })
    });
    lines.collect()
}

/// Fetches one model by name, or every model of the catalogue.
pub fn fetch(
    name: Option<&str>,
    models_dir: &Path,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<Vec<ModelFiles>, ModelError> {
    let fetcher = Fetcher::new(models_dir, progress, stop);
    let models = match name {
        Some(name) => {
            vec![catalog::find(name).ok_or_else(|| ModelError::UnknownName { name: name.to_owned() })?]
        }
        None => MODELS.iter().collect(),
    };
    models.into_iter().map(|model| fetcher.ensure_model(model)).collect()
}

pub fn run_list(models_dir: &Path) -> Result<(), ModelError> {
    print(&table(&list(models_dir)?));
    Ok(())
}

pub fn run_fetch(name: Option<&str>, models_dir: &Path, stop: &AtomicBool) -> Result<(), ModelError> {
    for files in fetch(name, models_dir, &Progress::on_stderr(), stop)? {
        for path in files.paths {
            print(&format!("{}\t{}\n", files.name, path.display()));
        }
    }
    Ok(())
}

pub fn run_import(path: &Path, models_dir: &Path) -> Result<Imported, ModelError> {
    let imported = import::import(path, models_dir)?;
    print(&format!("{imported}\n"));
    Ok(imported)
}

fn table(lines: &[Listed]) -> String {
    let mut text = String::new();
    let heads = ["NAME", "PURPOSE", "LICENCE", "SIZE", "HERE"];
    let row = |cells: [&str; 5], path: &str| {
        let [name, purpose, licence, size, here] = cells;
        format!("{name:<16} {purpose:<47} {licence:<10} {size:>7}  {here:<4} {path}")
    };
    let _ = writeln!(text, "{}", row(heads, "PATH"));
    for line in lines {
        let size = format!("{} MB", line.bytes.div_ceil(1_000_000));
        let here = if line.is_present { "yes" } else { "no" };
        let cells = [line.name, line.purpose, line.licence, &size, here];
        let _ = writeln!(text, "{}", row(cells, &line.path.display().to_string()));
    }
    text
}

#[expect(clippy::print_stdout, reason = "the answer of a command goes to stdout")]
fn print(text: &str) {
    print!("{text}");
}
