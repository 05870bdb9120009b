//! The order of events: honest stories begin with the rhythm of the day, attacks where they were planted, and of all
//! stories under way the one whose next event is earliest goes on.
//!
//! Progress through the period is the share of the honest events committed so far: a story of five events pushes the
//! next one further away than a story of one, so the traffic fills the period with exactly the number asked for.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::errand::Errands;
use super::honest::HONEST;
use super::pattern::pattern;
use super::rhythm::{HOUR, Rhythm, local_hour};
use super::script::Script;
use super::story::Story;
use super::told::Told;
use super::world::World;
use super::{Late, Options, OptionsError};

/// No attacker drags on an attack longer than this, unless its script is longer, ms.
const PATIENCE: i64 = 4 * HOUR;
/// While errands are due, one story in so many is one.
const STORIES_PER_ERRAND: u64 = 4;

/// Traffic, event by event.
#[derive(Debug, Clone)]
pub struct Traffic {
    world: World,
    rhythm: Rhythm,
    /// A thousand honest scripts, each with its greatest length in ms: one draw picks one by its weight.
    honest: Vec<(&'static Script, i64)>,
    errands: Errands,
    under_way: BinaryHeap<Story>,
    stories: u64,
    /// Honest events in all, and how many of them belong to stories that have begun.
    budget: u64,
    committed: u64,
    /// When the next honest story begins; `None` when all have begun.
    next: Option<i64>,
    late: Late,
    held: BinaryHeap<Held>,
}

/// A line that arrives late.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    /// Arrival and number, reversed: the heap yields the earliest first.
    arrival: std::cmp::Reverse<(i64, u64)>,
    told: Told,
    line: Vec<u8>,
}

impl Traffic {
    /// Traffic as described, or what is wrong with the description.
    pub fn new(options: &Options) -> Result<Self, OptionsError> {
        options.check()?;
        let mut traffic = Traffic {
            world: World::new(options),
            rhythm: Rhythm::new(options.start, options.length),
            honest: HONEST.iter().flat_map(|(weight, script)| vec![(script, script.longest()); *weight]).collect(),
            errands: Errands::new(options.accounts),
            under_way: BinaryHeap::new(),
            stories: options.after,
            budget: 0,
            committed: 0,
            next: None,
            late: options.late,
            held: BinaryHeap::new(),
        };
        let planted = traffic.plant(options);
        traffic.budget = options
            .events
            .checked_sub(planted)
            .ok_or(OptionsError::TooFewEvents { events: options.events, planted })?;
        traffic.plan_next();
        Ok(traffic)
    }

    /// Appends the next event's line and says what it is; `None` when there is none left.
    pub fn append(&mut self, out: &mut Vec<u8>) -> Option<Told> {
        loop {
            let upcoming = self.upcoming();
            if let Some(held) = self.take_held(upcoming) {
                out.extend_from_slice(&held.line);
                return Some(held.told);
            }
            let (time, start) = (upcoming?, out.len());
            let told = self.tell_next(time, out)?;
            if !self.hold(told, start, out) {
                return Some(told);
            }
        }
    }

    /// Sets all attacks to begin somewhere in the period; returns how many events they have.
    fn plant(&mut self, options: &Options) -> u64 {
        let (from, to) = options.attacks_begin;
        let (from, to) = (f64::from(from) / 1000.0, f64::from(to) / 1000.0);
        let mut planted = 0;
        for (kind, count) in options.attacks.iter() {
            for _ in 0..count {
                let progress = from + (to - from) * self.world.chance.unit();
                let script = pattern(kind);
                let pace = self.pace(script, options.length);
                // So that it ends within the period, if the period is long enough.
                let last = self.rhythm.end() - script.longest() * i64::from(pace);
                let drawn = self.rhythm.at(progress);
                let time = if last > options.start { drawn.min(last) } else { drawn };
                let account = self.world.suitable(script, time);
                let story = self.begin(script, time, account, u64::MAX).planted(kind, pace);
                planted += story.len();
                self.under_way.push(story);
            }
        }
        planted
    }

