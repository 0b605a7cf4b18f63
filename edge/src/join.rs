//! One answer to an array of events whose items went to several objects.
use serde_json::{Value, json};

use crate::answer::Answer;

/// What one object answered for some of the items.
#[derive(Clone, Debug)]
pub struct Part {
    /// The places of its items in the array.
    pub places: Vec<usize>,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
}

/// The answer to the whole array: what a single object would have said.
#[must_use]
pub fn join(parts: &[Part]) -> Answer {
    let (mut accepted, mut duplicate, mut dropped, mut rejected) = (0, 0, 0, Vec::new());
    for part in parts {
        let count = |name: &str| part.body[name].as_u64().unwrap_or(0);
        (accepted, duplicate, dropped) =
            (accepted + count("accepted"), duplicate + count("duplicate"), dropped + count("dropped"));
        match part.body["rejected"].as_array() {
            Some(list) => rejected.extend(list.iter().filter_map(|item| {
                let place = part.places.get(usize::try_from(item["index"].as_u64()?).ok()?)?;
                Some((*place, item["status"].clone(), item["detail"].clone()))
            })),
            // It said something about all of them.
            None if part.status >= 400 => {
                let of = |place: &usize| (*place, part.status.into(), part.body["detail"].clone());
                rejected.extend(part.places.iter().map(of));
            }
            None => {}
        }
    }
    rejected.sort_by_key(|(place, ..)| *place);
    let all_rejected = accepted + duplicate + dropped == 0;
    let again = rejected.iter().all(|(_, status, _)| matches!(status.as_u64(), Some(429 | 503)));
    let first = rejected.first().cloned().filter(|_| all_rejected);
    let list: Vec<Value> =
        rejected.into_iter().map(|(index, status, detail)| json!({"index": index, "status": status, "detail": detail})).collect();
    let mut body = json!({"accepted": accepted, "duplicate": duplicate, "rejected": list});
    if dropped > 0 {
        body["dropped"] = dropped.into();
    }
    let mut answer = Answer { status: 202, body: None, retry_after: None, dropped: dropped > 0, foreign: false };
    if let Some((_, status, detail)) = first {
        answer.status = if again { status.as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(503) } else { 400 };
        answer.retry_after = if again { parts.iter().filter_map(|part| part.retry_after).max().or(Some(5)) } else { None };
        answer.dropped = false;
        body["type"] = "about:blank".into();
        body["title"] = if again { "Not now" } else { "No event was accepted" }.into();
        body["status"] = answer.status.into();
        body["detail"] = detail;
    }
    answer.body = Some(body);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(places: &[usize], status: u16, body: Value) -> Part {
        Part { places: places.to_vec(), status, body, retry_after: (status == 503).then_some(7) }
    }

    #[test]
    fn places_are_those_of_the_whole_array() {
        let first = json!({"accepted": 1, "duplicate": 1, "rejected": [{"index": 1, "status": 400, "detail": "name"}]});
        let parts = [part(&[0, 3, 4], 202, first), part(&[1, 2], 503, json!({"detail": "later"}))];
        let answer = join(&parts);
        assert_eq!((answer.status, answer.retry_after), (202, None));
        let body = answer.body.unwrap();
        assert_eq!((&body["accepted"], &body["duplicate"]), (&json!(1), &json!(1)));
        let rejected: Vec<_> =
            body["rejected"].as_array().unwrap().iter().map(|item| (&item["index"], &item["status"])).collect();
        assert_eq!(rejected, [(&json!(1), &json!(503)), (&json!(2), &json!(503)), (&json!(3), &json!(400))]);
    }

    #[test]
    fn nothing_accepted_is_an_error_and_says_whether_to_come_again() {
        let later = part(&[0], 503, json!({"detail": "later"}));
        let bad = part(&[1], 400, json!({"accepted": 0, "rejected": [{"index": 0, "status": 404, "detail": "domain"}]}));
        let alone = join(std::slice::from_ref(&later));
        assert_eq!((alone.status, alone.retry_after), (503, Some(7)));
        let answer = join(&[later, bad]);
        assert_eq!((answer.status, answer.retry_after), (400, None));
        assert_eq!(answer.body.unwrap()["detail"], "later");
        let bots = join(&[part(&[0], 202, json!({"accepted": 0, "duplicate": 0, "rejected": [], "dropped": 1}))]);
        assert!(bots.status == 202 && bots.dropped);
    }
}
