//! `checkpoint`: when to save and which checkpoints to keep. The engine itself writes checkpoints.

use crate::base::{Clock, Iter, Result};
use crate::checkpoint::{FAILED, Retention, iter_name};
use crate::hooks::monitor::direction_of;
use crate::hooks::ranking::{Entry, Ranking};
use crate::metric::MetricName;
use crate::run::{Cadence, Context, Exception, OnSaveError, Save, Saving};
use engine_macros::{hook, phases};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Asks for checkpoints: at intervals, at the end, and whenever a watched metric is better than ever.
///
/// Every checkpoint contains everything that is needed to resume the run, also the best ones. With any settings, a run
/// that is ended by SIGINT, SIGTERM or a time limit saves its last finished iter, and SIGUSR1 saves a run that continues.
#[hook(priority = "LOWEST")]
#[derive(Debug)]
pub struct Checkpoint {
    /// Epochs, iters or samples between two checkpoints; by default 1 epoch, 1000 iters, or 100,000 samples. If `minutes` is set there is no
    /// default.
    #[config(default, range = 1..)]
    interval: Option<u64>,
    /// The clock of `interval` and `begin`; by default the trainer's.
    #[config(default)]
    by: Option<Clock>,
    /// No checkpoint at an interval before this count.
    #[config(default = 0)]
    begin: u64,
    /// Minutes between two checkpoints, in addition to those of `interval`. Each is written after the current iter.
    #[config(default, range = 0.0..)]
    minutes: Option<f64>,
    /// How many regular checkpoints are kept, the newest first; those of `save_best` and `keep_every` are kept in addition.
    #[config(default = 3, range = 1..)]
    keep: usize,
    /// Every Nth regular checkpoint is never deleted.
    #[config(default, range = 1..)]
    keep_every: Option<u64>,
    /// Saves a checkpoint when the training ends.
    #[config(default = true)]
    save_last: bool,
    /// Metrics (`val/accuracy`) for which the best checkpoint is kept, as `best_val_accuracy`.
    #[config(default)]
    save_best: Vec<MetricName>,
    /// For how many of the best values of each of these metrics the checkpoint is kept. If more than one, each of them is
    /// also a regular checkpoint, which is kept as long as its value is among the best. Of equal values the earlier one
    /// counts as better.
    #[config(default = 1, range = 1..)]
    keep_best: usize,
    /// Saves the state of a training that fails, as `failed-iter_000000123`. It contains what the failed iter has changed
    /// so far, so a resume uses it only when it is named.
    #[config(default = false)]
    save_on_exception: bool,
    /// Another thread writes while the training continues. This needs host memory for a copy of weights and optimizer.
    #[config(default = true)]
    background: bool,
    /// What happens when a checkpoint can't be written. `Stop`: the run ends with the error. `Continue`: the error is
    /// reported and the run continues; it ends with the error only if its last state is in no checkpoint.
    #[config(default)]
    on_save_error: OnSaveError,
    #[state]
    best: BTreeMap<String, Ranking>,
    /// How many regular checkpoints were requested so far.
    #[state]
    regular: u64,
    /// The iters of the checkpoints that `keep_every` keeps.
    #[state]
    kept: Vec<Iter>,
    /// An evaluation alone has no best and no last state.
    #[transient]
    training: bool,
    /// When the last regular checkpoint was requested.
    #[transient]
    last: Option<Instant>,
    /// The iter of the last regular checkpoint: it is counted once.
    #[transient]
    counted: Option<Iter>,
}

#[phases]
impl Checkpoint {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.training = true;
        self.last = Some(Instant::now());
        cx.clocks().check(self.by.unwrap_or(Clock::Iter))?;
        self.check_best(cx)
    }

    /// Within a training the state is that of an earlier iter now.
    fn after_load_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.counted = None;
        if self.training { self.check_best(cx) } else { Ok(()) }
    }

    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let is_due = self.is_due(Clock::Iter, cx);
        if is_due || (cx.world() == 1 && self.is_time()) {
            self.save_regular(true, cx);
        } else if cx.is_main() && cx.exception().is_none() && self.is_time() {
            // clocks on the wall differ: rank 0 asks, and the others join
            self.count(cx);
            cx.save_alone(Save { name: iter_name(cx.iter()), latest: true });
        }
        self.save_if(self.is_last(cx), cx);
        Ok(())
    }

    fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let counted = cx.clocks().is_between_epochs();
        self.save_regular(counted && self.is_due(Clock::Epoch, cx), cx);
        self.save_if(self.is_last(cx), cx);
        Ok(())
    }

    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.training {
            return Ok(());
        }
        self.forget_what_was_not_written(cx);
        for name in &self.save_best {
            let Some(value) = cx.new_metric(name) else { continue };
            let better = direction_of(name, cx)?;
            let now = (cx.epoch(), cx.iter());
            let place = self.best.entry(name.to_string()).or_default().take(value, better, now, self.keep_best);
            if place == Some(0) {
                cx.save(Save { name: best_name(name), latest: false });
            }
            // the name of the best one is given to a better one, but its value may still be among the best
            if place.is_some() && self.keep_best > 1 {
                cx.save(Save { name: iter_name(cx.iter()), latest: true });
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

    fn on_exception(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if self.save_on_exception && self.training && matches!(cx.exception(), Some(Exception::Failed(_))) {
            cx.save(Save { name: format!("{FAILED}{}", iter_name(cx.iter())), latest: false });
        }
        Ok(())
    }

    fn before_save_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.forget_what_was_not_written(cx);
        cx.saving(Saving {
            background: self.background,
            on_error: self.on_save_error,
            retention: Some(Retention { keep: self.keep, protected: self.protected() }),
        });
        Ok(())
    }
}

