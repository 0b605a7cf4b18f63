//! Where settings come from: a flag, then `HEADWATER_…`, then the TOML file. Clap reads the first two; this is the file,
//! and the check that nothing was misspelt.
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

/// The TOML file. Its keys are the names of the flags.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileSettings {
    /// The data directory.
    pub data: Option<std::path::PathBuf>,
    /// The port that `serve` listens on.
    pub port: Option<u16>,
    /// The address that `serve` listens on.
    pub listen: Option<std::net::IpAddr>,
    /// What `serve` does.
    pub role: Option<String>,
    /// The collector that an edge delivers to.
    pub collector: Option<String>,
    /// Whether `serve` has the demo site.
    pub demo: Option<bool>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxy: Option<Vec<String>>,
    /// Requests a minute of one visitor; 0 is no limit.
    pub rate_limit_visitor: Option<u32>,
    /// Requests a second for one site; 0 is no limit.
    pub rate_limit_site: Option<u32>,
    /// The longest pause between an edge's attempts to reach its collector, in seconds.
    pub retry_seconds: Option<u32>,
    /// The file that says where addresses are.
    pub geo_db: Option<std::path::PathBuf>,
    /// The first token.
    pub admin_token: Option<String>,
    /// The server that `query` and `live` ask.
    pub url: Option<String>,
    /// The token that `query` and `live`, and an edge at its collector, show.
    pub token: Option<String>,
    /// What is logged.
    pub log: Option<String>,
}

impl FileSettings {
    /// Reads the file; without one, everything is left to flags and the environment.
    ///
    /// # Errors
    /// `Usage` if it cannot be read, is no TOML, or has a key that is not known.
    pub fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).map_err(|e| Failure::Usage(format!("cannot read the settings in {shown}: {e}")))?;
        Self::parse(&text).map_err(|e| Failure::Usage(format!("the settings in {shown} are not right: {e}")))
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// A misspelt variable is an error, as a misspelt flag or key is: it would be ignored in silence otherwise.
///
/// # Errors
/// `Usage`, which names the first unknown variable.
pub fn check_environment(set: impl Iterator<Item = String>, known: &[String]) -> Result<(), Failure> {
    let mut unknown: Vec<String> = set.filter(|name| name.starts_with("HEADWATER_") && !known.contains(name)).collect();
    unknown.sort();
    match unknown.first() {
        None => Ok(()),
        Some(name) => {
            Err(Failure::Usage(format!("the environment sets {name}, which is no setting; known are {}", known.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_names_of_flags_and_others_are_errors() {
        let settings = FileSettings::parse("port = 80\ntrusted-proxy = [\"10.0.0.0/8\"]").unwrap();
        assert_eq!(settings.port, Some(80));
        assert!(FileSettings::parse("prot = 80").unwrap_err().to_string().contains("prot"));
    }

    #[test]
    fn a_misspelt_variable_is_named() {
        let set = ["PATH", "HEADWATER_PORT", "HEADWATER_PROT"].map(str::to_owned);
        let error = check_environment(set.into_iter(), &["HEADWATER_PORT".to_owned()]).unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(error.to_string().contains("HEADWATER_PROT"));
    }
}
