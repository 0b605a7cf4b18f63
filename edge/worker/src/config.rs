//! The settings of the Worker: variables and secrets, see docs/deploy-workers.md.
use headwater_edge::flush::LONGEST;
use worker::Env;

/// The binding of the Durable Objects.
pub(crate) const OBJECTS: &str = "INBOX";

/// What is set.
pub(crate) struct Config {
    /// Where the collector is, without a slash at the end.
    pub(crate) collector: String,
    /// The token for it.
    pub(crate) token: String,
    /// What the facts of sites are sealed under; the token if it is not set.
    seal: Option<String>,
    /// Requests a minute of one visitor; 0 is no limit.
    pub(crate) visitor_per_minute: u32,
    /// Requests a second for one site; 0 is no limit.
    pub(crate) site_per_second: u32,
    /// From the first waiting record to its fold, in milliseconds.
    pub(crate) flush_after: u64,
    /// The longest pause between two attempts to reach the collector, in milliseconds.
    pub(crate) longest_pause: u64,
    /// How many bytes of records may wait in one object.
    pub(crate) most_waiting: u64,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the one that is missing or not understood.
    pub(crate) fn read(env: &Env) -> Result<Self, String> {
        let text = |name: &str| env.var(name).map(|value| value.to_string()).ok().filter(|value| !value.is_empty());
        let number = |name: &str, default: u64| match text(name) {
            None => Ok(default),
            Some(value) => value.parse().map_err(|_| format!("{name}: a whole number, not {value:?}")),
        };
        let small = |name: &str, default| Ok::<_, String>(u32::try_from(number(name, default)?).unwrap_or(u32::MAX));
        let collector =
            text("COLLECTOR_URL").ok_or("COLLECTOR_URL: the address of the collector, as in https://stats.example.com")?;
        Ok(Self {
            collector: collector.trim_end_matches('/').to_owned(),
            token: text("EDGE_TOKEN").ok_or("EDGE_TOKEN: a token with scope edge, as a secret")?,
            seal: text("SEAL_KEY"),
            visitor_per_minute: small("RATE_LIMIT_VISITOR", 120)?,
            site_per_second: small("RATE_LIMIT_SITE", 10_000)?,
            flush_after: number("FLUSH_AFTER_MS", 4000)?.clamp(1, 60_000),
            longest_pause: number("RETRY_SECONDS", LONGEST / 1000)?.clamp(1, 3600) * 1000,
            most_waiting: number("INBOX_MB", 1024)?.max(1) << 20,
        })
    }

    /// The key that facts are sealed under.
    pub(crate) fn seal_key(&self) -> [u8; 32] {
        blake3::derive_key("headwater 2026 worker seal of site facts", self.seal.as_ref().unwrap_or(&self.token).as_bytes())
    }
}
