//! What a person sees on the terminal, drawn to lines of text: how it goes, who was locked and why, what to try next.
//! Pure, so that a test can look at it as well.

use std::time::Duration;

use console::{measure_text_width, truncate_str};

use super::news::Moment;
use super::summary::kinds;
use super::tally::Tally;
use crate::judging::Caught;
use crate::model::action::Action;
use crate::model::outcome::TransitionKind;
use crate::model::time::write_timestamp;
use crate::tables::grouped;

/// Fewest lines given to lock transitions.
const LEAST_NEWS: usize = 3;
/// Most of them, however high the terminal.
const MOST_NEWS: usize = 20;

/// How the demonstration looks at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    /// What the service is doing.
    pub state: String,
    /// Name and hash of the rule set.
    pub rules: String,
    /// Since the start.
    pub uptime: Duration,
    /// Time of the newest event, epoch ms.
    pub time: i64,
    /// Events decided per second of late.
    pub rate: f64,
    /// How many times faster than the clock the events' time goes.
    pub speed: f64,
    /// Records not committed yet, of all partitions.
    pub lag: u64,
    /// What was counted.
    pub tally: Tally,
    /// The newest lock transitions, newest first.
    pub news: Vec<Moment>,
}

/// What is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas<'a> {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// Whether colours are wanted.
    pub has_colour: bool,
    /// Where pages are served.
    pub address: &'a str,
}

/// A way to set text off.
#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Faint,
    Red,
    Green,
    Yellow,
}

