//! Diagnostics as text with carets for people, and as JSON for programs.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Location, Severity};

/// Width at which long lines are cut; fixed, so that the text does not depend on the terminal.
const WIDTH: usize = 140;

/// All diagnostics for people, one blank line between two; with `colour`, ANSI styles.
pub fn render_human(diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let rendered = renderer.render(&[group(diagnostic)]);
        rendered.lines().for_each(|line| {
            text.push_str(line.trim_end());
            text.push('\n');
        });
        text.push('\n');
    }
    text
}

/// One diagnostic as title, snippets, and notes.
fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let first = &diagnostic.location;
    let (beside, elsewhere): (Vec<&Remark>, Vec<&Remark>) =
        diagnostic.others.iter().partition(|(other, _)| other.file == first.file && other.excerpt == first.excerpt);
    let mut group = place(Group::with_title(title), first, AnnotationKind::Primary, "", &beside);
    for (location, remark) in elsewhere {
        group = place(group, location, AnnotationKind::Context, remark, &[]);
    }
    if let Some(expected) = &diagnostic.expected {
        group = group.element(Level::NOTE.message(format!("expected {expected}")));
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// Another place of a diagnostic, and what it is.
type Remark = (Location, String);

/// A snippet of one place, with others on the same lines, or only its position where there is nothing to show.
fn place<'a>(
    group: Group<'a>,
    location: &'a Location,
    kind: AnnotationKind,
    remark: &'a str,
    beside: &[&'a Remark],
) -> Group<'a> {
    if location.excerpt.trim().is_empty() {
        let origin = Origin::path(location.file.as_str()).line(location.line).char_column(location.column);
        return group.element(origin);
    }
    let annotate = |kind: AnnotationKind, location: &Location, remark: &'a str| {
        let annotation = kind.span(location.range.clone());
        if remark.is_empty() { annotation } else { annotation.label(remark) }
    };
    let others = beside.iter().map(|(other, remark)| annotate(AnnotationKind::Context, other, remark));
    let snippet = Snippet::source(location.excerpt.as_str()).line_start(location.line).path(location.file.as_str());
    group.element(snippet.annotation(annotate(kind, location, remark)).annotations(others))
}

/// All diagnostics as one JSON array with a line end; every object has the same keys.
pub fn render_json(diagnostics: &[Diagnostic]) -> String {
    let list: Vec<Value> = diagnostics.iter().map(object).collect();
    format!("{:#}\n", Value::Array(list))
}

fn object(diagnostic: &Diagnostic) -> Value {
    let others: Vec<Value> = diagnostic.others.iter().map(|(at, remark)| position(at, Some(remark))).collect();
    let mut object = position(&diagnostic.location, None);
    object["code"] = json!(diagnostic.code);
    object["severity"] = json!(diagnostic.severity.name());
    object["message"] = json!(diagnostic.message);
    object["expected"] = json!(diagnostic.expected);
    object["help"] = json!(diagnostic.help);
    object["others"] = Value::Array(others);
    object
}

fn position(location: &Location, remark: Option<&str>) -> Value {
    let mut object = json!({
        "file": location.file, "line": location.line, "column": location.column, "length": location.length,
    });
    if let Some(remark) = remark {
        object["message"] = json!(remark);
    }
    object
}
