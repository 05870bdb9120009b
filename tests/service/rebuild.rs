//! A state directory that was lost: made anew from exported journals, or from what the logs still hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::broker;
use crate::faults::assert_refused;
use crate::operator::Operator;
use crate::stage::{Input, Stage};
use crate::traffic::traffic;

/// Lets the service work through some records and end.
fn work(stage: &Stage, inputs: &[Input]) {
    stage.produce(inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(stage.written() as usize);
    service.stop();
}

fn lose_states(stage: &Stage) {
    fs::remove_dir_all(stage.states()).expect("removed");
}

fn rebuild(stage: &Stage, files: &[&Path]) -> Output {
    let mut command = stage.command(&["state", "rebuild", "--config"]);
    command.arg(stage.config()).arg("--from").args(files).output().expect("it runs")
}

/// The file of the rebuilt state, which is said on stdout.
fn assert_rebuilt(stage: &Stage, files: &[&Path]) -> PathBuf {
    let output = rebuild(stage, files);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let path = PathBuf::from(String::from_utf8(output.stdout).expect("UTF-8").trim());
    assert!(path.starts_with(stage.states()) && path.exists(), "{}", path.display());
    path
}

/// One journal out of those that continue each other.
fn join(stage: &Stage, files: &[&Path]) -> PathBuf {
    let mut whole = String::new();
    for (index, file) in files.iter().enumerate() {
        let text = fs::read_to_string(file).expect("a journal");
        let skipped = if index == 0 { 0 } else { text.find('\n').expect("a head") + 1 };
        whole.push_str(&text[skipped..]);
    }
    let path = stage.folder.path().join("whole.jsonl");
    fs::write(&path, whole).expect("written");
    path
}

#[test]
fn a_lost_state_is_rebuilt_from_exports() {
    let Some(broker) = broker::shared() else { return };
    // What is not flagged leaves no trace in the output, so that only the state can miss it.
    let stage = Stage::new(&broker, "rebuilt", 2).set("LOCKKEEPER_EMIT", "flagged");
    let (journal, operator) = (stage.topic("journal"), Operator::new(&broker));
    let inputs = traffic(8000, 21, 2);
    let parts: Vec<&[Input]> = inputs.chunks(inputs.len().div_ceil(4)).collect();
    work(&stage, parts[0]);
    let (first, first_end) = stage.export("first.jsonl", None);
    work(&stage, parts[1]);
    let (second, second_end) = stage.export("second.jsonl", Some(first_end));
    work(&stage, parts[2]);

    lose_states(&stage);
    assert_rebuilt(&stage, &[&first, &second]);
    let mut service = stage.start();
    service.wait_until_live();
    assert!(service.log().contains("goes on from a state"), "{}", service.log());
    service.stop();

    operator.delete_records(&journal, 0, first_end);
    lose_states(&stage);
    assert_refused(stage.start(), "the journal's beginning was deleted. Put a state into");
    assert_rebuilt(&stage, &[&first]);
    assert_refused(stage.start(), "begins after the end of the state, so it is not known what lies between");

    assert_rebuilt(&stage, &[&first, &second]);
    operator.delete_records(&stage.topic("events"), 0, 500);
    let mut service = stage.start();
    service.wait_until_live();
    stage.produce(parts[3]);
    stage.wait_until_done(inputs.len());
    service.stop();

    let (last, _) = stage.export("last.jsonl", Some(second_end));
    let lines = stage.assert_output_is_the_replay_of(&join(&stage, &[&first, &second, &last]));
    assert!(lines > 300, "{lines}");
}

#[test]
fn files_that_give_no_state_are_refused() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "no-rebuild", 1);
    let inputs = traffic(2000, 22, 1);
    work(&stage, &inputs[..1000]);
    let (first, end) = stage.export("first.jsonl", None);
    work(&stage, &inputs[1000..]);
    let (second, _) = stage.export("second.jsonl", Some(end));
    let (whole, _) = stage.export("whole.jsonl", None);
    lose_states(&stage);
    for (files, expected) in [
        (&[&second][..], "does not begin with a start without history"),
        (&[&first, &whole], "here a journal begins without history: it continues nothing"),
        (&[&first, &second, &second], "expected a greater one"),
    ] {
        let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
        let output = rebuild(&stage, &files);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(expected), "{said}");
    }
    assert!(!stage.states().exists(), "something was written all the same");
    let by_parts = fs::read(assert_rebuilt(&stage, &[&first, &second])).expect("a state");
    let at_once = fs::read(assert_rebuilt(&stage, &[&whole])).expect("a state");
    assert!(by_parts == at_once, "cutting the journal makes another state");
}

#[test]
fn what_was_deleted_is_missed_unless_the_owner_began_anew_after_it() {
    let Some(broker) = broker::shared() else { return };
    // Five bare decisions: nothing in the output would show that they are missing.
    let stage = Stage::new(&broker, "missed", 1).set("LOCKKEEPER_EMIT", "flagged");
    let inputs = traffic(3000, 23, 1);
    work(&stage, &inputs[..1000]);
    lose_states(&stage);
    Operator::new(&broker).delete_records(&stage.topic("events"), 0, 5);
    assert_refused(stage.start(), "missed-events/0 from offset 0 to");
    let mut service = stage.start_with(&["--accept-state-loss"], &[]);
    service.wait_until_live();
    stage.produce(&inputs[1000..2000]);
    stage.wait_until_done(2000);
    service.stop();
    lose_states(&stage);
    let mut service = stage.start();
    service.wait_until_live();
    assert!(service.log().contains("the whole journal is replayed"), "{}", service.log());
    stage.produce(&inputs[2000..]);
    stage.wait_until_done(inputs.len());
    service.stop();
    // Numbered without gaps, across the start without history.
    assert!(stage.output().len() > 100);
}