impl Canvas<'_> {
    /// All lines, none wider and together not higher than the canvas.
    pub fn draw(&self, look: &Look) -> Vec<String> {
        let mut above = self.head(look);
        above.extend(self.figures(look));
        above.extend(self.attacks(&look.tally));
        above.push(String::new());
        above.push(self.ink(Ink::Bold, "Newest locks, in the time of the events"));
        let mut below = self.foot();
        let fixed = above.len() + below.len();
        if fixed + LEAST_NEWS > self.height {
            // A low terminal: what sets things apart goes first.
            above.retain(|line| !line.is_empty());
            below.retain(|line| !line.is_empty());
        }
        let room = self.height.saturating_sub(above.len() + below.len()).min(MOST_NEWS);
        above.extend(look.news.iter().take(room).map(|moment| self.moment(moment)));
        above.extend(below);
        above.truncate(self.height);
        above.iter().map(|line| truncate_str(line, self.width, "…").into_owned()).collect()
    }

    fn head(&self, look: &Look) -> Vec<String> {
        let seconds = look.uptime.as_secs();
        let clock = format!("{:02}:{:02}", seconds / 60, seconds % 60);
        let state = if look.state == "live" { Ink::Green } else { Ink::Yellow };
        vec![
            format!(
                "{}  {}  {}  {}",
                self.ink(Ink::Bold, "lockkeeper demo"),
                self.ink(state, &look.state),
                look.rules,
                self.ink(Ink::Faint, &clock)
            ),
            self.ink(
                Ink::Faint,
                "All in this process: customers, attackers, a Kafka cluster, the service. The cluster",
            ),
            self.ink(Ink::Faint, "has no transactions, so exactly-once is not shown here; `lockkeeper run` has it."),
            String::new(),
        ]
    }

    fn figures(&self, look: &Look) -> Vec<String> {
        let tally = &look.tally;
        let decisions = Action::ALL.iter().zip(tally.decisions).map(|((action, name), count)| {
            let text = format!("{name} {}", grouped(count));
            if *action == Action::Allow || count == 0 { text } else { self.ink(Ink::Yellow, &text) }
        });
        let decisions: Vec<String> = decisions.collect();
        let (set, ended) = (tally.transitions(TransitionKind::Locked), tally.ended());
        let rejected = match tally.rejected() {
            0 => String::new(),
            count => self.ink(Ink::Red, &format!("   rejected {}", grouped(count))),
        };
        vec![
            self.figure(
                "events",
                &format!(
                    "{} decided   {} a second   lag {}{rejected}",
                    self.ink(Ink::Bold, &grouped(tally.decided())),
                    self.ink(Ink::Bold, &grouped(look.rate as u64)),
                    grouped(look.lag)
                ),
            ),
            self.figure("time", &self.time(look)),
            self.figure("decisions", &decisions.join("   ")),
            self.figure(
                "locks",
                &format!(
                    "{} active   {} set   {} ended",
                    self.ink(Ink::Bold, &grouped(tally.active())),
                    grouped(set),
                    grouped(ended)
                ),
            ),
            String::new(),
        ]
    }

    /// When the events happen, and how fast that goes by.
    fn time(&self, look: &Look) -> String {
        if look.time == 0 {
            return "-".to_owned();
        }
        let mut text = Vec::new();
        write_timestamp(&mut text, look.time);
        let text = String::from_utf8(text).unwrap_or_default();
        let (day, clock) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
        format!("{day} {clock} UTC for the events, {} times as fast as the clock", grouped(look.speed as u64))
    }

    fn attacks(&self, tally: &Tally) -> Vec<String> {
        let head = format!(
            "{:<19}{:>9}{:>9}{:>9}   {}",
            "Attacks", "planted", "caught", "missed", "after events: median, most"
        );
        let mut lines = vec![self.ink(Ink::Bold, &head)];
        lines.extend(kinds(tally).map(|(name, caught)| self.attack(name, caught)));
        lines.push(format!(
            "  not attacked, yet locked: {} accounts; not attacked, yet not simply allowed: {} events",
            grouped(tally.honest_locked),
            grouped(tally.honest_stopped)
        ));
        lines
    }

    fn attack(&self, name: &str, caught: &Caught) -> String {
        let missed = format!("{:>9}", grouped(caught.missed));
        let missed = if caught.missed == 0 { missed } else { self.ink(Ink::Red, &missed) };
        let after = match caught.median().zip(caught.most()) {
            Some((median, most)) => format!("{median}, {most}"),
            None => "-".to_owned(),
        };
        let (planted, found) = (grouped(caught.planted), grouped(caught.caught()));
        format!("  {name:<17}{planted:>9}{}{missed}   {after}", self.ink(Ink::Green, &format!("{found:>9}")))
    }

    fn moment(&self, moment: &Moment) -> String {
        use TransitionKind::{Expired, Extended, Locked, Released, UnlockRefused, Unlocked};
        let (ink, time) = match moment.kind {
            Locked => (Ink::Red, Some(&moment.start)),
            Expired | Unlocked | Released => (Ink::Green, moment.end.as_ref()),
            Extended | UnlockRefused => (Ink::Yellow, Some(&moment.start)),
        };
        let clock = time.and_then(|time| time.get(11..19)).unwrap_or("        ");
        let target: Vec<String> = moment.target.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let kind = self.ink(ink, &format!("{:<9}", moment.kind.name().replace('_', " ")));
        let (rule, target) = (&moment.rule, target.join(", "));
        let reason = moment.reason.as_deref().unwrap_or_default();
        let line = format!("  {} {kind} {rule:<20} {target:<16} {reason}", self.ink(Ink::Faint, clock));
        line.trim_end().to_owned()
    }

    fn foot(&self) -> Vec<String> {
        let address = self.address;
        vec![
            String::new(),
            self.figure("look", &format!("http://{address}/status   http://{address}/metrics")),
            self.figure("try", "change a number in a copy of rules/wallet, then: lockkeeper demo --rules COPY"),
            self.figure("end", "Ctrl-C sums up; a second one ends at once"),
        ]
    }

    fn figure(&self, name: &str, text: &str) -> String {
        format!("{}{}", self.ink(Ink::Bold, name), " ".repeat(11_usize.saturating_sub(measure_text_width(name)))) + text
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Bold => "1",
            Ink::Faint => "2",
            Ink::Red => "31",
            Ink::Green => "32",
            Ink::Yellow => "33",
        };
        if self.has_colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "127.0.0.1:8464";

    fn canvas(width: usize, height: usize) -> Canvas<'static> {
        Canvas { width, height, has_colour: false, address: ADDRESS }
    }

    fn moment(kind: TransitionKind, reason: Option<&str>) -> Moment {
        Moment {
            kind,
            rule: "wrong-password-lock".to_owned(),
            target: vec![("account".to_owned(), "a7".to_owned())],
            start: "2026-11-23T00:10:00.000Z".to_owned(),
            end: Some("2026-11-23T00:40:00.000Z".to_owned()),
            event: None,
            reason: reason.map(str::to_owned),
        }
    }

    fn look() -> Look {
        let mut tally = Tally {
            decisions: [12_340, 5, 6, 0, 7],
            locks: [4, 0, 1, 0, 0, 1],
            honest_locked: 1,
            honest_stopped: 2,
            ..Tally::default()
        };
        tally.attacks[0] = Caught { planted: 4, missed: 1, in_time: 3, after: [(5, 2), (9, 1)].into() };
        Look {
            state: "live".to_owned(),
            rules: "wallet-default@0123456789ab".to_owned(),
            uptime: Duration::from_secs(75),
            // 2026-11-23 00:41 UTC.
            time: 1_795_394_460_000,
            rate: 2003.4,
            speed: 172.9,
            lag: 12,
            tally,
            news: vec![
                moment(TransitionKind::Expired, None),
                moment(TransitionKind::Locked, Some("5 wrong passwords in 15 minutes, 5 in 24 hours")),
            ],
        }
    }

    const PICTURE: &str = "\
lockkeeper demo  live  wallet-default@0123456789ab  01:15
All in this process: customers, attackers, a Kafka cluster, the service. The cluster
has no transactions, so exactly-once is not shown here; `lockkeeper run` has it.

