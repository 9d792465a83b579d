//! Programs of others that tests compare with, each in a Python environment of its own in the user's cache.
//!
//! A test that needs one is in a module `peers` of its test program, is ignored by plain `cargo test`, and finds the
//! environment's Python in a variable. An environment is complete when the list that it was made from lies in it: that is
//! written last. Another list makes another environment, so checkouts of several versions do not disturb each other.

use crate::cache;
use crate::problem::{Doing, Problem, Result};
use crate::python::Python;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What tests compare with.
struct Peer {
    /// The name of its environment.
    name: &'static str,
    /// The variable in which tests find its Python.
    variable: &'static str,
    /// The package that has to be there when all is done.
    module: &'static str,
    /// The list of its packages for pip, with versions and hashes.
    pins: &'static str,
    /// The oldest and the newest 3.x that the list has wheels for.
    pythons: (u32, u32),
    /// What there is to download, in megabytes.
    megabytes: u32,
}

const PYTORCH: Peer = Peer {
    name: "pytorch",
    variable: "ENGINE_PEER_PYTORCH",
    module: "torch",
    pins: include_str!("pytorch.txt"),
    pythons: (11, 14),
    megabytes: 2500,
};

/// For the bench alone. They need PyTorch and what it needs, which is in the environment above: here only a package is
/// looked for that stands alone.
const ENGINES: Peer = Peer {
    name: "engines",
    variable: "ENGINE_PEER_ENGINES",
    module: "tqdm",
    pins: include_str!("engines.txt"),
    pythons: (11, 14),
    megabytes: 100,
};

const PEERS: [Peer; 5] = [
    Peer {
        name: "mlflow",
        variable: "ENGINE_PEER_MLFLOW",
        module: "mlflow",
        pins: include_str!("mlflow.txt"),
        pythons: (11, 14),
        megabytes: 230,
    },
    Peer {
        name: "playwright",
        variable: "ENGINE_PEER_PLAYWRIGHT",
        module: "playwright",
        pins: include_str!("playwright.txt"),
        pythons: (11, 14),
        megabytes: 45,
    },
    Peer {
        name: "tensorboard",
        variable: "ENGINE_PEER_TENSORBOARD",
        module: "tensorboard",
        pins: include_str!("tensorboard.txt"),
        pythons: (11, 14),
        megabytes: 60,
    },
    PYTORCH,
    Peer {
        name: "moto",
        variable: "ENGINE_PEER_MOTO",
        module: "moto",
        pins: include_str!("moto.txt"),
        pythons: (11, 14),
        megabytes: 30,
    },
];

/// Brings what is not there, and gives the variables that tests ask for.
pub(crate) fn bring() -> Result<Vec<(&'static str, String)>> {
    let folder = cache::folder("peers")?;
    PEERS.iter().map(|peer| Ok((peer.variable, peer.bring(&folder)?))).collect()
}

/// What runs PyTorch, and what runs the engines of Python beside it: a Python, and the packages that it is to find too.
pub(crate) struct Bench {
    pub(crate) pytorch: String,
    pub(crate) engines: String,
    pub(crate) packages: PathBuf,
}

/// Brings what the bench compares with.
pub(crate) fn bring_for_bench() -> Result<Bench> {
    let folder = cache::folder("peers")?;
    let (pytorch, engines) = (PYTORCH.bring(&folder)?, ENGINES.bring(&folder)?);
    let lib = PYTORCH.home(&folder).join("lib");
    // `lib/python3.12/site-packages`, and nothing else
    let python = fs::read_dir(&lib).doing(|| format!("read `{}`", lib.display()))?.flatten().next();
    let packages = python.map(|python| python.path().join("site-packages"));
    let packages = packages.ok_or_else(|| Problem::new(format!("`{}` is empty", lib.display())))?;
    Ok(Bench { pytorch, engines, packages })
}

impl Peer {
    /// The Python of its environment below `folder`, which is made if it is not there.
    fn bring(&self, folder: &Path) -> Result<String> {
        let home = self.home(folder);
        let python = home.join("bin/python");
        if !self.is_complete(&home) {
            let maker = Python::between(self.pythons.0, self.pythons.1)?;
            let _lock = cache::lock(folder)?;
            // another set-up may have made it while this one waited
            if !self.is_complete(&home) {
                self.make(&maker, &home)?;
            }
        }
        let path = python.to_str().map(String::from);
        path.ok_or_else(|| Problem::new(format!("the path `{}` is not UTF-8", python.display())))
    }

