//! The structs of include/policysync.h.

use std::ffi::c_void;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub data: *const c_void,
    pub len: usize,
}

#[repr(C)]
pub struct Buffer {
    pub data: *mut u8,
    pub len: usize,
    pub capacity: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Timestamp {
    pub t: u64,
    pub c: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct Failure {
    pub struct_size: u32,
    pub status: i32,
    pub op_index: u64,
    pub message: [u8; 240],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct COp {
    pub struct_size: u32,
    pub kind: u32,
    pub t: u64,
    pub c: u32,
    pub scheme: u32,
    pub hash: [u8; 32],
    pub proof: Bytes,
    pub actor: Bytes,
    pub kid: Bytes,
    pub entity: Bytes,
    pub entity_id: Bytes,
    pub path: Bytes,
    pub value: Bytes,
    pub space: Bytes,
    pub label: Bytes,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Callback<F> {
    pub struct_size: u32,
    pub reserved: u32,
    pub ctx: *mut c_void,
    pub call: Option<F>,
    pub destroy: Option<extern "C" fn(*mut c_void)>,
}

pub type Check = extern "C" fn(*mut c_void, *const COp, usize, usize, *mut i32) -> i32;
pub type Tell = extern "C" fn(*mut c_void, *mut u64) -> i32;
pub type Changed = extern "C" fn(*mut c_void);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PublicKey {
    pub actor: Bytes,
    pub kid: Bytes,
    pub public_key: [u8; 32],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Digest {
    pub struct_size: u32,
    pub reserved: u32,
    pub count: u64,
    pub log: [u8; 32],
    pub state: [u8; 32],
}

#[repr(C)]
pub struct Options {
    pub struct_size: u32,
    pub flags: u32,
    pub max_drift_ms: u64,
    pub threads: u32,
    pub reserved: u32,
    pub key: *const c_void,
    pub space: Bytes,
    pub guard: *const Callback<Check>,
    pub clock: *const Callback<Tell>,
    pub observer: *const Callback<Changed>,
    pub keys: *const PublicKey,
    pub keys_stride: usize,
    pub keys_count: usize,
    pub path: Bytes,
    pub now_ms: u64,
    pub durability: u32,
    pub reserved_2: u32,
    pub seal_key: *const u8,
    pub at_least: *const Digest,
    pub keys_text: Bytes,
    /// Members of a newer program.
    pub more: u64,
}

#[repr(C)]
pub struct Field {
    pub entity: Bytes,
    pub entity_id: Bytes,
    pub path: Bytes,
}

#[repr(C)]
pub struct Page {
    pub struct_size: u32,
    pub reserved: u32,
    pub prefix: Bytes,
    pub after: Bytes,
    pub max_count: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Outcome {
    pub status: i32,
    pub effect: u32,
    pub until_ms: u64,
    pub hashes: [[u8; 32]; 3],
}

pub type Write = extern "C" fn(*mut c_void, *const u8, usize) -> i32;
pub type Read = extern "C" fn(*mut c_void, *mut u8, usize, *mut usize) -> i32;

#[repr(C)]
pub struct SyncOptions {
    pub struct_size: u32,
    pub reserved: u32,
    pub max_message_bytes: u64,
    pub since: *const c_void,
    pub peer: Bytes,
    /// Members of a newer program.
    pub more: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    pub name: Bytes,
    pub value: Bytes,
}

#[repr(C)]
pub struct ClientOptions {
    pub struct_size: u32,
    pub flags: u32,
    pub bearer_token: Bytes,
    pub headers: *const Header,
    pub headers_stride: usize,
    pub headers_count: usize,
    pub trusted: Bytes,
    pub proxy: Bytes,
    pub times: [u64; 8],
    /// Members of a newer program.
    pub more: u64,
}

/// Eight bytes each of a struct that begins with its size and that the library fills.
pub type Words = *mut u64;
pub const ITEM: usize = 9;
pub const REPORT: usize = 3;
pub const RESULT: usize = 16;
pub const EXPORTED: usize = 4;
pub const INGESTED: usize = 11;
pub const PROGRESS: usize = 23;
