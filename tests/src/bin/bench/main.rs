//! `cargo xtask bench`: Headwater beside a no-op server, in one run on one machine. The ratios are what counts: the
//! machine may be shared, and absolute figures move with it.
mod fold;
mod ingest;
mod load;
mod queries;

use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, port] = &arguments[..]
        && word == "noop"
    {
        return load::noop(port.parse().expect("a port"));
    }
    println!("Fold, one core");
    fold::bench();
    println!("\nIngest over HTTP, {} connections, the no-op in between", ingest::CONNECTIONS);
    ingest::bench();
    println!("\nQueries over HTTP, 1,000,000 events in 30 days");
    queries::bench();
}

/// The value at quantile `q` of unsorted times.
fn quantile(times: &mut [Duration], q: f64) -> Duration {
    times.sort_unstable();
    let at = (times.len().saturating_sub(1) as f64 * q) as usize;
    times.get(at).copied().unwrap_or_default()
}

/// Milliseconds with two decimals.
fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
