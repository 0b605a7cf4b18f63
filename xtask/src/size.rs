//! `cargo xtask size`: what a page downloads, and the dashboard, against their bounds and other trackers.
use std::fs;
use std::io::Write;

use anyhow::{Result, bail};

use crate::args::Args;
use crate::assets;
use crate::run::step;
use crate::shrink::Shrink;
use crate::worker;

/// The most that a page downloads, loader and Wasm, in bytes after brotli -11.
const TOTAL: usize = 6144;
/// The most of it that is the loader.
const LOADER: usize = 1229;
/// The most that the dashboard's Wasm and JavaScript are: 250 KB of 1,000 bytes.
const DASHBOARD: usize = 250_000;

/// The most that the Worker is, Wasm and JavaScript, after gzip -9. The platform's free plan ends at 3 MB.
const WORKER: usize = 400_000;

/// Other trackers, measured the same way: raw, gzip -9, brotli -11.
const PEERS: [(&str, Size); 5] = [
    ("Plausible, all features", Size { raw: 6434, gzip: 2670, brotli: 2355 }),
    ("Umami", Size { raw: 4629, gzip: 2267, brotli: 2019 }),
    ("GoatCounter", Size { raw: 5670, gzip: 2199, brotli: 1852 }),
    ("Liwan", Size { raw: 2033, gzip: 1098, brotli: 931 }),
    ("Medama, click events", Size { raw: 1978, gzip: 966, brotli: 784 }),
];

/// Bytes before and after compression.
#[derive(Clone, Copy, Default)]
struct Size {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Size {
    fn of(content: &[u8]) -> Result<Self> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(content)?;
        let mut brotli = Vec::new();
        let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
        brotli::BrotliCompress(&mut &content[..], &mut brotli, &params)?;
        Ok(Self { raw: content.len(), gzip: gzip.finish()?.len(), brotli: brotli.len() })
    }

    fn and(self, other: Self) -> Self {
        Self { raw: self.raw + other.raw, gzip: self.gzip + other.gzip, brotli: self.brotli + other.brotli }
    }
}

/// `cargo xtask size`: builds, prints, and fails above a bound.
pub(crate) fn size(args: Args) -> Result<()> {
    args.end()?;
    let shrink = Shrink::install()?;
    assets::build(Some(&shrink))?;
    worker::build(&shrink)?;
    within_bounds()?;
    worker_within_bounds()
}

/// Prints the size of what is in `target/worker/`.
///
/// # Errors
/// If it is above its bound.
pub(crate) fn worker_within_bounds() -> Result<()> {
    let of = |name: &str| Size::of(&fs::read(worker::folder().join(name))?);
    let size = of("index.js")?.and(of("index_bg.wasm")?);
    println!("\nthe Worker, Wasm and JavaScript: {} raw, {} after gzip -9; at most {WORKER}", size.raw, size.gzip);
    if size.gzip > WORKER {
        bail!("the Worker: {} bytes after gzip -9, but at most {WORKER} are allowed", size.gzip);
    }
    Ok(())
}

/// Prints the sizes of what is in `target/assets/`.
///
/// # Errors
/// If one is above its bound.
pub(crate) fn within_bounds() -> Result<()> {
    step("Sizes in bytes");
    let folder = assets::folder();
    let of = |name: &str| Size::of(&fs::read(folder.join(name))?);
    let (loader, auto, wasm) = (of("t.js")?, of("t.auto.js")?, of("t.wasm")?);
    let dashboard = of("dashboard/dashboard.js")?.and(of("dashboard/dashboard_bg.wasm")?);
    let mine = [
        ("loader, t.js", loader, Some(LOADER)),
        ("its second part, t.js?auto", auto, None),
        ("tracker, t.wasm", wasm, None),
        ("all that a page downloads", loader.and(auto).and(wasm), Some(TOTAL)),
        ("dashboard, Wasm and JavaScript", dashboard, Some(DASHBOARD)),
    ];

    println!("{:<32}{:>10}{:>10}{:>12}{:>10}", "", "raw", "gzip -9", "brotli -11", "at most");
    for (name, size, bound) in &mine {
        let bound = bound.map_or_else(String::new, |bound| bound.to_string());
        println!("{name:<32}{:>10}{:>10}{:>12}{bound:>10}", size.raw, size.gzip, size.brotli);
    }
    println!("\nother trackers, of which none adds up, retries or waits for the network");
    for (name, size) in PEERS {
        println!("{name:<32}{:>10}{:>10}{:>12}", size.raw, size.gzip, size.brotli);
    }

    for (name, size, bound) in mine {
        if let Some(bound) = bound
            && size.brotli > bound
        {
            bail!("{name}: {} bytes after brotli -11, but at most {bound} are allowed", size.brotli);
        }
    }
    Ok(())
}