    fn make(&self, maker: &Python, home: &Path) -> Result<()> {
        eprintln!("==> bringing {} with pip (about {} MB)", self.name, self.megabytes);
        if home.exists() {
            // what a stopped set-up has left, or the environment of a Python that is gone
            fs::remove_dir_all(home).doing(|| format!("remove `{}`", home.display()))?;
        }
        let wanted = home.join("wanted.txt");
        fs::create_dir_all(home)
            .and_then(|()| fs::write(&wanted, self.pins))
            .doing(|| format!("write to `{}`", home.display()))?;
        maker.environment(home, &wanted)?;
        fs::rename(&wanted, home.join(STAMP)).doing(|| format!("write to `{}`", home.display()))?;
        if !self.is_complete(home) {
            let text = format!("pip has installed {}, but `import {}` fails", self.name, self.module);
            let mend = format!("{}/bin/python -c 'import {}' says why", home.display(), self.module);
            return Err(Problem::new(text).mended_by(mend));
        }
        eprintln!("    {} is in `{}`", self.name, home.display());
        Ok(())
    }

    fn home(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}-{:016x}", self.name, fingerprint(self.pins)))
    }

    /// Whether all of the list was installed, and the Python that it was installed for is still there.
    fn is_complete(&self, home: &Path) -> bool {
        let imports = || {
            let mut python = Command::new(home.join("bin/python"));
            let python = python.args(["-I", "-c", &format!("import {}", self.module)]);
            let status = python.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        fs::read_to_string(home.join(STAMP)).is_ok_and(|stamp| stamp == self.pins) && imports()
    }
}

/// The list that a complete environment was made from.
const STAMP: &str = "installed.txt";

/// FNV-1a: tells lists apart, the same in every release of Rust.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn every_package_of_a_list_has_one_version_and_its_hashes() {
        for peer in PEERS.iter().chain([&ENGINES]) {
            let packages = peer.pins.replace("\\\n", " ");
            let packages: Vec<&str> = packages.lines().filter(|line| !line.starts_with('#')).collect();
            assert!(packages.iter().any(|line| line.replace('-', "_").starts_with(peer.module)), "{packages:?}");
            for package in packages {
                let (pin, hashes) = package.split_once(' ').unwrap();
                assert_eq!(pin.split("==").count(), 2, "{package}");
                for hash in hashes.split_whitespace() {
                    assert!(hash.strip_prefix("--hash=sha256:").is_some_and(|hash| hash.len() == 64), "{package}");
                }
            }
        }
    }

    /// A peer without packages, whose module Python itself has.
    fn empty(pins: &'static str) -> Peer {
        let module = "json";
        Peer { name: "empty", variable: "EMPTY", module, pins, pythons: (3, 99), megabytes: 0 }
    }

    #[test]
    fn an_environment_is_made_once_and_again_where_it_is_not_whole() {
        let scratch = Scratch::new("peers");
        let peer = empty("# nothing\n");
        let home = peer.home(scratch.path());
        let mark = home.join("made.once");
        // as a set-up leaves it that is stopped on its way
        scratch.file(home.join("wanted.txt").to_str().unwrap(), "# nothing\n");
        std::os::unix::fs::symlink("/nowhere", home.join("gone")).unwrap();
        let python = peer.bring(scratch.path()).unwrap();
        assert!(home.join("gone").symlink_metadata().is_err());
        fs::write(&mark, "").unwrap();
        assert_eq!(peer.bring(scratch.path()), Ok(python.clone()));
        assert!(mark.exists(), "made again");
        // its Python was removed
        fs::remove_file(&python).unwrap();
        peer.bring(scratch.path()).unwrap();
        assert!(!mark.exists() && Path::new(&python).exists());
    }

    #[test]
    fn another_list_is_another_environment() {
        let folder = Path::new("/cache");
        assert_ne!(empty("# one\n").home(folder), empty("# two\n").home(folder));
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
