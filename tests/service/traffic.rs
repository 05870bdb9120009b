//! Records for the service: generated traffic with attacks in it, and everything that can be wrong with a record.

use std::process::Command;

use crate::stage::{Input, PROGRAM};

/// Events of about an hour, a day ago, spread over partitions by account; control events to their topic. About one in a
/// hundred is followed by something poisonous.
pub fn traffic(count: u64, seed: u64, partitions: i32) -> Vec<Input> {
    traffic_from(now() - 24 * 3_600_000, count, seed, partitions)
}

/// The same from another time on, ms.
pub fn traffic_from(start: i64, count: u64, seed: u64, partitions: i32) -> Vec<Input> {
    let (events, seed, start) = (count.to_string(), seed.to_string(), start.to_string());
    let words = ["generate", "--accounts", "2000", "--events", &events, "--seed", &seed, "--start", &start];
    let more = ["--days", "0.05", "--late", "20", "--late-seconds", "200"];
    let attacks = ["--attacks", "password_guessing=8,stuffing=2,takeover=4,velocity_burst=8,lost_phone=4"];
    // A few events have no room for all of them.
    let attacks = if count < 2000 { &[] } else { &attacks[..] };
    let made = Command::new(PROGRAM).args(words).args(more).args(attacks).output().expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8(made.stdout).expect("UTF-8");
    let mut inputs = Vec::new();
    let mut latest = 0;
    for (number, line) in text.lines().enumerate() {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let account = event["account"].as_str().expect("an account").to_owned();
        let control = ["unlock", "freeze", "label"].contains(&event["type"].as_str().expect("a type"));
        let time = chrono::DateTime::parse_from_rfc3339(event["time"].as_str().expect("a time")).expect("a time");
        latest = latest.max(time.timestamp_millis());
        let partition = (account.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31) + u32::from(byte))
            % partitions.cast_unsigned()) as i32;
        let input = Input { control, partition, key: account, value: Some(line.into()), timestamp: latest };
        inputs.push(input.clone());
        poison(number, &input, &mut inputs);
    }
    inputs
}

/// Something that cannot be accepted, now and then.
fn poison(number: usize, input: &Input, inputs: &mut Vec<Input>) {
    let value = input.value.clone().unwrap_or_default();
    let text = String::from_utf8(value.clone()).expect("UTF-8");
    let spoiled: Option<Vec<u8>> = match number % 1000 {
        10 => Some(b"{\"id\":".to_vec()),
        110 => None,
        210 => Some(vec![b'x'; 70_000]),
        310 => Some(value),
        410 => Some(b"\xff\xfe".to_vec()),
        510 => Some(Vec::new()),
        610 => Some(text.replacen("\"type\":", "\"type\":\"unlock\",\"was\":", 1).into_bytes()),
        910 => Some(text.replacen("\"time\":\"20", "\"time\":\"x0", 1).into_bytes()),
        710 => Some(text.replacen("\"time\":\"20", "\"time\":\"19", 1).into_bytes()),
        810 => {
            Some(text.replacen("\"id\":\"", "\"id\":\"z", 1).replacen("\"time\":\"20", "\"time\":\"21", 1).into_bytes())
        }
        _ => return,
    };
    inputs.push(Input { value: spoiled, ..input.clone() });
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    elapsed.as_millis() as i64
}
