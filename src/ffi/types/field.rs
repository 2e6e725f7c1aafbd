//! The names of a field.

use std::mem::MaybeUninit;

use crate::ffi::glue::boundary::Call;
use crate::ffi::glue::buffer::policysync_bytes;
use crate::ffi::glue::error::Failure;

/// The names of a field, each 1 to 1024 bytes of UTF-8. This struct never changes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_field {
    /// The kind of thing.
    pub entity: policysync_bytes,
    /// The thing of that kind.
    pub entity_id: policysync_bytes,
    /// The field of that thing.
    pub path: policysync_bytes,
}

impl policysync_field {
    /// Returns the three names: entity, entity id, path.
    pub(in crate::ffi) fn names<'c>(
        call: &'c Call,
        field: MaybeUninit<&Self>,
    ) -> Result<(&'c str, &'c str, &'c str), Failure> {
        let field = call.required(field, "field")?;
        Ok((
            field.entity.text(call, "field.entity")?,
            field.entity_id.text(call, "field.entity_id")?,
            field.path.text(call, "field.path")?,
        ))
    }
}
