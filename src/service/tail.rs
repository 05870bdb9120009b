//! The journal's last word: where the output stood, whoever has moved offsets since.

use std::time::Duration;

use super::clock::instant;
use super::failure::Failure;
use super::recovery::Opening;
use super::sources::Lane;
use crate::journal::{Mark, Record};
use crate::kafka::{Consumer, Event, Fetched, Position};

/// How far before the end the search begins; four times as far where nothing was found.
const FIRST_STEP: i64 = 64;
/// Records of one fetch.
const RECORDS: usize = 512;
const BYTES: usize = 4 << 20;
const WAIT: Duration = Duration::from_millis(100);
/// How long a part of the journal may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The mark of the journal's last transaction; the beginning where there is none.
///
/// # Errors
/// When the journal cannot be read, or is none.
pub fn last_mark(opening: &Opening) -> Result<Mark, Failure> {
    let log = opening.log(opening.sources.journal())?;
    let mut consumer = Consumer::connect(&opening.job.kafka())?;
    let mut step = FIRST_STEP;
    loop {
        let from = (log.end - step).max(log.start);
        let found = last_since(opening, &mut consumer, from, log.end)?;
        if found.is_some() || from == log.start {
            return Ok(found.unwrap_or_default());
        }
        step = step.saturating_mul(4);
    }
}

/// The last mark among the journal's records from one offset to before another.
fn last_since(opening: &Opening, consumer: &mut Consumer, from: i64, end: i64) -> Result<Option<Mark>, Failure> {
    let Lane { topic, partition } = opening.sources.lane(opening.sources.journal());
    consumer.assign(&[Position { topic, partition, offset: from }])?;
    let (mut fetched, mut last, start) = (Fetched::new(RECORDS, BYTES), None, instant());
    let mut is_over = from >= end;
    while !is_over {
        consumer.fetch(&mut fetched, WAIT);
        for record in fetched.records() {
            let place = || format!("{topic}/{partition}/{}", record.offset);
            let read = Record::decode(record.value.unwrap_or_default());
            last = read.map_err(|fault| Failure::Journal { place: place(), fault })?.mark.or(last);
            is_over |= record.offset + 1 >= end;
        }
        is_over |= fetched.events().iter().any(|event| matches!(event, Event::End { offset, .. } if *offset >= end));
        if start.elapsed() > PATIENCE {
            let doing = "reading the end of the journal".to_owned();
            return Err(Failure::Client { reason: format!("{doing} takes too long") });
        }
    }
    Ok(last)
}
