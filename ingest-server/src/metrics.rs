//! Numbers for Prometheus, in its text form 0.0.4. Counts of answers are kept here; what the database knows is asked when
//! somebody looks. No label comes from a request, so that no stranger can fill the memory.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::objects::ObjectsError;
use crate::store::StoreError;
use crate::store::operations::{self, Counted};
use crate::uploads::{Space, space};

/// Upper ends of the buckets, in seconds.
const BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] ObjectsError),
}

/// Answers since the process began.
#[derive(Debug, Default)]
pub struct Metrics {
    answers: Mutex<BTreeMap<Key, Answers>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Default)]
struct Answers {
    count: u64,
    seconds: f64,
    within: [u64; BUCKETS.len()],
}

/// Methods that routes know; a stranger may invent others.
fn known(method: &str) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    METHODS.into_iter().find(|known| *known == method).unwrap_or("other")
}

impl Metrics {
    /// `route` is the path as the table of routes has it; none where no route was reached.
    pub fn answered(&self, route: Option<&'static str>, method: &str, status: u16, took: Duration) {
        let key = Key { route: route.unwrap_or("none"), method: known(method), status };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = answers.entry(key).or_default();
        answers.count += 1;
        answers.seconds += took.as_secs_f64();
        for (at, end) in BUCKETS.iter().enumerate() {
            answers.within[at] += u64::from(took.as_secs_f64() <= *end);
        }
    }

    fn write(&self, page: &mut Page) {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        page.family("collector_http_answers_total", "counter", "Answers by route, method and status.");
        for (Key { route, method, status }, answers) in answers.iter() {
            let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
            page.line("collector_http_answers_total", &labels, answers.count);
        }
        let name = "collector_http_answer_seconds";
        page.family(name, "histogram", "Seconds until the head of an answer, by route.");
        let mut by_route: BTreeMap<&str, Answers> = BTreeMap::new();
        for (Key { route, .. }, answers) in answers.iter() {
            let sum = by_route.entry(route).or_default();
            sum.count += answers.count;
            sum.seconds += answers.seconds;
            sum.within.iter_mut().zip(answers.within).for_each(|(sum, more)| *sum += more);
        }
        for (route, answers) in by_route {
            for (end, within) in BUCKETS.iter().zip(answers.within) {
                page.line(&format!("{name}_bucket"), &format!("route=\"{route}\",le=\"{end}\""), within);
            }
            page.line(&format!("{name}_bucket"), &format!("route=\"{route}\",le=\"+Inf\""), answers.count);
            page.line(&format!("{name}_sum"), &format!("route=\"{route}\""), answers.seconds);
            page.line(&format!("{name}_count"), &format!("route=\"{route}\""), answers.count);
        }
    }
}

#[derive(Debug, Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}{braces} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, "gauge", help);
        self.line(name, "", value);
    }

    fn counted(&mut self, name: &str, help: &str, rows: &[Counted]) {
        self.family(name, "gauge", help);
        for Counted { kind, stage, found, .. } in rows {
            let kind = kind.as_ref().map_or_else(String::new, |kind| format!("kind=\"{kind}\","));
            self.line(name, &format!("{kind}stage=\"{stage}\""), found);
        }
    }
}

/// The whole page.
pub async fn page(app: &App) -> Result<String, MetricsError> {
    let (pool, mut page) = (app.store.read(), Page::default());
    page.family("collector_build_info", "gauge", "The version that runs.");
    page.line("collector_build_info", &format!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1);
    app.metrics.write(&mut page);
    page.counted("collector_jobs", "Jobs by kind and stage.", &operations::jobs(pool).await?);
    let waits = operations::oldest_job(pool).await?.map_or(0, |since| (app.clock.now().millis - since.millis).max(0));
    let help = "How long the oldest waiting job could have been begun.";
    page.gauge("collector_job_oldest_wait_seconds", help, waits as f64 / 1000.0);
    page.counted("collector_submissions", "Submissions by stage.", &operations::submissions(pool).await?);
    let uploads = operations::uploads(pool).await?;
    page.counted("collector_uploads", "Uploads by stage.", &uploads);
    page.family("collector_upload_bytes", "gauge", "Bytes of uploads by stage.");
    for Counted { stage, bytes, .. } in &uploads {
        page.line("collector_upload_bytes", &format!("stage=\"{stage}\""), bytes.unwrap_or(0));
    }
    let Space { free_bytes, least_bytes } = space(app)?;
    page.gauge(
        "collector_free_bytes",
        "Free space where uploads are kept, or pass on their way to a bucket.",
        free_bytes,
    );
    page.gauge("collector_least_free_bytes", "Free space below which uploads are refused.", least_bytes);
    Ok(page.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_route() {
        let metrics = Metrics::default();
        for (route, method, millis) in [(Some("/a"), "GET", 3), (Some("/a"), "GET", 300), (None, "BREW", 1)] {
            metrics.answered(route, method, 200, Duration::from_millis(millis));
        }
        let mut page = Page::default();
        metrics.write(&mut page);
        for line in [
            "collector_http_answers_total{route=\"/a\",method=\"GET\",status=\"200\"} 2",
            "collector_http_answers_total{route=\"none\",method=\"other\",status=\"200\"} 1",
            "collector_http_answer_seconds_bucket{route=\"/a\",le=\"0.005\"} 1",
            "collector_http_answer_seconds_bucket{route=\"/a\",le=\"+Inf\"} 2",
            "collector_http_answer_seconds_count{route=\"/a\"} 2",
        ] {
            assert!(page.0.lines().any(|one| one == line), "{line} is not in\n{}", page.0);
        }
    }
}
