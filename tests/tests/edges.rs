//! Edges apart from their collector: several processes on this machine feed one site, whatever is killed or cut meanwhile.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use headwater_core::BeaconId;
use headwater_tests::api::Api;
use headwater_tests::beacons;
use headwater_tests::measurements::{Client, Sends};
use headwater_tests::proxy::Proxy;
use headwater_tests::random::Random;
use headwater_tests::server::{Server, edge, free_port, headwater};
use serde_json::{Value, json};

const SITE: &str = "example.com";

/// Asks until it is so; fails with what is wrong after half a minute.
fn eventually(mut check: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(wrong) = check() {
        assert!(Instant::now() < deadline, "{wrong}");
        sleep(Duration::from_millis(100));
    }
}

/// Every number of the site that the answers below are made of.
fn numbers(api: &Api) -> Value {
    let ask = |dimensions: &[&str]| {
        let metrics = ["visitors", "visits", "pageviews", "events", "bounce_rate", "views_per_visit"];
        let body = json!({"site_id": SITE, "metrics": metrics, "date_range": "all", "dimensions": dimensions});
        api.query(&body)["results"].clone()
    };
    let each: [&[&str]; 8] = [
        &[],
        &["time:minute"],
        &["time:hour"],
        &["time:day"],
        &["event:page"],
        &["visit:source"],
        &["visit:entry_page"],
        &["time:minute", "event:page"],
    ];
    each.iter().map(|dimensions| ask(dimensions)).collect()
}

