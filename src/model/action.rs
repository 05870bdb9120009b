//! What is done with an event, and whether a rule's firing counts: words that rules, decisions and output share.

/// What is done with an event, in rising severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Action {
    /// Go on.
    #[default]
    Allow,
    /// Go on, tell somebody.
    Alert,
    /// Ask for another factor.
    Challenge,
    /// Refuse.
    Deny,
    /// Refuse and lock.
    Lock,
}

impl Action {
    /// All actions with their names, in rising severity.
    pub const ALL: [(Action, &'static str); 5] = [
        (Action::Allow, "allow"),
        (Action::Alert, "alert"),
        (Action::Challenge, "challenge"),
        (Action::Deny, "deny"),
        (Action::Lock, "lock"),
    ];

    /// The name in rules and output.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// Whether a rule's firing has effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Scores and acts.
    Enforce,
    /// Is reported only.
    Shadow,
}
