//! Sheets: what is stored by dimension. A directory in front, and each dimension packed by itself, so that who asks for one
//! unpacks no other.
//!
//! A byte 2, by which it is told from what is packed as a whole; how many there are (a byte); of each the code of its dimension
//! (a byte) and its length (four bytes, the lowest first); then all, one after the other.
use headwater_core::{Encoded, RowDimension};

use super::pack::pack;
use crate::store::StoreError;

const SHEETS: u8 = 2;
/// What the directory has of each.
const ENTRY: usize = 5;

/// Whether this is what [`write`] wrote.
pub(super) fn are(blob: &[u8]) -> bool {
    blob.first() == Some(&SHEETS)
}

/// Packs each and puts the directory in front.
pub(super) fn write(sheets: impl Iterator<Item = (RowDimension, Encoded)>) -> Result<Vec<u8>, StoreError> {
    let (mut directory, mut all, mut count) = (Vec::new(), Vec::new(), 0u8);
    for (dimension, encoded) in sheets {
        let packed = pack(&encoded)?;
        directory.push(dimension.code());
        directory.extend((packed.len() as u32).to_le_bytes());
        all.extend(packed);
        count += 1;
    }
    Ok([vec![SHEETS, count], directory, all].concat())
}

/// Each dimension with what was packed of it.
pub(super) fn read(blob: &[u8]) -> Result<Vec<(RowDimension, &[u8])>, StoreError> {
    let parted = || {
        let (&[SHEETS, count], rest) = blob.split_first_chunk()? else { return None };
        let (directory, mut rest) = rest.split_at_checked(usize::from(count) * ENTRY)?;
        let mut sheets = Vec::with_capacity(usize::from(count));
        for entry in directory.chunks_exact(ENTRY) {
            let (&[code], length) = entry.split_first_chunk()?;
            let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
            let (packed, behind) = rest.split_at_checked(length)?;
            sheets.push((RowDimension::from_code(code)?, packed));
            rest = behind;
        }
        rest.is_empty().then_some(sheets)
    };
    parted().ok_or_else(|| StoreError::Corrupt("a directory of dimensions".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_told_and_harms_nobody() {
        let bytes = |of: u8| Encoded { bytes: vec![of; 700], cuts: Vec::new() };
        let blob = write([(RowDimension::Total, bytes(1)), (RowDimension::Page, bytes(2))].into_iter()).unwrap();
        let found = read(&blob).unwrap();
        assert_eq!(found.iter().map(|(of, _)| *of).collect::<Vec<_>>(), [RowDimension::Total, RowDimension::Page]);
        assert_eq!(super::super::unpack(found[1].1).unwrap(), [2; 700]);
        for length in 0..blob.len() {
            assert!(read(&blob[..length]).is_err(), "{length}");
        }
        for at in 0..2 + 2 * ENTRY {
            for bit in 0..8 {
                let mut damaged = blob.clone();
                damaged[at] ^= 1 << bit;
                let _ = read(&damaged);
            }
        }
    }
}
