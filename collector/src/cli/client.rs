//! Asking a server: for the commands that take `--url`.
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::failure::Failure;
use crate::settings::FileSettings;

/// Which server is asked, if not the data directory.
#[derive(Debug, clap::Args)]
pub(super) struct ServerArgs {
    /// Ask this server instead of a data directory, such as https://stats.example.com.
    #[arg(long, env = "HEADWATER_URL")]
    url: Option<String>,
    /// The token for it, with scope read.
    #[arg(long, env = "HEADWATER_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// A server and a token.
pub(super) struct Server {
    url: String,
    token: Option<String>,
    agent: Agent,
}

impl ServerArgs {
    /// The server's address and the token for it; `None` for the data directory.
    pub(super) fn address(&self, file: &FileSettings) -> Result<Option<(String, Option<String>)>, Failure> {
        let Some(url) = self.url.as_ref().or(file.url.as_ref()) else { return Ok(None) };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Failure::Usage(format!("--url {url}: write it as https://stats.example.com")));
        }
        Ok(Some((url.clone(), self.token.clone().or_else(|| file.token.clone()))))
    }

    /// The server that is to be asked; `None` for the data directory.
    pub(super) fn server(&self, file: &FileSettings) -> Result<Option<Server>, Failure> {
        let Some((url, token)) = self.address(file)? else { return Ok(None) };
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).http_status_as_error(false);
        Ok(Some(Server { url: url.trim_end_matches('/').to_owned(), token, agent: config.build().into() }))
    }
}

impl Server {
    /// Posts JSON and reads the answer, or says what the server says is wrong.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let failed = |error: ureq::Error| Failure::Failed(format!("cannot ask {}: {error}", self.url));
        let mut response = request.send(body.to_string()).map_err(failed)?;
        let text = response.body_mut().read_to_string().map_err(failed)?;
        let status = response.status();
        if status.is_success() {
            return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
        }
        Err(self.refused(status.as_u16(), &text))
    }

    /// Copies what is at an address, or says what the server says is wrong. Takes as long as it takes.
    pub(super) fn copy(&self, path: &str, out: &mut dyn std::io::Write) -> Result<(), Failure> {
        let config = Agent::config_builder().timeout_connect(Some(Duration::from_secs(60))).http_status_as_error(false);
        let agent: Agent = config.build().into();
        let mut request = agent.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("cannot ask {}: {error}", self.url));
        let mut response = request.call().map_err(|error| failed(&error))?;
        if !response.status().is_success() {
            let text = response.body_mut().read_to_string().unwrap_or_default();
            return Err(self.refused(response.status().as_u16(), &text));
        }
        std::io::copy(&mut response.body_mut().as_reader(), out).and_then(|_| out.flush()).map_err(|error| failed(&error))
    }

    /// What the server says is wrong.
    fn refused(&self, status: u16, text: &str) -> Failure {
        let answer: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        let detail = answer.get("detail").and_then(Value::as_str).unwrap_or("it gave no reason");
        let text = format!("{} answers {status}: {detail}", self.url);
        if status == 400 || status == 422 { Failure::Usage(text) } else { Failure::Failed(text) }
    }

    /// The address of a WebSocket on this server.
    pub(super) fn websocket(&self, path: &str) -> String {
        // http becomes ws, https becomes wss.
        format!("ws{}{path}", self.url.strip_prefix("http").unwrap_or(&self.url))
    }
}