#[test]
fn three_edges_count_as_one() {
    let mut random = Random::from_env();
    let collector = Server::start();
    collector.add_site(SITE, &[]);
    // All in one place, to be compared with.
    let whole = Server::start();
    whole.add_site(SITE, &[]);
    let folders = [tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory")];
    let edges = folders.each_ref().map(|folder| Server::start_as(edge(collector.port), folder.path(), free_port()));
    let entrances = [&collector, &edges[0], &edges[1]].map(|server| Api::new(server.port, None));

    // 40 visitors, each seen by all three; a page load twice, as if its first answer was lost.
    let mut sent = 0;
    for visitor in 0..40 {
        let address = format!("10.1.2.{visitor}");
        for (place, entrance) in entrances.iter().enumerate() {
            let page = format!("/{place}/{}", visitor % 7);
            let id = BeaconId { load: random.bits().to_le_bytes(), seq: 0 };
            let body = beacons::body(&beacons::view(id, SITE, &page), 0);
            for api in [entrance, entrance, &whole.api().anonymous()] {
                assert_eq!(api.beacon(&address, SITE, &body).expect("an answer").status, 202);
            }
            sent += 1;
        }
    }
    let (api, expected) = (collector.api(), whole.api());
    eventually(|| {
        let (totals, all) = (api.totals(SITE, &["visitors", "pageviews"]), expected.totals(SITE, &["visitors", "pageviews"]));
        if totals == [json!(40), json!(sent)] && all == totals {
            Ok(())
        } else {
            Err(format!("{totals:?}, in one place {all:?}"))
        }
    });
    assert_eq!(numbers(&api), numbers(&expected), "bucket by bucket, the sum of the edges is the whole");
    let metrics = Api::new(edges[0].port, None).get("/metrics").expect("an answer").text;
    assert!(metrics.contains("headwater_collector_reached 1"), "{metrics}");
}

/// Four clients of an edge, each with a site of its own at the collector.
fn clients(collector: &Server, port: u16, random: &mut Random) -> Vec<Client> {
    let sends = [Sends::Event, Sends::EventWithId, Sends::Beacon, Sends::BeaconAgain];
    let client = |(i, sends): (usize, &Sends)| {
        let site = format!("client{i}.example");
        collector.add_site(&site, &[]);
        Client::new(*sends, &site, port, Random::new(random.bits())).pausing(Duration::from_millis(2))
    };
    sends.iter().enumerate().map(client).collect()
}

fn check_all(clients: &[Client], api: &Api) {
    for client in clients {
        eventually(|| client.check(api).map_err(|wrong| format!("{:?} on {}: {wrong}", client.sends, client.site)));
    }
}

#[test]
fn nothing_is_lost_or_doubled_whatever_is_killed_or_cut() {
    let mut random = Random::from_env();
    let (at_collector, at_edge) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (collector_port, edge_port) = (free_port(), free_port());
    let mut collector = Server::start_on(at_collector.path(), collector_port);
    // Both hops lose answers: requests that arrived look unanswered.
    let far = Proxy::to(collector_port, Random::new(random.bits()));
    let near = Proxy::to(edge_port, Random::new(random.bits()));
    let start_edge = || Server::start_as(edge(far.port), at_edge.path(), edge_port);
    let mut clients = clients(&collector, near.port, &mut random);
    let mut the_edge = start_edge();
    let stop = AtomicBool::new(false);

    let (collector, the_edge) = scope(|threads| {
        for client in &mut clients {
            threads.spawn(|| client.run(&stop));
        }
        near.lose(30);
        far.lose(300);
        for _ in 0..6 {
            sleep(Duration::from_millis(300 + random.below(700) as u64));
            the_edge.kill();
            the_edge = start_edge();
            sleep(Duration::from_millis(300 + random.below(700) as u64));
            collector.kill();
            sleep(Duration::from_millis(random.below(300) as u64));
            collector = Server::start_on(at_collector.path(), collector_port);
        }
        // The collector is away for longer than it takes to notice, and an edge starts meanwhile.
        far.set_down(true);
        sleep(Duration::from_secs(2));
        the_edge.kill();
        the_edge = start_edge();
        sleep(Duration::from_secs(1));
        far.set_down(false);
        near.lose(0);
        far.lose(0);
        sleep(Duration::from_millis(500));
        stop.store(true, Ordering::Relaxed);
        (collector, the_edge)
    });

    let acknowledged: usize = clients.iter().flat_map(|client| &client.acknowledged).filter(|yes| **yes).count();
    println!("{acknowledged} acknowledged");
    assert!(acknowledged > 300, "too little load to show anything");
    check_all(&clients, &collector.api());
    // SIGTERM drains the edge, and a restart of both changes nothing.
    assert!(the_edge.stop().success());
    assert!(collector.stop().success());
    let collector = Server::start_on(at_collector.path(), collector_port);
    check_all(&clients, &collector.api());
}

/// `headwater` that must succeed.
fn run(args: &[&str]) -> String {
    let output = headwater(args).output().expect("it runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_edge_restored_from_an_older_backup_counts_nothing_twice() {
    let mut random = Random::from_env();
    let collector = Server::start();
    collector.add_site(SITE, &[]);
    let link = Proxy::to(collector.port, Random::new(random.bits()));
    let folders = [tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory")];
    let port = free_port();
    let first = Server::start_as(edge(link.port), folders[0].path(), port);
    let entrance = Api::new(port, None);
    let views: Vec<Vec<u8>> = (0..35)
        .map(|n| {
            let id = BeaconId { load: random.bits().to_le_bytes(), seq: 0 };
            beacons::body(&beacons::view(id, SITE, &format!("/{n}")), 0)
        })
        .collect();
    let send = |which: std::ops::Range<usize>| {
        for (n, body) in views.iter().enumerate().take(which.end).skip(which.start) {
            assert_eq!(entrance.beacon(&format!("10.2.0.{n}"), SITE, body).expect("an answer").status, 202);
        }
    };
    let counted = |n: usize| {
        eventually(|| {
            let totals = collector.api().totals(SITE, &["visitors", "pageviews"]);
            if totals == [json!(n), json!(n)] { Ok(()) } else { Err(format!("{totals:?} instead of {n}")) }
        });
    };

    send(0..10);
    counted(10);
    // The backup holds ten that were delivered, and as the link is down ten that wait.
    link.set_down(true);
    send(10..20);
    let backup = folders[1].path().join("backup");
    run(&["backup", &backup.to_string_lossy(), "--data", &first.data().to_string_lossy()]);
    link.set_down(false);
    send(20..30);
    counted(30);
    first.kill();

    let data = folders[1].path().join("data");
    run(&["restore", &backup.to_string_lossy(), "--data", &data.to_string_lossy()]);
    let second = Server::start_as(edge(link.port), folders[1].path(), port);
    // Those that it remembers are known when they come again; those that came after the backup it can't know, and nobody
    // who was answered sends them again.
    send(0..20);
    send(30..35);
    counted(35);
    eventually(|| if second.log().contains("restored") { Ok(()) } else { Err(second.log()) });
    let rows = collector.api().events_by(SITE, "event:page");
    assert!(rows.len() == 35 && rows.iter().all(|(_, events)| *events == 1), "{rows:?}");
}

#[test]
fn a_backup_made_under_load_holds_what_was_acknowledged_before_it() {
    let mut random = Random::from_env();
    let folders = [tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory")];
    let server = Server::start_on(folders[0].path(), free_port());
    let mut clients = clients(&server, server.port, &mut random);
    let stop = AtomicBool::new(false);
    let work = |clients: &mut [Client], meanwhile: &dyn Fn()| {
        stop.store(false, Ordering::Relaxed);
        scope(|threads| {
            clients.iter_mut().for_each(|client| drop(threads.spawn(|| client.run(&stop))));
            meanwhile();
            stop.store(true, Ordering::Relaxed);
        });
    };
    work(&mut clients, &|| sleep(Duration::from_millis(700)));
    let before: Vec<usize> = clients.iter().map(|client| client.acknowledged.len()).collect();
    let backup = folders[1].path().join("backup");
    work(&mut clients, &|| {
        sleep(Duration::from_millis(200));
        run(&["backup", &backup.to_string_lossy(), "--data", &server.data().to_string_lossy()]);
        sleep(Duration::from_millis(300));
    });
    server.kill();

    run(&["restore", &backup.to_string_lossy(), "--data", &folders[1].path().join("data").to_string_lossy()]);
    let restored = Server::start_on(folders[1].path(), free_port());
    for (client, before) in clients.iter().zip(before) {
        assert!(before > 20 && client.acknowledged.len() > before, "too little load to show anything");
        eventually(|| {
            let rows = restored.api().events_by(&client.site, "event:page");
            if let Some(twice) = rows.iter().find(|(_, events)| *events != 1) {
                return Err(format!("{twice:?}"));
            }
            let missing = (0..before).find(|n| !rows.iter().any(|(page, _)| *page == client.page(*n)));
            missing.map_or(Ok(()), |n| Err(format!("{} lacks {} of {}", client.page(n), rows.len(), before)))
        });
    }
    // It counts on, and knows the tokens.
    assert_eq!(restored.api().get("/api/v1/sites").expect("an answer").status, 200);
}
