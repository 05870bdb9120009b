//! Check.
use super::{Compiled, Scope, fault::Fault, graph::Graph, syntax::Syntax};
pub fn check(_s: &Syntax, _len: usize, _scope: &dyn Scope, _graph: &mut Graph) -> Result<Compiled, Vec<Fault>> {
    Err(vec![])
}
