//! `cargo xtask bench`: Headwater beside the floor of this machine, in one run, so that the ratios mean something.
//!
//! The floor is an axum endpoint that reads the body and answers 202. Absolute figures depend on the machine and on what
//! else it does; compare the ratios.
mod dashboard;
mod fold;
mod latency;
mod month;
mod noop;
mod throughput;
mod tracker;
mod worker;

fn main() {
    const PARTS: [(&str, fn()); 7] = [
        ("throughput", throughput::print),
        ("latency", latency::print),
        ("fold", fold::print),
        ("queries", month::print),
        ("dashboard", dashboard::print),
        ("tracker", tracker::print),
        ("worker", worker::print),
    ];
    let mut words = std::env::args().skip(1);
    let part = words.next();
    if part.as_deref() == Some("noop") {
        noop::serve(words.next().and_then(|port| port.parse().ok()).expect("a port"));
        return;
    }
    if let Some(unknown) = part.as_deref().filter(|part| PARTS.iter().all(|(name, _)| name != part)) {
        eprintln!("there is no part {unknown:?}; there are {}", PARTS.map(|(name, _)| name).join(", "));
        std::process::exit(2);
    }
    for (_, print) in PARTS.iter().filter(|(name, _)| part.as_deref().is_none_or(|part| part == *name)) {
        print();
    }
}

/// The value below which `share` of the sorted values are.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Milliseconds that `work` takes.
fn milliseconds(work: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1000.0
}
