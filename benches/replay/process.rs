//! What the system says about this process's memory.

use anyhow::{Context, Result};

/// A line of `/proc/self/status` in KiB: `VmHWM` is the peak of resident memory, `VmRSS` what is resident now.
pub fn status_kib(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("this benchmark needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).context("no such line in /proc/self/status")?;
    number.parse().with_context(|| format!("{name} in /proc/self/status is not a number"))
}
