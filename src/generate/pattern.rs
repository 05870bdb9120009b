//! What attackers do, as data, with which of their events do damage.
//!
//! Damage is done where money is gone or an account has been got into, never by an attempt: an attempt can still be
//! refused. Payments below one unit test a card and are not counted; nor is what people are talked into sending, as
//! long as it is still on the mule's account and can be given back.

use super::attack::AttackKind;
use super::script::{Cast, Phase, Script};
use super::step::{
    BIND, CODE, DECLINED, Ending, Kind, LOGIN, MINUTES, NEW_PASSWORD, PAID, PAY, PAYEE, PROMPT, Price, REFUND,
    REFUND_REQUEST, SECONDS, SEND, SENT, Step, WRONG_PASSWORD, Who, Whom, refused,
};

/// Stamped into the past, but not so far that it would be late.
const BACK: (u32, u32) = (4 * MINUTES, 9 * MINUTES);

const LET_IN: Step = LOGIN.intruder().damaging();
const TINY: Step = PAY.opens(Price::Tiny, Whom::Stranger).intruder();
const DRAIN: Step = SEND.opens(Price::Haul, Whom::Gang);
const GONE: Step = SENT.damaging();

static GUESSING: Script =
    Script::new(&[Phase::repeat(20, 40, &[WRONG_PASSWORD.intruder().after(SECONDS, 8 * SECONDS)])]);

static STUFFING: Script = Script::new(&[
    Phase::repeat(60, 120, &[WRONG_PASSWORD.intruder().after(200, 2 * SECONDS)]).cast(Cast::Others),
    Phase::once(&[LET_IN.after(SECONDS, 2 * SECONDS)]),
]);

static TAKEOVER: Script = Script::of_balances(&[
    Phase::once(&[WRONG_PASSWORD.intruder(), LET_IN, PROMPT.intruder(), CODE.intruder(), NEW_PASSWORD.intruder()]),
    Phase::once(&[BIND.intruder(), PAYEE.opens(Price::Haul, Whom::Gang).intruder()]),
    Phase::repeat(1, 3, &[DRAIN.intruder(), GONE.intruder()]),
]);

static CARD_TESTING: Script = Script::new(&[
    Phase::once(&[TINY, refused(Kind::Payment, "limit_reached").intruder()]),
    Phase::repeat(8, 16, &[TINY.after(3 * SECONDS, 20 * SECONDS), PAID.intruder()]),
    Phase::repeat(1, 3, &[PAY.opens(Price::Large, Whom::Stranger).intruder(), PAID.intruder().damaging()]),
]);

static VELOCITY_BURST: Script = Script::new(&[
    Phase::once(&[LOGIN]),
    Phase::repeat(25, 50, &[PAY.after(SECONDS, 8 * SECONDS), PAID.after(200, SECONDS)]),
]);

static LOST_PHONE: Script = Script::new(&[
    Phase::once(&[Step::new(Kind::Freeze, Ending::Success, (0, 0))]),
    Phase::repeat(
        1,
        4,
        &[PAY.intruder().after(20 * SECONDS, 5 * MINUTES), refused(Kind::Payment, "locked").intruder()],
    ),
    Phase::once(&[Step::new(Kind::Unlock, Ending::Success, (20 * MINUTES, 60 * MINUTES)), LOGIN]),
]);

static DEVICE_FARM: Script = Script::of_balances(&[
    Phase::repeat(8, 20, &[LOGIN.intruder().after(20 * SECONDS, 2 * MINUTES)]).cast(Cast::Others),
    Phase::repeat(
        1,
        1,
        &[SEND.opens(Price::Round, Whom::Gang).intruder().after(20 * SECONDS, 2 * MINUTES), GONE.intruder()],
    )
    .cast(Cast::Again),
]);

static STRUCTURING: Script = Script::of_balances(&[
    Phase::once(&[LOGIN, PROMPT, CODE]),
    Phase::repeat(5, 10, &[SEND.opens(Price::JustUnder, Whom::Stranger).after(5 * MINUTES, 25 * MINUTES), GONE]),
]);