    /// How patient an attacker is: up to sixteen times slower than the script, but not past [`PATIENCE`] or a
    /// quarter of the period. What does no damage lives by its speed.
    fn pace(&mut self, script: &Script, length: i64) -> u32 {
        let patience = PATIENCE.min(length / 4);
        let slowest = if script.does_damage() { patience / script.longest().max(1) } else { 1 };
        let drawn = 1 << self.world.chance.below(5);
        // At most sixteen.
        slowest.clamp(1, drawn) as u32
    }

    fn begin(&mut self, script: &'static Script, time: i64, account: u32, most: u64) -> Story {
        self.stories += 1;
        Story::new(script, self.stories, time, account, most, &mut self.world.chance)
    }

    fn plan_next(&mut self) {
        let progress = |unit: f64| (self.committed as f64 + unit) / self.budget as f64;
        self.next = (self.committed < self.budget).then(|| self.rhythm.at(progress(self.world.chance.unit())));
    }

    /// When the next line arrives; `None` when there is none left.
    pub fn arrival(&self) -> Option<i64> {
        let held = self.held.peek().map(|held| held.arrival.0.0);
        match (held, self.upcoming()) {
            (Some(held), Some(upcoming)) => Some(held.min(upcoming)),
            (held, upcoming) => held.or(upcoming),
        }
    }

    /// When the next event happens.
    fn upcoming(&self) -> Option<i64> {
        let under_way = self.under_way.peek().map(|story| story.due);
        match (under_way, self.next) {
            (Some(due), Some(next)) => Some(due.min(next)),
            (due, next) => due.or(next),
        }
    }

    /// Goes on with the story whose event is due at `time`, or begins one.
    fn tell_next(&mut self, time: i64, out: &mut Vec<u8>) -> Option<Told> {
        let latest = self.rhythm.end() - 1;
        if let Some(mut story) = self.under_way.peek_mut()
            && story.due <= time
        {
            let told = self.world.tell(&mut story, latest, out);
            if story.is_over() {
                PeekMut::pop(story);
            }
            return told;
        }
        let mut story = self.begin_honest(time);
        let told = self.world.tell(&mut story, latest, out);
        if !story.is_over() {
            self.under_way.push(story);
        }
        told
    }

    fn begin_honest(&mut self, time: i64) -> Story {
        let (script, account) = self.errand(time).unwrap_or_else(|| self.everyday(time));
        let story = self.begin(script, time, account, self.budget - self.committed);
        self.committed += story.len();
        self.plan_next();
        story
    }

    /// What has to be done once a month, now and then.
    fn errand(&mut self, time: i64) -> Option<(&'static Script, u32)> {
        if self.world.chance.below(STORIES_PER_ERRAND) != 0 {
            return None;
        }
        let world = &self.world;
        self.errands.next(time, local_hour(time), |script, account| world.suits(script, account, time))
    }

    /// A story by its weight, if the period and the wallet are made for it.
    fn everyday(&mut self, time: i64) -> (&'static Script, u32) {
        let (drawn, length) = self.honest[self.world.chance.below(self.honest.len() as u64) as usize];
        let account = self.world.awake(time);
        let fits = time + length < self.rhythm.end() && self.world.suits(drawn, account, time);
        (if fits { drawn } else { &HONEST[0].1 }, account)
    }

    /// The earliest held line, if it arrives before what is upcoming.
    fn take_held(&mut self, upcoming: Option<i64>) -> Option<Held> {
        let held = self.held.peek_mut()?;
        upcoming.is_none_or(|time| held.arrival.0.0 <= time).then(|| PeekMut::pop(held))
    }

    /// Moves the line just written to those held, if chance has it so.
    fn hold(&mut self, told: Told, start: usize, out: &mut Vec<u8>) -> bool {
        if self.late.per_mille == 0 || self.world.chance.below(1000) >= u64::from(self.late.per_mille) {
            return false;
        }
        let delay = 1 + self.world.chance.below(self.late.by as u64) as i64;
        let arrival = std::cmp::Reverse((told.time + delay, self.world.events()));
        self.held.push(Held { arrival, told, line: out.split_off(start) });
        true
    }
}
