//! `Sweep(..)`: what a sweep file says, checked by the types of the trainer.

use crate::cli::sweep::halving::Halve;
use crate::cli::sweep::space::{Dimension, Pick, Values, grid_size};
use crate::config::{
    ConfigErrors, Diagnostic, Diagnostics, Document, Kind, Node, Over, Span, load_file, load_layers_into,
};
use crate::metric::Better;
use crate::trainer::{Build, DeviceChoice, Experiment, Purpose};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// More trials than anyone runs.
const MOST_TRIALS: usize = 100_000;

/// How trials are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum By {
    /// Every combination once.
    Grid,
    /// Values by chance.
    Random {
        /// How many trials.
        trials: usize,
    },
    /// Values near those of good trials, after some by chance.
    Tpe {
        /// How many trials.
        trials: usize,
        /// How many of them are chosen by chance, before the others.
        #[serde(default = "startup")]
        startup: usize,
    },
}

fn startup() -> usize {
    10
}

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
    pub(super) parallel: usize,
    pub(super) seed: u64,
    /// Where the base runs.
    pub(super) device: DeviceChoice,
}

/// What is read of the file besides `over`.
struct Said {
    base: Vec<String>,
    name: String,
    by: By,
    watch: String,
    watch_at: Span,
    halve: Option<Halve>,
    parallel: usize,
    seed: u64,
}

