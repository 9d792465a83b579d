//! Metrics: names that nothing produces, and names that two produce.

use crate::base::panics;
use crate::config::registry::components;
use crate::config::{Diagnostic, Diagnostics, Kind, Node, Sources, Span, TypedValue, ValuePath, from_node, unknown};
use crate::loops::{Loaders, Role, monitored, produced_twice};
use crate::metric::{Better, Measure, MetricConfig, MetricName, watched};
use crate::record::{RESERVED, check_name};
use crate::trainer::Reader;
use crate::trainer::experiment::facts::{Facts, Measured};

/// `ends_before`: whether the training ends before its first validation.
pub(super) fn check(reader: &mut Reader<'_>, facts: &Facts, loaders: &Loaders, ends_before: bool) {
    facts.measured.iter().for_each(|measured| named(reader, measured));
    twice(reader, &facts.measured);
    let watching: Vec<&TypedValue> = facts.typed.iter().filter(|value| value.of == MetricName::TYPE).collect();
    if !loaders.has(Role::Val) {
        let why = match loaders.are_declared(Role::Val) {
            true => "this experiment has no val loader",
            false => "the trainer has no `#[loader(val)]`",
        };
        for value in watching {
            let found = value.path.find(reader.root());
            let watched = &value.text;
            let text = match found.given {
                true => format!("{why}, so no metric can be watched; remove this"),
                false => format!("{why}, so `{watched}` (the default) can't be watched; switch the hook `Off`"),
            };
            reader.mistake(Diagnostic::new(found.span, text).at(found.path));
        }
        return;
    }
    // its names may be what is being looked for
    if facts.unknown_metric {
        return;
    }
    let measures = monitored(loaders, &plain(facts));
    for value in watching {
        let Err(why) = watched(&value.text, &measures) else {
            if ends_before {
                let found = value.path.find(reader.root());
                let text = format!(
                    "`{}` is never measured: the training ends before its first validation; begin earlier in `val`, or leave `at_end: true`",
                    value.text
                );
                reader.mistake(Diagnostic::new(found.span, text).at(found.path));
            }
            continue;
        };
        let found = value.path.find(reader.root());
        let known: Vec<&str> = why.known.iter().map(String::as_str).collect();
        let problem = match found.given {
            true => why.problem,
            false => format!("{} (the default)", why.problem),
        };
        let mut mistake = unknown(found.span, &problem, &value.text, &known).at(found.path);
        // it is known without the loader's name
        if let Some(metric) =
            value.text.strip_prefix("val/").and_then(|name| metric_that_gives(name.rsplit('/').next()?))
            && measures.iter().all(|measure| measure.name != value.text)
        {
            mistake = mistake.label(format!("add `{metric}()` to `metrics`"));
        }
        reader.mistake(mistake);
    }
}

/// What the metrics of the experiment measure, each name once.
fn plain(facts: &Facts) -> Vec<Measure> {
    let mut plain: Vec<Measure> = Vec::new();
    for Measured { measure, .. } in &facts.measured {
        if plain.iter().all(|known| known.name != measure.name) {
            plain.push(measure.clone());
        }
    }
    plain
}

/// Which direction of a metric of the experiment is better; a mistake without a place where none can be watched by this
/// name.
pub(super) fn better_of(facts: &Facts, loaders: &Loaders, name: &str) -> Result<Better, Box<Diagnostic>> {
    watched(name, &monitored(loaders, &plain(facts))).map_err(|why| {
        let known: Vec<&str> = why.known.iter().map(String::as_str).collect();
        Box::new(unknown(Span::NONE, &why.problem, name, &known))
    })
}

/// The metric of this program that gives a value of this name when nothing is set.
fn metric_that_gives(value: &str) -> Option<&'static str> {
    let gives = |name: &&'static str| {
        let named = Node::named(*name, Kind::Struct(Vec::new()));
        let config: Option<Box<dyn MetricConfig>> = from_node(&named, &Sources::new(), &Diagnostics::new());
        let measures = config.and_then(|config| panics::message_of(|| config.build_metric().measures()).ok());
        measures.unwrap_or_default().iter().any(|measure| measure.name == value)
    };
    let metrics = components().into_iter().filter(|component| component.kind == "metric");
    metrics.map(|component| component.name).find(gives)
}

/// The names under which hooks can watch these.
pub(in crate::trainer::experiment) fn watchable(loaders: &Loaders, plain: &[Measure]) -> Vec<String> {
    let measures = monitored(loaders, plain);
    let names = measures.iter().map(|measure| measure.name.clone());
    names.filter(|name| watched(name, &measures).is_ok()).collect()
}

/// Refuses a name that no row or folder can have, where the file gives it.
fn named(reader: &mut Reader<'_>, Measured { measure, entry }: &Measured) {
    let Some(why) = mistake_of_name(&measure.name) else { return };
    let entry = entry.map_or_else(|| "metrics".to_owned(), |entry| format!("metrics.{entry}"));
    let name = ValuePath::to(&format!("{entry}.name")).find(reader.root());
    let found = if name.given { name } else { ValuePath::to(&entry).find(reader.root()) };
    reader.mistake(Diagnostic::new(found.span, why).at(found.path));
}

/// The longest name of a value, in bytes: a checkpoint of its best is a folder of this name.
const LONGEST_NAME: usize = 100;

fn mistake_of_name(name: &str) -> Option<String> {
    if let Err(error) = check_name(name) {
        return Some(error.to_string());
    }
    if name.len() > LONGEST_NAME {
        return Some(format!(
            "the name of a metric can have {LONGEST_NAME} bytes at most, this one has {}",
            name.len()
        ));
    }
    RESERVED
        .contains(&name)
        .then(|| format!("no metric can be named `{name}`: every row has a column of this name; choose another `name`"))
}

/// Refuses names that two metrics produce, at the second of them.
fn twice(reader: &mut Reader<'_>, measured: &[Measured]) {
    for (index, second) in measured.iter().enumerate() {
        let same = |first: &&Measured| first.measure.name == second.measure.name;
        let Some(first) = measured[..index].iter().find(same) else { continue };
        let path = |entry: Option<usize>| entry.map(|entry| format!("metrics.{entry}"));
        // a field's metric that the file does not mention has no place
        let (first, second) = (first.entry.min(second.entry), first.entry.max(second.entry));
        let at = path(second).unwrap_or_else(|| "metrics".to_owned());
        let span = |path: &str| ValuePath::to(path).find(reader.root()).span;
        let mut mistake = Diagnostic::new(span(&at), produced_twice(&measured[index].measure.name));
        mistake = match path(first) {
            Some(first) => mistake.note(span(&first), "the first"),
            None => mistake.help("the other is that of a `#[metric]` field of the trainer"),
        };
        reader.mistake(mistake.at(at));
    }
}
