//! `checkpoint`: when to save and which checkpoints to keep. The engine itself writes checkpoints.

use crate::base::{Clock, Result};
use crate::checkpoint::{iter_name, retain};
use crate::hooks::monitor::{Best, direction_of};
use crate::metric::MetricName;
use crate::run::{Cadence, Context, Save};
use engine_macros::{hook, phases};
use std::collections::{BTreeMap, BTreeSet};

/// Asks for checkpoints: at intervals, at the end, and whenever a watched metric is better than ever.
///
/// Every checkpoint contains everything that is needed to resume the run, also the best ones. With any settings, a run
/// that is ended by SIGINT or SIGTERM saves its last finished iter.
#[hook(priority = "LOWEST")]
#[derive(Debug)]
pub struct Checkpoint {
    /// Epochs or iters between two checkpoints; by default 1 epoch, or 1000 iters.
    #[config(default, range = 1..)]
    interval: Option<u64>,
    /// The clock of `interval` and `begin`; by default the trainer's.
    #[config(default)]
    by: Option<Clock>,
    /// No checkpoint at an interval before this count.
    #[config(default = 0)]
    begin: u64,
    /// How many of the regular ones are kept, the newest first; those by `save_best` are kept besides.
    #[config(default = 3, range = 1..)]
    keep: usize,
    /// Also when the training ends.
    #[config(default = true)]
    save_last: bool,
    /// Metrics (`val/accuracy`) whose best state is kept as `best_val_accuracy`.
    #[config(default)]
    save_best: Vec<MetricName>,
    #[state]
    best: BTreeMap<String, Best>,
    /// An evaluation alone has no best and no last state.
    #[transient]
    training: bool,
    /// What could not be deleted, and why: each is told once.
    #[transient]
    not_deleted: BTreeSet<String>,
}

#[phases]
impl Checkpoint {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.training = true;
        for name in &self.save_best {
            direction_of(name, cx)?;
            if let Some(told) = self.best.entry(name.to_string()).or_default().is_of(name, cx) {
                cx.say(&told)?;
            }
        }
        Ok(())
    }

    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.save_if(self.is_due(Clock::Iter, cx) || self.is_last(cx), cx);
        Ok(())
    }

    fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let counted = cx.clocks().is_between_epochs();
        self.save_if((counted && self.is_due(Clock::Epoch, cx)) || self.is_last(cx), cx);
        Ok(())
    }

    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.training || cx.exception().is_some() {
            return Ok(());
        }
        for name in &self.save_best {
            let Some(value) = cx.new_metric(name) else { continue };
            let better = direction_of(name, cx)?;
            // a value that is no number is never the best
            let now = (cx.epoch(), cx.iter());
            if !value.is_nan() && self.best.entry(name.to_string()).or_default().take(value, better, 0.0, now) {
                cx.save(Save { name: best_name(name), latest: false });
            }
        }
        // the validation of the last weights may come after `after_train_epoch`
        self.save_if(self.is_last(cx), cx);
        Ok(())
    }

    /// Last chance: a later hook may have stopped the training after this one had looked.
    fn after_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.save_if(self.is_last(cx) && cx.saved_at() != Some(cx.iter()), cx);
        if self.training && cx.exception().is_none() { self.tell_best(cx) } else { Ok(()) }
    }

    fn after_save_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(folder) = cx.folder() else { return Ok(()) };
        let mut kept: Vec<String> = self.save_best.iter().map(|name| best_name(name)).collect();
        // also beside folders that only seem to be of later iters
        kept.extend(cx.checkpoint().map(|saved| saved.name.clone()));
        let folder = folder.checkpoints();
        // the new one is safe, so an old one that can't be deleted is no reason to end the training
        let failed = retain(&folder, self.keep, &kept).map_or_else(|error| vec![error], |found| found.failed);
        for error in failed {
            let text = format!("warning: an old checkpoint stays: {error}");
            if self.not_deleted.insert(text.clone()) {
                cx.tell(&text);
            }
        }
        Ok(())
    }
}

