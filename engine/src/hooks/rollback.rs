//! `Rollback`: goes back to an earlier state when the loss has left its range.

use crate::base::{Batch, Epoch, Error, Iter, Result, Scalar};
use crate::run::{Cadence, Context, RollBack};
use engine_macros::{hook, phases};
use std::collections::BTreeMap;

/// Goes back to an earlier state when the loss is not finite, or larger than `factor` times its running median.
///
/// The run then goes on as if it had stood before these iters and the batches that led there did not exist: it restores
/// the newest earlier state, repeats the iters up to `back` iters before the loss, and takes the batches that follow. Rows and
/// checkpoints of the iters that are undone go. Where the loss leaves its range again soon, the run goes back further,
/// because `back` is counted from there.
///
/// The loss is read every `interval` iters, at the end of an epoch, and before each validation and checkpoint: so every
/// checkpoint is one of a good state. The loss of an iter is the weighted mean of its batches. Of a trainer with `#[passes]`
/// the loss of each pass has a median of its own. A loss whose median is not positive is compared with nothing: then only
/// values that are not finite count.
#[hook(priority = "LOWEST")]
#[derive(Debug)]
pub struct Rollback {
    /// A loss is out of its range above this times the median of the last `window` good ones.
    #[config(default = 3.0, range = 1.0..=1e12)]
    factor: f64,
    /// Losses of which the median is taken. Before there are so many, only a loss that is not finite is out of its range.
    #[config(default = 100, range = 1..=100_000)]
    window: usize,
    /// Iters between two reads of the loss. Use the interval of the logger, or a multiple of it: then a row waits for the
    /// device anyway.
    #[config(default = 50, range = 1..)]
    interval: u64,
    /// How many iters before the loss are undone too, and their batches skipped.
    #[config(default = 20)]
    back: u64,
    /// Iters between two copies of the state in host memory. Each replaces the one before it and needs as much memory as
    /// weights, optimizer and averages together. `None`: only checkpoints are gone back to, and more iters are repeated.
    #[config(default = Some(500), range = 1..)]
    snapshot: Option<u64>,
    /// Every learning rate is multiplied by this each time, on top of its schedule.
    #[config(default = 1.0, range = 0.001..=1.0)]
    lr_factor: f64,
    /// How often the run goes back without getting past the place. Once more, and it fails.
    #[config(default = 3, range = 1..)]
    give_up: u64,
    /// Looks at this value of the step's output, and not at its loss.
    #[config(default)]
    watch: Option<String>,
    /// The last good losses of each pass, oldest first.
    #[state]
    good: BTreeMap<String, Vec<f64>>,
    /// What was not read yet.
    #[transient]
    unread: Vec<Unread>,
    /// The values of the iter under way: pass, weight, value.
    #[transient]
    values: Vec<(usize, f64, Scalar)>,
    /// The names of the passes, by their place.
    #[transient]
    passes: Vec<String>,
    /// The iter of the state in memory.
    #[transient]
    kept: Option<Iter>,
    /// Whether a step has given the value.
    #[transient]
    found: bool,
}

/// An iter whose loss was not read yet.
#[derive(Debug)]
struct Unread {
    iter: Iter,
    epoch: Epoch,
    batch: Batch,
    values: Vec<(usize, f64, Scalar)>,
}

