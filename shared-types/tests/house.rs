//! The rules of the house: who may import whom, what no file may contain, and documents that agree with the code.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use shared_types::quality::flag::{FLAG_RULES, Flag, Place};
use shared_types::quality::policy::Policy;
use toml::{Table, Value};

/// Each crate with those of ours it may import; a crate that is not here has no place in the house yet.
const ARROWS: &[(&str, &[&str])] = &[
    ("shared-types", &[]),
    ("ingest-client", &["shared-types"]),
    ("media", &["shared-types"]),
    ("capture", &["shared-types", "media"]),
    ("recorder-core", &["capture", "media", "ingest-client", "shared-types"]),
    ("pipeline", &["media", "ingest-client", "shared-types"]),
    ("recorder-app", &["recorder-core", "shared-types"]),
    ("ingest-server", &["shared-types"]),
];
/// What the crate that everyone shares may bring with it: no I/O, no clock.
const SHARED_MAY_USE: &[&str] = &["schemars", "serde", "serde_json", "thiserror", "time", "ts-rs", "utoipa", "uuid"];
/// Other people's crates that one crate of ours keeps to itself, by the beginning of their names.
const KEPT: &[(&str, &str)] = &[
    ("ffmpeg", "media"),
    ("tauri", "recorder-app"),
    ("axum", "ingest-server"),
    ("sqlx", "ingest-server"),
    ("ureq", "ingest-client"),
    ("aws-", "ingest-server"),
    ("s3s", "ingest-server"),
];
/// Where nothing of ours lies; what `.gitignore` names, and git itself.
const SKIPPED: &[&str] = &["target", ".git", ".collector", "node_modules", "__pycache__", "dist"];
const SOURCES: &[&str] = &["rs", "py", "sh", "ts", "tsx", "js", "css", "html", "sql"];
const MOST_LINES: usize = 600;

struct Crate {
    name: String,
    manifest: Table,
}

/// A dependency by the name of its package, from whichever section.
struct Dependency {
    package: String,
    features: Vec<String>,
    only_for_tests: bool,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table(path: &Path) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn members() -> Vec<Crate> {
    let workspace = table(&top().join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let manifests = members.iter().map(|member| table(&top().join(member.as_str().unwrap()).join("Cargo.toml")));
    manifests
        .map(|manifest| Crate { name: manifest["package"]["name"].as_str().unwrap().to_owned(), manifest })
        .collect()
}

impl Crate {
    fn dependencies(&self) -> Vec<Dependency> {
        let targets = self.manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let places = std::iter::once(&self.manifest).chain(targets.filter_map(Value::as_table));
        places.flat_map(in_sections).collect()
    }
}

fn in_sections(place: &Table) -> Vec<Dependency> {
    let sections = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    let found = sections.into_iter().filter_map(|(name, tests)| Some((place.get(name)?.as_table()?, tests)));
    found
        .flat_map(|(section, only_for_tests)| {
            section.iter().map(move |(name, value)| {
                let texts = |key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
                Dependency {
                    package: value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned(),
                    features: texts("features").iter().filter_map(|text| text.as_str().map(str::to_owned)).collect(),
                    only_for_tests,
                }
            })
        })
        .collect()
}

/// Every file of the repository, by its path from the top.
fn files() -> BTreeMap<String, PathBuf> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![top()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let name = entry.path().strip_prefix(top()).unwrap().to_string_lossy().replace('\\', "/");
                found.insert(name, entry.path());
            }
        }
    }
    found
}

/// The files that are text, with it.
fn texts() -> impl Iterator<Item = (String, String)> {
    files().into_iter().filter_map(|(name, path)| Some((name, String::from_utf8(fs::read(path).ok()?).ok()?)))
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    Path::new(name).extension().is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
}

fn none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn crates_import_only_along_the_arrows() {
    let mut wrong = Vec::new();
    for member in members() {
        let Some((_, may)) = ARROWS.iter().find(|(name, _)| *name == member.name) else {
            wrong.push(format!("{} has no row in the table of arrows", member.name));
            continue;
        };
        for Dependency { package, features, only_for_tests } in member.dependencies() {
            let name = &member.name;
            let is_ours = ARROWS.iter().any(|(ours, _)| *ours == package);
            if is_ours && !may.contains(&package.as_str()) {
                wrong.push(format!("{name} may not import {package}"));
            }
            if name == "capture" && package == "media" && features.iter().any(|feature| feature == "codecs") {
                wrong.push("capture may use media only without its feature codecs".to_owned());
            }
            if name == "shared-types" && !only_for_tests && !SHARED_MAY_USE.contains(&package.as_str()) {
                wrong.push(format!("shared-types may not use {package}"));
            }
            for (kept, owner) in KEPT {
                if package.starts_with(kept) && name != owner {
                    wrong.push(format!("{name} names {package}, which only {owner} may"));
                }
            }
        }
    }
    none(&wrong, "Arrows that docs/architecture.md does not draw");
}

#[test]
fn one_file_names_the_sdk_of_s3() {
    let ours = texts().filter(|(name, _)| name.starts_with("ingest-server/") && has_extension(name, &["rs"]));
    let named = ours.filter(|(_, text)| text.contains("aws_sdk") || text.contains("aws_smithy"));
    let wrong: Vec<String> = named.map(|(name, _)| name).filter(|name| !name.ends_with("objects/s3.rs")).collect();
    none(&wrong, "Only objects/s3.rs names the SDK");
}

