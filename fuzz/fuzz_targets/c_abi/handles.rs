//! Handles of one kind, each of which is freed once.

use std::ptr::null_mut;

use policysync_fuzz::Input;

use crate::api::Handle;

/// The maximum number; beyond it the oldest is freed.
const MOST: usize = 3;

pub struct Handles {
    live: Vec<Handle>,
    free: unsafe extern "C" fn(Handle),
}

impl Handles {
    pub fn new(free: unsafe extern "C" fn(Handle)) -> Self {
        Self { live: Vec::new(), free }
    }

    pub fn len(&self) -> usize {
        self.live.len()
    }

    pub fn has(&self, handle: Handle) -> bool {
        self.live.contains(&handle)
    }

    /// Picks one of them, or NULL.
    pub fn pick(&self, input: &mut Input<'_>) -> Handle {
        match (input.below(16), self.live.len()) {
            (15, _) | (_, 0) => null_mut(),
            (n, len) => self.live[n % len],
        }
    }

    pub fn keep(&mut self, handle: Handle) {
        if handle.is_null() {
            return;
        }
        self.live.push(handle);
        if self.live.len() > MOST {
            let oldest = self.live.remove(0);
            // SAFETY: it lives, and was removed from the list.
            unsafe { (self.free)(oldest) };
        }
    }

    /// Frees one of them, or NULL.
    pub fn give_up(&mut self, input: &mut Input<'_>) {
        let handle = self.pick(input);
        self.forget(handle);
        // SAFETY: it lived until now, and was removed from the list.
        unsafe { (self.free)(handle) };
    }

    /// Removes a handle that a callback has freed.
    pub fn forget(&mut self, handle: Handle) {
        self.live.retain(|other| *other != handle);
    }

    pub fn reverse(&mut self) {
        self.live.reverse();
    }

    pub fn clear(&mut self) {
        for handle in self.live.drain(..) {
            // SAFETY: it lives, and was removed from the list.
            unsafe { (self.free)(handle) };
        }
    }
}
