//! A blocking client for a running server.
use std::time::Duration;

use serde_json::Value;

/// How long the server may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request that was not answered, or asked to come again, is sent in all.
const ATTEMPTS: u32 = 8;

/// A server, and maybe a token for it.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
    token: Option<String>,
}

/// Why the server's answer is not what was hoped for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// There was none.
    #[error("no answer from {0}: {1}; is `headwater serve` running there?")]
    Unreachable(String, String),
    /// It refused; the status and what its problem document says.
    #[error("the server answered {0}: {1}")]
    Refused(u16, String),
}

impl Client {
    /// For the server at `url`.
    #[must_use]
    pub(crate) fn new(url: &str, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build();
        Self { agent: config.into(), url: url.trim_end_matches('/').to_owned(), token }
    }

    /// Reads a JSON document.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub(crate) fn get_json(&self, path: &str) -> Result<Value, ClientError> {
        let request = self.with_token(self.agent.get(format!("{}{path}", self.url)));
        self.json(request.call())
    }

    /// Sends a JSON document and reads the answer.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub(crate) fn post_json(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let request = self.with_token(self.agent.post(format!("{}{path}", self.url)));
        self.json(request.header("content-type", "application/json").send(body.to_string().as_bytes()))
    }

    /// Deletes something.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub(crate) fn delete(&self, path: &str) -> Result<(), ClientError> {
        let answer = self.with_token(self.agent.delete(format!("{}{path}", self.url))).call();
        let mut answer = answer.map_err(|error| ClientError::Unreachable(self.url.clone(), error.to_string()))?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(());
        }
        Err(ClientError::Refused(status, detail(&answer.body_mut().read_to_string().unwrap_or_default())))
    }

    /// Sends bytes until they are taken: what is not answered, or is asked to come again, is sent again as it is.
    /// With `token` the request carries it.
    ///
    /// # Errors
    /// `Refused` for a final answer, `Unreachable` after several attempts without one.
    pub(crate) fn deliver(&self, path: &str, headers: &[(&str, &str)], body: &[u8], token: bool) -> Result<(), ClientError> {
        let mut last = ClientError::Unreachable(self.url.clone(), "gave up".into());
        for attempt in 0..ATTEMPTS {
            let mut request = self.agent.post(format!("{}{path}", self.url));
            if token {
                request = self.with_token(request);
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut wait = Duration::from_millis(100 << attempt.min(5));
            match request.send(body) {
                Ok(mut answer) => {
                    let status = answer.status().as_u16();
                    if (200..300).contains(&status) {
                        return Ok(());
                    }
                    let after = answer.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
                    wait = after.map_or(wait, |seconds: u64| Duration::from_secs(seconds.min(10)));
                    let detail = detail(&answer.body_mut().read_to_string().unwrap_or_default());
                    last = ClientError::Refused(status, detail);
                    if status != 429 && status < 500 {
                        return Err(last);
                    }
                }
                Err(error) => last = ClientError::Unreachable(self.url.clone(), error.to_string()),
            }
            std::thread::sleep(wait);
        }
        Err(last)
    }

    fn with_token<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn json(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, ClientError> {
        let unreachable = |error: ureq::Error| ClientError::Unreachable(self.url.clone(), error.to_string());
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().map_err(unreachable)?;
        if !(200..300).contains(&status) {
            return Err(ClientError::Refused(status, detail(&text)));
        }
        serde_json::from_str(&text).map_err(|e| ClientError::Refused(status, format!("no JSON: {e}")))
    }
}

/// The detail of a problem document (RFC 9457), or the text itself.
fn detail(text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    problem["detail"].as_str().map_or_else(|| text.chars().take(200).collect(), str::to_owned)
}
