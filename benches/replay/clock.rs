//! Time as it is paid for: CPU time of this thread, and time on the wall.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// CPU time of the calling thread.
    pub cpu: Duration,
    /// Time on the wall.
    pub wall: Duration,
}

/// Measures one call.
pub fn measure<T>(work: impl FnOnce() -> T) -> (Cost, T) {
    let (cpu, wall) = (thread_cpu(), Instant::now());
    let result = work();
    (Cost { cpu: thread_cpu().saturating_sub(cpu), wall: wall.elapsed() }, result)
}

/// CPU time of this thread so far.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Neither is negative, and nanoseconds are below a billion.
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Which of a cost's two times is looked at.
pub type Pick = fn(&Cost) -> Duration;

/// CPU time.
pub const CPU: Pick = |cost| cost.cpu;
/// Time on the wall.
pub const WALL: Pick = |cost| cost.wall;

/// Costs of repetitions of one thing.
#[derive(Debug, Clone, Default)]
pub struct Series {
    costs: Vec<Cost>,
}

impl Series {
    /// Adds a repetition.
    pub fn push(&mut self, cost: Cost) {
        self.costs.push(cost);
    }

    /// The least of all repetitions, in seconds.
    pub fn least(&self, pick: Pick) -> f64 {
        self.sorted(pick).first().copied().unwrap_or(f64::NAN)
    }

    /// The median of all repetitions, in seconds; of an even number the lower one.
    pub fn median(&self, pick: Pick) -> f64 {
        let sorted = self.sorted(pick);
        sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    fn sorted(&self, pick: Pick) -> Vec<f64> {
        let mut seconds: Vec<f64> = self.costs.iter().map(|cost| pick(cost).as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }
}
