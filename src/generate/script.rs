//! How steps make a story: phases one after the other, each told a number of times, to one account or to many.
//!
//! Honest stories ([`super::honest`]) and attacks ([`super::pattern`]) are written alike, so a new one is a few lines
//! of data and no code elsewhere.

use super::step::Step;

/// Most phases of a script.
pub const PHASES: usize = 3;

/// Whose account a round of a phase is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    /// The account of the event before.
    Same,
    /// The one the story began with.
    Main,
    /// Another one in each round.
    Others,
    /// That of the same round of the phase before, with its order.
    Again,
}

/// Steps told a number of times.
#[derive(Debug)]
pub struct Phase {
    /// The steps, at least one.
    pub steps: &'static [Step],
    /// How many times, closed range, at least 1; with [`Cast::Again`] as often as the phase before.
    pub times: (u32, u32),
    /// To whom.
    pub cast: Cast,
}

impl Phase {
    /// Told once.
    pub const fn once(steps: &'static [Step]) -> Phase {
        Phase { steps, times: (1, 1), cast: Cast::Same }
    }

    /// Told again and again to the same account.
    pub const fn repeat(low: u32, high: u32, steps: &'static [Step]) -> Phase {
        Phase { steps, times: (low, high), cast: Cast::Same }
    }

    /// To whom.
    pub const fn cast(self, cast: Cast) -> Phase {
        Phase { cast, ..self }
    }
}

/// A story as data.
#[derive(Debug)]
pub struct Script {
    /// One to [`PHASES`].
    pub phases: &'static [Phase],
    /// Whether it needs a wallet that sends money between people and holds a balance.
    pub needs_balance: bool,
}

impl Script {
    /// A story any wallet can tell.
    pub const fn new(phases: &'static [Phase]) -> Script {
        Script { phases, needs_balance: false }
    }

    /// A story of money between people.
    pub const fn of_balances(phases: &'static [Phase]) -> Script {
        Script { phases, needs_balance: true }
    }

    /// All steps, each once.
    pub fn steps(&self) -> impl Iterator<Item = &'static Step> + use<> {
        self.phases.iter().flat_map(|phase| phase.steps)
    }

    /// Whether all of it is done by owners of accounts.
    pub fn is_by_owners(&self) -> bool {
        self.steps().all(|step| !step.who.is_intruder())
    }

    /// Whether a step is the attacker's: an intruder's, or any where the attack needs no intruder.
    pub fn is_act(&self, step: &Step) -> bool {
        step.who.is_intruder() || self.is_by_owners()
    }

    /// Whether any step does damage.
    pub fn does_damage(&self) -> bool {
        self.steps().any(|step| step.damages)
    }

    /// Whether rounds are gone through again, so that they must be remembered.
    pub fn returns(&self) -> bool {
        self.phases.iter().any(|phase| phase.cast == Cast::Again)
    }

    /// Number of events when the phases are told so often.
    pub fn len(&self, rounds: [u32; PHASES]) -> u32 {
        self.phases.iter().zip(rounds).map(|(phase, rounds)| phase.steps.len() as u32 * rounds).sum()
    }

    /// Number of the attacker's events.
    pub fn acts(&self, rounds: [u32; PHASES]) -> u32 {
        let acts = |phase: &Phase| phase.steps.iter().filter(|step| self.is_act(step)).count() as u32;
        self.phases.iter().zip(rounds).map(|(phase, rounds)| acts(phase) * rounds).sum()
    }

    /// The longest it can take, ms.
    pub fn longest(&self) -> i64 {
        let mut times = 1;
        let mut of_phase = |phase: &Phase| {
            times = if phase.cast == Cast::Again { times } else { phase.times.1 };
            i64::from(times) * phase.steps.iter().map(|step| i64::from(step.wait.1)).sum::<i64>()
        };
        self.phases.iter().map(&mut of_phase).sum()
    }
}

/// Where a story stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    phase: u32,
    /// Round of the phase, from 0.
    pub round: u32,
    step: u32,
}

impl Place {
    /// The phase.
    pub fn phase(self, script: &'static Script) -> Option<&'static Phase> {
        script.phases.get(self.phase as usize)
    }

    /// The step, unless all is told.
    pub fn step(self, script: &'static Script) -> Option<&'static Step> {
        self.phase(script)?.steps.get(self.step as usize)
    }

    /// Whether a round begins here.
    pub fn begins_round(self) -> bool {
        self.step == 0
    }

    /// The place after it.
    pub fn next(self, script: &'static Script, rounds: [u32; PHASES]) -> Place {
        let Some(phase) = self.phase(script) else { return self };
        let Place { phase: number, round, step } = self;
        if step as usize + 1 < phase.steps.len() {
            Place { step: step + 1, ..self }
        } else if round + 1 < rounds[number as usize] {
            Place { phase: number, round: round + 1, step: 0 }
        } else {
            Place { phase: number + 1, round: 0, step: 0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::attack::AttackKind;
    use super::super::errand::{NEW_PHONE, PAYDAY, RENT};
    use super::super::honest::HONEST;
    use super::super::pattern::pattern;
    use super::super::step::{Kind, Whom};
    use super::*;

    /// All there are.
    fn scripts() -> Vec<&'static Script> {
        let attacks = AttackKind::ALL.iter().map(|(kind, _)| pattern(*kind));
        HONEST.iter().map(|(_, script)| script).chain(attacks).chain([&NEW_PHONE, &PAYDAY, &RENT]).collect()
    }

    #[test]
    fn every_order_is_opened_before_it_is_used() {
        for script in scripts() {
            let mut is_open = false;
            for step in script.steps() {
                is_open |= step.opens.is_some();
                assert!(is_open || !step.kind.has_order(), "{:?} without an order", step.kind);
                if step.opens.is_some_and(|(_, whom)| whom == Whom::Same) {
                    assert!(step.opens.is_some() && is_open, "{:?} with nobody", step.kind);
                }
            }
        }
    }

    #[test]
    fn phases_fit() {
        for script in scripts() {
            assert!((1..=PHASES).contains(&script.phases.len()), "{script:?}");
            assert!(script.phases[0].cast != Cast::Again, "nothing to return to: {script:?}");
            for phase in script.phases {
                assert!(!phase.steps.is_empty() && phase.times.0 >= 1 && phase.times.0 <= phase.times.1, "{phase:?}");
            }
            assert_eq!(script.needs_balance, script.steps().any(|step| needs_balance(step.kind)), "{script:?}");
        }
    }

    fn needs_balance(kind: Kind) -> bool {
        matches!(kind, Kind::Transfer | Kind::TopUp | Kind::Withdrawal | Kind::PayeeAdd)
    }

    #[test]
    fn places_go_through_all_rounds_of_all_phases() {
        let script = pattern(AttackKind::LostPhone);
        let rounds = [1, 2, 1];
        let mut place = Place::default();
        let mut told = Vec::new();
        while let Some(step) = place.step(script) {
            told.push((step.kind, place.begins_round()));
            place = place.next(script, rounds);
        }
        use Kind::{Freeze, Login, Payment, Unlock};
        let expected = [
            (Freeze, true),
            (Payment, true),
            (Payment, false),
            (Payment, true),
            (Payment, false),
            (Unlock, true),
            (Login, false),
        ];
        assert_eq!(told, expected);
        assert_eq!((script.len(rounds), script.acts(rounds)), (7, 4));
    }
}
