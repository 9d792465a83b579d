//! What a run leaves behind, as far as it may be compared with another run.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Values that differ from run to run: the time of day, and how fast the machine was.
pub(crate) const TIMES: [&str; 7] =
    ["time", "iter_time", "data_time", "comm_time", "slowest_rank", "samples_per_second", "eta"];

/// Every tensor file of the newest checkpoint: weights, and what optimizers, averages and generators hold.
pub(crate) fn tensors(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let checkpoint = newest(run);
    let mut tensors = BTreeMap::new();
    for folder in ["", "run", "ranks/0"] {
        let files = std::fs::read_dir(checkpoint.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors")) {
            let name = path.strip_prefix(&checkpoint).unwrap().to_string_lossy().into_owned();
            tensors.insert(name, std::fs::read(&path).unwrap());
        }
    }
    for name in ["net.safetensors", "run/state.safetensors", "ranks/0/state.safetensors"] {
        assert!(tensors.contains_key(name), "no `{name}` among {:?}", tensors.keys());
    }
    tensors
}

/// The lines of a checkpoint's state, but for what tells how long something took, and how long rows are that tell it.
pub(crate) fn state(checkpoint: &Path) -> String {
    let text = std::fs::read_to_string(checkpoint.join("run/state.ron")).unwrap();
    let of_time = |line: &&str| {
        let key = line.trim_start().split('"').nth(1).unwrap_or_default();
        let key = key.rsplit('/').next().unwrap_or_default();
        TIMES.contains(&key) || ["position", "pending", "summed", "sums"].contains(&key)
    };
    text.lines().filter(|line| !of_time(line)).collect::<Vec<_>>().join("\n")
}

/// The checkpoint that `latest` names.
pub(crate) fn newest(run: &Path) -> PathBuf {
    let checkpoints = run.join("checkpoints");
    let latest = std::fs::read_to_string(checkpoints.join("latest")).unwrap();
    checkpoints.join(latest.trim())
}

/// The names of all checkpoints, sorted.
pub(crate) fn checkpoints(run: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(run.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries.filter(|path| path.is_dir()).map(|path| name(&path)).collect();
    names.sort();
    names
}

/// The rows of `metrics.jsonl` without the values that depend on time.
pub(crate) fn rows(run: &Path) -> Vec<Value> {
    let mut rows = timed_rows(run);
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        TIMES.iter().for_each(|name| drop(row.remove(*name)));
    }
    rows
}

/// The rows of `metrics.jsonl` as they are.
pub(crate) fn timed_rows(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines of `log.txt` without their time stamps.
pub(crate) fn log(run: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("log.txt")).unwrap();
    let unstamped = |line: &str| {
        let (stamp, text) = line.split_once(' ').unwrap();
        assert!(stamp.len() == 20 && stamp.ends_with('Z'), "{line}");
        text.to_owned()
    };
    text.lines().map(unstamped).collect()
}

/// Two runs that must have come to the same.
#[track_caller]
pub(crate) fn assert_same(one: &Path, other: &Path, what: &str) {
    let (rows_of_one, rows_of_other) = (rows(one), rows(other));
    for (index, (a, b)) in rows_of_one.iter().zip(&rows_of_other).enumerate() {
        assert_eq!(a, b, "{what}: row {index} differs");
    }
    assert_eq!(rows_of_one.len(), rows_of_other.len(), "{what}: {rows_of_other:#?}");
    let (one, other) = (tensors(one), tensors(other));
    assert!(one.keys().eq(other.keys()), "{what}");
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "{what}: `{name}` differs");
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