#[test]
fn the_arrows_in_the_documents_are_these() {
    let text = read(&top().join("docs/architecture.md"));
    for member in members() {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", member.name)));
        let row = row.unwrap_or_else(|| panic!("docs/architecture.md has no row for the crate {}", member.name));
        let may: BTreeSet<&str> = row.split('|').nth(2).unwrap().split('`').skip(1).step_by(2).collect();
        let imported: BTreeSet<String> = member.dependencies().into_iter().map(|found| found.package).collect();
        let ours = |name: &&str| imported.contains(*name);
        let imported: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).filter(ours).collect();
        assert_eq!(may, imported, "docs/architecture.md on what {} imports", member.name);
    }
}

#[test]
fn files_are_short_enough_to_read() {
    let sources = texts().filter(|(name, _)| has_extension(name, SOURCES) || name == "dev");
    let long = sources.filter(|(_, text)| text.lines().count() > MOST_LINES);
    let long: Vec<String> = long.map(|(name, text)| format!("{name}: {} lines", text.lines().count())).collect();
    none(&long, "Split these files");
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // Put together here, so that this file does not contain them.
    let words = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore"), concat!("dbg", "!(")];
    let mut wrong = Vec::new();
    for (name, text) in texts().filter(|(name, _)| has_extension(name, &["rs"])) {
        let found = words.iter().filter(|word| text.contains(**word));
        wrong.extend(found.map(|word| format!("{name} contains {word}")));
        for kind in ["allow", "expect"] {
            for open in [format!("#[{kind}("), format!("#![{kind}(")] {
                let bare = text.match_indices(&open).filter(|(at, _)| {
                    let rest = &text[*at..];
                    !rest[..rest.find(")]").unwrap_or(rest.len())].contains("reason")
                });
                wrong.extend(bare.map(|(at, _)| {
                    format!("{name}:{} switches a lint off without a reason", text[..at].lines().count() + 1)
                }));
            }
        }
    }
    none(&wrong, "Finish these");
}

#[test]
fn no_file_speaks_of_the_machine_it_was_written_on() {
    let roots = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp/", "brief")];
    let outside = concat!("..", "/shared/");
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            let begins_path = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_.-}/".contains(c));
            let absolute = roots.iter().any(|root| line.match_indices(root).any(|(at, _)| begins_path(at)));
            // The screens have a folder of that name.
            let leaves = line.contains(outside) && !name.starts_with("ui/src/");
            if absolute || leaves {
                wrong.push(format!("{name}:{}: {}", number + 1, line.trim().chars().take(120).collect::<String>()));
            }
        }
    }
    none(&wrong, "Paths that exist on one machine only");
}

/// The lines of a document that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// The targets of a document's links and pictures.
fn links(text: &str) -> Vec<String> {
    let on_line = |line: &str| {
        let ends = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        ends.map(|(target, _)| target.trim().to_owned()).collect::<Vec<_>>()
    };
    prose(text).flat_map(on_line).collect()
}

/// The anchors of a document's headings, as code hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter_map(|line| Some(line.strip_prefix('#')?.trim_start_matches('#').trim()));
    headings
        .map(|heading| {
            let kept = heading.to_lowercase().replace(' ', "-");
            kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
        })
        .collect()
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    for (name, text) in texts().filter(|(name, _)| has_extension(name, &["md"])) {
        let file = top().join(&name);
        for link in links(&text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            let leads = target.exists() && anchor.is_none_or(|anchor| anchors(&read(&target)).contains(anchor));
            if !leads {
                wrong.push(format!("{name}: {link}"));
            }
        }
    }
    none(&wrong, "Links that lead nowhere");
}

#[test]
fn the_documented_policy_and_flags_are_those_of_the_code() {
    let text = read(&top().join("docs/formats.md"));
    let block = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let block = block.expect("docs/formats.md shows the policy as TOML");
    let documented: Policy = toml::from_str(block).unwrap_or_else(|error| panic!("docs/formats.md: {error}"));
    assert_eq!(documented, Policy::default(), "the defaults in docs/formats.md");
    let fields = serde_json::to_value(Policy::default()).unwrap();
    for field in fields.as_object().unwrap().keys() {
        assert!(block.contains(field.as_str()), "docs/formats.md does not name the policy's field {field}");
    }
    let rows: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter_map(|(flag, rest)| Some((flag.to_owned(), rest.split(" |").next()?.to_owned())))
        .filter(|(_, place)| ["device", "pipeline", "server"].iter().any(|known| place.starts_with(known)))
        .collect();
    let name = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    let both = |flag: Flag, place: Place| (serde_json::to_value(flag).unwrap(), serde_json::to_value(place).unwrap());
    let rules = FLAG_RULES.iter().map(|rule| both(rule.flag, rule.place));
    let rules: Vec<(String, String)> = rules.map(|(flag, place)| (name(flag), name(place))).collect();
    assert_eq!(
        rows.iter().map(|(flag, _)| flag).collect::<Vec<_>>(),
        rules.iter().map(|(flag, _)| flag).collect::<Vec<_>>()
    );
    for ((flag, documented), (_, place)) in rows.iter().zip(&rules) {
        assert!(documented.starts_with(place.as_str()), "docs/formats.md on where {flag} is measured: {documented}");
    }
}

#[test]
fn every_noun_of_the_types_is_in_the_glossary() {
    let glossary = read(&top().join("docs/glossary.md")).to_lowercase();
    let modules = read(&top().join("shared-types/src/lib.rs"));
    let nouns = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    // How nouns are written down, not nouns themselves.
    let missing: Vec<String> = nouns
        .filter(|noun| !["error", "generated", "id"].contains(noun))
        .filter(|noun| !glossary.contains(&format!("| **{noun}")))
        .map(str::to_owned)
        .collect();
    none(&missing, "Nouns that docs/glossary.md does not explain");
}
