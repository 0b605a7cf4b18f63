//! Finds the tracker that `cargo xtask assets` built. Where it is missing the Worker is built without it, and says so.
use std::path::PathBuf;
use std::{env, fs, io};

/// What pages load, and the variables in which `assets.rs` finds it.
const FILES: [(&str, &str); 3] =
    [("t.js", "HEADWATER_T_JS"), ("t.auto.js", "HEADWATER_T_AUTO_JS"), ("t.wasm", "HEADWATER_T_WASM")];

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../target/assets");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for (file, name) in FILES {
        let source = folder.join(file);
        println!("cargo::rerun-if-changed={}", source.display());
        let bytes = fs::read(&source).unwrap_or_default();
        let copy = out.join(file);
        fs::write(&copy, &bytes)?;
        println!("cargo::rustc-env={name}={}", copy.display());
        println!("cargo::rustc-env={name}_ETAG={:016x}", hash(&bytes));
    }
    Ok(())
}

/// FNV-1a: tells one build of a file from another.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
