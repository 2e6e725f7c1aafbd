//! SQLite's errors in our words.

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::{Damage, Place, SqliteCode, StoreError};

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

fn malformed() -> StoreError {
    StoreError::Corrupt { place: Place::File, damage: Damage::Malformed }
}
