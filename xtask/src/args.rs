//! The command line of a task: a few flags, read by hand to keep the task runner quick to compile.
use std::fmt;

/// What is left to read of the command line.
pub(crate) struct Args(Vec<String>);

/// The command line cannot be understood; the text says which word.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl Args {
    pub(crate) fn from_env() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Takes `name` off the line and says whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != name);
        self.0.len() < before
    }

    /// Takes `name VALUE` or `name=VALUE` off the line.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, Usage> {
        let joined = format!("{name}=");
        let Some(at) = self.0.iter().position(|word| word == name || word.starts_with(&joined)) else {
            return Ok(None);
        };
        let word = self.0.remove(at);
        if let Some(value) = word.strip_prefix(&joined) {
            return Ok(Some(value.to_owned()));
        }
        if at < self.0.len() {
            return Ok(Some(self.0.remove(at)));
        }
        Err(Usage(format!("{name} needs a value.")))
    }

    /// As [`Args::value`], read as a `T`.
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self, name: &str, what: &str) -> Result<Option<T>, Usage> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        value.parse().map(Some).map_err(|_| Usage(format!("{name} is {value:?}, but must be {what}.")))
    }

    /// Takes the first word that is no flag off the line.
    pub(crate) fn word(&mut self) -> Option<String> {
        let at = self.0.iter().position(|word| !word.starts_with('-'))?;
        Some(self.0.remove(at))
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Usage> {
        match self.0.first() {
            None => Ok(()),
            Some(word) => Err(Usage(format!("{word:?} is not understood."))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn flags_and_values_come_in_any_order() {
        let mut line = args("start --no-demo --port 9000 --data=here");
        assert_eq!(line.word().as_deref(), Some("start"));
        assert_eq!(line.parsed::<u16>("--port", "a port").unwrap(), Some(9000));
        assert_eq!(line.value("--data").unwrap().as_deref(), Some("here"));
        assert!(line.flag("--no-demo"));
        assert!(!line.flag("--no-demo"));
        line.end().unwrap();
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(args("--port").value("--port").unwrap_err().0.contains("--port"));
        assert!(args("--port x").parsed::<u16>("--port", "a port").unwrap_err().0.contains("\"x\""));
        assert!(args("--prot 1").end().unwrap_err().0.contains("--prot"));
    }
}
