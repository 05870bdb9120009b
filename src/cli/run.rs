//! `lockkeeper run`: the streaming service.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use super::exit::Exit;
use crate::config::load::load;
use crate::config::{Config, Http};
use crate::kafka::library_version;
use crate::logging;
use crate::metrics::{Build, Metrics};
use crate::ruleset::render::render_human;
use crate::ruleset::types::RuleSet;
use crate::service::delivery::Delivery;
use crate::service::failure::Failure;
use crate::service::health::State;
use crate::service::http::{Server, Shared};
use crate::service::owner::Job;
use crate::service::run::run as run_service;
use crate::service::stop::Stop;

const EXAMPLES: &str = "\
Examples:
  Check a configuration, then run it:
    lockkeeper check --config lockkeeper.yaml
    lockkeeper run --config lockkeeper.yaml

  Another group, without touching the file:
    LOCKKEEPER_KAFKA_GROUP_ID=test lockkeeper run --config lockkeeper.yaml

A first SIGTERM or SIGINT finishes what was begun, commits, writes a snapshot and ends within ten
seconds; a second one ends at once, which loses nothing either.

Exit codes: 0 ended as told, 1 it could not go on (the log says why), 2 usage,
78 invalid configuration or rules, 130 ended by a second signal.";

/// How long an orderly end may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long `/readyz` says why the service refuses to go live, before it ends.
const REFUSAL: Duration = Duration::from_secs(5);

/// Run the streaming service on Kafka.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// The configuration file.
    #[arg(short, long, env = "LOCKKEEPER_CONFIG", value_name = "FILE")]
    config: PathBuf,

    /// Begin without history where the history cannot be had: windows are empty and nobody is locked.
    #[arg(long, env = "LOCKKEEPER_ACCEPT_STATE_LOSS")]
    accept_state_loss: bool,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// Why it could not go on.
pub fn run(args: &RunArgs) -> Result<Exit> {
    let Some((config, rules)) = read(&args.config)? else { return Ok(Exit::Config) };
    logging::start(&config.logging).context("cannot start logging")?;
    let stop = Arc::new(Stop::default());
    stop_on_signal(&stop)?;
    let shared = shared()?;
    let server = serve(&config.http, &shared)?;
    let job = Job { config, rules, delivery: Delivery::ExactlyOnce, accept_state_loss: args.accept_state_loss };
    let ended = run_service(job, &shared, &stop);
    let exit = conclude(ended, &shared, &stop);
    server.stop();
    Ok(exit)
}

/// The configuration and its rules; `None` after saying what is wrong with them.
pub(super) fn read(path: &std::path::Path) -> Result<Option<(Config, RuleSet)>> {
    let loaded = match load(path) {
        Ok(loaded) => loaded,
        Err(faults) => {
            anstream::eprint!("{}", render_human(&faults, true));
            return Ok(None);
        }
    };
    anstream::eprint!("{}", render_human(&loaded.warnings, true));
    let Some(rules) = super::load_rules(&loaded.config.rules)? else { return Ok(None) };
    if let Some(fault) = loaded.config.lateness_fault(rules.lateness) {
        anstream::eprint!("{}", render_human(&[fault], true));
        return Ok(None);
    }
    Ok(Some((loaded.config, rules)))
}

/// What the service and the pages about it share.
pub(super) fn shared() -> Result<Shared> {
    let kafka = library_version();
    let build = Build { version: env!("CARGO_PKG_VERSION"), kafka: &kafka };
    let metrics = Arc::new(Metrics::new(build).context("cannot make the metrics")?);
    Ok(Shared { metrics, health: Arc::default(), status: Arc::default() })
}

pub(super) fn serve(http: &Http, shared: &Shared) -> Result<Server> {
    let server = Server::start(http, shared.clone())
        .with_context(|| format!("cannot listen on {}: is something else there? Set `http.listen`", http.listen))?;
    tracing::info!(address = %server.address(), "serving /metrics, /livez, /readyz, /status");
    Ok(server)
}

/// Says how it ended.
fn conclude(ended: Result<(), Failure>, shared: &Shared, stop: &Stop) -> Exit {
    match ended {
        Ok(()) => {
            tracing::info!("stopped");
            Exit::Fine
        }
        Err(Failure::Stopped) => {
            tracing::info!("stopped before it was live");
            Exit::Fine
        }
        Err(failure) => {
            tracing::error!("{failure}");
            if failure.is_refusal() {
                shared.health.set(State::Refused { why: failure.to_string() });
                stop.wait(REFUSAL);
            }
            Exit::Failed
        }
    }
}

/// The first SIGINT or SIGTERM asks for the end, and a thread sees to it that it comes; the second is the end.
#[expect(
    clippy::disallowed_methods,
    reason = "an end that was asked for must come; what is not committed is done again"
)]
pub(super) fn stop_on_signal(stop: &Arc<Stop>) -> Result<()> {
    let asked = Arc::clone(stop);
    ctrlc::set_handler(move || {
        if asked.is_requested() {
            std::process::exit(130);
        }
        asked.request();
    })
    .context("cannot listen for signals")?;
    let asked = Arc::clone(stop);
    let guard = move || {
        while !asked.wait(Duration::from_secs(3600)) {}
        std::thread::sleep(DEADLINE);
        tracing::error!("the end took longer than {} s; ending at once, nothing is lost", DEADLINE.as_secs());
        std::process::exit(1);
    };
    Builder::new().name("deadline".to_owned()).spawn(guard).context("cannot start a thread")?;
    Ok(())
}
