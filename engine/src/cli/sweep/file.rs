//! `Sweep(..)`: a sweep file with its base, checked by the types of the trainer.

use crate::cli::sweep::halving::Halve;
use crate::cli::sweep::over::space;
use crate::cli::sweep::space::{Dimension, Pick, Values, grid_size};
use crate::cli::sweep::written::{By, Said, Written};
use crate::config::{
    ConfigErrors, Diagnostic, Diagnostics, Document, Kind, Node, Over, Span, Texts, load_layers_into, with_includes,
};
use crate::metric::Better;
use crate::trainer::{Build, DeviceChoice, Experiment, Purpose, planned_iters};
use std::path::{Path, PathBuf};

/// More trials than anyone runs.
const MOST_TRIALS: usize = 100_000;

/// A sweep that is sound.
#[derive(Debug)]
pub(super) struct Sweep {
    /// The base's experiment with the texts that mistakes point into; references are not followed yet.
    base: Document,
    /// The folder of all runs, `work_dir` of the base.
    pub(super) work_dir: PathBuf,
    /// The sweep's folder in it.
    pub(super) name: String,
    pub(super) space: Vec<Dimension>,
    pub(super) by: By,
    pub(super) trials: usize,
    /// The metric that says how good a trial is.
    pub(super) watch: String,
    pub(super) better: Better,
    /// Which trials go on, where they are trained in parts.
    pub(super) halve: Option<Halve>,
    /// Where that is written.
    halve_at: Option<Node>,
    pub(super) parallel: usize,
    pub(super) seed: u64,
    /// Where the base runs.
    pub(super) device: DeviceChoice,
}

impl Sweep {
    /// Puts a sweep file over its base. `texts` are read in the place of files.
    pub(super) fn new<T: Build>(written: Written, path: &Path, texts: Option<&Texts>) -> Result<Sweep, ConfigErrors> {
        let Written { said, document } = written;
        // named as they are written, for messages
        let folder = path.parent().unwrap_or(Path::new(""));
        let document = with_includes(document, folder, texts)?;
        let diagnostics = Diagnostics::new();
        let space = space(&document, &diagnostics);
        diagnostics.into_result(&document.sources)?;
        let base = base(&document, &said, folder, texts)?;
        // mistakes of the base alone would be told again with every value
        let experiment = Experiment::<T>::from_document(&base.clone().resolved(), Purpose::Run)?;
        let wrong = |mistake: Diagnostic| ConfigErrors::new(base.sources.clone(), vec![mistake]);
        let trials = trials(said.by, &space, document.root.get("by")).map_err(|mistake| wrong(*mistake))?;
        let better = Experiment::<T>::better_of(&base.clone().resolved(), &said.watch)
            .map_err(|mistake| wrong(Diagnostic { span: said.watch_at, ..*mistake }.at("watch")))?;
        let halve_at = document.root.get("halve").cloned();
        let halving = said.halve.as_ref().zip(halve_at.as_ref());
        if let Some(mistake) = halving.and_then(|(halve, node)| halve.mistake(node, experiment.train.max_iters)) {
            return Err(wrong(mistake));
        }
        let Said { name, by, watch, halve, parallel, seed, .. } = said;
        let (work_dir, device) = (experiment.work_dir.clone(), experiment.device);
        Ok(Sweep { base, work_dir, name, space, by, trials, watch, better, halve, halve_at, parallel, seed, device })
    }

