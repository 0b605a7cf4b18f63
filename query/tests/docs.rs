//! The examples of docs/query.md are good questions.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)] // tests
use headwater_core::{Minute, Packed};
use headwater_query::{Calendar, Goal, Identity, Query, SiteContext, Span, Target, answer};

#[test]
fn every_example_can_be_asked() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/query.md")).unwrap();
    let mut site = SiteContext::new(Calendar::new("Europe/Berlin").unwrap(), Identity::Day, Minute(29_923_000));
    site.goals.push(Goal { name: "Signup".to_owned(), target: Target::Event("Signup".to_owned()), worth: None });
    let blocks: Vec<&str> = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6);
    for block in blocks {
        let query = Query::parse(block.as_bytes()).unwrap_or_else(|error| panic!("{error}: {block}"));
        let read = |_, _, _| Ok::<_, ()>(Vec::<(Span, std::sync::Arc<Packed>)>::new());
        let answer = answer(&query, &site, read).unwrap_or_else(|error| panic!("{error:?}: {block}"));
        assert_eq!(answer.query.metrics, query.metrics);
    }
}
