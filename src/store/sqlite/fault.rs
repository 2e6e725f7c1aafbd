//! The errors of SQLite.

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::{Cause, Damage, Place, StoreError};
use crate::value::Excerpt;

/// Converts an error of SQLite.
pub(super) fn fault(error: Error) -> StoreError {
    match error {
        Error::SqliteFailure(failure, _) => of_code(failure),
        Error::SqlInputError { error: failure, .. } => of_code(failure),
        Error::InvalidPath(_) | Error::NulError(_) => StoreError::NotAFile,
        // Rows that are missing, of another type, or not UTF-8: the statements ask only for what this library writes.
        _ => StoreError::unexpected(Place::File),
    }
}

fn of_code(failure: ffi::Error) -> StoreError {
    let code = failure.extended_code;
    let cause = Cause::new(&format!("{} (SQLite's result code {code})", ffi::code_to_str(code)), Some(code));
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked,
        ErrorCode::DiskFull => StoreError::DiskFull(cause),
        ErrorCode::ReadOnly if code == ffi::SQLITE_READONLY_DBMOVED => StoreError::Moved,
        ErrorCode::ReadOnly => StoreError::ReadOnly(cause),
        // A page that is cut short is damage; so is a checksum that does not fit.
        ErrorCode::SystemIoFailure
            if code == ffi::SQLITE_IOERR_SHORT_READ || code == ffi::SQLITE_IOERR_DATA =>
        {
            malformed()
        }
        ErrorCode::SystemIoFailure => StoreError::Io(cause),
        // A length that no record has.
        ErrorCode::DatabaseCorrupt | ErrorCode::TooBig => malformed(),
        // The statements are always the same and correct: an unsupported file format, missing tables, a row too many.
        ErrorCode::ConstraintViolation => malformed(),
        _ if code == ffi::SQLITE_ERROR => malformed(),
        ErrorCode::NotADatabase => StoreError::Foreign,
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => StoreError::CannotOpen(cause),
        _ => StoreError::Other(cause),
    }
}

/// Converts a line of SQLite's own check of the pages: damage, unless the disk failed to read a page, which the check
/// says in its text only.
pub(super) fn check_fault(line: &str) -> StoreError {
    let code = line.split_once("error code=").map(|(_, rest)| rest);
    let digits = code.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    match digits.and_then(|digits| digits.parse().ok()).map(|code| of_code(ffi::Error::new(code))) {
        Some(error) if !matches!(error, StoreError::Corrupt { .. }) => error,
        _ => StoreError::Corrupt { place: Place::File, damage: Damage::Check { first: Excerpt::of(line) } },
    }
}

fn malformed() -> StoreError {
    StoreError::Corrupt { place: Place::File, damage: Damage::Malformed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_the_disk_fails_to_read_is_not_called_damaged() {
        let line = "*** in database main ***\nTree 3 page 3: unable to get the page. error code=266";
        assert!(matches!(check_fault(line), StoreError::Io(cause) if cause.code() == Some(266)));
        let line = "*** in database main ***\nTree 3 page 3: unable to get the page. error code=11";
        assert!(matches!(check_fault(line), StoreError::Corrupt { damage: Damage::Check { .. }, .. }));
        assert!(matches!(check_fault("error code="), StoreError::Corrupt { .. }));
    }
}
