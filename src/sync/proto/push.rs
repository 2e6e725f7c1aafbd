//! Pushes, messages with new operations outside of a session.

use super::message::{LogSpace, open};
use crate::codec::packed::{OpPacker, UnpackedOp, unpack_ops};
use crate::codec::tags::{PUSH, SYNC_VERSION};
use crate::codec::wire::ByteReader;
use crate::sync::error::SyncError;

pub(crate) fn write_push(space: &LogSpace, ops: OpPacker) -> Vec<u8> {
    let mut out = vec![PUSH, SYNC_VERSION];
    out.extend_from_slice(&space.tag);
    ops.finish(&mut out);
    out
}

pub(crate) fn read_push<'a>(bytes: &'a [u8], space: &'a LogSpace) -> Result<Vec<UnpackedOp<'a>>, SyncError> {
    let mut reader = ByteReader::new(bytes);
    open(&mut reader, PUSH)?;
    space.read_tag(&mut reader)?;
    let ops = unpack_ops(&mut reader, space.name.as_deref())?;
    reader.end()?;
    Ok(ops)
}
