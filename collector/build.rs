//! Embeds what browsers download: `target/assets` (the tracker and the dashboard, built by `cargo xtask`) and `demo`.
//!
//! `cargo check` needs none of it: what is missing is left out, and the server says how to build it. Every file is
//! compressed here, once, so that no request waits for it.
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Shorter files are not worth a second form.
const WORTH_COMPRESSING: usize = 256;

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("no manifest"))?).join("..");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?);
    let assets = root.join("target/assets");
    // A path that is not there would count as changed at every build.
    fs::create_dir_all(&assets)?;
    let mut files = Vec::new();
    collect(&assets, "/", &mut files)?;
    collect(&root.join("demo"), "/demo/", &mut files)?;
    files.sort();

    let mut table = String::from("pub(super) static FILES: &[Asset] = &[\n");
    for (index, (path, file)) in files.iter().enumerate() {
        let Some(kind) = media_type(path) else { continue };
        let raw = fs::read(file)?;
        let etag = &blake3::hash(&raw).to_hex()[..20];
        let forms = [("raw", raw.clone()), ("br", brotli(&raw)?), ("gz", gzip(&raw)?)];
        let mut entry = format!("    Asset {{ path: {path:?}, kind: {kind:?}, etag: {etag:?}");
        for (form, bytes) in forms {
            if form == "raw" {
                let name = format!("{index}.raw");
                fs::write(out.join(&name), &bytes)?;
                write!(entry, ", raw: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))").map_err(io::Error::other)?;
            } else if raw.len() < WORTH_COMPRESSING || bytes.len() >= raw.len() {
                write!(entry, ", {form}: None").map_err(io::Error::other)?;
            } else {
                let name = format!("{index}.{form}");
                fs::write(out.join(&name), &bytes)?;
                write!(entry, ", {form}: Some(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")))")
                    .map_err(io::Error::other)?;
            }
        }
        table.push_str(&entry);
        table.push_str(" },\n");
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)
}

/// Every file below `dir` with the path at which it is served.
fn collect(dir: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", dir.display());
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else {
            println!("cargo::rerun-if-changed={}", entry.path().display());
            files.push((format!("{prefix}{name}"), entry.path()));
        }
    }
    Ok(())
}

/// What browsers are told that it is; other files are not served.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit('.').next()? {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

fn brotli(raw: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &raw[..], &mut out, &params)?;
    Ok(out)
}

fn gzip(raw: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(raw)?;
    encoder.finish()
}
