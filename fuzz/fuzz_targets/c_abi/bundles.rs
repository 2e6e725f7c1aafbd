//! Bundles, exported through a writer and imported through a reader.

use std::ptr::null;

use policysync_fuzz::Input;

use crate::World;
use crate::api::{
    policysync_replica_export_bundle, policysync_replica_export_bundle_of, policysync_replica_import_bundle,
};
use crate::callbacks::{CARRIED, callback, context, read, write};
use crate::layout::{EXPORTED, INGESTED, Read, Write};
use crate::script::now;
use crate::told::words;

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn export_bundle(&mut self, input: &mut Input<'_>) {
        let replica = self.replica(input);
        CARRIED.take();
        let writer = (input.below(16) != 15).then(|| {
            let ctx = context(input);
            callback(input, ctx, write as Write)
        });
        let writer = writer.as_ref().map_or(null(), std::ptr::from_ref);
        let position = input.one_of(&[0, 0, 1, 100, u64::MAX]);
        let hashes = [input.byte(); 64];
        let count = input.one_of(&[None, None, Some(0), Some(2), Some(usize::MAX)]);
        // SAFETY: the writer lives until the call returns; the array has `count` hashes, or `count` is absurd.
        let exported = words::<EXPORTED>(input, |exported, err| unsafe {
            match count {
                None => policysync_replica_export_bundle(replica, position, writer, exported, err),
                Some(count) => policysync_replica_export_bundle_of(
                    replica,
                    hashes.as_ptr(),
                    count,
                    writer,
                    exported,
                    err,
                ),
            }
        });
        let bundle = CARRIED.take();
        if let Some([_, _, bytes, _]) = exported {
            assert_eq!(usize::try_from(bytes), Ok(bundle.len()));
        }
        self.carry(bundle);
    }

    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn import_bundle(&mut self, input: &mut Input<'_>) {
        let (replica, now) = (self.replica(input), now(input));
        CARRIED.set(self.carried(input));
        let reader = (input.below(16) != 15).then(|| {
            let ctx = context(input);
            callback(input, ctx, read as Read)
        });
        let reader = reader.as_ref().map_or(null(), std::ptr::from_ref);
        // SAFETY: the reader lives until the call returns.
        words::<INGESTED>(input, |ingested, err| unsafe {
            policysync_replica_import_bundle(replica, now, reader, ingested, err)
        });
        CARRIED.take();
    }
}
