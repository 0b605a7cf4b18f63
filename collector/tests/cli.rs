//! The program as a script uses it: output, exit codes, and commands beside a running server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

fn headwater(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HEADWATER_")) {
        command.env_remove(name);
    }
    command.args(args);
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    headwater(args).args(["--data", dir.to_str().unwrap()]).output().unwrap()
}

fn text(output: &Output) -> (i32, String, String) {
    let utf8 = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), utf8(&output.stdout), utf8(&output.stderr))
}

/// A server on a free port, with what it printed at the start.
struct Server {
    child: Child,
    greeting: Vec<String>,
    dir: TempDir,
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = headwater(&["serve", "--port", "0", "--data", dir.path().to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting: Vec<String> = Vec::new();
        for line in lines {
            let line = line.unwrap();
            let last = line.contains("#sign-in=");
            greeting.push(line);
            if last {
                break;
            }
        }
        Self { child, greeting, dir }
    }

    fn url(&self) -> String {
        self.greeting[0].split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned()
    }

    fn token(&self) -> String {
        self.greeting[1].split_whitespace().last().unwrap().to_owned()
    }

    /// Sends SIGTERM; the exit code and the log.
    fn stop(&mut self) -> (i32, String) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let code = self.child.wait().unwrap().code().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (code, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn sites_and_tokens_are_kept_without_a_server() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("data");
    let (code, _, said) = text(&run(&dir, &["site", "list"]));
    assert_eq!(code, 1);
    assert!(said.contains("headwater site add"), "{said}");

    let (code, out, _) = text(&run(&dir, &["site", "add", "Example.com", "--timezone", "Europe/Berlin", "--public"]));
    assert_eq!(code, 0);
    assert!(out.contains("<script defer data-site=\"example.com\""), "{out}");
    let (code, _, said) = text(&run(&dir, &["site", "add", "example.com"]));
    assert_eq!(code, 1);
    assert!(said.contains("headwater site set example.com"), "{said}");
    let (_, out, _) = text(&run(&dir, &["site", "set", "example.com", "--hosts", "a.example.com,*.b.org", "--public", "false"]));
    assert!(out.contains("a.example.com, *.b.org"), "{out}");
    let (_, out, _) = text(&run(&dir, &["site", "list", "--json"]));
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(list["sites"][0]["timezone"], "Europe/Berlin");
    assert_eq!(list["sites"][0]["public"], false);

    let (_, token, _) = text(&run(&dir, &["token", "create", "--name", "grafana"]));
    assert!(token.starts_with("hw_") && token.trim().len() == 67, "only the token is on standard output");
    let (_, out, _) = text(&run(&dir, &["token", "list"]));
    assert!(out.contains("read") && out.contains("grafana") && !out.contains(token.trim()), "{out}");
    assert_eq!(text(&run(&dir, &["token", "revoke", "1"])).0, 0);
    assert_eq!(text(&run(&dir, &["token", "revoke", "1"])).0, 1);
    assert_eq!(text(&run(&dir, &["site", "remove", "example.com"])).0, 0);
    assert_eq!(text(&run(&dir, &["site", "remove", "example.com"])).0, 1);
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let mut server = Server::start();
    let folder = server.dir.path().to_owned();
    let dir = folder.as_path();
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let other = tempfile::tempdir().unwrap();
    assert_eq!(text(&run(dir, &["serve", "--port", "0"])).0, 3, "in use");
    assert_eq!(text(&run(other.path(), &["serve", "--port", &port])).0, 5, "taken");
    for args in [
        &["serve", "--port", "x"][..],
        &["serve", "--role", "edge"],
        &["serve", "--role", "edge", "--collector", "https://stats.example.com"],
        &["serve", "--role", "edge", "--collector", "stats.example.com", "--token", "0123456789abcdef0123456789abcdef"],
        &["serve", "--role", "edge", "--collector", "https://stats.example.com", "--token", "short"],
        &["serve", "--role", "collector", "--collector", "https://stats.example.com"],
        &["serve", "--role", "collector", "--demo"],
        &["serve", "--role", "everything"],
        &["serve", "--trusted-proxy", "10.0.0.0/99"],
        &["serve", "--log", "="],
        &["site", "add", "https://example.com"],
        &["site", "add", "example.com", "--timezone", "Mars/Base"],
        &["query", "--site", "example.com", "--metrics", "visiters"],
        &["nonsense"],
    ] {
        let (code, _, said) = text(&run(other.path(), args));
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(said.len() > 20, "{said}");
    }
    let short = headwater(&["serve", "--port", "0", "--data"]).arg(other.path()).env("HEADWATER_ADMIN_TOKEN", "short").output();
    assert_eq!(text(&short.unwrap()).0, 2);
    let typo = headwater(&["site", "list", "--data"]).arg(dir).env("HEADWATER_PROT", "1").output();
    assert_eq!(text(&typo.unwrap()).0, 2);
    let file = other.path().join("settings.toml");
    std::fs::write(&file, "prot = 1\n").unwrap();
    let (code, _, said) = text(&run(dir, &["site", "list", "--config", file.to_str().unwrap()]));
    assert_eq!((code, said.contains("prot")), (2, true), "{said}");

    std::fs::write(&file, format!("data = {:?}\n", dir.to_str().unwrap())).unwrap();
    let by_file = headwater(&["site", "list", "--config", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(text(&by_file).0, 0);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_newer_database_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    assert_eq!(text(&run(temporary.path(), &["site", "add", "example.com"])).0, 0);
    let raw = rusqlite::Connection::open(temporary.path().join("headwater.db")).unwrap();
    raw.pragma_update(None, "user_version", 1_000).unwrap();
    drop(raw);
    for args in [&["serve", "--port", "0"][..], &["site", "list"]] {
        let (code, _, said) = text(&run(temporary.path(), args));
        assert_eq!(code, 4, "{said}");
    }
}

#[test]
fn commands_work_beside_a_running_server_and_over_http() {
    let mut server = Server::start();
    let folder = server.dir.path().to_owned();
    let dir = folder.as_path();
    assert_eq!(text(&run(dir, &["site", "add", "example.com"])).0, 0);
    let (_, reader, _) = text(&run(dir, &["token", "create"]));

    let url = server.url();
    let event = "{\"n\":\"pageview\",\"u\":\"https://example.com/a\",\"d\":\"example.com\"}";
    let post = |token: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{url}/api/event")).header("authorization", format!("Bearer {token}"));
        request
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .send(event)
            .unwrap()
            .status()
    };
    assert_eq!(post(&server.token()), 202, "the site is known at once");
    std::thread::sleep(std::time::Duration::from_millis(1_000));
    let question =
        ["query", "--site", "example.com", "--metrics", "pageviews", "--date-range", "24h", "--dimensions", "event:page"];
    let (code, direct, _) = text(&run(dir, &question));
    assert_eq!((code, direct.as_str()), (0, "event:page  pageviews\n/a                  1\n"));
    let remote = headwater(&question).args(["--url", &url, "--token", reader.trim()]).output().unwrap();
    assert_eq!(text(&remote).1, direct);
    let refused = headwater(&question).args(["--url", &url, "--token", "hw_wrong"]).output().unwrap();
    assert_eq!(text(&refused).0, 1);

    // What was acknowledged is counted, however soon the server stops.
    assert_eq!(post(&server.token()), 202);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains(&server.token()) && !log.contains(reader.trim()), "no token in the log");
    assert_eq!(text(&run(server.dir.path(), &question)).1, "event:page  pageviews\n/a                  2\n");
}

#[test]
fn an_access_log_is_imported_beside_a_server_and_over_http() {
    let mut server = Server::start();
    let folder = server.dir.path().to_owned();
    let dir = folder.as_path();
    for site in ["example.com", "example.org"] {
        assert_eq!(text(&run(dir, &["site", "add", site])).0, 0);
    }
    let log = dir.join("access.log");
    let line = |minute: u32, target: &str| {
        format!(
            "10.0.0.1 - - [01/Jun/2026:10:{minute:02}:00 +0000] \"GET {target} HTTP/1.1\" 200 9 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\"\n"
        )
    };
    let lines = [line(0, "/"), line(0, "/style.css"), line(1, "/pricing"), "nonsense\n".to_owned()].concat();
    std::fs::write(&log, lines).unwrap();
    let log = log.to_str().unwrap();
    let (code, out, said) = text(&run(dir, &["import", "--site", "example.com", log, "--json"]));
    assert_eq!(code, 0, "{said}");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&told["lines"], &told["counted"], &told["left"]["assets"], &told["malformed"]),
        (&4.into(), &2.into(), &1.into(), &1.into())
    );
    assert_eq!(told["examples"][0], "access.log:4: no time in [brackets]");
    let (url, token) = (server.url(), server.token());
    let remote = |args: &[&str]| text(&headwater(args).args(["--url", &url, "--token", &token]).output().unwrap());
    // Counted already, whoever asks.
    let (code, out, said) = remote(&["import", "--site", "example.com", log]);
    assert_eq!(code, 0, "{said}");
    let number = |what: &str| out.lines().find(|line| line.starts_with(what)).unwrap().split_whitespace().last().unwrap();
    assert_eq!((number("page views counted"), number("counted before")), ("0", "2"), "{out}");
    assert_eq!(remote(&["import", "--site", "example.org", log]).0, 0);
    for site in ["example.com", "example.org"] {
        let question = ["query", "--site", site, "--metrics", "visitors,visits,pageviews,bounce_rate", "--date-range", "all"];
        let expected =
            "visitors  visits  pageviews  bounce_rate\n       1       1          2            0\nvisitors are counted per day\n";
        assert_eq!(remote(&question).1, expected);
        assert_eq!(text(&run(dir, &question)).1, expected);
    }
    fn export<'a>(args: &[&'a str]) -> Vec<&'a str> {
        [&["export", "--site", "example.com"], args].concat()
    }
    let (code, local, _) = text(&run(dir, &export(&[])));
    assert_eq!(code, 0);
    assert_eq!(remote(&export(&["--date-range", "all"])).1, local);
    assert!(
        local.starts_with("time,dimension,value,visitors,") && local.contains("2026-06-01T00:00:00+00:00,,,1,1,0,2,1,2,"),
        "{local}"
    );
    let file = dir.join("export.json");
    let (code, out, _) = text(&run(dir, &export(&["--format", "json", "--output", file.to_str().unwrap()])));
    assert_eq!((code, out.as_str()), (0, ""));
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(rows.len() + 1, local.lines().count());
    assert_eq!(text(&run(dir, &export(&["--date-range", "yesterday"]))).0, 2);
    assert_eq!(remote(&export(&["--date-range", "yesterday"])).0, 2);
    assert_eq!(remote(&["import", "--site", "nowhere.example", log]).0, 1);
    assert_eq!(text(&run(dir, &["import", "--site", "example.com", "nowhere.log"])).0, 1);
    std::fs::write(dir.join("other.log"), "nonsense\n").unwrap();
    let (code, _, said) = text(&run(dir, &["import", "--site", "example.com", dir.join("other.log").to_str().unwrap()]));
    assert!(code == 1 && said.contains("combined"), "{said}");
    server.stop();
}

