//! Events at a steady rate, each with its number and the moment it was sent in its id.

use std::io::Write;
use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lockkeeper::generate::Options;
use lockkeeper::kafka::Producer;
use lockkeeper::model::time::write_timestamp;

use super::backlog::{now, record};
use super::stage::{Stage, producer};
use super::support::lines::{Lines, generate};

/// Lines that are written again and again, with other ids and times.
const LINES: u64 = 200_000;
/// Between two looks at what is due.
const STEP: Duration = Duration::from_millis(1);

/// Events to be sent.
pub struct Events {
    text: Vec<u8>,
    lines: Vec<Line>,
}

/// Where in the text a line's parts lie: between id and time, and behind the time.
struct Line {
    middle: Range<usize>,
    rest: Range<usize>,
}

impl Events {
    /// Of so many accounts, all about equally busy: at many events a second a few would be suspicious by that alone.
    pub fn generate(accounts: u32) -> Result<Events> {
        let options = Options { accounts, events: LINES, flatten: Some(accounts), ..Options::default() };
        let text = generate(&options);
        let start = text.as_ptr() as usize;
        let place = |part: &[u8]| part.as_ptr() as usize - start..part.as_ptr() as usize - start + part.len();
        let cut = |line| {
            let (middle, rest) = parts(line)?;
            Some(Line { middle: place(middle), rest: place(rest) })
        };
        let lines = Lines(&text).map(cut).collect::<Option<Vec<Line>>>().context("a line without id or time")?;
        Ok(Events { text, lines })
    }

    /// Sends so many a second for a while; returns how many that were.
    pub fn send(&self, stage: &Stage, rate: u64, length: Duration, beginning: Instant) -> Result<u64> {
        let mut producer = producer(&stage.bootstrap)?;
        producer.begin()?;
        let (start, mut sent, mut line) = (Instant::now(), 0, Vec::new());
        while start.elapsed() < length {
            let due = (start.elapsed().as_secs_f64() * rate as f64) as u64;
            for number in sent..due {
                let time = now();
                self.write(number, beginning.elapsed().as_micros() as u64, time, &mut line);
                producer.send(&record(&stage.input, &line, time))?;
            }
            sent = due.max(sent);
            sleep(STEP);
        }
        producer.commit(&[])?;
        Ok(sent)
    }

    fn write(&self, number: u64, moment: u64, time: i64, out: &mut Vec<u8>) {
        let Line { middle, rest } = &self.lines[(number % self.lines.len() as u64) as usize];
        out.clear();
        // A buffer takes all bytes.
        let _ = write!(out, "{{\"id\":\"{number}-{moment}");
        out.extend_from_slice(&self.text[middle.clone()]);
        write_timestamp(out, time);
        out.extend_from_slice(&self.text[rest.clone()]);
    }
}

/// What stands between a line's id and its time, quotes included, and what comes behind the time.
fn parts(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let after_id = b"{\"id\":\"".len() + memchr::memchr(b'"', line.strip_prefix(b"{\"id\":\"")?)?;
    let time = b"\"time\":\"";
    let start = memchr::memmem::find(line, time)? + time.len();
    let end = start + memchr::memchr(b'"', &line[start..])?;
    Some((&line[after_id..start], &line[end..]))
}
