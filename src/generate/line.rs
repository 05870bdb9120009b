//! One event as a JSON line, bytes appended to a buffer: no allocation, no formatting machinery.
//!
//! Every text written is made by the generator from letters, digits and a few signs, so nothing needs escaping.

use super::people::Address;

/// Writes one line; the fields come in the order of the calls.
pub struct Line<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Line<'a> {
    /// Starts a line with the event's id, made from a number.
    pub fn open(out: &'a mut Vec<u8>, id: u64) -> Self {
        out.extend_from_slice(br#"{"id":"e"#);
        base36(out, id);
        Line { out }
    }

    /// Starts a label's line with an id made from the number of the event it speaks of.
    pub fn open_label(out: &'a mut Vec<u8>, of: u64) -> Self {
        out.extend_from_slice(br#"{"id":"l"#);
        base36(out, of);
        Line { out }
    }

    /// Appends bytes as they are: `","name":"` goes from inside one text to inside the next.
    pub fn raw(&mut self, bytes: &str) -> &mut Self {
        self.out.extend_from_slice(bytes.as_bytes());
        self
    }

    /// Appends a number in decimal.
    pub fn number(&mut self, number: u32) -> &mut Self {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self
    }

    /// Appends a larger number in decimal.
    pub fn number_64(&mut self, number: u64) -> &mut Self {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self
    }

    /// Appends a number in letters and digits.
    pub fn base36(&mut self, number: u64) -> &mut Self {
        base36(self.out, number);
        self
    }

    /// Appends minor units as major units with two digits.
    pub fn amount(&mut self, minor: u32) -> &mut Self {
        self.number(minor / 100).raw(".").two_digits(minor % 100)
    }

    /// Appends ten-thousandths as a JSON number.
    pub fn degrees(&mut self, value: i32) -> &mut Self {
        if value < 0 {
            self.raw("-");
        }
        let value = value.unsigned_abs();
        self.number(value / 10_000).raw(".").two_digits(value % 10_000 / 100).two_digits(value % 100)
    }

    /// Appends an address.
    pub fn address(&mut self, address: Address) -> &mut Self {
        match address {
            Address::V4([a, b, c, d]) => {
                self.number(a.into()).raw(".").number(b.into()).raw(".").number(c.into()).raw(".").number(d.into())
            }
            Address::V6([a, b]) => self.raw("2001:db8:").hex(a).raw(":").hex(b).raw("::1"),
        }
    }

    /// Ends the line.
    pub fn close(&mut self) {
        self.raw("}\n");
    }

    fn two_digits(&mut self, number: u32) -> &mut Self {
        self.out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
        self
    }

    fn hex(&mut self, group: u16) -> &mut Self {
        let digit = |shift: u16| b"0123456789abcdef"[usize::from(group >> shift & 15)];
        self.out.extend_from_slice(&[digit(12), digit(8), digit(4), digit(0)]);
        self
    }
}

/// The id of the event with this number.
pub fn event_id(number: u64) -> String {
    let mut id = b"e".to_vec();
    base36(&mut id, number);
    // Letters and digits only.
    String::from_utf8(id).unwrap_or_default()
}

fn base36(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 13];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize];
        number /= 36;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Writes instants as RFC 3339 in UTC; the text of the day is kept, since the next event is mostly of the same day.
#[derive(Debug, Clone)]
pub struct Stamp {
    day: i64,
    text: [u8; 24],
}

impl Stamp {
    /// Milliseconds of a day.
    const DAY: i64 = 86_400_000;

    /// A writer that knows no day yet.
    pub fn new() -> Self {
        Stamp { day: i64::MIN, text: *b"0000-00-00T00:00:00.000Z" }
    }

    /// The instant's text, such as `2026-01-05T08:00:00.000Z`; years 1 to 9999.
    pub fn text(&mut self, time: i64) -> &str {
        let day = time.div_euclid(Self::DAY);
        if day != self.day {
            self.set_day(day);
        }
        // Below 86 400 000, so it fits.
        let ms = time.rem_euclid(Self::DAY) as u32;
        self.digits(11, ms / 3_600_000, 2);
        self.digits(14, ms / 60_000 % 60, 2);
        self.digits(17, ms / 1000 % 60, 2);
        self.digits(20, ms % 1000, 3);
        // Only ASCII digits are ever written over the ASCII template.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    fn set_day(&mut self, day: i64) {
        use chrono::Datelike;
        self.day = day;
        let date = chrono::DateTime::from_timestamp_millis(day.saturating_mul(Self::DAY)).unwrap_or_default();
        self.digits(0, date.year().unsigned_abs(), 4);
        self.digits(5, date.month(), 2);
        self.digits(8, date.day(), 2);
    }

    fn digits(&mut self, start: usize, mut number: u32, count: usize) {
        for place in self.text[start..start + count].iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
}

impl Default for Stamp {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl FnOnce(&mut Line), expected: &str) {
        let mut out = Vec::new();
        write(&mut Line { out: &mut out });
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn values_are_written_plainly() {
        check(
            |line| {
                line.amount(5);
            },
            "0.05",
        );
        check(
            |line| {
                line.amount(12_340);
            },
            "123.40",
        );
        check(
            |line| {
                line.degrees(-1276);
            },
            "-0.1276",
        );
        check(
            |line| {
                line.degrees(121_4737);
            },
            "121.4737",
        );
        check(
            |line| {
                line.base36(0);
            },
            "0",
        );
        check(
            |line| {
                line.base36(36 * 36 + 35);
            },
            "10z",
        );
        check(
            |line| {
                line.base36(u64::MAX);
            },
            "3w5e11264sgsf",
        );
        check(
            |line| {
                line.address(Address::V4([10, 0, 255, 7]));
            },
            "10.0.255.7",
        );
        check(
            |line| {
                line.address(Address::V6([0x1abc, 0xf001]));
            },
            "2001:db8:1abc:f001::1",
        );
    }

    #[test]
    fn instants_are_rfc_3339() {
        let mut stamp = Stamp::new();
        for time in [0, 1_767_542_400_123, 1_767_542_400_124, -1, -62_135_596_800_000, 253_402_300_799_999] {
            let expected = chrono::DateTime::from_timestamp_millis(time).map(|t| t.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
            assert_eq!(Some(stamp.text(time).to_owned()), expected.map(|t| t.to_string()));
        }
    }
}
