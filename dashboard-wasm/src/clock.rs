//! How a time of the day is written: by 24 hours, or by twice twelve.
use crate::locale::{Writer, found};

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Hour,
    Minute,
    /// Which half of the day.
    Half,
    Text(String),
}

/// The parts of a time, and the names of the halves of the day.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    parts: Vec<Part>,
    /// Before and after noon, where hours are counted twice.
    halves: Option<[String; 2]>,
    /// Whether hours have two digits.
    wide: bool,
}

const HOUR: i64 = 3600;

impl Clock {
    /// What the writer's samples tell.
    #[must_use]
    pub fn read(writer: &impl Writer) -> Option<Self> {
        let write = |hour: i64| writer.moment(hour * HOUR, &[("timeStyle", "short")]);
        let (morning, evening) = (write(9)?, write(21)?);
        let part = |(kind, text): &(String, String)| match &**kind {
            "hour" => Part::Hour,
            "minute" => Part::Minute,
            "dayPeriod" => Part::Half,
            _ => Part::Text(text.clone()),
        };
        Some(Self {
            parts: morning.iter().map(part).collect(),
            halves: found(&morning, "dayPeriod").zip(found(&evening, "dayPeriod")).map(|(before, after)| [before, after]),
            wide: found(&morning, "hour")?.len() > 1,
        })
    }

    /// `10:00`.
    #[must_use]
    pub fn english() -> Self {
        Self { parts: vec![Part::Hour, Part::Text(":".to_owned()), Part::Minute], halves: None, wide: true }
    }

    /// A time; a whole hour of twelve without its minutes: `10 AM`.
    #[must_use]
    pub fn write(&self, hour: u8, minute: u8) -> String {
        let twelve = self.halves.is_some();
        let shown = if twelve { (hour + 11) % 12 + 1 } else { hour };
        let bare = twelve && minute == 0;
        let mut out = String::new();
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Hour if self.wide => out.push_str(&format!("{shown:02}")),
                Part::Hour => out.push_str(&shown.to_string()),
                Part::Minute if bare => {}
                Part::Minute => out.push_str(&format!("{minute:02}")),
                Part::Half => out.extend(self.halves.as_ref().and_then(|halves| halves.get(usize::from(hour >= 12))).cloned()),
                Part::Text(_) if bare && parts.peek() == Some(&&Part::Minute) => {}
                Part::Text(text) => out.push_str(text),
            }
        }
        out
    }
}
