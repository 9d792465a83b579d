//! Which libtorch this checkout builds with, and whether it is the right one.
//!
//! The variables `LIBTORCH_USE_PYTORCH` and `LIBTORCH` come first, then what an earlier set-up
//! chose, then the user's cache. A folder is taken only after it was looked into: the libraries are
//! there, and their version is the one that the bindings in `Cargo.toml` were made for.

use crate::args::Device;
use crate::bring;
use crate::cargo_config::{Settings, Source};
use crate::machine::{self, Driver};
use crate::problem::{Doing, Problem, Result};
use crate::python;
use std::env;
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

/// The variables that have a say, as they were when xtask started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    /// `LIBTORCH`.
    pub(crate) libtorch: Option<PathBuf>,
    /// Whether `LIBTORCH_USE_PYTORCH` is set; the bindings ask no more of it either.
    pub(crate) use_pytorch: bool,
    /// Whether `LIBTORCH_BYPASS_VERSION_CHECK` is set.
    pub(crate) any_version: bool,
}

impl Variables {
    /// Reads them.
    pub(crate) fn read() -> Self {
        Self {
            libtorch: env::var_os("LIBTORCH").filter(|value| !value.is_empty()).map(PathBuf::from),
            use_pytorch: env::var_os("LIBTORCH_USE_PYTORCH").is_some(),
            any_version: env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_some(),
        }
    }
}

/// Where libtorch is to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// From the torch of the Python in use.
    Python,
    /// From this folder.
    Folder(PathBuf, Source),
    /// From the user's cache.
    Cache(Kind),
}

/// Chooses where libtorch is to come from.
///
/// cargo hands `LIBTORCH` of its own settings to every program it runs, and so to xtask: a value
/// that equals the recorded one says nothing new, and what was recorded with it decides.
pub(crate) fn choose(variables: &Variables, recorded: Option<&Settings>, device: Device, driver: Driver) -> Choice {
    if variables.use_pytorch {
        return Choice::Python;
    }
    let new = variables.libtorch.as_ref().filter(|home| recorded.is_none_or(|recorded| recorded.home != **home));
    if let Some(home) = new {
        return Choice::Folder(home.clone(), Source::Variable);
    }
    match recorded {
        Some(recorded) if recorded.source != Source::Cache => Choice::Folder(recorded.home.clone(), recorded.source),
        _ => Choice::Cache(match device {
            Device::Cpu => Kind::Cpu,
            Device::Cuda => Kind::Cuda,
            Device::Auto if driver.is_usable() => Kind::Cuda,
            Device::Auto => Kind::Cpu,
        }),
    }
}

/// Makes sure that libtorch is there, and that the checkout at `root` points to it.
pub(crate) fn set_up(root: &Path, asked: Option<Device>) -> Result<Libtorch> {
    machine::cxx()?;
    let variables = Variables::read();
    let recorded = Settings::of(root);
    let device = asked.or(recorded.as_ref().map(|recorded| recorded.device)).unwrap_or(Device::Auto);
    let (libtorch, source) = match choose(&variables, recorded.as_ref(), device, machine::driver()) {
        Choice::Python => (inspect(&python::torch_home()?, variables.any_version)?, Source::Python),
        Choice::Folder(home, source) => (chosen(&home, source, &variables)?, source),
        Choice::Cache(kind) => (bring::libtorch(&cache()?, kind)?, Source::Cache),
    };
    if asked == Some(Device::Cuda) && libtorch.kind == Kind::Cpu {
        let text = format!(
            "`--device cuda` was asked, but the libtorch of `{}` is for the CPU only: `{}`",
            source.word(),
            libtorch.home.display()
        );
        return Err(Problem::new(text).mended_by(FORGET));
    }
    Settings { home: libtorch.home.clone(), source, device }.write(root)?;
    Ok(libtorch)
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

/// Where this project keeps libtorch for all checkouts of this user.
pub(crate) fn cache() -> Result<PathBuf> {
    // a relative XDG_CACHE_HOME is to be ignored, says the specification that names it
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache"));
    let cache = xdg.or_else(home).ok_or_else(|| {
        Problem::new("neither HOME nor XDG_CACHE_HOME says where your cache is")
            .mended_by("export XDG_CACHE_HOME=/some/folder")
    })?;
    Ok(cache.join("engine/libtorch"))
}

/// How to get from a libtorch of one's own back to that of this project.
pub(crate) const FORGET: &str = "unset LIBTORCH LIBTORCH_USE_PYTORCH; rm -f .cargo/libtorch.toml; cargo xtask setup";

/// A folder that somebody named: it must be right, and is never changed.
fn chosen(home: &Path, source: Source, variables: &Variables) -> Result<Libtorch> {
    let home =
        fs::canonicalize(home).doing(|| format!("open the folder `{}` that {} names", home.display(), source.word()));
    home.and_then(|home| inspect(&home, variables.any_version)).map_err(|problem| {
        let text = format!("{} names an unsuitable folder: {}", source.word(), problem.text());
        Problem::new(text).mended_by(format!("{FORGET}    (takes libtorch {TORCH_VERSION} from the cache instead)"))
    })
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

    fn recorded(home: &str, source: Source) -> Settings {
        Settings { home: home.into(), source, device: Device::Auto }
    }

    fn variable(home: &str) -> Variables {
        Variables { libtorch: Some(home.into()), ..Variables::default() }
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

    #[test]
    fn variables_come_before_the_cache() {
        let both = Variables { use_pytorch: true, ..variable("/opt/torch") };
        assert_eq!(choose(&both, None, Device::Cpu, Driver::Missing), Choice::Python);
        let folder = Choice::Folder("/opt/torch".into(), Source::Variable);
        assert_eq!(choose(&variable("/opt/torch"), None, Device::Cpu, Driver::Missing), folder);
        let cache = recorded("/cache/torch", Source::Cache);
        assert_eq!(choose(&variable("/opt/torch"), Some(&cache), Device::Cpu, Driver::Missing), folder);
    }

    #[test]
    fn variable_that_cargo_set_by_itself_is_not_a_choice() {
        let cache = recorded("/cache/torch", Source::Cache);
        assert_eq!(
            choose(&variable("/cache/torch"), Some(&cache), Device::Auto, Driver::Missing),
            Choice::Cache(Kind::Cpu)
        );
    }

    #[test]
    fn folder_once_chosen_by_the_variable_stays_chosen() {
        let own = recorded("/opt/torch", Source::Variable);
        let folder = Choice::Folder("/opt/torch".into(), Source::Variable);
        assert_eq!(choose(&variable("/opt/torch"), Some(&own), Device::Auto, Driver::Missing), folder);
        assert_eq!(choose(&Variables::default(), Some(&own), Device::Auto, Driver::Missing), folder);
    }

    #[test]
    fn device_decides_the_kind_and_a_driver_decides_for_auto() {
        let kind = |device, driver| choose(&Variables::default(), None, device, driver);
        assert_eq!(kind(Device::Auto, Driver::Found(Some(580))), Choice::Cache(Kind::Cuda));
        assert_eq!(kind(Device::Auto, Driver::Found(Some(470))), Choice::Cache(Kind::Cpu));
        assert_eq!(kind(Device::Cpu, Driver::Found(Some(580))), Choice::Cache(Kind::Cpu));
        assert_eq!(kind(Device::Cuda, Driver::Missing), Choice::Cache(Kind::Cuda));
    }
}
