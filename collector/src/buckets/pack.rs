//! Packing what is stored, with zstd where that pays.
use std::cell::RefCell;
use std::io::Write as _;

use headwater_core::Encoded;
use zstd::zstd_safe::{self, CCtx, CParameter, DCtx};

use crate::store::StoreError;

/// Blobs below this many bytes are stored as they are: compressing them costs more than it saves.
const COMPRESS_FROM: usize = 512;
/// zstd's default: twice as fast to write as higher levels and nearly as small here.
const LEVEL: i32 = 3;
/// The most that is unpacked, in bytes: a bound on what a damaged length can ask for.
const MAX_UNPACKED: u64 = 1 << 30;
/// The shortest block that is begun anew.
const BLOCK: usize = 512;

thread_local! {
    // zstd's tables are larger than most of what is packed: they are made once for each thread.
    static PACKING: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
    static UNPACKING: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// A byte that says whether zstd was used, then the bytes. zstd begins a block at each cut that is far enough from the
/// last: a column of its own has its own code, which saves 8 % over blocks of one size.
pub(crate) fn pack(encoded: &Encoded) -> Result<Vec<u8>, StoreError> {
    let bytes = &encoded.bytes;
    if bytes.len() < COMPRESS_FROM {
        let mut plain = Vec::with_capacity(bytes.len() + 1);
        plain.push(0);
        plain.extend_from_slice(bytes);
        return Ok(plain);
    }
    let packed = PACKING.with_borrow_mut(|context| -> std::io::Result<Vec<u8>> {
        context.set_parameter(CParameter::CompressionLevel(LEVEL)).map_err(failed)?;
        let mut encoder = zstd::stream::Encoder::with_context(vec![1], context);
        // It is written in front: who unpacks makes room once.
        encoder.set_pledged_src_size(Some(bytes.len() as u64))?;
        let mut start = 0;
        for cut in encoded.cuts.iter().copied().filter(|cut| cut + BLOCK <= bytes.len()) {
            if cut >= start + BLOCK {
                encoder.write_all(bytes.get(start..cut).unwrap_or(&[]))?;
                encoder.flush()?;
                start = cut;
            }
        }
        encoder.write_all(bytes.get(start..).unwrap_or(&[]))?;
        encoder.finish()
    });
    packed.map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// The other way round.
pub(crate) fn unpack(blob: &[u8]) -> Result<Vec<u8>, StoreError> {
    let packed = match blob.split_first() {
        Some((0, plain)) => return Ok(plain.to_vec()),
        Some((1, packed)) => packed,
        _ => return Err(StoreError::Corrupt("a segment with an unknown first byte".into())),
    };
    let corrupt = |what: String| StoreError::Corrupt(format!("a compressed segment: {what}"));
    let length = zstd_safe::get_frame_content_size(packed).ok().flatten().filter(|length| *length <= MAX_UNPACKED);
    let mut bytes = Vec::with_capacity(length.ok_or_else(|| corrupt("its length".into()))? as usize);
    let unpacked = UNPACKING.with_borrow_mut(|context| context.decompress(&mut bytes, packed).map_err(failed));
    unpacked.map(|_| bytes).map_err(|error| corrupt(error.to_string()))
}

fn failed(code: usize) -> std::io::Error {
    std::io::Error::other(zstd_safe::get_error_name(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_damage_is_told() {
        for length in [0usize, 1, 511, 512, 5000, 300_000] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * i / 7) as u8).collect();
            let cuts = vec![3, 600, 601, 2000, 290_000];
            let packed = pack(&Encoded { bytes: bytes.clone(), cuts }).unwrap();
            assert_eq!(unpack(&packed).unwrap(), bytes);
            // However it is damaged, the next is not.
            for at in (0..packed.len().min(40)).chain(packed.len().saturating_sub(9)..packed.len()) {
                let mut damaged = packed.clone();
                damaged[at] ^= 0x55;
                let _ = unpack(&damaged);
                let _ = unpack(&packed[..at]);
            }
            assert_eq!(unpack(&packed).unwrap(), bytes);
        }
        assert!(unpack(&[]).is_err() && unpack(&[1]).is_err() && unpack(&[9, 1]).is_err());
    }
}
