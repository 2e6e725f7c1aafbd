//! The files of replicas: backup, check, salvage and damage.

use std::fs;
use std::ptr::null;

use policysync_fuzz::Input;

use crate::World;
use crate::api::{
    policysync_replica_back_up, policysync_replica_reacquire_store, policysync_replica_release_store,
    policysync_store_salvage, policysync_store_verify,
};
use crate::layout::REPORT;
use crate::script::{FILES, directory, path};
use crate::told::{Room, Sized, Told, said};

impl World {
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn back_up(&mut self, input: &mut Input<'_>) {
        let (replica, to) = (self.replica(input), path(input));
        self.files_touched = true;
        let mut told = Told::new(input);
        match input.below(4) {
            // SAFETY: handles live or are NULL.
            2 => return unsafe { _ = said!(told, policysync_replica_release_store(replica, told.at())) },
            3 => {
                let (mut count, now) = (0, input.one_of(&[u64::MAX, 0, 1_760_000_000_000]));
                // SAFETY: handles live or are NULL, and so does the target of the pointer.
                return unsafe {
                    _ = said!(
                        told,
                        policysync_replica_reacquire_store(replica, now, &raw mut count, told.at())
                    );
                };
            }
            _ => {}
        }
        // SAFETY: the path lives.
        unsafe { said!(told, policysync_replica_back_up(replica, to.data, to.len, told.at())) };
    }

    /// Checks or salvages a file.
    ///
    /// # Safety
    ///
    /// As for [`World::call`].
    pub unsafe fn check_store(&mut self, input: &mut Input<'_>) {
        let mut opening = self.opening(input);
        opening.in_file(input, false);
        let options = if input.below(16) == 15 { null() } else { &raw const opening.options };
        let to = (input.below(2) == 1).then(|| path(input));
        self.files_touched = true;
        let (mut told, mut report, mut findings) =
            (Told::new(input), Sized::<REPORT>::new(input), Room::new(input));
        let (report_at, findings_at) = (report.at(), findings.at());
        // SAFETY: the options and the targets of their pointers live until the call returns, and so does the path.
        let status = unsafe {
            match to {
                None => said!(told, policysync_store_verify(options, report_at, findings_at, told.at())),
                Some(to) => said!(
                    told,
                    policysync_store_salvage(options, to.data, to.len, report_at, findings_at, told.at())
                ),
            }
        };
        let findings = findings.take(status);
        let report = report.take(status);
        if let Some([_, operations, count]) = report {
            assert!(operations <= 1_000_000, "{operations} operations in so small a file");
            assert!(findings.is_empty() || count == 0 || findings.starts_with(b"[{"));
        }
    }

    /// Damages a file while no replica has one open.
    pub fn damage(&mut self, input: &mut Input<'_>) {
        let replicas = &self.replicas;
        self.in_files.retain(|replica| replicas.has(*replica));
        // A cursor keeps its file open.
        if !self.in_files.is_empty() || self.cursors.len() > 0 {
            return;
        }
        let file = directory().join(FILES[input.below(3)]);
        let Ok(mut bytes) = fs::read(&file) else { return };
        let at = (input.below(16) * 4096 + input.short() % 4096) % bytes.len().max(1);
        match input.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.iter_mut().skip(at).zip(input.piece()).for_each(|(byte, new)| *byte = *new),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << input.below(8)),
        }
        fs::write(&file, bytes).expect("there is room");
    }
}
