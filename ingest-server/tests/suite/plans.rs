//! How both databases would run every statement: none may read a whole table that grows.

use std::collections::BTreeMap;
use std::path::Path;

use crate::road::Road;
use ingest_server::store::{Engine, review};
use sqlx::{AssertSqlSafe, Executor, Row};

/// Statements that read all of a table, by the beginning of their names, each with its reason.
const WHOLE: &[(&str, &str)] = &[
    ("alive/absences.sql", "the times in which no server was there are few, and asked for once a day"),
    ("campaign/count.sql", "asks once, at the start, whether there is any campaign"),
    ("operations/", "a command or a scrape compares or counts everything, and holds no lock meanwhile"),
    ("transfer/", "a move reads everything, once"),
];

/// Every statement by its file's name; the parts of the list of submissions are put together as the server does.
fn statements(engine: Engine) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sql");
    let mut found = BTreeMap::new();
    let other = if engine == Engine::Sqlite { "_postgres.sql" } else { "_sqlite.sql" };
    for noun in std::fs::read_dir(&root).unwrap() {
        for file in std::fs::read_dir(noun.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if !name.ends_with(other) && !name.starts_with("review/list") {
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let lists = review::LISTS.iter().enumerate();
    found.extend(lists.map(|(at, text)| (format!("review/list, form {at}"), (*text).to_owned())));
    assert!(found.len() > 80, "{} statements", found.len());
    found
}

async fn sqlite_plan(road: &Road, text: &str) -> Vec<String> {
    let mut connection = road.app.store.read().acquire().await.unwrap();
    let plan = connection.fetch_all(AssertSqlSafe(format!("explain query plan {text}"))).await.unwrap();
    plan.iter().map(|line| line.get("detail")).collect()
}

/// The lines of a plan that read a whole table.
async fn scans(road: &Road, engine: Engine, text: &str) -> Vec<String> {
    if engine == Engine::Sqlite {
        let lines = sqlite_plan(road, text).await.into_iter();
        let lines = lines.filter(|line| line.starts_with("SCAN ") && !line.contains("CONSTANT ROW"));
        // A list that the question brings with it is no table.
        return lines.filter(|line| !line.contains("json_each VIRTUAL TABLE")).collect();
    }
    let mut connection = road.app.store.read().acquire().await.unwrap();
    // The tables are empty: reading them whole would be right. What is left then has no other way.
    connection.execute("set plan_cache_mode = force_generic_plan; set enable_seqscan = off").await.unwrap();
    connection.execute(AssertSqlSafe(format!("prepare asked as {text}"))).await.unwrap();
    let count = (1..=20).rev().find(|at| text.contains(&format!("${at}"))).unwrap_or(0);
    let nulls = vec!["null"; count].join(", ");
    let call = if count == 0 { String::new() } else { format!("({nulls})") };
    let plan = connection.fetch_all(AssertSqlSafe(format!("explain execute asked{call}"))).await.unwrap();
    connection.execute("deallocate asked").await.unwrap();
    let lines = plan.iter().map(|line| line.get::<String, _>(0));
    lines.filter(|line| line.contains("Seq Scan")).collect()
}

async fn no_statement_reads_a_whole_table(engine: Engine) {
    let road = Road::open(engine).await;
    let mut wrong = Vec::new();
    for (name, text) in statements(engine) {
        let scans = scans(&road, engine, &text).await;
        let allowed = WHOLE.iter().any(|(known, _)| name.starts_with(known));
        wrong.extend(scans.into_iter().filter(|_| !allowed).map(|line| format!("{name}: {line}")));
    }
    assert!(wrong.is_empty(), "these read whole tables; add an index or say why:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn sqlite() {
    no_statement_reads_a_whole_table(Engine::Sqlite).await;
}

#[tokio::test]
async fn postgres() {
    no_statement_reads_a_whole_table(Engine::Postgres).await;
}

/// A page that is sorted or grouped first is a page for which all that may follow is read.
#[tokio::test]
async fn pages_are_read_in_the_order_of_an_index() {
    let road = Road::open(Engine::Sqlite).await;
    let (mut looked_at, mut wrong) = (0, Vec::new());
    for (name, text) in statements(Engine::Sqlite) {
        let is_list = name.contains("/list") || name == "export/accepted.sql";
        if !is_list || !text.contains("limit $") {
            continue;
        }
        looked_at += 1;
        let plan = sqlite_plan(&road, &text).await.into_iter();
        wrong.extend(plan.filter(|line| line.contains("TEMP B-TREE")).map(|line| format!("{name}: {line}")));
    }
    assert!(looked_at > 10, "{looked_at} pages");
    assert!(wrong.is_empty(), "these pages are put in order anew each time:\n{}", wrong.join("\n"));
}
