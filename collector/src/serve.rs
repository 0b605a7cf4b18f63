//! Running a server: from the lock to the last flush.
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use headwater_core::Millis;
use headwater_edge::Identity;
use headwater_query::Calendar;
use rusqlite::Transaction;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::{App, Welcome};
use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::edge_server::EdgeServer;
use crate::edge_shell::{Cidr, EdgeConfig};
use crate::failure::Failure;
use crate::geo::GeoDb;
use crate::remote::CollectorAddress;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::sites::{self, NewSite, SiteError};
use crate::tasks;

/// How long requests that are under way may take after SIGTERM, and then the inbox to empty itself.
const DRAIN: Duration = Duration::from_secs(10);
/// The site that `--demo` adds.
const DEMO: &str = "demo.localhost";

/// How a server runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The address.
    pub listen: IpAddr,
    /// The data directory.
    pub data: PathBuf,
    /// Whether there is a demo site.
    pub demo: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Requests a minute of one visitor; 0 is no limit.
    pub visitor_per_minute: u32,
    /// Requests a second for one site; 0 is no limit.
    pub site_per_second: u32,
    /// The longest pause between attempts to reach the collector; otherwise five minutes.
    pub retry_seconds: Option<u32>,
    /// The file that says where addresses are.
    pub geo_db: Option<PathBuf>,
    /// The first token; otherwise one is made.
    pub admin_token: Option<Secret>,
    /// What it does.
    pub role: Role,
}

/// What a server does.
#[derive(Clone, Debug)]
pub enum Role {
    /// Everything.
    All,
    /// Takes events and delivers them to a collector elsewhere.
    Edge(CollectorAddress),
    /// Everything but taking events: these come through edges elsewhere.
    Collector,
}

impl Options {
    /// A server for tests: nothing but a directory, any port.
    #[must_use]
    pub fn in_dir(data: impl Into<PathBuf>) -> Self {
        Self {
            port: 0,
            listen: IpAddr::from([127, 0, 0, 1]),
            data: data.into(),
            demo: false,
            trusted_proxies: Cidr::LOOPBACK.to_vec(),
            visitor_per_minute: 120,
            site_per_second: 10_000,
            retry_seconds: None,
            geo_db: None,
            admin_token: None,
            role: Role::All,
        }
    }

    /// How its edge runs.
    ///
    /// # Errors
    /// `Usage` if the file of places can't be used.
    pub(crate) fn edge_config(&self) -> Result<EdgeConfig, Failure> {
        let geo = self.geo_db.as_deref().map(GeoDb::watched).transpose();
        let defaults = EdgeConfig::new(self.data.clone());
        Ok(EdgeConfig {
            geo: geo.map_err(|error| Failure::Usage(format!("--geo-db: {error}")))?,
            trusted_proxies: self.trusted_proxies.clone(),
            visitor_per_minute: self.visitor_per_minute,
            site_per_second: self.site_per_second,
            longest_pause: self.retry_seconds.map_or(defaults.longest_pause, |seconds| Duration::from_secs(seconds.into())),
            ..defaults
        })
    }
}

/// Runs a server until it is told to stop.
///
/// # Errors
/// See [`Failure`].
pub(crate) fn serve(options: Options, clock: Clock) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Failed(format!("cannot start threads: {e}")))?;
    runtime.block_on(run(options, clock))
}

async fn run(options: Options, clock: Clock) -> Result<(), Failure> {
    let _lock = DataDir::create(&options.data)?.lock()?;
    // Before anything is printed that is printed only once.
    let address = SocketAddr::new(options.listen, options.port);
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
    let address = listener.local_addr().unwrap_or(address);
    if let Role::Edge(collector) = &options.role {
        let edge = EdgeServer::open(&options, collector.clone(), clock)?;
        println!("Headwater's edge listens on http://{}\n  Delivers to {}", shown(address), collector.url());
        let duty = tokio::spawn(edge.clone().refresh());
        until_stopped(listener, edge.router(), &edge.stopping).await?;
        let _ = duty.await;
        edge.drain(DRAIN).await;
    } else {
        let app = App::open(options, clock)?;
        greet(&app.welcome()?, address, app.options.demo);
        let duties = tasks::start(&app);
        until_stopped(listener, app.router(), &app.stopping).await?;
        for duty in duties {
            let _ = duty.await;
        }
        app.drain(DRAIN).await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Answers requests until SIGTERM, and then for a while those that are under way.
async fn until_stopped(listener: TcpListener, router: Router, stopping: &watch::Sender<bool>) -> Result<(), Failure> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stop = stopping.clone();
    let server = axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |tcp| {
            // Answers are small and somebody waits for each.
            let _ = tcp.set_nodelay(true);
        }),
        service,
    )
    .with_graceful_shutdown(async move {
        stopped().await;
        tracing::info!("stopping: finishing requests, then flushing what is waiting");
        stop.send_replace(true);
    });
    let mut told = stopping.subscribe();
    tokio::select! {
        ended = async { server.await } => ended.map_err(|e| Failure::Failed(format!("the server stopped: {e}")))?,
        () = async {
            let _ = told.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(DRAIN).await;
        } => tracing::warn!("some requests did not end in {} seconds and were cut off", DRAIN.as_secs()),
    }
    stopping.send_replace(true);
    Ok(())
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return Failure::PortTaken(format!("{address} is taken by another program; choose another port with --port"));
    }
    Failure::Failed(format!("cannot listen on {address}: {error}; choose another with --listen and --port"))
}

/// SIGTERM, or Ctrl-C.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}

/// The address as a browser on this machine reaches it.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() }
}

/// What a start says: on standard output, not in the log, for it holds secrets.
fn greet(welcome: &Welcome, address: SocketAddr, demo: bool) {
    let shown = shown(address);
    let mut text = format!("Headwater listens on http://{shown}\n");
    if let Some(token) = &welcome.token {
        text.push_str(&format!("  Administrator's token, shown only now: {}\n", token.reveal()));
    }
    text.push_str(&format!("  Sign in (works once, for a day): http://{shown}/#sign-in={}\n", welcome.link.reveal()));
    if demo {
        text.push_str(&format!("  Demo site: http://{shown}/demo/ and its numbers: http://{shown}/{DEMO}\n"));
    }
    let mut out = std::io::stdout().lock();
    // Nobody may be reading.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Adds the demo site if it is not there.
pub(crate) fn add_demo(tx: &Transaction<'_>, now: Millis) -> Result<(), StoreError> {
    let hosts = [DEMO, "localhost", "127.0.0.1"].map(str::parse).into_iter().collect::<Result<_, _>>();
    let (Ok(domain), Ok(hosts)) = (DEMO.parse(), hosts) else {
        return Err(StoreError::Corrupt("the name of the demo site".into()));
    };
    let demo = NewSite { domain, calendar: Calendar::utc(), identity: Identity::Day, hosts, public: true };
    match sites::add(tx, &demo, now) {
        Ok(_) | Err(SiteError::Exists(_) | SiteError::Unknown(_)) => Ok(()),
        Err(SiteError::Store(error)) => Err(error),
    }
}
