//! `name:`, the name of a run.

use crate::folder::{self, DATE};
use crate::sinks;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// The name of a run: the folder below `work_dir`.
///
/// `"digits"` is one folder. `Fresh("digits")` is a new one for each run that begins: `digits`, `digits-2`, `digits-3`, ….
/// `{date}` within a name is the day (UTC) on which the run begins. A run that has begun has a name without either; its
/// `experiment.ron` says it.
///
/// ```
/// use engine::trainer::RunName;
///
/// assert_eq!(RunName::from("digits").to_string(), "digits");
/// assert_eq!(RunName::fresh("digits").to_string(), "Fresh(\"digits\")");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName {
    text: String,
    fresh: bool,
}

impl RunName {
    /// A name with a number behind it where there is one already.
    pub fn fresh(name: impl Into<String>) -> Self {
        RunName { text: name.into(), fresh: true }
    }

    /// The name as it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether each run that begins gets a folder of its own.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether it is known which folder it names.
    pub(crate) fn is_settled(&self) -> bool {
        !self.fresh && !self.text.contains(DATE)
    }

    /// The name of a run that begins now, without its number.
    pub(crate) fn begun(&self) -> String {
        self.text.replace(DATE, &sinks::date())
    }

    /// The newest run of this name that there is.
    pub(crate) fn newest(&self, work_dir: &Path) -> Option<String> {
        match self.is_settled() {
            true => Some(self.text.clone()),
            false => folder::newest(work_dir, &self.text, self.fresh),
        }
    }

    /// The folder of the newest run of this name, or what the first one would be called.
    pub fn folder_in(&self, work_dir: &Path) -> PathBuf {
        work_dir.join(self.newest(work_dir).unwrap_or_else(|| self.begun()))
    }

    /// What is wrong with it.
    pub(crate) fn mistake(&self) -> Option<String> {
        if let Err(error) = folder::check_name(&self.text) {
            return Some(error.to_string());
        }
        let unknown = self.text.match_indices('{').find(|(at, _)| !self.text[*at..].starts_with(DATE))?;
        let word: String = self.text[unknown.0..].split_inclusive('}').next().unwrap_or_default().to_owned();
        Some(format!("`{word}` in a name stands for nothing; `{DATE}` is the day on which a run begins"))
    }
}

impl From<&str> for RunName {
    fn from(name: &str) -> Self {
        RunName { text: name.to_owned(), fresh: false }
    }
}

impl From<String> for RunName {
    fn from(text: String) -> Self {
        RunName { text, fresh: false }
    }
}

/// As a file writes it, without the quotes of a plain name.
impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fresh {
            true => write!(f, "Fresh({:?})", self.text),
            false => f.write_str(&self.text),
        }
    }
}

/// A name as a file writes it that begins a folder of its own.
#[derive(Serialize, Deserialize)]
pub(super) enum Numbered {
    Fresh(String),
}

impl From<Numbered> for RunName {
    fn from(Numbered::Fresh(text): Numbered) -> Self {
        RunName::fresh(text)
    }
}

impl Serialize for RunName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.fresh {
            true => Numbered::Fresh(self.text.clone()).serialize(serializer),
            false => serializer.serialize_str(&self.text),
        }
    }
}
