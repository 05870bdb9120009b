//! `lockkeeper run`: the streaming service.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::configuration::{Ready, read, tell};
use super::exit::Exit;
use crate::config::Http;
use crate::kafka::library_version;
use crate::logging;
use crate::metrics::{Build, Metrics};
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
/// What kept it from writing its log; whatever else ends it stands there.
pub fn run(args: &RunArgs) -> Result<Exit> {
    let Some(Ready { config, rules, warnings }) = read(&args.config) else { return Ok(Exit::Config) };
    logging::start(&config.logging).context("cannot start logging")?;
    tell(&warnings, &config.logging);
    let job = Job { config, rules, delivery: Delivery::ExactlyOnce, accept_state_loss: args.accept_state_loss };
    Ok(serve_and_run(job).unwrap_or_else(|error| {
        tracing::error!("{error:#}");
        Exit::Failed
    }))
}

fn serve_and_run(job: Job) -> Result<Exit> {
    let stop = Arc::new(Stop::default());
    stop_on_signal(&stop)?;
    let shared = shared()?;
    let server = serve(&job.config.http, &shared)?;
    let ended = run_service(job, &shared, &stop);
    let exit = conclude(ended, &shared, &stop);
    server.stop();
    Ok(exit)
}

/// What the service and the pages about it share.
pub(super) fn shared() -> Result<Shared> {
    let kafka = library_version();
    let build = Build { version: env!("CARGO_PKG_VERSION"), kafka: &kafka };
    let metrics = Arc::new(Metrics::new(build).context("cannot make the metrics")?);
    Ok(Shared { metrics, health: Arc::default(), status: Arc::default() })
}

fn serve(http: &Http, shared: &Shared) -> Result<Server> {
    let started = Server::start(http, shared.clone());
    let server = started.map_err(|error| cannot_listen(&error, http.listen, "`http.listen`"))?;
    tracing::info!(address = %server.address(), "serving /metrics, /livez, /readyz, /status");
    Ok(server)
}

/// Why an address cannot be listened on, and what to do about it; `key` is where it is set.
pub(super) fn cannot_listen(error: &io::Error, address: SocketAddr, key: &str) -> anyhow::Error {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => format!("is something else there? Set {key}"),
        io::ErrorKind::AddrNotAvailable => format!("this machine does not have that address; set {key}"),
        io::ErrorKind::PermissionDenied => format!("this user may not listen there; set {key} to a port from 1024 on"),
        _ => format!("set {key}"),
    };
    anyhow!("cannot listen on {address}: {remedy}: {error}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_nobody_can_listen_is_told_apart() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let taken = taken.local_addr().expect("its address");
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 8464));
        for (kind, address, expected) in [
            (io::ErrorKind::AddrInUse, taken, "is something else there? Set --listen"),
            (io::ErrorKind::AddrNotAvailable, elsewhere, "this machine does not have that address; set --listen"),
            (io::ErrorKind::PermissionDenied, taken, "this user may not listen there; set --listen to a port"),
        ] {
            let said = cannot_listen(&io::Error::from(kind), address, "--listen").to_string();
            assert!(said.starts_with(&format!("cannot listen on {address}: {expected}")), "{said}");
        }
        let error = std::net::TcpListener::bind(elsewhere).expect_err("an address for documentation");
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
