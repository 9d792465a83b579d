//! Which tensor of a source belongs to which variable of a model.

use crate::base::pattern;
use crate::model::{ModelEntry, left_over};
use crate::weights::error::WeightsError;
use crate::weights::report::{OF_PREPROCESSOR, Report, listed};
use crate::weights::section::WeightsFrom;
use crate::weights::source::Source;
use std::collections::BTreeMap;
use tch::Tensor;

/// What is to be loaded, by the places in the source.
#[derive(Debug)]
pub(super) struct Plan {
    /// Variable of the model, tensor of the source.
    loads: Vec<(String, usize)>,
    report: Report,
}

/// Holds a source against a model.
///
/// # Errors
/// When something that was asked for is not there, or has another shape, and the section does not allow for it.
pub(super) fn plan(model: &ModelEntry, from: &WeightsFrom, source: &Source) -> Result<Plan, WeightsError> {
    let failed = |what: String| WeightsError::Fit { from: source.shown.clone(), model: model.name().to_owned(), what };
    let names = renamed(from, source)?;
    check_only(model, from)?;
    let is_wanted =
        |name: &str| from.only.is_empty() || from.only.iter().any(|pattern| pattern::matches(pattern, name));
    let is_own = |name: &str| model.variables().iter().any(|(own, _)| own == name);
    let mut found: Vec<(&str, usize)> = names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    // with `strict` also names that the model lacks: two of them would be told as one
    found.retain(|(name, _)| is_wanted(name) && (from.strict || is_own(name)));
    found.sort_unstable();
    if let Some(pair) = found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let (one, other) = (&source.tensors[pair[0].1].name, &source.tensors[pair[1].1].name);
        return Err(failed(format!("`{one}` and `{other}` both become `{}`; narrow the renames", pair[0].0)));
    }
    let mut report = Report { model: model.name().to_owned(), from: source.shown.clone(), ..Report::default() };
    let of_preprocessors = source.of_preprocessors.iter().map(|name| (name.clone(), OF_PREPROCESSOR));
    report.left_out.extend(of_preprocessors);
    let mut loads = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (place, given) in source.tensors.iter().enumerate() {
        let name = names[place].as_str();
        let own = model.variables().iter().find(|(own, _)| own == name).map(|(_, tensor)| tensor);
        match own {
            _ if !is_wanted(name) => report.left_out.push((given.name.clone(), "`only` does not name it")),
            None => match left_over(name, &given.shape, given.kind) {
                Some(why) => report.left_out.push((given.name.clone(), why)),
                None => {
                    report.left_out.push((given.name.clone(), "the model has no variable of this name"));
                    unknown.push(name);
                }
            },
            Some(own) if own.size() != given.shape => {
                report.other_shape.push((name.to_owned(), own.size(), given.shape.clone()));
            }
            Some(_) => {
                report.loaded.push(name.to_owned());
                if given.name != name {
                    report.renamed.push((given.name.clone(), name.to_owned()));
                }
                loads.push((name.to_owned(), place));
            }
        }
    }
    loads.sort();
    report.loaded.sort();
    for (name, _) in model.variables() {
        let is_found = |name: &str| {
            report.loaded.iter().any(|loaded| loaded == name)
                || report.other_shape.iter().any(|(found, ..)| found == name)
        };
        // a file may hold tied weights once, under any of their names
        match (is_wanted(name), is_found(name) || model.names_of(name).any(is_found)) {
            (false, _) => report.not_wanted.push(name.clone()),
            (true, false) => report.missing.push(name.clone()),
            (true, true) => {}
        }
    }
    let missing: Vec<&str> = report.missing.iter().map(String::as_str).collect();
    if loads.is_empty() {
        let nothing = match source.tensors.is_empty() {
            true => "it has no tensor".to_owned(),
            false => {
                let shown: Vec<&str> = names.iter().map(String::as_str).collect();
                format!(
                    "none of its names is one of the model: it has {}, the model {}",
                    listed(&shown),
                    listed(&missing)
                )
            }
        };
        return Err(failed(format!("{nothing}{}", hint(&unknown, &missing))));
    }
    if let Some((name, own, given)) = report.other_shape.first().filter(|_| !from.skip_shape_mismatch) {
        let more = match report.other_shape.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more differ"),
        };
        return Err(failed(format!(
            "`{name}` has shape {own:?} in the model and {given:?} in the file{more}; \
             `skip_shape_mismatch: true` leaves such variables as they start"
        )));
    }
    if from.strict && !(missing.is_empty() && unknown.is_empty()) {
        let parts = [("the file lacks", &missing), ("the model lacks", &unknown)];
        let parts = parts.iter().filter(|(_, names)| !names.is_empty());
        let what = parts.map(|(what, names)| format!("{what} {}", listed(names))).collect::<Vec<_>>().join("; ");
        return Err(failed(format!(
            "{what}; `strict: false` loads what there is, and `only` says what is wanted{}",
            hint(&unknown, &missing)
        )));
    }
    Ok(Plan { loads, report })
}

