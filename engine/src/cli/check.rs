//! `check`: every mistake of every file.

use crate::cli::args::Style;
use crate::cli::failure::Failure;
use crate::cli::loaded::check_is_no_setting;
use crate::cli::out;
use crate::config::{ConfigErrors, Over, load_over};
use crate::trainer::{Build, Experiment, Purpose};
use std::path::{Path, PathBuf};

/// Reads all files that are named, each by itself or all as one experiment; a name with `*`, `?` or `[..]` that is no file
/// stands for all that it matches.
pub(super) fn check<T: Build>(given: &[PathBuf], together: bool, over: &Over, style: &Style) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in given {
        check_is_no_setting(path)?;
        files.extend(expand(path)?);
    }
    let experiments: Vec<&[PathBuf]> = match together {
        true => vec![&files],
        false => files.chunks(1).collect(),
    };
    let mut wrong: Vec<ConfigErrors> = Vec::new();
    for files in &experiments {
        let read = load_over(files, over).and_then(|document| Experiment::<T>::from_document(&document, Purpose::Run));
        match read {
            Ok(_) if style.quiet => {}
            Ok(_) => {
                let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
                out::line(format_args!("{}: ok", names.join(" ")))?;
            }
            Err(errors) => wrong.push(errors),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    if experiments.len() == 1 {
        return wrong.pop().map_or(Ok(()), |errors| Err(errors.into()));
    }
    for errors in &wrong {
        out::error_line(format_args!("{}\n", errors.render(style.color.stderr().0)));
    }
    let mistakes: usize = wrong.iter().map(|errors| errors.diagnostics.len()).sum();
    let plural = if mistakes == 1 { "" } else { "s" };
    Err(Failure::Usage(format!("{mistakes} mistake{plural} in {} of {} files", wrong.len(), experiments.len())))
}

/// The files that a name stands for, sorted.
fn expand(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let text = path.to_string_lossy();
    if path.symlink_metadata().is_ok() || !text.contains(['*', '?', '[']) {
        return Ok(vec![path.to_owned()]);
    }
    let matches =
        glob::glob(&text).map_err(|error| Failure::Usage(format!("`{text}` is not a valid pattern: {error}")))?;
    let mut files = Vec::new();
    for found in matches {
        // files in a folder that can't be read would go unchecked
        let path = found.map_err(|unread| {
            let (folder, error) = (unread.path().display(), unread.error());
            Failure::Usage(format!("can't look for files in `{folder}`: {error}"))
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    match files.is_empty() {
        true => Err(Failure::Usage(format!("`{text}` matches no file"))),
        false => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_that_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let locked = dir.path().join("locked");
        fs::create_dir(&locked).unwrap();
        fs::write(dir.path().join("a.ron"), "").unwrap();
        fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
        // nothing is locked for root
        if fs::read_dir(&locked).is_err() {
            let Err(Failure::Usage(text)) = expand(&dir.path().join("**/*.ron")) else { panic!("nothing is told") };
            assert!(text.starts_with(&format!("can't look for files in `{}`: ", locked.display())), "{text}");
        }
        fs::set_permissions(&locked, Permissions::from_mode(0o700)).unwrap();
        assert_eq!(expand(&dir.path().join("**/*.ron")).ok(), Some(vec![dir.path().join("a.ron")]));
    }
}
