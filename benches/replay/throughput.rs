//! JSON in memory to decisions in memory, one thread: against the reference engine, and with more and more accounts.
//!
//! Before the clock starts every account has made one payment within the last 24 hours, so its windows hold something
//! for as long as is measured. Then a little traffic at every account alike, the hardest case for caches, is judged
//! slice by slice: one slice by the reference, and one by lockkeeper at each size, in turns.

use anyhow::{Result, ensure};
use lockkeeper::engine::Emit;
use lockkeeper::generate::{Options, Traffic};

use super::Args;
use super::clock::{CPU, Series, WALL, measure as timed};
use super::engines::{Lockkeeper, replay_with_reference};
use super::process::status_kib;
use super::reference::Reference;
use super::report::Report;
use super::support::lines::{Payment, START, take};
use super::support::{VELOCITY, rule_set};

/// How long before the measured traffic the first account pays, ms; with what is measured less than 24 hours.
const BEFORE: i64 = 20 * 3_600_000;
/// Length of the measured traffic, ms.
const LENGTH: i64 = 2 * 3_600_000;
/// Accounts that pay in one piece of text.
const PIECE: u64 = 100_000;

/// lockkeeper with so many accounts, and the traffic to come.
struct Town {
    accounts: u32,
    engine: Lockkeeper,
    traffic: Traffic,
    series: Series,
}

/// Measures all sizes.
pub fn measure(args: &Args, report: &mut Report) -> Result<()> {
    let mut towns = Vec::new();
    for &accounts in &args.accounts {
        let before = status_kib("VmRSS")?;
        towns.push(Town::new(accounts, args)?);
        let bytes = status_kib("VmRSS")?.saturating_sub(before) as f64 * 1024.0 / f64::from(accounts);
        let key = format!("resident_bytes_per_account_{accounts}");
        report.number(&key, &format!("resident memory per account, {accounts} accounts"), bytes, "bytes");
    }
    let mut reference = Reference::new(&rule_set(VELOCITY).id);
    let mut ignored = Vec::new();
    for_each_piece(args.accounts[0], |text| {
        ignored.clear();
        replay_with_reference(&mut reference, text, &mut ignored);
    });
    let mut of_reference = Series::default();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for repetition in 0..args.repetitions {
        for (index, town) in towns.iter_mut().enumerate() {
            let text = take(&mut town.traffic, args.events);
            ours.clear();
            town.series.push(timed(|| town.engine.replay(&text, Emit::All, &mut ours)).0);
            if index == 0 {
                theirs.clear();
                of_reference.push(timed(|| replay_with_reference(&mut reference, &text, &mut theirs)).0);
                ensure!(ours == theirs, "both engines should say the same in repetition {repetition}");
            }
        }
    }
    let expected = |town: &Town| u64::from(town.accounts) + args.events * args.repetitions as u64;
    ensure!(towns.iter().all(|town| town.engine.accepted == expected(town)), "every event should be accepted");
    say(args, report, &towns, &of_reference);
    Ok(())
}

fn say(args: &Args, report: &mut Report, towns: &[Town], of_reference: &Series) {
    let first = &towns[0];
    report.speed("reference", "reference engine", of_reference, args.events, CPU);
    for town in towns {
        let what = format!("lockkeeper, {} accounts", town.accounts);
        report.speed(&format!("lockkeeper_{}", town.accounts), &what, &town.series, args.events, CPU);
    }
    let what = "reference : lockkeeper, CPU time";
    report.ratio("reference_to_lockkeeper", what, [of_reference, &first.series], CPU);
    report.ratio("reference_to_lockkeeper_wall", "the same, wall time", [of_reference, &first.series], WALL);
    for town in &towns[1..] {
        let what = format!("{} : {} accounts, CPU time", town.accounts, first.accounts);
        report.ratio(&format!("accounts_{}", town.accounts), &what, [&town.series, &first.series], CPU);
    }
}

impl Town {
    fn new(accounts: u32, args: &Args) -> Result<Self> {
        let mut engine = Lockkeeper::new(rule_set(VELOCITY));
        let mut ignored = Vec::new();
        for_each_piece(accounts, |text| engine.replay(text, Emit::None, &mut ignored));
        ensure!(engine.accepted == u64::from(accounts), "every account should have paid once");
        let events = args.events * args.repetitions as u64;
        let options = Options { accounts, events, length: LENGTH, flatten: Some(accounts), ..Options::default() };
        Ok(Town { accounts, engine, traffic: Traffic::new(&options)?, series: Series::default() })
    }
}

/// One payment of every account in the hours before, in pieces.
fn for_each_piece(accounts: u32, mut each: impl FnMut(&[u8])) {
    let accounts = u64::from(accounts);
    let mut text = Vec::new();
    for first in (0..accounts).step_by(PIECE as usize) {
        text.clear();
        for number in first..accounts.min(first + PIECE) {
            // Less than the number of accounts, so it fits.
            let time = START - BEFORE + (i128::from(number) * i128::from(BEFORE) / i128::from(accounts)) as i64;
            Payment { number, time, account: number, device: number }.write(&mut text);
        }
        each(&text);
    }
}
