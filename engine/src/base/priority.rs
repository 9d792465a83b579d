//! The order of hooks within a phase: lower levels run first.

use crate::base::suggest::did_you_mean;
use crate::base::words::LEVELS;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The level of a hook in the order of its phases, 0 (first) to 100 (last).
///
/// ```
/// use engine::base::Priority;
///
/// assert!(Priority::HIGH < Priority::NORMAL); // runs earlier
/// let between = Priority::new(25).unwrap();
/// assert!(Priority::HIGH < between && between < Priority::NORMAL);
/// assert_eq!((between.name(), Priority::HIGH.name()), (None, Some("HIGH")));
/// assert_eq!(Priority::new(101), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// 0, before all others.
    pub const HIGHEST: Priority = Priority(LEVELS[0].1);
    /// 10.
    pub const HIGHER: Priority = Priority(LEVELS[1].1);
    /// 20.
    pub const HIGH: Priority = Priority(LEVELS[2].1);
    /// 30, the default.
    pub const NORMAL: Priority = Priority(LEVELS[3].1);
    /// 40.
    pub const LOW: Priority = Priority(LEVELS[4].1);
    /// 50.
    pub const LOWER: Priority = Priority(LEVELS[5].1);
    /// 60, after all other named levels.
    pub const LOWEST: Priority = Priority(LEVELS[6].1);

    /// Any level from 0 to 100; `None` above 100.
    pub const fn new(level: u8) -> Option<Priority> {
        if level <= 100 { Some(Priority(level)) } else { None }
    }

    /// The number, 0 to 100.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The level's name, if it has one.
    pub fn name(self) -> Option<&'static str> {
        LEVELS.iter().find(|(_, level)| *level == self.0).map(|(name, _)| *name)
    }

    fn from_name(name: &str) -> Option<Priority> {
        LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| Priority(*level))
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Named levels as a unit variant (`HIGH`), others as their number.
impl Serialize for Priority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match LEVELS.iter().position(|(_, level)| *level == self.0) {
            Some(index) => serializer.serialize_unit_variant("Priority", index as u32, LEVELS[index].0),
            None => serializer.serialize_u8(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelVisitor)
    }
}

/// What a level can be, as a sentence ends.
fn levels() -> String {
    let names: Vec<String> = LEVELS.iter().map(|(name, _)| format!("`{name}`")).collect();
    format!("{} or an integer 0 to 100", names.join(", "))
}

struct LevelVisitor;

impl Visitor<'_> for LevelVisitor {
    type Value = Priority;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a level: {}", levels())
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Priority, E> {
        Priority::from_name(name).ok_or_else(|| match did_you_mean(name, LEVELS.iter().map(|(known, _)| *known)) {
            Some(meant) => E::custom(format!("unknown level `{name}`, did you mean `{meant}`?")),
            None => E::custom(format!("unknown level `{name}`, expected {}", levels())),
        })
    }

    fn visit_i64<E: de::Error>(self, level: i64) -> Result<Priority, E> {
        u8::try_from(level)
            .ok()
            .and_then(Priority::new)
            .ok_or_else(|| E::custom(format!("a level is 0 to 100, got {level}")))
    }

    fn visit_u64<E: de::Error>(self, level: u64) -> Result<Priority, E> {
        self.visit_i64(i64::try_from(level).unwrap_or(i64::MAX))
    }
}
