//! The real Worker in workerd, run by Miniflare.
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Api;
use crate::server::ADMIN;

/// How long workerd may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Worker that listens; killed when it goes out of scope.
pub struct Workerd {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    log: PathBuf,
}

/// The project's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What keeps the tools from talking to anyone but this machine.
pub const QUIET: [(&str, &str); 5] = [
    ("WRANGLER_SEND_METRICS", "false"),
    ("WRANGLER_SEND_ERROR_REPORTS", "false"),
    ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
    ("WRANGLER_HIDE_BANNER", "true"),
    ("CI", "1"),
];

impl Workerd {
    /// Runs the Worker for a collector on `collector` with what an earlier one left in `folder`, and further settings.
    pub fn start(folder: &Path, port: u16, collector: u16, settings: &[(&str, &str)]) -> Self {
        Self::start_with(folder, port, collector, settings, "")
    }

    /// The same with a script behind the Worker's own, for faults that no request can cause.
    pub fn start_with(folder: &Path, port: u16, collector: u16, settings: &[(&str, &str)], also: &str) -> Self {
        let mut bindings: BTreeMap<&str, String> = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        bindings.insert("COLLECTOR_URL", format!("http://127.0.0.1:{collector}"));
        bindings.entry("EDGE_TOKEN").or_insert_with(|| ADMIN.to_owned());
        bindings.entry("SEAL_KEY").or_insert_with(|| "a long random text".to_owned());
        let modules = root().join("target/worker");
        assert!(modules.join("index.js").is_file(), "the Worker is not built: run `cargo xtask worker` first");
        Self::spawn(
            folder,
            port,
            &json!({"modules": modules, "port": port, "storage": folder.join("objects"), "bindings": bindings, "also": also}),
        )
    }

    /// Runs another Worker, by its script.
    pub fn script(folder: &Path, port: u16, script: &str) -> Self {
        Self::spawn(folder, port, &json!({"script": script, "port": port, "storage": folder.join("objects")}))
    }

    fn spawn(folder: &Path, port: u16, settings: &Value) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let log = folder.join("workerd.log");
        let errors = File::options().create(true).append(true).open(&log).expect("a log");
        let mut child = Command::new("node")
            .arg(root().join("tests/worker/host.mjs"))
            .arg(settings.to_string())
            .current_dir(root())
            .envs(QUIET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("node runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let start = Instant::now();
        let ready = lines.by_ref().any(|line| line.starts_with("ready "));
        let this = Self { child, port, log };
        assert!(ready && start.elapsed() < PATIENCE, "workerd is not ready: {}", this.log());
        std::thread::spawn(move || lines.for_each(drop));
        this
    }

    /// A client that is an edge's operator.
    pub fn api(&self) -> Api {
        Api::new(self.port, Some(ADMIN))
    }

    /// A client that is anyone.
    pub fn anyone(&self) -> Api {
        Api::new(self.port, None)
    }

    /// How an object is.
    pub fn status(&self, site: &str, index: u16) -> Value {
        let answer = self.api().get(&format!("/v1/edge/objects/{site}/{index}")).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGKILL for workerd, between two instructions, and for what ran it.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        for workerd in children(self.child.id()) {
            let _ = Command::new("kill").args(["-KILL", &workerd.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The most memory that workerd held so far, in bytes; 0 where the system does not say.
    pub fn peak_memory(&self) -> u64 {
        let of = |pid: u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let peak =
                status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok());
            peak.unwrap_or(0u64) * 1024
        };
        children(self.child.id()).into_iter().map(of).sum()
    }
}

/// The processes that a process has started (`proc(5)`: the fourth field of `stat`, behind the name in brackets).
fn children(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        after.split(' ').nth(1).and_then(|ppid| ppid.parse().ok()) == Some(parent)
    })
    .collect()
}

impl Drop for Workerd {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            eprintln!("workerd's log:\n{}", self.log());
        }
    }
}

/// The Worker as `wrangler dev` runs it, from wrangler.toml, its build command included; killed when it goes out of scope.
pub struct Dev {
    child: Child,
    log: PathBuf,
}

impl Dev {
    /// Starts it with its storage in `folder`, and waits until it answers.
    pub fn start(folder: &Path, port: u16, collector: u16) -> Self {
        let log = folder.join("wrangler.log");
        let file = File::create(&log).expect("a log");
        let child = Command::new("node")
            .arg(root().join("node_modules/wrangler/bin/wrangler.js"))
            .args(["dev", "--ip", "127.0.0.1", "--port", &port.to_string(), "--inspector-port", "0", "--log-level", "warn"])
            .args(["--show-interactive-dev-session", "false", "--persist-to"])
            .arg(folder.join("state"))
            .args(["--var", &format!("COLLECTOR_URL:http://127.0.0.1:{collector}")])
            .args(["--var", &format!("EDGE_TOKEN:{ADMIN}"), "--var", "SEAL_KEY:a long random text"])
            .current_dir(root())
            .envs(QUIET)
            .env("WRANGLER_LOG_PATH", folder)
            // Where a person keeps their account is none of a test's business.
            .env("XDG_CONFIG_HOME", folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("the log again"))
            .stderr(file)
            .spawn()
            .expect("node runs");
        let this = Self { child, log };
        let (api, start) = (Api::new(port, None), Instant::now());
        while !api.get("/healthz").is_ok_and(|answer| answer.status == 200) {
            assert!(start.elapsed() < 3 * PATIENCE, "wrangler is not ready: {}", this.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        this
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // The outermost first would leave the innermost without a parent, and running.
        let mut all = vec![self.child.id()];
        let mut at = 0;
        while let Some(pid) = all.get(at) {
            all.extend(children(*pid));
            at += 1;
        }
        for pid in all.iter().rev() {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
        let _ = self.child.wait();
    }
}
