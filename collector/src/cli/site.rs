//! `headwater site …`
use clap::{Subcommand, ValueEnum};
use headwater_edge::Identity;
use headwater_query::Calendar;

use super::DataArgs;
use super::table::table;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::FileSettings;
use crate::site::{Domain, HostRule, Site, SiteView};
use crate::store::StoreError;
use crate::store::sites::{self, NewSite, SiteChange};

/// What can be done with sites.
#[derive(Debug, Subcommand)]
pub(super) enum SiteCommand {
    /// Add a site, and print the tag for its pages.
    Add {
        /// The site's name, such as example.com.
        domain: Domain,
        /// The IANA zone whose midnight ends the site's days.
        #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
        timezone: Calendar,
        /// How visitors are told apart: by address and browser within a day or a month, or by a random id that the
        /// browser keeps (only with your visitors' consent).
        #[arg(long, default_value = "day")]
        identity: IdentityWord,
        /// Hosts that may send events: shop.example.com, *.example.com, or * [default: the domain and its subdomains].
        #[arg(long, value_name = "A,B", value_delimiter = ',')]
        hosts: Vec<HostRule>,
        /// Let anyone read its numbers.
        #[arg(long)]
        public: bool,
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the sites.
    List {
        /// As JSON, in the form of GET /api/v1/sites.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Change a site. A new zone or identity takes effect at the site's next midnight; what is counted stays.
    Set {
        /// The site's name.
        domain: Domain,
        /// The IANA zone whose midnight ends the site's days.
        #[arg(long, value_name = "ZONE", value_parser = zone)]
        timezone: Option<Calendar>,
        /// How visitors are told apart.
        #[arg(long)]
        identity: Option<IdentityWord>,
        /// Hosts that may send events, all of them; an empty list means the domain and its subdomains.
        #[arg(long, value_name = "A,B")]
        hosts: Option<String>,
        /// Whether anyone may read its numbers.
        #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
        public: Option<bool>,
        /// On how many objects an edge on Workers spreads the site; one takes some hundred requests a second.
        #[arg(long, value_name = "1-256", value_parser = clap::value_parser!(u16).range(1..=256))]
        shards: Option<u16>,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Remove a site and everything that was counted for it.
    Remove {
        /// The site's name.
        domain: Domain,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// The identities as words of the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum IdentityWord {
    /// Address and browser, within one day.
    Day,
    /// Address and browser, within one month.
    Month,
    /// A random id that the browser keeps.
    Device,
}

impl From<IdentityWord> for Identity {
    fn from(word: IdentityWord) -> Self {
        match word {
            IdentityWord::Day => Self::Day,
            IdentityWord::Month => Self::Month,
            IdentityWord::Device => Self::Device,
        }
    }
}

fn zone(name: &str) -> Result<Calendar, String> {
    Calendar::new(name).map_err(|e| e.to_string())
}

impl SiteCommand {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let now = clock.now();
        match self {
            Self::Add { domain, timezone, identity, hosts, public, data } => {
                let new = NewSite { domain, calendar: timezone, identity: identity.into(), hosts, public };
                let site = data.open_or_create(file)?.write_now(|tx| sites::add(tx, &new, now))?;
                println!("Added {}. Put this into its pages:", site.domain);
                println!("  <script defer data-site=\"{}\" src=\"https://YOUR-SERVER/t.js\"></script>", site.domain);
            }
            Self::List { json, data } => {
                let sites = data.open(file)?.read_now(|tx| sites::list(tx))?;
                let views: Vec<SiteView> = sites.iter().map(|site| site.view(now)).collect();
                if json {
                    println!("{}", serde_json::json!({ "sites": views }));
                } else {
                    super::print(&list(&views));
                }
            }
            Self::Set { domain, timezone, identity, hosts, public, shards, data } => {
                let hosts = hosts.as_deref().map(host_rules).transpose()?;
                let identity = identity.map(Into::into);
                let change = SiteChange { calendar: timezone, identity, hosts, public, shards, retention: None };
                let site: Site = data.open(file)?.write_now(|tx| sites::change(tx, domain.as_str(), &change, now))?;
                let view = site.view(now);
                super::print(&list(std::slice::from_ref(&view)));
                if let Some(next) = view.next {
                    println!("From {}: {}, identity {}.", next.from, next.timezone, crate::site::identity_name(next.identity));
                }
            }
            Self::Remove { domain, data } => {
                let store = data.open(file)?;
                store.write_now(|tx| sites::remove(tx, domain.as_str()))?;
                truncate(&store)?;
                println!("Removed {domain} and everything that was counted for it.");
            }
        }
        Ok(())
    }
}

/// What was removed leaves the log, too; a reader at work leaves that to the server.
fn truncate(store: &crate::store::Store) -> Result<(), Failure> {
    match store.truncate_log() {
        Ok(()) | Err(StoreError::Busy) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn host_rules(list: &str) -> Result<Vec<HostRule>, Failure> {
    let rules = list.split(',').map(str::trim).filter(|rule| !rule.is_empty());
    rules.map(|rule| rule.parse().map_err(|e: crate::site::InvalidHost| Failure::Usage(format!("--hosts: {e}")))).collect()
}

fn list(views: &[SiteView]) -> String {
    let row = |view: &SiteView| {
        let hosts = if view.hosts.is_empty() { format!("{0}, *.{0}", view.domain) } else { view.hosts.join(", ") };
        let public = if view.public { "yes" } else { "no" };
        let identity = crate::site::identity_name(view.identity);
        vec![view.domain.clone(), view.timezone.clone(), identity.to_owned(), public.to_owned(), hosts]
    };
    let rows: Vec<Vec<String>> = views.iter().map(row).collect();
    table(&["DOMAIN", "TIMEZONE", "IDENTITY", "PUBLIC", "HOSTS"], &rows, |_| false)
}
