//! `headwater simulate`: plays visitors against a running server and checks that every one is counted.
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_core::{Batch, NodeId, SiteId};
use headwater_query::Calendar;

use crate::clock::{Clock, instant};
use crate::failure::Failure;
use crate::settings::FileSettings;
use crate::simulate::client::{Client, ClientError};
use crate::simulate::random::Random;
use crate::simulate::visit::Visit;
use crate::simulate::{Sums, history, live};

/// How long the server has to count what it took.
const PATIENCE: Duration = Duration::from_secs(15);
/// Connections at work at once.
const PLAYERS: usize = 8;

/// Play visitors against a running server over HTTP, and check at the end that what was sent is what is counted.
///
/// With an administrator's token it also fills past days, as an edge would that was cut off: --days 30.
/// Visitors of others in the meantime show as a difference.
#[derive(Debug, clap::Args)]
pub(super) struct Simulate {
    /// The server.
    #[arg(long, env = "HEADWATER_URL", default_value = "http://127.0.0.1:8700")]
    url: String,
    /// The administrator's token; needed for --days, and to read the numbers of a site that is not public.
    #[arg(long, env = "HEADWATER_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The site to play on.
    #[arg(long, default_value = "demo.localhost")]
    site: String,
    /// How many visits are played now.
    #[arg(long, default_value_t = 200)]
    visitors: u64,
    /// How many visits begin each second.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// How many days before today are filled, up to now.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=3650))]
    days: u32,
    /// How many visits each of them has.
    #[arg(long, default_value_t = 400)]
    per_day: u64,
    /// Plays the same visitors again [default: other ones each time].
    #[arg(long)]
    seed: Option<u64>,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Simulate {
    /// Plays.
    pub(super) fn run(self, _: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let client = Client::new(&self.url, self.token.clone());
        let calendar = self.calendar(&client)?;
        let seed = match self.seed {
            Some(seed) => seed,
            None => {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes).map_err(|e| Failure::Failed(format!("no randomness: {e}")))?;
                u64::from_le_bytes(bytes)
            }
        };
        let mut random = Random::new(seed);
        // The range reaches into tomorrow: midnight may come while this plays.
        let today = calendar.date(clock.now().minute());
        let days = i64::from(self.days);
        let range = (today.plus_days(-days).to_string(), today.plus_days(1).to_string());
        let before = Sums::ask(&client, &self.site, &range.0, &range.1)?;

        let mut sent = Sums::default();
        if self.days > 0 {
            sent += self.fill(&client, &calendar, clock, &mut random)?;
        }
        sent += self.play(&client, clock, &mut random)?;
        let started = instant();
        loop {
            let counted = Sums::ask(&client, &self.site, &range.0, &range.1)? - before;
            if counted == sent || started.elapsed() > PATIENCE {
                return report(sent, counted, seed);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The site's calendar, which says when its days begin.
    fn calendar(&self, client: &Client) -> Result<Calendar, Failure> {
        // A public site tells its zone to nobody without a token; the demo's is UTC.
        let zone = match &self.token {
            Some(_) => {
                let site = client.get_json(&format!("/api/v1/sites/{}", self.site))?;
                site["timezone"].as_str().unwrap_or("UTC").to_owned()
            }
            None if self.days > 0 => return Err(Failure::Usage("--days needs --token with the administrator's token".into())),
            None => "UTC".to_owned(),
        };
        Calendar::new(&zone).map_err(|e| Failure::Failed(e.to_string()))
    }

    fn fill(&self, client: &Client, calendar: &Calendar, clock: &Clock, random: &mut Random) -> Result<Sums, Failure> {
        let facts = client.get_json(&format!("/v1/edge/sites/{}", self.site))?;
        let id = facts["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        let id = id.ok_or_else(|| Failure::Failed("the server does not say the site's number".into()))?;
        let mut node = [0; 16];
        node[..8].copy_from_slice(&random.bits().to_le_bytes());
        node[8..].copy_from_slice(&random.bits().to_le_bytes());
        let now = clock.now().minute();
        let today = calendar.date(now);
        let mut sums = Sums::default();
        for day in 0..=self.days {
            let span = calendar.day_of(today.plus_days(-i64::from(self.days - day)));
            // Weekends are quieter, and there is some growth.
            let weekday = span.start.0 / 1440 % 7;
            let share = if weekday == 2 || weekday == 3 { 60 } else { 100 };
            let visits = self.per_day * (share + u64::from(day) + random.below(20)) / 120;
            let seq = u64::from(day) + 1;
            let (partials, of_day) = history::day(SiteId(id), &self.site, span, now, visits, random);
            let batch = Batch { node: NodeId(node), seq, position: seq, partials };
            client.deliver("/v1/partials", &[("content-type", "application/octet-stream")], &batch.encode(), true)?;
            sums += of_day;
            progress("days", u64::from(day) + 1, u64::from(self.days) + 1);
        }
        Ok(sums)
    }

    fn play(&self, client: &Client, clock: &Clock, random: &mut Random) -> Result<Sums, Failure> {
        let visits: Vec<(Visit, u64)> = (0..self.visitors).map(|_| (Visit::draw(random), random.bits())).collect();
        let origin = format!("https://{}", self.site);
        let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let failed = Mutex::new(None);
        let started = instant();
        std::thread::scope(|scope| {
            for _ in 0..PLAYERS {
                scope.spawn(|| {
                    while let Some((at, (visit, seed))) = take(&next, &visits) {
                        let due = Duration::from_micros(at * 1_000_000 / self.rate);
                        std::thread::sleep(due.saturating_sub(started.elapsed()));
                        let bodies = live::beacons(visit, &self.site, &self.site, clock.now(), &mut Random::new(*seed));
                        if let Err(error) = live::send(client, visit, &origin, &bodies) {
                            failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
                            next.store(u64::MAX / 2, Ordering::Relaxed);
                            return;
                        }
                        progress("visits", done.fetch_add(1, Ordering::Relaxed) + 1, self.visitors);
                    }
                });
            }
        });
        if let Some(error) = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return Err(error.into());
        }
        let mut sums = Sums::default();
        visits.iter().for_each(|(visit, _)| sums += visit.sums());
        Ok(sums)
    }
}

fn take<'a, T>(next: &AtomicU64, of: &'a [T]) -> Option<(u64, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    of.get(usize::try_from(at).ok()?).map(|item| (at, item))
}

/// A line that is written over on a terminal, and only at each tenth and the end elsewhere.
fn progress(what: &str, done: u64, of: u64) {
    let mut err = std::io::stderr().lock();
    // Nobody can be told that telling failed.
    let _ = if err.is_terminal() {
        let end = if done >= of { "\n" } else { "" };
        write!(err, "\r{done} of {of} {what} sent{end}")
    } else if done >= of || done.is_multiple_of((of / 10).max(1)) {
        writeln!(err, "{done} of {of} {what} sent")
    } else {
        Ok(())
    };
}

fn report(sent: Sums, counted: Sums, seed: u64) -> Result<(), Failure> {
    let row = |name: &str, sent: String, counted: String| println!("{name:<10} {sent:>10} {counted:>10}");
    row("", "sent".into(), "counted".into());
    for ((name, sent), counted) in Sums::NAMES.iter().zip(sent.values()).zip(counted.values()) {
        row(name, sent.to_string(), counted.to_string());
    }
    if sent == counted {
        println!("Everything that was sent is counted, and nothing else. (--seed {seed})");
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "what was sent and what is counted differ; were there other visitors meanwhile? (--seed {seed})"
    )))
}
