//! The commands: what each prints goes to stdout, talk to stderr.

use std::error::Error;
use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use shared_types::api::admin::TokenRole;
use shared_types::api::review::AdminRole;
use shared_types::campaign::CampaignFile;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Clock, Shared};
use crate::config::Config;
use crate::config::hidden;
use crate::discrepancy::Look;
use crate::objects::Lock;
use crate::retention::Over;
use crate::store::audit::Actor;
use crate::{
    acts, backup, crash, discrepancy, housekeeping, moving, password, replica, retention, secret, serve, shown, store,
    strays, uploads,
};

type Done = Result<(), Box<dyn Error + Send + Sync>>;

const PATIENCE: Duration = Duration::from_secs(5);

/// The server of CodeSight Collector.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example: ingest-server serve --config collector.toml")]
pub struct Cli {
    /// Settings file; environment variables win over it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers requests until it is told to stop.
    #[command(after_help = "Example: COLLECTOR_LISTEN=127.0.0.1:8750 ingest-server serve")]
    Serve,
    /// Brings the database up to date and installs the starter campaign where there is none.
    #[command(after_help = "Example: DATABASE_URL=sqlite://collector.db ingest-server migrate")]
    Migrate,
    /// Asks the running server whether it is well.
    #[command(after_help = "Example: ingest-server healthcheck && echo well")]
    Healthcheck,
    /// Shows what is over its time, class by class; with --apply it removes that at once.
    #[command(after_help = "Example: ingest-server retention")]
    Retention {
        /// Removes it, as the running server does by itself now and then.
        #[arg(long)]
        apply: bool,
    },
    /// Shows the settings in force, and where each came from.
    #[command(after_help = "Example: ingest-server config --config collector.toml")]
    Config,
    /// Brings everything from SQLite and the data folder to PostgreSQL and a bucket; run again, it goes on.
    #[command(
        after_help = "Example: AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… ingest-server move --to-database postgres://collector@db/collector --to-bucket recordings"
    )]
    Move {
        #[arg(long)]
        to_database: String,
        /// The bucket; what opens it is read from the environment, as for the server.
        #[arg(long)]
        to_bucket: String,
    },
    /// Compares database, objects, ledger and audit log; a sentence for each discrepancy. Ends with 1 where one is left.
    #[command(after_help = "Example: ingest-server audit --repair")]
    Audit {
        /// Mends what can be mended without a loss; nothing is removed.
        #[arg(long)]
        repair: bool,
        /// Compares the sizes of objects, and reads none of them.
        #[arg(long)]
        quick: bool,
    },
    /// Writes database and objects into one new file, while the server runs.
    #[command(after_help = "Example: ingest-server backup /backup/collector.tar")]
    Backup {
        file: PathBuf,
        /// Lists the objects with their hashes, and leaves their bytes to another copy.
        #[arg(long)]
        without_objects: bool,
    },
    /// Puts a backup into an empty data folder; the server must not run.
    #[command(after_help = "Example: COLLECTOR_DATA_DIR=/srv/empty ingest-server restore /backup/collector.tar")]
    Restore { file: PathBuf },
    /// People who review and administer.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Secrets of programs.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Campaigns.
    #[command(subcommand)]
    Campaign(CampaignCommand),
    /// Codes that let workers in.
    #[command(subcommand)]
    Invite(InviteCommand),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Admin,
    Reviewer,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Program {
    Pipeline,
    Admin,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Makes a login; without --password-stdin it makes a password and prints it once.
    #[command(after_help = "Example: ingest-server admin create --email ada@example.org --role reviewer")]
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        role: Role,
        /// Reads the password from stdin, up to the end of the line.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Gives a login another password and ends what was logged in with the old one; without --password-stdin it makes a
    /// password and prints it once. For whoever forgot theirs.
    #[command(after_help = "Example: ingest-server admin password --email ada@example.org")]
    Password {
        #[arg(long)]
        email: String,
        /// Reads the password from stdin, up to the end of the line.
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Prints a new token, once.
    #[command(after_help = "Example: ingest-server token create --role pipeline --name gpu-1")]
    Create {
        #[arg(long)]
        role: Program,
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum CampaignCommand {
    /// Makes a new campaign of a file and prints its id; one of the same name stays as it is.
    #[command(after_help = "Example: ingest-server campaign import shoes.toml")]
    Import { file: PathBuf },
    /// Prints a campaign as a file.
    #[command(after_help = "Example: ingest-server campaign export ID > shoes.toml")]
    Export { id: String },
    /// Prints id and name, one campaign a line.
    #[command(after_help = "Example: ingest-server campaign list")]
    List,
}

#[derive(Debug, Subcommand)]
enum InviteCommand {
    /// Prints new codes, one a line.
    #[command(after_help = "Example: ingest-server invite create --campaign ID --tier Basic --count 5")]
    Create {
        #[arg(long)]
        campaign: String,
        #[arg(long)]
        tier: String,
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        count: u32,
    },
}

pub async fn run(cli: Cli) -> Done {
    let file = cli.config.clone();
    let config = Config::load(cli.config.as_deref())?;
    if let Some(at) = &config.crash_at {
        crash::arm(at);
    }
    match cli.command {
        Command::Serve => run_server(config).await,
        Command::Migrate => open(config).await.map(drop),
        Command::Healthcheck => healthcheck(&config),
        Command::Retention { apply } => retain(config, apply).await,
        Command::Config => say(&shown::text(&config, file.as_deref())?),
        Command::Audit { repair, quick } => audit(config, repair, quick).await,
        Command::Backup { file, without_objects } => {
            backup::make(&open(config).await?, &file, without_objects).await.map_err(Into::into)
        }
        Command::Restore { file } => backup::restore(config, &file).await.map_err(Into::into),
        Command::Move { to_database, to_bucket } => move_all(&config, &to_database, to_bucket).await,
        Command::Admin(AdminCommand::Create { email, role, password_stdin }) => {
            make_admin(config, &email, role, password_stdin).await
        }
        Command::Admin(AdminCommand::Password { email, password_stdin }) => {
            change_password(config, &email, password_stdin).await
        }
        Command::Token(TokenCommand::Create { role, name }) => make_token(config, role, &name).await,
        Command::Campaign(command) => campaign(config, command).await,
        Command::Invite(InviteCommand::Create { campaign, tier, count }) => {
            let app = open(config).await?;
            let id = campaign.parse().map_err(|_| format!("{campaign} is no campaign id; see campaign list"))?;
            let (mut tx, by) = (app.store.begin().await?, Actor::command_line());
            let codes = acts::make_invites(&mut tx, &by, (id, &tier, count), app.clock.now()).await?;
            let codes = codes.ok_or("there is no such campaign or tier; see campaign list and campaign export")?;
            tx.commit().await?;
            say(&codes.join("\n"))
        }
    }
}

fn say(text: &str) -> Done {
    writeln!(std::io::stdout().lock(), "{}", text.trim_end())?;
    Ok(())
}

async fn open(config: Config) -> Result<Shared, Box<dyn Error + Send + Sync>> {
    let app = App::open(config, Clock::System).await?;
    if let Some(id) = store::campaign::install_starter(&app.store, app.clock.now()).await? {
        tracing::info!("installed the starter campaign {id}");
    }
    Ok(app)
}

async fn run_server(config: Config) -> Done {
    let listener = TcpListener::bind(config.listen).await?;
    let lock = Lock::take(&config.data_dir, Duration::from_secs(config.limits.drain_secs)).await?;
    let app = open(config).await?;
    uploads::recover(&app).await?;
    // Before anybody who waited for this server is told that the time is over.
    replica::be_there(&app).await?;
    let housekeeping = tokio::spawn(housekeeping::run(app.clone()));
    let stop = told_to_stop()?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    serve::serve(app.clone(), listener, stop).await?;
    housekeeping.await?;
    app.store.close().await;
    drop(lock);
    Ok(())
}

/// Ends when the process is told to.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

async fn retain(config: Config, apply: bool) -> Done {
    let app = open(config).await?;
    let now = app.clock.now();
    say("class\tdays\titems\tbytes")?;
    for Over { class, days, items, bytes } in retention::look(&app, now).await? {
        let days = if days == 0 { "for ever".to_owned() } else { days.to_string() };
        say(&format!("{}\t{days}\t{items}\t{bytes}", class.as_str()))?;
    }
    if apply {
        let (uploads, media) = (uploads::sweep(&app, now).await?, retention::apply(&app, now).await?);
        let nobodys = strays::sweep(&app, now).await?;
        tracing::info!(
            "{uploads} uploads were ended, the media of {media} takes removed, and {nobodys} objects that belonged to nothing"
        );
    } else {
        tracing::info!("nothing was removed; --apply removes what is listed");
    }
    Ok(())
}

async fn move_all(config: &Config, to_database: &str, to_bucket: String) -> Done {
    let bucket = crate::config::bucket(to_bucket)?;
    let stop = told_to_stop()?;
    tokio::select! {
        moved = moving::run(config, to_database, &bucket, Clock::System) => moved?,
        () = stop => return Err("stopped before everything was moved; the old store is as it was. Run this again to go on".into()),
    }
    tracing::info!(
        "everything is in {} and the bucket {}. Start the server with DATABASE_URL and S3_BUCKET, look that all is well, \
         and remove {} only then",
        hidden(to_database),
        bucket.name,
        config.data_dir.display()
    );
    Ok(())
}

async fn audit(config: Config, repair: bool, quick: bool) -> Done {
    let app = open(config).await?;
    let found = discrepancy::look(&app, Look { repair, quick }).await?;
    for one in &found.discrepancies {
        say(&one.to_string())?;
    }
    let left = found.discrepancies.iter().filter(|one| !one.is_mended).count();
    tracing::info!("the audit log has {} entries; the hash of the last is {}", found.audit_entries, found.audit_sha256);
    tracing::info!("{} objects looked at, {} discrepancies, {left} left", found.objects, found.discrepancies.len());
    if left == 0 {
        Ok(())
    } else {
        Err("not everything adds up; see the sentences above and docs/operations.md".into())
    }
}

fn healthcheck(config: &Config) -> Done {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(65_536).read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err("the server does not say that it is well".into()) }
}

/// The password for a login: of the first line of stdin, or a new one.
fn password_for(email: &str, from_stdin: bool) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let word = if from_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        secret::new_secret(secret::SecretKind::Session)?.trim_start_matches("css_")[..24].to_owned()
    };
    if let Some(objection) = password::objection(&word, email) {
        return Err(objection.into());
    }
    Ok(word)
}

