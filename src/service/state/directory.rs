//! The directory of state files: how they are named, written, found again and given up.
//!
//! A name is `SCOPE-SEQUENCE.lkstate`, the sequence number with leading zeros, so that names sort as states do. Each
//! instance looks at and deletes only files of its own scope, and none that is newer than what it just wrote: another
//! process with the same scope that is further on has done that.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::{StateError, Unusable};
use super::format;
use super::header::{Header, Identity, Snapshot};

/// How names of state files end.
const ENDING: &str = ".lkstate";
/// How names of files that were set aside end.
const ASIDE: &str = ".aside";
/// Digits of the sequence number in a name: those of the greatest.
const DIGITS: usize = 20;
/// Longest scope in a name: file names have 255 bytes.
const MAX_SCOPE: usize = 200;
/// How names of files that are being written begin.
const UNFINISHED: &str = ".unfinished-";
/// Fewest files kept.
pub const LEAST_KEPT: usize = 3;

/// The state files of one instance, in a directory that others may share.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    scope: String,
    keep: usize,
}

/// A state that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its file.
    pub path: PathBuf,
    /// Size of the file.
    pub bytes: u64,
    /// Files of older states that could not be deleted, and why; they do no harm but take space.
    pub undeleted: Vec<String>,
}

/// A state that was read and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its file.
    pub path: PathBuf,
    /// What it says of itself.
    pub header: Header,
    /// For [`crate::engine::Engine::decode`].
    pub state: Vec<u8>,
}

/// A file that does not serve.
#[derive(Debug)]
pub struct PassedOver {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: Unusable,
}

/// What a search came to.
#[derive(Debug)]
pub struct Found<T> {
    /// The newest state that serves, if there is one.
    pub newest: Option<T>,
    /// The newer files that do not serve, newest first.
    pub passed_over: Vec<PassedOver>,
}

impl StateDirectory {
    /// Opens a directory, which is made if need be, for the states of one instance; `keep` of them are kept, at least
    /// three. Tries that files can be written, and clears away what a killed process of that scope left unfinished.
    ///
    /// # Errors
    /// When files cannot be made there.
    pub fn open(path: &Path, scope: &str, keep: usize) -> Result<StateDirectory, StateError> {
        let scope = escape(scope).ok_or_else(|| {
            let fault = io::Error::new(io::ErrorKind::InvalidInput, "the name of the instance is empty or too long");
            StateError { path: path.to_owned(), action: "make a file name", fault }
        })?;
        fs::create_dir_all(path).map_err(StateError::new("make the directory", path))?;
        let directory = StateDirectory { path: path.to_owned(), scope, keep: keep.max(LEAST_KEPT) };
        directory.unfinished()?.close().map_err(StateError::new("delete a file", path))?;
        directory.clear_unfinished()?;
        Ok(directory)
    }

    /// Writes a state; older ones are deleted after it was read back and found undamaged.
    ///
    /// # Errors
    /// When it could not be written or read back; then the directory is as it was.
    pub fn save(&self, snapshot: &Snapshot) -> Result<Saved, StateError> {
        let mut file = self.unfinished()?;
        let failed = |action| StateError::new(action, &self.path);
        let bytes = format::write(file.as_file_mut(), snapshot).map_err(failed("write a state"))?;
        file.as_file().sync_all().map_err(failed("flush a state to the device"))?;
        read_back(file.path(), &Header::of(snapshot)).map_err(failed("read back a state"))?;
        let path = self.path_of(snapshot.progress.sequence);
        file.persist(&path).map_err(|fault| StateError::new("name a state", &path)(fault.error))?;
        sync_directory(&self.path).map_err(failed("flush the directory to the device"))?;
        let undeleted = self.delete_older(snapshot.progress.sequence)?;
        Ok(Saved { path, bytes, undeleted })
    }

    /// The newest undamaged state of an owner.
    ///
    /// # Errors
    /// When the directory cannot be listed; files that cannot be read are passed over.
    pub fn newest(&self, identity: &Identity) -> Result<Found<Loaded>, StateError> {
        self.newest_usable(identity, &mut |_| Ok(()), &mut Ok)
    }

    /// The newest undamaged state of an owner that `fits` (asked before the state is read) and `open` can use.
    ///
    /// # Errors
    /// When the directory cannot be listed; files that cannot be read are passed over.
    pub fn newest_usable<T>(
        &self,
        identity: &Identity,
        fits: &mut dyn FnMut(&Header) -> Result<(), String>,
        open: &mut dyn FnMut(Loaded) -> Result<T, String>,
    ) -> Result<Found<T>, StateError> {
        let mut passed_over = Vec::new();
        for (sequence, path) in self.files()?.into_iter().rev() {
            match load(&path, sequence, identity, fits).and_then(|loaded| open(loaded).map_err(Unusable::Refused)) {
                Ok(newest) => return Ok(Found { newest: Some(newest), passed_over }),
                Err(reason) => passed_over.push(PassedOver { path, reason }),
            }
        }
        Ok(Found { newest: None, passed_over })
    }

    /// What the whole files of this scope say of themselves, oldest first.
    ///
    /// # Errors
    /// When the directory cannot be listed; files that are not whole are passed over.
    pub fn headers(&self) -> Result<Vec<(PathBuf, Header)>, StateError> {
        let header = |path: PathBuf| Some((path.clone(), format::glance(&mut File::open(&path).ok()?).ok()?));
        Ok(self.files()?.into_iter().filter_map(|(_, path)| header(path)).collect())
    }

