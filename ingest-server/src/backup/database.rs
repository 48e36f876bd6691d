//! The database's part of a backup: `SQLite` copies itself, `PostgreSQL` has programs for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use tokio::task::spawn_blocking;

use super::{BackupError, Done, at};
use crate::app::Shared;
use crate::store::operations::{self, Expected};
use crate::store::{Engine, Store};

/// Writes the database into a new file, as of one moment.
pub(super) async fn copy(app: &Shared, into: &Path) -> Done<()> {
    match app.store.engine() {
        Engine::Sqlite => Ok(app.store.snapshot(into).await?),
        Engine::Postgres => {
            let file = into.display().to_string();
            let arguments = ["--format=custom", "--no-owner", "--no-privileges", "--file", &file];
            run("pg_dump", &arguments, &app.config.database_url).await
        }
    }
}

/// Puts a dump into an empty database, whole or not at all, but for who was logged in.
pub(super) async fn fill_without_logins(url: &str, from: &Path) -> Done<()> {
    let (file, wanted) = (from.display().to_string(), from.with_extension("wanted"));
    let mut list = Command::new("pg_restore");
    list.args(["--list", &file]);
    let held = output("pg_restore", list).await?;
    let held = String::from_utf8_lossy(&held).into_owned();
    let kept: Vec<&str> = held.lines().filter(|line| !line.contains(" TABLE DATA public session ")).collect();
    fs::write(&wanted, kept.join("\n")).map_err(at(&wanted))?;
    let wanted = format!("--use-list={}", wanted.display());
    let how = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", &wanted, &file];
    run("pg_restore", &how, url).await
}

/// What a copy counts on. Of `PostgreSQL` the database itself is asked, after the copy: perhaps for more than is in it.
pub(super) async fn objects_in(app: &Shared, copy: &Path) -> Done<Vec<Expected>> {
    if app.store.engine() == Engine::Postgres {
        return Ok(operations::objects(app.store.read()).await?);
    }
    let store = Store::open(&format!("sqlite://{}", copy.display())).await?;
    let objects = operations::objects(store.read()).await;
    store.close().await;
    Ok(objects?)
}

/// The password travels in the environment, where other users do not see it.
async fn run(program: &'static str, arguments: &[&str], url: &str) -> Done<()> {
    let (url, password) = split(url);
    let mut command = Command::new(program);
    command.args(arguments).arg("--dbname").arg(url);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    output(program, command).await.map(drop)
}

/// What a program prints, once it has ended well.
async fn output(program: &'static str, mut command: Command) -> Done<Vec<u8>> {
    let failed = |why: String| BackupError::Program { program, why };
    let done =
        spawn_blocking(move || command.output()).await.map_err(|error| BackupError::Broken(error.to_string()))?;
    let done = done.map_err(|error| failed(error.to_string()))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    Err(failed(String::from_utf8_lossy(&done.stderr).trim().to_owned()))
}

/// The address without its password, and the password.
fn split(url: &str) -> (String, Option<String>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (login, host) = rest.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        Some((format!("{scheme}://{user}@{host}"), plain(password)))
    });
    match parts {
        Some((url, password)) => (url, Some(password)),
        None => (url.to_owned(), None),
    }
}

/// With `%41` read as `A`.
fn plain(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn the_password_is_taken_out() {
        for (url, expected) in [
            ("postgres://a:p%40ss%2@h:5/d?sslmode=require", ("postgres://a@h:5/d?sslmode=require", Some("p@ss%2"))),
            ("postgres://a@h/d", ("postgres://a@h/d", None)),
            ("postgres:///d", ("postgres:///d", None)),
        ] {
            let (url, password) = split(url);
            assert_eq!((url.as_str(), password.as_deref()), expected);
        }
    }
}
