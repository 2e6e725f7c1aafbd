//! Cursors, and the changes since a position.

use policysync_fuzz::Input;

use crate::World;
use crate::api::*;
use crate::callbacks::text;
use crate::layout::COp;
use crate::told::{JUNK, Told, buffer, fixed, handle, said};

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn open_cursor(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let replica = self.replica(input);
            let position = input.one_of(&[0, 0, 1, 100, u64::MAX]);
            let cursor = handle(input, |out, err| policysync_cursor_open(replica, position, out, err));
            self.cursors.keep(cursor);
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn walk(&mut self, input: &mut Input<'_>) {
        let cursor = self.cursors.pick(input);
        // SAFETY: numbers and pointers may be zero.
        let mut ops: [COp; 4] = unsafe { std::mem::zeroed() };
        let stride = input.one_of(&[size_of::<COp>(), size_of::<COp>(), 0, 64]);
        let capacity = input.below(5);
        let mut count = usize::MAX;
        let mut told = Told::new(input);
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        let status = unsafe {
            said!(
                told,
                policysync_cursor_next(cursor, ops.as_mut_ptr(), stride, capacity, &raw mut count, told.at(),)
            )
        };
        if status == 0 {
            assert!((1..=capacity).contains(&count));
            for op in &ops[..count] {
                // SAFETY: they live until the next call on the cursor.
                unsafe {
                    assert!(!text(op.actor).is_empty() && !text(op.entity).is_empty());
                    assert!(policysync::Value::parse(text(op.value)).is_ok());
                }
            }
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn position(&mut self, input: &mut Input<'_>) {
        if input.byte() % 2 == 1 {
            // SAFETY: by the contract of this function.
            return unsafe { self.changes(input) };
        }
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let cursor = self.cursors.pick(input);
            fixed(input, JUNK, |out, err| policysync_cursor_position(cursor, out, err));
        }
    }

    /// Asks for the changes since a position of a replica, whole or damaged, which may be another replica's.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    unsafe fn changes(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let other = self.replica(input);
            let mut position = buffer(input, |out, err| policysync_replica_state_position(other, out, err));
            if input.byte() % 4 == 3 {
                position.truncate(input.below(50));
            }
            let replica = self.replica(input);
            let changes = handle(input, |out, err| {
                policysync_changes_open(replica, position.as_ptr().cast(), position.len(), out, err)
            });
            let mut ops: [COp; 4] = std::mem::zeroed();
            let mut count = usize::MAX;
            let mut told = Told::new(input);
            let capacity = input.below(5);
            let stride = size_of::<COp>();
            let status = said!(
                told,
                policysync_changes_next(
                    changes,
                    ops.as_mut_ptr(),
                    stride,
                    capacity,
                    &raw mut count,
                    told.at(),
                )
            );
            if status == 0 {
                assert!((1..=capacity).contains(&count));
                for op in &ops[..count] {
                    assert!(!text(op.entity).is_empty() && !text(op.path).is_empty());
                    assert!(policysync::Value::parse(text(op.value)).is_ok());
                }
            }
            buffer(input, |out, err| policysync_changes_position(changes, out, err));
            policysync_changes_free(changes);
        }
    }
}
