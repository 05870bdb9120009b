//! Where a running demonstration is shown: on a terminal a picture that is drawn again and again, elsewhere a line every
//! few seconds. It goes to stderr, so that stdout has nothing but the summary.

use std::env;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use console::{Term, colors_enabled_stderr};

use crate::demo::view::{Canvas, Look};
use crate::tables::grouped;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Another screen, so that what was on this one comes back; no cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
/// Terminals that know these show all that is between them at once.
const BEGIN: &str = "\u{1b}[?2026h\u{1b}[H";
const END: &str = "\u{1b}[J\u{1b}[?2026l";
/// Clears the rest of a line and goes to the next.
const NEXT_LINE: &str = "\u{1b}[K\r\n";

/// Whether the terminal has to be restored.
static IS_ENTERED: AtomicBool = AtomicBool::new(false);

/// A terminal, or what is in its place.
pub struct Screen {
    address: String,
    /// `None` where lines are written.
    term: Option<Term>,
    /// When the next line is due.
    due: Duration,
}

impl Screen {
    /// Begins; `address` is where pages are served.
    ///
    /// # Errors
    /// When stderr cannot be written.
    pub fn open(address: SocketAddr) -> Result<Screen> {
        let term = Term::stderr();
        let is_dumb = env::var_os("TERM").is_some_and(|name| name == "dumb");
        let is_live = term.features().is_attended() && !is_dumb;
        let mut screen = Screen { address: address.to_string(), term: is_live.then_some(term), due: Duration::ZERO };
        if is_live {
            IS_ENTERED.store(true, Ordering::Relaxed);
            say(ENTER)?;
        } else {
            screen.introduce()?;
        }
        Ok(screen)
    }

    /// Shows how it looks now.
    ///
    /// # Errors
    /// When stderr cannot be written.
    pub fn show(&mut self, look: &Look) -> Result<()> {
        let Some(term) = &self.term else { return self.line(look) };
        let (height, width) = term.size();
        let canvas = Canvas {
            width: usize::from(width),
            height: usize::from(height),
            has_colour: colors_enabled_stderr(),
            address: &self.address,
        };
        say(&format!("{BEGIN}{}{END}", canvas.draw(look).join(NEXT_LINE)))
    }

    /// Gives the terminal back as it was.
    pub fn restore() {
        if IS_ENTERED.swap(false, Ordering::Relaxed) {
            // Whoever has closed it needs nothing restored.
            let _ = say(LEAVE);
        }
    }

    fn introduce(&mut self) -> Result<()> {
        let address = &self.address;
        say(&format!(
            "demo: Kafka is librdkafka's mock cluster in this process; it has no transactions, so exactly-once is not \
             claimed here\ndemo: http://{address}/status and http://{address}/metrics; Ctrl-C sums up\n"
        ))
    }

    fn line(&mut self, look: &Look) -> Result<()> {
        if look.uptime < self.due {
            return Ok(());
        }
        self.due = look.uptime + LINE_EVERY;
        let (tally, (planted, caught)) = (&look.tally, look.tally.all_attacks());
        say(&format!(
            "demo: {}, {} events decided ({} a second), {} locks active, {caught} of {planted} attacks caught\n",
            look.state,
            grouped(tally.decided()),
            grouped(look.rate as u64),
            grouped(tally.active()),
        ))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        Screen::restore();
    }
}

/// Writes everything at once: a screen that comes in pieces flickers.
fn say(text: &str) -> Result<()> {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).context("cannot write to stderr")
}
