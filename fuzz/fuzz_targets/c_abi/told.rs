//! Checks of the result of a call: its status, its error, its outputs.

use std::ffi::CStr;
use std::ptr::null_mut;
use std::sync::OnceLock;

use policysync_fuzz::Input;

use crate::api::{Err, Handle, policysync_buffer_dispose, policysync_status_name};
use crate::layout::{Buffer, Failure, Words};

const HEADER: &str = include_str!("../../../include/policysync.h");
pub const ERR_NULL: i32 = -1;
pub const ERR_BUSY: i32 = -4;
pub const JUNK: u64 = 0x5AA5_5AA5_5AA5_5AA5;

/// The failures of the header except the panic.
fn failures() -> &'static [i32] {
    static FAILURES: OnceLock<Vec<i32>> = OnceLock::new();
    FAILURES.get_or_init(|| {
        let lines = HEADER.lines().filter_map(|line| line.trim().strip_prefix("POLICYSYNC_ERR_"));
        let numbers = lines.filter_map(|line| {
            let (name, number) = line.strip_suffix(',')?.split_once(" = ")?;
            (name != "PANIC").then(|| number.parse().expect("a number"))
        });
        let failures: Vec<i32> = numbers.collect();
        assert!(failures.len() > 40 && failures.contains(&-211));
        failures
    })
}

/// The caller's error, surrounded by memory that a call may not change.
pub struct Told {
    error: Failure,
    size: u32,
}

impl Told {
    pub fn new(input: &mut Input<'_>) -> Self {
        let full = u32::try_from(size_of::<Failure>()).expect("a small struct");
        let size = input.one_of(&[full, full, full, 24, 25, 8, 0, u32::MAX]);
        // A newer program has a larger struct, of which only the known part may be written.
        let error = Failure { struct_size: size, status: 77, op_index: JUNK, message: [b'#'; 240] };
        Self { error, size }
    }

    pub fn at(&mut self) -> Err {
        if self.size == 0 { null_mut() } else { &raw mut self.error }
    }

    pub fn check(&self, status: i32) -> i32 {
        if status >= 0 {
            assert!(status <= 4, "status {status}");
            assert_eq!(self.error.status, 77, "a call that succeeds leaves the error as it is");
            return status;
        }
        assert!(failures().contains(&status), "status {status}");
        if self.size >= 24 {
            assert_eq!(self.error.status, status);
            let len = usize::try_from(self.size).expect("32 bits").min(size_of::<Failure>()) - 16;
            let said = CStr::from_bytes_until_nul(&self.error.message[..len]).expect("it ends with NUL");
            let said = said.to_str().expect("UTF-8");
            assert!(!said.chars().any(char::is_control), "{said:?}");
        } else {
            assert_eq!(self.error.status, 77, "too small to be written");
        }
        // SAFETY: any number has a name.
        let name = unsafe { CStr::from_ptr(policysync_status_name(status)) };
        assert!(name.to_bytes().starts_with(b"POLICYSYNC_ERR_"), "{name:?}");
        status
    }

    /// Checks the error of a refusal, which is unchanged if nothing was refused.
    pub fn check_reason(&self, is_refused: bool) {
        if is_refused && self.size >= 24 {
            assert!(self.check(self.error.status) < 0);
        } else {
            assert_eq!(self.error.status, 77);
        }
    }
}

/// Makes a call and checks its result.
macro_rules! said {
    ($told:ident, $call:expr) => {{
        let status = $call;
        $told.check(status)
    }};
}
pub(crate) use said;

/// An output buffer, which may be NULL.
pub struct Room {
    out: Buffer,
    is_wanted: bool,
}

impl Room {
    pub fn new(input: &mut Input<'_>) -> Self {
        let junk = usize::try_from(JUNK).unwrap_or(usize::MAX);
        let out = Buffer { data: null_mut(), len: junk, capacity: junk };
        Self { out, is_wanted: input.below(8) != 7 }
    }

    pub fn at(&mut self) -> *mut Buffer {
        if self.is_wanted { &raw mut self.out } else { null_mut() }
    }

