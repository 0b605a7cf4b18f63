//! Counters for `/metrics`, and how Prometheus reads them.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// The upper ends of the histogram of request durations, in seconds.
const ENDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What the collector counts of itself. The embedded edge adds its own.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Batches applied.
    pub(crate) batches_applied: AtomicU64,
    /// Batches that had been applied before.
    pub(crate) batches_repeated: AtomicU64,
    /// Batches that could not be applied now.
    pub(crate) batches_failed: AtomicU64,
    /// Partials merged into buckets.
    pub(crate) partials: AtomicU64,
    /// Partials of sites that are gone.
    pub(crate) partials_dropped: AtomicU64,
    /// Live feeds that are open.
    pub(crate) live_open: AtomicU64,
    /// By route, then by status. Written only when a pair comes for the first time.
    requests: RwLock<BTreeMap<String, BTreeMap<u16, Durations>>>,
}

#[derive(Debug, Default)]
struct Durations {
    /// Requests up to each end, not cumulative; the last is everything beyond.
    counts: [AtomicU64; ENDS.len() + 1],
    micros: AtomicU64,
}

impl Durations {
    fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let place = ENDS.iter().position(|end| seconds <= *end).unwrap_or(ENDS.len());
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Relaxed);
        }
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Metrics {
    /// Counts a request: `route` is a pattern of the router, never a path, so there are few.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        {
            let requests = self.requests.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(durations) = requests.get(route).and_then(|by_status| by_status.get(&status)) {
                return durations.add(took);
            }
        }
        let mut requests = self.requests.write().unwrap_or_else(PoisonError::into_inner);
        requests.entry(route.to_owned()).or_default().entry(status).or_default().add(took);
    }

    /// Everything, as Prometheus reads it.
    #[must_use]
    pub(crate) fn render(&self) -> Page {
        let mut page = Page::default();
        let counters = [
            ("headwater_batches_applied_total", "Batches applied.", &self.batches_applied),
            ("headwater_batches_repeated_total", "Batches that came again.", &self.batches_repeated),
            ("headwater_batches_failed_total", "Batches that have to come again.", &self.batches_failed),
            ("headwater_partials_total", "Partials merged into buckets.", &self.partials),
            ("headwater_partials_dropped_total", "Partials of sites that are gone.", &self.partials_dropped),
        ];
        for (name, help, value) in counters {
            page.counter(name, help, value.load(Relaxed));
        }
        page.gauge("headwater_live_connections", "Live feeds that are open.", self.live_open.load(Relaxed));
        self.durations(&mut page);
        page
    }

    fn durations(&self, page: &mut Page) {
        let name = "headwater_http_request_duration_seconds";
        page.head(name, "Requests by route and status.", "histogram");
        let requests = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        for (route, by_status) in &*requests {
            for (status, durations) in by_status {
                let labels = format!("route=\"{route}\",status=\"{status}\"");
                let mut sum = 0;
                for (count, end) in durations.counts.iter().zip(ENDS.iter().map(f64::to_string).chain(["+Inf".to_owned()])) {
                    sum += count.load(Relaxed);
                    page.line(format_args!("{name}_bucket{{{labels},le=\"{end}\"}} {sum}"));
                }
                let seconds = durations.micros.load(Relaxed) as f64 / 1e6;
                page.line(format_args!("{name}_sum{{{labels}}} {seconds}"));
                page.line(format_args!("{name}_count{{{labels}}} {sum}"));
            }
        }
    }
}

/// A page in the Prometheus text format.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// A number that only grows.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.line(format_args!("{name} {value}"));
    }

    /// A number that comes and goes.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        self.line(format_args!("{name} {value}"));
    }

    /// The text.
    #[must_use]
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_cumulative() {
        let metrics = Metrics::default();
        metrics.request("/b", 202, Duration::from_micros(300));
        metrics.request("/b", 202, Duration::from_millis(7));
        let text = metrics.render().into_text();
        for line in [
            "headwater_http_request_duration_seconds_bucket{route=\"/b\",status=\"202\",le=\"0.0005\"} 1",
            "headwater_http_request_duration_seconds_bucket{route=\"/b\",status=\"202\",le=\"0.01\"} 2",
            "headwater_http_request_duration_seconds_count{route=\"/b\",status=\"202\"} 2",
            "headwater_batches_applied_total 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in {text}");
        }
    }
}
