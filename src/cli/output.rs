//! Where a verb's data goes: stdout, or a file that appears only when it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

/// An open destination. Dropped without [`Output::finish`], a file is left as it was.
pub enum Output {
    /// Stdout.
    Stdout(io::StdoutLock<'static>),
    /// A device or pipe, written as it comes: it cannot be replaced.
    Direct(File),
    /// A file under a temporary name beside its final one.
    Staged {
        /// The temporary file.
        file: NamedTempFile,
        /// Its final name.
        path: PathBuf,
    },
}

impl Output {
    /// Opens a destination; `-` is stdout.
    pub fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Output::Stdout(io::stdout().lock()));
        }
        // A link stays a link, and what it points to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.exists() && !path.is_file() {
            let file = OpenOptions::new().write(true).open(&path);
            return Ok(Output::Direct(file.with_context(|| format!("cannot write to {}", path.display()))?));
        }
        let file = stage(&path).with_context(|| format!("cannot create a file beside {}", path.display()))?;
        Ok(Output::Staged { file, path })
    }

    /// Flushes and, for a file, gives it its name.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        if let Output::Staged { file, path } = self {
            file.persist(&path).with_context(|| format!("cannot rename the finished file to {}", path.display()))?;
        }
        Ok(())
    }
}

fn stage(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lockkeeper-");
    // As any new file: what the umask leaves of it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Stdout(out) => out.write(bytes),
            Output::Direct(file) => file.write(bytes),
            Output::Staged { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Stdout(out) => out.flush(),
            Output::Direct(file) => file.flush(),
            Output::Staged { file, .. } => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_finished() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("out.jsonl");
        std::fs::write(&path, "old")?;
        let mut dropped = Output::open(&path)?;
        dropped.write_all(b"half")?;
        drop(dropped);
        assert_eq!(std::fs::read_to_string(&path)?, "old");

        let mut output = Output::open(&path)?;
        output.write_all(b"new")?;
        output.finish()?;
        assert_eq!(std::fs::read_to_string(&path)?, "new");
        assert_eq!(std::fs::read_dir(directory.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = Output::open(Path::new("/no/such/directory/x")).err().map(|error| format!("{error:#}"));
        assert!(error.is_some_and(|text| text.starts_with("cannot create a file beside /no/such/directory/x: ")));
    }
}
