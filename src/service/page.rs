//! The status page for people: one template without scripts or anything from elsewhere, filled in from a [`Report`].
//!
//! Whatever comes from events or files is escaped on its way in, and the template is walked once, so that what is
//! filled in is never taken for a place to fill in.

use std::fmt::Write;

use super::report::{LockNotice, PartitionReport, Report, RuleReport, timestamp};

const TEMPLATE: &str = include_str!("status.html");

/// The page.
pub fn render(report: &Report) -> String {
    let mut page = String::with_capacity(TEMPLATE.len() + 8192);
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(before);
        page.push_str(&part(report, name));
        rest = after;
    }
    page.push_str(rest);
    page
}

/// What stands for a name of the template.
fn part(report: &Report, name: &str) -> String {
    match name {
        "state" => escape(report.state),
        "reason" => escape(report.reason.as_deref().unwrap_or_default()),
        "rule_set" => escape(&report.rule_set),
        "version" => escape(report.version),
        "uptime" => length(report.uptime_seconds),
        "figures" => figures(report),
        "locks" => locks(&report.recent_locks),
        "rules" => rules(&report.top_rules),
        "partitions" => partitions(&report.partitions),
        _ => String::new(),
    }
}

fn figures(report: &Report) -> String {
    let lag: u64 = report.partitions.iter().map(|partition| partition.lag).sum();
    let rejected: u64 = report.rejected.values().sum();
    let snapshot = report.snapshot.as_ref().map_or("none".to_string(), |snapshot| {
        format!("{} MiB, {} ago", group(snapshot.bytes.div_ceil(1 << 20)), length(snapshot.age_seconds))
    });
    let mut figures = vec![
        ("records per second", group(report.records_per_second.round() as u64)),
        ("flagged per second", format!("{:.1}", report.flagged_per_second)),
        ("records behind", group(lag)),
        ("active locks", group(report.active_locks)),
        ("records", group(report.records)),
        ("rejected", group(rejected)),
    ];
    let decided = |action: &str| report.decisions.get(action).copied().unwrap_or(0);
    for (name, action) in [
        ("locked", "lock"),
        ("denied", "deny"),
        ("challenged", "challenge"),
        ("alerted", "alert"),
        ("allowed", "allow"),
    ] {
        figures.push((name, group(decided(action))));
    }
    let mut text = String::new();
    for (name, value) in figures.iter().chain([&("newest snapshot", snapshot)]) {
        let _ = write!(text, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    text
}

/// A column: its head, and the class of its cells.
type Column = (&'static str, &'static str);

fn locks(locks: &[LockNotice]) -> String {
    const COLUMNS: [Column; 6] = [
        ("transition", "word"),
        ("target", "target"),
        ("rule", ""),
        ("reason", ""),
        ("from, UTC", "time"),
        ("until, UTC", "time"),
    ];
    let row = |lock: &LockNotice| {
        let target: Vec<String> = lock.target.iter().map(|(name, value)| format!("{name} {value}")).collect();
        vec![
            lock.transition.replace('_', " "),
            target.join(", "),
            lock.rule.clone(),
            lock.reason.clone().unwrap_or_default(),
            time(lock.start),
            lock.end.map_or("without end".to_string(), time),
        ]
    };
    table("stack", &COLUMNS, locks.iter().map(row), "None yet.")
}

fn rules(rules: &[RuleReport]) -> String {
    const COLUMNS: [Column; 4] = [("rule", ""), ("mode", ""), ("fired", "number"), ("undecided", "number")];
    let row =
        |rule: &RuleReport| vec![rule.rule.clone(), rule.mode.to_string(), group(rule.hits), group(rule.undecided)];
    table("", &COLUMNS, rules.iter().map(row), "No rule set is loaded yet.")
}

fn partitions(partitions: &[PartitionReport]) -> String {
    const COLUMNS: [Column; 3] = [("topic", ""), ("partition", "number"), ("records behind", "number")];
    let row = |at: &PartitionReport| vec![at.topic.clone(), at.partition.to_string(), group(at.lag)];
    table("", &COLUMNS, partitions.iter().map(row), "None is assigned yet.")
}

/// A table of texts; `class` is that of the table, `none` stands for no rows.
fn table(class: &str, columns: &[Column], rows: impl Iterator<Item = Vec<String>>, none: &str) -> String {
    let row = |cells: Vec<String>| {
        let cell = |((name, class), text): (&Column, String)| {
            format!("<td class=\"{class}\" data-name=\"{}\">{}</td>", escape(name), escape(&text))
        };
        let cells: String = columns.iter().zip(cells).map(cell).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.map(row).collect();
    if rows.is_empty() {
        return format!("<p class=\"dim\">{}</p>", escape(none));
    }
    let head = |(name, class): &Column| format!("<th scope=\"col\" class=\"{class}\">{}</th>", escape(name));
    let heads: String = columns.iter().map(head).collect();
    format!(
        "<div class=\"table\"><table class=\"{class}\"><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table></div>"
    )
}

/// A time to the second, UTC.
fn time(ms: i64) -> String {
    let text = timestamp(ms);
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// Text as it may stand in an element or a quoted attribute; control and bidirectional characters become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                escaped.push('\u{FFFD}');
            }
            other if other.is_control() => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A number with its digits in groups of three.
fn group(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202F}');
        }
        text.push(digit);
    }
    text
}

/// A length of time in its two greatest units.
fn length(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::TransitionKind;
    use crate::service::health::State;
    use crate::service::status::Status;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let status = Status::default();
        let target = vec![("account".to_string(), "<script>alert(1)</script>{{version}}".to_string())];
        let mut notice = LockNotice::new(TransitionKind::Locked, "r\"'&", target, 0, None);
        notice.reason = Some("\u{202E}a\u{7}".to_string());
        status.push_lock(notice);
        status.set_lag("<b>", 0, 1_234_567);
        let page = render(&status.report(&State::Refused { why: "<i>".to_string() }));
        for part in [
            "&lt;script&gt;alert(1)&lt;/script&gt;{{version}}",
            "r&quot;&#39;&amp;",
            "\u{FFFD}a\u{FFFD}",
            "&lt;b&gt;",
            "1\u{202F}234\u{202F}567",
            "&lt;i&gt;",
            "without end",
            "class=\"state refused\"",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        assert!(!page.contains("<script") && !page.contains("<i>") && !page.contains("<b>"));
    }

    #[test]
    fn an_empty_page_says_what_is_missing() {
        let page = render(&Status::default().report(&State::Live));
        assert!(page.contains("None yet.") && page.contains("No rule set") && page.contains("None is assigned"));
        assert!(!page.contains("{{"), "{page}");
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn numbers_and_times_are_for_people() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1\u{202F}000"), (1_000_000, "1\u{202F}000\u{202F}000")]
        {
            assert_eq!(group(number), expected);
        }
        for (seconds, expected) in [(5, "5 s"), (65, "1 min"), (3_700, "1 h 1 min"), (200_000, "2 d 7 h")] {
            assert_eq!(length(seconds), expected);
        }
    }
}
