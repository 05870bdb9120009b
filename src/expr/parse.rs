//! Parse.
use super::{fault::Fault, syntax::Syntax};
pub fn parse(_text: &str) -> Result<Syntax, Vec<Fault>> {
    Ok(Syntax)
}
