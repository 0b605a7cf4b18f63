//! `/t.js` and `/t.wasm`: what a page downloads, inside the Worker. Cloudflare compresses it on the way.
use worker::{Request, Response, ResponseBuilder, Result};

/// One file. `build.rs` takes it from `target/assets`.
struct Asset {
    kind: &'static str,
    etag: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: Asset = Asset {
    kind: "text/javascript; charset=utf-8",
    etag: env!("HEADWATER_T_JS_ETAG"),
    bytes: include_bytes!(env!("HEADWATER_T_JS")),
};
const WASM: Asset =
    Asset { kind: "application/wasm", etag: env!("HEADWATER_T_WASM_ETAG"), bytes: include_bytes!(env!("HEADWATER_T_WASM")) };

/// As the server's: five minutes after an update every browser has it.
const CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";

/// The file at `path`, or the news that the browser has it. `None`: there is none.
pub(crate) fn answer(path: &str, request: &Request) -> Option<Result<Response>> {
    let asset = match path {
        "/t.js" => SCRIPT,
        "/t.wasm" => WASM,
        _ => return None,
    };
    Some(send(&asset, request))
}

fn send(asset: &Asset, request: &Request) -> Result<Response> {
    if asset.bytes.is_empty() {
        return Response::error("the tracker is not built into this Worker; run `cargo xtask worker`", 503);
    }
    let etag = format!("\"{}\"", asset.etag);
    let asked = request.headers().get("if-none-match")?.unwrap_or_default();
    let has_it = asked.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag);
    let response = ResponseBuilder::new()
        .with_header("cache-control", CACHE)?
        .with_header("vary", "accept-encoding")?
        .with_header("etag", &etag)?
        .with_header("x-content-type-options", "nosniff")?
        // Pages of other sites load it, that is what it is for.
        .with_header("access-control-allow-origin", "*")?
        .with_header("cross-origin-resource-policy", "cross-origin")?;
    if has_it {
        return Ok(response.with_status(304).empty());
    }
    Ok(response.with_header("content-type", asset.kind)?.fixed(asset.bytes.to_vec()))
}
