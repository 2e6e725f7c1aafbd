//! The bytes of records.

use super::{Damage, Record};
use crate::codec::{ByteReader, CodecError, HashedOp, OpHash, Scratch};
use crate::crypto::{Signature, Sodium};
use crate::guard::PermittedOp;
use crate::op::{MaybeOwned, OpSeq, SignedOpRef};

const LABELLED: u8 = 1;

/// The members of an operation that the index of the log lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body<'a> {
    /// Canonical JSON.
    pub(crate) value: &'a str,
    /// The author's label, where it is not the default one.
    pub(crate) label: Option<&'a str>,
    pub(crate) signature: Signature,
}

/// The form of a store's records. A record holds one operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordForm {
    /// The body alone, for a store that ends with the index of its log: flags, signature, the length and bytes of a
    /// label where there is one, value.
    Body,
    /// The hash and the binary form.
    Whole,
}

/// Records of operations that lie end to end.
pub(crate) struct Records {
    first: OpSeq,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Records {
    /// Encodes operations, the first of which gets the number `first`.
    pub(crate) fn encode(form: RecordForm, first: OpSeq, ops: &[PermittedOp<'_>]) -> Self {
        let mut records = Self { first, bytes: Vec::new(), ends: Vec::with_capacity(ops.len()) };
        ops.iter().for_each(|op| records.push(form, &op.hash(), op.signed()));
        records
    }

    pub(crate) const fn empty(first: OpSeq) -> Self {
        Self { first, bytes: Vec::new(), ends: Vec::new() }
    }

    pub(crate) fn push(&mut self, form: RecordForm, hash: &OpHash, signed: SignedOpRef<'_>) {
        match form {
            RecordForm::Body => put_body(signed, &mut self.bytes),
            RecordForm::Whole => {
                self.bytes.extend_from_slice(hash.as_bytes());
                signed.write_binary(&mut self.bytes);
            }
        }
        self.ends.push(self.bytes.len());
    }

    /// Appends a record as it was read.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    /// Returns the length of all records, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    /// Returns the number after that of the last operation.
    pub(crate) fn end(&self) -> OpSeq {
        let count = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        OpSeq::new(self.first.get().saturating_add(count))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let numbers = self.first.get()..;
        numbers.zip(starts.zip(&self.ends)).map(|(number, (start, end))| Record {
            first: OpSeq::new(number),
            count: 1,
            bytes: self.bytes.get(start..*end).unwrap_or_default(),
        })
    }
}

fn put_body(signed: SignedOpRef<'_>, out: &mut Vec<u8>) {
    let op = signed.op();
    out.push(if op.label().is_some() { LABELLED } else { 0 });
    out.extend_from_slice(signed.signature().as_bytes());
    if let Some(label) = op.label() {
        // An identifier has at most 1024 bytes.
        out.extend_from_slice(&u16::try_from(label.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(label.as_bytes());
    }
    out.extend_from_slice(op.value().as_bytes());
}

/// Reads a record of the form [`RecordForm::Body`].
pub(crate) fn read_body<'a>(bytes: &'a [u8]) -> Result<Body<'a>, Damage> {
    let read = |mut reader: ByteReader<'a>| {
        let flags = reader.byte()?;
        let signature = Signature::from_bytes(reader.array()?);
        let mut label = None;
        if flags & LABELLED != 0 {
            let len = u16::from_le_bytes(reader.array()?);
            label = Some(reader.text_of(len.into())?);
        }
        Ok(Body { value: reader.text_of(reader.left())?, label, signature })
    };
    read(ByteReader::new(bytes)).map_err(|_: CodecError| Damage::Unexpected)
}

/// Splits a record of the form [`RecordForm::Whole`] into the hash as stored and the binary form.
pub(crate) fn read_whole(bytes: &[u8]) -> Result<(OpHash, &[u8]), Damage> {
    let (hash, form) = bytes.split_first_chunk().ok_or(Damage::Unexpected)?;
    Ok((OpHash::from_bytes(*hash), form))
}

/// Decodes an operation, which must belong to the space.
pub(crate) fn decode<'a>(form: &'a [u8], space: Option<&str>) -> Result<SignedOpRef<'a>, Damage> {
    let signed = SignedOpRef::from_binary(form)?;
    if signed.op().space() == space { Ok(signed) } else { Err(Damage::Space) }
}

/// Computes an operation's hash, which must be the expected one. The signature is not checked.
pub(crate) fn recompute<'a, 't>(
    crypto: Sodium,
    expected: OpHash,
    signed: SignedOpRef<'a>,
    scratch: &'t mut Scratch,
) -> Result<HashedOp<'a, 't>, Damage> {
    let hashed = HashedOp::new(&crypto, MaybeOwned::Borrowed(signed), scratch)
        .map_err(|error| Damage::Decode(error.into()))?;
    if hashed.hash() == expected { Ok(hashed) } else { Err(Damage::Hash) }
}
