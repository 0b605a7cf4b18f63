//! The OpenAPI document is held to what the server does: every route is in it, and every example gets the answer it promises.
use std::collections::BTreeSet;

use headwater_collector::secret::Secret;
use headwater_query::{Dimension, Metric};
use serde_json::{Value, json};

use crate::harness::Server;

/// Everything that is asked in the name of the administrator, in the order of the document but with removals last: what they
/// remove must be there.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    let text = document_text();
    all.sort_by_key(|(path, method, _)| {
        // A map forgets the order of the document; the text has it.
        let place = text.find(&format!("\"{path}\": ")).unwrap();
        (method == "DELETE", if method == "DELETE" { usize::MAX - path.len() } else { place }, method != "POST")
    });
    all
}

fn document_text() -> &'static str {
    include_str!("../../src/http/openapi.json")
}

fn document() -> Value {
    serde_json::from_str(document_text()).unwrap()
}

/// Why a value is not as a schema says, if it is not. As much of JSON Schema as the document uses; other words are errors.
fn fault(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let schema = match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{name}")),
        None => schema,
    };
    for (word, says) in schema.as_object().unwrap() {
        let wrong = match word.as_str() {
            "type" => {
                let types = says.as_array().cloned().unwrap_or_else(|| vec![says.clone()]);
                !types.iter().any(|kind| match kind.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("{at}: type {other}"),
                })
            }
            "enum" => !says.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_some_and(|number| number < says.as_f64().unwrap()),
            "minItems" => value.as_array().is_some_and(|items| (items.len() as u64) < says.as_u64().unwrap()),
            "maxItems" => value.as_array().is_some_and(|items| items.len() as u64 > says.as_u64().unwrap()),
            "required" => {
                value.is_object() && says.as_array().unwrap().iter().any(|key| value.get(key.as_str().unwrap()).is_none())
            }
            "additionalProperties" => {
                value.as_object().is_some_and(|object| object.keys().any(|key| schema["properties"].get(key).is_none()))
            }
            "oneOf" => says.as_array().unwrap().iter().filter(|one| fault(document, one, value, at).is_none()).count() != 1,
            "items" => {
                let mut items = value.as_array().into_iter().flatten().enumerate();
                let found = items.find_map(|(i, item)| fault(document, says, item, &format!("{at}[{i}]")));
                if found.is_some() {
                    return found;
                }
                false
            }
            "properties" => {
                let known = value.as_object().cloned().unwrap_or_default();
                let found = known.iter().find_map(|(key, item)| fault(document, says.get(key)?, item, &format!("{at}.{key}")));
                if found.is_some() {
                    return found;
                }
                false
            }
            "description" | "format" | "examples" => false,
            other => panic!("{at}: this test does not know {other}"),
        };
        if wrong {
            return Some(format!("{at}: {value} is not as {word} {says} asks"));
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_gets_the_answer_that_the_document_promises() {
    let document = document();
    let token =
        document["paths"]["/api/v1/session"]["post"]["requestBody"]["content"]["application/json"]["example"]["token"].clone();
    let token = token.as_str().unwrap().to_owned();
    let server = Server::running_with(|options| options.admin_token = Secret::chosen(&token));
    for (path, method, operation) in operations(&document) {
        let name = format!("{method} {path}");
        let mut address = path.clone();
        let mut query = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (key, value) = (parameter["name"].as_str().unwrap(), parameter["example"].as_str().unwrap());
            assert_eq!(fault(&document, &parameter["schema"], &json!(value), key), None, "{name}");
            if parameter["in"] == "path" {
                address = address.replace(&format!("{{{key}}}"), value);
            } else {
                query.push(format!("{key}={value}"));
            }
        }
        assert!(!address.contains('{'), "{name}: every part of the path has an example");
        let (status, response) =
            operation["responses"].as_object().unwrap().iter().find(|(status, _)| *status != "default").unwrap();
        let body = operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
        let is_binary = body.is_some_and(|(kind, _)| kind == "application/octet-stream");
        let is_socket = status == "101";
        // What these are given was made by another answer, or belongs to a person; they have tests of their own.
        let is_secret = ["acceptInvitation", "openLink", "changePassword"].contains(&operation["operationId"].as_str().unwrap());
        if !query.is_empty() && !is_socket {
            address = format!("{address}?{}", query.join("&"));
        }
        let mut ask = server
            .ask(&method, &address)
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
        if !is_open {
            ask = ask.token(&token);
        }
        if let Some((_, content)) = body.filter(|_| !is_binary) {
            let example = content.get("example").unwrap_or_else(|| panic!("{name}: a body has an example"));
            assert_eq!(fault(&document, &content["schema"], example, &name), None);
            ask = ask.json(example);
        }
        if name == "DELETE /api/v1/sites/{domain}/goals" {
            // The goal was removed by its number just now.
            let goal = &document["paths"][&path]["post"]["requestBody"]["content"]["application/json"]["example"];
            assert_eq!(server.ask("POST", &address).token(&token).json(goal).send().await.status, 201);
        }
        let answer = ask.send().await;
        if is_binary || is_socket || is_secret {
            // Bytes and sockets, too; here their refusal has the shape of every refusal.
            assert!(answer.status.is_client_error(), "{name}: {}", answer.status);
            assert_eq!(fault(&document, &json!({"$ref": "#/components/schemas/Problem"}), &answer.json(), &name), None);
            continue;
        }
        if operation["tags"][0] == "tracker" && answer.status == 503 {
            // Built without the tracker, as `cargo test` alone does.
            assert!(answer.json()["detail"].as_str().unwrap().contains("cargo xtask start"));
            continue;
        }
        assert_eq!(answer.status.as_str(), status, "{name}: {}", String::from_utf8_lossy(&answer.body));
        match response["content"].as_object().and_then(|content| content.iter().next()) {
            None => assert!(answer.body.is_empty(), "{name}"),
            Some((kind, content)) => {
                assert_eq!(answer.header("content-type").split(';').next(), Some(kind.as_str()), "{name}");
                if kind == "application/json" {
                    assert_eq!(fault(&document, &content["schema"], &answer.json(), &name), None, "{name}");
                }
            }
        }
        if !is_open && operation["security"].is_null() {
            let refused = server.ask(&method, &address).json(&json!({})).send().await;
            let expected = if name == "DELETE /api/v1/session" { 204 } else { 401 };
            assert_eq!(refused.status, expected, "{name} without a token");
        }
    }
}

