//! Who a person is: password, second factor, and what guessing costs.
//!
//! Nobody learns whether there is an account: an unknown e-mail is counted, made to wait and refused as a known one is,
//! after the same work. A try is counted before it is looked at, so that many at once gain nothing, and taken back when
//! it was right. Three counts stand side by side: who is meant and from where (so that the owner gets in from elsewhere
//! while somebody guesses), where it comes from, and who is meant; the last waits half a minute at most.
//!
//! Who guesses from everywhere, all the time, would keep the owner waiting by that last one. So a browser from which
//! somebody logged in keeps a secret, and tries that bring it are counted for it alone, and not by what strangers do:
//! docs/decisions/0044-a-known-device-is-not-kept-out.md.

use shared_types::api::audit::AuditAct;
use shared_types::timestamp::Timestamp;

use crate::app::App;
use crate::password;
use crate::secret::digest;
use crate::store::audit::Actor;
use crate::store::session::Account;
use crate::store::{self, StoreError, Tx};

/// Argon2id of nobody's password, with the parameters of everybody's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm8$q6m1pq0uJq2Y2k0Zc8oYpmUqQ3rYgP0i0o2lqkq0h1E";
const FORGOTTEN_SECS: i64 = 24 * 60 * 60;

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error("too many tries; the next in {0} s")]
    Wait(u64),
    #[error("e-mail or password is wrong")]
    Wrong,
    #[error("a code is needed as well")]
    NeedsCode,
    #[error("the code is wrong")]
    WrongCode,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What tries are counted for: free ones, and the longest wait after more.
struct Count {
    key_sha256: String,
    free: i64,
    longest_secs: i64,
}

impl Count {
    fn new(of: &str, free: i64, longest_secs: i64) -> Self {
        Self { key_sha256: digest(of), free, longest_secs }
    }
}

/// A person's claim, from the address that it came from.
pub struct Claim<'a> {
    pub email: &'a str,
    pub client: &'a str,
    /// The secret of a browser from which somebody may have logged in before.
    pub device: Option<&'a str>,
    pub request_id: Option<String>,
}

/// What one try is counted for.
struct Counts {
    /// The narrowest: it begins anew after a login.
    own: Count,
    shared: Vec<Count>,
}

impl Counts {
    fn all(&self) -> impl Iterator<Item = &Count> {
        self.shared.iter().chain([&self.own])
    }

    /// Takes the try back; it was right so far.
    async fn forgive(&self, app: &App) -> Result<(), LoginError> {
        let mut tx = app.store.begin().await?;
        for count in self.all() {
            store::login_failure::forgive(&mut tx, &count.key_sha256).await?;
        }
        Ok(tx.commit().await.map_err(StoreError::from)?)
    }

    /// Who was meant and from where begins anew.
    async fn welcome(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for count in &self.shared {
            store::login_failure::forgive(tx, &count.key_sha256).await?;
        }
        store::login_failure::forget(tx, &self.own.key_sha256).await
    }
}

/// By what a browser is known again, for one person.
pub fn device_key(email: &str, device: &str) -> String {
    digest(&format!("device {device} {email}"))
}

