//! A story under way: where it stands, and what it is about.

use std::cmp::Ordering;

use super::attack::AttackKind;
use super::chance::Chance;
use super::script::{Cast, PHASES, Place, Script};
use super::step::{Party, Step};
use super::told::Part;

/// What an order is about.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Its number.
    pub number: u64,
    /// Whom it is with, and which of them.
    pub counterparty: (Party, u32),
    /// Minor units.
    pub amount: u32,
}

/// A story and how far it has been told. Stories compare by their next event, the earliest as the greatest.
#[derive(Debug, Clone)]
pub struct Story {
    /// Time of the next event, epoch ms.
    pub due: i64,
    /// When it began, epoch ms.
    pub begun: i64,
    /// Unique.
    pub number: u64,
    /// What is told.
    pub script: &'static Script,
    /// The account it began with.
    pub main: u32,
    /// The account it is about now.
    pub account: u32,
    /// The order it is about now.
    pub order: Order,
    rounds: [u32; PHASES],
    place: Place,
    /// Events to come.
    left: u32,
    /// How many times slower than written it is told.
    pace: u32,
    /// Accounts and orders of the rounds so far, where they are gone through again.
    past: Vec<(u32, Order)>,
    attack: Option<Attack>,
}

/// How far an attack has come.
#[derive(Debug, Clone, Copy)]
struct Attack {
    kind: AttackKind,
    acted: u32,
    acts: u32,
}

impl Story {
    /// A story of this account that begins at `due`, at most `most` events long; `number` is unique.
    pub fn new(script: &'static Script, number: u64, due: i64, account: u32, most: u64, chance: &mut Chance) -> Self {
        let mut rounds = [0; PHASES];
        let mut before = 1;
        for (phase, rounds) in script.phases.iter().zip(&mut rounds) {
            before = match phase.cast {
                Cast::Again => before,
                _ if phase.times.0 == phase.times.1 => phase.times.0,
                _ => chance.between(phase.times),
            };
            *rounds = before;
        }
        // At most the script's length, a u32.
        let left = most.min(u64::from(script.len(rounds))) as u32;
        let order = Order { number: 0, counterparty: (Party::None, 0), amount: 0 };
        let (begun, main, place, past) = (due, account, Place::default(), Vec::new());
        Story { due, begun, number, script, main, account, order, rounds, place, left, pace: 1, past, attack: None }
    }

    /// The story is an attack, by somebody so patient.
    pub fn planted(mut self, kind: AttackKind, pace: u32) -> Self {
        self.attack = Some(Attack { kind, acted: 0, acts: self.script.acts(self.rounds) });
        self.pace = pace;
        self
    }

    /// The next step comes after such a wait, but not after `latest`.
    pub fn wait(&mut self, ms: u32, latest: i64) {
        self.due = (self.due + i64::from(ms) * i64::from(self.pace)).min(latest);
    }

    /// The step to be told, unless it is over.
    pub fn step(&self) -> Option<&'static Step> {
        self.place.step(self.script).filter(|_| self.left > 0)
    }

    /// Whose account the round that begins now is about; `None` within a round.
    pub fn cast(&self) -> Option<Cast> {
        let phase = self.place.phase(self.script)?;
        self.place.begins_round().then_some(phase.cast)
    }

    /// Goes back to the account and order of the same round of an earlier phase.
    pub fn go_back(&mut self) {
        if let Some((account, order)) = self.past.get(self.place.round as usize) {
            (self.account, self.order) = (*account, *order);
        }
    }

    /// The part in an attack that the step to be told has.
    pub fn part(&mut self, step: &Step) -> Option<Part> {
        let attack = self.attack.as_mut()?;
        let is_act = self.script.is_act(step);
        attack.acted += u32::from(is_act);
        let act = is_act.then_some(attack.acted);
        Some(Part { kind: attack.kind, attack: self.number, act, acts: attack.acts, damages: step.damages })
    }

    /// The step has been told.
    pub fn advance(&mut self) {
        let before = self.place;
        self.place = before.next(self.script, self.rounds);
        self.left = self.left.saturating_sub(1);
        if self.place.begins_round() && self.script.returns() && before.phase(self.script).is_some_and(is_kept) {
            self.past.push((self.account, self.order));
        }
    }

    /// Number of events to come.
    pub fn len(&self) -> u64 {
        u64::from(self.left)
    }

    /// Whether all has been told.
    pub fn is_over(&self) -> bool {
        self.left == 0
    }

    fn key(&self) -> (i64, u64) {
        (self.due, self.number)
    }
}

/// Whether the rounds of a phase are those a later one goes through again.
fn is_kept(phase: &super::script::Phase) -> bool {
    phase.cast != Cast::Again
}

impl PartialEq for Story {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Story {}

impl PartialOrd for Story {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Story {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}
