//! A real `headwater serve` on a free port with a data directory of its own, killed when it goes out of scope.
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::api::Api;

/// The administrator's token of every server under test.
pub const ADMIN: &str = "test-administrator-token-0123456789";
/// How long a server may take to be ready, and to end after it was told to.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary under test: `HEADWATER_BIN`, or the one that `cargo build --release` writes.
pub fn binary() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/headwater");
    let path = std::env::var_os("HEADWATER_BIN").map_or_else(built, PathBuf::from);
    assert!(path.is_file(), "{} is not there: run `cargo build --release --package headwater-collector` first", path.display());
    path
}

/// `headwater` with arguments, and nothing of this process's settings.
pub fn headwater(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HEADWATER_")) {
        command.env_remove(name);
    }
    command.args(args).env("HEADWATER_ADMIN_TOKEN", ADMIN);
    command
}

/// `headwater serve --role edge` for the collector on a port, without a limit for one visitor.
pub fn edge(collector: u16) -> Command {
    let url = format!("http://127.0.0.1:{collector}");
    let mut command = headwater(&["serve", "--role", "edge", "--collector", &url, "--rate-limit-visitor", "0"]);
    command.env_remove("HEADWATER_ADMIN_TOKEN").env("HEADWATER_TOKEN", ADMIN);
    command
}

/// The same command with a clock that is so many seconds ahead (libfaketime). Debian's `faketime` starts a process and waits
/// for it, so what it would set is set here: the one that is started is the one that is killed.
pub fn ahead(mut command: Command, seconds: u64) -> Command {
    let asked = Command::new("faketime").args(["-m", "-f", "+1s", "printenv", "LD_PRELOAD"]).output();
    let library = String::from_utf8(asked.expect("faketime runs").stdout).expect("a path");
    command.env("LD_PRELOAD", library.trim()).env("FAKETIME", format!("+{seconds}s")).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    folder: Folder,
}

/// The server's data directory and log.
enum Folder {
    /// Removed with the server.
    Own(TempDir),
    /// The test's.
    Given(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Given(path) => path,
        }
    }
}

impl Server {
    /// Starts a server with an empty data directory and waits until it is ready.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        Self::spawn(headwater(&["serve"]), free_port(), Folder::Own(folder)).ready()
    }

    /// Starts a server on what an earlier one left in `folder`, and waits until it is ready.
    pub fn start_on(folder: &Path, port: u16) -> Self {
        Self::start_as(headwater(&["serve"]), folder, port)
    }

    /// As [`Server::start_on`], by a command of the test's own; `--port` and `--data` are added to it.
    pub fn start_as(command: Command, folder: &Path, port: u16) -> Self {
        Self::spawn(command, port, Folder::Given(folder.to_owned())).ready()
    }

    /// As [`Server::start_on`], without waiting: it may be killed while it is still getting up.
    pub fn launch_on(folder: &Path, port: u16) -> Self {
        Self::spawn(headwater(&["serve"]), port, Folder::Given(folder.to_owned()))
    }

    fn spawn(mut command: Command, port: u16, folder: Folder) -> Self {
        let log = File::options().create(true).append(true).open(folder.path().join("server.log")).expect("a log");
        let child = command
            .arg("--port")
            .arg(port.to_string())
            .arg("--data")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log again"))
            .stderr(log)
            .spawn()
            .expect("the server starts");
        Self { child, port, folder }
    }

    /// Waits until it takes requests.
    pub fn ready(mut self) -> Self {
        let api = self.api();
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("its state") {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            if api.get("/readyz").is_ok_and(|answer| answer.status == 200) {
                return self;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the server is not ready after {PATIENCE:?}:\n{}", self.log());
    }

    /// A client with the administrator's token.
    pub fn api(&self) -> Api {
        Api::new(self.port, Some(ADMIN))
    }

    /// Adds a site whose pages are on `hosts` (by default, on its own domain).
    pub fn add_site(&self, domain: &str, hosts: &[&str]) {
        let mut site = serde_json::json!({"domain": domain});
        if !hosts.is_empty() {
            site["hosts"] = hosts.into();
        }
        let answer = self.api().post("/api/v1/sites", &site).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// The most memory that the process held so far, in bytes; 0 where the system does not say (`proc(5)`, VmHWM).
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kib =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }

    /// See [`cpu_milliseconds`].
    pub fn cpu_milliseconds(&self) -> f64 {
        cpu_milliseconds(self.child.id())
    }

    /// SIGKILL: the process ends between two instructions.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM: the server drains and ends by itself.
    pub fn stop(mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill(1) runs");
        assert!(sent.success());
        wait(&mut self.child)
    }
}

/// Waits for a process that ends by itself.
pub fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("its state") {
            return status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("it does not end");
        }
        sleep(Duration::from_millis(10));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("The server's log:\n{}", self.log());
        }
    }
}

/// How long a process was at work so far, in milliseconds of all cores, in steps of ten; 0 where the system does not
/// say (`proc(5)`, utime and stime, 100 ticks a second).
pub fn cpu_milliseconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold blanks; fields are counted from 3 after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) * 10.0
}
