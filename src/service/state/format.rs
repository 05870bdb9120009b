//! The bytes of a state file.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `LKSTATE` and a zero byte |
//! | 4 | version of this format |
//! | 4 | length of the header |
//! | | the header, in the wire format of `postcard` |
//! | | the engine's state, compressed with zstd |
//! | 8 | length of the whole file |
//! | 32 | SHA-256 of all bytes before |
//!
//! Numbers are little-endian. The length stands at the end because the state is compressed while it is written: a copy
//! of it in memory would double what the service needs. Reading goes twice over the bytes, first for the digest, so
//! that nothing is made of bytes that were not verified.

use std::io::{self, Read, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

use super::error::Unusable;
use super::header::{Header, Snapshot};

/// Version of the format; another one is not read.
pub const FORMAT: u32 = 1;
const MAGIC: [u8; 8] = *b"LKSTATE\0";
/// Magic, version, length of the header.
const START: u64 = 16;
/// Length of the file, digest.
const END: u64 = 8 + DIGEST;
const DIGEST: u64 = 32;
/// Longest header; 4096 partitions with long names stay far below.
const MAX_HEADER: u32 = 16 << 20;
/// Fast, and about a third of the size.
const COMPRESSION: i32 = 1;
const BUFFER: usize = 128 * 1024;

/// Passes on what is written, counted and hashed.
struct Hashed<W> {
    inner: W,
    digest: Sha256,
    length: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes a state file and returns its length.
pub fn write(out: impl Write, snapshot: &Snapshot) -> io::Result<u64> {
    write_with(out, &Header::of(snapshot), &snapshot.state)
}

/// Writes a header and a state, which should belong together.
pub(super) fn write_with(out: impl Write, header: &Header, state: &[u8]) -> io::Result<u64> {
    let header = postcard::to_stdvec(header).map_err(io::Error::other)?;
    let length = u32::try_from(header.len()).ok().filter(|length| *length <= MAX_HEADER);
    let length = length.ok_or_else(|| io::Error::other("too many topics for the header of a state file"))?;
    let mut out = Hashed { inner: io::BufWriter::with_capacity(BUFFER, out), digest: Sha256::new(), length: 0 };
    out.write_all(&MAGIC)?;
    out.write_all(&FORMAT.to_le_bytes())?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&header)?;
    let mut body = zstd::Encoder::new(&mut out, COMPRESSION)?;
    body.write_all(state)?;
    body.finish()?;
    let length = out.length + END;
    out.write_all(&length.to_le_bytes())?;
    let Hashed { mut inner, digest, .. } = out;
    inner.write_all(&digest.finalize())?;
    inner.flush()?;
    Ok(length)
}

/// A state file by its beginning and its end; what is between was not looked at.
struct Outline {
    header: Header,
    /// Where the engine's state begins.
    body: u64,
    /// Length of the file.
    length: u64,
}

fn outline(file: &mut (impl Read + Seek)) -> Result<Outline, Unusable> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut magic = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    if magic.is_empty() || !MAGIC.starts_with(&magic) {
        return Err(Unusable::Foreign);
    }
    if length < START + END {
        return Err(Unusable::Length { found: length });
    }
    let format = read_number(file)?;
    if format != FORMAT {
        return Err(Unusable::Format { found: format });
    }
    let header_length = read_number(file)?;
    let body = START + u64::from(header_length);
    if header_length > MAX_HEADER || body > length - END {
        return Err(Unusable::Damaged("its header does not fit in"));
    }
    let mut header = vec![0; header_length as usize];
    file.read_exact(&mut header)?;
    file.seek(SeekFrom::Start(length - END))?;
    let mut written = [0; 8];
    file.read_exact(&mut written)?;
    if u64::from_le_bytes(written) != length {
        return Err(Unusable::Length { found: length });
    }
    match postcard::take_from_bytes(&header) {
        Ok((header, [])) => Ok(Outline { header, body, length }),
        _ => Err(Unusable::Damaged("its header cannot be understood")),
    }
}

fn read_number(file: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// Looks at the beginning and the end of a file only: enough to see that it is whole, not that it is undamaged.
pub fn glance(file: &mut (impl Read + Seek)) -> Result<Header, Unusable> {
    outline(file).map(|outline| outline.header)
}

/// Compares a whole file with its digest.
pub fn verify(file: &mut (impl Read + Seek)) -> Result<Header, Unusable> {
    verified(file).map(|outline| outline.header)
}

fn verified(file: &mut (impl Read + Seek)) -> Result<Outline, Unusable> {
    let outline = outline(file)?;
    file.seek(SeekFrom::Start(0))?;
    let mut digest = Sha256::new();
    let mut rest = file.take(outline.length - DIGEST);
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        let read = match rest.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            Err(fault) => return Err(fault.into()),
        };
        digest.update(&buffer[..read]);
        length += read as u64;
    }
    let mut written = Vec::new();
    file.take(DIGEST).read_to_end(&mut written)?;
    if length + DIGEST != outline.length || written != digest.finalize().as_slice() {
        return Err(Unusable::Damaged("its digest is not that of its bytes"));
    }
    Ok(outline)
}

/// Reads a whole file, if it is undamaged and `fits`: its header and the engine's state.
pub fn read(
    file: &mut (impl Read + Seek),
    fits: impl FnOnce(&Header) -> Result<(), Unusable>,
) -> Result<(Header, Vec<u8>), Unusable> {
    let Outline { header, body, length } = verified(file)?;
    fits(&header)?;
    let mut state = Vec::new();
    let expected = usize::try_from(header.state_bytes).map_err(io::Error::other)?;
    state.try_reserve_exact(expected).map_err(io::Error::other)?;
    file.seek(SeekFrom::Start(body))?;
    let stored = file.take(length - END - body);
    zstd::Decoder::new(stored)?.take(header.state_bytes.saturating_add(1)).read_to_end(&mut state)?;
    if state.len() != expected {
        return Err(Unusable::Damaged("the state in it has another length than its header says"));
    }
    Ok((header, state))
}
