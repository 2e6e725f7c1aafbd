//! The options that name a store and its keys, and opening a replica with them.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use policysync::store::StoreCheck;
use policysync::{KeyRegistry, OpenError, Replica, ReplicaOptions, system_wall_clock};

use crate::failure::{Failure, Fault};
use crate::key_file::KeyFile;
use crate::secret_file;

/// Advice after a key that is not known.
const MISSING_KEY: &str = "add its line to the --keys file";

/// The store and its keys, as the command line names them.
pub struct StoreOptions {
    path: PathBuf,
    key: Option<PathBuf>,
    keys: KeyRegistry,
    space: Option<String>,
    seal_key: Option<PathBuf>,
}

impl StoreOptions {
    /// Adds the options to a command.
    pub fn on(command: Command) -> Command {
        let path = |name: &'static str| {
            Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf))
        };
        command.args([
            path("store")
                .required(true)
                .env("POLICYSYNC_STORE")
                .hide_env_values(true)
                .help("The store: an SQLite file"),
            path("key")
                .env("POLICYSYNC_KEY")
                .hide_env_values(true)
                .help("This device's key file; without it nothing can be written"),
            path("keys")
                .env("POLICYSYNC_KEYS")
                .hide_env_values(true)
                .help("The public keys that are known, one a line as `key show` prints them"),
            Arg::new("space")
                .long("space")
                .value_name("NAME")
                .env("POLICYSYNC_SPACE")
                .hide_env_values(true)
                .help("The space that the store belongs to"),
            path("seal-key").help("32 secret bytes that seal the store"),
        ])
    }

    /// Takes the options and reads the keys. The passphrase of `--key` is not asked for.
    pub fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let path = |name| matches.get_one::<PathBuf>(name).cloned();
        let mut keys = match path("keys") {
            Some(path) => read_registry(&path)?,
            None => KeyRegistry::new(),
        };
        let key = path("key");
        if let Some(path) = &key {
            let own = KeyFile::read(path)?.public().clone();
            keys.register(own).map_err(|error| Failure::from(error).at(path))?;
        }
        Ok(Self {
            path: path("store").ok_or_else(|| Failure::usage("--store is missing"))?,
            key,
            keys,
            space: matches.get_one::<String>("space").cloned(),
            seal_key: path("seal-key"),
        })
    }

    /// Returns the store's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the store without a key to write with. The file must be there.
    pub fn open(self) -> Result<Replica, Failure> {
        self.must_exist()?;
        self.open_or_create()
    }

    /// Opens the store without a key to write with; makes the file if there is none.
    pub fn open_or_create(self) -> Result<Replica, Failure> {
        self.open_with(ReplicaOptions::new())
    }

    /// Opens the store to write into it; makes the file if there is none. May ask for the key's passphrase.
    pub fn open_to_write(self, matches: &ArgMatches) -> Result<Replica, Failure> {
        let Some(path) = &self.key else {
            return Err(Failure::usage("--key is missing: writing needs the key file of this device"));
        };
        let key = KeyFile::read(path)?.unlock(matches, path)?;
        self.open_with(ReplicaOptions::new().write_as(key))
    }

    fn open_with(self, options: ReplicaOptions) -> Result<Replica, Failure> {
        let seal_key = self.seal_key()?;
        if !self.path.exists() {
            eprintln!("policysync: making {}", self.path.display());
        }
        let mut options = options.keys(self.keys).path(&self.path, system_wall_clock());
        if let Some(space) = &self.space {
            options = options.space(space);
        }
        if let Some(key) = seal_key {
            options = options.seal_key(key);
        }
        Replica::open(options).map_err(|error| {
            let unknown = matches!(error, OpenError::UnknownKey { .. });
            // The message of an error of the store names the file.
            let is_named = matches!(error, OpenError::Store(_));
            let failure = Failure::from(error);
            let failure = if is_named { failure } else { failure.at(&self.path) };
            if unknown { failure.advise(Fault::Keys, MISSING_KEY) } else { failure }
        })
    }

    /// Returns a check of the file, which must be there.
    pub fn check(&self) -> Result<StoreCheck<'_>, Failure> {
        self.must_exist()?;
        let mut check = StoreCheck::new(&self.path, &self.keys);
        if let Some(space) = &self.space {
            check = check.space(space);
        }
        if let Some(key) = self.seal_key()? {
            check = check.seal_key(key);
        }
        Ok(check)
    }

    fn must_exist(&self) -> Result<(), Failure> {
        match std::fs::metadata(&self.path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::file(&self.path, &error)),
        }
    }

    fn seal_key(&self) -> Result<Option<[u8; 32]>, Failure> {
        let Some(path) = &self.seal_key else { return Ok(None) };
        let bytes = secret_file::read_bytes(path)?;
        let key = bytes.as_slice().try_into();
        key.map(Some).map_err(|_| {
            Failure::new(Fault::Keys, format!("{} bytes where 32 are needed", bytes.len())).at(path)
        })
    }
}

fn read_registry(path: &Path) -> Result<KeyRegistry, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    KeyRegistry::from_text(&text).map_err(|error| Failure::from(error).at(path))
}