/// The routes that the source names.
fn routes() -> BTreeSet<String> {
    let http = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http");
    let shell = concat!(env!("CARGO_MANIFEST_DIR"), "/src/edge_shell");
    let mut all = BTreeSet::new();
    for file in [http, shell].iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()) {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let until_quote = |rest: &str| rest.split('"').next().unwrap().to_owned();
            all.extend(text.split(".route(\"").skip(1).map(until_quote));
            // The tracker's files are routed in a loop.
            all.extend(text.split("\"/t.").skip(1).map(|rest| format!("/t.{}", until_quote(rest))));
        }
    }
    all
}

#[test]
fn every_route_is_in_the_document() {
    let document = document();
    // Pages, and the file behind `/t.js?auto`.
    let others = [
        "/",
        "/{domain}",
        "/{domain}/settings",
        "/share/{domain}",
        "/dashboard/{file}",
        "/demo",
        "/demo/",
        "/demo/{*file}",
        "/robots.txt",
        "/t.auto.js",
    ];
    let routes = routes();
    assert!(routes.len() > 20, "{routes:?}");
    let served: BTreeSet<&str> = routes.iter().map(String::as_str).filter(|route| !others.contains(route)).collect();
    let described: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(served, described);
}

#[test]
fn the_document_knows_every_metric_and_dimension() {
    let document = document();
    let query = &document["components"]["schemas"]["Query"]["properties"];
    assert_eq!(query["metrics"]["items"]["enum"], json!(Metric::ALL.iter().map(|metric| metric.name()).collect::<Vec<_>>()));
    let sorted = |names: &[Value]| names.iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
    let known: Vec<Value> = Dimension::NAMES.iter().map(|name| json!(name)).collect();
    assert_eq!(sorted(query["dimensions"]["items"]["examples"].as_array().unwrap()), sorted(&known));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn anyone_may_read_it() {
    let server = Server::start();
    let answer = server.ask("GET", "/api/openapi.json").send().await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.json(), document());
    let ids: Vec<String> =
        operations(&document()).iter().map(|(_, _, op)| op["operationId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "each operation has a name of its own");
}
