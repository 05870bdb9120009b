//! Trying until it works: at a start nobody may be there yet, and whoever waits must be able to see for what.

use std::time::Duration;

use super::failure::Failure;
use super::health::State;
use super::http::Shared;
use super::stop::Stop;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Calls until it succeeds, with growing pauses; says once what is wrong, and in the health's reason all the while.
///
/// # Errors
/// What no further try can mend, and the stop.
pub fn insist<T, E: Into<Failure>>(
    shared: &Shared,
    stop: &Stop,
    what: &str,
    mut call: impl FnMut() -> Result<T, E>,
) -> Result<T, Failure> {
    shared.health.set(State::Starting { what: what.to_owned() });
    let (mut pause, mut said) = (FIRST_PAUSE, String::new());
    loop {
        match call().map_err(E::into) {
            Ok(value) => return Ok(value),
            Err(error) if !error.may_pass() => return Err(error),
            Err(error) => {
                let why = error.to_string();
                if why != said {
                    tracing::warn!("{why}; trying again");
                    shared.health.set(State::Starting { what: why.clone() });
                    said = why;
                }
            }
        }
        if stop.wait(pause) {
            return Err(Failure::Stopped);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
