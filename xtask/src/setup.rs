//! Which libtorch this checkout builds with.
//!
//! The variables `LIBTORCH_USE_PYTORCH` and `LIBTORCH` come first, then what an earlier set-up chose, then the user's
//! cache.

use crate::args::Device;
use crate::bring;
use crate::cache;
use crate::cargo_config::{Settings, Source};
use crate::libtorch::{Kind, Libtorch, TORCH_VERSION, inspect};
use crate::machine::{self, Driver};
use crate::problem::{Doing, Problem, Result};
use crate::python;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

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
        Choice::Cache(kind) => (bring::libtorch(&cache::folder("libtorch")?, kind)?, Source::Cache),
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

/// The libtorch that the checkout at `root` builds with; where none was chosen yet, it is chosen now. Whatever variables
/// and drivers there are: what is made for it has to fit what it builds.
pub(crate) fn of_checkout(root: &Path) -> Result<Libtorch> {
    match Settings::of(root) {
        // its version was looked at when it was chosen
        Some(recorded) => inspect(&recorded.home, true).map_err(|problem| {
            let text = format!("the libtorch of this checkout is not there any more: {}", problem.text());
            Problem::new(text).mended_by(FORGET)
        }),
        None => set_up(root, None),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn recorded(home: &str, source: Source) -> Settings {
        Settings { home: home.into(), source, device: Device::Auto }
    }

    fn variable(home: &str) -> Variables {
        Variables { libtorch: Some(home.into()), ..Variables::default() }
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
    fn a_checkout_keeps_the_libtorch_that_it_builds_with() {
        let scratch = Scratch::new("of-checkout");
        scratch.file("torch/lib/libtorch_cpu.so", "");
        scratch.file("torch/include/ATen/ATen.h", "");
        scratch.file("torch/build-version", "2.10.0");
        scratch.file(".cargo/config.toml", "");
        let home = scratch.path().join("torch");
        // a CUDA build that a driver would ask for, or another folder in `LIBTORCH`, is not looked for
        Settings { device: Device::Cuda, ..recorded(home.to_str().unwrap(), Source::Cache) }
            .write(scratch.path())
            .unwrap();
        let written = fs::read_to_string(scratch.path().join(".cargo/libtorch.toml")).unwrap();
        assert_eq!(of_checkout(scratch.path()).unwrap().home, home);
        assert_eq!(fs::read_to_string(scratch.path().join(".cargo/libtorch.toml")).unwrap(), written);
        fs::remove_dir_all(&home).unwrap();
        let problem = of_checkout(scratch.path()).unwrap_err().to_string();
        assert!(problem.starts_with("the libtorch of this checkout is not there any more"), "{problem}");
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
