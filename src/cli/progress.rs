//! What a person sees of a long run while it goes on, and how they stop it.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::facts::Facts;
use crate::model::outcome::TransitionKind;
use crate::replay::Progress;

/// A flag that SIGINT and SIGTERM set; the second signal ends the process at once.
///
/// # Errors
/// When signals cannot be listened for.
#[expect(clippy::disallowed_methods, reason = "whoever signals twice does not want to wait for anything")]
pub fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        anstream::eprintln!("stopping after the current batch; once more to stop at once");
    })
    .context("cannot listen for signals")?;
    Ok(stop)
}

/// A bar on stderr that also knows when the run began.
pub struct Bar {
    bar: ProgressBar,
    progress: Progress,
    started: Instant,
}

impl Bar {
    /// Begins; nothing is shown unless stderr is a terminal and the decisions do not go to one.
    #[expect(clippy::disallowed_methods, reason = "the summary says how fast it went")]
    pub fn start(progress: Progress, out: &Path) -> Self {
        let started = Instant::now();
        if out.as_os_str() == "-" && io::stdout().is_terminal() {
            return Bar { bar: ProgressBar::hidden(), progress, started };
        }
        let (template, bar) = match progress.total() {
            Some(total) => ("{bar:30} {bytes}/{total_bytes} {msg} {eta}", ProgressBar::new(total)),
            None => ("{spinner} {bytes} {msg}", ProgressBar::new_spinner()),
        };
        let bar = match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Bar { bar, progress, started }
    }

    /// How long it took so far.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows how far it is.
    pub fn show(&self, facts: &Facts, active: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let rate = facts.events as f64 / self.elapsed().as_secs_f64().max(1e-9);
        let set = facts.transitions.get(&TransitionKind::Locked).copied().unwrap_or_default();
        self.bar.set_position(self.progress.read());
        self.bar.set_message(format!("{rate:.0} events/s, {set} locks set, {active} active"));
    }

    /// Ends and leaves no trace.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
