//! The folder of the bundle: what lies where, and what it may weigh.

use crate::gpu_bundle::build::Program;
use crate::problem::{Doing, Problem, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Says what the bundle is of; a folder that has it is one of ours.
const ABOUT: &str = "bundle.txt";

/// What is copied from the checkout: from where, and to where in the bundle. Folders with all that is in them.
const COPIED: [(&str, &str); 2] = [("xtask/src/gpu_bundle/files", ""), ("examples/digits/experiments", "experiments")];

/// Refuses a folder that holds anything but an older bundle.
pub(super) fn may_be_replaced(out: &Path) -> Result<()> {
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).doing(|| format!("read `{}`", out.display())),
    };
    if entries.count() == 0 || out.join(ABOUT).is_file() {
        return Ok(());
    }
    let problem = Problem::new(format!("`{}` holds something that is no bundle", out.display()));
    Err(problem.mended_by("name another folder with --out"))
}

/// Makes the bundle anew in `out`.
pub(super) fn fill(root: &Path, out: &Path, programs: &[Program], about: &str) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out).doing(|| format!("remove `{}`", out.display()))?;
    }
    let bin = out.join("bin");
    fs::create_dir_all(&bin).doing(|| format!("create `{}`", bin.display()))?;
    for (from, to) in COPIED {
        copy_all(&root.join(from), &out.join(to))?;
    }
    for Program { name, path } in programs {
        copy(path, &bin.join(name))?;
    }
    fs::write(out.join(ABOUT), about).doing(|| format!("write to `{}`", out.display()))
}

/// The files of the bundle with their bytes, the largest first.
pub(super) fn sizes(out: &Path) -> Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    for path in files_below(out)? {
        let bytes = fs::metadata(&path).doing(|| format!("look at `{}`", path.display()))?.len();
        files.push((path.strip_prefix(out).unwrap_or(&path).display().to_string(), bytes));
    }
    files.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(files)
}

/// Refuses a bundle that is too heavy, with its largest files.
pub(super) fn within(files: &[(String, u64)], limit: u64) -> Result<()> {
    let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    if total <= limit {
        return Ok(());
    }
    let largest: Vec<String> =
        files.iter().take(3).map(|(name, bytes)| format!("{name} ({})", megabytes(*bytes))).collect();
    Err(Problem::new(format!(
        "the bundle has {}, and may have {}; its largest files are {}",
        megabytes(total),
        megabytes(limit),
        largest.join(", ")
    )))
}

/// `12.3 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

/// Copies what lies in a folder; what Python has left there and tests stay behind.
fn copy_all(from: &Path, to: &Path) -> Result<()> {
    for path in files_below(from)? {
        let within = path.strip_prefix(from).unwrap_or(&path);
        let name = within.file_name().unwrap_or_default().to_string_lossy();
        if within.components().any(|part| part.as_os_str() == "__pycache__") || name.starts_with("test_") {
            continue;
        }
        copy(&path, &to.join(within))?;
    }
    Ok(())
}

/// Copies a file with its permissions, which say whether it is a program.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, to))
        .and_then(|_| {
            let program = fs::metadata(from)?.permissions().mode() & 0o111 != 0;
            fs::set_permissions(to, fs::Permissions::from_mode(if program { 0o755 } else { 0o644 }))
        })
        .doing(|| format!("copy `{}` to `{}`", from.display(), to.display()))
}

/// All files below a folder, by their names.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).doing(|| format!("read `{}`", folder.display()))?;
    for entry in entries {
        let path = entry.doing(|| format!("read `{}`", folder.display()))?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn checkout(scratch: &Scratch) {
        scratch.file("xtask/src/gpu_bundle/files/run.sh", "#!/bin/sh\n");
        scratch.file("xtask/src/gpu_bundle/files/parts/smoke.py", "print()\n");
        scratch.file("xtask/src/gpu_bundle/files/parts/__pycache__/smoke.pyc", "");
        scratch.file("xtask/src/gpu_bundle/files/parts/test_support.py", "");
        scratch.file("examples/digits/experiments/digits.ron", "Experiment()");
        scratch.file("target/digits", "a program");
        for program in ["xtask/src/gpu_bundle/files/run.sh", "target/digits"] {
            fs::set_permissions(scratch.path().join(program), fs::Permissions::from_mode(0o700)).unwrap();
        }
    }

    fn filled(scratch: &Scratch) -> PathBuf {
        let out = scratch.path().join("bundle");
        let programs = [Program { name: "digits", path: scratch.path().join("target/digits") }];
        may_be_replaced(&out).unwrap();
        fill(scratch.path(), &out, &programs, "commit 1\n").unwrap();
        out
    }

    #[test]
    fn the_bundle_has_programs_scripts_and_experiments_and_nothing_that_python_left() {
        let scratch = Scratch::new("bundle-fill");
        checkout(&scratch);
        let out = filled(&scratch);
        let mut names: Vec<String> = sizes(&out).unwrap().into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, ["bin/digits", "bundle.txt", "experiments/digits.ron", "parts/smoke.py", "run.sh"]);
        let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("run.sh"), mode("bin/digits"), mode("parts/smoke.py")), (0o755, 0o755, 0o644));
    }

    #[test]
    fn an_older_bundle_is_replaced_and_any_other_folder_left_alone() {
        let scratch = Scratch::new("bundle-replace");
        checkout(&scratch);
        fs::write(filled(&scratch).join("old.txt"), "").unwrap();
        assert!(!filled(&scratch).join("old.txt").exists());
        scratch.file("work/thesis.tex", "");
        let refused = may_be_replaced(&scratch.path().join("work")).unwrap_err();
        assert!(refused.to_string().contains("--out"), "{refused}");
    }

    #[test]
    fn a_bundle_that_is_too_heavy_is_refused_with_its_largest_files() {
        let files = [("bin/digits".to_owned(), 50_000_000), ("bin/step".to_owned(), 12_300_000)];
        assert!(within(&files, 62_300_000).is_ok());
        let refused = within(&files, 60_000_000).unwrap_err().to_string();
        assert!(refused.contains("has 62.3 MB, and may have 60.0 MB") && refused.contains("bin/digits (50.0 MB)"));
    }
}
