//! SQLite's errors in our words.

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::{Damage, Place, SqliteCode, StoreError};
use crate::value::Excerpt;

/// What an error of SQLite means for the store.
pub(super) fn fault(error: Error) -> StoreError {
    match error {
        Error::SqliteFailure(failure, _) => of_code(failure),
        Error::SqlInputError { error: failure, .. } => of_code(failure),
        Error::InvalidPath(_) | Error::NulError(_) => StoreError::NotAFile,
        // Rows that are not there, of another type, or not UTF-8: what we ask for is what we write.
        _ => StoreError::Corrupt { place: Place::File, damage: Damage::Unexpected },
    }
}

fn of_code(failure: ffi::Error) -> StoreError {
    let code = SqliteCode(failure.extended_code);
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked,
        ErrorCode::DiskFull => StoreError::DiskFull(code),
        ErrorCode::ReadOnly if code.0 == ffi::SQLITE_READONLY_DBMOVED => StoreError::Moved,
        ErrorCode::ReadOnly => StoreError::ReadOnly(code),
        // A page that is cut short is damage; so is a checksum that does not fit.
        ErrorCode::SystemIoFailure
            if code.0 == ffi::SQLITE_IOERR_SHORT_READ || code.0 == ffi::SQLITE_IOERR_DATA =>
        {
            malformed()
        }
        ErrorCode::SystemIoFailure => StoreError::Io(code),
        // A length that no operation has.
        ErrorCode::DatabaseCorrupt | ErrorCode::TooBig => malformed(),
        // Our statements are always the same, and nothing is wrong with them: an unsupported file format, tables that
        // are not there, a row where there should be none.
        ErrorCode::ConstraintViolation => malformed(),
        _ if code.0 == ffi::SQLITE_ERROR => malformed(),
        ErrorCode::NotADatabase => StoreError::Foreign,
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => StoreError::CannotOpen(code),
        _ => StoreError::Sqlite(code),
    }
}

/// What a line of SQLite's own check of the pages means: damage, unless the disk would not give a page. The check names
/// that in its text only.
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
    fn a_page_that_the_disk_does_not_give_is_not_called_damaged() {
        let line = "*** in database main ***\nTree 3 page 3: unable to get the page. error code=266";
        assert_eq!(check_fault(line), StoreError::Io(SqliteCode(266)));
        let line = "*** in database main ***\nTree 3 page 3: unable to get the page. error code=11";
        assert!(matches!(check_fault(line), StoreError::Corrupt { damage: Damage::Check { .. }, .. }));
        assert!(matches!(check_fault("error code="), StoreError::Corrupt { .. }));
    }
}
