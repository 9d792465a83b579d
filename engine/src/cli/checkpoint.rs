//! Which checkpoint `--checkpoint` means.

use crate::base::Error;
use crate::checkpoint::{CheckpointError, LATEST, TensorFile, latest_in, newest_valid};
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::folder::CHECKPOINTS;
use std::path::{Path, PathBuf};

/// The checkpoint that is meant. `run` is the folder of the experiment's own run, for `last` and `best`; a file or folder of
/// such a name goes first. A run's folder means its newest one; newer ones that can't be used are told.
pub(super) fn resolve(path: PathBuf, run: &Path) -> Result<PathBuf, Failure> {
    let word = path.to_str().filter(|_| path.metadata().is_err()).map(str::to_owned);
    match word.as_deref() {
        Some("last") => return newest(run),
        Some("best") => return best(run, None),
        Some(word) if word.starts_with("best:") => return best(run, word.strip_prefix("best:")),
        _ => {}
    }
    if let Err(error) = path.metadata() {
        let what = "name a checkpoint's folder, a run's folder, a `.safetensors` file, `last` or `best`";
        return Err(Failure::Usage(format!("the checkpoint `{}` can't be read: {error}; {what}", path.display())));
    }
    // the file that names the newest checkpoint of a run stands for it
    if path.is_file()
        && path.file_name().is_some_and(|name| name == LATEST)
        && let Some(name) = latest_in(&path)
    {
        return Ok(path.with_file_name(name));
    }
    if path.join(CHECKPOINTS).is_dir() { newest(&path) } else { Ok(path) }
}

/// As [`resolve`], for a checkpoint that a training goes on from: a whole one, in a folder.
pub(super) fn whole(path: PathBuf, run: &Path) -> Result<PathBuf, Failure> {
    let found = resolve(path, run)?;
    if found.is_dir() {
        return Ok(found);
    }
    let what = match TensorFile::open(&found) {
        Err(error @ CheckpointError::Pickled(_)) => return Err(Failure::Usage(error.to_string())),
        Ok(_) => "holds weights alone",
        Err(_) => "is not a checkpoint",
    };
    Err(Failure::Usage(format!(
        "`{}` {what}, and a training goes on from a whole checkpoint; name its folder, or begin with weights by `--weights`",
        found.display()
    )))
}

/// The newest checkpoint of a run that can be read; newer ones that can't be are told.
pub(super) fn newest(run: &Path) -> Result<PathBuf, Failure> {
    let newest = newest_valid(&run.join(CHECKPOINTS)).map_err(Error::from)?;
    for (_, why) in &newest.unusable {
        out::error_line(format_args!("warning: a checkpoint can't be used: {why}"));
    }
    match newest.found {
        Some((path, _)) => Ok(path),
        None => Err(Error::msg(format!("the run in `{}` has no checkpoint yet", run.display())).into()),
    }
}

/// The checkpoint that `save_best` keeps for a metric, or the only one that it keeps.
fn best(run: &Path, metric: Option<&str>) -> Result<PathBuf, Failure> {
    let checkpoints = run.join(CHECKPOINTS);
    let entries = std::fs::read_dir(&checkpoints).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| vec![]);
    let mut kept: Vec<String> = entries
        .iter()
        .filter_map(|entry| entry.file_name().to_str().map(str::to_owned))
        .filter(|name| name.starts_with(crate::hooks::BEST))
        .collect();
    kept.sort();
    if let Some(metric) = metric {
        let wanted = crate::hooks::best_name(metric);
        if kept.contains(&wanted) {
            return Ok(checkpoints.join(wanted));
        }
    }
    match (&kept[..], metric) {
        ([only], None) => Ok(checkpoints.join(only)),
        ([], _) => Err(Failure::Usage(format!(
            "the run in `{}` keeps no best checkpoint; `hooks: (checkpoint: (save_best: [..]))` asks for one, `--checkpoint last` \
             takes the newest",
            run.display()
        ))),
        (several, _) => {
            let names: Vec<String> =
                several.iter().map(|name| format!("`{}`", checkpoints.join(name).display())).collect();
            let asked = metric.map_or("`best` could be any".to_owned(), |metric| format!("none is that of `{metric}`"));
            Err(Failure::Usage(format!("{asked} of {}; name one of them", names.join(", "))))
        }
    }
}
