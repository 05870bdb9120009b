//! `lists:`: texts or networks, written in the rules or in a file beside them.

use super::canonical::{Canonical, Fields, texts};
use super::context::Context;
use super::diagnostic::Place;
use super::header::within_limit;
use super::keys::{LIST, names};
use super::merge::{Entry, Merged};
use super::read::{Keys, keys, sequence, shorten, text, word};
use crate::expr::lists::{CidrSet, List, parse_network};

/// Most lists.
const MAX_LISTS: usize = 1000;
/// Most entries of one list.
const MAX_ENTRIES: usize = 1_000_000;

/// Gives the text of a list file, by the path of the rule file and the name written there.
pub type ReadList<'a> = &'a dyn Fn(&str, &str) -> Result<String, String>;

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListKind {
    Text,
    Cidr,
}

/// Reads `lists:` into the graph; a list with faults is known, but empty.
pub fn read_lists(context: &mut Context, merged: &Merged, read_list: ReadList) -> Canonical {
    let mut canonical = Fields::default();
    for entry in within_limit(context, merged, "lists", MAX_LISTS) {
        check_name(context, entry);
        let list = read_one(context, entry, read_list).unwrap_or(List::of_texts(Vec::new()));
        canonical.put(&entry.key.text, canonical_list(&list));
        let id = context.graph.add_list(&entry.key.text, list);
        context.lists.insert(entry.key.text.clone(), id);
    }
    canonical.into()
}

/// List names stand in quotes in expressions, so they may hold more than other names.
fn check_name(context: &mut Context, entry: &Entry) {
    let name = &entry.key.text;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(good) {
        let message = format!("`{}` cannot be the name of a list", shorten(name));
        let finding = context.faults.error("bad-name", &entry.key.place, message);
        finding.expected("1 to 64 letters, digits, `_`, `-` or `.`");
    }
}

fn canonical_list(list: &List) -> Canonical {
    let (kind, values) = match list {
        List::Text(values) => ("string", texts(values)),
        List::Cidr(set) => ("cidr", texts(set.ranges().iter().map(|(first, last)| format!("{first:x}-{last:x}")))),
    };
    let mut fields = Fields::default();
    fields.put("kind", kind);
    fields.put("values", values);
    fields.into()
}

fn read_one(context: &mut Context, entry: &Entry, read_list: ReadList) -> Option<List> {
    let faults = &mut context.faults;
    let keys = keys(faults, &entry.node, &entry.key.place, &names(&LIST))?;
    let kind = keys.must(faults, "kind");
    let kind = kind.and_then(|node| word(faults, node, &[("string", ListKind::Text), ("cidr", ListKind::Cidr)]));
    let values = match (keys.get("values"), keys.get("file")) {
        (Some(_), None) => read_values(context, &keys),
        (None, Some(_)) => read_file(context, &keys, read_list),
        (Some(_), Some(file)) => {
            let finding = faults.error("conflicting-keys", &file.place, "a list with both `values` and `file`");
            finding.expected("exactly one of `values` and `file`");
            None
        }
        (None, None) => {
            let finding = faults.error("missing-key", &keys.place, "a list without `values` or `file`");
            finding.expected("exactly one of `values` and `file`");
            None
        }
    }?;
    if let Some((_, place)) = values.get(MAX_ENTRIES) {
        let finding = context.faults.error("limit", place, "too many entries");
        finding.expected(format!("at most {MAX_ENTRIES} entries in a list"));
        return None;
    }
    match kind? {
        ListKind::Text => Some(List::of_texts(values.into_iter().map(|(value, _)| value).collect())),
        ListKind::Cidr => networks(context, &values),
    }
}

fn networks(context: &mut Context, values: &[(String, Place)]) -> Option<List> {
    let mut ranges = Vec::with_capacity(values.len());
    for (value, place) in values {
        match parse_network(value) {
            Ok(range) => ranges.push(range),
            Err(message) => {
                context.faults.error("bad-value", place, message).expected("an IP network such as `10.0.0.0/8`");
            }
        }
    }
    (ranges.len() == values.len()).then(|| List::Cidr(CidrSet::new(ranges)))
}

fn read_values(context: &mut Context, keys: &Keys) -> Option<Vec<(String, Place)>> {
    let faults = &mut context.faults;
    let nodes = sequence(faults, keys.get("values")?)?;
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes {
        if let Some(value) = text(faults, node, "a text") {
            values.push((value.to_string(), node.place.clone()));
        }
    }
    (values.len() == nodes.len()).then_some(values)
}

/// One entry per line; blank lines and lines starting with `#` are passed over, and what follows a ` #`.
fn read_file(context: &mut Context, keys: &Keys, read_list: ReadList) -> Option<Vec<(String, Place)>> {
    let node = keys.get("file")?;
    let name = text(&mut context.faults, node, "a file name")?.to_string();
    let content = match read_list(context.faults.path(&node.place), &name) {
        Ok(content) => content,
        Err(message) => {
            let finding = context.faults.error("unreadable", &node.place, message);
            finding.help("the path is relative to the rule file".to_string());
            return None;
        }
    };
    let source = context.faults.add_source(&name, &content);
    let mut values = Vec::new();
    let mut start = 0;
    for line in content.split_inclusive('\n') {
        let value = entry_of(line);
        if !value.is_empty() {
            let at = start + line.len() - line.trim_start().len();
            values.push((value.to_string(), Place { source, range: at..at + value.len() }));
        }
        start += line.len();
    }
    Some(values)
}

fn entry_of(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with([' ', '\t']));
    comment.map_or(line, |(at, _)| line[..at].trim_end())
}