async fn make_admin(config: Config, email: &str, role: Role, from_stdin: bool) -> Done {
    if !email.contains('@') {
        return Err(format!("{email} is no e-mail address").into());
    }
    // As it is looked for at the login.
    let email = email.to_lowercase();
    let word = password_for(&email, from_stdin)?;
    let role = match role {
        Role::Admin => AdminRole::Admin,
        Role::Reviewer => AdminRole::Reviewer,
    };
    let app = open(config).await?;
    let hash = password::hash(word.clone()).await?;
    let (mut tx, by) = (app.store.begin().await?, Actor::command_line());
    if !acts::make_admin(&mut tx, &by, (&email, &hash, role), app.clock.now()).await? {
        return Err(format!("there is a login for {email} already").into());
    }
    tx.commit().await?;
    if from_stdin { Ok(()) } else { say(&word) }
}

async fn change_password(config: Config, email: &str, from_stdin: bool) -> Done {
    let email = email.to_lowercase();
    let word = password_for(&email, from_stdin)?;
    let app = open(config).await?;
    let hash = password::hash(word.clone()).await?;
    let (mut tx, by) = (app.store.begin().await?, Actor::command_line());
    if !acts::change_password(&mut tx, &by, (&email, &hash), app.clock.now()).await? {
        return Err(format!("there is no login for {email}; `ingest-server admin create` makes one").into());
    }
    tx.commit().await?;
    if from_stdin { Ok(()) } else { say(&word) }
}