#[phases]
impl Rollback {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.keep(cx);
        Ok(())
    }

    #[only_ok]
    fn after_train_batch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let place = cx.pass_place().map_or(0, |place| place.pass);
        if place >= self.passes.len() {
            let name = cx.pass().map_or_else(String::new, |pass| pass.name().to_owned());
            self.passes.resize(place, String::new());
            self.passes.push(name);
        }
        let output = cx.output()?;
        let value = match &self.watch {
            Some(name) => output.values().iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
            None => output.loss().ok().map(|loss| Scalar::Lazy(loss.shallow_clone())),
        };
        self.found |= value.is_some();
        self.values.extend(value.map(|value| (place, cx.batch_weight(), value)));
        Ok(())
    }

    #[only_ok]
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let (iter, clocks) = (cx.iter(), cx.clocks());
        let values = std::mem::take(&mut self.values);
        self.unread.push(Unread { iter, epoch: clocks.epoch(), batch: clocks.batch(), values });
        let due = Cadence::iters(self.interval).is_at(iter.get());
        if (due || cx.is_last_iter()) && self.is_good(cx)? {
            let is_old = |snapshot: u64| self.kept.is_none_or(|kept| iter.get() >= kept.get().saturating_add(snapshot));
            if due && self.snapshot.is_some_and(is_old) {
                self.keep(cx);
            }
        }
        Ok(())
    }

    #[only_ok]
    fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.is_good(cx).map(drop)
    }

    fn before_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.is_good(cx).map(drop)
    }

    fn before_save_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.is_good(cx).map(drop)
    }

    /// Within a training the state is that of an earlier iter now.
    fn after_load_checkpoint(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.unread.clear();
        self.values.clear();
        // a state of iters that are undone now is not kept any more
        let iter = cx.iter();
        self.kept = self.kept.filter(|kept| *kept <= iter);
        Ok(())
    }
}

impl Rollback {
    /// Asks for a copy of the state.
    fn keep(&mut self, cx: &mut Context<'_>) {
        if self.snapshot.is_some() {
            self.kept = Some(cx.iter());
            cx.keep_in_memory();
        }
    }

    /// Reads the losses that were not read yet, and asks to go back when one is out of its range. Whether all are good.
    fn is_good(&mut self, cx: &mut Context<'_>) -> Result<bool> {
        let unread = std::mem::take(&mut self.unread);
        if unread.is_empty() {
            return Ok(true);
        }
        if !self.found {
            return Err(Error::msg(match &self.watch {
                Some(name) => format!("no step gives a value `{name}`: `watch` is the name of a value of the output"),
                None => {
                    "the step gives no loss; set `watch` to the name of a value of the output, such as `\"loss_a\"`"
                        .to_owned()
                }
            }));
        }
        let lazy: Vec<Scalar> =
            unread.iter().flat_map(|seen| &seen.values).map(|(_, _, value)| value.clone()).collect();
        let mut numbers = cx.read_all(self.watch.as_deref().unwrap_or("loss"), &lazy)?.into_iter();
        for seen in unread {
            let mut means: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
            for ((pass, weight, _), number) in seen.values.iter().zip(numbers.by_ref()) {
                // a batch without weight has a loss that is no number
                if *weight > 0.0 {
                    let (sum, weights) = means.entry(*pass).or_default();
                    *sum += weight * number;
                    *weights += weight;
                }
            }
            for (pass, (sum, weights)) in means {
                let Some(why) = self.judge(pass, sum / weights) else { continue };
                cx.roll_back(RollBack {
                    iter: seen.iter,
                    back: self.back,
                    epoch: seen.epoch,
                    batch: seen.batch,
                    lr_factor: self.lr_factor,
                    at_most: self.give_up,
                    reason: format!("{why} in {}", seen.iter),
                });
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Why a loss is out of its range; a good one is taken into the median.
    fn judge(&mut self, pass: usize, loss: f64) -> Option<String> {
        let pass = self.passes.get(pass).map_or("", String::as_str);
        let good = self.good.entry(pass.to_owned()).or_default();
        let what = match (&self.watch, self.passes.len()) {
            (Some(name), _) => format!("`{name}`"),
            (None, 0 | 1) => "the loss".to_owned(),
            (None, _) => format!("the loss of `{pass}`"),
        };
        if !loss.is_finite() {
            return Some(format!("{what} is {loss}"));
        }
        let median = if good.len() < self.window { 0.0 } else { median(good) };
        if median > 0.0 && loss > self.factor * median {
            return Some(format!(
                "{what} is {loss}, more than {} times the median {median} of the last {}",
                self.factor,
                good.len()
            ));
        }
        if good.len() == self.window {
            good.remove(0);
        }
        good.push(loss);
        None
    }
}

/// The mean of the middle two, or the middle one.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { 0.5 * (sorted[middle - 1] + sorted[middle]) } else { sorted[middle] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_middle_two() {
        assert_eq!(median(&[3.0]), 3.0);
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
    }
}
