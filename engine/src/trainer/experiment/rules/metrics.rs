//! Metrics: names that nothing produces, and names that two produce.

use crate::config::{Diagnostic, TypedValue, ValuePath, unknown};
use crate::loops::{Role, Trainer, monitored, produced_twice};
use crate::metric::{Measure, MetricName, watched};
use crate::trainer::Reader;
use crate::trainer::experiment::facts::{Facts, Measured};

pub(super) fn check<T: Trainer>(reader: &mut Reader<'_>, facts: &Facts) {
    twice(reader, &facts.measured);
    let watching: Vec<&TypedValue> = facts.typed.iter().filter(|value| value.of == MetricName::TYPE).collect();
    if T::loaders(Role::Val).is_empty() {
        for value in watching {
            let found = value.path.find(reader.root());
            let watched = &value.text;
            let text = match found.given {
                true => "the trainer has no `#[loader(val)]`, so no metric can be watched; remove this".to_owned(),
                false => format!(
                    "the trainer has no `#[loader(val)]`, so `{watched}` (the default) can't be watched; switch the hook `Off`"
                ),
            };
            reader.mistake(Diagnostic::new(found.span, text).at(found.path));
        }
        return;
    }
    // its names may be what is being looked for
    if facts.unknown_metric {
        return;
    }
    let mut plain: Vec<Measure> = Vec::new();
    for Measured { measure, .. } in &facts.measured {
        if plain.iter().all(|known| known.name != measure.name) {
            plain.push(measure.clone());
        }
    }
    let measures = monitored::<T>(&plain);
    for value in watching {
        let Err(why) = watched(&value.text, &measures) else { continue };
        let found = value.path.find(reader.root());
        let known: Vec<&str> = why.known.iter().map(String::as_str).collect();
        let problem = match found.given {
            true => why.problem,
            false => format!("{} (the default)", why.problem),
        };
        reader.mistake(unknown(found.span, &problem, &value.text, &known).at(found.path));
    }
}

/// The names under which hooks can watch these.
pub(in crate::trainer::experiment) fn watchable<T: Trainer>(plain: &[Measure]) -> Vec<String> {
    let measures = monitored::<T>(plain);
    let names = measures.iter().map(|measure| measure.name.clone());
    names.filter(|name| watched(name, &measures).is_ok()).collect()
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