impl Claim<'_> {
    async fn counts(&self, app: &App, now: Timestamp) -> Result<Counts, StoreError> {
        let Self { email, client, .. } = self;
        if let Some(key) = self.device.map(|device| device_key(email, device))
            && store::known_device::is_known(app.store.read(), &key, now).await?
        {
            return Ok(Counts { own: Count::new(&format!("known {key}"), 5, 15 * 60), shared: Vec::new() });
        }
        let shared =
            vec![Count::new(&format!("client {client}"), 30, 15 * 60), Count::new(&format!("account {email}"), 50, 30)];
        Ok(Counts { own: Count::new(&format!("both {client} {email}"), 5, 15 * 60), shared })
    }

    /// Counts a try, unless it has to wait.
    async fn begin(&self, app: &App, now: Timestamp) -> Result<Counts, LoginError> {
        let counts = self.counts(app, now).await?;
        let mut tx = app.store.begin().await?;
        store::login_failure::lapse(&mut tx, now.plus_secs(-FORGOTTEN_SECS)).await?;
        for Count { key_sha256, free, longest_secs } in counts.all() {
            let Some(failures) = store::login_failure::count(&mut tx, key_sha256, now).await? else {
                drop(tx);
                let until = store::login_failure::waits_until(app.store.read(), key_sha256).await?.unwrap_or(now);
                return Err(LoginError::Wait((until.millis - now.millis).max(0) as u64 / 1000 + 1));
            };
            if failures >= *free {
                let secs = (1_i64 << (failures - free).min(20)).min(*longest_secs);
                store::login_failure::wait(&mut tx, key_sha256, now.plus_secs(secs)).await?;
            }
        }
        tx.commit().await.map_err(StoreError::from)?;
        Ok(counts)
    }

    /// Password and, where there is a second factor, its code. The transaction is the login's to go on with.
    pub async fn log_in(
        &self,
        app: &App,
        password: String,
        code: Option<&str>,
        now: Timestamp,
    ) -> Result<(Account, Tx), LoginError> {
        let counts = self.begin(app, now).await?;
        let account = store::session::account(app.store.read(), self.email).await?;
        let stored = account.as_ref().map_or(NOBODY, |account| account.password_hash.as_str());
        let fits = password::verify(password, stored.to_owned()).await;
        let account = account.filter(|_| fits).ok_or(LoginError::Wrong)?;
        let factor = store::second_factor::find(app.store.read(), &account.id).await?;
        let has_factor = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        if has_factor && code.is_none() {
            counts.forgive(app).await?;
            return Err(LoginError::NeedsCode);
        }
        let mut tx = app.store.begin().await?;
        if has_factor && !self.uses_code(app, &mut tx, &account.id, code.unwrap_or_default(), now).await? {
            return Err(LoginError::WrongCode);
        }
        counts.welcome(&mut tx).await?;
        Ok((account, tx))
    }

    /// Proves again who has logged in: with a code where there is a second factor, else with the password.
    pub async fn prove(
        &self,
        app: &App,
        admin_id: &str,
        password: Option<String>,
        code: Option<&str>,
        now: Timestamp,
    ) -> Result<Tx, LoginError> {
        let factor = store::second_factor::find(app.store.read(), admin_id).await?;
        let has_factor = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        if has_factor && code.is_none() {
            return Err(LoginError::NeedsCode);
        }
        let counts = self.begin(app, now).await?;
        if !has_factor {
            let account = store::session::account(app.store.read(), self.email).await?.ok_or(LoginError::Wrong)?;
            if !password::verify(password.unwrap_or_default(), account.password_hash).await {
                return Err(LoginError::Wrong);
            }
        }
        let mut tx = app.store.begin().await?;
        if has_factor && !self.uses_code(app, &mut tx, admin_id, code.unwrap_or_default(), now).await? {
            return Err(LoginError::WrongCode);
        }
        counts.welcome(&mut tx).await?;
        Ok(tx)
    }

    /// Whether it is the app's code or a recovery code, and was not used before. It is used up.
    async fn uses_code(
        &self,
        app: &App,
        tx: &mut Tx,
        admin_id: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(factor) = store::second_factor::find(app.store.read(), admin_id).await? else { return Ok(false) };
        if let Some(step) = factor.secret.step_of(&code.replace(' ', ""), now) {
            return store::second_factor::use_step(tx, admin_id, step).await;
        }
        if !store::second_factor::use_code(tx, admin_id, code, now).await? {
            return Ok(false);
        }
        let actor = Actor { name: self.email.to_owned(), request_id: self.request_id.clone() };
        let subject = format!("admin {}", self.email);
        let what = "a recovery code in place of the app's";
        store::audit::append(tx, &actor, AuditAct::RecoveryCodeUsed, &subject, what, now).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobodys_hash_costs_what_everybodys_does() {
        let everybodys = password::hash("correct horse battery".to_owned()).await.unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(NOBODY), parameters(&everybodys));
        assert!(
            argon2::password_hash::phc::PasswordHash::new(NOBODY).is_ok(),
            "a hash that cannot be read costs nothing"
        );
        assert!(!password::verify(String::new(), NOBODY.to_owned()).await);
    }
}
