//! The artifacts of a run: its experiment, and its best checkpoints.

use super::rest::{Problem, Server};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How deep folders of a checkpoint may lie.
const DEEPEST: usize = 4;

/// What was uploaded of a run.
pub(super) struct Uploads {
    /// Where the artifacts of the run are, as the server tells it.
    place: String,
    /// How many bytes of each file were sent; one more than it has where all have arrived.
    reached: BTreeMap<PathBuf, u64>,
}

impl Uploads {
    /// Nothing yet, to this place.
    pub(super) fn to(place: String) -> Uploads {
        Uploads { place, reached: BTreeMap::new() }
    }

    /// Uploads the experiment and the best checkpoints in a run's folder; what has arrived before is left out. Calls `moved` for
    /// each part that was not sent before.
    pub(super) fn send(&mut self, server: &mut Server, uri: &str, run: &Path, moved: &dyn Fn()) -> Result<(), Problem> {
        let Some(root) = served(&self.place) else {
            return Err(Problem::refused(format!(
                "`{uri}` keeps artifacts in `{}`, where this program can't write; start it with `--serve-artifacts`, or leave \
                 `artifacts` out",
                self.place
            )));
        };
        for file in files(run) {
            let told = |error: io::Error| Problem::refused(format!("`{}` can't be read: {error}", file.display()));
            let opened = File::open(run.join(&file)).map_err(told)?;
            let length = opened.metadata().map_err(told)?.len();
            let reached = self.reached.entry(file.clone()).or_default();
            if *reached > length {
                continue;
            }
            let name = file.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
            let mut content = Moving { file: opened.take(length), read: 0, reached, moved };
            server.put_artifact(&format!("{root}/{name}"), length, &mut content)?;
            *reached = length + 1;
            moved();
        }
        Ok(())
    }
}

/// What is uploaded, relative to the run's folder.
fn files(run: &Path) -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from("experiment.ron")];
    let checkpoints = Path::new("checkpoints");
    let entries = std::fs::read_dir(run.join(checkpoints)).into_iter().flatten().flatten();
    let mut best: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("best_"))
        .map(|entry| checkpoints.join(entry.file_name()))
        .collect();
    best.sort();
    best.iter().for_each(|path| list(run, path, 0, &mut files));
    files
}

/// The files of a folder, relative to the run's.
fn list(run: &Path, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(run.join(folder)) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = folder.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < DEEPEST => list(run, &path, depth + 1, files),
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}

/// A file that is being sent. A part that was not sent before is a sign that the server takes it; one that is sent again is none.
struct Moving<'a, R> {
    file: R,
    read: u64,
    reached: &'a mut u64,
    moved: &'a dyn Fn(),
}

impl<R: Read> Read for Moving<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read += read as u64;
        if self.read > *self.reached {
            *self.reached = self.read;
            (self.moved)();
        }
        Ok(read)
    }
}

/// The path of a run's artifacts below those that the server itself takes: `mlflow-artifacts:/0/abc/artifacts`, with or without a
/// host.
fn served(uri: &str) -> Option<&str> {
    let path = uri.strip_prefix("mlflow-artifacts:")?;
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.split_once('/')?.1,
        None => path.strip_prefix('/')?,
    };
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_that_the_server_takes_are_told_from_others() {
        assert_eq!(served("mlflow-artifacts:/0/abc/artifacts"), Some("0/abc/artifacts"));
        assert_eq!(served("mlflow-artifacts://host:5000/0/abc/artifacts"), Some("0/abc/artifacts"));
        for uri in ["file:///tmp/x", "s3://bucket/x", "/tmp/x", "", "mlflow-artifacts:", "mlflow-artifacts:/"] {
            assert_eq!(served(uri), None, "{uri}");
        }
    }
}
