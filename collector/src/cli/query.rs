//! `headwater query`
use headwater_query::{Answer, MetricValue, Query as Question};
use serde_json::{Map, Value, json};

use super::DataArgs;
use super::client::ServerArgs;
use super::table::{printable, table};
use crate::ask;
use crate::buckets::Cache;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::FileSettings;
use crate::store::sites::{self, SiteError};

/// Memory for decoded buckets, in bytes: one question needs each only once.
const CACHE_BYTES: usize = 16 << 20;

/// Ask for numbers.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  headwater query --site example.com
  headwater query --site example.com --metrics visitors,bounce_rate --date-range 28d --dimensions visit:source
  headwater query --site example.com --date-range 2026-11-01,2026-11-22 --dimensions time:day
  headwater query --site example.com --filters '[[\"is\",\"event:page\",[\"/pricing\"]]]' --json

The words are those of POST /api/v2/query. A word that is not known is answered with the list of those that are.")]
pub(super) struct Query {
    /// The site's name.
    #[arg(long)]
    site: String,
    /// What is asked for.
    #[arg(long, value_delimiter = ',', default_value = "visitors,visits,pageviews")]
    metrics: Vec<String>,
    /// day, 24h, 7d, 28d, 30d, 91d, month, 6mo, 12mo, year, all, or FROM,TO.
    #[arg(long, default_value = "7d")]
    date_range: String,
    /// By what it is broken down, such as event:page, visit:source or time:day.
    #[arg(long, value_delimiter = ',')]
    dimensions: Vec<String>,
    /// Filters as JSON.
    #[arg(long, value_name = "JSON")]
    filters: Option<String>,
    /// The order, such as visitors:desc or event:page:asc.
    #[arg(long, value_delimiter = ',')]
    order_by: Vec<String>,
    /// At most so many rows [default: 10000].
    #[arg(long)]
    limit: Option<u32>,
    /// Leave out so many rows in front.
    #[arg(long)]
    offset: Option<u32>,
    /// Print the answer as JSON, as the API gives it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Query {
    pub(super) fn run(self, file: &FileSettings, clock: &Clock) -> Result<(), Failure> {
        let body = self.body()?;
        let answer = match self.server.server(file)? {
            Some(server) => {
                let answer = server.post("/api/v2/query", &body)?;
                serde_json::from_value(answer)
                    .map_err(|e| Failure::Failed(format!("the server's answer is not understood: {e}")))?
            }
            None => self.ask_directly(&body, file, clock)?,
        };
        if self.json {
            let text = serde_json::to_string(&answer).map_err(|e| Failure::Failed(e.to_string()))?;
            super::print(&format!("{text}\n"));
        } else {
            super::print(&show(&answer));
        }
        Ok(())
    }

    fn ask_directly(&self, body: &Value, file: &FileSettings, clock: &Clock) -> Result<Answer, Failure> {
        let question = Question::from_value(body).map_err(|e| Failure::Usage(e.to_string()))?;
        let store = self.data.open(file)?;
        let cache = Cache::new(CACHE_BYTES);
        store.read_now(|tx| {
            let site = sites::find(tx, &self.site)?.ok_or_else(|| SiteError::Unknown(self.site.clone()))?;
            Ok(ask::answer(tx, &cache, &site, &question, clock.now())?)
        })
    }

    /// The body of the same question to the API.
    fn body(&self) -> Result<Value, Failure> {
        let mut body = Map::new();
        body.insert("site_id".into(), json!(self.site));
        body.insert("metrics".into(), json!(self.metrics));
        let range = match self.date_range.split_once(',') {
            Some((from, to)) => json!([from.trim(), to.trim()]),
            None => json!(self.date_range),
        };
        body.insert("date_range".into(), range);
        if !self.dimensions.is_empty() {
            body.insert("dimensions".into(), json!(self.dimensions));
        }
        if let Some(filters) = &self.filters {
            let filters: Value = serde_json::from_str(filters).map_err(|e| Failure::Usage(format!("--filters: no JSON: {e}")))?;
            body.insert("filters".into(), filters);
        }
        let order: Vec<Value> = self
            .order_by
            .iter()
            .map(|order| match order.rsplit_once(':') {
                Some((key, direction @ ("asc" | "desc"))) => json!([key, direction]),
                _ => json!([order, "desc"]),
            })
            .collect();
        if !order.is_empty() {
            body.insert("order_by".into(), Value::Array(order));
        }
        if self.limit.is_some() || self.offset.is_some() {
            let mut pagination = Map::new();
            pagination.extend(self.limit.map(|limit| ("limit".to_owned(), json!(limit))));
            pagination.extend(self.offset.map(|offset| ("offset".to_owned(), json!(offset))));
            body.insert("pagination".into(), Value::Object(pagination));
        }
        Ok(Value::Object(body))
    }
}

/// The answer in columns: dimensions, then metrics.
fn show(answer: &Answer) -> String {
    let query = serde_json::to_value(&answer.query).unwrap_or_default();
    let names = |key: &str| -> Vec<String> {
        let list = query.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let (dimensions, metrics) = (names("dimensions"), names("metrics"));
    let header: Vec<&str> = dimensions.iter().chain(&metrics).map(String::as_str).collect();
    let rows: Vec<Vec<String>> = answer
        .results
        .iter()
        .map(|row| row.dimensions.iter().map(|value| printable(value)).chain(row.metrics.iter().map(number)).collect())
        .collect();
    let mut text = table(&header, &rows, |column| column >= dimensions.len());
    if rows.is_empty() {
        text.push_str("(nothing in this range)\n");
    }
    let of_visitors =
        metrics.iter().any(|metric| metric == "visitors" || metric == "percentage" || metric.ends_with("conversion_rate"));
    if let Some(unit) = answer.meta.visitors_unit.as_ref().filter(|_| of_visitors) {
        text.push_str(&format!("visitors are counted per {unit}\n"));
    }
    text
}

fn number(value: &MetricValue) -> String {
    match value {
        MetricValue::Whole(number) => number.to_string(),
        MetricValue::Decimal(number) => format!("{number:.2}"),
        MetricValue::Money { value, currency } => format!("{value:.2} {currency}"),
        MetricValue::None => "-".to_owned(),
    }
}

impl From<ask::AskError> for Failure {
    fn from(error: ask::AskError) -> Self {
        match error {
            ask::AskError::Query(error) => Self::Usage(error.to_string()),
            ask::AskError::Store(error) => error.into(),
        }
    }
}
