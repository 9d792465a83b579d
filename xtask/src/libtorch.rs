//! What a libtorch is: a folder with the libraries and headers of the version that the bindings in `Cargo.toml` were made
//! for. A folder is taken only after it was looked into.

use crate::problem::{Problem, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The torch that belongs to the `tch` of `Cargo.toml`. A newer pair is these two lines.
pub(crate) const TORCH_VERSION: &str = "2.11.0";

/// What a libtorch can compute on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The CPU alone.
    Cpu,
    /// The CPU, and NVIDIA GPUs where there are some.
    Cuda,
}

impl Kind {
    /// The word in the names of folders and in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

/// A libtorch that was looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Libtorch {
    /// The folder with `lib` and `include`.
    pub(crate) home: PathBuf,
    /// What it can compute on.
    pub(crate) kind: Kind,
    /// Its version, without what follows a `+`.
    pub(crate) version: String,
}

/// Looks into `home`: are the libraries there, of which kind and version are they?
pub(crate) fn inspect(home: &Path, any_version: bool) -> Result<Libtorch> {
    let shown = home.display();
    if !home.join("lib/libtorch_cpu.so").is_file() {
        return Err(Problem::new(format!("no libtorch in `{shown}`: there is no `lib/libtorch_cpu.so`")));
    }
    if !home.join("include/ATen/ATen.h").is_file() {
        return Err(Problem::new(format!("no headers of libtorch in `{shown}`: there is no `include/ATen/ATen.h`")));
    }
    let version = version_of(home)?;
    if version != TORCH_VERSION && !any_version {
        return Err(Problem::new(format!(
            "the libtorch in `{shown}` is {version}, but this project needs {TORCH_VERSION}"
        )));
    }
    let kind = if home.join("lib/libtorch_cuda.so").is_file() { Kind::Cuda } else { Kind::Cpu };
    Ok(Libtorch { home: home.to_path_buf(), kind, version })
}

/// The version that a folder says it has: `build-version` of a libtorch, `version.py` of a Python
/// package.
fn version_of(home: &Path) -> Result<String> {
    let plain = fs::read_to_string(home.join("build-version")).ok().map(|text| release(text.trim()).to_owned());
    let python = || version_of_python(&fs::read_to_string(home.join("version.py")).ok()?);
    plain.or_else(python).ok_or_else(|| {
        Problem::new(format!(
            "cannot tell the version of the libtorch in `{}`: it has neither `build-version` nor `version.py`",
            home.display()
        ))
    })
}

fn version_of_python(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("__version__"))?;
    Some(release(line.split(['\'', '"']).nth(1)?).to_owned())
}

/// `2.11.0` of `2.11.0+cu130`.
fn release(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn fake(scratch: &Scratch) {
        scratch.file("lib/libtorch_cpu.so", "");
        scratch.file("include/ATen/ATen.h", "");
    }

    #[test]
    fn version_is_read_from_either_file_without_its_build_tag() {
        for (file, text) in [
            ("build-version", "2.11.0+cpu\n"),
            ("version.py", "from x import y\n__version__ = '2.11.0+cu130'\ndebug = False\n"),
        ] {
            let scratch = Scratch::new(&format!("version-{file}"));
            fake(&scratch);
            scratch.file(file, text);
            assert_eq!(inspect(scratch.path(), false).map(|found| found.version), Ok("2.11.0".into()));
        }
    }

    #[test]
    fn other_version_is_refused_unless_that_is_wanted() {
        let scratch = Scratch::new("other-version");
        fake(&scratch);
        scratch.file("build-version", "2.10.0\n");
        let text = inspect(scratch.path(), false).unwrap_err().to_string();
        assert!(text.contains("2.10.0") && text.contains(TORCH_VERSION), "{text}");
        assert!(inspect(scratch.path(), true).is_ok());
    }

    #[test]
    fn folder_without_libraries_headers_or_version_is_refused() {
        let scratch = Scratch::new("incomplete");
        assert!(inspect(scratch.path(), false).unwrap_err().text().contains("libtorch_cpu.so"));
        scratch.file("lib/libtorch_cpu.so", "");
        assert!(inspect(scratch.path(), false).unwrap_err().text().contains("ATen.h"));
        scratch.file("include/ATen/ATen.h", "");
        assert!(inspect(scratch.path(), false).unwrap_err().text().contains("build-version"));
    }
}
