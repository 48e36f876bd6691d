//! The patterns for people: a page that needs nothing beside it, and Markdown.

#![expect(clippy::format_push_string, reason = "a report is written once, and reads here as it will look")]

use std::collections::BTreeMap;

use shared_types::step::Intent;

use super::Patterns;
use super::narration::Group;
use super::sequences::Way;
use crate::output::report::{STYLE, escape};

const OWN_STYLE: &str = include_str!("report.css");
const NO_WAYS: &str = "None: too few recordings, or none of them goes about it like another.";
const NO_GROUPS: &str = "None: too little was said, or nothing twice.";
/// Rows of a table of sites or workers.
const MOST_ROWS: usize = 40;

fn word(intent: Intent) -> String {
    intent.as_str().replace('_', " ")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn overview(patterns: &Patterns) -> String {
    let count = |number: u32, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let parts = [
        count(patterns.recordings, "recording"),
        count(patterns.workers, "known worker"),
        count(patterns.sites, "site"),
        count(patterns.steps, "Step"),
    ];
    parts.join(" · ")
}

fn times(intents: &BTreeMap<Intent, u32>) -> String {
    let mut sorted: Vec<(&Intent, &u32)> = intents.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1));
    sorted
        .into_iter()
        .take(3)
        .map(|(intent, times)| format!("{} {times}", word(*intent)))
        .collect::<Vec<_>>()
        .join(", ")
}

pub fn markdown(patterns: &Patterns) -> String {
    let mut text = format!("# Patterns\n\n{}\n\n## Strategies\n\n", overview(patterns));
    text += "| Strategy | Recordings | Steps | Seconds | Demands met | One of them |\n| --- | --- | --- | --- | --- | --- |\n";
    for strategy in &patterns.strategies.all {
        let met = strategy.met_share.map_or_else(|| "not known".to_owned(), percent);
        text += &format!(
            "| {} | {} | {} | {} | {met} | {} |\n",
            strategy.name,
            strategy.recordings,
            strategy.mean_steps,
            strategy.mean_secs,
            short(&strategy.example)
        );
    }
    for (title, table) in [("By site", &patterns.strategies.by_site), ("By worker", &patterns.strategies.by_worker)] {
        text += &format!("\n## {title}\n\n");
        for (key, counts) in table.iter().take(MOST_ROWS) {
            let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
            text += &format!("- {}: {}\n", plain(key), counts.join("; "));
        }
    }
    text += &format!("\n## Ways found in at least {} recordings\n\n", patterns.ways.min_recordings);
    if patterns.ways.found.is_empty() {
        text += &format!("{NO_WAYS}\n");
    }
    for way in &patterns.ways.found {
        let steps: Vec<String> = way.intents.iter().copied().map(word).collect();
        text += &format!("- {} – {} recordings, {}\n", steps.join(" → "), way.recordings, percent(way.share));
    }
    text += "\n## What was said\n\n";
    if patterns.narration.groups.is_empty() {
        text += &format!("{NO_GROUPS}\n");
    }
    for group in &patterns.narration.groups {
        text += &format!(
            "- **{}**: {} sentences in {} recordings, such as “{}”\n",
            plain(&group.words.join(", ")),
            group.sentences,
            group.recordings,
            plain(&group.example)
        );
    }
    text
}

/// Words of a recording cannot become markup.
fn plain(text: &str) -> String {
    text.chars().map(|c| if "|<>[]`*_#\n".contains(c) { ' ' } else { c }).collect()
}

fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}

pub fn html(patterns: &Patterns) -> String {
    let mut page = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";
    page += &format!("<title>Patterns</title><style>{STYLE}{OWN_STYLE}</style></head><body><main>\n");
    page += &format!("<h1>Patterns</h1><p class=\"soft\">{}</p>\n", overview(patterns));
    page += &strategies(patterns);
    page += &by("By site", &patterns.strategies.by_site, patterns);
    page += &by("By worker", &patterns.strategies.by_worker, patterns);
    page += &ways(patterns);
    page += &followed(patterns);
    page += &said(patterns);
    page += "</main></body></html>\n";
    page
}

