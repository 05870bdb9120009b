//! When things happen: the week of people who sleep at night, pay at noon and in the evening, and on Saturday and Sunday
//! get up later and spend more.
//!
//! Progress through the traffic, a number in `[0, 1)`, is mapped to an instant by the inverse of the summed hourly
//! weights. The map is monotone, so events drawn in order of progress are in order of time.

/// Milliseconds of an hour.
pub const HOUR: i64 = 3_600_000;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;
/// Milliseconds of a week.
const WEEK: i64 = 7 * DAY;
/// Local time is UTC plus this: most of the simulated people live in China.
pub const ZONE: i64 = 8 * HOUR;
/// Traffic per local hour of a working day, from midnight.
const WORKDAY: [i64; 24] = [10, 5, 3, 2, 2, 5, 14, 30, 42, 48, 52, 66, 74, 60, 52, 52, 55, 62, 74, 80, 76, 62, 40, 22];
/// The same of a Saturday or Sunday: a sixth more in all.
const WEEKEND: [i64; 24] = [18, 9, 5, 3, 2, 3, 7, 16, 34, 56, 72, 84, 86, 78, 74, 72, 74, 80, 88, 90, 84, 68, 46, 28];
/// Hours of a week, which begins on Monday.
const HOURS: usize = 168;

/// The simulated period with its daily rhythm.
#[derive(Debug, Clone)]
pub struct Rhythm {
    /// Local Monday's first instant before the period.
    monday: i64,
    end: i64,
    from: f64,
    span: f64,
    sums: [i64; HOURS + 1],
}

/// Traffic of an hour of the week.
fn hourly(hour: usize) -> i64 {
    let day = if hour < 5 * 24 { &WORKDAY } else { &WEEKEND };
    day[hour % 24]
}

/// The local day, counted from the epoch.
pub fn local_day(time: i64) -> i64 {
    (time + ZONE).div_euclid(DAY)
}

/// The local hour.
pub fn local_hour(time: i64) -> i64 {
    (time + ZONE).rem_euclid(DAY) / HOUR
}

impl Rhythm {
    /// A period of `length` (at least 1) ms from `start`, epoch ms.
    pub fn new(start: i64, length: i64) -> Self {
        let mut sums = [0; HOURS + 1];
        for hour in 0..HOURS {
            sums[hour + 1] = sums[hour] + hourly(hour);
        }
        // The epoch was a Thursday.
        let monday = start - (start + ZONE - 4 * DAY).rem_euclid(WEEK);
        let mut rhythm = Rhythm { monday, end: start + length, from: 0.0, span: 0.0, sums };
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
        let (week, rest) = (weight / self.week_weight(), weight % self.week_weight());
        // The first sum is 0, so at least one is not above the rest.
        let hour = self.sums.partition_point(|&sum| sum * HOUR <= rest) - 1;
        let within = (rest - self.sums[hour] * HOUR) / hourly(hour);
        (self.monday + week * WEEK + hour as i64 * HOUR + within).min(self.end - 1)
    }

    fn week_weight(&self) -> i64 {
        self.sums[HOURS] * HOUR
    }

    /// Weight between the first Monday and `time`.
    fn weight_before(&self, time: i64) -> f64 {
        let (week, rest) = ((time - self.monday) / WEEK, (time - self.monday) % WEEK);
        let hour = (rest / HOUR) as usize;
        (week * self.week_weight() + self.sums[hour] * HOUR + hourly(hour) * (rest % HOUR)) as f64
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

    #[test]
    fn saturdays_and_sundays_are_busier_and_begin_later() {
        // Monday 2026-01-05 in Shanghai.
        let rhythm = Rhythm::new(1_767_542_400_000, 28 * DAY);
        let (mut days, mut early) = ([0u32; 7], [0u32; 7]);
        for n in 0..70_000 {
            let time = rhythm.at(f64::from(n) / 70_000.0);
            let day = (local_day(time) + 3).rem_euclid(7) as usize;
            days[day] += 1;
            early[day] += u32::from(local_hour(time) < 8);
        }
        assert!(days[..5].iter().all(|&n| n * 11 < days[5] * 10 && n * 11 < days[6] * 10), "{days:?}");
        assert!(early[..5].iter().all(|&n| n > early[5]), "{early:?}");
    }
}
