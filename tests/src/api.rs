//! A small blocking client of the server under test.
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::HeaderMap;

/// A user agent that no one takes for a bot.
pub const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/// A client of one server.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A header's value; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl Api {
    /// A client of the server on `port`, with a token or without.
    pub fn new(port: u16, token: Option<&str>) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(20))).proxy(None).build();
        Self { agent: config.new_agent(), base: format!("http://127.0.0.1:{port}"), token: token.map(str::to_owned) }
    }

    /// The same client without a token.
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// An event from a page, as `POST /api/event` takes it, sent by a browser at an address.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn event(&self, address: &str, body: &Value) -> Result<Answer, ureq::Error> {
        let body = body.to_string();
        self.send(
            "/api/event",
            body.as_bytes(),
            &[("Content-Type", "text/plain"), ("User-Agent", BROWSER), ("X-Forwarded-For", address)],
        )
    }

    /// The body of `POST /b`, sent by a browser at an address from a page of `host`.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn beacon(&self, address: &str, host: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        let origin = format!("https://{host}");
        self.send("/b", body, &[("Origin", &origin), ("User-Agent", BROWSER), ("X-Forwarded-For", address)])
    }

    /// GET.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn get(&self, path: &str) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        answer(request.call()?)
    }

    /// DELETE.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn delete(&self, path: &str) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.delete(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        answer(request.call()?)
    }

    /// PATCH with JSON.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn patch(&self, path: &str, body: &Value) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.patch(format!("{}{path}", self.base)).header("Content-Type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        answer(request.send(body.to_string().as_bytes())?)
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answer, ureq::Error> {
        self.send(path, body.to_string().as_bytes(), &[("Content-Type", "application/json")])
    }

    /// POST of bytes with headers.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn send(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        answer(request.send(body)?)
    }

    /// Asks a query that must be answered, and gives its answer.
    pub fn query(&self, body: &Value) -> Value {
        let answer = self.post("/api/v2/query", body).expect("an answer");
        assert_eq!(answer.status, 200, "{body}: {}", answer.text);
        answer.json()
    }

    /// The metrics of everything a site ever counted.
    pub fn totals(&self, site: &str, metrics: &[&str]) -> Vec<Value> {
        let answer = self.query(&json!({"site_id": site, "metrics": metrics, "date_range": "all"}));
        answer["results"][0]["metrics"].as_array().cloned().unwrap_or_default()
    }

    /// Events by the value of one dimension, every row of it.
    pub fn events_by(&self, site: &str, dimension: &str) -> Vec<(String, u64)> {
        let mut rows = Vec::new();
        loop {
            let page = json!({"limit": 10_000, "offset": rows.len()});
            let answer = self.query(&json!({
                "site_id": site, "metrics": ["events"], "date_range": "all", "dimensions": [dimension], "pagination": page
            }));
            let results = answer["results"].as_array().cloned().unwrap_or_default();
            for row in &results {
                let value = row["dimensions"][0].as_str().unwrap_or_default().to_owned();
                rows.push((value, row["metrics"][0].as_u64().unwrap_or_default()));
            }
            if results.len() < 10_000 {
                return rows;
            }
        }
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), text, bytes })
}
