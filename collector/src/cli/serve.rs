//! `headwater serve`
use std::net::IpAddr;
use std::path::PathBuf;

use super::DataArgs;
use crate::clock::Clock;
use crate::edge_shell::Cidr;
use crate::failure::Failure;
use crate::remote::CollectorAddress;
use crate::secret::Secret;
use crate::serve::{Options, Role, serve};
use crate::settings::FileSettings;

/// The variable with the first token. It has no flag: what is on a command line, others on the machine can read.
pub(super) const ADMIN_TOKEN: &str = "HEADWATER_ADMIN_TOKEN";

/// Run the server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
On first start it prints the administrator's token; keep it. At every start it prints a link that signs you in once.
Behind a reverse proxy that is not on this machine, name the proxy with --trusted-proxy, or every visitor has its address.
SIGTERM stops accepting requests, flushes what is waiting, and ends.

  headwater serve --role edge --collector https://stats.example.com --token TOKEN
takes events anywhere and delivers them to the server there; see docs/deploy-native.md.")]
pub(super) struct Serve {
    /// The port to listen on; 0 takes a free one [default: 8700].
    #[arg(long, env = "HEADWATER_PORT")]
    port: Option<u16>,
    /// The address to listen on; 0.0.0.0 for every network [default: 127.0.0.1].
    #[arg(long, value_name = "ADDR", env = "HEADWATER_LISTEN")]
    listen: Option<IpAddr>,
    #[command(flatten)]
    data: DataArgs,
    /// What this process does [default: all].
    #[arg(long, env = "HEADWATER_ROLE", value_name = "all|edge|collector")]
    role: Option<String>,
    /// For --role edge: the server that keeps the numbers, such as https://stats.example.com.
    #[arg(long, value_name = "URL", env = "HEADWATER_COLLECTOR")]
    collector: Option<String>,
    /// For --role edge: the token for it, with scope edge. In the environment others on the machine can't read it.
    #[arg(long, env = "HEADWATER_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Add the public site demo.localhost and serve its pages at /demo/.
    #[arg(long, env = "HEADWATER_DEMO", num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    demo: Option<bool>,
    /// Proxies whose X-Forwarded-For is believed, as addresses or ranges [default: 127.0.0.0/8,::1].
    #[arg(long, value_name = "CIDR", env = "HEADWATER_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxy: Vec<String>,
    /// Requests a minute that one visitor may send; 0 is no limit [default: 120].
    #[arg(long, value_name = "N", env = "HEADWATER_RATE_LIMIT_VISITOR")]
    rate_limit_visitor: Option<u32>,
    /// Requests a second that one site may receive; 0 is no limit [default: 10000].
    #[arg(long, value_name = "N", env = "HEADWATER_RATE_LIMIT_SITE")]
    rate_limit_site: Option<u32>,
    /// For --role edge: the longest pause, in seconds, between attempts to reach the collector [default: 300].
    #[arg(long, value_name = "N", env = "HEADWATER_RETRY_SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    retry_seconds: Option<u32>,
    /// A file in MaxMind's format that says where addresses are (GeoLite2-City.mmdb); read again when it is replaced.
    #[arg(long, value_name = "FILE", env = "HEADWATER_GEO_DB")]
    geo_db: Option<PathBuf>,
    /// What is logged: error, warn, info, debug [default: info].
    #[arg(long, value_name = "LEVEL", env = "HEADWATER_LOG")]
    log: Option<String>,
}

