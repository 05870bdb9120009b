//! What honest people do, as data: each story with how many of a thousand it makes up.
//!
//! They mistype, forget, run out of money, share bills and send presents to eight friends in a row: what looks a little
//! like an attack is as much a part of ordinary traffic as what does not.

use super::script::{Cast, Phase, Script};
use super::step::{
    CODE, COMPLAINT, DECLINED, Kind, LOGIN, MINUTES, NEW_LIMIT, NEW_PASSWORD, PAID, PAY, PAYEE, PROMPT, Price, REFUND,
    REFUND_REQUEST, SECONDS, SEND, SENT, Step, TOP_UP, WITHDRAWAL, WRONG_CODE, WRONG_PASSWORD, Whom, refused,
};

const fn story(steps: &'static [Phase]) -> Script {
    Script::new(steps)
}

const FARE: Step = PAY.opens(Price::Fare, Whom::Habit);
const GIFT: Step = SEND.opens(Price::Gift, Whom::Habit).after(10 * SECONDS, 90 * SECONDS);
const SHARE: Step = SEND.opens(Price::Gift, Whom::Main).after(30 * SECONDS, 10 * MINUTES);

/// Honest stories, each with how many of a thousand it makes up. The first one must be short and fit any wallet: it
/// stands in for those that would run past the end of the period and for those a wallet cannot tell.
pub static HONEST: [(usize, Script); 28] = [
    (350, story(&[Phase::once(&[PAY, PAID])])),
    (66, story(&[Phase::once(&[FARE, PAID])])),
    (2, story(&[Phase::once(&[PAY.opens(Price::Tiny, Whom::Habit), PAID])])),
    (13, story(&[Phase::once(&[LOGIN]), Phase::repeat(2, 5, &[PAY, PAID])])),
    (132, story(&[Phase::once(&[LOGIN, PAY, PAID])])),
    (163, story(&[Phase::once(&[LOGIN])])),
    (38, story(&[Phase::once(&[LOGIN, PROMPT, CODE])])),
    (2, story(&[Phase::once(&[LOGIN, PROMPT, DECLINED, PROMPT.after(5 * SECONDS, MINUTES), CODE])])),
    (24, story(&[Phase::once(&[WRONG_PASSWORD, LOGIN])])),
    (5, story(&[Phase::once(&[WRONG_PASSWORD, WRONG_PASSWORD, LOGIN, PAY, PAID])])),
    (1, story(&[Phase::repeat(3, 3, &[WRONG_PASSWORD]), Phase::once(&[PROMPT, CODE, NEW_PASSWORD, LOGIN])])),
    (6, story(&[Phase::once(&[LOGIN, PROMPT, WRONG_CODE, PROMPT, CODE])])),
    (18, story(&[Phase::once(&[PAY, refused(Kind::Payment, "insufficient_funds")])])),
    (2, story(&[Phase::once(&[PAY, refused(Kind::Payment, "limit_reached")])])),
    (6, story(&[Phase::once(&[PAY, refused(Kind::Payment, "network_error"), PAY, PAID])])),
    (70, Script::of_balances(&[Phase::once(&[SEND, SENT])])),
    (1, Script::of_balances(&[Phase::once(&[SEND, refused(Kind::Transfer, "wrong_payee"), SEND, SENT])])),
    (3, Script::of_balances(&[Phase::repeat(3, 8, &[GIFT, SENT])])),
    (3, Script::of_balances(&[Phase::once(&[PAY, PAID]), Phase::repeat(2, 6, &[SHARE, SENT]).cast(Cast::Others)])),
    (45, Script::of_balances(&[Phase::once(&[TOP_UP])])),
    (20, Script::of_balances(&[Phase::once(&[LOGIN, WITHDRAWAL])])),
    (7, story(&[Phase::once(&[PAY, PAID, REFUND])])),
    (4, story(&[Phase::once(&[PAY, PAID, REFUND_REQUEST, REFUND])])),
    (1, story(&[Phase::once(&[PAY, PAID, COMPLAINT])])),
    (9, Script::of_balances(&[Phase::once(&[PAYEE, SEND.opens(Price::Usual, Whom::Same), SENT])])),
    (1, Script::of_balances(&[Phase::once(&[LOGIN, PROMPT, CODE, PAYEE, SEND.opens(Price::Large, Whom::Same), SENT])])),
    (4, story(&[Phase::once(&[LOGIN, PROMPT, CODE, NEW_PASSWORD])])),
    (4, story(&[Phase::once(&[LOGIN, PROMPT, CODE, NEW_LIMIT])])),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_stories_make_a_thousand() {
        assert_eq!(HONEST.iter().map(|(weight, _)| weight).sum::<usize>(), 1000);
    }

    #[test]
    fn honest_people_do_no_damage_and_the_first_story_is_for_all() {
        assert!(HONEST.iter().all(|(_, script)| script.is_by_owners() && script.steps().all(|step| !step.damages)));
        assert!(!HONEST[0].1.needs_balance && HONEST[0].1.longest() < 10 * i64::from(MINUTES));
    }
}
