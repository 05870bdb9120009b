//! What is the same in all lines about a rule set, as JSON text written once.

use crate::expr::format;
use crate::model::action::{Action, Mode};
use crate::ruleset::types::{Rule, RuleSet};
use crate::wire::write_json_string;

/// Constant parts of decision lines.
#[derive(Debug)]
pub struct Phrases {
    /// Per rule: the head of a hit, up to its values.
    pub hits: Vec<Vec<u8>>,
    /// Per action: from the end of the time to the score.
    pub actions: [Vec<u8>; Action::ALL.len()],
    /// From the end of the covering locks to the end of the line.
    pub end: Vec<u8>,
    /// From the end of the time to the end of the line: an event that is allowed with score 0 by no rule and no lock.
    pub bare_end: Vec<u8>,
}

impl Phrases {
    /// The phrases of a rule set.
    pub fn new(rules: &RuleSet) -> Self {
        let mut end = b"],\"ruleset\":".to_vec();
        write_json_string(&mut end, &rules.id);
        end.extend_from_slice(b"}\n");
        let actions = Action::ALL.map(|(_, name)| format!("\",\"action\":\"{name}\",\"score\":").into_bytes());
        let bare_end = [&actions[Action::Allow as usize], b"0,\"hits\":[],\"covered_by\":[".as_slice(), &end].concat();
        Phrases { hits: rules.rules.iter().map(hit).collect(), actions, end, bare_end }
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