impl Checkpoint {
    /// The names of the checkpoints that are kept in addition to the newest.
    fn protected(&self) -> Vec<String> {
        let mut protected: Vec<String> = self.save_best.iter().map(|name| best_name(name)).collect();
        if self.keep_best > 1 {
            let rankings = self.save_best.iter().filter_map(|name| self.best.get(&**name));
            protected.extend(rankings.flat_map(|found| found.best(self.keep_best)).map(|entry| iter_name(entry.iter)));
        }
        protected.extend(self.kept.iter().map(|iter| iter_name(*iter)));
        protected
    }

    /// Forgets best values that are of another metric, or whose checkpoints are missing.
    fn check_best(&mut self, cx: &mut Context<'_>) -> Result<()> {
        for name in &self.save_best {
            direction_of(name, cx)?;
            let ranking = self.best.entry(name.to_string()).or_default();
            let mut told = ranking.is_of(name, cx);
            // after a fork, or a resume from an older checkpoint, the best checkpoints may be missing
            if let Some(folder) = cx.folder().map(|folder| folder.checkpoints()) {
                let is_there = |iter| match self.keep_best {
                    1 => folder.join(best_name(name)).is_dir(),
                    _ => folder.join(iter_name(iter)).is_dir(),
                };
                if ranking.keep_those(is_there) {
                    told = Some(format!(
                        "the best checkpoint of `{name}` is not in this run, so its best value starts over"
                    ));
                }
            }
            told.map_or(Ok(()), |told| cx.say(&told))?;
        }
        Ok(())
    }

    /// Forgets values whose checkpoints could not be written.
    fn forget_what_was_not_written(&mut self, cx: &mut Context<'_>) {
        for (name, iter) in cx.take_not_written() {
            let ranked = self.keep_best > 1 && name == iter_name(iter);
            for (metric, ranking) in &mut self.best {
                if ranked || best_name(metric) == name {
                    ranking.forget(iter);
                }
            }
            self.kept.retain(|kept| *kept != iter);
        }
    }

    /// Says which checkpoint holds the best value of each watched metric.
    fn tell_best(&self, cx: &mut Context<'_>) -> Result<()> {
        let Some(folder) = cx.folder().map(|folder| folder.checkpoints()) else { return Ok(()) };
        let clock = cx.clocks().clock();
        for name in &self.save_best {
            let Some(found) = self.best.get(&**name) else { continue };
            let [best, others @ ..] = found.best(self.keep_best) else { continue };
            let path = folder.join(best_name(name));
            let mut text = format!("best `{name}`: {}, in {}", told(best, clock), path.display());
            match best.ties {
                0 => {}
                1 => text.push_str("; a later value is the same, and the first one is kept"),
                ties => text.push_str(&format!("; {ties} later values are the same, and the first one is kept")),
            }
            for entry in others {
                text.push_str(&format!("; then {}, in {}", told(entry, clock), iter_name(entry.iter)));
            }
            cx.say(&text)?;
        }
        Ok(())
    }

    fn is_due(&self, clock: Clock, cx: &Context<'_>) -> bool {
        let clocks = cx.clocks();
        let cadence = self.cadence(clocks.clock());
        cadence.is_some_and(|cadence| match (cadence.by, clock) {
            // counted after each iter
            (Clock::Sample, Clock::Iter) => cadence.is_due(clocks),
            (by, clock) => by == clock && cadence.is_at(clocks.count(clock)),
        })
    }

    /// When regular checkpoints are due, of a training on this clock; `None`: by minutes alone.
    pub(crate) fn cadence(&self, clock: Clock) -> Option<Cadence> {
        let counted = self.interval.is_some() || self.minutes.is_none();
        counted.then(|| Cadence::new(self.interval, self.begin, self.by, clock))
    }

    /// How many of the newest regular checkpoints are kept.
    pub(crate) fn keep(&self) -> usize {
        self.keep
    }

    fn is_time(&self) -> bool {
        let (Some(minutes), Some(last)) = (self.minutes, self.last) else { return false };
        // a span that is too long for a clock never ends
        Duration::try_from_secs_f64(minutes * 60.0).is_ok_and(|span| last.elapsed() >= span)
    }

    fn is_last(&self, cx: &Context<'_>) -> bool {
        self.save_last && cx.iter().get() > 0 && (cx.clocks().is_finished() || cx.stopping().is_some())
    }

    /// Asks for a regular checkpoint, and counts it.
    fn save_regular(&mut self, wanted: bool, cx: &mut Context<'_>) {
        if wanted && self.training && cx.exception().is_none() {
            self.count(cx);
        }
        self.save_if(wanted, cx);
    }

    fn count(&mut self, cx: &Context<'_>) {
        let iter = cx.iter();
        if self.counted != Some(iter) {
            self.counted = Some(iter);
            self.last = Some(Instant::now());
            self.regular += 1;
            if self.keep_every.is_some_and(|every| self.regular.is_multiple_of(every)) {
                self.kept.push(iter);
            }
        }
    }

    /// Asks for a checkpoint that is named by its iter, unless something is on its way out.
    fn save_if(&self, wanted: bool, cx: &mut Context<'_>) {
        if wanted && self.training && cx.exception().is_none() {
            let name = iter_name(cx.iter());
            cx.save(Save { name, latest: true });
        }
    }
}

/// A best value, and the weights that gave it: `0.9500 at epoch 2, iter 6`.
fn told(entry: &Entry, clock: Clock) -> String {
    // as the command line prints metrics at the end
    let value = format!("{:.4}", entry.value);
    match clock {
        Clock::Epoch => format!("{value} at {}, {}", entry.epoch, entry.iter),
        Clock::Iter | Clock::Sample => format!("{value} at {}", entry.iter),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

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