impl Checkpoint {
    /// Says which checkpoint holds the best value of each watched metric.
    fn tell_best(&self, cx: &mut Context<'_>) -> Result<()> {
        let Some(folder) = cx.folder().map(|folder| folder.checkpoints()) else { return Ok(()) };
        for name in &self.save_best {
            let Some(best) = self.best.get(&**name) else { continue };
            let (Some(value), (epoch, iter)) = (best.value(), best.at()) else { continue };
            let when = match cx.clocks().clock() {
                Clock::Epoch => format!("{epoch}, {iter}"),
                Clock::Iter => iter.to_string(),
            };
            let path = folder.join(best_name(name));
            cx.say(&format!("best `{name}`: {} at {when}, in {}", shown(value), path.display()))?;
        }
        Ok(())
    }

    fn is_due(&self, clock: Clock, cx: &Context<'_>) -> bool {
        let clocks = cx.clocks();
        let cadence = Cadence::new(self.interval, self.begin, self.by, clocks.clock());
        cadence.by == clock && cadence.is_at(clocks.count(clock))
    }

    fn is_last(&self, cx: &Context<'_>) -> bool {
        self.save_last && cx.iter().get() > 0 && (cx.clocks().is_finished() || cx.stopping().is_some())
    }

    /// Asks for a regular checkpoint, unless something is on its way out.
    fn save_if(&self, wanted: bool, cx: &mut Context<'_>) {
        if wanted && self.training && cx.exception().is_none() {
            let name = iter_name(cx.iter());
            cx.save(Save { name, latest: true });
        }
    }
}

/// How the names of best checkpoints begin.
pub(crate) const BEST: &str = "best_";

/// The checkpoint's name for the best value of a metric: `best_val_accuracy` for `val/accuracy`, and
/// `best_val_hard.top-1` for `val/hard/top-1`, of the loader `hard`. No two metrics have the same: what is neither a letter,
/// digit, `_` nor `-` is written as its number between dots.
pub(crate) fn best_name(metric: &str) -> String {
    let mut name = BEST.to_owned();
    let (phase, rest) = metric.split_once('/').unwrap_or(("", metric));
    if !phase.is_empty() {
        name.push_str(phase);
        name.push('_');
    }
    let mut before = '/';
    for c in rest.chars() {
        match c {
            '_' | '-' => name.push(c),
            _ if c.is_ascii_alphanumeric() => name.push(c),
            '/' if before != '/' => name.push('.'),
            _ => name.push_str(&format!("..{:x}.", u32::from(c))),
        }
        before = c;
    }
    if name.len() > LONGEST_BEST {
        let hash = blake3::hash(metric.as_bytes()).to_hex();
        name.truncate(LONGEST_BEST - 20);
        name.push_str(&format!("...{}", &hash[..16]));
    }
    name
}

/// Longer names are cut, and end with a hash of the metric.
const LONGEST_BEST: usize = 150;

/// A metric with four digits behind the point, as the command line prints it at the end.
fn shown(value: f64) -> String {
    format!("{value:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_metrics_share_the_folder_of_their_best() {
        assert_eq!(best_name("val/accuracy"), "best_val_accuracy");
        assert_eq!(best_name("val/hard/top-1"), "best_val_hard.top-1");
        let long = |end: &str| format!("val/{}{end}", "x".repeat(300));
        let alike =
            ["val/acc-a", "val/acc_a", "val/acc a", "val/acc.a", "val/acc/a", "val/acc//a", "val/acc/", "val/acc"];
        let more = ["val/acc..2e.a", "val/acc@a", "val/açc", "val/a\u{327}cc", "val//acc"];
        let names = alike.into_iter().chain(more).map(str::to_owned).chain([long("a"), long("b")]);
        let names: Vec<String> = names.map(|metric| best_name(&metric)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:#?}");
        for name in names {
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
            assert!(plain && name.len() <= LONGEST_BEST, "{name}");
        }
    }
}
