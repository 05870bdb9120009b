//! What this program can be instead of the benchmark: the processes that are measured beside the service.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use lockkeeper::config::load::load;
use lockkeeper::config::{Config, Program};
use lockkeeper::kafka::library_version;
use lockkeeper::logging;
use lockkeeper::metrics::{Build, Metrics};
use lockkeeper::rulefiles::load_paths;
use lockkeeper::service::delivery::Delivery;
use lockkeeper::service::http::Shared;
use lockkeeper::service::owner::Job;
use lockkeeper::service::run::run;
use lockkeeper::service::stop::Stop;

use super::bare;
use super::stage::Output;

/// How the benchmark starts itself.
#[derive(Debug, Clone, Args)]
pub struct ChildArgs {
    /// `bare` or `plain`.
    #[arg(long, hide = true)]
    child: Option<String>,

    #[arg(long, hide = true, requires = "child")]
    config: Option<PathBuf>,

    #[arg(long, hide = true, requires = "child", default_value_t = 1.0)]
    share: f64,

    #[arg(long, hide = true, requires = "child", default_value_t = 256)]
    bytes: usize,
}

impl ChildArgs {
    /// Whether this process is one of those.
    pub fn is_wanted(&self) -> bool {
        self.child.is_some()
    }

    /// Runs until killed.
    pub fn run(&self) -> Result<()> {
        let path = self.config.as_ref().context("--config is missing")?;
        let config = load(path, &Program::default()).map_err(|faults| anyhow!("{faults:?}"))?.config;
        logging::start(&config.logging)?;
        match self.child.as_deref() {
            Some("bare") => bare::run(&job(config)?, Output { share: self.share, bytes: self.bytes }),
            Some("plain") => plain(job(config)?),
            other => bail!("no such child: {other:?}"),
        }
    }
}

fn job(config: Config) -> Result<Job> {
    let rules = load_paths(&config.rules).map_err(|faults| anyhow!("{faults:?}"))?.rules;
    Ok(Job { config, rules, delivery: Delivery::AtLeastOnce, accept_state_loss: false })
}

/// The service without transactions, which no configuration offers.
fn plain(job: Job) -> Result<()> {
    let kafka = library_version();
    let metrics = Arc::new(Metrics::new(Build { version: "benchmark", kafka: &kafka })?);
    let shared = Shared { metrics, health: Arc::default(), status: Arc::default() };
    Ok(run(job, &shared, &Arc::new(Stop::default()))?)
}
