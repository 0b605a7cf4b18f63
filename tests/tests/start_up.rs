//! What keeps a server from starting has an exit code of its own, and a message that says what to do.
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use headwater_tests::server::{Server, free_port, headwater};

/// Runs `headwater serve` with arguments, which must end by itself.
fn serve(data: &Path, more: &[&str]) -> Output {
    let mut command = headwater(&["serve", "--data"]);
    command.arg(data).args(more).output().expect("it runs")
}

/// Fails unless it ended with `code` and says each of `words`.
fn ends_with(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "nothing about {word:?} in: {said}");
    }
}

#[test]
fn a_second_server_on_the_same_data_ends_with_3() {
    let first = Server::start();
    let data = first.data();
    let port = free_port().to_string();
    ends_with(&serve(&data, &["--port", &port]), 3, &[&data.display().to_string()]);
    assert_eq!(first.api().get("/healthz").expect("an answer").status, 200);
}

#[test]
fn a_database_from_a_newer_version_ends_with_4_and_is_not_touched() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start_on(folder.path(), free_port());
    let (data, port) = (server.data(), server.port.to_string());
    assert!(server.stop().success());
    let database = data.join("headwater.db");
    {
        let sqlite = rusqlite::Connection::open(&database).expect("the database");
        sqlite.pragma_update(None, "user_version", 1_000_000).expect("it can be written");
    }
    let before = std::fs::read(&database).expect("the database");
    ends_with(&serve(&data, &["--port", &port]), 4, &["newer"]);
    assert_eq!(std::fs::read(&database).expect("the database"), before);
}

#[test]
fn a_taken_port_ends_with_5() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let folder = tempfile::tempdir().expect("a temporary directory");
    ends_with(&serve(folder.path(), &["--port", &port]), 5, &[&port, "--port"]);
}

#[test]
fn settings_that_are_not_understood_end_with_2() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let port = free_port().to_string();
    ends_with(&serve(folder.path(), &["--port", "a-port"]), 2, &["--port"]);
    ends_with(&serve(folder.path(), &["--prot", &port]), 2, &["--prot"]);

    let run = |change: &dyn Fn(&mut std::process::Command)| {
        let mut command = headwater(&["serve", "--port", &port, "--data"]);
        command.arg(folder.path().join("data"));
        change(&mut command);
        command.output().expect("it runs")
    };
    ends_with(&run(&|command| _ = command.env("HEADWATER_PROT", "1")), 2, &["HEADWATER_PROT"]);
    ends_with(&run(&|command| _ = command.env("HEADWATER_ADMIN_TOKEN", "short")), 2, &["HEADWATER_ADMIN_TOKEN", "32"]);
    let settings = folder.path().join("headwater.toml");
    std::fs::write(&settings, "prot = 1\n").expect("a file of settings");
    ends_with(&run(&|command| _ = command.arg("--config").arg(&settings)), 2, &["prot"]);
}

#[test]
fn a_data_directory_that_cannot_be_made_ends_with_1() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").expect("a file");
    ends_with(&serve(&file.join("data"), &["--port", &free_port().to_string()]), 1, &["a-file"]);
}
