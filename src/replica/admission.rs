//! The rules by which a replica admits operations, as a short tag.

use super::options::SignatureCheck;
use super::{Labels, Replica};
use crate::codec::tags::ADMISSION;

impl Replica {
    /// Returns true if the replica has a key of this actor or operations, whose key may no longer be registered.
    pub(crate) fn knows_actor(&self, actor: &str) -> bool {
        self.keys.knows_actor(actor) || self.log.index().has_actor(actor)
    }

    /// Returns a tag that differs when the replica may admit operations that it refused before: after a change of its
    /// keys, of its rules for labels, or of its guard.
    pub(crate) fn admission_tag(&self) -> [u8; 8] {
        // A sum, so that the order of registration does not matter.
        let mut sum = 0_u128;
        let mut text = Vec::new();
        // A replica that does not verify needs no keys.
        let verifies = self.signatures == SignatureCheck::Required;
        for key in self.keys.iter().filter(|_| verifies) {
            text.clear();
            text.extend_from_slice(ADMISSION);
            text.extend_from_slice(key.to_text().as_bytes());
            sum = sum.wrapping_add(u128::from_le_bytes(self.crypto.hash(&text).first()));
        }
        let mut text = ADMISSION.to_vec();
        text.extend_from_slice(&sum.to_le_bytes());
        text.extend([u8::from(verifies), u8::from(self.labels == Labels::Any)]);
        text.extend_from_slice(&self.guard_revision.to_le_bytes());
        self.crypto.hash(&text).first()
    }
}
