//! The committer against a cluster that fails as told: what is sent again, what is not, and when it gives up.

use std::sync::Mutex;

use super::*;
use crate::config::Topics;
use crate::journal::{Entry, Mark, Record, Run};
use crate::kafka::{Commit, Error, Outgoing};
use crate::metrics::{Build, Metrics};
use crate::service::parcel::{Destination, Outcome};
use crate::service::position;

/// What commits do, in order; afterwards they succeed.
#[derive(Clone, Copy)]
enum Fate {
    /// It fails and nothing was committed.
    Lost,
    /// It fails although everything was committed.
    Done,
    /// It fails, and somebody else has committed.
    Usurped,
    /// Another producer has taken over.
    Fenced,
}

#[derive(Default)]
struct Cluster {
    fates: Vec<Fate>,
    /// Values that are visible, those of the journal left out.
    visible: Vec<String>,
    journal: Vec<Record>,
    committed: Option<Committed>,
    /// Producers made.
    producers: usize,
}

struct Fake {
    cluster: Arc<Mutex<Cluster>>,
    sent: Vec<(String, Vec<u8>)>,
}

impl Fake {
    fn publish(&mut self, cluster: &mut Cluster, commits: &[Commit]) {
        for (topic, payload) in self.sent.drain(..) {
            if topic == "journal" {
                cluster.journal.push(Record::decode(&payload).expect("a record"));
            } else {
                cluster.visible.push(String::from_utf8(payload).expect("text"));
            }
        }
        let commit = commits[0];
        cluster.committed = Some(Committed { next_offset: commit.next_offset, metadata: commit.metadata.to_owned() });
    }
}

impl Producer for Fake {
    fn begin(&mut self) -> Result<(), Refusal> {
        assert!(self.sent.is_empty(), "a transaction is open");
        Ok(())
    }

    fn send(&mut self, record: &Outgoing) -> Result<(), Refusal> {
        self.sent.push((record.topic.to_owned(), record.payload.unwrap_or_default().to_vec()));
        Ok(())
    }

    fn commit(&mut self, commits: &[Commit]) -> Result<(), Refusal> {
        let cluster = Arc::clone(&self.cluster);
        let mut cluster = cluster.lock().expect("no panic");
        if cluster.fates.is_empty() {
            self.publish(&mut cluster, commits);
            return Ok(());
        }
        match cluster.fates.remove(0) {
            Fate::Lost => Err(Refusal::Abortable("lost".to_owned())),
            Fate::Done => {
                self.publish(&mut cluster, commits);
                Err(Refusal::Unknown("no answer".to_owned()))
            }
            Fate::Usurped => {
                cluster.committed = Some(Committed { next_offset: 99, metadata: position::write(mark(70), 99) });
                Err(Refusal::Unknown("no answer".to_owned()))
            }
            Fate::Fenced => Err(Refusal::Fenced("a newer one".to_owned())),
        }
    }

    fn abort(&mut self) -> Result<(), Refusal> {
        unreachable!("a new producer ends what the old one left open")
    }
}

fn mark(sequence: u64) -> Mark {
    Mark { sequence, output_hash: sequence.into() }
}

fn topics() -> Topics {
    Topics {
        input: vec!["events".into()],
        control: Vec::new(),
        decisions: "decisions".into(),
        lock_events: "lock-events".into(),
        locks: "locks".into(),
        dead_letters: "dlq.{topic}".into(),
        journal: "journal".into(),
    }
}

fn limits() -> Limits {
    let text = "kafka: { bootstrap_servers: [b:9092], group_id: g }\ntopics: { input: [events] }\nrules: [r]\n\
                state: { directory: s }\n";
    let read = |_: &std::path::Path| Err("none".to_owned());
    let loaded = crate::config::parse("c", text, std::path::Path::new(""), &Default::default(), &read);
    loaded.expect("a configuration").config.limits
}

fn committer(fates: &[Fate]) -> (Committer, Arc<Mutex<Cluster>>) {
    let cluster = Arc::new(Mutex::new(Cluster { fates: fates.to_vec(), ..Cluster::default() }));
    let (of_make, of_ask) = (Arc::clone(&cluster), Arc::clone(&cluster));
    let mut make: MakeProducer = Box::new(move || {
        of_make.lock().expect("no panic").producers += 1;
        Ok(Box::new(Fake { cluster: Arc::clone(&of_make), sent: Vec::new() }) as Box<dyn Producer + Send>)
    });
    let mut tries = 0;
    let ask: AskCommitted = Box::new(move || {
        tries += 1;
        // The first answer is late, as that of a cluster that is not well.
        let doing = "asking".to_owned();
        if tries == 1 {
            return Err(Error::Other { doing, reason: "not yet".to_owned() });
        }
        Ok(vec![of_ask.lock().expect("no panic").committed.clone()])
    });
    let topics = topics();
    let sources = Arc::new(Sources::new(&topics, 1));
    let metrics = Arc::new(Metrics::new(Build { version: "0", kafka: "0" }).expect("metrics"));
    let shared = Shared { metrics, health: Arc::default(), status: Arc::default() };
    let committer = Committer {
        producer: Some(make().expect("a producer")),
        make,
        ask,
        outbox: Outbox::new(&topics, &sources, "demo@1", "g"),
        progress: Arc::new(Progress::new(&[-1])),
        sources,
        committed: vec![-1],
        mark: mark(0),
        refreshed: instant(),
        limits: limits(),
        shared,
        stop: Arc::default(),
    };
    (committer, cluster)
}

