//! A full disk: no event is acknowledged that is not on disk, readers go on, and when there is room again so do writers.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use headwater_tests::random::Random;
use headwater_tests::server::{Server, free_port};
use serde_json::json;

const SITE: &str = "example.com";

/// A file system in memory; unmounted when it goes out of scope.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one, if this process may.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).expect("a folder to mount on");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }

    fn resize(&self, size: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,size={size}")]).arg(&self.0).status();
        assert!(done.is_ok_and(|status| status.success()));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn nothing_acknowledged_is_lost_on_a_full_disk() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let Some(disk) = SmallDisk::mount(&folder.path().join("data"), "8m") else {
        println!("left out: only root may mount the small file system that this test fills");
        return;
    };
    let server = Server::start_on(folder.path(), free_port());
    server.add_site(SITE, &[]);
    let api = server.api().anonymous();
    let mut random = Random::from_env();
    let mut send = |n: u32| {
        let event =
            json!({"name": "pageview", "domain": SITE, "url": format!("https://example.com/page/{n}"), "id": n.to_string()});
        api.event(&random.address(), &event).expect("an answer")
    };

    // Until the disk is full, and some more.
    let (mut acknowledged, mut refused, mut n) = (Vec::new(), 0, 0);
    let start = Instant::now();
    while refused < 20 {
        n += 1;
        let answer = send(n);
        match answer.status {
            202 => acknowledged.push(format!("/page/{n}")),
            503 => {
                refused += 1;
                assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
                assert!(answer.json()["detail"].is_string(), "{}", answer.text);
            }
            status => panic!("{status} on a full disk: {}", answer.text),
        }
        assert!(start.elapsed() < Duration::from_secs(90), "{} events and the disk is not full", acknowledged.len());
    }
    println!("{} events acknowledged on 8 MB", acknowledged.len());
    assert_eq!(api.get("/healthz").expect("an answer").status, 503, "it says that it can take no events");
    assert!(!server.api().totals(SITE, &["events"]).is_empty(), "readers go on");

    disk.resize("256m");
    let start = Instant::now();
    loop {
        n += 1;
        if send(n).status == 202 {
            acknowledged.push(format!("/page/{n}"));
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "there is room again, and no event is taken");
        std::thread::sleep(Duration::from_millis(200));
    }
    let start = Instant::now();
    loop {
        let counted = server.api().events_by(SITE, "event:page");
        assert!(counted.iter().all(|(_, events)| *events == 1), "counted twice");
        let pages: std::collections::HashSet<&str> = counted.iter().map(|(page, _)| page.as_str()).collect();
        let missing = acknowledged.iter().filter(|page| !pages.contains(page.as_str())).count();
        if missing == 0 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{missing} acknowledged events are not counted");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(api.get("/healthz").expect("an answer").status, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
