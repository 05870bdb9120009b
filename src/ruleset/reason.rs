//! `reason:`: templates per language, cut into text and values when loaded.

use super::canonical::Canonical;
use super::context::Context;
use super::read::{bad_value, mapping, shorten, text};
use super::scalar::inside;
use super::suggest::did_you_mean;
use super::types::ReasonPart;
use super::yaml::Node;

/// Longest template, bytes.
const MAX_TEMPLATE: usize = 2000;

/// Templates by language, in the order written.
pub type Reasons = Vec<(String, Vec<ReasonPart>)>;

/// Reads the templates; faults are noted and their templates left out.
pub fn read_reason(context: &mut Context, node: &Node) -> (Reasons, Canonical) {
    let mut reasons = Vec::new();
    let mut canonical = Vec::new();
    for (key, node) in mapping(&mut context.faults, node).unwrap_or_default() {
        if !is_language(&key.text) {
            let message = format!("`{}` is no language", shorten(&key.text));
            context.faults.error("bad-name", &key.place, message).expected("a language tag such as `en` or `zh-Hans`");
        }
        let Some(template) = text(&mut context.faults, node, "a text") else { continue };
        if template.len() > MAX_TEMPLATE {
            let message = format!("a text of {} bytes", template.len());
            bad_value(&mut context.faults, node, message, &format!("at most {MAX_TEMPLATE} bytes"));
            continue;
        }
        reasons.push((key.text.clone(), parts(context, node, template)));
        // The order of languages is the order in the output, so it is part of the meaning.
        canonical.push(Canonical::List(vec![key.text.as_str().into(), template.into()]));
    }
    (reasons, Canonical::List(canonical))
}

/// Letters, digits and hyphens, starting with two or more letters.
fn is_language(text: &str) -> bool {
    let mut subtags = text.split('-');
    let first = subtags.next().unwrap_or("");
    let primary = (2..=8).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    primary && subtags.all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Cuts a template: `{name}` is a value, `{{` a brace, `}` itself.
fn parts(context: &mut Context, node: &Node, template: &str) -> Vec<ReasonPart> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(open) = template[at..].find('{').map(|offset| at + offset) {
        literal.push_str(&template[at..open]);
        if template[open + 1..].starts_with('{') {
            literal.push('{');
            at = open + 2;
            continue;
        }
        let Some(close) = template[open..].find('}').map(|offset| open + offset) else {
            let place = inside(&context.faults, node, open..open + 1);
            let finding = context.faults.error("bad-template", &place, "this brace is never closed");
            finding.help("write `{{` for a brace that is text".to_string());
            return parts;
        };
        push_text(&mut parts, &mut literal);
        parts.extend(value(context, node, (open + 1, close), &template[open + 1..close]));
        at = close + 1;
    }
    literal.push_str(&template[at..]);
    push_text(&mut parts, &mut literal);
    parts
}

fn push_text(parts: &mut Vec<ReasonPart>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(ReasonPart::Text(std::mem::take(literal)));
    }
}

/// The value a name in braces stands for.
fn value(context: &mut Context, node: &Node, (start, end): (usize, usize), name: &str) -> Option<ReasonPart> {
    if let Some(named) = context.resolve(name) {
        return Some(ReasonPart::Value(named));
    }
    if !context.is_excused(name) {
        let help = did_you_mean(name, context.known_names());
        let range = if start < end { start..end } else { start - 1..end + 1 };
        let place = inside(&context.faults, node, range);
        let message = format!("unknown name `{}`", shorten(name));
        let finding = context.faults.error("unknown-name", &place, message);
        finding
            .expected("the name of a feature, derived value or event field; `{{` for a brace that is text")
            .help(help);
    }
    None
}
