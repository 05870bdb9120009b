//! Everything in one process and offline: a Kafka cluster, generated traffic with planted attacks, the service as it
//! runs elsewhere, and somebody who judges what comes out of it.
//!
//! ```text
//! crowd --wallet-events, wallet-control--> service --decisions, lock-events--> audience --> judge
//!   `------------------------- which events are an attacker's --------------------------------^
//! ```
//! The cluster is the client library's own and has no transactions, so exactly-once is **not** shown here. All figures
//! come from the topics the service writes. [`Demo`] runs it; [`view`] and [`summary`] show it.

pub mod audience;
pub mod course;
pub mod crowd;
pub mod days;
pub mod judge;
pub mod news;
pub mod pack;
pub mod rates;
pub mod stage;
pub mod summary;
pub mod tally;
pub mod view;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use audience::Audience;
use course::Course;
use crowd::{Crowd, Pace};
use days::Days;
use judge::Judge;
use rates::Rates;
use stage::Stage;
use summary::Summary;
use view::Look;

use crate::kafka::PlainProducer;
use crate::ruleset::types::RuleSet;
use crate::service::clock::instant;
use crate::service::delivery::Delivery;
use crate::service::failure::Failure;
use crate::service::http::Shared;
use crate::service::owner::Job;
use crate::service::run::run as run_service;
use crate::service::stop::Stop;

/// How long what is under way may take to be decided at the end.
const DRAIN: Duration = Duration::from_secs(10);
/// Consumer group of those who look.
const GROUP: &str = "lockkeeper-demo-audience";

/// What is to be shown.
pub struct Plan {
    /// The rules that decide.
    pub rules: RuleSet,
    /// What happens.
    pub days: Days,
    /// Events per second; 0 is as fast as they are decided.
    pub rate: u32,
    /// The seed of the traffic.
    pub seed: u64,
}

/// A running demonstration.
pub struct Demo {
    rules: String,
    seed: u64,
    shared: Shared,
    judge: Arc<Mutex<Judge>>,
    course: Arc<Course>,
    stop: Arc<Stop>,
    service: JoinHandle<Result<(), Failure>>,
    crowd: JoinHandle<Result<()>>,
    audience: JoinHandle<Result<()>>,
    started: Instant,
    rates: Rates,
    // Ends after all its clients.
    _stage: Stage,
}

impl Demo {
    /// Starts the service, those who cause events, and those who look.
    ///
    /// # Errors
    /// When the cluster cannot be reached or a thread not be started.
    pub fn start(stage: Stage, plan: Plan, shared: &Shared) -> Result<Demo> {
        let Plan { rules, days, rate, seed } = plan;
        let (judge, course, stop) = (Arc::default(), Arc::new(Course::default()), Arc::new(Stop::default()));
        let settings = stage.settings(GROUP);
        let audience = Audience::new(&settings, Arc::clone(&judge), Arc::clone(&course))?;
        let crowd = Crowd {
            days,
            pace: Pace::new(rate, instant()),
            judge: Arc::clone(&judge),
            course: Arc::clone(&course),
            producer: PlainProducer::connect(&settings, audience.group())?,
            health: Arc::clone(&shared.health),
        };
        let id = rules.id.clone();
        let job =
            Job { config: stage.config.clone(), rules, delivery: Delivery::AtLeastOnce, accept_state_loss: false };
        let (shared_with, stopped_by) = (shared.clone(), Arc::clone(&stop));
        let service = Builder::new().name("service".to_owned());
        Ok(Demo {
            service: service.spawn(move || run_service(job, &shared_with, &stopped_by))?,
            crowd: Builder::new().name("crowd".to_owned()).spawn(move || crowd.run())?,
            audience: Builder::new().name("audience".to_owned()).spawn(move || audience.run())?,
            rules: id,
            seed,
            shared: shared.clone(),
            judge,
            course,
            stop,
            started: instant(),
            rates: Rates::default(),
            _stage: stage,
        })
    }

    /// Whether all has happened, or something cannot go on.
    pub fn is_over(&self) -> bool {
        self.crowd.is_finished() || self.service.is_finished() || self.audience.is_finished()
    }

    /// How it looks now.
    pub fn look(&mut self) -> Look {
        let state = self.shared.health.state();
        let report = self.shared.status.report(&state);
        let judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
        let (uptime, time) = (self.started.elapsed(), self.course.time());
        let (rate, speed) = self.rates.look(uptime, judge.tally().decided(), time);
        Look {
            state: state.to_string(),
            rules: self.rules.clone(),
            uptime,
            time,
            rate,
            speed,
            lag: report.partitions.iter().map(|partition| partition.lag).sum(),
            tally: judge.tally().clone(),
            news: judge.news().cloned().collect(),
        }
    }

    /// Lets what was begun be decided, ends the service, and sums up.
    ///
    /// # Errors
    /// Why something could not go on, or that not all events were decided.
    pub fn end(self) -> Result<Summary> {
        let is_interrupted = !self.crowd.is_finished();
        self.course.halt.request();
        let crowd = join("crowd", self.crowd)?;
        let deadline = instant() + DRAIN;
        let ends = || self.service.is_finished() || self.audience.is_finished() || instant() > deadline;
        while !self.course.drain() && !ends() {}
        self.stop.request();
        let service = join("service", self.service)?;
        self.course.last_call.request();
        let audience = join("audience", self.audience)?;
        match service {
            Ok(()) | Err(Failure::Stopped) => {}
            Err(failure) => return Err(failure.into()),
        }
        crowd.and(audience)?;
        if self.course.under_way() > 0 {
            bail!("{} of {} events were not decided", self.course.under_way(), self.course.sent());
        }
        let tally = self.judge.lock().unwrap_or_else(PoisonError::into_inner).tally().clone();
        let (rules, seed, elapsed) = (self.rules, self.seed, self.course.elapsed());
        Ok(Summary { rules, seed, events: self.course.sent(), elapsed, tally, is_interrupted })
    }
}

/// What a thread came to; its panic is an error here.
fn join<T>(name: &str, thread: JoinHandle<T>) -> Result<T> {
    thread.join().map_err(|_| anyhow!("the {name} thread has panicked; that is a bug"))
}
