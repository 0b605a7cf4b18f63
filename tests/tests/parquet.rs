//! An export to Parquet, read by a reader that others wrote: it says what the export to JSON says.
use std::path::Path;
use std::process::Command;

use headwater_tests::server::{ADMIN, Server, headwater};
use serde_json::{Map, Value, json};

/// What `headwater export` writes.
fn export(data: &Path, format: &str, more: &[&str]) -> Vec<u8> {
    let mut command = headwater(&["export", "--site", "example.com", "--format", format, "--data"]);
    let output = command.arg(data).args(more).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The rows of a file as a reader in Node sees them, times as they are in JSON.
fn read(file: &Path) -> Vec<Map<String, Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("node").arg(root.join("parquet.mjs")).arg(file).output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut read: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows: Vec<Map<String, Value>> = serde_json::from_value(read["rows"].take()).expect("rows");
    assert_eq!(read["count"], rows.len());
    rows
}

#[test]
fn another_reader_finds_the_rows_of_json() {
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let api = server.api();
    assert_eq!(api.post("/api/v1/sites", &json!({"domain": "example.com"})).expect("an answer").status, 201);
    let event = |name: &str, page: &str, more: Value| {
        let mut event = json!({"n": name, "u": format!("https://example.com{page}"), "d": "example.com", "ip": "192.0.2.1",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"});
        event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        event
    };
    let events = json!([
        event("pageview", "/größe \"x\"", json!({})),
        event("pageview", "/b", json!({"p": {"plan": "pro"}})),
        event("Purchase", "/b", json!({"$": {"amount": 29.5, "currency": "EUR"}})),
        event("Purchase", "/b", json!({"$": {"amount": -3, "currency": "USD"}})),
    ]);
    assert_eq!(api.post("/api/event", &events).expect("an answer").status, 202);
    let data = server.data();
    let (file, question) = (folder.path().join("export.parquet"), "/api/v1/sites/example.com/export?format=parquet");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !String::from_utf8_lossy(&export(&data, "json", &[])).contains("Purchase") {
        assert!(std::time::Instant::now() < deadline, "the events are counted");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for more in [&[][..], &["--interval", "hour"]] {
        let expected: Vec<Map<String, Value>> = serde_json::from_slice(&export(&data, "json", more)).expect("JSON");
        std::fs::write(&file, export(&data, "parquet", more)).expect("a file");
        let rows = read(&file);
        assert_eq!(rows.len(), expected.len());
        assert!(rows.len() > 20 && rows.iter().any(|row| row["currency"] == "EUR" && row["sum"] == 29.5));
        for (row, expected) in rows.iter().zip(&expected) {
            // Times are in UTC, as this site's are.
            assert_eq!(
                row["time"].as_str().expect("a time").trim_end_matches(".000Z"),
                expected["time"].as_str().expect("a time").trim_end_matches("+00:00")
            );
            for (column, value) in row.iter().filter(|(column, _)| *column != "time") {
                let told = expected.get(column).unwrap_or(&Value::Null);
                assert_eq!((value.as_f64(), value.as_str()), (told.as_f64(), told.as_str()), "{column} of {expected:?}");
            }
        }
    }
    let mut answer = ureq::get(format!("http://127.0.0.1:{}{question}", server.port))
        .header("authorization", format!("Bearer {ADMIN}"))
        .call()
        .expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/vnd.apache.parquet");
    std::fs::write(&file, answer.body_mut().read_to_vec().expect("a file")).expect("a file");
    assert!(read(&file).iter().any(|row| row["dimension"] == "event:props:plan" && row["value"] == "pro"));
}