#[test]
fn an_export_of_plausible_is_imported_listed_and_removed_beside_a_server_and_over_http() {
    let mut server = Server::start();
    let folder = server.dir.path().to_owned();
    let dir = folder.as_path();
    for site in ["example.com", "example.org"] {
        assert_eq!(text(&run(dir, &["site", "add", site])).0, 0);
    }
    let export = dir.join("export");
    std::fs::create_dir(&export).unwrap();
    let days = "date,visitors,pageviews,bounces,visits,visit_duration\n2024-03-01,10,30,4,12,600\n2024-03-02,5,9,2,6,120\n";
    std::fs::write(export.join("imported_visitors_20240301_20240302.csv"), days).unwrap();
    let export = export.to_str().unwrap();
    let (url, token) = (server.url(), server.token());
    let remote = |args: &[&str]| text(&headwater(args).args(["--url", &url, "--token", &token]).output().unwrap());
    let local = |args: &[&str]| text(&run(dir, args));
    for (site, ask) in [("example.com", &local as &dyn Fn(&[&str]) -> (i32, String, String)), ("example.org", &remote)] {
        let counted = |args: &[&str]| {
            let (code, out, said) = ask(&[&["import", "--json", "--site", site, export], args].concat());
            assert_eq!(code, 0, "{said}");
            let told: serde_json::Value = serde_json::from_str(&out).unwrap();
            ["counted", "before", "late"].map(|name| told[name].as_u64().unwrap())
        };
        assert_eq!(counted(&["--until", "2024-03-01"]), [1, 0, 1]);
        assert_eq!(counted(&[]), [1, 1, 0]);
        assert_eq!(counted(&[]), [0, 2, 0]);
        let question = ["query", "--site", site, "--metrics", "visitors,pageviews", "--date-range", "all"];
        let (code, out, _) = ask(&question);
        assert_eq!((code, out.lines().nth(1)), (0, Some("      15         39")));
        let (_, list, _) = ask(&["import", "list", "--site", site]);
        let ids: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(ids.len(), 2, "{list}");
        assert_eq!(ask(&["import", "remove", "--site", site, ids[0]]).0, 0);
        assert_eq!(ask(&["import", "remove", "--site", site, ids[0]]).0, 1);
        assert_eq!(ask(&question).1.lines().nth(1), Some("       5          9"));
        std::fs::write(dir.join("other.csv"), "date,visitors\n").unwrap();
    }
    assert_eq!(local(&["import", "--site", "example.com", "--replace", dir.join("other.csv").to_str().unwrap()]).0, 2);
    assert_eq!(local(&["import"]).0, 2);
    server.stop();
}