impl Plan {
    /// Reads the values and copies them into the model's own tensors.
    ///
    /// # Errors
    /// When values can't be read, or two for one tensor differ; no value is copied then.
    pub(super) fn load(mut self, model: &mut ModelEntry, source: &Source) -> Result<Report, WeightsError> {
        self.report.hash = source.hash()?.to_hex()[..16].to_owned();
        let read = |(name, place): &(String, usize)| Ok((name.clone(), source.tensor(&source.tensors[*place])?));
        let mut weights = self.loads.iter().map(read).collect::<Result<Vec<(String, Tensor)>, WeightsError>>()?;
        self.report.converted = model.adapt(&mut weights)?;
        for (place, (name, tensor)) in weights.iter().enumerate() {
            let first = weights[..place].iter().find(|(other, _)| model.names_of(name).any(|known| known == other));
            if let Some((other, known)) = first
                && !known.equal(tensor)
            {
                return Err(WeightsError::Fit {
                    from: source.shown.clone(),
                    model: model.name().to_owned(),
                    what: format!(
                        "`{other}` and `{name}` are one tensor in the model and two that differ in the file; `only` chooses one"
                    ),
                });
            }
        }
        model.load_some(&weights)?;
        Ok(self.report)
    }
}

/// The name of each tensor as the model is asked for it.
fn renamed(from: &WeightsFrom, source: &Source) -> Result<Vec<String>, WeightsError> {
    let rules = from.renames()?;
    let mut used = vec![false; rules.len()];
    let names = source.tensors.iter().map(|given| {
        let mut name = given.name.clone();
        for ((rule, to), used) in rules.iter().zip(&mut used) {
            if rule.is_match(&name) {
                *used = true;
                name = rule.replace_all(&name, *to).into_owned();
            }
        }
        name
    });
    let names = names.collect();
    match used.iter().position(|used| !used) {
        Some(place) => {
            let shown: Vec<&str> = source.tensors.iter().map(|given| given.name.as_str()).collect();
            let why = format!("matches no name in {}, which has {}", source.shown, listed(&shown));
            Err(WeightsError::Rename { place, pattern: from.rename[place].0.clone(), why })
        }
        None => Ok(names),
    }
}

fn check_only(model: &ModelEntry, from: &WeightsFrom) -> Result<(), WeightsError> {
    let names = || model.variables().iter().map(|(name, _)| name.as_str());
    let unused = |pattern: &String| names().all(|name| !pattern::matches(pattern, name));
    match from.only.iter().position(unused) {
        Some(place) => {
            let pattern = from.only[place].clone();
            let hint = pattern::hint(&pattern, names());
            Err(WeightsError::Only { place, pattern, hint })
        }
        None => Ok(()),
    }
}

/// A rename that would bring names together which differ in what stands before them.
fn hint(unknown: &[&str], missing: &[&str]) -> String {
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for given in unknown {
        for own in missing {
            let shared = given.bytes().rev().zip(own.bytes().rev()).take_while(|(one, other)| one == other).count();
            // whole parts of the names
            let start = |name: &str| match name.len() - shared {
                0 => Some(0),
                at if name.as_bytes()[at - 1] == b'.' => Some(at),
                at => name[at..].find('.').map(|dot| at + dot + 1),
            };
            if let (Some(of_given), Some(of_own)) = (start(given), start(own))
                && given[of_given..] == own[of_own..]
                && !given[of_given..].is_empty()
            {
                *found.entry((given[..of_given].to_owned(), own[..of_own].to_owned())).or_default() += 1;
            }
        }
    }
    let best = found.into_iter().max_by_key(|(_, count)| *count);
    match best.filter(|(_, count)| *count * 2 > missing.len()) {
        Some(((given, own), _)) => {
            let pattern = format!("^{}", given.replace('.', "\\\\."));
            format!("; do you mean `rename: [(\"{pattern}\", \"{own}\")]`?")
        }
        None => String::new(),
    }
}
