//! `headwater person …`
use clap::{Subcommand, ValueEnum};
use rusqlite::Connection;

use super::DataArgs;
use super::table::{printable, table};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::FileSettings;
use crate::site::{Domain, Site};
use crate::store::people::{self, Person, PersonError, Role, address};
use crate::store::{StoreError, sites};

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub(super) enum PersonCommand {
    /// Add somebody, or give them a role at a site. Who has no password yet gets a link that sets one.
    Add {
        /// The address by which they sign in.
        #[arg(value_parser = address)]
        email: String,
        /// How they want to be called, if they are new.
        #[arg(long, default_value = "")]
        name: String,
        /// Let them do everything at every site, if they are new.
        #[arg(long, conflicts_with = "site")]
        admin: bool,
        /// The site at which they get a role.
        #[arg(long, requires = "role")]
        site: Option<Domain>,
        /// The role, in place of the one before.
        #[arg(long, requires = "site")]
        role: Option<RoleWord>,
        #[command(flatten)]
        data: DataArgs,
    },
    /// List people and what they may do.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Print another link that sets a password, also for who has lost theirs.
    Invite {
        /// The address by which they sign in.
        #[arg(value_parser = address)]
        email: String,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Remove somebody, or only their role at a site.
    Remove {
        /// The address by which they sign in.
        #[arg(value_parser = address)]
        email: String,
        /// The site at which they lose their role.
        #[arg(long)]
        site: Option<Domain>,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// The roles as words of the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleWord {
    /// Reads the figures.
    Viewer,
    /// Also changes what is shown of them: goals, segments, dashboards, notes, shared links.
    Editor,
    /// Also changes the site and its people.
    Owner,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Editor => Self::Editor,
            RoleWord::Owner => Self::Owner,
        }
    }
}

impl PersonCommand {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let now = clock.now();
        match self {
            Self::Add { email, name, admin, site, role, data } => {
                let invitation = data.open(file)?.write_now(|tx| {
                    let Some((domain, role)) = site.zip(role) else {
                        let person = people::add(tx, &email, &name, admin, None, now)?;
                        return Ok(Some(people::invite(tx, person.id, now)?));
                    };
                    let (_, invitation) = people::appoint_by_email(tx, &email, &name, find(tx, &domain)?.id, role.into(), now)?;
                    Ok::<_, PersonFailure>(invitation)
                })?;
                match invitation {
                    Some(invitation) => link(&people::invitation_path(&invitation)),
                    None => println!("{email} has the role."),
                }
            }
            Self::List { json, data } => {
                let people = data.open(file)?.read_now(|tx| with_roles(tx))?;
                if json {
                    let view = |(person, roles): &Known| {
                        let mut view = serde_json::json!(person);
                        view["roles"] = roles.iter().map(|(site, role)| (site.clone(), serde_json::json!(role))).collect();
                        view
                    };
                    println!("{}", serde_json::json!({ "people": people.iter().map(view).collect::<Vec<_>>() }));
                } else {
                    let rows: Vec<Vec<String>> = people.iter().map(row).collect();
                    super::print(&table(&["EMAIL", "NAME", "MAY"], &rows, |_| false));
                }
            }
            Self::Invite { email, data } => {
                let invitation = data.open(file)?.write_now(|tx| {
                    let person = find_person(tx, &email)?;
                    Ok::<_, PersonFailure>(people::invite(tx, person.id, now)?)
                })?;
                link(&people::invitation_path(&invitation));
            }
            Self::Remove { email, site, data } => {
                data.open(file)?.write_now(|tx| {
                    let person = find_person(tx, &email)?;
                    match &site {
                        Some(domain) if !people::dismiss(tx, person.id, find(tx, domain)?.id)? => {
                            Err(PersonFailure::NoRole(email.clone(), domain.to_string()))
                        }
                        Some(_) => Ok(()),
                        None => Ok(people::remove(tx, person.id).map(drop)?),
                    }
                })?;
                match site {
                    Some(domain) => println!("{email} has no role at {domain} any more."),
                    None => println!("Removed {email}; their sessions have ended."),
                }
            }
        }
        Ok(())
    }
}

/// Why there is nobody to do it to.
#[derive(Debug, thiserror::Error)]
enum PersonFailure {
    #[error("there is nobody with the address {0}; `headwater person list` shows everybody")]
    Nobody(String),
    #[error("there is no site {0}; `headwater site list` shows them")]
    NoSite(String),
    #[error("{0} has no role at {1}")]
    NoRole(String, String),
    #[error(transparent)]
    Person(#[from] PersonError),
}

impl From<StoreError> for PersonFailure {
    fn from(error: StoreError) -> Self {
        Self::Person(error.into())
    }
}

impl From<PersonFailure> for Failure {
    fn from(error: PersonFailure) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Only the link on standard output, so that a script can take it.
fn link(path: &str) {
    eprintln!(
        "This link sets their password. It works once, for seven days, and is shown only now; put your server's address before it:"
    );
    println!("{path}");
}

fn find(conn: &Connection, domain: &Domain) -> Result<Site, PersonFailure> {
    sites::find(conn, domain.as_str())?.ok_or_else(|| PersonFailure::NoSite(domain.to_string()))
}

fn find_person(conn: &Connection, email: &str) -> Result<Person, PersonFailure> {
    let found = people::by_email(conn, email)?.map(|(person, _)| person);
    found.ok_or_else(|| PersonFailure::Nobody(email.to_owned()))
}

/// Somebody, and the role at each domain.
type Known = (Person, Vec<(String, Role)>);

/// Everybody, with the domains at which they have a role.
fn with_roles(conn: &Connection) -> Result<Vec<Known>, StoreError> {
    let sites = sites::list(conn)?;
    let domain = |id| sites.iter().find(|site| site.id == id).map(|site| site.domain.to_string());
    let one = |person: Person| {
        let roles = people::roles(conn, person.id)?;
        Ok((person, roles.into_iter().filter_map(|(site, role)| Some((domain(site)?, role))).collect()))
    };
    people::list(conn)?.into_iter().map(one).collect()
}

fn row((person, roles): &Known) -> Vec<String> {
    let mut may: Vec<String> = person.admin.then(|| "everything".to_owned()).into_iter().collect();
    may.extend(roles.iter().map(|(site, role)| format!("{} of {site}", role.name())));
    if person.invited {
        may.push("invited".into());
    }
    vec![person.email.clone(), printable(&person.name), may.join(", ")]
}
