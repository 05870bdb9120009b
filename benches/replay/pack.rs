//! The shipped pack, all of its rules, against the workload of twenty velocity rules, on the same events.

use anyhow::{Result, anyhow, ensure};
use lockkeeper::engine::Emit;
use lockkeeper::generate::Options;
use lockkeeper::rulefiles::load_paths;
use lockkeeper::ruleset::types::RuleSet;

use super::Args;
use super::clock::{CPU, Series, measure as timed};
use super::engines::Lockkeeper;
use super::report::Report;
use super::support::lines::{batches, generate};
use super::support::{VELOCITY, rule_set};

/// From lines to decisions, and with decoding and writing left out.
pub fn measure(args: &Args, report: &mut Report) -> Result<()> {
    let options = Options { accounts: args.accounts[0], events: args.events, ..Options::default() };
    let text = generate(&options);
    let sets = [rule_set(VELOCITY), wallet()?];
    let decoded = sets.each_ref().map(|rules| batches(&text, &rules.schema));
    let mut whole = [Series::default(), Series::default()];
    let mut scoring = [Series::default(), Series::default()];
    let mut out = Vec::new();
    for _ in 0..args.repetitions {
        for (index, rules) in sets.iter().enumerate() {
            let mut engine = Lockkeeper::new(rules.clone());
            out.clear();
            whole[index].push(timed(|| engine.replay(&text, Emit::All, &mut out)).0);
            ensure!(engine.accepted == args.events, "every event should be accepted");
            let mut engine = Lockkeeper::new(rules.clone());
            scoring[index].push(timed(|| engine.score(&decoded[index])).0);
        }
    }
    let [velocity, pack] = &whole;
    report.speed("velocity", "lines to decisions, 20 velocity rules", velocity, args.events, CPU);
    report.speed(
        "pack",
        &format!("lines to decisions, the pack's {} rules", sets[1].rules.len()),
        pack,
        args.events,
        CPU,
    );
    report.ratio("pack_to_velocity", "pack : velocity, CPU time, lines to decisions", [pack, velocity], CPU);
    let [velocity, pack] = &scoring;
    report.ratio("pack_to_velocity_scoring", "pack : velocity, CPU time, scoring alone", [pack, velocity], CPU);
    Ok(())
}

fn wallet() -> Result<RuleSet> {
    let loaded = load_paths(&[concat!(env!("CARGO_MANIFEST_DIR"), "/rules/wallet").into()]);
    Ok(loaded.map_err(|faults| anyhow!("{faults:?}"))?.rules)
}
