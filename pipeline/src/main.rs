//! `pipeline`: turns recordings into verdicts, transcripts, Steps and training examples.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ingest_client::{Client, ClientError};
use pipeline::config::{Config, ConfigError};
use pipeline::export::{ExportError, export};
use pipeline::models::commands::{run_fetch, run_import, run_list};
use pipeline::models::error::ModelError;
use pipeline::passes::{inspect, playback, redact};
use pipeline::patterns::{PatternsError, PatternsOptions, run_patterns};
use pipeline::providers::settings::SettingsError;
use pipeline::run::{RunError, RunOptions, run};
use pipeline::score::{ScoreError, run_score};
use pipeline::work::{WorkError, WorkOptions, work};
use shared_types::id::CampaignId;
use shared_types::job::JobKind;

/// Turn recordings into verdicts, transcripts, Steps and training examples, on this machine.
#[derive(Parser)]
#[command(version, after_help = "Example:\n  pipeline run take --out result --goal \"Find blue jeans under $80\"")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge one recording and turn it into examples. A bad recording is a result, not a failure.
    #[command(after_help = "Example:\n  pipeline run take --out result --goal \"Find blue jeans under $80\"")]
    Run(RunArgs),
    /// Lease jobs from a server and do them, until stopped.
    #[command(after_help = "Example:\n  COLLECTOR_TOKEN=csp_... pipeline work --server https://collect.example.com")]
    Work(WorkArgs),
    /// Write the accepted submissions of a campaign as a dataset.
    #[command(
        after_help = "Example:\n  pipeline export --server https://collect.example.com --token csp_... --campaign ID --out dataset"
    )]
    Export(ExportArgs),
    /// What many recordings have in common: ways, strategies, what was said.
    #[command(after_help = "Example:\n  pipeline patterns dataset --out patterns")]
    Patterns(PatternsArgs),
    /// The models that hear and read.
    #[command(subcommand, after_help = "Example:\n  pipeline models fetch")]
    Models(Models),
    /// Compare Steps, and a transcript, with the truth; the figures are JSON.
    #[command(after_help = "Example:\n  pipeline score --predicted result/steps.jsonl --truth truth.steps.jsonl")]
    Score(ScoreArgs),
    #[command(name = inspect::child::COMMAND, hide = true)]
    InspectChild { task: PathBuf },
    #[command(name = playback::child::COMMAND, hide = true)]
    PlaybackChild { task: PathBuf },
    #[command(name = redact::child::COMMAND, hide = true)]
    RedactChild { task: PathBuf },
}

#[derive(Args)]
struct RunArgs {
    /// A recording folder, or a video file.
    #[arg(value_name = "DIR|FILE")]
    input: PathBuf,
    /// Folder for the result; an earlier result there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Input events of a bare video file.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// What the worker was to do; the manifest's goal by default.
    #[arg(long, value_name = "TEXT")]
    goal: Option<String>,
    /// Limits to judge by, as TOML.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Folder of fingerprints in which duplicates are looked for.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Who explains the Steps: rules on this machine, or also a server that speaks OpenAI's protocol.
    #[arg(long, value_enum, default_value_t = Provider::Local)]
    provider: Provider,
    /// Also make the copy that reviewers play, with its thumbnails and waveform.
    #[arg(long)]
    playback: bool,
    /// Threads for the models; half as many as cores by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: Option<u16>,
    /// Where finished passes wait until the run is over, so that a killed run can go on; beside the result by default.
    #[arg(long, hide = true, value_name = "DIR")]
    passes: Option<PathBuf>,
    /// End when stdin does: the process that asked for the run is gone.
    #[arg(long, hide = true)]
    end_with_stdin: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Provider {
    Local,
    /// What was redacted is sent to `OPENAI_BASE_URL` with `OPENAI_API_KEY`.
    Openai,
}

#[derive(Subcommand)]
enum Models {
    /// What there is, and what of it is here.
    #[command(after_help = "Example:\n  pipeline models list")]
    List,
    /// Fetch a model, or all of them.
    #[command(after_help = "Example:\n  pipeline models fetch whisper-tiny.en")]
    Fetch { name: Option<String> },
    /// Use a model file of your own.
    #[command(after_help = "Example:\n  pipeline models import ggml-small.bin")]
    Import { file: PathBuf },
}

#[derive(Args)]
struct ServerArgs {
    /// Address of the server.
    #[arg(long, value_name = "URL")]
    server: String,
    /// A pipeline's token; `COLLECTOR_TOKEN` by default.
    #[arg(long, value_name = "T")]
    token: Option<String>,
}

#[derive(Args)]
struct WorkArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// What to do, parted by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::Inspect, Kind::Analyse, Kind::Redact, Kind::Export])]
    kinds: Vec<Kind>,
    /// End when there is nothing to do.
    #[arg(long)]
    once: bool,
    /// Jobs at a time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// Threads for the models; half as many as cores by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: Option<u16>,
    /// Who explains the Steps of the jobs `analyse`, as in `pipeline run`.
    #[arg(long, value_enum, default_value_t = Provider::Local)]
    provider: Provider,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Inspect,
    Analyse,
    Redact,
    Export,
}