impl Serve {
    pub(super) fn run(self, file: &FileSettings, clock: Clock) -> Result<(), Failure> {
        let demo = self.demo.or(file.demo).unwrap_or(false);
        let role = self.role(file)?;
        if demo && !matches!(role, Role::All) {
            return Err(Failure::Usage("--demo: the demo site counts its own visits, so it needs --role all".into()));
        }
        let log = self.log.as_deref().or(file.log.as_deref()).unwrap_or("info");
        start_log(log)?;
        serve(
            Options {
                port: self.port.or(file.port).unwrap_or(8700),
                listen: self.listen.or(file.listen).unwrap_or(IpAddr::from([127, 0, 0, 1])),
                data: self.data.path(file),
                demo,
                trusted_proxies: proxies(if self.trusted_proxy.is_empty() {
                    file.trusted_proxy.as_deref()
                } else {
                    Some(&self.trusted_proxy)
                })?,
                visitor_per_minute: self.rate_limit_visitor.or(file.rate_limit_visitor).unwrap_or(120),
                site_per_second: self.rate_limit_site.or(file.rate_limit_site).unwrap_or(10_000),
                retry_seconds: self.retry_seconds.or(file.retry_seconds),
                geo_db: self.geo_db.clone().or_else(|| file.geo_db.clone()),
                admin_token: admin_token(file)?,
                role,
            },
            clock,
        )
    }

    fn role(&self, file: &FileSettings) -> Result<Role, Failure> {
        let role = self.role.as_deref().or(file.role.as_deref()).unwrap_or("all");
        let collector = self.collector.as_deref().or(file.collector.as_deref());
        match (role, collector) {
            ("all", None) => Ok(Role::All),
            ("collector", None) => Ok(Role::Collector),
            ("all" | "collector", Some(_)) => Err(Failure::Usage(format!(
                "--collector: a server with --role {role} is the collector; only --role edge needs one"
            ))),
            ("edge", Some(url)) => {
                let token = self.token.as_deref().or(file.token.as_deref()).ok_or_else(|| {
                    let how = "make one at the collector with `headwater token create --scope edge`";
                    Failure::Usage(format!("--role edge needs --token (or HEADWATER_TOKEN): {how}"))
                })?;
                let token = Secret::chosen(token)
                    .ok_or_else(|| Failure::Usage("--token: a token is 32 to 256 printable ASCII characters".into()))?;
                CollectorAddress::new(url, token).map(Role::Edge).map_err(|e| Failure::Usage(format!("--collector: {e}")))
            }
            ("edge", None) => {
                let how = "the address of the server that keeps the numbers, such as https://stats.example.com";
                Err(Failure::Usage(format!("--role edge needs --collector: {how}")))
            }
            _ => Err(Failure::Usage(format!("--role {role}: write all, edge or collector"))),
        }
    }
}

fn proxies(given: Option<&[String]>) -> Result<Vec<Cidr>, Failure> {
    let Some(given) = given else { return Ok(Cidr::LOOPBACK.to_vec()) };
    let parse = |text: &String| text.parse::<Cidr>().map_err(|e| Failure::Usage(format!("--trusted-proxy: {e}")));
    given.iter().map(parse).collect()
}

fn admin_token(file: &FileSettings) -> Result<Option<Secret>, Failure> {
    let (name, text) = match std::env::var(ADMIN_TOKEN) {
        Ok(text) => (ADMIN_TOKEN, Some(text)),
        Err(std::env::VarError::NotPresent) => ("admin-token", file.admin_token.clone()),
        Err(std::env::VarError::NotUnicode(_)) => (ADMIN_TOKEN, Some(String::new())),
    };
    let Some(text) = text else { return Ok(None) };
    let chosen = Secret::chosen(&text);
    let wrong = || {
        Failure::Usage(format!(
            "{name} must be 32 to 256 printable ASCII characters without spaces at its ends; `openssl rand -hex 32` makes one"
        ))
    };
    chosen.ok_or_else(wrong).map(Some)
}

fn start_log(level: &str) -> Result<(), Failure> {
    let filter = level
        .parse::<tracing_subscriber::EnvFilter>()
        .map_err(|e| Failure::Usage(format!("--log {level}: {e}; write error, warn, info or debug")))?;
    // A second subscriber cannot be set; only tests would try.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr).try_init();
    Ok(())
}
