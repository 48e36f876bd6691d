//! A page that shows what was made of a recording: verdict, words, Steps with their pictures. It needs nothing but the
//! folder it lies in.

use shared_types::quality::judge::QualityReport;
use shared_types::step::Step;
use shared_types::summary::{Costs, Summary};
use shared_types::transcript::Transcript;

use super::examples::sentence;
use super::table::{clock, name};

pub(crate) const STYLE: &str = include_str!("report.css");

/// The page as HTML. Everything that came out of the recording is escaped.
pub fn html(quality: &QualityReport, transcript: &Transcript, steps: &[Step], summary: &Summary) -> String {
    let mut page = Page(String::new());
    let title = summary.goal.as_deref().unwrap_or("A recording");
    page.line("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.line(&format!("<title>{}</title><style>{STYLE}</style></head><body><main>", escape(title)));
    let verdict = quality.verdict.as_str();
    page.line(&format!("<h1>{}</h1><p><span class=\"verdict {verdict}\">{verdict}</span>", escape(title)));
    let secs = quality.measurements.active_secs.unwrap_or(0.0);
    page.line(&format!("<span class=\"soft\"> {} · {} Steps</span></p>", clock(secs), steps.len()));
    page.flags(quality);
    page.goal(summary);
    page.words(transcript);
    page.steps(quality, steps);
    page.costs(summary);
    page.line("</main></body></html>");
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn flags(&mut self, quality: &QualityReport) {
        if quality.flags.is_empty() {
            self.line("<p class=\"soft\">No check had anything to say against it.</p>");
        }
        self.line("<ul class=\"plain\">");
        for flag in &quality.flags {
            let (verdict, flag_name) = (flag.verdict.as_str(), name(flag.flag));
            let sentence = escape(&flag.sentence);
            self.line(&format!("<li><span class=\"{verdict}\">{flag_name}</span> {sentence}</li>"));
        }
        for advice in &quality.advice {
            self.line(&format!("<li class=\"soft\">{} {}</li>", name(advice.sign), escape(&advice.sentence)));
        }
        self.line("</ul>");
    }

    fn goal(&mut self, summary: &Summary) {
        if summary.constraints.is_empty() && summary.decision.is_none() {
            return;
        }
        self.line("<h2>The goal</h2><table><tr><th>Asked</th><th>Outcome</th><th>Evidence</th></tr>");
        for finding in &summary.constraints {
            let outcome = match (finding.touched, finding.met) {
                (_, Some(true)) => "met",
                (_, Some(false)) => "missed",
                (true, None) => "followed",
                (false, None) => "not touched",
            };
            let evidence = finding
                .evidence
                .iter()
                .take(3)
                .map(|found| format!("{} {} “{}”", clock(found.t), name(found.source), escape(&found.text)))
                .collect::<Vec<_>>()
                .join("<br>");
            let asked = escape(&finding.constraint.text);
            self.line(&format!("<tr><td>{asked}</td><td>{outcome}</td><td class=\"soft\">{evidence}</td></tr>"));
        }
        self.line("</table>");
        if let Some(decision) = &summary.decision {
            let reason = summary.reason.as_deref().map_or_else(String::new, |why| format!(" — “{}”", escape(why)));
            self.line(&format!("<p><strong>Decision:</strong> {}{reason}</p>", escape(decision)));
        }
    }

    fn words(&mut self, transcript: &Transcript) {
        self.line("<h2>What was said</h2>");
        if transcript.segments.is_empty() {
            self.line("<p class=\"soft\">Nothing.</p>");
            return;
        }
        self.line("<ul class=\"plain\">");
        for segment in &transcript.segments {
            let at = clock(segment.start);
            self.line(&format!("<li><span class=\"soft\">{at}</span> {}</li>", escape(segment.text.trim())));
        }
        self.line("</ul>");
    }

    fn steps(&mut self, quality: &QualityReport, steps: &[Step]) {
        self.line("<h2>Steps</h2>");
        if steps.is_empty() {
            self.line("<p class=\"soft\">None: nobody recorded the input, or nothing was done.</p>");
        }
        let size = quality.measurements.picture.as_ref().map(|picture| (picture.width, picture.height));
        for step in steps {
            self.line("<section class=\"step\"><header>");
            self.line(&format!("<time>{}</time><strong>{}</strong>", clock(step.t), escape(&sentence(step))));
            let role = step.target.as_ref().and_then(|target| target.role.clone());
            let tags = [role, step.intent.map(name), step.cause.map(name), step.url.clone()];
            for tag in tags.iter().flatten() {
                self.line(&format!("<span class=\"tag\">{}</span>", escape(tag)));
            }
            self.line("</header>");
            if let Some(rationale) = &step.rationale {
                self.line(&format!("<blockquote>{}</blockquote>", escape(rationale)));
            }
            self.line("<div class=\"frames\">");
            self.figure("before", step.frame_before.as_deref(), marks(step, size).as_str());
            self.figure("after", step.frame_after.as_deref(), "");
            self.line("</div></section>");
        }
    }

    fn figure(&mut self, when: &str, file: Option<&str>, marks: &str) {
        let Some(file) = file else { return };
        let image = format!("<img loading=\"lazy\" src=\"{0}\" alt=\"the screen {when} this Step\">", escape(file));
        self.line(&format!(
            "<figure><span class=\"frame\">{image}{marks}</span><figcaption>{when}</figcaption></figure>"
        ));
    }

    fn costs(&mut self, summary: &Summary) {
        self.line("<h2>What it took</h2><table><tr><th>Pass</th><th>Time</th><th>CPU</th><th>Peak memory</th></tr>");
        for pass in &summary.passes {
            let megabytes = pass.peak_memory_bytes / 1_000_000;
            let (pass_name, secs, cpu) = (escape(&pass.name), pass.secs, pass.cpu_secs);
            self.line(&format!(
                "<tr><td>{pass_name}</td><td class=\"number\">{secs:.1} s</td><td class=\"number\">{cpu:.1} s</td>\
                 <td class=\"number\">{megabytes} MB</td></tr>"
            ));
        }
        self.line("</table>");
        for sentence in hosted(&summary.costs) {
            self.line(&format!("<p class=\"soft\">{}</p>", escape(&sentence)));
        }
    }
}

/// What hosted models did, cost and failed to do; nothing where none was asked.
pub(super) fn hosted(costs: &Costs) -> Vec<String> {
    if costs.token_budget.is_none() {
        return Vec::new();
    }
    let amount = costs.amount_cents.zip(costs.currency.as_deref());
    let amount = amount.map_or_else(String::new, |(cents, currency)| format!(", {:.4} {currency}", cents / 100.0));
    let told = format!(
        "Hosted models: {} Steps explained, {} left to the rules; {} requests and {} known answers, {} tokens in and {} \
         out{amount}.",
        costs.steps_explained,
        costs.steps_left_to_rules,
        costs.requests,
        costs.cached,
        costs.input_tokens,
        costs.output_tokens
    );
    std::iter::once(told).chain(costs.failures.iter().cloned()).collect()
}

/// The point that was clicked and the box of its target, laid over the picture.
fn marks(step: &Step, size: Option<(u32, u32)>) -> String {
    let Some((width, height)) = size.filter(|&(width, height)| width > 0 && height > 0) else { return String::new() };
    let across = |x: f64| x / f64::from(width) * 100.0;
    let down = |y: f64| y / f64::from(height) * 100.0;
    let mut marks = String::new();
    if let Some([x, y, box_width, box_height]) = step.target.as_ref().and_then(|target| target.bounds) {
        let target = format!(
            "<span class=\"box\" style=\"left:{:.2}%;top:{:.2}%;width:{:.2}%;height:{:.2}%\"></span>",
            across(x),
            down(y),
            across(box_width),
            down(box_height)
        );
        marks.push_str(&target);
    }
    if let (Some(x), Some(y)) = (step.x, step.y) {
        let point = format!("<span class=\"point\" style=\"left:{:.2}%;top:{:.2}%\"></span>", across(x), down(y));
        marks.push_str(&point);
    }
    marks
}

pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn words_of_a_page_cannot_become_markup() {
        assert_eq!(escape("<img src=\"x\" onerror='a&b'>"), "&lt;img src=&quot;x&quot; onerror=&#39;a&amp;b&#39;&gt;");
    }
}
