//! Opening an input: file or stdin, plain, gzip or zstd by its first bytes, with the bytes read counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much is read at once.
const BUFFER: usize = 256 * 1024;

/// A stream of decompressed bytes.
pub(super) type Stream = Box<dyn BufRead + Send>;

/// Counts the bytes taken from a file, as stored.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens a path (`-` is stdin) and decompresses it if its first bytes say so; `count` grows by the bytes read.
pub(super) fn open(path: &str, count: &Arc<AtomicU64>) -> io::Result<Stream> {
    let count = Arc::clone(count);
    if path == "-" {
        return decompressed(Counted { inner: io::stdin(), count });
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory, expected a file"));
    }
    decompressed(Counted { inner: file, count })
}

/// Size as stored, where it is known.
pub(super) fn stored_size(path: &str) -> Option<u64> {
    let metadata = std::fs::metadata(path).ok().filter(|_| path != "-")?;
    metadata.is_file().then_some(metadata.len())
}

fn decompressed(mut input: impl Read + Send + 'static) -> io::Result<Stream> {
    let mut head = Vec::new();
    input.by_ref().take(4).read_to_end(&mut head)?;
    let kind = Compression::of(&head);
    let stored = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(input));
    Ok(match kind {
        Compression::None => Box::new(stored),
        Compression::Gzip => Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(stored))),
        Compression::Zstd => Box::new(BufReader::with_capacity(BUFFER, zstd::Decoder::with_buffer(stored)?)),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// By magic bytes; a zstd stream may begin with a skippable frame.
    fn of(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }
}
