//! A store over a plain append-only file, with a replica on it.
//!
//! ```text
//! cargo run --example file_store
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use policysync::crypto::{Hash, Sodium};
use policysync::op::OpSeq;
use policysync::store::{Cause, Commit, Damage, Place, Record, Store, contract};
use policysync::{KeyRegistry, Replica, ReplicaOptions, SigningSecretKey, StoreError, system_wall_clock};

/// Bytes before the body of a frame: its length, the SHA-256 of both, and the SHA-256 of the length alone.
const FRAME_HEAD: usize = 4 + 32 + 32;

/// A store in a file. Each commit appends a frame with the head and all records, replaced ones too: the last one wins.
/// After a crash the frame that was being written is cut off; it was not acknowledged. A frame that is damaged is an
/// error: cutting it off would lose what was acknowledged after it.
struct FileStore {
    path: PathBuf,
    crypto: Sodium,
    file: File,
    /// The length of all whole frames.
    len: u64,
    head: Option<Vec<u8>>,
    records: BTreeMap<OpSeq, Stretch>,
    /// True if a failed commit could not be cut off.
    torn: bool,
}

/// The place of a record in the file.
struct Stretch {
    count: u32,
    at: u64,
    len: usize,
}

impl FileStore {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        // Released when the file is closed, and when the process ends.
        file.try_lock().map_err(|_| StoreError::Locked)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let crypto =
            Sodium::new().map_err(|error| StoreError::Other(Cause::new(&error.to_string(), None)))?;
        let (path, records) = (path.to_owned(), BTreeMap::new());
        let mut store = Self { path, crypto, file, len: 0, head: None, records, torn: false };
        while let Some(body) = store.next_frame(&bytes)? {
            let at = store.len + FRAME_HEAD as u64;
            store.index(body, at).ok_or_else(damaged)?;
            store.len = at + body.len() as u64;
        }
        store.file.set_len(store.len)?;
        // The name of a new file must be durable too.
        if let Some(directory) = path_directory(&store.path) {
            File::open(directory)?.sync_all()?;
        }
        Ok(store)
    }

    /// Returns the body of the next frame; `None` at the end, which may be a torn frame.
    fn next_frame<'b>(&self, bytes: &'b [u8]) -> Result<Option<&'b [u8]>, StoreError> {
        let bytes = &bytes[usize::try_from(self.len).unwrap_or(bytes.len())..];
        let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEAD>() else { return Ok(None) };
        let (len, hashes) = head.split_at(4);
        let (of_all, of_len) = hashes.split_at(32);
        let len = u32::from_le_bytes(len.try_into().unwrap_or_default());
        // A torn write has a true length or none at all.
        if self.crypto.hash(&len.to_le_bytes()).as_bytes() != of_len {
            return if rest.is_empty() || bytes.iter().all(|byte| *byte == 0) {
                Ok(None)
            } else {
                Err(damaged())
            };
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let Some((body, rest)) = rest.split_at_checked(len) else { return Ok(None) };
        match (self.hash(body)?.as_bytes() == of_all, rest.is_empty()) {
            (true, _) => Ok(Some(body)),
            (false, true) => Ok(None),
            (false, false) => Err(damaged()),
        }
    }

    fn hash(&self, body: &[u8]) -> Result<Hash, StoreError> {
        Ok(self.crypto.hash(&[&length(body)?.to_le_bytes(), body].concat()))
    }

    /// Notes the head and the records of a frame whose body is at this place.
    fn index(&mut self, body: &[u8], at: u64) -> Option<()> {
        let mut left = body;
        self.head = Some(take_bytes(&mut left)?.to_vec());
        while !left.is_empty() {
            let (first, count) = (OpSeq::new(take_number(&mut left)?), take_number(&mut left)?);
            let len = take_bytes(&mut left)?.len();
            let at = at + (body.len() - left.len() - len) as u64;
            self.records.insert(first, Stretch { count, at, len });
        }
        Some(())
    }

    fn append(&mut self, frame: &[u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.len))?;
        self.file.write_all(frame)?;
        self.file.sync_data()
    }
}