static REFUND_ABUSE: Script = Script::new(&[
    Phase::repeat(6, 12, &[PAY.opens(Price::Usual, Whom::Stranger).after(MINUTES, 8 * MINUTES), PAID]),
    Phase::repeat(1, 1, &[REFUND_REQUEST.after(30 * SECONDS, 4 * MINUTES)]).cast(Cast::Again),
    Phase::repeat(1, 1, &[REFUND.after(MINUTES, 8 * MINUTES).damaging()]).cast(Cast::Again),
]);

static CODE_FATIGUE: Script = Script::of_balances(&[
    Phase::once(&[LET_IN]),
    Phase::repeat(6, 20, &[PROMPT.intruder().after(5 * SECONDS, 40 * SECONDS), DECLINED.intruder()]),
    Phase::once(&[
        PROMPT.intruder(),
        CODE.intruder().damaging(),
        DRAIN.intruder(),
        GONE.intruder(),
        DRAIN.intruder(),
        GONE.intruder(),
    ]),
]);

static IMPOSSIBLE_TRAVEL: Script = Script::new(&[
    Phase::once(&[LOGIN]),
    Phase::once(&[LOGIN.by(Who::FarIntruder).after(5 * MINUTES, 40 * MINUTES).damaging()]),
    Phase::repeat(
        2,
        5,
        &[PAY.opens(Price::Usual, Whom::Stranger).by(Who::FarIntruder), PAID.by(Who::FarIntruder).damaging()],
    ),
]);

static BACK_DATING: Script = Script::new(&[
    Phase::once(&[LET_IN.back(BACK.0, BACK.1)]),
    Phase::repeat(
        4,
        12,
        &[
            PAY.opens(Price::Usual, Whom::Stranger).intruder().after(5 * SECONDS, MINUTES).back(BACK.0, BACK.1),
            PAID.intruder().back(BACK.0, BACK.1).damaging(),
        ],
    ),
]);

static MULE_ACCOUNTS: Script = Script::of_balances(&[
    Phase::repeat(5, 10, &[SEND.opens(Price::Scam, Whom::Main).after(20 * SECONDS, 6 * MINUTES), SENT])
        .cast(Cast::Others),
    Phase::repeat(3, 5, &[SEND.opens(Price::Scam, Whom::Gang).after(30 * SECONDS, 4 * MINUTES), GONE]).cast(Cast::Main),
]);

/// The story of an attack.
pub fn pattern(kind: AttackKind) -> &'static Script {
    match kind {
        AttackKind::PasswordGuessing => &GUESSING,
        AttackKind::Stuffing => &STUFFING,
        AttackKind::Takeover => &TAKEOVER,
        AttackKind::CardTesting => &CARD_TESTING,
        AttackKind::VelocityBurst => &VELOCITY_BURST,
        AttackKind::LostPhone => &LOST_PHONE,
        AttackKind::DeviceFarm => &DEVICE_FARM,
        AttackKind::Structuring => &STRUCTURING,
        AttackKind::RefundAbuse => &REFUND_ABUSE,
        AttackKind::CodeFatigue => &CODE_FATIGUE,
        AttackKind::ImpossibleTravel => &IMPOSSIBLE_TRAVEL,
        AttackKind::BackDating => &BACK_DATING,
        AttackKind::MuleAccounts => &MULE_ACCOUNTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_final_does_damage() {
        for (kind, name) in AttackKind::ALL {
            let is_final = |step: &Step| step.ending == Ending::Success;
            assert!(pattern(kind).steps().filter(|step| step.damages).all(is_final), "{name}");
        }
    }

    #[test]
    fn what_does_damage_can_do_so_thrice_unless_it_ends_before() {
        let most = |kind| {
            let script = pattern(kind);
            let mut times = 1;
            let mut sum = 0;
            for phase in script.phases {
                times = if phase.cast == Cast::Again { times } else { phase.times.1 };
                sum += times * phase.steps.iter().filter(|step| step.damages).count() as u32;
            }
            sum
        };
        let harmless = [AttackKind::PasswordGuessing, AttackKind::VelocityBurst, AttackKind::LostPhone];
        for (kind, name) in AttackKind::ALL {
            let expected = if harmless.contains(&kind) { 0 } else { 1 + 2 * u32::from(kind != AttackKind::Stuffing) };
            assert!(most(kind) >= expected && (most(kind) == 0) == (expected == 0), "{name}: {}", most(kind));
        }
    }
}
