//! What is the same in all lines about a rule set, as JSON text written once.

use crate::expr::format;
use crate::model::action::Mode;
use crate::ruleset::types::{Rule, RuleSet};
use crate::wire::write_json_string;

/// Constant parts of decision lines.
#[derive(Debug)]
pub struct Phrases {
    /// Per rule: the head of a hit, up to its values.
    pub hits: Vec<Vec<u8>>,
    /// From the end of the covering locks on.
    pub end: Vec<u8>,
    /// From the score on, where no rule fired and no lock covers.
    pub bare_end: Vec<u8>,
}

impl Phrases {
    /// The phrases of a rule set.
    pub fn new(rules: &RuleSet) -> Self {
        let mut end = b"],\"ruleset\":".to_vec();
        write_json_string(&mut end, &rules.id);
        let bare_end = [b",\"hits\":[],\"covered_by\":[", end.as_slice()].concat();
        Phrases { hits: rules.rules.iter().map(hit).collect(), end, bare_end }
    }
}

fn hit(rule: &Rule) -> Vec<u8> {
    let mut out = b"{\"rule\":".to_vec();
    write_json_string(&mut out, &rule.id);
    out.extend_from_slice(match rule.mode {
        Mode::Enforce => b",\"mode\":\"enforce\",\"action\":\"",
        Mode::Shadow => b",\"mode\":\"shadow\",\"action\":\"",
    });
    out.extend_from_slice(rule.action.name().as_bytes());
    out.extend_from_slice(b"\",\"score\":");
    format::write_int(&mut out, rule.score);
    out.extend_from_slice(b",\"values\":{");
    out
}
