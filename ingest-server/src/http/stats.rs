//! How much of everything there is, for the overview. Counting reads whole tables, so it is done at most once in ten
//! seconds, however many ask.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use shared_types::api::stats::{JobCount, Stats, SubmissionCount, UploadCount};

use crate::app::Shared;
use crate::http::error::Answer;
use crate::http::route::{Route, Who, route};
use crate::store::operations;
use crate::store::row::of_word;
use crate::uploads::space;

const KEPT_SECS: i64 = 10;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/admin/stats", Who::Admin, "How much of everything there is.", show)
            .gives::<Stats>(),
    ]
}

async fn show(State(app): State<Shared>) -> Answer<Json<Stats>> {
    // Who comes while somebody counts waits for that count.
    let mut kept = app.stats.lock().await;
    let now = app.clock.now();
    if let Some(stats) = kept.as_ref().filter(|stats| now < stats.counted_at.plus_secs(KEPT_SECS)) {
        return Ok(Json(stats.clone()));
    }
    let stats = count(&app).await?;
    *kept = Some(stats.clone());
    Ok(Json(stats))
}

async fn count(app: &Shared) -> Answer<Stats> {
    let pool = app.store.read();
    let space = space(app)?;
    let mut submissions = Vec::new();
    for counted in operations::submissions(pool).await? {
        submissions.push(SubmissionCount { stage: of_word("stage", &counted.stage)?, count: counted.found as u32 });
    }
    let mut jobs = Vec::new();
    for counted in operations::jobs(pool).await? {
        let kind = of_word("kind", counted.kind.as_deref().unwrap_or_default())?;
        jobs.push(JobCount { kind, stage: of_word("stage", &counted.stage)?, count: counted.found as u32 });
    }
    let mut uploads = Vec::new();
    for counted in operations::uploads(pool).await? {
        let bytes = counted.bytes.unwrap_or_default() as u64;
        uploads.push(UploadCount { stage: of_word("stage", &counted.stage)?, count: counted.found as u32, bytes });
    }
    Ok(Stats {
        counted_at: app.clock.now(),
        submissions,
        payouts: operations::payouts(pool).await?,
        jobs,
        uploads,
        oldest_job_at: operations::oldest_job(pool).await?,
        free_bytes: space.free_bytes,
        is_full: space.is_full(),
    })
}
