//! Lines of bounded length from a stream, whatever the stream holds.

use std::io::{self, BufRead};

use memchr::memchr;

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// `\n`
    Newline,
    /// `\r\n`
    CarriageReturn,
    /// The end of the stream, after at least one byte.
    Stream,
}

/// Appends the next line to `out` without its line end; `None` at the end of the stream.
///
/// Of a line over `most` bytes only the beginning is kept, one byte more than is allowed, and the rest is skipped.
/// `each` sees all of the line in pieces. On an error `out` holds what was read of the broken line.
pub(super) fn read_line(
    reader: &mut impl BufRead,
    out: &mut Vec<u8>,
    most: usize,
    mut each: impl FnMut(&[u8]),
) -> io::Result<Option<LineEnd>> {
    let start = out.len();
    let (mut length, mut last) = (0, 0);
    loop {
        let buffer = match reader.fill_buf() {
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            out.truncate(start + most + 1);
            return Ok((length > 0).then_some(LineEnd::Stream));
        }
        let newline = memchr(b'\n', buffer);
        let piece = &buffer[..newline.unwrap_or(buffer.len())];
        // Enough to see that it is too long, even when its last byte turns out to be `\r`.
        let room = most + 2 - (out.len() - start);
        out.extend_from_slice(&piece[..piece.len().min(room)]);
        each(piece);
        length += piece.len();
        last = piece.last().copied().unwrap_or(last);
        let consumed = piece.len() + usize::from(newline.is_some());
        reader.consume(consumed);
        if newline.is_some() {
            return Ok(Some(end_line(out, start, most, length, last)));
        }
    }
}

/// Takes a `\r` before the line end off, and cuts a line that is too long.
fn end_line(out: &mut Vec<u8>, start: usize, most: usize, length: usize, last: u8) -> LineEnd {
    let carriage_return = length > 0 && last == b'\r';
    let length = length - usize::from(carriage_return);
    out.truncate(start + length.min(most + 1));
    if carriage_return { LineEnd::CarriageReturn } else { LineEnd::Newline }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MAX_RECORD;
    use std::io::BufReader;

    /// Lengths, or the texts of short lines.
    fn lines(text: &[u8], buffer: usize) -> Vec<(Vec<u8>, LineEnd)> {
        let mut reader = BufReader::with_capacity(buffer, text);
        let mut lines = Vec::new();
        loop {
            let mut out = b"before".to_vec();
            match read_line(&mut reader, &mut out, MAX_RECORD, |_| ()).expect("memory does not fail") {
                Some(end) => lines.push((out.split_off(6), end)),
                None => return lines,
            }
        }
    }

    #[test]
    fn line_ends_are_taken_off() {
        let expected = vec![
            (b"a".to_vec(), LineEnd::Newline),
            (b"b\rc".to_vec(), LineEnd::CarriageReturn),
            (b"".to_vec(), LineEnd::Newline),
            (b"".to_vec(), LineEnd::CarriageReturn),
            (b"d\r".to_vec(), LineEnd::Stream),
        ];
        for buffer in 1..9 {
            assert_eq!(lines(b"a\nb\rc\r\n\n\r\nd\r", buffer), expected);
            assert!(lines(b"", buffer).is_empty());
        }
    }

    #[test]
    fn long_lines_are_cut_just_behind_the_limit() {
        for (length, end, kept) in [
            (MAX_RECORD, "\n", MAX_RECORD),
            (MAX_RECORD, "\r\n", MAX_RECORD),
            (MAX_RECORD, "", MAX_RECORD),
            (MAX_RECORD + 1, "\n", MAX_RECORD + 1),
            (MAX_RECORD + 1, "\r\n", MAX_RECORD + 1),
            (MAX_RECORD + 2, "\r\n", MAX_RECORD + 1),
            (5 * MAX_RECORD, "\n", MAX_RECORD + 1),
            (5 * MAX_RECORD, "", MAX_RECORD + 1),
        ] {
            let text = "x".repeat(length) + end;
            let next = if end.is_empty() { String::new() } else { text.clone() + "next" };
            let got = lines(if end.is_empty() { text.as_bytes() } else { next.as_bytes() }, 4096);
            assert_eq!(got[0].0.len(), kept, "{length} {end:?}");
            assert_eq!(got.last().map(|line| line.0.as_slice() == b"next"), Some(!end.is_empty()));
        }
    }
}