impl Store for FileStore {
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.head.clone())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        if self.torn {
            return Err(StoreError::Other(Cause::new("an earlier commit failed: open the file again", None)));
        }
        if self.head.as_deref() != commit.known {
            return Err(StoreError::Conflict);
        }
        let mut body = Vec::new();
        put_bytes(&mut body, commit.head)?;
        for record in commit.replaced.iter().chain(commit.appended) {
            body.extend(record.first.get().to_le_bytes());
            body.extend(record.count.to_le_bytes());
            put_bytes(&mut body, record.bytes)?;
        }
        let mut frame = Vec::with_capacity(FRAME_HEAD + body.len());
        let len = length(&body)?.to_le_bytes();
        frame.extend(len);
        frame.extend(self.hash(&body)?.as_bytes());
        frame.extend(self.crypto.hash(&len).as_bytes());
        frame.extend(&body);
        if let Err(error) = self.append(&frame) {
            // Otherwise the rest of this frame could stand after a shorter one.
            self.torn = self.file.set_len(self.len).is_err();
            return Err(error.into());
        }
        let at = self.len + FRAME_HEAD as u64;
        self.len += frame.len() as u64;
        self.index(&body, at).ok_or_else(damaged)
    }

    fn read<'a>(&'a self, seq: OpSeq, scratch: &'a mut Vec<u8>) -> Result<Option<Record<'a>>, StoreError> {
        let Some((first, stretch)) = self.records.range(..=seq).next_back() else { return Ok(None) };
        let record = Record { first: *first, count: stretch.count, bytes: &[] };
        if !record.holds(seq) {
            return Ok(None);
        }
        scratch.clear();
        scratch.resize(stretch.len, 0);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(stretch.at))?;
        file.read_exact(scratch)?;
        Ok(Some(Record { bytes: scratch, ..record }))
    }
}

fn path_directory(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

fn damaged() -> StoreError {
    StoreError::Corrupt { place: Place::File, damage: Damage::Unexpected }
}

fn length(bytes: &[u8]) -> Result<u32, StoreError> {
    u32::try_from(bytes.len()).map_err(|_| StoreError::Full)
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), StoreError> {
    out.extend(length(bytes)?.to_le_bytes());
    out.extend(bytes);
    Ok(())
}

fn take_number(left: &mut &[u8]) -> Option<u32> {
    let (number, rest) = left.split_first_chunk()?;
    *left = rest;
    Some(u32::from_le_bytes(*number))
}

fn take_bytes<'b>(left: &mut &'b [u8]) -> Option<&'b [u8]> {
    let len = usize::try_from(take_number(left)?).ok()?;
    let (bytes, rest) = left.split_at_checked(len)?;
    *left = rest;
    Some(bytes)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    // The contract first: its error names a rule that the store breaks.
    let mut number = 0;
    let create = || {
        number += 1;
        FileStore::open(&directory.path().join(number.to_string())).expect("a new file")
    };
    let reopen = |store: FileStore| {
        let path = store.path.clone();
        drop(store);
        FileStore::open(&path).expect("the file that was just closed")
    };
    contract::check(create, reopen)?;

    let path = directory.path().join("log");
    let alice = SigningSecretKey::generate("alice")?;
    let alices_key = alice.public_key().clone();
    let now = system_wall_clock();
    let options = ReplicaOptions::new().write_as(alice).store(FileStore::open(&path)?, now);
    let mut replica = Replica::open(options)?;
    replica.set(now, ("Task", "t1", "title"), "Hello world")?;
    drop(replica);

    // The file is not trusted: every signature is verified again.
    let mut keys = KeyRegistry::new();
    keys.register(alices_key)?;
    let options = ReplicaOptions::new().keys(keys).store(FileStore::open(&path)?, now);
    let replica = Replica::open(options)?;
    assert_eq!(replica.get(("Task", "t1", "title"))?, Some("Hello world".into()));
    println!("{} operation in {} bytes", replica.log().len(), std::fs::metadata(&path)?.len());
    Ok(())
}
