//! Typed reading of single keys: from the environment, else from the file, else the default.
//!
//! All three are nodes with a place, the variable's being its own little file by its name, so that one way of reading
//! and of reporting serves them all.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::key::{ALL, Key, names_in, top_level};
use super::secret::masked_variable;
use super::size::{SIZE_FORM, parse_size, write_size};
use crate::model::time::{duration_text, parse_duration};
use crate::ruleset::diagnostic::{Faults, Place};
use crate::ruleset::read::{DURATION_FORM, bad_value, integer, keys, one_or_many, shorten, text, word};
use crate::ruleset::suggest::did_you_mean;
use crate::ruleset::yaml::{Kind, Node, Style};

/// What variables of ours begin with.
const PREFIX: &str = "LOCKKEEPER_";
/// What variables for librdkafka properties begin with.
pub const PROPERTY_PREFIX: &str = "LOCKKEEPER_KAFKA_PROPERTIES_";

/// A key's value and where relative paths in it start.
pub struct Found {
    /// The value.
    pub node: Node,
    /// Whether it is the built-in default.
    pub is_default: bool,
    /// Directory that relative paths start from.
    base: PathBuf,
}

impl Found {
    /// A path named in this value.
    pub fn relative(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }
}

/// All values that were given, and the faults found so far.
pub struct Settings<'a> {
    /// What is wrong.
    pub faults: Faults,
    /// The environment.
    pub variables: &'a BTreeMap<String, String>,
    /// The file's directory.
    directory: PathBuf,
    /// Where a missing key is reported.
    root: Place,
    sections: BTreeMap<&'static str, Place>,
    written: BTreeMap<(&'static str, &'static str), Node>,
}

