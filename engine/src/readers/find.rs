//! Where runs are.

use super::place::is_folder;
use crate::folder::{EXPERIMENT, METRICS};
use std::path::{Path, PathBuf};

/// How deep runs may lie below a folder that is named.
const DEEPEST: usize = 4;
/// More runs than a page can show.
const MOST: usize = 2000;

/// Whether a folder is that of a run: it holds a run's experiment or rows.
pub fn is_run(folder: &Path) -> bool {
    let holds = |name: &str| folder.join(name).symlink_metadata().is_ok_and(|found| found.is_file());
    holds(EXPERIMENT) || holds(METRICS)
}

/// The runs in a folder, sorted by path: the folder itself, or those below it. Links are not followed. A folder that
/// can't be read has none.
pub fn find_runs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look(folder, 0, &mut found);
    found.sort();
    found
}

fn look(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if found.len() >= MOST {
        return;
    }
    if is_run(folder) {
        found.push(folder.to_owned());
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && depth < DEEPEST && is_folder(&entry.path()) {
            look(&entry.path(), depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_below_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join(METRICS), "").unwrap();
        };
        ["b", "a/inner", ".hidden", "a/inner/checkpoints/no", "1/2/3/4", "1/2/3/4/5/6"].into_iter().for_each(make);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
        let found = find_runs(dir.path());
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["1/2/3/4", "a/inner", "b"]);
        assert_eq!(find_runs(&dir.path().join("b")), [dir.path().join("b")]);
        assert!(find_runs(&dir.path().join("missing")).is_empty());
    }
}
