use engine::prelude::*;
use std::collections::BTreeMap;

#[component]
struct CnnConfig {
    // mistake: flatten
    #[serde(flatten)]
    more: BTreeMap<String, f64>,
    // mistake: alias
    #[serde(alias = "channels")]
    width: i64,
    // mistake: a default that is hidden
    #[serde(default)]
    depth: i64,
    // mistake: two ways to read a field
    #[config(range = 1..)]
    #[serde(with = "seconds")]
    wait: u64,
    // mistake: a key that is hidden
    #[serde(rename = "leaky-slope")]
    slope: f64,
    // mistake: a key that is hidden on the way back
    #[serde(rename(serialize = "bias-term"))]
    bias: f64,
}

// mistake: keys that are hidden
#[component]
#[serde(rename_all = "camelCase")]
struct HeadConfig {
    hidden_units: i64,
}

// mistake: a name that is hidden
#[component]
#[serde(rename = "Tail")]
struct TailConfig {
    units: i64,
}

// mistake: a tag
#[component]
#[serde(tag = "kind")]
enum Norm {
    Batch { eps: f64 },
}

// mistake: no names
#[component]
#[serde(untagged)]
enum Size {
    One(i64),
    Two(i64, i64),
}

mod seconds {
    use engine::__private::serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(*value)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        u64::deserialize(deserializer)
    }
}

fn main() {
    let config = CnnConfig { more: BTreeMap::new(), width: 1, depth: 1, wait: 1, slope: 0.1, bias: 0.0 };
    let _ = (HeadConfig { hidden_units: 1 }.clone(), TailConfig { units: 1 }.clone());
    let _ = (config.clone(), Norm::Batch { eps: 0.1 }, Size::One(1), Size::Two(1, 2));
}
