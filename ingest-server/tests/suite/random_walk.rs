//! Workers, machines and reviewers do anything in any order: no take, goal or job reaches a stage that its life does not
//! lead to, nobody earns twice or less than nothing, and no request fails inside.

use std::collections::{BTreeMap, BTreeSet};

use crate::road::{BYTES, Road, TUS, UPLOADS, handed_in, id_in, registration, result, video};
use ingest_server::discrepancy::{self, Look};
use ingest_server::housekeeping;
use ingest_server::store::Engine;
use serde_json::{Value, json};
use shared_types::api::admin::TokenRole;
use shared_types::assignment::AssignmentStage;
use shared_types::job::JobStage;
use shared_types::submission::SubmissionStage;
use sqlx::Row;

/// A walk that went wrong is walked again with `COLLECTOR_TEST_SEED`.
const SEED: &str = "COLLECTOR_TEST_SEED";
/// Most moves that one request makes of one noun: a failed take goes back to where its job works on it.
const MOST_MOVES: usize = 3;

/// Xorshift; the same seed gives the same walk.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most.max(1)
    }

    fn one<'a, T>(&mut self, some: &'a [T]) -> Option<&'a T> {
        some.get(self.below(some.len()))
    }

    fn is(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }
}

/// Which noun, its id, its stage.
type Stages = BTreeMap<(&'static str, String), String>;

struct Walk {
    road: Road,
    chance: Chance,
    workers: Vec<String>,
    machine: String,
    admin: String,
    leases: Vec<Value>,
    /// Leases that somebody ended, and comes back to.
    ended: Vec<Value>,
    stages: Stages,
    told: Vec<String>,
}

impl Walk {
    async fn begin(engine: Engine, seed: u64) -> Self {
        // Pauses are of random length; without them the same seed gives the same walk.
        let road = Road::open_with(engine, |config| config.limits.backoff_secs = 0).await;
        let (machine, admin) = (road.token(TokenRole::Pipeline).await, road.token(TokenRole::Admin).await);
        let mut walk = Self {
            road,
            chance: Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            workers: Vec::new(),
            machine,
            admin,
            leases: Vec::new(),
            ended: Vec::new(),
            stages: Stages::new(),
            told: Vec::new(),
        };
        walk.join().await;
        walk
    }

    async fn ask(&mut self, method: &str, path: &str, token: &str, body: Option<Value>) -> Value {
        let answer = self.road.call(method, path, token, body).await;
        self.told.push(format!("{method} {path}: {}", answer.status));
        assert!(answer.status.as_u16() < 500, "{}\n{}", self.told.join("\n"), String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    async fn ids(&self, text: &'static str) -> Vec<String> {
        let rows = sqlx::query(text).fetch_all(self.road.app.store.read()).await.unwrap();
        rows.iter().map(|found| found.get::<String, _>(0)).collect()
    }

    async fn join(&mut self) {
        let invite = self.road.invite("Basic").await;
        let made = self.ask("POST", "/api/v1/workers", "", Some(registration(&invite, &invite))).await;
        self.workers.push(made["token"].as_str().unwrap().to_owned());
    }

    /// Something about a goal, of this worker or another's.
    async fn goal(&mut self, verb: &str) {
        let goals = self.ids("select id from assignment order by id").await;
        let (Some(goal), Some(worker)) = (self.chance.one(&goals).cloned(), self.chance.one(&self.workers).cloned())
        else {
            return;
        };
        let body = (verb == "problem").then(|| json!({ "kind": "other", "text": "it does not open" }));
        self.ask("POST", &format!("/api/v1/assignments/{goal}/{verb}"), &worker, body).await;
    }

    async fn hand_in(&mut self) {
        let Some(worker) = self.chance.one(&self.workers).cloned() else { return };
        let mut goals = if self.chance.is(90) {
            let mine = self.ask("GET", "/api/v1/assignments", &worker, None).await;
            let mine = mine["items"].as_array().cloned().unwrap_or_default();
            mine.iter().map(|goal| goal["id"].as_str().unwrap().to_owned()).collect()
        } else {
            self.ids("select id from assignment order by id").await
        };
        // Few, so that goals meet more than one attempt.
        goals.truncate(3);
        let Some(goal) = self.chance.one(&goals).cloned() else { return };
        if self.chance.is(70) {
            self.ask("POST", &format!("/api/v1/assignments/{goal}/claim"), &worker, None).await;
        }
        let bytes = video(40 + self.chance.below(1000));
        let length = bytes.len().to_string();
        let headers = [TUS, BYTES, ("upload-length", length.as_str())];
        let made = self.road.send("POST", UPLOADS, &worker, &headers, bytes.clone()).await;
        if made.status != 201 {
            return;
        }
        let upload = id_in(made.header("location")).to_owned();
        let body = handed_in(&uuid::Uuid::now_v7().to_string(), &goal, &upload, &bytes);
        for _ in 0..=self.chance.below(2) {
            self.ask("POST", "/api/v1/submissions", &worker, Some(body.clone())).await;
        }
    }

    async fn lease(&mut self) {
        let kind = *self.chance.one(&["inspect", "analyse", "redact"]).unwrap();
        let claim = json!({ "worker": "walker", "kinds": [kind], "max": 1, "wait_s": 0 });
        let machine = self.machine.clone();
        let leased = self.ask("POST", "/api/v1/jobs/claim", &machine, Some(claim)).await;
        self.leases.extend(leased.as_array().cloned().unwrap_or_default());
    }

    /// Ends a lease that a machine holds, or comes back to one that it held.
    async fn end_job(&mut self) {
        let held = self.leases.pop();
        let job = if self.chance.is(80) { held.clone() } else { self.chance.one(&self.ended).cloned() };
        self.leases.extend(held.clone().filter(|held| job.as_ref() != Some(held)));
        let Some(job) = job else { return };
        self.ended.push(job.clone());
        let path = format!("/api/v1/jobs/{}", job["job_id"].as_str().unwrap());
        let machine = self.machine.clone();
        if self.chance.is(25) {
            let body = json!({ "lease_token": job["lease_token"], "error": "no", "retryable": self.chance.is(50) });
            self.ask("POST", &format!("{path}/fail"), &machine, Some(body)).await;
            return;
        }
        let mut result = result();
        if self.chance.is(20) {
            result["quality"]["verdict"] = json!("reject");
        }
        let body =
            json!({ "lease_token": job["lease_token"], "result": result, "artifacts": [], "fingerprints": null });
        self.ask("POST", &format!("{path}/complete"), &machine, Some(body)).await;
    }

    async fn review(&mut self) {
        let takes = self.ids("select id from submission order by id").await;
        let Some(take) = self.chance.one(&takes).cloned() else { return };
        let (path, admin) = (format!("/api/v1/admin/submissions/{take}"), self.admin.clone());
        if self.chance.is(10) {
            self.ask("POST", &format!("{path}/redact"), &admin, Some(json!({ "start": 1.0, "end": 2.0 }))).await;
            return;
        }
        let version = self.ask("GET", &path, &admin, None).await["version"].as_i64().unwrap_or_default();
        let version = if self.chance.is(90) { version } else { version - 1 };
        let rating = 1 + self.chance.below(5);
        let yes = json!({ "plays": true, "narration": true, "realistic": true, "worth_pay": true });
        let decision = json!({
            "rating": rating, "checklist": yes, "reason": (rating < 3).then_some("goal_partly"), "note": null,
            "version": version,
        });
        for _ in 0..=self.chance.below(2) {
            self.ask("POST", &format!("{path}/review"), &admin, Some(decision.clone())).await;
        }
    }

    async fn leave(&mut self) {
        let Some(worker) = self.chance.one(&self.workers).cloned() else { return };
        let (path, body) =
            if self.chance.is(50) { ("/api/v1/me/consent", Some(json!({}))) } else { ("/api/v1/me/erasure", None) };
        self.ask("POST", path, &worker, body).await;
        if self.workers.len() < 5 {
            self.join().await;
        }
    }

    async fn time(&mut self) {
        self.road.pass(self.chance.below(7200) as i64);
        housekeeping::round(&self.road.app).await.unwrap();
        self.told.push("time went by".to_owned());
    }

    async fn step(&mut self) {
        let admin = self.admin.clone();
        match self.chance.below(100) {
            0..22 => self.hand_in().await,
            22..47 => self.lease().await,
            47..70 => self.end_job().await,
            70..88 => self.review().await,
            88..93 => {
                let verb = *self.chance.one(&["claim", "start", "return", "problem"]).unwrap();
                self.goal(verb).await;
            }
            93..95 => {
                let action = if self.chance.is(70) { "retry" } else { "cancel" };
                let body = json!({ "action": action, "kind": null });
                self.ask("POST", "/api/v1/admin/jobs/drain", &admin, Some(body)).await;
            }
            95..98 => self.time().await,
            98 => self.leave().await,
            _ => self.join().await,
        }
        self.check().await;
    }

    async fn check(&mut self) {
        let mut now = Stages::new();
        for (noun, text) in [
            ("submission", "select id, stage from submission"),
            ("assignment", "select id, stage from assignment"),
            ("job", "select id, stage from job"),
        ] {
            for found in sqlx::query(text).fetch_all(self.road.app.store.read()).await.unwrap() {
                now.insert((noun, found.get(0)), found.get(1));
            }
        }
        for ((noun, id), stage) in &now {
            let before = self.stages.get(&(*noun, id.clone()));
            assert!(
                leads(noun, before.map(String::as_str), stage),
                "{noun} {id}: {before:?} to {stage}\n{}",
                self.way()
            );
        }
        let lost: Vec<_> = self.stages.keys().filter(|key| !now.contains_key(*key)).collect();
        assert!(lost.is_empty(), "{lost:?} are gone\n{}", self.way());
        self.stages = now;
        for (what, why) in [
            ("(select worker_id from ledger group by worker_id having sum(amount_cents) < 0) owing", "owes us"),
            ("(select submission_id from ledger group by submission_id having count(*) > 1) twice", "earned twice"),
            (
                "(select assignment_id from ledger group by assignment_id having count(*) > 1) twice",
                "a goal paid twice",
            ),
            ("(select amount_cents from payout where amount_cents <= 0) unpaid", "paid nothing or less"),
            (
                "ledger join submission on submission.id = submission_id where stage not in ('accepted', 'withdrawn')",
                "paid and not accepted",
            ),
            (
                "submission where stage = 'accepted' and id not in (select submission_id from ledger)",
                "accepted and not paid",
            ),
            ("ledger where id not in (select ledger_id from payout)", "earned and without a payout"),
        ] {
            assert_eq!(self.road.count(what).await, 0, "{why}\n{}", self.way());
        }
    }

    /// How it came to this.
    fn way(&self) -> String {
        self.told.iter().rev().take(12).rev().cloned().collect::<Vec<_>>().join("\n")
    }
}

/// Whether a stage is reached from another, or from where life begins, by few enough moves that the lifecycle has.
fn leads(noun: &str, from: Option<&str>, to: &str) -> bool {
    fn next<T: Copy + 'static>(
        all: &[T],
        name: impl Fn(T) -> &'static str,
        next: impl Fn(T) -> &'static [T],
        of: &str,
    ) -> Vec<String> {
        let stage = all.iter().copied().find(|stage| name(*stage) == of);
        stage.map_or(Vec::new(), |stage| next(stage).iter().map(|next| name(*next).to_owned()).collect())
    }
    let (first, next_of): (_, &dyn Fn(&str) -> Vec<String>) = match noun {
        "submission" => (SubmissionStage::ALL[0].as_str(), &|of| {
            next(SubmissionStage::ALL, SubmissionStage::as_str, SubmissionStage::next, of)
        }),
        "assignment" => (AssignmentStage::ALL[0].as_str(), &|of| {
            next(AssignmentStage::ALL, AssignmentStage::as_str, AssignmentStage::next, of)
        }),
        _ => (JobStage::ALL[0].as_str(), &|of| next(JobStage::ALL, JobStage::as_str, JobStage::next, of)),
    };
    let mut reached = BTreeSet::from([from.unwrap_or(first).to_owned()]);
    for _ in 0..MOST_MOVES {
        reached.extend(reached.clone().iter().flat_map(|stage| next_of(stage)));
    }
    reached.contains(to)
}

/// What must hold of a walk, for it to have gone anywhere.
async fn walk(engine: Engine, seed: u64, steps: usize) -> BTreeSet<String> {
    eprintln!("{SEED}={seed} on {engine:?}, {steps} steps");
    let mut walk = Walk::begin(engine, seed).await;
    let mut seen = BTreeSet::new();
    for _ in 0..steps {
        walk.step().await;
        let takes = walk.stages.iter().filter(|((noun, _), _)| *noun == "submission");
        seen.extend(takes.map(|(_, stage)| stage.clone()));
    }
    let found = discrepancy::look(&walk.road.app, Look { repair: false, quick: true }).await.unwrap();
    assert_eq!(found.discrepancies, Vec::new(), "{}", walk.way());
    seen
}

async fn walks(engine: Engine) {
    let all = std::env::var_os("COLLECTOR_TEST_ALL").is_some();
    let given = std::env::var_os(SEED).and_then(|seed| seed.to_str()?.parse().ok());
    let (count, steps) = if all { (40, 600) } else { (2, 250) };
    let fresh = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
    let seeds: Vec<u64> = given.map_or_else(|| (1..=count).chain([1000 + fresh]).collect(), |seed| vec![seed]);
    let mut seen = BTreeSet::new();
    for seed in seeds {
        seen.extend(walk(engine, seed, steps).await);
    }
    for stage in ["accepted", "sent_back", "withdrawn"] {
        assert!(given.is_some() || seen.contains(stage), "no walk came to {stage}: {seen:?}");
    }
}

#[tokio::test]
async fn anything_in_any_order_on_sqlite() {
    walks(Engine::Sqlite).await;
}

#[tokio::test]
async fn anything_in_any_order_on_postgres() {
    walks(Engine::Postgres).await;
}
