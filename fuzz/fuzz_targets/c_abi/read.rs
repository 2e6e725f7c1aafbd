//! Reading fields and operations.

use std::ptr::{null, null_mut};

use policysync_fuzz::Input;

use crate::World;
use crate::api::*;
use crate::layout::{ITEM, Page};
use crate::script::{bytes, field, format};
use crate::told::{JUNK, Told, buffer, fixed, handle, said, words};

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn field(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let (replica, field) = (self.replica(input), field(input));
            let which = input.below(8);
            let field = if input.below(8) == 7 { null() } else { &raw const field };
            match which {
                0 => {
                    return fixed(input, 7, |out, err| {
                        policysync_replica_get_integer(replica, field, out, err)
                    });
                }
                1 => {
                    return fixed(input, 7.0, |out, err| {
                        policysync_replica_get_double(replica, field, out, err)
                    });
                }
                2 => {
                    return fixed(input, 7, |out, err| policysync_replica_get_bool(replica, field, out, err));
                }
                _ => {}
            }
            buffer(input, |out, err| match which {
                3 => policysync_replica_get(replica, field, out, err),
                4 => policysync_replica_history(replica, field, out, err),
                5 => policysync_replica_get_text(replica, field, out, err),
                6 => policysync_replica_get_bytes(replica, field, out, err),
                _ => policysync_replica_explain(replica, field, out, err),
            });
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn entity(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let (replica, entity, id) = (self.replica(input), bytes(input), bytes(input));
            buffer(input, |out, err| {
                policysync_replica_entity(replica, entity.data, entity.len, id.data, id.len, out, err)
            });
        }
    }

    /// Queries whose result is a list, and the items of the list.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn query(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let (replica, entity, id, prefix) =
                (self.replica(input), bytes(input), bytes(input), bytes(input));
            let page = Page {
                struct_size: input.one_of(&[48, 48, 8, 0]),
                reserved: input.one_of(&[0, 0, 1]),
                prefix,
                after: id,
                max_count: input.one_of(&[0, 1, u64::MAX]),
            };
            let page = if input.below(2) == 0 { null() } else { &raw const page };
            let which = input.below(4);
            if which == 0 {
                return fixed(input, JUNK, |out, err| {
                    policysync_replica_count_entities(
                        replica,
                        entity.data,
                        entity.len,
                        prefix.data,
                        prefix.len,
                        out,
                        err,
                    )
                });
            }
            let list = handle(input, |out, err| match which {
                1 => policysync_replica_kinds(replica, out, err),
                2 => policysync_replica_entities(replica, entity.data, entity.len, page, out, err),
                _ => policysync_replica_fields(
                    replica,
                    entity.data,
                    entity.len,
                    id.data,
                    id.len,
                    prefix.data,
                    prefix.len,
                    out,
                    err,
                ),
            });
            for _ in 0..3 {
                words::<ITEM>(input, |out, err| policysync_list_next(list, out, err));
            }
            policysync_list_free(list);
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn operation(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let replica = self.replica(input);
            let hash = [input.byte(); 32];
            let hash = if input.below(8) == 7 { null() } else { hash.as_ptr() };
            let mut told = Told::new(input);
            said!(told, policysync_replica_contains(replica, hash, told.at()));
            let mut told = Told::new(input);
            said!(told, policysync_replica_has_changes(replica, told.at()));
            let format = format(input);
            buffer(input, |out, err| policysync_replica_op(replica, hash, format, out, err));
        }
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn export(&mut self, input: &mut Input<'_>) {
        // SAFETY: handles live or are NULL, and so do the targets of pointers, as far as the library may read.
        unsafe {
            let replica = self.replica(input);
            let position = input.one_of(&[0, 1, 2, 100, u64::MAX]);
            let (count, format) = (u64::from(input.byte()), format(input));
            let mut next = JUNK;
            let next = if input.below(2) == 0 { null_mut() } else { &raw mut next };
            buffer(input, |out, err| {
                policysync_replica_export(replica, position, count, format, out, next, err)
            });
        }
    }
}
