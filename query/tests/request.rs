//! What the parser takes, and what it says of the rest.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)] // tests
use headwater_query::{DateRange, Dimension, Direction, Filter, Metric, OrderKey, Pagination, Query, QueryError, TimeDimension};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(value: &Value) -> Result<Query, QueryError> {
    Query::parse(value.to_string().as_bytes())
}

fn with(key: &str, value: Value) -> Value {
    let mut query = json!({"site_id": "example.com", "metrics": ["visitors"], "date_range": "7d"});
    query[key] = value;
    query
}

#[test]
fn everything_at_once() {
    let body = json!({
        "site_id": "example.com",
        "metrics": ["visitors", "bounce_rate"],
        "date_range": ["2026-11-01", "2026-11-22"],
        "dimensions": ["time:day", "event:props:plan"],
        "filters": [["or", [["is", "visit:country", ["DE"]], ["contains_not", "event:page", ["/a"], {"case_sensitive": false}]]]],
        "order_by": [["visitors", "asc"], ["time:day", "desc"]],
        "include": {"time_labels": true, "total_rows": true},
        "pagination": {"limit": 10},
    });
    let query = parse(&body).unwrap();
    assert_eq!(query.metrics, [Metric::Visitors, Metric::BounceRate]);
    assert_eq!(query.dimensions, [Dimension::Time(TimeDimension::Day), Dimension::Prop("plan".into())]);
    assert!(matches!(&query.filters[0], Filter::Or(inner) if inner.len() == 2));
    assert_eq!(query.order_by[1].key, OrderKey::Dimension(Dimension::Time(TimeDimension::Day)));
    assert_eq!(query.order_by[1].direction, Direction::Desc);
    assert_eq!(query.pagination, Pagination { limit: 10, offset: 0 });
    // What is written is read as the same.
    assert_eq!(parse(&serde_json::to_value(&query).unwrap()).unwrap(), query);
}

#[test]
fn every_name_of_the_contract_is_known() {
    for metric in Metric::ALL {
        assert_eq!(Metric::from_name(metric.name()), Some(*metric));
    }
    for name in Dimension::NAMES {
        assert_eq!(Dimension::from_name(&name.replace('*', "x")).unwrap().to_string(), name.replace('*', "x"));
    }
    for range in ["day", "24h", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all"] {
        let parsed = DateRange::from_name(range).unwrap();
        assert_eq!(serde_json::to_value(parsed).unwrap(), json!(range));
    }
}

#[test]
fn each_mistake_names_its_field() {
    let cases = [
        (json!([]), ""),
        (json!({"site_id": "a"}), "metrics"),
        (json!({"site_id": "a", "metrics": ["visitors"]}), "date_range"),
        (with("site_id", json!("")), "site_id"),
        (with("metrics", json!([])), "metrics"),
        (with("metrics", json!(["visitors", "views"])), "metrics[1]"),
        (with("metrics", json!(["visitors", "visitors"])), "metrics[1]"),
        (with("date_range", json!("8 days")), "date_range"),
        (with("date_range", json!("0d")), "date_range"),
        (with("date_range", json!("+7d")), "date_range"),
        (with("date_range", json!(["2026-02-29", "2026-03-01"])), "date_range[0]"),
        (with("date_range", json!(["2026-03-01", "soon"])), "date_range[1]"),
        (with("date_range", json!(["2026-03-01", "2026-03-01T10:00:00Z"])), "date_range"),
        (with("dimensions", json!(["event:page", "visit:planet"])), "dimensions[1]"),
        (with("dimensions", json!(["event:props:"])), "dimensions[0]"),
        (with("dimensions", json!(["time:day", "time:hour"])), "dimensions[1]"),
        (with("filters", json!({})), "filters"),
        (with("filters", json!([["is", "event:page", ["/"]], ["like", "event:page", ["/"]]])), "filters[1][0]"),
        (with("filters", json!([["is", "time:day", ["2026-01-01"]]])), "filters[0][1]"),
        (with("filters", json!([["is", "event:page", []]])), "filters[0][2]"),
        (with("filters", json!([["is", "event:page", ["/", 7]]])), "filters[0][2][1]"),
        (with("filters", json!([["and", [["not", ["is", "event:pages", ["/"]]]]]])), "filters[0][1][0][1][1]"),
        (with("filters", json!([["is", "event:page", ["/"], {"fuzzy": true}]])), "filters[0][3].fuzzy"),
        (with("order_by", json!([["pageviews", "desc"]])), "order_by[0][0]"),
        (with("order_by", json!([["visitors", "down"]])), "order_by[0][1]"),
        (with("include", json!({"everything": true})), "include.everything"),
        (with("include", json!({"time_labels": true})), "include.time_labels"),
        (with("include", json!({"comparisons": "previous_period"})), "include.comparisons"),
        (with("include", json!({"comparisons": {}})), "include.comparisons.mode"),
        (with("include", json!({"comparisons": {"mode": "last_week"}})), "include.comparisons.mode"),
        (with("include", json!({"comparisons": {"mode": "custom"}})), "include.comparisons.date_range"),
        (with("include", json!({"comparisons": {"mode": "custom", "date_range": "7d"}})), "include.comparisons.date_range"),
        (
            with("include", json!({"comparisons": {"mode": "custom", "date_range": ["2026-01-01", "2026-02-30"]}})),
            "include.comparisons.date_range[1]",
        ),
        (
            with("include", json!({"comparisons": {"mode": "previous_period", "match_day_of_week": 1}})),
            "include.comparisons.match_day_of_week",
        ),
        (with("include", json!({"comparisons": {"mode": "previous_period", "x": 1}})), "include.comparisons.x"),
        (with("pagination", json!({"limit": 0})), "pagination.limit"),
        (with("pagination", json!({"limit": 10_001})), "pagination.limit"),
        (with("pagination", json!({"offset": -1})), "pagination.offset"),
        (with("filter", json!([])), "filter"),
    ];
    for (body, field) in cases {
        let error = parse(&body).unwrap_err();
        assert_eq!(error.field(), field, "{error}\n{body}");
        let problem = error.problem();
        assert_eq!((problem.status, problem.field.as_deref().unwrap_or("")), (400, field));
        assert!(!problem.detail.is_empty());
    }
}

#[test]
fn filters_nest_only_so_deep() {
    let mut filter = json!(["is", "event:page", ["/"]]);
    for _ in 0..100 {
        filter = json!(["not", filter]);
    }
    assert!(parse(&with("filters", json!([filter]))).unwrap_err().to_string().contains("deep"));
}

/// JSON that looks like a query, with anything anywhere.
fn anything() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "visitors",
        "7d",
        "event:page",
        "is",
        "and",
        "not",
        "has_done",
        "time",
        "desc",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "9999-12-31",
        "0000-01-01",
        "5000d",
        "100mo",
        "é",
        "",
        "limit",
        "event:props:é",
    ]);
    let leaf = prop_oneof![
        words.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let keys = prop::sample::select(vec!["limit", "offset", "total_rows", "case_sensitive", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys.prop_map(str::to_owned), inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics(key in 0usize..8, value in anything()) {
        let keys = ["site_id", "metrics", "date_range", "dimensions", "filters", "order_by", "include", "pagination"];
        match parse(&with(keys[key], value)) {
            Ok(query) => prop_assert_eq!(parse(&serde_json::to_value(&query).unwrap()).unwrap(), query),
            Err(error) => prop_assert!(error.field().is_empty() || error.field().starts_with(keys[key]), "{}", error),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Query::parse(&bytes).is_err());
    }
}
