//! `cargo xtask gpu-bundle`: one folder that proves CUDA on a machine that has a GPU and no Rust.
//!
//! Everything is built here, against the CUDA build of libtorch in the user's cache, in a target folder of its own: the
//! checkout goes on with the libtorch that it has. The programs find libtorch where `run.sh` tells them, in the Python
//! of the other machine, so they carry no path of this one.

mod build;
mod elf;
mod layout;

use crate::bring;
use crate::cache;
use crate::libtorch::{Kind, TORCH_VERSION};
use crate::machine;
use crate::problem::Result;
use std::path::{Path, PathBuf};

/// What the bundle may weigh, in bytes.
const LIMIT: u64 = 60_000_000;

/// Builds the bundle into `out`, or below `target` when no folder is named.
pub(crate) fn make(root: &Path, out: Option<PathBuf>) -> Result<()> {
    machine::cxx()?;
    let libtorch = bring::libtorch(&cache::folder("libtorch")?, Kind::Cuda)?;
    let target = root.join("target/gpu-bundle");
    let out = out.unwrap_or_else(|| target.join("bundle"));
    // before the long part: a folder that is not ours is told at once
    layout::may_be_replaced(&out)?;
    let programs = build::programs(root, &libtorch, &target)?;
    let needs = programs.iter().map(|program| elf::needs(&program.path)).collect::<Result<Vec<_>>>()?;
    let needs = elf::all(&needs);
    layout::fill(root, &out, &programs, &about(root, &needs))?;
    let files = layout::sizes(&out)?;
    layout::within(&files, LIMIT)?;
    let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    println!(
        "the bundle is in `{}`: {}, of at most {}",
        out.display(),
        layout::megabytes(total),
        layout::megabytes(LIMIT)
    );
    for (name, bytes) in files.iter().take(5) {
        println!("  {:>8}  {name}", layout::megabytes(*bytes));
    }
    println!("its programs need {}", needs.describe());
    println!(
        "next: copy it to a machine with an NVIDIA driver and Python with torch {TORCH_VERSION}, and run ./run.sh there"
    );
    Ok(())
}

/// What the bundle says of itself, one fact a line; the first is what a table of results shows.
fn about(root: &Path, needs: &elf::Needs) -> String {
    let commit = build::commit(root).unwrap_or_else(|| "no commit: not in a git repository".to_owned());
    format!("commit {commit}\nlibtorch {TORCH_VERSION} for CUDA\nneeds {}\n", needs.describe())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// The scripts of the bundle have tests of their own, in the language they are written in.
    #[test]
    fn the_scripts_of_the_bundle_pass_their_tests() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/gpu_bundle/files/parts/test_support.py");
        let output = Command::new("python3").arg(script).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn the_scripts_are_python_that_is_read_without_a_mistake() {
        const READ: &str = "import ast, sys\nfor path in sys.argv[1:]: ast.parse(open(path).read(), path)";
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/gpu_bundle/files");
        let scripts = super::layout::files_below(std::path::Path::new(folder)).unwrap();
        let scripts: Vec<_> = scripts.iter().filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
        assert!(scripts.len() >= 8, "{scripts:?}");
        let output = Command::new("python3").args(["-c", READ]).args(scripts).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