events     12 358 decided   2 003 a second   lag 12
time       2026-11-23 00:41 UTC for the events, 172 times as fast as the clock
decisions  allow 12 340   alert 5   challenge 6   deny 0   lock 7
locks      2 active   4 set   2 ended

Attacks              planted   caught   missed   after events: median, most
  password_guessing        4        3        1   5, 9
  stuffing                 0        0        0   -
  takeover                 0        0        0   -
  card_testing             0        0        0   -
  velocity_burst           0        0        0   -
  lost_phone               0        0        0   -
  not attacked, yet locked: 1 accounts; not attacked, yet not simply allowed: 2 events

Newest locks, in the time of the events
  00:40:00 expired   wrong-password-lock  account a7
  00:10:00 locked    wrong-password-lock  account a7       5 wrong passwords in 15 minutes, 5 in 24…

look       http://127.0.0.1:8464/status   http://127.0.0.1:8464/metrics
try        change a number in a copy of rules/wallet, then: lockkeeper demo --rules COPY
end        Ctrl-C sums up; a second one ends at once";

    #[test]
    fn the_picture_says_it_all() {
        assert_eq!(canvas(100, 40).draw(&look()).join("\n"), PICTURE);
    }

    #[test]
    fn nothing_is_wider_or_higher_than_the_terminal() {
        let mut look = look();
        look.news = vec![moment(TransitionKind::UnlockRefused, Some("锁定锁定锁定锁定锁定锁定")); 50];
        for (width, height) in [(200, 100), (80, 24), (79, 25), (40, 12), (10, 3), (1, 1), (0, 0)] {
            for has_colour in [false, true] {
                let lines = Canvas { has_colour, ..canvas(width, height) }.draw(&look);
                assert!(lines.len() <= height, "{width} x {height}: {} lines", lines.len());
                assert!(lines.iter().all(|line| measure_text_width(line) <= width), "{width} x {height}: {lines:?}");
            }
        }
        let lines = canvas(80, 24).draw(&look);
        assert_eq!(lines.iter().filter(|line| line.contains("unlock refused")).count(), 5, "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("/status")) && lines.iter().any(|line| line.contains("Ctrl-C")));
    }

    #[test]
    fn colours_are_only_there_when_wanted() {
        let plain = canvas(100, 40).draw(&look()).concat();
        let coloured = Canvas { has_colour: true, ..canvas(100, 40) }.draw(&look()).concat();
        assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}[31mlocked"), "{coloured}");
        assert_eq!(console::strip_ansi_codes(&coloured), plain);
    }

    #[test]
    fn before_the_first_event_there_is_a_picture_as_well() {
        let lines = canvas(80, 30).draw(&Look { state: "starting".to_owned(), ..Look::default() });
        assert!(lines[0].contains("starting") && lines.contains(&"time       -".to_owned()), "{lines:?}");
    }
}