impl<'a> Settings<'a> {
    /// Sorts the file's values by key; unknown keys are faults.
    pub fn new(
        mut faults: Faults,
        source: usize,
        tree: Option<&Node>,
        directory: &Path,
        variables: &'a BTreeMap<String, String>,
    ) -> Settings<'a> {
        let root = Place { source, range: 0..0 };
        let (mut sections, mut written) = (BTreeMap::new(), BTreeMap::new());
        let top = tree.and_then(|tree| keys(&mut faults, tree, &root, &top_level()));
        for name in top_level() {
            let Some(node) = top.as_ref().and_then(|top| top.get(name)) else { continue };
            let names = names_in(name);
            if names.is_empty() {
                written.insert(("", name), node.clone());
                continue;
            }
            let place = top.as_ref().and_then(|top| top.key_place(name)).unwrap_or(&root).clone();
            sections.insert(name, place.clone());
            // A section whose keys are all commented out is an empty one.
            if matches!(node.kind, Kind::Null) {
                continue;
            }
            let Some(section) = keys(&mut faults, node, &place, &names) else { continue };
            for key in names {
                if let Some(node) = section.get(key) {
                    written.insert((name, key), node.clone());
                }
            }
        }
        Settings { faults, variables, directory: directory.to_path_buf(), root, sections, written }
    }

    /// A variable that is nearly one of ours is a warning: other programs' variables may begin like ours. Those of
    /// `flags` are ours.
    pub fn warn_of_near_variables(&mut self, flags: &[String]) {
        let known: Vec<String> = ALL.iter().map(|key| key.variable()).chain(flags.iter().cloned()).collect();
        let of_properties = |name: &str| name.starts_with(PROPERTY_PREFIX);
        for name in self.variables.keys().filter(|name| name.starts_with(PREFIX) && !of_properties(name)) {
            let help = did_you_mean(name, known.iter().map(String::as_str));
            if known.contains(name) || help.is_none() {
                continue;
            }
            let source = self.faults.add_source(name, "");
            let place = Place { source, range: 0..0 };
            let message = format!("the environment variable `{name}` sets nothing");
            self.faults.warning("unknown-variable", &place, message).help(help);
        }
    }

    /// Where the file begins.
    pub fn top(&self) -> Place {
        self.root.clone()
    }

    /// The value of a key; a fault where none is given and none is the default.
    pub fn find(&mut self, key: &Key) -> Option<Found> {
        if let Some(value) = self.variables.get(&key.variable()).filter(|value| !value.is_empty()) {
            let node = self.node_of_text(&key.variable(), value);
            return Some(Found { node, is_default: false, base: PathBuf::new() });
        }
        if let Some(node) = self.written.get(&(key.section, key.name)) {
            return Some(Found { node: node.clone(), is_default: false, base: self.directory.clone() });
        }
        let Some(default) = key.default else {
            self.missing(key);
            return None;
        };
        let node = self.node_of_text(&format!("default of {}", key.path()), default);
        Some(Found { node, is_default: true, base: self.directory.clone() })
    }

    fn node_of_text(&mut self, name: &str, text: &str) -> Node {
        let source = self.faults.add_source(name, &masked_variable(text));
        let place = Place { source, range: 0..text.len() };
        Node { place, kind: Kind::Scalar(text.to_string(), Style::Plain) }
    }

    fn missing(&mut self, key: &Key) {
        let place = self.sections.get(key.section).unwrap_or(&self.root).clone();
        let message = format!("`{}` is missing", key.path());
        let help = format!("add it, or set {}: {}", key.variable(), key.help);
        self.faults.error("missing-key", &place, message).help(help);
    }

    /// Text that is not empty; the default may be.
    pub fn text(&mut self, key: &Key) -> Option<(String, Place)> {
        let found = self.find(key)?;
        let value = text(&mut self.faults, &found.node, "text")?.to_string();
        if value.is_empty() && !found.is_default {
            bad_value(&mut self.faults, &found.node, "this is empty".to_string(), "text");
            return None;
        }
        Some((value, found.node.place))
    }

    /// Texts, each with its place.
    pub fn texts(&mut self, key: &Key) -> Option<Vec<(String, Place)>> {
        let (elements, _) = self.elements(key)?;
        Some(elements)
    }

    /// The texts of a list with the directory that relative paths start from.
    fn elements(&mut self, key: &Key) -> Option<(Vec<(String, Place)>, PathBuf)> {
        let found = self.find(key)?;
        let from_file = found.node.place.source == self.root.source;
        let nodes = if from_file { one_or_many(&found.node).to_vec() } else { split_at_commas(&found.node) };
        let mut elements = Vec::new();
        for node in &nodes {
            let value = text(&mut self.faults, node, "text")?;
            if value.is_empty() {
                bad_value(&mut self.faults, node, "this is empty".to_string(), "text");
                return None;
            }
            elements.push((value.to_string(), node.place.clone()));
        }
        if elements.is_empty() && key.default.is_none() {
            bad_value(&mut self.faults, &found.node, format!("`{}` is empty", key.path()), "at least one");
            return None;
        }
        Some((elements, found.base))
    }

    /// A path; a relative one in the file starts from the file's directory.
    pub fn path(&mut self, key: &Key) -> Option<PathBuf> {
        let found = self.find(key)?;
        let value = text(&mut self.faults, &found.node, "a path")?;
        if value.is_empty() {
            bad_value(&mut self.faults, &found.node, "this is empty".to_string(), "a path");
            return None;
        }
        Some(found.relative(value))
    }

    /// Paths, as [`Settings::path`].
    pub fn paths(&mut self, key: &Key) -> Option<Vec<PathBuf>> {
        let (elements, base) = self.elements(key)?;
        Some(elements.into_iter().map(|(path, _)| base.join(path)).collect())
    }

    /// A duration within the key's range.
    pub fn duration(&mut self, key: &Key) -> Option<(Duration, Place)> {
        let node = self.find(key)?.node;
        let written = text(&mut self.faults, &node, DURATION_FORM)?;
        let value = match parse_duration(written) {
            Ok(value) => value,
            Err(error) => {
                let message = format!("`{}` is no duration: {error}", shorten(written));
                bad_value(&mut self.faults, &node, message, DURATION_FORM);
                return None;
            }
        };
        self.within(key, &node, value, duration_text)?;
        Some((Duration::from_millis(value.cast_unsigned()), node.place))
    }

    /// A size in bytes within the key's range.
    pub fn size(&mut self, key: &Key) -> Option<(usize, Place)> {
        let node = self.find(key)?.node;
        let written = text(&mut self.faults, &node, SIZE_FORM)?;
        let Some(value) = parse_size(written) else {
            let message = format!("`{}` is no size", shorten(written));
            bad_value(&mut self.faults, &node, message, SIZE_FORM);
            return None;
        };
        self.within(key, &node, value, write_size)?;
        Some((usize::try_from(value).ok()?, node.place))
    }

    /// A whole number within the key's range.
    pub fn count(&mut self, key: &Key) -> Option<usize> {
        let node = self.find(key)?.node;
        let value = integer(&mut self.faults, &node, key.range.0, key.range.1)?;
        usize::try_from(value).ok()
    }

    fn within(&mut self, key: &Key, node: &Node, value: i64, write: fn(i64) -> String) -> Option<()> {
        let (least, most) = key.range;
        if (least..=most).contains(&value) {
            return Some(());
        }
        let message = format!("`{}` is out of range", write(value));
        bad_value(&mut self.faults, node, message, &format!("{} to {}", write(least), write(most)));
        None
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, key: &Key, words: &[(&str, T)]) -> Option<T> {
        let node = self.find(key)?.node;
        word(&mut self.faults, &node, words)
    }

    /// An IP address with a port.
    pub fn address(&mut self, key: &Key) -> Option<SocketAddr> {
        let node = self.find(key)?.node;
        let expected = "an IP address and a port, such as `127.0.0.1:8464`, `0.0.0.0:8464` or `[::1]:8464`";
        let written = text(&mut self.faults, &node, expected)?;
        let address = written.parse::<SocketAddr>().ok();
        if address.is_none() {
            bad_value(&mut self.faults, &node, format!("`{}` is no address with a port", shorten(written)), expected);
        }
        address
    }
}

/// The parts of a text between commas, each with its place.
fn split_at_commas(node: &Node) -> Vec<Node> {
    let Kind::Scalar(value, style) = &node.kind else { return vec![node.clone()] };
    let mut nodes = Vec::new();
    let mut start = 0;
    for part in value.split(',').filter(|_| !value.is_empty()) {
        let from = start + part.len() - part.trim_start().len();
        let trimmed = part.trim();
        let place = Place { source: node.place.source, range: from..from + trimmed.len() };
        nodes.push(Node { place, kind: Kind::Scalar(trimmed.to_string(), *style) });
        start += part.len() + 1;
    }
    nodes
}
