//! Syntax.
pub struct Syntax;
