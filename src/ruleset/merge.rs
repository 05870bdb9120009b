//! Files -> sections: the entries of all files under each top-level key, in file order, no name twice.

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Faults, Place};
use super::keys::{SECTIONS, names};
use super::load::SourceFile;
use super::read::{keys, mapping, sequence};
use super::yaml::{self, Key, Kind, Node};

/// The merged files.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// The `ruleset:` mapping with its key's place.
    pub header: Option<(Place, Node)>,
    /// The elements of `types:`.
    pub types: Vec<Node>,
    /// Entries of the sections that are mappings, sorted by name.
    pub sections: BTreeMap<&'static str, BTreeMap<String, Entry>>,
    /// Whether a file could not be read, so that a name that is nowhere may well be in it.
    pub incomplete: bool,
    /// The first file's start.
    pub start: Option<Place>,
}

/// One entry of a section.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name and place.
    pub key: Key,
    /// What is defined.
    pub node: Node,
}

impl Merged {
    /// The entries of a section, sorted by name.
    pub fn section(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.sections.get(name).into_iter().flat_map(BTreeMap::values)
    }
}

/// Reads and merges the files.
pub fn merge(files: &[SourceFile], faults: &mut Faults) -> Merged {
    let mut merged = Merged::default();
    for file in files {
        let source = faults.add_source(&file.path, &file.text);
        let start = Place { source, range: 0..0 };
        merged.start.get_or_insert(start.clone());
        match yaml::parse(source, &file.text, faults) {
            Some(Node { kind: Kind::Null, .. }) | None => merged.lack(&file.text, &start, faults),
            Some(root) => merged.add_file(&root, faults),
        }
    }
    merged
}

impl Merged {
    /// A file without content: said unless a fault of syntax has been.
    fn lack(&mut self, text: &str, start: &Place, faults: &mut Faults) {
        let blank = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        if blank {
            faults.error("empty-file", start, "this file defines nothing").help("fill it or remove it".to_string());
        } else {
            self.incomplete = true;
        }
    }

    fn add_file(&mut self, root: &Node, faults: &mut Faults) {
        if keys(faults, root, &root.place, &names(&SECTIONS)).is_none() {
            self.incomplete = true;
            return;
        }
        for (key, node) in mapping(faults, root).unwrap_or_default() {
            let Some(section) = SECTIONS.iter().find(|section| section.name == key.text) else { continue };
            if matches!(node.kind, Kind::Null) {
                continue;
            }
            match section.name {
                "ruleset" => self.add_header(key, node, faults),
                "types" => self.types.extend(sequence(faults, node).unwrap_or_default().iter().cloned()),
                section => self.add_section(section, node, faults),
            }
        }
    }

    fn add_header(&mut self, key: &Key, node: &Node, faults: &mut Faults) {
        if let Some((first, _)) = &self.header {
            faults
                .error("duplicate-name", &key.place, "a second `ruleset:`")
                .other(first, "first here")
                .help("keep one; all files together are one rule set".to_string());
            return;
        }
        self.header = Some((key.place.clone(), node.clone()));
    }

    fn add_section(&mut self, section: &'static str, node: &Node, faults: &mut Faults) {
        let entries = self.sections.entry(section).or_default();
        for (key, node) in mapping(faults, node).unwrap_or_default() {
            match entries.get(&key.text) {
                Some(first) => {
                    faults
                        .error("duplicate-name", &key.place, format!("`{}` is defined twice", key.text))
                        .other(&first.key.place, "first here");
                }
                None => {
                    entries.insert(key.text.clone(), Entry { key: key.clone(), node: node.clone() });
                }
            }
        }
    }
}

/// The diagnostic for a load without any file.
pub fn nothing_to_load() -> Diagnostic {
    Diagnostic::of_file("no-files", "-", "no rule files were given".to_string())
        .help("name a file or a directory with `*.yaml` files")
}
