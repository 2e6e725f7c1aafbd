//! The rules by which a replica admits operations, as a short tag.

use super::Replica;
use super::options::SignatureCheck;
use crate::codec::tags::ADMISSION;

impl Replica {
    /// Returns a tag that differs when the replica may admit operations that it refused before: after a change of its
    /// keys, or of the way in which it checks them.
    pub(crate) fn admission_tag(&self) -> [u8; 8] {
        if self.signatures == SignatureCheck::Skipped {
            return [0; 8];
        }
        // A sum, so that the order of registration does not matter.
        let mut sum = 0_u128;
        let mut text = Vec::new();
        for key in self.keys.iter() {
            text.clear();
            text.extend_from_slice(ADMISSION);
            text.extend_from_slice(key.to_text().as_bytes());
            let hash = self.crypto.hash(&text);
            let (first, _) = hash.as_bytes().split_first_chunk().unwrap_or((&[0; 16], &[]));
            sum = sum.wrapping_add(u128::from_le_bytes(*first));
        }
        let bytes = sum.to_le_bytes();
        bytes.first_chunk().copied().unwrap_or_default()
    }
}