    /// Renames the files of states with a greater sequence number, so that they are never taken for newer ones: for an
    /// owner whose sequence begins anew. Returns how many there were.
    ///
    /// # Errors
    /// When one cannot be renamed.
    pub fn set_aside_above(&self, sequence: u64) -> Result<usize, StateError> {
        let mut count = 0;
        for (_, path) in self.files()?.into_iter().filter(|(found, _)| *found > sequence) {
            let mut aside = path.clone().into_os_string();
            aside.push(ASIDE);
            fs::rename(&path, aside).map_err(StateError::new("rename a state", &path))?;
            count += 1;
        }
        sync_directory(&self.path).map_err(StateError::new("flush the directory to the device", &self.path))?;
        Ok(count)
    }

    /// The state files of this scope with their sequence numbers, oldest first.
    fn files(&self) -> Result<Vec<(u64, PathBuf)>, StateError> {
        let names = self.names()?;
        let mut files: Vec<_> =
            names.filter_map(|name| Some((self.sequence_of(&name)?, self.path.join(name)))).collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Names in the directory; those that are not UTF-8 are none of ours.
    fn names(&self) -> Result<impl Iterator<Item = String>, StateError> {
        let failed = || StateError::new("list the directory", &self.path);
        let entries: io::Result<Vec<_>> = fs::read_dir(&self.path).map_err(failed())?.collect();
        Ok(entries.map_err(failed())?.into_iter().filter_map(|entry| entry.file_name().into_string().ok()))
    }

    fn path_of(&self, sequence: u64) -> PathBuf {
        self.path.join(format!("{}-{sequence:0DIGITS$}{ENDING}", self.scope))
    }

    /// The sequence number in a name, if it is one of this scope.
    fn sequence_of(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.scope)?.strip_prefix('-')?.strip_suffix(ENDING)?;
        (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
    }

    /// A new file without a name of its own yet; deleted when dropped.
    fn unfinished(&self) -> Result<NamedTempFile, StateError> {
        let prefix = self.unfinished_prefix();
        let made = tempfile::Builder::new().prefix(&prefix).tempfile_in(&self.path);
        // The library adds the path to what the system said, and it is said anyway.
        let made = made.map_err(|fault| fault.raw_os_error().map_or(fault, io::Error::from_raw_os_error));
        made.map_err(StateError::new("make a file", &self.path))
    }

    /// `~` stands in no scope, so the files of a scope that begins like another one are not taken for its.
    fn unfinished_prefix(&self) -> String {
        format!("{UNFINISHED}{}~", self.scope)
    }

    fn clear_unfinished(&self) -> Result<(), StateError> {
        let prefix = self.unfinished_prefix();
        for name in self.names()?.filter(|name| name.starts_with(&prefix)) {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                    return Err(StateError::new("delete an unfinished state", &path)(fault));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes what is older than the newest `keep` states up to `sequence` that are whole; says what it could not.
    fn delete_older(&self, sequence: u64) -> Result<Vec<String>, StateError> {
        let mut whole = 0;
        let mut undeleted = Vec::new();
        for (_, path) in self.files()?.into_iter().rev().filter(|(found, _)| *found <= sequence) {
            if whole < self.keep {
                whole += usize::from(open(&path).is_ok_and(|mut file| format::glance(&mut file).is_ok()));
            } else if let Err(fault) = fs::remove_file(&path)
                && fault.kind() != io::ErrorKind::NotFound
            {
                undeleted.push(format!("{}: {fault}", path.display()));
            }
        }
        Ok(undeleted)
    }
}

/// Opens what should be a file; a pipe of such a name would be waited for.
fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
    }
}

/// Reads a file and asks whether it serves.
fn load(
    path: &Path,
    sequence: u64,
    identity: &Identity,
    fits: &mut dyn FnMut(&Header) -> Result<(), String>,
) -> Result<Loaded, Unusable> {
    let (header, state) = format::read(&mut open(path)?, |header| {
        if header.progress.sequence != sequence {
            return Err(Unusable::Renamed { found: header.progress.sequence });
        }
        header.fits(identity)?;
        fits(header).map_err(Unusable::Refused)
    })?;
    Ok(Loaded { path: path.to_owned(), header, state })
}

/// Whether a file that was just written holds what it should.
fn read_back(path: &Path, expected: &Header) -> io::Result<()> {
    match format::verify(&mut File::open(path)?) {
        Ok(header) if header == *expected => Ok(()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it holds another header")),
        Err(Unusable::Unreadable(fault)) => Err(fault),
        Err(reason) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("it {reason}"))),
    }
}

/// Makes a new name last through a power failure; only Unix needs and knows it.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// A scope as part of a file name: what could be read as something else there is written as `%` and two digits.
fn escape(scope: &str) -> Option<String> {
    let mut name = String::new();
    for (index, byte) in scope.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || (index > 0 && b"._-".contains(&byte));
        if is_plain { name.push(byte as char) } else { name.push_str(&format!("%{byte:02X}")) }
    }
    (1..=MAX_SCOPE).contains(&name.len()).then_some(name)
}
