//! Files that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use policysync::crypto::Zeroizing;

use crate::failure::{Failure, Fault};

/// Bytes that a secret file may have.
const MAX_BYTES: u64 = 64 << 10;

/// Writes a new file that only its owner may read, durably. Never writes over a file.
pub fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| Failure::file(path, &error))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key is worse than none. If this fails too, the first error says why.
        drop(fs::remove_file(path));
        Failure::file(path, &error)
    })
}

/// Reads a text file that only its owner may read.
pub fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = read_bytes(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| not_utf8(path))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads a file that only its owner may read.
pub fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| Failure::file(path, &error);
    let file = File::open(path).map_err(failed)?;
    check_permissions(path, &file)?;
    // As large as it may become, so that growing leaves no copy in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_BYTES + 1).unwrap_or(0)));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(Failure::new(Fault::File, format!("{}: too large for a secret", path.display())));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn check_permissions(path: &Path, file: &File) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file.metadata().map_err(|error| Failure::file(path, &error))?;
    // A pipe or a terminal has no readers that the mode would let in.
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        return Err(Failure::new(
            Fault::Keys,
            format!("{path}: others may read this secret; run: chmod 600 {path}"),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(_: &Path, _: &File) -> Result<(), Failure> {
    Ok(())
}

fn not_utf8(path: &Path) -> Failure {
    Failure::new(Fault::Bytes, format!("{}: not UTF-8", path.display()))
}
