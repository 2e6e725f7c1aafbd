//! Writing and ingesting.

use std::ptr::{null, null_mut};

use policysync_fuzz::Input;

use crate::World;
use crate::api::*;
use crate::layout::{Bytes, Outcome};
use crate::script::{bytes, field, format, now, op_bytes};
use crate::told::{ERR_NULL, JUNK, Told, buffer, said};

impl World {
    /// Writes an operation of its own.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn write(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let (replica, now, field) = (self.replica(input), now(input), field(input));
            let (value, format) = (bytes(input), format(input));
            let which = input.below(10);
            let integer = input.one_of(&[0, 1, -1, 1 << 53, i64::MAX, i64::MIN]);
            let double = input.one_of(&[0.0, -0.0, 0.1, f64::MAX, f64::NAN, f64::INFINITY]);
            let op = buffer(input, |out, err| {
                let field = &raw const field;
                match which {
                    0 => policysync_replica_delete(replica, now, field, format, out, err),
                    1 => policysync_replica_set_text(
                        replica, now, field, value.data, value.len, format, out, err,
                    ),
                    2 => policysync_replica_set_integer(replica, now, field, integer, format, out, err),
                    3 => policysync_replica_set_double(replica, now, field, double, format, out, err),
                    4 => policysync_replica_set_bool(
                        replica,
                        now,
                        field,
                        i32::from(integer != 0),
                        format,
                        out,
                        err,
                    ),
                    5 => policysync_replica_set_bytes(
                        replica, now, field, value.data, value.len, format, out, err,
                    ),
                    _ => policysync_replica_set(replica, now, field, value.data, value.len, format, out, err),
                }
            });
            assert!(op.is_empty() || policysync::SignedOp::from_json(&op).is_ok() || op[0] == 1);
        }
    }

    /// Deletes an entity.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn delete_entity(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let (replica, now, entity, id) = (self.replica(input), now(input), bytes(input), bytes(input));
            let format = format(input);
            buffer(input, |out, err| {
                policysync_replica_delete_entity(
                    replica,
                    now,
                    entity.data,
                    entity.len,
                    id.data,
                    id.len,
                    format,
                    out,
                    err,
                )
            });
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn ingest(&mut self, input: &mut Input<'_>) {
        let (replica, now, op) = (self.replica(input), now(input), op_bytes(input));
        let full = size_of::<Outcome>();
        let before = Outcome { status: 77, effect: 77, until_ms: JUNK, hashes: [[7; 32]; 3] };
        let mut outcome = before;
        let size = input.one_of(&[full, full, 0, 8, full - 1]);
        let out = if input.below(4) == 0 { null_mut() } else { &raw mut outcome };
        let data = if input.below(16) == 15 { null() } else { op.as_ptr().cast() };
        let mut told = Told::new(input);
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        let status = unsafe {
            said!(told, policysync_replica_ingest(replica, now, data, op.len(), out, size, told.at()))
        };
        assert!(status != ERR_NULL || replica.is_null() || data.is_null(), "nothing was NULL");
        if status >= 0 && !out.is_null() {
            assert_eq!(outcome.status, status);
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn ingest_many(&mut self, input: &mut Input<'_>) {
        let (replica, now) = (self.replica(input), now(input));
        let count = input.below(5);
        let ops: Vec<Vec<u8>> = (0..count).map(|_| op_bytes(input)).collect();
        let pieces: Vec<Bytes> =
            ops.iter().map(|op| Bytes { data: op.as_ptr().cast(), len: op.len() }).collect();
        let mut outcomes =
            vec![Outcome { status: 77, effect: 77, until_ms: JUNK, hashes: [[7; 32]; 3] }; count.max(1)];
        let ops_stride = input.one_of(&[size_of::<Bytes>(), size_of::<Bytes>(), 0, 8]);
        let stride = input.one_of(&[size_of::<Outcome>(), size_of::<Outcome>(), 0, 8]);
        let out = if input.below(4) == 0 { null_mut() } else { outcomes.as_mut_ptr() };
        let first = if input.below(16) == 15 { null() } else { pieces.as_ptr() };
        let mut told = Told::new(input);
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        let status = unsafe {
            said!(
                told,
                policysync_replica_ingest_many(
                    replica,
                    now,
                    first,
                    ops_stride,
                    count,
                    out,
                    stride,
                    told.at(),
                )
            )
        };
        if status == 0 && !out.is_null() && stride == size_of::<Outcome>() {
            assert!(outcomes.iter().take(count).all(|outcome| outcome.status != 77));
        }
        if status < 0 {
            assert!(outcomes.iter().all(|outcome| outcome.status == 77), "outcomes of a call that failed");
        }
    }
}