/// One line of output for one record.
fn parcel(number: u64) -> Parcel {
    let line = format!("line {number}");
    let outcome = Outcome {
        destination: Destination::Decisions,
        line: Some(0..line.len()),
        key: None,
        source: Some((0, number - 1)),
        sequence: number,
    };
    let offset = number.cast_signed() - 1;
    Parcel {
        lines: line.into_bytes(),
        outcomes: vec![outcome],
        entries: vec![Entry::Run(Run { topic: 0, partition: 0, from: offset, to: offset + 1 })],
        next: vec![Some(offset + 1)],
        before: mark(number - 1),
        after: mark(number),
        records: 1,
        ..Parcel::default()
    }
}

/// Commits three parcels one after the other.
fn check(fates: &[Fate], producers: usize) {
    let (mut committer, cluster) = committer(fates);
    for number in 1..=3 {
        committer.commit_one(parcel(number)).expect("committed");
    }
    let cluster = cluster.lock().expect("no panic");
    assert_eq!(cluster.visible, ["line 1", "line 2", "line 3"]);
    assert_eq!(cluster.producers, producers);
    let marks: Vec<Option<Mark>> = cluster.journal.iter().map(|record| record.mark).collect();
    assert_eq!(marks, [1, 2, 3].map(|number| Some(mark(number))));
    let committed = cluster.committed.as_ref().expect("an offset");
    assert_eq!((committed.next_offset, position::read(committed)), (3, Some(mark(3))));
    assert_eq!((committer.committed.as_slice(), committer.progress.committed(0)), (&[3][..], 3));
}

#[test]
fn whatever_happens_each_line_is_visible_once() {
    check(&[], 1);
    // One more producer for each failure, and one for the answer that was late.
    check(&[Fate::Lost], 3);
    check(&[Fate::Done], 3);
    check(&[Fate::Lost, Fate::Lost, Fate::Done], 5);
}

#[test]
fn somebody_elses_commit_and_somebody_elses_place_are_the_end() {
    let (mut usurped, cluster) = committer(&[Fate::Usurped]);
    let failure = usurped.commit_one(parcel(1)).expect_err("foreign");
    assert!(matches!(&failure, Failure::Foreign { found, first: 0, last: 1 } if found == "70"), "{failure:?}");
    assert!(cluster.lock().expect("no panic").visible.is_empty());
    let (mut fenced, _) = committer(&[Fate::Fenced]);
    let failure = fenced.commit_one(parcel(1)).expect_err("fenced");
    assert!(matches!(failure, Failure::Fenced { .. }), "{failure:?}");
}

#[test]
fn what_waits_goes_out_together() {
    let (mut committer, cluster) = committer(&[]);
    committer.limits.commit_interval = Duration::from_secs(3600);
    let (parcels_out, parcels) = std::sync::mpsc::sync_channel(8);
    let (empties, empties_in) = std::sync::mpsc::channel();
    (1..=3).for_each(|number| parcels_out.send(parcel(number)).expect("room"));
    drop(parcels_out);
    committer.run(&parcels, &empties).expect("committed");
    let cluster = cluster.lock().expect("no panic");
    assert_eq!(cluster.visible, ["line 1", "line 2", "line 3"]);
    assert!((1..=2).contains(&cluster.journal.len()), "the first is due at once, what follows it waits");
    assert_eq!(empties_in.try_iter().count(), 3, "memory goes back");
}

#[test]
fn a_tick_commits_an_offset_again() {
    let (mut committer, cluster) = committer(&[]);
    committer.commit_one(parcel(1)).expect("committed");
    let tick = Parcel { entries: vec![Entry::RuleSet("demo@2".to_owned())], next: vec![None], ..parcel(2) };
    committer.commit_one(tick).expect("committed");
    let cluster = cluster.lock().expect("no panic");
    let committed = cluster.committed.as_ref().expect("an offset");
    assert_eq!((committed.next_offset, position::read(committed)), (1, Some(mark(2))));
}

#[test]
fn offsets_of_a_silent_stream_are_committed_again() {
    let (mut committer, cluster) = committer(&[]);
    committer.commit_one(parcel(1)).expect("committed");
    cluster.lock().expect("no panic").committed = None;
    committer.refreshed = committer.refreshed.checked_sub(REFRESH).expect("the machine has run for longer");
    let nothing = committer.nothing();
    committer.commit_one(nothing).expect("committed");
    assert!(committer.refreshed.elapsed() < REFRESH);
    let cluster = cluster.lock().expect("no panic");
    let committed = cluster.committed.as_ref().expect("an offset");
    assert_eq!((committed.next_offset, position::read(committed)), (1, Some(mark(1))));
    assert_eq!((cluster.visible.len(), cluster.journal.len()), (1, 1), "nothing was written");
}