#[test]
fn people_are_invited_and_given_roles_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(text(&run(dir, &["site", "add", "example.com"])).0, 0);
    let ada = ["person", "add", "Ada@example.com", "--name", "Ada"];
    let (code, link, _) = text(&run(dir, &ada));
    assert_eq!((code, link.starts_with("/#invitation=hw_"), link.lines().count()), (0, true, 1), "{link}");
    assert_eq!(text(&run(dir, &ada)).0, 1, "she is there already");
    let role = |role: &str| text(&run(dir, &["person", "add", "ada@example.com", "--site", "example.com", "--role", role]));
    assert_eq!(role("viewer"), (0, "ada@example.com has the role.\n".into(), String::new()));
    assert_eq!(role("owner").0, 0);
    assert_eq!(role("king").0, 2);
    let (code, link, _) = text(&run(dir, &["person", "add", "bo@example.com", "--site", "example.com", "--role", "editor"]));
    assert!(code == 0 && link.starts_with("/#invitation="), "who is new is invited: {link}");
    let list = || text(&run(dir, &["person", "list"])).1;
    assert!(list().contains("ada@example.com  Ada   owner of example.com, invited"), "{}", list());
    let json: serde_json::Value = serde_json::from_str(&text(&run(dir, &["person", "list", "--json"])).1).unwrap();
    assert_eq!(json["people"][1]["roles"], serde_json::json!({"example.com": "editor"}));

    let (_, another, _) = text(&run(dir, &["person", "invite", "bo@example.com"]));
    assert_ne!(another, link);
    for (args, code) in [
        (&["person", "remove", "bo@example.com", "--site", "example.com"][..], 0),
        (&["person", "remove", "bo@example.com", "--site", "example.com"], 1),
        (&["person", "remove", "bo@example.com"], 0),
        (&["person", "remove", "bo@example.com"], 1),
        (&["person", "add", "x@example.com", "--site", "other.example", "--role", "viewer"], 1),
        (&["person", "add", "no address"], 2),
    ] {
        assert_eq!(text(&run(dir, args)).0, code, "{args:?}");
    }
    assert!(!list().contains("bo@") && !list().contains("x@"), "{}", list());
}