async fn make_token(config: Config, role: Program, name: &str) -> Done {
    let role = match role {
        Program::Pipeline => TokenRole::Pipeline,
        Program::Admin => TokenRole::Admin,
    };
    let app = open(config).await?;
    let (mut tx, by) = (app.store.begin().await?, Actor::command_line());
    let made = acts::make_token(&mut tx, &by, role, name, app.clock.now()).await?;
    tx.commit().await?;
    say(&made.token)
}

async fn campaign(config: Config, command: CampaignCommand) -> Done {
    let app = open(config).await?;
    match command {
        CampaignCommand::Import { file } => {
            let file: CampaignFile = toml::from_str(&std::fs::read_to_string(&file)?)?;
            if let Some(objection) = store::campaign::objection(&file) {
                return Err(objection.into());
            }
            let (mut tx, by) = (app.store.begin().await?, Actor::command_line());
            let id = acts::make_campaign(&mut tx, &by, &file, app.clock.now()).await?;
            tx.commit().await?;
            tracing::info!("made a new campaign; earlier ones stay as they are");
            say(&id.to_string())
        }
        CampaignCommand::Export { id } => {
            let wrong = || format!("there is no campaign {id}; see campaign list");
            let parsed = id.parse().map_err(|_| wrong())?;
            let view = store::campaign::find(app.store.read(), parsed).await?.ok_or_else(wrong)?;
            let (name, description, currency) = (view.name, view.description, view.currency);
            let (tiers, scenarios) = (view.tiers, view.scenarios);
            say(&toml::to_string(&CampaignFile { name, description, currency, tiers, scenarios })?)
        }
        CampaignCommand::List => {
            let mut after: Option<String> = None;
            loop {
                let campaigns = store::campaign::list(app.store.read(), after.as_deref(), 50).await?;
                let Some(last) = campaigns.last() else { return Ok(()) };
                after = Some(last.id.to_string());
                for campaign in &campaigns {
                    say(&format!("{}\t{}", campaign.id, campaign.name))?;
                }
            }
        }
    }
}