impl Sweep {
    /// Reads a sweep file, and tries every value in the experiment of its base.
    pub(super) fn read<T: Build>(path: &Path) -> Result<Sweep, ConfigErrors> {
        let document = load_file(path)?;
        let diagnostics = Diagnostics::new();
        let read = (said(&document, path, &diagnostics), space(&document, &diagnostics));
        diagnostics.into_result(&document.sources)?;
        let (Some(said), space) = read else { return Err(unreadable(&document)) };
        // named as they are written, for messages
        let folder = path.parent().unwrap_or(Path::new(""));
        let files: Vec<PathBuf> = said.base.iter().map(|base| folder.join(base)).collect();
        let base = load_layers_into(document.sources.clone(), &files, &Over::default())?;
        // mistakes of the base alone would be told again with every value
        let experiment = Experiment::<T>::from_document(&base.clone().resolved(), Purpose::Run)?;
        let wrong = |mistake: Diagnostic| ConfigErrors::new(base.sources.clone(), vec![mistake]);
        let trials = trials(said.by, &space, document.root.get("by")).map_err(|mistake| wrong(*mistake))?;
        let better = Experiment::<T>::better_of(&base.clone().resolved(), &said.watch)
            .map_err(|mistake| wrong(Diagnostic { span: said.watch_at, ..*mistake }.at("watch")))?;
        let halving = said.halve.as_ref().zip(document.root.get("halve"));
        if let Some(mistake) = halving.and_then(|(halve, node)| halve.mistake(node, experiment.train.max_iters)) {
            return Err(wrong(mistake));
        }
        let Said { name, by, watch, halve, parallel, seed, .. } = said;
        let (work_dir, device) = (experiment.work_dir.clone(), experiment.device);
        let sweep = Sweep { base, work_dir, name, space, by, trials, watch, better, halve, parallel, seed, device };
        sweep.try_values::<T>()?;
        Ok(sweep)
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
    fn try_values<T: Build>(&self) -> Result<(), ConfigErrors> {
        let firsts: Vec<Pick> = self.space.iter().map(|dimension| dimension.ends()[0]).collect();
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for (index, dimension) in self.space.iter().enumerate() {
            for (nth, end) in dimension.ends().into_iter().enumerate().filter(|(nth, _)| *nth > 0 || index == 0) {
                let mut picks = firsts.clone();
                picks[index] = end;
                if let Err(errors) = self.experiment::<T>("0000", &picks) {
                    wrong.extend(errors.diagnostics);
                    // what is wrong with all first values is wrong with every combination
                    if index == 0 && nth == 0 {
                        break;
                    }
                }
            }
        }
        let diagnostics = Diagnostics::new();
        wrong.into_iter().for_each(|mistake| diagnostics.push(mistake));
        diagnostics.into_result(&self.base.sources)
    }
}

fn unreadable(document: &Document) -> ConfigErrors {
    let mistake = Diagnostic::new(document.root.head(), "the sweep could not be read");
    ConfigErrors::new(document.sources.clone(), vec![mistake])
}

fn said(document: &Document, path: &Path, diagnostics: &Diagnostics) -> Option<Said> {
    if document.root.name().is_some_and(|name| name != "Sweep") || !matches!(document.root.kind, Kind::Struct(_)) {
        let message = format!("expected `Sweep(..)`, found {}", document.root.what());
        let help = "a sweep is `Sweep(base: \"exp.ron\", over: {\"optimizer.lr\": LogUniform(1e-4, 1e-1)}, by: Random(trials: 20), watch: \"val/accuracy\")`";
        diagnostics.push(Diagnostic::new(document.root.head(), message).help(help));
        return None;
    }
    let mut reader = document.reader(diagnostics);
    let base = match reader.node("base").map(|node| &node.kind) {
        Some(Kind::Seq(_)) => reader.required("base"),
        _ => reader.required("base").map(|base: String| vec![base]),
    };
    let by = reader.required("by");
    let watch: Option<String> = reader.required("watch");
    let watch_at = document.root.get("watch").map_or(Span::NONE, |node| node.span);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = if reader.node("name").is_some() { reader.required("name") } else { Some(stem) };
    let halve = if reader.node("halve").is_some() { reader.required("halve").map(Some) } else { Some(None) };
    let parallel = if reader.node("parallel").is_some() { reader.required("parallel") } else { Some(1_usize) };
    let seed = if reader.node("seed").is_some() { reader.required("seed") } else { Some(0) };
    if reader.node("over").is_none() {
        let message = "missing field `over` of `Sweep`: the settings to vary";
        diagnostics.push(Diagnostic::new(document.root.head(), message));
    }
    if let Some(node) = reader.node("parallel").filter(|_| parallel.is_some_and(|count| !(1..=1024).contains(&count))) {
        diagnostics.push(Diagnostic::new(node.span, "expected 1 to 1024 trials at a time").at("parallel"));
    }
    if let Some(folder) = &name
        && let Err(error) = crate::folder::check_name(folder)
    {
        let at = reader.node("name").map_or(document.root.head(), |node| node.span);
        diagnostics.push(Diagnostic::new(at, error.to_string()).at("name"));
    }
    reader.finish();
    let (base, name, by, watch) = (base?, name?, by?, watch?);
    Some(Said { base, name, by, watch, watch_at, halve: halve?, parallel: parallel?, seed: seed? })
}

/// How many trials there are.
fn trials(by: By, space: &[Dimension], node: Option<&Node>) -> Result<usize, Box<Diagnostic>> {
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

/// `over: {"optimizer.lr": LogUniform(1e-4, 1e-1)}`
fn space(document: &Document, diagnostics: &Diagnostics) -> Vec<Dimension> {
    let mistake = |span: Span, message: &str| diagnostics.push(Diagnostic::new(span, message).at("over"));
    let pairs = match document.root.get("over") {
        None => return Vec::new(),
        Some(Node { kind: Kind::Map(pairs), name: None, .. }) => pairs,
        Some(other) => {
            mistake(other.span, "expected a map from paths to values, `{\"optimizer.lr\": LogUniform(1e-4, 1e-1)}`");
            return Vec::new();
        }
    };
    if pairs.is_empty() {
        mistake(document.root.head(), "`over` names no setting to vary");
    }
    let mut space = Vec::new();
    for (key, value) in pairs {
        let Kind::Str(path) = &key.kind else {
            mistake(key.span, "expected a path in quotes, `\"optimizer.lr\"`");
            continue;
        };
        if ["name", "work_dir"].contains(&path.as_str()) {
            mistake(key.span, "a sweep gives each trial its own name and folder");
            continue;
        }
        // within the quotes
        let at = Span { start: key.span.start + 1, end: key.span.end.saturating_sub(1), ..key.span };
        match values(value) {
            Ok(values) => space.push(Dimension { path: path.clone(), at, values, span: value.span }),
            Err(found) => diagnostics.push(found.at(format!("over.{path}"))),
        }
    }
    space
}

const FORMS: &str = "`Choice([32, 64])`, `Uniform(0.0, 0.5)`, `LogUniform(1e-4, 1e-1)` or `Int(1, 8)`";

fn values(node: &Node) -> Result<Values, Box<Diagnostic>> {
    let wrong = |span: Span, message: String| Err(Box::new(Diagnostic::new(span, message)));
    let Kind::Tuple(items) = &node.kind else {
        return wrong(node.span, format!("expected {FORMS}, found {}", node.what()));
    };
    match (node.name(), items.as_slice()) {
        (Some("Choice"), [Node { kind: Kind::Seq(values), .. }]) if !values.is_empty() => {
            Ok(Values::Choice(values.clone()))
        }
        (Some("Choice"), _) => wrong(node.span, "`Choice` takes a list with the values: `Choice([32, 64])`".to_owned()),
        (Some("Int"), [Node { kind: Kind::Int(low), .. }, Node { kind: Kind::Int(high), .. }]) => {
            match (i64::try_from(*low), i64::try_from(*high)) {
                (Ok(low), Ok(high)) if low <= high => Ok(Values::Int(low, high)),
                _ => wrong(node.span, format!("`Int` takes a lower and an upper end, got {low} and {high}")),
            }
        }
        (Some("Int"), _) => wrong(node.span, "`Int` takes two integers: `Int(1, 8)`".to_owned()),
        (Some(name @ ("Uniform" | "LogUniform")), [low, high]) => {
            let number = |node: &Node| match node.kind {
                Kind::Int(value) => Some(value as f64),
                Kind::Float(value) if value.is_finite() => Some(value),
                _ => None,
            };
            let (Some(low), Some(high)) = (number(low), number(high)) else {
                return wrong(node.span, format!("`{name}` takes two numbers: `{name}(1e-4, 1e-1)`"));
            };
            if low > high {
                return wrong(node.span, format!("the lower end comes first, got {low:?} and {high:?}"));
            }
            match name {
                "Uniform" if (high - low).is_finite() => Ok(Values::Uniform(low, high)),
                "Uniform" => wrong(node.span, "this range is larger than any float".to_owned()),
                _ if low > 0.0 => Ok(Values::LogUniform(low, high)),
                _ => wrong(node.span, "`LogUniform` needs ends above 0, which have a logarithm".to_owned()),
            }
        }
        (Some(name @ ("Uniform" | "LogUniform")), _) => {
            wrong(node.span, format!("`{name}` takes two numbers: `{name}(1e-4, 1e-1)`"))
        }
        _ => {
            let meant = crate::base::suggest::did_you_mean(
                node.name().unwrap_or_default(),
                ["Choice", "Uniform", "LogUniform", "Int"],
            );
            let mistake = Diagnostic::new(node.head(), format!("expected {FORMS}, found {}", node.what()));
            Err(Box::new(mistake.suggest(meant)))
        }
    }
}
