//! A broker that dies inside transactions: nothing is lost and nothing is there twice, since what is not known to have
//! happened is looked up in the committed offset.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lockkeeper::kafka::{Commit, Consumer, Failure, Producer, Settings, TransactionalProducer, Watchdog};

use crate::broker::{self, Broker};
use crate::log::{WAIT, bare, committed_values, settings, watchdog};

const TOPIC: &str = "survivor";
const ROUNDS: i64 = 12;

/// When in a round the broker is killed.
#[derive(Clone, Copy)]
enum Moment {
    /// With the record perhaps still on its way; the commit finds no broker.
    Sent,
    /// With the record in the log.
    Written,
    /// Somewhere inside the commit.
    Committing,
}

fn moment(round: i64) -> Option<Moment> {
    match round {
        3 => Some(Moment::Sent),
        5 => Some(Moment::Written),
        7 | 9 => Some(Moment::Committing),
        _ => None,
    }
}

/// Has the broker killed, and started again half a second later, by a thread of its own.
struct Killer {
    order: mpsc::Sender<()>,
    dead: mpsc::Receiver<()>,
}

impl Killer {
    fn strike(&self, moment: Moment) {
        if matches!(moment, Moment::Written) {
            thread::sleep(Duration::from_millis(300));
        }
        self.order.send(()).expect("the killer waits");
        if !matches!(moment, Moment::Committing) {
            self.dead.recv().expect("killed");
        }
    }
}

fn killer<'scope>(scope: &'scope thread::Scope<'scope, '_>, mut broker: Broker) -> Killer {
    let ((order, orders), (died, dead)) = (mpsc::channel(), mpsc::channel());
    scope.spawn(move || {
        for () in orders {
            broker.kill();
            // Nobody asks when it was killed at any moment.
            let _asked = died.send(());
            thread::sleep(Duration::from_millis(500));
            broker.restart();
        }
    });
    Killer { order, dead }
}

#[test]
fn every_round_is_there_once_whatever_the_broker_does() {
    let Some(broker) = Broker::start() else { return };
    broker.create_topic(TOPIC, 1, &[]);
    let bootstrap = broker.bootstrap();
    let settings = settings(&bootstrap, TOPIC);
    thread::scope(|scope| {
        let killer = killer(scope, broker);
        go_through(&settings, &killer);
        let expected: Vec<String> = (0..ROUNDS).map(|round| format!("round {round}")).collect();
        assert_eq!(committed_values(&bootstrap, TOPIC), expected);
    });
}

fn go_through(settings: &Settings, killer: &Killer) {
    let consumer = Consumer::connect(settings).expect("a consumer");
    let mut producer = start(settings, &consumer);
    let (mut done, mut strikes) = (0, (0..ROUNDS).map(moment).collect::<Vec<_>>());
    while done < ROUNDS {
        let strike = strikes[usize::try_from(done).expect("positive")].take();
        match run(&mut producer, done, strike.map(|moment| (killer, moment))) {
            Ok(()) => {}
            Err(Failure::Abortable(_)) if producer.abort().is_ok() => {}
            Err(Failure::Refused(reason)) => panic!("{reason}"),
            Err(_) => producer = start(settings, &consumer),
        }
        done = next_round(&consumer);
    }
    assert!(strikes.iter().all(Option::is_none), "the broker was killed as often as planned");
}

/// One transaction: a record, and the next round as the committed offset.
fn run(producer: &mut TransactionalProducer, round: i64, strike: Option<(&Killer, Moment)>) -> Result<(), Failure> {
    producer.begin()?;
    producer.send(&bare(TOPIC, &format!("round {round}")))?;
    if let Some((killer, moment)) = strike {
        killer.strike(moment);
    }
    producer.commit(&[Commit { topic: TOPIC, partition: 0, next_offset: round + 1, metadata: "" }])
}

/// Retries are the caller's: a producer cannot start while the broker is away.
fn start(settings: &Settings, consumer: &Consumer) -> TransactionalProducer {
    broker::wait_for("a producer", || {
        TransactionalProducer::init(settings, consumer.group(), watchdog(), Duration::from_secs(10)).ok()
    })
}

fn next_round(consumer: &Consumer) -> i64 {
    let committed =
        broker::wait_for("committed offsets", || consumer.committed(&[(TOPIC, 0)], Duration::from_secs(10)).ok());
    committed[0].as_ref().map_or(0, |committed| committed.next_offset)
}

/// Adding offsets does not end while the group's coordinator is away, whatever time it was given. The watchdog tells.
#[test]
fn a_call_that_does_not_come_back_is_noticed() {
    let Some(mut broker) = Broker::start() else { return };
    broker.create_topic("hanging", 1, &[]);
    let settings = settings(&broker.bootstrap(), "hanging");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let watchdog = Watchdog::new(Duration::from_secs(1));
    let producer = TransactionalProducer::init(&settings, consumer.group(), watchdog.clone(), WAIT);
    let mut producer = producer.expect("a producer");
    producer.begin().expect("begun");
    producer.send(&bare("hanging", "value")).expect("sent");
    thread::sleep(Duration::from_millis(500));
    broker.kill();
    thread::scope(|scope| {
        let commit = Commit { topic: "hanging", partition: 0, next_offset: 1, metadata: "" };
        let committing = scope.spawn(move || producer.commit(&[commit]));
        let overrun = broker::wait_for("an overrun", || watchdog.overrun());
        assert_eq!(overrun.doing, "adding offsets to the transaction");
        assert!(overrun.elapsed > Duration::from_secs(1));
        broker.restart();
        // Whatever came of it, it is over.
        let _outcome = committing.join().expect("no panic");
        assert_eq!(watchdog.overrun(), None);
    });
}
