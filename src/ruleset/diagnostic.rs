//! Diagnostics: what is wrong in a rule file, where, what was expected, and what to do.
//!
//! While loading, a fault is a [`Place`] in some source plus text ([`Faults`] collects them); only at the end are
//! byte offsets turned into lines and columns, and all faults sorted, so that their order depends on the files alone.

use std::ops::Range;

/// Whether a finding stops loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The rule set cannot be used.
    Error,
    /// The rule set works, but probably not as meant.
    Warning,
}

impl Severity {
    /// The severity's name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A piece of one file, with the text needed to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// File name as given.
    pub file: String,
    /// Line of the first character, from 1.
    pub line: usize,
    /// Column of the first character, from 1, in characters.
    pub column: usize,
    /// Length in characters, within the shown lines.
    pub length: usize,
    /// The lines the piece lies on, without the last line end; empty where there is nothing to show.
    pub excerpt: String,
    /// The piece within `excerpt`, in bytes.
    pub range: Range<usize>,
}

/// One finding in the rule files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable short name of the kind of finding.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    pub location: Location,
    /// What is wrong.
    pub message: String,
    /// What was expected instead.
    pub expected: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to it, each with a remark.
    pub others: Vec<(Location, String)>,
}

impl Diagnostic {
    /// An error about a whole file, for example one that cannot be read.
    pub fn of_file(code: &'static str, file: &str, message: String) -> Self {
        let location =
            Location { file: file.to_string(), line: 1, column: 1, length: 0, excerpt: String::new(), range: 0..0 };
        Diagnostic {
            code,
            severity: Severity::Error,
            location,
            message,
            expected: None,
            help: None,
            others: Vec::new(),
        }
    }

    /// With what was expected.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// With what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Sorts findings by file, line, column, then text.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| order_key(a).cmp(&order_key(b)));
}

fn order_key(diagnostic: &Diagnostic) -> (&str, usize, usize, Severity, &str) {
    let Location { file, line, column, .. } = &diagnostic.location;
    (file, *line, *column, diagnostic.severity, &diagnostic.message)
}

/// A piece of one source: index into the sources of [`Faults`], and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Index of the source.
    pub source: usize,
    /// Bytes of its text.
    pub range: Range<usize>,
}

/// A finding while loading, or after.
#[derive(Debug, Clone)]
pub struct Finding {
    code: &'static str,
    severity: Severity,
    place: Place,
    message: String,
    expected: Option<String>,
    help: Option<String>,
    others: Vec<(Place, String)>,
}

impl Finding {
    /// Adds what was expected.
    pub fn expected(&mut self, expected: impl Into<String>) -> &mut Self {
        self.expected = Some(expected.into());
        self
    }

    /// Adds what to do; `None` adds nothing.
    pub fn help(&mut self, help: impl Into<Option<String>>) -> &mut Self {
        self.help = help.into().or(self.help.take());
        self
    }

    /// Adds another place and what it is.
    pub fn other(&mut self, place: &Place, remark: &str) -> &mut Self {
        self.others.push((place.clone(), remark.to_string()));
        self
    }
}

/// A source by value, with the offsets of its lines.
#[derive(Debug, Clone)]
struct Source {
    path: String,
    text: String,
    line_starts: Vec<usize>,
}

/// The sources read so far and what was found in them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    sources: Vec<Source>,
    findings: Vec<Finding>,
}

impl Faults {
    /// Adds a source and returns its index.
    pub fn add_source(&mut self, path: &str, text: &str) -> usize {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.sources.push(Source { path: path.to_string(), text: text.to_string(), line_starts });
        self.sources.len() - 1
    }

    /// The same sources, and nothing found in them.
    pub fn sources_only(&self) -> Faults {
        Faults { sources: self.sources.clone(), findings: Vec::new() }
    }

    /// The path of the file a place is in.
    pub fn path(&self, place: &Place) -> &str {
        &self.sources[place.source].path
    }

    /// The text of a place.
    pub fn text(&self, place: &Place) -> &str {
        self.sources[place.source].text.get(place.range.clone()).unwrap_or("")
    }

    /// Notes an error.
    pub fn error(&mut self, code: &'static str, place: &Place, message: impl Into<String>) -> &mut Finding {
        self.note(Severity::Error, code, place, message.into())
    }

    /// Notes a warning.
    pub fn warning(&mut self, code: &'static str, place: &Place, message: impl Into<String>) -> &mut Finding {
        self.note(Severity::Warning, code, place, message.into())
    }

    fn note(&mut self, severity: Severity, code: &'static str, place: &Place, message: String) -> &mut Finding {
        let place = place.clone();
        let at = self.findings.len();
        self.findings.push(Finding { code, severity, place, message, expected: None, help: None, others: Vec::new() });
        &mut self.findings[at]
    }

    /// Whether there is an error among the findings.
    pub fn any_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The findings with lines and columns, sorted.
    pub fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        let findings = std::mem::take(&mut self.findings);
        let mut diagnostics: Vec<Diagnostic> = findings.into_iter().map(|finding| self.locate(finding)).collect();
        sort(&mut diagnostics);
        diagnostics.dedup();
        diagnostics
    }

    fn locate(&self, finding: Finding) -> Diagnostic {
        let others = finding.others.into_iter().map(|(place, remark)| (self.location(&place), remark)).collect();
        Diagnostic {
            code: finding.code,
            severity: finding.severity,
            location: self.location(&finding.place),
            message: finding.message,
            expected: finding.expected,
            help: finding.help,
            others,
        }
    }

    /// Line, column and excerpt of a place.
    pub(crate) fn location(&self, place: &Place) -> Location {
        let source = &self.sources[place.source];
        let text = source.text.as_str();
        let start = floor_char(text, place.range.start);
        let end = floor_char(text, place.range.end).max(start);
        let line = source.line_starts.partition_point(|&at| at <= start) - 1;
        let line_start = source.line_starts[line];
        let excerpt_end = text[end.max(line_start)..].find('\n').map_or(text.len(), |at| end + at);
        let mut excerpt = text[line_start..excerpt_end].trim_end_matches('\r').to_string();
        if excerpt.len() > LONGEST_EXCERPT {
            excerpt.clear();
        }
        let within = |at: usize| (at - line_start).min(excerpt.len());
        Location {
            file: source.path.clone(),
            line: line + 1,
            column: text[line_start..start].chars().count() + 1,
            length: text[start..end].chars().count(),
            range: within(start)..within(end),
            excerpt,
        }
    }
}

/// Longer lines are named but not shown, bytes.
const LONGEST_EXCERPT: usize = 4096;

/// The greatest character boundary not after `at`.
fn floor_char(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