    /// Returns the output of the call.
    pub fn take(mut self, status: i32) -> Vec<u8> {
        let junk = usize::try_from(JUNK).unwrap_or(usize::MAX);
        let out = &mut self.out;
        if !self.is_wanted || out.len == junk {
            assert!(out.data.is_null() && out.len == junk && out.capacity == junk);
            assert!(!self.is_wanted || status != 0, "it succeeded and wrote nothing");
            return Vec::new();
        }
        assert!(out.len <= out.capacity);
        let bytes = match out.len {
            0 => Vec::new(),
            // SAFETY: the library has allocated `len` bytes.
            len => unsafe { (*std::ptr::slice_from_raw_parts(out.data, len)).to_vec() },
        };
        assert!(status >= 0 || bytes.is_empty(), "an output of a call that failed");
        // SAFETY: a buffer of the library; the second call does nothing.
        unsafe {
            policysync_buffer_dispose(&raw mut *out);
            policysync_buffer_dispose(&raw mut *out);
        }
        bytes
    }
}

/// An output struct of `N` words that begins with its size.
pub struct Sized<const N: usize> {
    before: [u64; N],
    out: [u64; N],
    is_wanted: bool,
}

impl<const N: usize> Sized<N> {
    pub fn new(input: &mut Input<'_>) -> Self {
        let full = u32::try_from(8 * N).expect("a small struct");
        let size = input.one_of(&[full, full, full, full, 0, 8, full - 1, u32::MAX]);
        let mut before = [JUNK; N];
        before[0] = u64::from(size) | JUNK << 32;
        Self { before, out: before, is_wanted: input.below(8) != 7 }
    }

    pub fn at(&mut self) -> Words {
        if self.is_wanted { self.out.as_mut_ptr() } else { null_mut() }
    }

    /// Returns the output of the call.
    pub fn take(self, status: i32) -> Option<[u64; N]> {
        if status != 0 || !self.is_wanted {
            assert_eq!(self.out, self.before, "an output of a call that did not succeed");
            return None;
        }
        let size = |words: [u64; N]| words[0] & u64::from(u32::MAX);
        assert!(size(self.before) >= 8 * N as u64, "it is too small");
        assert_eq!(size(self.out), size(self.before), "the size is the caller's");
        Some(self.out)
    }
}

/// Makes a call that fills a buffer, which may be NULL.
pub fn buffer(input: &mut Input<'_>, call: impl FnOnce(*mut Buffer, Err) -> i32) -> Vec<u8> {
    let (mut told, mut room) = (Told::new(input), Room::new(input));
    let status = call(room.at(), told.at());
    room.take(told.check(status))
}

/// Makes a call with an output of a fixed size.
pub fn fixed<T: Copy + PartialEq + std::fmt::Debug>(
    input: &mut Input<'_>,
    before: T,
    call: impl FnOnce(*mut T, Err) -> i32,
) {
    let mut told = Told::new(input);
    let mut out = before;
    let is_wanted = input.below(8) != 7;
    let status = call(if is_wanted { &raw mut out } else { null_mut() }, told.at());
    let status = told.check(status);
    if status < 0 {
        assert_eq!(out, before, "an output of a call that failed");
    }
    assert!(is_wanted || status < 0);
}

/// Makes a call that fills a struct of `N` words.
pub fn words<const N: usize>(
    input: &mut Input<'_>,
    call: impl FnOnce(Words, Err) -> i32,
) -> Option<[u64; N]> {
    let (mut told, mut out) = (Told::new(input), Sized::new(input));
    let status = call(out.at(), told.at());
    out.take(told.check(status))
}

/// Makes a call that returns a handle, which is NULL unless it succeeds.
pub fn handle(input: &mut Input<'_>, call: impl FnOnce(*mut Handle, Err) -> i32) -> Handle {
    let mut told = Told::new(input);
    let mut out = 1 as Handle;
    let is_wanted = input.below(16) != 15;
    let status = call(if is_wanted { &raw mut out } else { null_mut() }, told.at());
    let status = told.check(status);
    if !is_wanted {
        assert!(status < 0);
        return null_mut();
    }
    assert_eq!(out.is_null(), status != 0);
    out
}
