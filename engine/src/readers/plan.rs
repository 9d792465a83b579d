//! What a training planned, and what its parts took while it was profiled.

use super::place;
use crate::folder::{PLAN, RunPlan};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// A longer plan is no run's.
const LONGEST: u64 = 64 << 20;
/// The folder of the traces, and how the name of one begins and ends: `iters_11-20.json`.
const TRACES: &str = "profile";
const TRACE: (&str, &str) = ("iters_", ".json");
/// The engine's own events come first in a trace; one of libtorch's ends the reading, and so does a line like no event's.
const KINDS: [&str; 5] = ["phase", "hook", "step", "data", "checkpoint"];
/// Lines in front of the events.
const MOST_BEFORE: usize = 1000;
/// The longest line.
const LONGEST_LINE: u64 = 1 << 20;
/// The most events that are read: a hook for each iter of a long profile.
const MOST_EVENTS: usize = 200_000;

/// The plan of a run; `None` where there is none that can be read.
pub fn plan(folder: &Path) -> Option<RunPlan> {
    let file = place::open(folder, PLAN).ok()?;
    serde_json::from_reader(BufReader::new(file.take(LONGEST))).ok()
}

/// What the parts of a training took, by a profile of some of its iters.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// The first and the last iter of the profile.
    pub iters: (u64, u64),
    /// Each part, in alphabetical order.
    pub parts: Vec<Cost>,
}

/// What a part took.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// `phase`, `hook`, `step`, `data` or `checkpoint`.
    pub kind: String,
    /// `ema in after_optimizer_step`.
    pub name: String,
    /// How often it was done.
    pub calls: u64,
    /// Microseconds of all calls together.
    pub micros: f64,
}

/// What the newest profile of a run tells; `None` without any.
pub fn costs(folder: &Path) -> Option<Costs> {
    let folder = folder.join(TRACES);
    if !place::is_folder(&folder) {
        return None;
    }
    let iters = |name: &str| {
        let (first, last) = name.strip_prefix(TRACE.0)?.strip_suffix(TRACE.1)?.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    };
    let names = std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.file_name());
    let found = names.filter_map(|name| Some((iters(name.to_str()?)?, name.to_str()?.to_owned())));
    let (iters, name) = found.max()?;
    let sums = sums(place::open(&folder, &name).ok()?)?;
    let parts = sums.into_iter().map(|((kind, name), (calls, micros))| Cost { kind, name, calls, micros });
    Some(Costs { iters, parts: parts.collect() })
}

/// The calls and the time of the engine's events of a trace, by kind and name.
fn sums(trace: File) -> Option<BTreeMap<(String, String), (u64, f64)>> {
    let mut lines = BufReader::new(trace);
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', line).ok()?;
        (read > 0).then_some(())
    };
    for _ in 0..MOST_BEFORE {
        next(&mut line)?;
        if line.trim_ascii_end().ends_with(b"\"traceEvents\": [") {
            break;
        }
    }
    let mut sums: BTreeMap<(String, String), (u64, f64)> = BTreeMap::new();
    for _ in 0..MOST_EVENTS {
        if next(&mut line).is_none() {
            break;
        }
        let text = line.trim_ascii();
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(text.strip_suffix(b",").unwrap_or(text)) else {
            break;
        };
        // the names of threads come behind the engine's events
        let Some(kind) = event["cat"].as_str().filter(|kind| KINDS.contains(kind)) else { break };
        let (Some(name), Some(micros)) = (event["name"].as_str(), event["dur"].as_f64()) else { break };
        let sum = sums.entry((kind.to_owned(), name.to_owned())).or_default();
        *sum = (sum.0 + 1, sum.1 + micros);
    }
    Some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_profile_is_summed_up_to_what_is_not_the_engines() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(costs(dir.path()), None);
        let folder = dir.path().join(TRACES);
        std::fs::create_dir(&folder).unwrap();
        let event = |kind: &str, name: &str, micros: f64| {
            format!(r#"{{"cat":"{kind}","dur":{micros:?},"name":"{name}","ph":"X","pid":1,"tid":2,"ts":3.5}},"#)
        };
        let text = [
            "{\n  \"schemaVersion\": 1,\n  \"traceEvents\": [".to_owned(),
            event("hook", "ema in after_optimizer_step", 70.5),
            event("step", "backward", 7000.0),
            event("hook", "ema in after_optimizer_step", 29.5),
            r#"{"args":{"name":"main"},"name":"thread_name","ph":"M","pid":1,"tid":2},"#.to_owned(),
            event("hook", "of libtorch", 1.0),
        ]
        .join("\n");
        std::fs::write(folder.join("iters_11-20.json"), text).unwrap();
        std::fs::write(folder.join("iters_1-2.json"), "nonsense").unwrap();
        std::fs::write(folder.join("iters_99.json"), "{}").unwrap();
        let found = costs(dir.path()).unwrap();
        assert_eq!(found.iters, (11, 20));
        let parts: Vec<_> = found.parts.iter().map(|part| (part.name.as_str(), part.calls, part.micros)).collect();
        assert_eq!(parts, [("ema in after_optimizer_step", 2, 100.0), ("backward", 1, 7000.0)]);
        // one that a run is just writing, or that is none
        std::fs::write(folder.join("iters_31-40.json"), "{\n\"traceEvents\": [\n{\"cat\":\"ho").unwrap();
        assert_eq!(costs(dir.path()).unwrap().parts, []);
        std::fs::write(folder.join("iters_41-50.json"), "\u{0}\n".repeat(5000)).unwrap();
        assert_eq!(costs(dir.path()).unwrap().parts, []);
    }

    #[test]
    fn a_plan_that_is_none_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(plan(dir.path()), None);
        for text in ["", "[]", "{}", "{\"max_iters\":-1}"] {
            std::fs::write(dir.path().join(PLAN), text).unwrap();
            assert_eq!(plan(dir.path()), None, "{text}");
        }
        let whole = RunPlan { max_iters: 3, moments: vec![0, 1, 2], ..RunPlan::default() };
        std::fs::write(dir.path().join(PLAN), serde_json::to_vec(&whole).unwrap()).unwrap();
        assert_eq!(plan(dir.path()), Some(whole));
    }
}
