//! Random locks with every option.

use super::expressions::Names;
use super::features::by;
use super::random::Random;
use crate::oracle::ast::{Op, binary, is, name};
use crate::oracle::rules::{Backoff, Lock};
use crate::oracle::texts::{Cel, Length, Pause};

/// Proofs an unlock event may bring.
pub const PROOFS: [&str; 3] = ["operator", "identity_verified", "sms_code"];

const TARGETS: [&[&str]; 5] = [&["account"], &["account"], &["account", "device"], &["device"], &["subnet"]];

/// What a locking rule sets.
pub fn lock(random: &mut Random, names: &Names) -> Lock {
    let scale = names.scale;
    let target = TARGETS[random.between(0, 4) as usize];
    let length = match random.between(0, 6) {
        0 => Length::UntilUnlocked,
        1..=2 => Length::Computed(binary(Op::Multiply, names.duration(random, 1), name(random.pick(&names.ints)))),
        _ => Length::Fixed(scale * random.between(1, 10)),
    };
    Lock {
        target: (target != ["account"] || random.chance(50)).then(|| by(target)),
        length,
        covers: random.maybe(40, |random| Cel(names.condition(random, 1))),
        covers_by: random.maybe(if target == ["account"] { 40 } else { 0 }, |_| by(&["account", "counterparty"])),
        backoff: random.maybe(50, |random| backoff(random, names)),
        extend: random.chance(40),
        unlock: PROOFS.iter().filter(|_| random.chance(65)).map(|&proof| proof.to_owned()).collect(),
        release: random
            .maybe(30, |random| Cel(binary(Op::And, is("type", "identity_check"), names.condition(random, 0)))),
    }
}

fn backoff(random: &mut Random, names: &Names) -> Backoff {
    let scale = names.scale;
    Backoff {
        factor: random.maybe(60, |random| random.word(&["1.5", "2", "3", "1.337", "10"])),
        max: random.maybe(50, |random| Pause(scale * random.between(5, 30))),
        forget: random.maybe(60, |random| Pause(scale * random.between(1, 20))),
        until_unlocked_from: random.maybe(20, |random| random.between(1, 4)),
        reset: random.maybe(40, |random| Cel(names.condition(random, 1))),
    }
}
