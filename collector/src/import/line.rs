//! A line of an access log in the combined format, as Apache, nginx, Caddy and others write it:
//! `host ident user [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326 "referrer" "user agent"`, maybe with the
//! virtual host in front. What stands behind the user agent is not read.
use std::borrow::Cow;
use std::net::IpAddr;

use headwater_core::Millis;
use headwater_edge::timestamp;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The virtual host without its port, empty where the format has none.
    pub(super) vhost: &'a str,
    /// The client's address, or its name where the server looked that up.
    pub(super) client: &'a str,
    pub(super) at: Millis,
    pub(super) method: Cow<'a, str>,
    /// What was asked for: a path with its query, or a whole address.
    pub(super) target: Cow<'a, str>,
    pub(super) status: u16,
    /// Empty where there was none.
    pub(super) referrer: Cow<'a, str>,
    /// Empty where there was none.
    pub(super) user_agent: Cow<'a, str>,
}

/// The months as in a log, whatever the server's language.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(line: &'a str) -> Result<Self, &'static str> {
        let (head, rest) = line.split_once(" [").ok_or("no time in [brackets]")?;
        let (time, rest) = rest.split_once(']').ok_or("no time in [brackets]")?;
        let at = moment(time).ok_or("the time is not as in [10/Oct/2000:13:55:36 -0700]")?;
        let mut fields = head.split_ascii_whitespace();
        let first = fields.next().ok_or("no client in front")?;
        let second = fields.next().ok_or("nothing between client and time")?;
        let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
        let (vhost, client) = if fields.clone().count() >= 2 && !is_address(first) && (is_address(second) || second.contains('.'))
        {
            (first.rsplit_once(':').map_or(first, |(host, _)| host), second)
        } else {
            ("", first)
        };
        let (request, rest) = quoted(rest).ok_or("no \"request\" in quotation marks")?;
        let (numbers, rest) = rest.split_once('"').ok_or("no referrer and user agent: not the combined format")?;
        let status = numbers.split_ascii_whitespace().next().and_then(|status| status.parse().ok()).ok_or("no status")?;
        let (referrer, rest) = quoted_tail(rest).ok_or("no referrer in quotation marks")?;
        let (user_agent, _) = quoted(rest).ok_or("no user agent in quotation marks")?;
        let (method, target) = match split(&request, ' ') {
            Some((method, rest)) => (method, split(&rest, ' ').map_or(rest, |(target, _)| target)),
            None => (request, Cow::Borrowed("")),
        };
        Ok(Self { vhost, client, at, method, target, status, referrer: or_empty(referrer), user_agent: or_empty(user_agent) })
    }
}

fn or_empty(text: Cow<'_, str>) -> Cow<'_, str> {
    if text == "-" { Cow::Borrowed("") } else { text }
}

fn split<'a>(text: &Cow<'a, str>, at: char) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    match text {
        Cow::Borrowed(text) => text.split_once(at).map(|(a, b)| (Cow::Borrowed(a), Cow::Borrowed(b))),
        Cow::Owned(text) => text.split_once(at).map(|(a, b)| (Cow::Owned(a.to_owned()), Cow::Owned(b.to_owned()))),
    }
}

/// What stands between the next quotation marks, and what follows.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    quoted_tail(text.split_once('"')?.1)
}

/// The same, behind the first of the marks. Servers escape marks and control characters: `\"`, `\\`, `\x0a`.
fn quoted_tail(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let plain = text.find(['"', '\\'])?;
    if text.as_bytes()[plain] == b'"' {
        return Some((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let mut bytes = text.as_bytes()[..plain].to_vec();
    let mut rest = &text[plain..];
    loop {
        let next = rest.find(['"', '\\'])?;
        bytes.extend_from_slice(&rest.as_bytes()[..next]);
        if rest.as_bytes()[next] == b'"' {
            return Some((Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()), &rest[next + 1..]));
        }
        let escaped = rest.get(next + 1..)?;
        let hex = escaped.strip_prefix('x').and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        rest = match hex {
            Some(byte) => {
                bytes.push(byte);
                &escaped[3..]
            }
            None => {
                let first = escaped.chars().next()?;
                let byte = match first {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                };
                bytes.extend_from_slice(byte.encode_utf8(&mut [0; 4]).as_bytes());
                &escaped[first.len_utf8()..]
            }
        };
    }
}

/// `10/Oct/2000:13:55:36 -0700`
fn moment(text: &str) -> Option<Millis> {
    let (date, clock) = text.trim().split_once(':')?;
    let mut date = date.split('/');
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    let month = MONTHS.iter().position(|known| known.eq_ignore_ascii_case(month))? + 1;
    let (clock, zone) = clock.split_once(' ')?;
    timestamp::parse(&format!("{year}-{month:02}-{day:0>2}T{clock}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_combined_format_is_read() {
        let line = r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif?a=b HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#;
        let line = Line::parse(line).unwrap();
        assert_eq!((line.client, line.vhost, line.status, &*line.method), ("127.0.0.1", "", 200, "GET"));
        assert_eq!(line.at, timestamp::parse("2000-10-10T20:55:36Z").unwrap());
        assert_eq!((&*line.target, &*line.referrer), ("/apache_pb.gif?a=b", "http://www.example.com/start.html"));
        assert_eq!(line.user_agent, "Mozilla/4.08 [en] (Win98; I ;Nav)");
    }

    #[test]
    fn virtual_hosts_escapes_and_more_fields_are_read() {
        let line = r#"www.example.com:443 2001:db8::1 - - [01/Feb/2026:00:00:01 +0000] "GET /a\"b\x41 HTTP/2.0" 304 - "-" "A \\ B" "extra" 0.001"#;
        let line = Line::parse(line).unwrap();
        assert_eq!((line.vhost, line.client, &*line.target), ("www.example.com", "2001:db8::1", "/a\"bA"));
        assert_eq!((&*line.referrer, &*line.user_agent), ("", "A \\ B"));
        let line = Line::parse(r#"dialup.example.net - - [01/Feb/2026:00:00:01 +0100] "-" 408 0 "-" "-""#).unwrap();
        assert_eq!((line.client, &*line.method, &*line.target, line.status), ("dialup.example.net", "-", "", 408));
    }

    #[test]
    fn what_is_something_else_says_why() {
        for (line, why) in [
            ("", "time"),
            ("garbage", "time"),
            (r#"1.2.3.4 - - [yesterday] "GET / HTTP/1.1" 200 1 "-" "-""#, "10/Oct/2000"),
            (r#"1.2.3.4 - - [31/Feb/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 1 "-" "-""#, "10/Oct/2000"),
            (r#"1.2.3.4 - - [01/Feb/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 1"#, "combined"),
            (r#"1.2.3.4 - - [01/Feb/2026:00:00:01 +0000] "GET / HTTP/1.1" x 1 "-" "-""#, "status"),
            (r#"1.2.3.4 - - [01/Feb/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 1 "-""#, "user agent"),
            (r#"1.2.3.4 - - [01/Feb/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 1 "-" "open"#, "user agent"),
        ] {
            let error = Line::parse(line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read(line in r#"([a-z0-9:. -]|"|\\|\[|\]|\\x|€|\[10/Oct/2000:13:55:36 -0700\] "){0,60}"#) {
            let _ = Line::parse(&line);
        }
    }
}
