//! What an admin does over HTTP as on the command line: the change and its entry in the audit log, in one transaction.

use shared_types::api::admin::{TokenMade, TokenRole};
use shared_types::api::audit::AuditAct;
use shared_types::api::review::AdminRole;
use shared_types::campaign::{CampaignFile, Tier};
use shared_types::id::CampaignId;
use shared_types::payout::Money;
use shared_types::timestamp::Timestamp;

use crate::store::audit::{Actor, append};
use crate::store::change::Audited;
use crate::store::row::to_word;
use crate::store::{StoreError, Tx, admin, campaign, invite, token};

pub async fn make_campaign(
    tx: &mut Tx,
    actor: &Actor,
    file: &CampaignFile,
    now: Timestamp,
) -> Result<CampaignId, StoreError> {
    let id = campaign::insert(tx, file, now).await?;
    let price = |tier: &Tier| Money { amount_cents: tier.price_cents, currency: file.currency.clone() };
    let prices: Vec<String> = file.tiers.iter().map(|tier| format!("{} for {}", tier.name, price(tier))).collect();
    let what = format!("{:?}: {}", file.name, prices.join(", "));
    Audited::of_new(format!("campaign {id}")).end(tx, actor, AuditAct::CampaignMade, &what, now).await?;
    Ok(id)
}

/// The codes; nothing where the campaign or the tier does not exist.
pub async fn make_invites(
    tx: &mut Tx,
    actor: &Actor,
    (campaign, tier, count): (CampaignId, &str, u32),
    now: Timestamp,
) -> Result<Option<Vec<String>>, StoreError> {
    let Some(codes) = invite::make(tx, campaign, tier, count, now).await? else { return Ok(None) };
    let what = format!("{count} for the tier {tier:?}");
    append(tx, actor, AuditAct::InvitesMade, &format!("campaign {campaign}"), &what, now).await?;
    Ok(Some(codes))
}

/// A token for a program.
pub async fn make_token(
    tx: &mut Tx,
    actor: &Actor,
    role: TokenRole,
    name: &str,
    now: Timestamp,
) -> Result<TokenMade, StoreError> {
    let made = token::make(tx, role, name, None, now).await?;
    let what = format!("for a program with the role {}, named {name:?}", to_word(&role));
    Audited::of_new(format!("token {}", made.id)).end(tx, actor, AuditAct::TokenMade, &what, now).await?;
    Ok(made)
}

/// False where the e-mail is taken.
pub async fn make_admin(
    tx: &mut Tx,
    actor: &Actor,
    (email, password_hash, role): (&str, &str, AdminRole),
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !admin::insert(tx, email, password_hash, role, now).await? {
        return Ok(false);
    }
    let what = format!("with the role {}", to_word(&role));
    Audited::of_new(format!("admin {email}")).end(tx, actor, AuditAct::AdminMade, &what, now).await?;
    Ok(true)
}

/// False where there is no such login.
pub async fn change_password(
    tx: &mut Tx,
    actor: &Actor,
    (email, password_hash): (&str, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let change = Audited::begin(tx, format!("admin {email}")).await?;
    if !admin::change_password(tx, email, password_hash).await? {
        return Ok(false);
    }
    let what = "another password; whoever was logged in is out";
    change.end(tx, actor, AuditAct::PasswordChanged, what, now).await?;
    Ok(true)
}
