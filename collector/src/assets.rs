//! What browsers download, embedded and compressed by `build.rs`.

/// One file.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Where it is served.
    pub(crate) path: &'static str,
    /// Its media type.
    pub(crate) kind: &'static str,
    /// A hash of its bytes.
    pub(crate) etag: &'static str,
    /// The bytes as they are.
    pub(crate) raw: &'static [u8],
    /// The bytes compressed by brotli, if that is shorter.
    pub(crate) br: Option<&'static [u8]>,
    /// The bytes compressed by gzip, if that is shorter.
    pub(crate) gz: Option<&'static [u8]>,
}

mod embedded {
    use super::Asset;
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}

/// In place of a dashboard that was not built.
const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Headwater</title>
<h1>The dashboard is not built into this server</h1>
<p>Run <code>cargo xtask start</code> in the project's folder: it builds the tracker and the dashboard, and starts the server with both.
The API works as it is.</p></html>\n";

static PLACEHOLDER: Asset = Asset {
    path: "/dashboard/index.html",
    kind: "text/html; charset=utf-8",
    etag: "missing",
    raw: MISSING.as_bytes(),
    br: None,
    gz: None,
};

/// The file that is served at `path`.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    let found = embedded::FILES.binary_search_by(|asset| asset.path.cmp(path));
    found.ok().and_then(|index| embedded::FILES.get(index))
}

/// The dashboard's page.
pub(crate) fn dashboard() -> &'static Asset {
    find(PLACEHOLDER.path).unwrap_or(&PLACEHOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_embedded_and_there_is_always_a_page() {
        assert!(embedded::FILES.is_sorted_by(|a, b| a.path < b.path));
        let demo = find("/demo/index.html").unwrap();
        assert_eq!(demo.kind, "text/html; charset=utf-8");
        assert!(demo.br.is_some_and(|br| br.len() < demo.raw.len()) && demo.gz.is_some());
        assert!(find("/demo/../Cargo.toml").is_none());
        assert!(!dashboard().raw.is_empty());
    }
}
