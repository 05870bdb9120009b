//! Lines of JSON in memory: written payments, generated traffic, and cutting both into batches.

use std::io::Write;

use lockkeeper::generate::{Options, Traffic};
use lockkeeper::model::batch::{Batch, Origin, Source};
use lockkeeper::model::events::Span;
use lockkeeper::model::time::write_timestamp;
use lockkeeper::replay::run::BATCH_RECORDS;
use lockkeeper::wire::{RawBatch, RawRecord, Schema, decode};

/// Monday 2026-01-05 in Shanghai, epoch ms: where the generator's traffic begins by default.
pub const START: i64 = 1_767_542_400_000;

/// A payment made up for a benchmark; equal numbers make equal accounts, devices and addresses.
#[derive(Debug, Clone, Copy)]
pub struct Payment {
    /// Makes the event's id.
    pub number: u64,
    /// Event time, epoch ms.
    pub time: i64,
    /// The account, named as the generator names it.
    pub account: u64,
    /// Makes the device and the address.
    pub device: u64,
}

impl Payment {
    /// Appends the line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Payment { number, account, device, .. } = *self;
        let (a, b, c) = (device >> 16 & 255, device >> 8 & 255, device & 255);
        let fen = 100 + number * 7919 % 50_000;
        // A buffer takes all bytes.
        let _ = write!(out, r#"{{"id":"p{number}","type":"payment","time":""#);
        write_timestamp(out, self.time);
        let _ = writeln!(
            out,
            concat!(
                r#"","account":"a{account}","amount":"{major}.{minor:02}","currency":"CNY","order":"o{number}","#,
                r#""counterparty":"m{merchant}","device":"p{device}","kyc":3,"ip":"10.{a}.{b}.{c}","#,
                r#""lat":31.{place},"lon":121.{place},"factors":2}}"#
            ),
            number = number,
            account = account,
            major = fen / 100,
            minor = fen % 100,
            merchant = number * 31 % 997,
            device = device,
            a = a,
            b = b,
            c = c,
            place = 1000 + number % 1000,
        );
    }
}

/// The next `events` lines of traffic.
pub fn take(traffic: &mut Traffic, events: u64) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..events {
        if traffic.append(&mut text).is_none() {
            break;
        }
    }
    text
}

/// All lines of the traffic described.
pub fn generate(options: &Options) -> Vec<u8> {
    let mut traffic = Traffic::new(options).expect("options that fit together");
    take(&mut traffic, options.events)
}

/// Lines without their ends.
#[derive(Debug, Clone)]
pub struct Lines<'a>(pub &'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0).unwrap_or(self.0.len());
        let line = &self.0[..end];
        self.0 = &self.0[self.0.len().min(end + 1)..];
        Some(line)
    }
}

/// An empty batch of records from standard input.
pub fn raw_batch() -> RawBatch {
    RawBatch { sources: vec![Source::File("-".to_owned())], ..RawBatch::default() }
}

/// Copies up to `records` lines into `raw`, numbered on from `number`; false when there was none left.
pub fn fill(raw: &mut RawBatch, lines: &mut Lines, records: usize, number: &mut u64) -> bool {
    raw.clear();
    for line in lines.take(records) {
        *number += 1;
        let span = Span { start: raw.text.len() as u32, len: line.len() as u32 };
        raw.text.extend_from_slice(line);
        raw.records.push(RawRecord { span, origin: Origin { number: *number, ..Origin::default() } });
    }
    !raw.records.is_empty()
}

/// Decoded batches of the usual size.
pub fn batches(text: &[u8], schema: &Schema) -> Vec<Batch> {
    let types: Vec<_> = schema.fields.iter().map(|(_, kind)| *kind).collect();
    let (mut raw, mut lines, mut number) = (raw_batch(), Lines(text), 0);
    let mut batches = Vec::new();
    while fill(&mut raw, &mut lines, BATCH_RECORDS, &mut number) {
        let mut batch = Batch::new(&types);
        decode(&mut raw, schema, &mut batch);
        batches.push(batch);
    }
    batches
}
