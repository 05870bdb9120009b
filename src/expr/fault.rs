//! What is wrong with an expression: where, what was expected, what to do.

use std::ops::Range;

/// One fault of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The faulty term: bytes of the text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What was expected there.
    pub expected: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    /// A fault of a term.
    pub fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Fault { range, message: message.into(), expected: None, help: None }
    }

    /// Says what was expected.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Suggests the nearest of the known names, where one is near.
    pub fn nearest(mut self, name: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        if let Some(near) = nearest(name, known) {
            self.help = Some(format!("did you mean `{near}`?"));
        }
        self
    }
}

/// The known name that is nearest to a mistyped one; among equally near ones the first in byte order.
pub fn nearest(name: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    let folded = name.to_lowercase();
    let far = (name.chars().count() / 3).max(1);
    let distance = |candidate: &str| strsim::osa_distance(&folded, &candidate.to_lowercase());
    let near = known.into_iter().map(|candidate| (distance(candidate.as_ref()), candidate.as_ref().to_owned()));
    near.filter(|(distance, _)| *distance <= far).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_not() {
        let known = ["amount", "account", "type"];
        assert_eq!(nearest("ammount", known).as_deref(), Some("amount"));
        assert_eq!(nearest("tpye", known).as_deref(), Some("type"));
        assert_eq!(nearest("AMOUNT", known).as_deref(), Some("amount"));
        assert_eq!(nearest("velocity", known), None);
        assert_eq!(nearest("x", ["a", "b"]).as_deref(), Some("a"));
        assert_eq!(nearest("x", ["abc"]), None);
    }
}
