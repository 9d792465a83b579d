//! Experiments as the commands read them.

use crate::base::{ErrorContext as _, Result};
use crate::cli::experiment_args::{ExperimentArgs, set_instead};
use crate::cli::failure::Failure;
use crate::cli::show;
use crate::config::{self, Document, Given, Kind, Node, Over};
use crate::folder::EXPERIMENT;
use crate::trainer::{Build, BuildErrors, Experiment, Purpose};
use std::path::{Path, PathBuf};

pub(super) fn document(args: &ExperimentArgs) -> Result<Document, Failure> {
    document_with(args, Vec::new())
}

/// The same, with what further options give.
fn document_with(args: &ExperimentArgs, more: Vec<Given>) -> Result<Document, Failure> {
    for path in &args.experiments {
        check_is_no_setting(path)?;
    }
    let before = match args.experiments.as_slice() {
        [alone] => place_of_run(alone)?,
        // the others say where the run is
        _ => Vec::new(),
    };
    let after = [args.given()?, more].concat();
    let over = Over { before, with: args.with.clone(), sets: args.set.clone(), after };
    Ok(config::load_over(&args.experiments, &over)?)
}

/// Refuses a value where a file has to stand.
pub(super) fn check_is_no_setting(path: &Path) -> Result<(), Failure> {
    match path.to_str().filter(|_| !path.exists()).and_then(|text| Some((text, set_instead(text)?))) {
        Some((text, help)) => Err(Failure::Usage(format!("there is no file `{text}`; {help}"))),
        None => Ok(()),
    }
}

/// What the place of a run's folder says over the experiment in it: a run that was moved or copied goes on where it is.
fn place_of_run(path: &Path) -> Result<Vec<Given>, Failure> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    if !path.join(EXPERIMENT).is_file() {
        let text = format!(
            "`{}` is a folder without an `{EXPERIMENT}`: it holds neither a run nor an experiment",
            path.display()
        );
        return Err(Failure::Usage(text));
    }
    let folder = path.canonicalize().with_context(|| format!("`{}` can't be read", path.display()))?;
    let (Some(work_dir), Some(name)) = (folder.parent(), folder.file_name()) else { return Ok(Vec::new()) };
    let given = |path: &str, text: Option<&str>| {
        let value = Node::new(Kind::Str(text?.to_owned()));
        Some(Given { option: "EXP", text: folder.display().to_string(), path: path.to_owned(), value })
    };
    Ok([given("work_dir", work_dir.to_str()), given("name", name.to_str())].into_iter().flatten().collect())
}

/// One experiment of a comparison.
pub(super) fn side<T: Build>(path: &Path) -> Result<show::Side, Failure> {
    let document = config::load(path)?;
    let root = Experiment::<T>::from_document(&document, Purpose::Inspect)?.to_node()?;
    Ok(show::Side::new(root, document))
}

/// An experiment, and the text of it that mistakes point into.
pub(super) struct Loaded<T: Build> {
    pub(super) experiment: Experiment<T>,
    document: Document,
}

impl<T: Build> Loaded<T> {
    /// Reads it.
    pub(super) fn read(args: &ExperimentArgs, purpose: Purpose) -> Result<Self, Failure> {
        Self::read_with(args, Vec::new(), purpose)
    }

    /// The same, with what further options give.
    pub(super) fn read_with(args: &ExperimentArgs, more: Vec<Given>, purpose: Purpose) -> Result<Self, Failure> {
        let document = document_with(args, more)?;
        Ok(Loaded { experiment: Experiment::from_document(&document, purpose)?, document })
    }

    /// The run's folder: of several that the name stands for, the newest.
    pub(super) fn folder(&self) -> PathBuf {
        self.experiment.name.folder_in(&self.experiment.work_dir)
    }

    /// The files that it is made of, and those that it names: no output may take their place.
    pub(super) fn inputs(&self) -> Vec<PathBuf> {
        let Document { sources, root } = &self.document;
        let mut files: Vec<PathBuf> = sources.names().map(PathBuf::from).collect();
        root.each_text(&mut |text, span| files.push(sources.folder(span).join(text)));
        files
    }

    /// Hands the experiment over; what is wrong with it after all is shown in its text.
    pub(super) fn used_by<R>(self, run: impl FnOnce(Experiment<T>) -> Result<R>) -> Result<R, Failure> {
        let Loaded { experiment, document } = self;
        run(experiment).map_err(|error| match error.downcast_ref::<BuildErrors>() {
            Some(errors) => errors.in_document(&document).into(),
            None => Failure::Run(error),
        })
    }
}
