//! `lockkeeper demo`: everything in one process, nothing to install.

mod screen;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::output::Output;
use super::run::{cannot_listen, shared};
use crate::config::Http;
use crate::demo::days::{Days, LEAST_EVENTS};
use crate::demo::pack::wallet;
use crate::demo::stage::{Stage, configure};
use crate::demo::summary::Summary;
use crate::demo::view::Look;
use crate::demo::{Demo, Plan};
use crate::ruleset::render::render_human;
use crate::ruleset::types::RuleSet;
use crate::service::clock::wall_ms;
use crate::service::http::{Server, Shared};
use crate::service::stop::Stop;
use screen::Screen;

const EXAMPLES: &str = "\
Examples:
  Watch it until Ctrl-C:
    lockkeeper demo

  How many of the planted attacks are caught with rules of your own?
    lockkeeper demo --rules my-rules --events 200000 --rate 0

  The same for a program:
    lockkeeper demo --events 20000 --rate 0 --format json

Everything runs in this process and offline: a Kafka cluster (librdkafka's mock cluster), generated
wallet traffic with planted attacks, the service as `lockkeeper run` runs it, /metrics and /status
over HTTP. The cluster has no transactions, so exactly-once is not claimed here. The events' time
lies ahead of the clock and passes faster.

Exit codes: 0 ended as told, 1 it could not go on, 2 usage, 78 invalid rules.";

/// Where pages are served unless something else is there.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8464);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// How the summary is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people.
    Human,
    /// One JSON object.
    Json,
}

/// Show all of it in one process: Kafka, traffic with attacks, the service.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// End by itself after so many events, at least 1000 [default: go on until Ctrl-C]
    #[arg(long, env = "LOCKKEEPER_EVENTS", value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(LEAST_EVENTS..))]
    events: Option<u64>,

    /// Events per second; 0 is as fast as they are decided.
    #[arg(long, env = "LOCKKEEPER_RATE", value_name = "N", allow_negative_numbers = true, default_value_t = 2000)]
    rate: u32,

    /// Another seed gives other people and other attacks.
    #[arg(long, env = "LOCKKEEPER_SEED", value_name = "N", allow_negative_numbers = true, default_value_t = 1)]
    seed: u64,

    /// Rule files or directories of them [default: the wallet pack, which is part of the program]
    #[arg(short, long, env = "LOCKKEEPER_RULES", value_name = "PATH", num_args = 1, value_delimiter = ',')]
    rules: Vec<PathBuf>,

    /// Where pages are served [default: 127.0.0.1:8464, or any free port if that one is taken]
    #[arg(long, env = "LOCKKEEPER_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// How the summary is written.
    #[arg(long, env = "LOCKKEEPER_FORMAT", value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Runs the demonstration to its end.
///
/// # Errors
/// Why it could not go on.
pub fn run(args: &DemoArgs) -> Result<Exit> {
    let Some(rules) = rules(&args.rules)? else { return Ok(Exit::Config) };
    let days = Days::new(args.events, args.seed, wall_ms())?;
    let directory = tempfile::Builder::new().prefix("lockkeeper-demo-").tempdir();
    let directory = directory.context("cannot make a temporary directory for the state")?;
    let asked = Arc::new(Stop::default());
    stop_on_signal(&asked, directory.path())?;
    let config = configure(directory.path(), args.listen.unwrap_or(LISTEN))?;
    let shared = shared()?;
    let server = serve(&config.http, args.listen.is_some(), &shared)?;
    let mut screen = Screen::open(server.address())?;
    let starting = "starting a Kafka cluster in this process".to_owned();
    screen.show(&Look { state: starting, rules: rules.id.clone(), ..Look::default() })?;
    let plan = Plan { rules, days, rate: args.rate, seed: args.seed };
    let mut demo = Demo::start(Stage::build(config)?, plan, &shared)?;
    loop {
        screen.show(&demo.look())?;
        if demo.is_over() || asked.wait(LOOK) {
            break;
        }
    }
    let summary = demo.end();
    drop(screen);
    server.stop();
    write(&summary?, args.format)?;
    Ok(Exit::Fine)
}

/// The rules asked for, else the wallet pack; `None` after saying what is wrong with them.
fn rules(paths: &[PathBuf]) -> Result<Option<RuleSet>> {
    if !paths.is_empty() {
        return super::load_rules(paths);
    }
    match wallet() {
        Ok(rules) => Ok(Some(rules)),
        Err(faults) => {
            anstream::eprint!("{}", render_human(&faults, true));
            Ok(None)
        }
    }
}

/// Serves the pages; anywhere if nobody said where and the usual place is taken.
fn serve(http: &Http, is_fixed: bool, shared: &Shared) -> Result<Server> {
    let mut http = http.clone();
    let mut started = Server::start(&http, shared.clone());
    if started.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) && !is_fixed {
        http.listen.set_port(0);
        started = Server::start(&http, shared.clone());
    }
    started.map_err(|error| cannot_listen(&error, http.listen, "--listen"))
}

/// The first SIGINT or SIGTERM asks for the end; the second is the end, which leaves nothing behind either.
#[expect(clippy::disallowed_methods, reason = "whoever signals twice does not want to wait for anything")]
fn stop_on_signal(asked: &Arc<Stop>, directory: &Path) -> Result<()> {
    let (asked, directory) = (Arc::clone(asked), directory.to_owned());
    ctrlc::set_handler(move || {
        if asked.is_requested() {
            Screen::restore();
            // There is nobody left to tell.
            let _ = std::fs::remove_dir_all(&directory);
            std::process::exit(i32::from(Exit::Interrupted as u8));
        }
        asked.request();
    })
    .context("cannot listen for signals")
}

fn write(summary: &Summary, format: Format) -> Result<()> {
    let text = match format {
        Format::Json => format!("{}\n", summary.json()),
        Format::Human => summary.table(),
    };
    let mut output = Output::open(Path::new("-"))?;
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).context("cannot write the summary")
}
