//! Why a page changed, and what a window's title says of it.

use shared_types::step::{Action, Cause, Step, Target};

/// A page that comes later was not caused by the act.
const CAUSE_SECS: f64 = 6.0;

/// What the acts before a change of page say of its cause.
pub(super) fn of_page_change(t: f64, before: &[Step]) -> Option<Cause> {
    let last = before.iter().rev().find(|step| step.action != Action::Navigate && step.action != Action::Scroll)?;
    if t - last.t_end > CAUSE_SECS {
        return None;
    }
    let text = |step: &Step| step.target.as_ref().and_then(|target| target.text.clone()).unwrap_or_default();
    match last.action {
        Action::Click => Some(match text(last).as_str() {
            "Back" | "Forward" => Cause::Back,
            "Reload" => Cause::Reload,
            _ if is_tab(last.target.as_ref()) => Cause::Tab,
            _ => Cause::Link,
        }),
        Action::Key => match last.key.as_deref()? {
            "Enter" => {
                let typed = before.iter().rev().find(|step| step.action == Action::Type);
                let in_address = typed.is_some_and(|step| text(step).starts_with("Address"));
                Some(if in_address { Cause::Address } else { Cause::Form })
            }
            "Alt+ArrowLeft" | "Alt+ArrowRight" | "Backspace" => Some(Cause::Back),
            "F5" | "Ctrl+r" | "Ctrl+Shift+R" => Some(Cause::Reload),
            "Ctrl+Tab" | "Ctrl+Shift+Tab" | "Ctrl+t" | "Ctrl+w" => Some(Cause::Tab),
            _ => None,
        },
        _ => None,
    }
}

fn is_tab(target: Option<&Target>) -> bool {
    target.and_then(|target| target.role.as_deref()) == Some("tab")
}

/// A window's title without the browser's own name behind it.
pub(super) fn page_title(title: &str) -> String {
    const BROWSERS: [&str; 8] =
        ["Chromium", "Google Chrome", "Mozilla Firefox", "Microsoft Edge", "Brave", "Opera", "Vivaldi", "Safari"];
    for separator in [" - ", " — ", " – "] {
        if let Some((page, browser)) = title.rsplit_once(separator)
            && BROWSERS.iter().any(|name| browser.trim().ends_with(name))
        {
            return page.trim().to_owned();
        }
    }
    title.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::page_title;

    #[test]
    fn a_title_loses_the_browser_and_nothing_else() {
        for (title, page) in [
            ("RunX Running Shoe | Store - Chromium", "RunX Running Shoe | Store"),
            ("Shop — Mozilla Firefox", "Shop"),
            ("Shoes - Size 42", "Shoes - Size 42"),
        ] {
            assert_eq!(page_title(title), page);
        }
    }
}