#[derive(Args)]
struct ExportArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[arg(long, value_name = "ID")]
    campaign: CampaignId,
    /// Folder for the dataset; an earlier dataset there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The form to write; this version knows one.
    #[arg(long, value_enum, default_value_t = Format::Codesight)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Codesight,
}

#[derive(Args)]
struct PatternsArgs {
    /// Datasets, results of `pipeline run`, or folders of those.
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Folder for the report; an earlier report there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Percent of the recordings that a way must be found in.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    min_percent: u8,
}

#[derive(Args)]
struct ScoreArgs {
    #[arg(long, value_name = "STEPS.jsonl")]
    predicted: PathBuf,
    #[arg(long, value_name = "TRUTH.jsonl")]
    truth: PathBuf,
    #[arg(long, value_name = "FILE", requires = "truth_transcript")]
    transcript: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "transcript")]
    truth_transcript: Option<PathBuf>,
}

/// Why a command failed, and whether the command line was at fault.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Score(#[from] ScoreError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Patterns(#[from] PatternsError),
    #[error("there is no token. Give --token, or set COLLECTOR_TOKEN.")]
    NoToken,
    #[error("Ctrl-C cannot be listened for: {0}")]
    Signals(std::io::Error),
    #[error("this program cannot find itself: {0}")]
    Program(std::io::Error),
    #[error("{0}")]
    Child(std::io::Error),
}

impl Failure {
    fn status(&self) -> u8 {
        let usage = match self {
            // Every error of a score comes from the files that the command names.
            Self::Config(_) | Self::Settings(_) | Self::Score(_) | Self::NoToken => true,
            Self::Run(error) => error.is_usage(),
            Self::Model(error) => error.is_usage(),
            Self::Export(error) => error.is_usage(),
            Self::Patterns(error) => error.is_usage(),
            Self::Client(_) | Self::Work(_) | Self::Signals(_) | Self::Program(_) | Self::Child(_) => false,
        };
        if usage { 2 } else { 1 }
    }
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is there to be told when stderr is closed.
            drop(writeln!(std::io::stderr(), "{failure}"));
            ExitCode::from(failure.status())
        }
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Run(args) => run_one(args),
        Command::Work(args) => work_on(args),
        Command::Export(args) => export_one(&args),
        Command::Patterns(args) => find_patterns(args),
        Command::Models(command) => {
            let dir = Config::from_env()?.models_dir;
            let stop = stop_on_signal()?;
            match command {
                Models::List => run_list(&dir)?,
                Models::Fetch { name } => run_fetch(name.as_deref(), &dir, &stop)?,
                Models::Import { file } => drop(run_import(&file, &dir)?),
            }
            Ok(())
        }
        Command::Score(args) => {
            let transcripts = args.transcript.as_deref().zip(args.truth_transcript.as_deref());
            Ok(run_score(&args.predicted, &args.truth, transcripts)?)
        }
        Command::InspectChild { task } => inspect::child::run(&task).map_err(Failure::Child),
        Command::PlaybackChild { task } => playback::child::run(&task).map_err(Failure::Child),
        Command::RedactChild { task } => redact::child::run(&task).map_err(Failure::Child),
    }
}

