//! Which experiment a command reads, and what stands over its files.

use crate::base::Error;
use crate::cli::failure::Failure;
use crate::config::{Given, Kind, Node, print_line, to_node};
use crate::trainer::DeviceChoice;
use std::path::PathBuf;

/// The files, and what stands over them.
#[derive(Debug, clap::Args)]
pub(super) struct ExperimentArgs {
    /// The experiment file, or a run's folder, which holds its own; further files stand over it, each over the ones before
    #[arg(required = true, value_name = "EXP")]
    pub(super) experiments: Vec<PathBuf>,
    /// Puts the value of a file over the one at a path, `model=models/wide.ron`; as often as needed, before `--set`
    #[arg(long, value_name = "PATH=FILE")]
    pub(super) with: Vec<String>,
    /// Sets a value over the files, `optimizer.lr=0.01`; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// The run's name, instead of the file's
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The folder of all runs, instead of the file's
    #[arg(long, value_name = "DIR")]
    pub(super) work_dir: Option<PathBuf>,
    /// `cpu`, `cuda`, `cuda:1` or `auto`, instead of the file's
    #[arg(long, value_parser = device)]
    pub(super) device: Option<DeviceChoice>,
}

impl ExperimentArgs {
    /// What stands over the file besides `--set`.
    ///
    /// # Errors
    /// When the folder has a name that no experiment can hold.
    pub(super) fn given(&self) -> Result<Vec<Given>, Failure> {
        let mut given = Vec::new();
        if let Some(device) = &self.device {
            let value = to_node(device).map_err(Error::new)?;
            let text = print_line(&value);
            given.push(Given { option: "--device", text, path: "device".to_owned(), value });
        }
        if let Some(name) = &self.name {
            let value = Node::new(Kind::Str(name.clone()));
            given.push(Given { option: "--name", text: name.clone(), path: "name".to_owned(), value });
        }
        if let Some(work_dir) = &self.work_dir {
            let Some(text) = work_dir.to_str().map(str::to_owned) else {
                let what = "is not UTF-8, so the experiment that a run saves can't name it; choose another folder";
                return Err(Failure::Usage(format!("`--work-dir {}` {what}", work_dir.display())));
            };
            let value = Node::new(Kind::Str(text.clone()));
            given.push(Given { option: "--work-dir", text, path: "work_dir".to_owned(), value });
        }
        Ok(given)
    }
}

/// A device as the command line names it.
pub(super) fn device(text: &str) -> Result<DeviceChoice, String> {
    let lower = text.to_lowercase();
    let index =
        lower.strip_prefix("cuda:").or_else(|| lower.strip_prefix("cuda(").and_then(|rest| rest.strip_suffix(')')));
    match (lower.as_str(), index) {
        ("cpu", _) => Ok(DeviceChoice::Cpu),
        ("auto", _) => Ok(DeviceChoice::Auto),
        ("cuda", _) => Ok(DeviceChoice::Cuda(0)),
        (_, Some(index)) => {
            index.parse().map(DeviceChoice::Cuda).map_err(|_| format!("`{index}` is not a device number"))
        }
        _ => Err("expected `cpu`, `cuda`, `cuda:1` or `auto`".to_owned()),
    }
}

/// What to write instead of `optimizer.lr=0.1` where no value can stand.
pub(super) fn set_instead(argument: &str) -> Option<String> {
    let (path, _) = argument.split_once('=')?;
    let is_path = !path.is_empty() && path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    is_path.then(|| format!("to set a value, write `--set {argument}`"))
}
