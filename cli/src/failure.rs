//! Failures and the exit code of each.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use policysync::bundle::BundleError;
use policysync::keys::{KeyTextError, PaperError, RegistryTextError, UnwrapError, WrapError};
use policysync::sync::Alert;
use policysync::transport::{ConnectionError, HttpError};
use policysync::{IngestError, OpenError, StoreError, SyncError, WriteError, with_causes};

/// The cause of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None: the reader of standard output has closed it.
    Closed,
    /// None: the result is negative.
    No,
    /// The command line.
    Usage,
    /// Bytes from others.
    Bytes,
    /// A key, or what protects one.
    Keys,
    /// The network or the server.
    Network,
    /// A file or the disk.
    File,
    /// This machine: libsodium, the clock.
    Machine,
}

impl Fault {
    /// The exit code, as `policysync --help` documents it.
    const fn code(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Bytes => 3,
            Self::Keys => 4,
            Self::Network => 5,
            Self::File => 6,
            Self::Machine => 7,
        }
    }
}

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    fault: Fault,
    /// The message; `None` where standard output has said everything.
    message: Option<String>,
}

impl Failure {
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: Some(message.into()) }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Fault::Usage, message)
    }

    pub fn no(message: impl Into<String>) -> Self {
        Self::new(Fault::No, message)
    }

    /// Returns a negative result that is already printed.
    pub fn said() -> Self {
        Self { fault: Fault::No, message: None }
    }

    /// Returns the failure of an operation on a file.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::AlreadyExists {
            return Self::new(Fault::File, "there is a file already").at(path);
        }
        Self::new(Fault::File, with_causes(error)).at(path)
    }

    /// Puts what the failure concerns before its message.
    pub fn about(mut self, what: impl Display) -> Self {
        self.message = self.message.map(|message| format!("{what}: {message}"));
        self
    }

    /// Puts the name of a file before its message.
    pub fn at(self, path: &Path) -> Self {
        self.about(path.display())
    }

    /// Adds advice to its message.
    pub fn advise(mut self, fault: Fault, advice: &str) -> Self {
        if self.fault == fault {
            self.message = self.message.map(|message| format!("{message}; {advice}"));
        }
        self
    }

    /// Prints the message on standard error and returns the exit code.
    pub fn report(self) -> ExitCode {
        if let Some(message) = self.message {
            eprintln!("policysync: {message}");
        }
        ExitCode::from(self.fault.code())
    }
}

/// A failure to write to standard output. A reader that has gone, such as `head`, wants no more: that is success.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { fault: Fault::Closed, message: None };
        }
        Self::new(Fault::File, format!("standard output: {}", with_causes(&error)))
    }
}

macro_rules! failures {
    ($($error:ty: $fault:expr;)*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let fault: fn(&$error) -> Fault = $fault;
                Self::new(fault(&error), with_causes(&error))
            }
        }
    )*};
}

failures! {
    policysync::crypto::CryptoError: |_| Fault::Machine;
    policysync::op::IdentifierError: |_| Fault::Usage;
    policysync::keys::SignError: |error| match error {
        policysync::keys::SignError::Crypto(_) => Fault::Machine,
        policysync::keys::SignError::OtherActor => Fault::Keys,
        _ => Fault::Usage,
    };
    policysync::keys::RegistryError: |_| Fault::Keys;
    KeyTextError: |_| Fault::Bytes;
    RegistryTextError: |_| Fault::Bytes;
    PaperError: |_| Fault::Bytes;
    WrapError: |error| match error {
        WrapError::EmptyPassphrase => Fault::Usage,
        _ => Fault::Machine,
    };
    UnwrapError: |error| match error {
        UnwrapError::WrongPassphrase => Fault::Keys,
        UnwrapError::Key(WrapError::Cost { .. }) => Fault::Bytes,
        UnwrapError::Key(_) => Fault::Machine,
        _ => Fault::Bytes,
    };
    StoreError: of_store;
    OpenError: |error| match error {
        OpenError::Crypto(_) | OpenError::Clock(_) => Fault::Machine,
        OpenError::Space(_) | OpenError::SealUnverified => Fault::Usage,
        OpenError::Key(_) | OpenError::UnknownKey { .. } => Fault::Keys,
        OpenError::Store(error) => of_store(error),
        _ => Fault::File,
    };
    IngestError: of_ingest;
    WriteError: |error| match error {
        WriteError::ClockReused => Fault::Keys,
        WriteError::Clock(_) | WriteError::ClockAhead { .. } => Fault::Machine,
        WriteError::Ingest(error) => of_ingest(error),
        _ => Fault::Usage,
    };
    SyncError: of_sync;
    BundleError: |error| match error {
        BundleError::OtherSpace => Fault::No,
        BundleError::Io { .. } => Fault::File,
        BundleError::Ingest(error) => of_ingest(error),
        BundleError::Store(error) => of_store(error),
        _ => Fault::Bytes,
    };
    HttpError: |error| match error {
        HttpError::Connection(
            ConnectionError::Url { .. }
            | ConnectionError::ProxyUrl
            | ConnectionError::NoTls
            | ConnectionError::Header(_),
        ) => Fault::Usage,
        HttpError::Status { status: 401 | 403, .. } => Fault::Keys,
        error if error.is_temporary() => Fault::Network,
        HttpError::Sync(error) => of_sync(error),
        _ => Fault::Bytes,
    };
}

fn of_store(error: &StoreError) -> Fault {
    match error.fault() {
        StoreError::WrongSpace { .. } => Fault::Usage,
        StoreError::WrongSealKey => Fault::Keys,
        _ => Fault::File,
    }
}

fn of_ingest(error: &IngestError) -> Fault {
    match error {
        IngestError::Clock(_) => Fault::Machine,
        IngestError::Store(error) => of_store(error),
        _ => Fault::No,
    }
}

fn of_sync(error: &SyncError) -> Fault {
    match error {
        SyncError::Ingest(error) => of_ingest(error),
        SyncError::Store(error) => of_store(error),
        SyncError::OtherSpace | SyncError::AlertReceived(Alert::OtherSpace) => Fault::No,
        SyncError::TooManyRefused { .. } | SyncError::NoProgress { .. } => Fault::No,
        SyncError::AlertReceived(Alert::Failed) => Fault::Network,
        _ => Fault::Bytes,
    }
}
