//! `/t.js` and what it loads, inside the Worker. Cloudflare compresses it on the way.
use worker::{Request, Response, ResponseBuilder, Result};

/// One file. `build.rs` takes its bytes from `target/assets`.
struct Asset {
    kind: &'static str,
    etag: &'static str,
    bytes: &'static [u8],
}

/// `asset!(kind, variable, variable of the tag)`
macro_rules! asset {
    ($kind:expr, $bytes:literal, $etag:literal) => {
        Asset { kind: $kind, etag: env!($etag), bytes: include_bytes!(env!($bytes)) }
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The file at `path`.
const fn find(path: &[u8]) -> Option<Asset> {
    Some(match path {
        b"/t.js" => asset!(SCRIPT, "HEADWATER_T_JS", "HEADWATER_T_JS_ETAG"),
        b"/t.auto.js" => asset!(SCRIPT, "HEADWATER_T_AUTO_JS", "HEADWATER_T_AUTO_JS_ETAG"),
        b"/t.wasm" => asset!("application/wasm", "HEADWATER_T_WASM", "HEADWATER_T_WASM_ETAG"),
        _ => return None,
    })
}

/// As the server's: five minutes after an update every browser has it.
const CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";

/// Nobody's statistics belong in a search engine.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

/// The file at `path`, or the news that the browser has it. `None`: there is none.
pub(crate) fn answer(path: &str, request: &Request) -> Option<Result<Response>> {
    if path == "/robots.txt" {
        return Some(Response::ok(ROBOTS));
    }
    // The loader's second part. As a static asset, which does not see a query, it has a name of its own. The address is looked at as
    // text: to parse it costs 70 KB.
    let second = path == "/t.js" && request.inner().url().ends_with("auto");
    find(if second { b"/t.auto.js" } else { path.as_bytes() }).map(|asset| send(&asset, request))
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
