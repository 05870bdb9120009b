//! YAML text -> a tree in which every key and value knows its place.
//!
//! The tree is built from parser events rather than by deserialising into types, because a rule file's faults are to
//! be reported all at once and each with its exact place. Aliases are copied from their anchor within a budget.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span};

use super::diagnostic::{Faults, Place};

/// Deepest nesting of mappings and sequences.
const MAX_DEPTH: usize = 32;
/// Most nodes of one file, copies by aliases included.
const MAX_NODES: usize = 200_000;

/// How a scalar was written; decides how an offset in its value maps to its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    SingleQuoted,
    /// In double quotes.
    DoubleQuoted,
    /// A literal or folded block.
    Block,
}

/// A value.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it is written; of a mapping or sequence its first character.
    pub place: Place,
    /// What it holds.
    pub kind: Kind,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Nothing: an empty value, `~` or `null`.
    Null,
    /// Text; numbers and booleans are told apart where they are read.
    Scalar(String, Style),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys in the order written, none twice.
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it is written.
    pub place: Place,
}

impl Node {
    /// What the node is, in messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Scalar(..) => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }
}

/// A mapping or sequence still open.
struct Open {
    node: Node,
    key: Option<Key>,
    seen: BTreeMap<String, Place>,
    anchor: usize,
    /// Nodes read before it, to count its content.
    before: usize,
    is_key: bool,
}

/// Builds the tree of one file; reports what is not a plain single YAML document.
struct Builder<'a> {
    source: usize,
    faults: &'a mut Faults,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
}

/// Reads one file; `None` where it holds nothing or the syntax is wrong (a fault then says so).
pub fn parse(source: usize, text: &str, faults: &mut Faults) -> Option<Node> {
    let mut builder =
        Builder { source, faults, open: Vec::new(), anchors: BTreeMap::new(), nodes: 0, documents: 0, root: None };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.event(event, &span).ok()?,
            Err(error) => {
                syntax_fault(source, text, &error, builder.faults);
                return None;
            }
        }
    }
    builder.root
}

/// A fault for broken YAML, at the place the parser names.
fn syntax_fault(source: usize, text: &str, error: &ScanError, faults: &mut Faults) {
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let length = text[at..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let message = format!("this is not valid YAML: {}", error.info());
    let help = match error.kind() {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "text that holds `: ` belongs into quotes or a block: `key: |` and the text on the next line"
        }
        _ => "check the indentation (spaces only) and that every quote and bracket is closed",
    };
    faults.error("yaml-syntax", &Place { source, range: at..at + length }, message).help(help.to_string());
}

/// The file was given up; the fault is noted.
struct GivenUp;

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), GivenUp> {
        let place = Place { source: self.source, range: span.byte_range().unwrap_or(0..0) };
        if let Some(tag) = event.tag() {
            let message = format!("the YAML tag `{}` has no meaning here", tag.original());
            self.faults.error("yaml-tag", &place, message).help("leave the tag out".to_string());
        }
        let anchor = event.anchor_id().unwrap_or(0);
        match event {
            Event::DocumentStart(..) => self.document(&place),
            Event::Scalar(text, style, ..) => {
                let node = scalar(&text, style, place);
                self.keep(&node, anchor, 1);
                self.finish(node, 1)
            }
            Event::SequenceStart(..) => self.start(Kind::Sequence(Vec::new()), place, anchor),
            Event::MappingStart(..) => self.start(Kind::Mapping(Vec::new()), place, anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => self.alias(id, place),
            _ => Ok(()),
        }
    }

    fn document(&mut self, place: &Place) -> Result<(), GivenUp> {
        self.documents += 1;
        if self.documents > 1 {
            self.faults
                .error("yaml-documents", place, "a second YAML document in one file")
                .help("move it to a file of its own; files are merged".to_string());
            return Err(GivenUp);
        }
        Ok(())
    }

    fn start(&mut self, kind: Kind, place: Place, anchor: usize) -> Result<(), GivenUp> {
        if self.open.len() >= MAX_DEPTH {
            self.faults.error("limit", &place, format!("nested deeper than {MAX_DEPTH}"));
            return Err(GivenUp);
        }
        let is_key = self.expects_key();
        self.open.push(Open {
            node: Node { place, kind },
            key: None,
            seen: BTreeMap::new(),
            anchor,
            before: self.nodes,
            is_key,
        });
        Ok(())
    }

    /// Whether the next node is a key of the innermost mapping.
    fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.node.kind, Kind::Mapping(_)) && open.key.is_none())
    }

    fn end(&mut self) -> Result<(), GivenUp> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        if open.is_key {
            self.faults.error("wrong-type", &open.node.place, "a key must be a single value");
            return Err(GivenUp);
        }
        let size = self.nodes - open.before + 1;
        self.keep(&open.node, open.anchor, size);
        self.finish(open.node, 1)
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<(), GivenUp> {
        match self.anchors.get(&id).cloned() {
            Some((node, size)) => self.finish(node, size),
            None => {
                self.faults.error("yaml-syntax", &place, "an alias inside its own anchor");
                Err(GivenUp)
            }
        }
    }

    /// Keeps an anchored node of `size` nodes for its aliases.
    fn keep(&mut self, node: &Node, anchor: usize, size: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
    }

    /// Puts a complete node where it belongs: a key, a value, an element, or the root.
    fn finish(&mut self, node: Node, size: usize) -> Result<(), GivenUp> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            self.faults.error("limit", &node.place, format!("more than {MAX_NODES} values in one file"));
            return Err(GivenUp);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.kind {
            Kind::Sequence(elements) => elements.push(node),
            Kind::Mapping(entries) => match open.key.take() {
                None => open.key = key(node, self.faults),
                Some(key) => match open.seen.get(&key.text) {
                    Some(first) => twice(&key, first, self.faults),
                    None => {
                        open.seen.insert(key.text.clone(), key.place.clone());
                        entries.push((key, node));
                    }
                },
            },
            Kind::Null | Kind::Scalar(..) => {}
        }
        Ok(())
    }
}

/// A scalar node; a plain empty, `~` or `null` is nothing.
fn scalar(text: &str, style: ScalarStyle, place: Place) -> Node {
    let style = match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    };
    let is_null = style == Style::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
    Node { place, kind: if is_null { Kind::Null } else { Kind::Scalar(text.to_string(), style) } }
}

/// A node as a key; whatever is no text still occupies the place of a key.
fn key(node: Node, faults: &mut Faults) -> Option<Key> {
    let text = match node.kind {
        Kind::Scalar(text, _) => text,
        _ => faults.text(&node.place).to_string(),
    };
    if text == "<<" {
        faults
            .error("unknown-key", &node.place, "merge keys (`<<`) are not supported")
            .help("write the entries out".to_string());
    }
    Some(Key { text, place: node.place })
}

fn twice(key: &Key, first: &Place, faults: &mut Faults) {
    let message = format!("the key `{}` is written twice", key.text);
    faults.error("duplicate-key", &key.place, message).other(first, "first here");
}
