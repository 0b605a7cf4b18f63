//! Who came is not written anywhere: no address, no user agent, no client's id, no query of a referrer; not in a file, not in
//! a page that SQLite has freed, not in the log.
use std::path::Path;
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_core::beacon::Str;
use headwater_tests::beacons::{body, view};
use headwater_tests::server::Server;
use serde_json::json;

const SITE: &str = "example.com";
/// Each stands for something personal, and nowhere else.
const ADDRESS: &str = "203.0.113.77";
const ADDRESS_V6: &str = "2001:db8:dead:beef:1234:5678:9abc:def0";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; Zebrafinch-Workstation) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36";
const EVENT_ID: &str = "order-of-quokka-20261122";
const SECRET: &str = "axolotl-session";

fn search(folder: &Path, needle: &[u8]) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("the data directory").map(|entry| entry.expect("an entry").path());
    let holds = |path: &Path| std::fs::read(path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|w| w == needle));
    files.filter(|path| holds(path)).map(|path| path.display().to_string()).collect()
}

#[test]
fn no_trace_of_who_it_was() {
    let server = Server::start();
    server.add_site(SITE, &[]);
    let api = server.api();
    let event = |address: &str| {
        json!({
            "name": "pageview", "domain": SITE, "url": format!("https://example.com/basket?session={SECRET}"),
            "referrer": format!("https://search.example.org/find?q={SECRET}"), "ip": address, "user_agent": AGENT, "id": format!("{EVENT_ID}{address}"),
        })
    };
    for address in [ADDRESS, ADDRESS_V6] {
        assert_eq!(api.event(address, &event(address)).expect("an answer").status, 202);
    }
    let referrer = format!("https://search.example.org/find?q={SECRET}#{SECRET}");
    let mut beacon = view(BeaconId { load: *b"whoisit?", seq: 0 }, SITE, "/from-the-browser");
    beacon.strings.push(&referrer);
    beacon.visits[0].referrer = Str(beacon.strings.len() as u16);
    let headers = [("origin", "https://example.com"), ("x-forwarded-for", ADDRESS), ("user-agent", AGENT)];
    let answer = headwater_tests::api::Api::new(server.port, None).send("/b", &body(&beacon, 5), &headers).expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.text);

    // What is allowed is there, so the search looks in the right place.
    let start = Instant::now();
    while api.totals(SITE, &["pageviews"]) != [json!(3)] {
        assert!(start.elapsed() < Duration::from_secs(10), "not counted");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!search(&server.data(), b"/from-the-browser").is_empty());
    assert!(!search(&server.data(), b"search.example.org").is_empty());

    let v6: std::net::Ipv6Addr = ADDRESS_V6.parse().expect("an address");
    let network = &v6.octets()[..8];
    let needles: [&[u8]; 8] = [
        ADDRESS.as_bytes(),
        &[203, 0, 113, 77],
        ADDRESS_V6.as_bytes(),
        network,
        b"Zebrafinch",
        EVENT_ID.as_bytes(),
        SECRET.as_bytes(),
        b"AppleWebKit",
    ];
    for needle in needles {
        let found = search(&server.data(), needle);
        assert!(found.is_empty(), "{:?} is in {found:?}", String::from_utf8_lossy(needle));
        let log = server.log();
        assert!(!log.as_bytes().windows(needle.len()).any(|w| w == needle), "in the log: {log}");
    }
}
