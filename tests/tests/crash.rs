//! The server is killed at 50 random moments under load. What it acknowledged is counted, what is counted was sent, and
//! each measurement once; with clients that retry until they are answered, everything that was sent is counted.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use headwater_tests::measurements::{Client, Sends};
use headwater_tests::random::Random;
use headwater_tests::server::{Server, free_port};

const KILLS: usize = 50;

const CLIENTS: [Sends; 8] = [
    Sends::Event,
    Sends::EventWithId,
    Sends::Beacon,
    Sends::BeaconAgain,
    Sends::Event,
    Sends::EventWithId,
    Sends::Beacon,
    Sends::BeaconAgain,
];

#[test]
fn acknowledged_is_counted_and_counted_was_sent_over_50_kills() {
    let mut random = Random::from_env();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let port = free_port();
    let first = Server::start_on(folder.path(), port);
    let mut clients: Vec<Client> = CLIENTS
        .iter()
        .enumerate()
        .map(|(i, sends)| {
            let site = format!("client{i}.example");
            first.add_site(&site, &[]);
            Client::new(*sends, &site, port, Random::new(random.bits()))
        })
        .collect();
    let stop = AtomicBool::new(false);
    let start = Instant::now();

    let last = scope(|threads| {
        for client in &mut clients {
            threads.spawn(|| client.run(&stop));
        }
        let mut server = first;
        for _ in 0..KILLS {
            sleep(Duration::from_millis(random.below(700) as u64));
            server.kill();
            // Some are killed while they are getting up again.
            while random.below(4) == 0 {
                let unready = Server::launch_on(folder.path(), port);
                sleep(Duration::from_millis(random.below(150) as u64));
                unready.kill();
            }
            server = Server::start_on(folder.path(), port);
        }
        sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        server
    });

    let sent: usize = clients.iter().map(|client| client.acknowledged.len()).sum();
    let acknowledged: usize = clients.iter().flat_map(|client| &client.acknowledged).filter(|yes| **yes).count();
    println!("{KILLS} kills in {:.0?}: {sent} measurements sent, {acknowledged} acknowledged", start.elapsed());
    assert!(acknowledged > 2_000, "too little load to show anything");

    let api = last.api();
    for client in &clients {
        // What was acknowledged a moment ago is in queries within a second; a busy machine is given ten.
        let deadline = Instant::now() + Duration::from_secs(10);
        while let Err(wrong) = client.check(&api) {
            assert!(Instant::now() < deadline, "{:?} on {}: {wrong}", client.sends, client.site);
            sleep(Duration::from_millis(100));
        }
    }
    // And it survives being told to end: what is on disk is all there is.
    assert!(last.stop().success());
    let again = Server::start_on(folder.path(), port);
    for client in &clients {
        client.check(&again.api()).unwrap_or_else(|wrong| panic!("after a restart, {}: {wrong}", client.site));
    }
}
