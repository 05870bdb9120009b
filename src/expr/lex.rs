//! Lex.
use std::collections::BTreeSet;
pub fn names(_text: &str) -> BTreeSet<String> {
    BTreeSet::new()
}