/// Set by Ctrl-C or a polite kill, so that what was half fetched can be removed.
fn stop_on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone()).map_err(Failure::Signals)?;
    }
    Ok(stop)
}

/// A run whose asker was killed would only take time from the next one.
fn end_with_stdin() -> Result<(), Failure> {
    let watch = || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        drop(signal_hook::low_level::raise(signal_hook::consts::SIGTERM));
    };
    let started = std::thread::Builder::new().name("stdin".to_owned()).spawn(watch);
    started.map(drop).map_err(Failure::Program)
}

fn run_one(args: RunArgs) -> Result<(), Failure> {
    if args.end_with_stdin {
        end_with_stdin()?;
    }
    let config = Config::from_env()?;
    let program = std::env::current_exe().map_err(Failure::Program)?;
    let hosted = (args.provider == Provider::Openai).then(Config::hosted_from_env).transpose()?;
    let options = RunOptions {
        input: args.input,
        out: args.out,
        events: args.events,
        goal: args.goal,
        policy: args.policy,
        store: args.store,
        playback: args.playback,
        threads: args.threads.map(usize::from),
        hosted,
        finished: args.passes,
    };
    let result = run(&options, &config, &program)?;
    drop(write!(std::io::stdout(), "{}", result.text()));
    Ok(())
}

fn token(args: &ServerArgs) -> Result<String, Failure> {
    args.token.clone().or(Config::from_env()?.token).ok_or(Failure::NoToken)
}

fn work_on(args: WorkArgs) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(Failure::Program)?;
    let kind = |kind: Kind| match kind {
        Kind::Inspect => JobKind::Inspect,
        Kind::Analyse => JobKind::Analyse,
        Kind::Redact => JobKind::Redact,
        Kind::Export => JobKind::Export,
    };
    let options = WorkOptions {
        token: token(&args.server)?,
        server: args.server.server,
        kinds: args.kinds.into_iter().map(kind).collect(),
        once: args.once,
        concurrency: args.concurrency,
        threads: args.threads,
        is_hosted: args.provider == Provider::Openai,
        passes: Config::from_env()?.models_dir.with_file_name("passes"),
    };
    if options.is_hosted {
        // Said now rather than by every job.
        Config::hosted_from_env()?;
    }
    Ok(work(&options, &program, &stop_on_signal()?)?)
}

fn export_one(args: &ExportArgs) -> Result<(), Failure> {
    let client = Client::new(&args.server.server, Some(&token(&args.server)?))?;
    let Format::Codesight = args.format;
    let stop = stop_on_signal()?;
    let manifest = export(&client, args.campaign, &args.out, &stop)?;
    let examples: u32 = manifest.examples.values().sum();
    drop(writeln!(
        std::io::stdout(),
        "{} submissions, {examples} examples, {} pictures in {}",
        manifest.submissions.len(),
        manifest.frames,
        args.out.display()
    ));
    Ok(())
}

fn find_patterns(args: PatternsArgs) -> Result<(), Failure> {
    let report = args.out.join("report.html");
    let min_share = f64::from(args.min_percent) / 100.0;
    let patterns = run_patterns(&PatternsOptions { folders: args.folders, out: args.out, min_share })?;
    drop(writeln!(
        std::io::stdout(),
        "{} recordings, {} strategies, {} ways, {} groups of sentences\nReport: {}",
        patterns.recordings,
        patterns.strategies.all.len(),
        patterns.ways.found.len(),
        patterns.narration.groups.len(),
        report.display()
    ));
    Ok(())
}