fn strategies(patterns: &Patterns) -> String {
    let mut text = "<h2>How people went about it</h2><div class=\"wide\"><table><tr><th>Strategy</th>\
                    <th class=\"number\">Recordings</th><th></th><th class=\"number\">Steps</th>\
                    <th class=\"number\">Seconds</th><th class=\"number\">Demands met</th><th>One of them</th></tr>\n"
        .to_owned();
    for strategy in &patterns.strategies.all {
        let share = f64::from(strategy.recordings) / f64::from(patterns.recordings.max(1));
        let met = strategy.met_share.map_or_else(|| "–".to_owned(), percent);
        text += &format!(
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"bars\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{met}</td><td class=\"soft\">{}</td></tr>\n",
            escape(&strategy.name),
            strategy.recordings,
            bar(share),
            strategy.mean_steps,
            strategy.mean_secs,
            escape(&short(&strategy.example))
        );
    }
    text + "</table></div>\n"
}

fn bar(share: f64) -> String {
    format!("<span class=\"bar\" style=\"width:{:.1}%\" title=\"{}\"></span>", share * 100.0, percent(share))
}

fn by(title: &str, table: &BTreeMap<String, BTreeMap<String, u32>>, patterns: &Patterns) -> String {
    let names: Vec<&str> = patterns.strategies.all.iter().map(|strategy| strategy.name.as_str()).collect();
    let mut text = format!("<h2>{title}</h2><div class=\"wide\"><table><tr><th></th>");
    text.extend(names.iter().map(|name| format!("<th>{}</th>", escape(name))));
    text += "</tr>\n";
    for (key, counts) in table.iter().take(MOST_ROWS) {
        let all: u32 = counts.values().sum();
        text += &format!("<tr><td>{}</td>", escape(key));
        for name in &names {
            let count = counts.get(*name).copied().unwrap_or(0);
            let share = f64::from(count) / f64::from(all.max(1));
            let shown = if count == 0 { String::new() } else { count.to_string() };
            text += &format!("<td class=\"heat\" style=\"--share:{share:.2}\">{shown}</td>");
        }
        text += "</tr>\n";
    }
    text += "</table></div>\n";
    if table.len() > MOST_ROWS {
        text += &format!("<p class=\"soft\">And {} more, in patterns.json.</p>\n", table.len() - MOST_ROWS);
    }
    text
}

fn ways(patterns: &Patterns) -> String {
    let mut text = format!(
        "<h2>Ways that recordings share</h2><p class=\"soft\">In this order, in at least {} recordings; other things may \
         lie between.</p>\n",
        patterns.ways.min_recordings
    );
    if patterns.ways.found.is_empty() {
        return text + &format!("<p>{NO_WAYS}</p>\n");
    }
    text += "<table>";
    text.extend(patterns.ways.found.iter().map(way));
    text + "</table>\n"
}

fn way(way: &Way) -> String {
    let steps: Vec<String> = way.intents.iter().map(|intent| format!("<b>{}</b>", word(*intent))).collect();
    format!(
        "<tr><td><span class=\"way\">{}</span></td><td class=\"number\">{}</td><td class=\"bars\">{}</td></tr>\n",
        steps.join("<i>→</i>"),
        way.recordings,
        bar(way.share)
    )
}

fn followed(patterns: &Patterns) -> String {
    let mut text = "<h2>What follows what</h2><div class=\"wide\"><table><tr><th></th>".to_owned();
    text.extend(Intent::ALL.iter().map(|intent| format!("<th>{}</th>", word(*intent))));
    text += "</tr>\n";
    for intent in Intent::ALL {
        text += &format!("<tr><td>{}</td>", word(intent));
        for by in Intent::ALL {
            let found = patterns.ways.followed_by.iter().find(|pair| pair.intent == intent && pair.by == by);
            let (share, shown) = found.map_or((0.0, String::new()), |pair| (pair.share, percent(pair.share)));
            text += &format!("<td class=\"heat\" style=\"--share:{share:.2}\">{shown}</td>");
        }
        text += "</tr>\n";
    }
    text + "</table></div>\n"
}

fn said(patterns: &Patterns) -> String {
    let narration = &patterns.narration;
    let mut text = format!(
        "<h2>What was said</h2><p class=\"soft\">{} of {} sentences lie in these groups.</p>\n",
        narration.grouped, narration.sentences
    );
    if narration.groups.is_empty() {
        return text + &format!("<p>{NO_GROUPS}</p>\n");
    }
    text += "<table><tr><th>About</th><th>Such as</th><th class=\"number\">Sentences</th><th class=\"number\">Recordings</th>\
             <th>While</th></tr>\n";
    text.extend(narration.groups.iter().map(group));
    text + "</table>\n"
}

fn group(group: &Group) -> String {
    format!(
        "<tr><td>{}</td><td>“{}”</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"soft\">{}</td></tr>\n",
        escape(&group.words.join(", ")),
        escape(&group.example),
        group.sentences,
        group.recordings,
        times(&group.intents)
    )
}
