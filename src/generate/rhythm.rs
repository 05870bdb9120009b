//! When things happen: the day of people who sleep at night and pay at noon and in the evening.
//!
//! Progress through the traffic, a number in `[0, 1)`, is mapped to an instant by the inverse of the summed hourly
//! weights. The map is monotone, so events drawn in order of progress are in order of time.

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;
/// Local time is UTC plus this: most of the simulated people live in China.
pub const ZONE: i64 = 8 * HOUR;
/// Traffic per local hour, from midnight.
const HOURLY: [i64; 24] = [10, 5, 3, 2, 2, 5, 14, 30, 42, 48, 52, 66, 74, 60, 52, 52, 55, 62, 74, 80, 76, 62, 40, 22];

/// The simulated period with its daily rhythm.
#[derive(Debug, Clone)]
pub struct Rhythm {
    midnight: i64,
    end: i64,
    from: f64,
    span: f64,
    sums: [i64; 25],
}

impl Rhythm {
    /// A period of `length` (at least 1) ms from `start`, epoch ms.
    pub fn new(start: i64, length: i64) -> Self {
        let mut sums = [0; 25];
        for (hour, weight) in HOURLY.iter().enumerate() {
            sums[hour + 1] = sums[hour] + weight;
        }
        let midnight = start - (start + ZONE).rem_euclid(DAY);
        let mut rhythm = Rhythm { midnight, end: start + length, from: 0.0, span: 0.0, sums };
        rhythm.from = rhythm.weight_before(start);
        rhythm.span = rhythm.weight_before(start + length) - rhythm.from;
        rhythm
    }

    /// First instant after the period, epoch ms.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// The instant (epoch ms) at which this share of the traffic has passed; never before a smaller share's.
    pub fn at(&self, progress: f64) -> i64 {
        let weight = (self.from + self.span * progress) as i64;
        let (day, rest) = (weight / self.day_weight(), weight % self.day_weight());
        // The first sum is 0, so at least one is not above the rest.
        let hour = self.sums.partition_point(|&sum| sum * HOUR <= rest) - 1;
        let within = (rest - self.sums[hour] * HOUR) / HOURLY[hour];
        (self.midnight + day * DAY + hour as i64 * HOUR + within).min(self.end - 1)
    }

    fn day_weight(&self) -> i64 {
        self.sums[24] * HOUR
    }

    /// Weight between the first local midnight and `time`.
    fn weight_before(&self, time: i64) -> f64 {
        let (day, rest) = ((time - self.midnight) / DAY, (time - self.midnight) % DAY);
        let hour = (rest / HOUR) as usize;
        (day * self.day_weight() + self.sums[hour] * HOUR + HOURLY[hour] * (rest % HOUR)) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_runs_from_start_to_end_in_order() {
        for (start, length) in [(0, DAY), (1_767_542_400_123, 10 * DAY + 7), (-5 * DAY - 1, 90_000), (HOUR, 1)] {
            let rhythm = Rhythm::new(start, length);
            let times: Vec<i64> = (0..5000).map(|n| rhythm.at(f64::from(n) / 5000.0)).collect();
            assert!(times.is_sorted());
            assert!((times[0] - start).abs() <= 1, "{} for {start}", times[0]);
            assert!(times[4999] < rhythm.end() && rhythm.end() == start + length);
            assert!(times[4999] >= start + length - length / 200 - 2, "{times:?}");
        }
    }

    #[test]
    fn nights_are_quiet() {
        let rhythm = Rhythm::new(0, 20 * DAY);
        let mut hours = [0u32; 24];
        for n in 0..20_000 {
            let time = rhythm.at(f64::from(n) / 20_000.0);
            hours[((time + ZONE).rem_euclid(DAY) / HOUR) as usize] += 1;
        }
        assert!(hours[3] * 20 < hours[19], "{hours:?}");
        assert!(hours.iter().all(|&n| n > 0));
    }
}