    /// The names and texts of all files that it was read from.
    pub(super) fn texts(&self) -> Texts {
        self.base.sources.all().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// What is checked before the first trial: every value, and the rungs.
    pub(super) fn check<T: Build>(&self) -> Result<(), ConfigErrors> {
        self.try_values::<T>()?;
        match self.rung_behind_the_end::<T>() {
            Some(mistake) => Err(ConfigErrors::new(self.base.sources.clone(), vec![mistake])),
            None => Ok(()),
        }
    }

    /// A rung that no trial comes to. Trials of different lengths are not looked at: a rung behind the end of one is its end.
    fn rung_behind_the_end<T: Build>(&self) -> Option<Diagnostic> {
        let (halve, node) = (self.halve.as_ref()?, self.halve_at.as_ref()?);
        let may_be_longer = |dimension: &Dimension| {
            ["train", "loaders", "trainer"].iter().any(|section| {
                dimension.path.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        if self.space.iter().any(may_be_longer) {
            return None;
        }
        let experiment = self.experiment::<T>("0000", &self.firsts()).ok()?;
        // data that can't be opened here are told by the trials
        halve.mistake(node, Some(planned_iters(experiment).ok()?))
    }

    fn firsts(&self) -> Vec<Pick> {
        self.space.iter().map(|dimension| dimension.tried()[0]).collect()
    }

    /// The experiment of a trial.
    pub(super) fn experiment<T: Build>(&self, name: &str, picks: &[Pick]) -> Result<Experiment<T>, ConfigErrors> {
        let mut document = self.base.clone();
        let mut found = Vec::new();
        for (dimension, pick) in self.space.iter().zip(picks) {
            found.extend(document.lay(&dimension.path, dimension.at, dimension.node(*pick)).err().unwrap_or_default());
        }
        let text = |text: &Path| Node::new(Kind::Str(text.to_string_lossy().into_owned()));
        let folder = self.work_dir.join(&self.name);
        for (path, value) in [("work_dir", folder.as_path()), ("name", Path::new(name))] {
            found.extend(document.root.put(path, text(value)).err().map(|mistake| *mistake));
        }
        match found.is_empty() {
            true => Experiment::from_document(&document.resolved(), Purpose::Run),
            false => Err(ConfigErrors::new(document.sources, found)),
        }
    }

    /// Every value of every dimension, beside the first value of the others; all mistakes at once.
    pub(super) fn try_values<T: Build>(&self) -> Result<(), ConfigErrors> {
        let firsts = self.firsts();
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for (index, dimension) in self.space.iter().enumerate() {
            let with = |pick: Pick| {
                let mut picks = firsts.clone();
                picks[index] = pick;
                self.experiment::<T>("0000", &picks)
            };
            for (nth, pick) in dimension.tried().into_iter().enumerate().filter(|(nth, _)| *nth > 0 || index == 0) {
                let Err(errors) = with(pick) else { continue };
                let mut found = errors.diagnostics;
                // whole numbers are allowed there, and others are not
                if let Pick::Float(value) = pick
                    && value.fract() != 0.0
                    && with(Pick::Float(value.round())).is_ok()
                    && let Some(integers) = integers(&dimension.values)
                {
                    found = found.into_iter().map(|mistake| mistake.help(format!("use `{integers}`"))).collect();
                }
                wrong.extend(found);
                // what is wrong with all first values is wrong with every combination
                if index == 0 && nth == 0 {
                    break;
                }
            }
        }
        let diagnostics = Diagnostics::new();
        wrong.into_iter().for_each(|mistake| diagnostics.push(mistake));
        diagnostics.into_result(&self.base.sources)
    }
}

/// The experiment that a sweep varies.
fn base(document: &Document, said: &Said, folder: &Path, texts: Option<&Texts>) -> Result<Document, ConfigErrors> {
    let files: Vec<PathBuf> = said.base.iter().map(|base| folder.join(base)).collect();
    let told = load_layers_into(document.sources.clone(), &files, &Over::default(), texts);
    told.map_err(|mut errors| {
        // what is told of a whole file stands where the file is named
        for mistake in errors.diagnostics.iter_mut().filter(|mistake| !mistake.span.is_some()) {
            (mistake.span, mistake.path) = (said.base_at, "base".to_owned());
        }
        errors
    })
}

/// `Int(1, 8)`, which draws the integers of a range of floats.
fn integers(values: &Values) -> Option<String> {
    match values {
        Values::Uniform(low, high) | Values::LogUniform(low, high) => {
            Some(format!("Int({}, {})", low.ceil() as i64, high.floor() as i64))
        }
        Values::Choice(_) | Values::Int(..) => None,
    }
}

/// How many trials there are.
pub(super) fn trials(by: By, space: &[Dimension], node: Option<&Node>) -> Result<usize, Box<Diagnostic>> {
    let at = node.map_or(Span::NONE, Node::head);
    let wrong = |message: String| Err(Box::new(Diagnostic::new(at, message).at("by")));
    let trials = match by {
        By::Random { trials } | By::Tpe { trials, .. } => trials,
        By::Grid => match grid_size(space) {
            Some(size) => size,
            None => {
                let endless = space.iter().find(|dimension| dimension.count().is_none());
                let Some(endless) = endless else {
                    return wrong("this grid has more combinations than can be counted".to_owned());
                };
                let message =
                    "a grid needs `Choice([..])` or `Int(low, high)`: a range of floats has no count".to_owned();
                let mistake = Diagnostic::new(endless.span, message).note(at, "the grid");
                return Err(Box::new(mistake.at(format!("over.{}", endless.path))));
            }
        },
    };
    match trials {
        1..=MOST_TRIALS => Ok(trials),
        _ => wrong(format!("expected 1 to {MOST_TRIALS} trials, these are {trials}")),
    }
}
