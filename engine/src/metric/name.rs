//! Which metrics can be watched during a training.

use crate::base::Better;
use crate::base::suggest::meant;
use crate::metric::Measure;

/// Why a metric can't be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unwatchable {
    /// The problem, and what to do.
    pub(crate) problem: String,
    /// The names that may have been meant; none when the name isn't what is wrong.
    pub(crate) known: Vec<String>,
}

/// Which direction of a metric is better, for one that is watched from validation to validation. `measures` is what val
/// and test loaders measure, under monitored names.
pub(crate) fn watched(name: &str, measures: &[Measure]) -> Result<Better, Unwatchable> {
    let measure = measures.iter().find(|measure| measure.name == name);
    let other = |problem| Err(Unwatchable { problem, known: Vec::new() });
    match measure.map(|measure| measure.better) {
        None => {
            let good = |measure: &&Measure| measure.better != Better::Neither && is_of_val(&measure.name);
            let mut known: Vec<String> = measures.iter().filter(good).map(|measure| measure.name.clone()).collect();
            // a metric of one loader is not what was meant by a name of another one
            let of = |name: &str| name.rsplit_once('/').map(|(loader, _)| loader.to_owned());
            if known.iter().any(|known| of(known) == of(name)) {
                known.retain(|known| of(known) == of(name));
            }
            let problem = format!("nothing produces `{name}`");
            match known.is_empty() {
                true => other(format!("{problem}: there is no metric to watch with a val loader")),
                false => Err(Unwatchable { problem, known }),
            }
        }
        Some(_) if !is_of_val(name) => {
            other(format!("`{name}` is not produced while training; watch a metric of a val loader"))
        }
        Some(Better::Neither) => other(format!(
            "neither high nor low values of `{name}` are better, so it has no best; watch another metric"
        )),
        Some(better) => Ok(better),
    }
}

impl Unwatchable {
    /// In one sentence, with what may have been meant.
    pub(crate) fn sentence(&self, name: &str) -> String {
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        format!("{}{}", self.problem, meant(name, &known))
    }
}

fn is_of_val(name: &str) -> bool {
    name.starts_with("val/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_that_can_not_be_watched_is_told_with_those_that_can() {
        let measures = [
            Measure::new("val/loss", Better::Lower),
            Measure::new("val/accuracy", Better::Higher),
            Measure::new("val/samples", Better::Neither),
            Measure::new("test/loss", Better::Lower),
        ];
        let refused = |name: &str| watched(name, &measures).unwrap_err().sentence(name);
        assert_eq!(watched("val/loss", &measures), Ok(Better::Lower));
        assert_eq!(refused("val/los"), "nothing produces `val/los`, did you mean `val/loss`?");
        assert_eq!(refused("iou"), "nothing produces `iou`, expected one of `val/loss`, `val/accuracy`");
        assert_eq!(refused("test/loss"), "`test/loss` is not produced while training; watch a metric of a val loader");
        assert_eq!(
            refused("val/samples"),
            "neither high nor low values of `val/samples` are better, so it has no best; watch another metric"
        );
        let none = watched("val/loss", &measures[3..]).unwrap_err();
        assert_eq!(
            none.sentence("val/loss"),
            "nothing produces `val/loss`: there is no metric to watch with a val loader"
        );
    }
}
