//! `logger`: rows of numbers at intervals and after every evaluation, to all sinks.

use crate::base::{Clock, Result};
use crate::record::{Row, RowPhase};
use crate::run::{Cadence, Context};
use engine_macros::{hook, phases};

/// Writes what was recorded: the mean of every number over the last `interval` iters, the learning rates, and for every
/// loader that was evaluated its metrics and the means of what was logged. Between two rows nothing is read from the
/// device. A loss that is no finite number is warned of in the row where it is first seen.
#[hook(priority = "LOW")]
#[derive(Debug)]
pub struct Logger {
    /// Iters between two rows of training.
    #[config(default = 50, range = 1..)]
    interval: u64,
    /// Whether the iters at the end of an epoch that fill no interval make a row of their own.
    #[config(default = true)]
    tail: bool,
    /// Whether the last row's loss was no finite number: told once, not in every row.
    #[transient]
    warned: bool,
    /// Whether a row is due that waits for its epoch to be counted.
    #[transient]
    due_with_epoch: bool,
    /// Names that a metric gives and somebody logs too: told once each.
    #[transient]
    doubled: Vec<String>,
}

#[phases]
impl Logger {
    /// Within a training the row that was waiting is of an iter that is undone.
    fn after_load_checkpoint(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.due_with_epoch = false;
        Ok(())
    }

    #[only_ok]
    fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let (clocks, iter) = (cx.clocks(), cx.iter().get());
        // an end that is decided only after this phase has its row in `after_train_epoch`
        let due = Cadence::iters(self.interval).is_at(iter) || (self.tail && clocks.is_finished());
        if !due {
            return Ok(());
        }
        // the epoch that ends here is counted when `after_train_epoch` comes
        self.due_with_epoch = clocks.clock() == Clock::Epoch && iter.is_multiple_of(clocks.iters_per_epoch().max(1));
        if self.due_with_epoch { Ok(()) } else { self.write_train_row(cx) }
    }

    #[only_ok]
    fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let tail = self.tail && cx.may_have_logged(RowPhase::Train) && !cx.is_cut_within_epoch();
        let due = std::mem::take(&mut self.due_with_epoch) || tail;
        if due { self.write_train_row(cx) } else { Ok(()) }
    }

    /// The iters before a cut are shown once the checkpoint is written: the run that goes on from there has no such row.
    #[only_ok]
    fn after_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let due = self.tail && cx.may_have_logged(RowPhase::Train) && cx.is_cut_within_epoch();
        if due { self.write_train_row(cx) } else { Ok(()) }
    }

    #[only_ok]
    fn after_val_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.write_evaluation_row(RowPhase::Val, cx)
    }

    #[only_ok]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.write_rest(RowPhase::Val, cx)
    }

    #[only_ok]
    fn after_test_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.write_evaluation_row(RowPhase::Test, cx)
    }

    #[only_ok]
    fn after_test(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.write_rest(RowPhase::Test, cx)
    }
}

impl Logger {
    fn write_train_row(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let mut values = cx.read_row(RowPhase::Train)?;
        if values.is_empty() {
            return Ok(());
        }
        self.warn_of_loss(&values, cx)?;
        push_learning_rates(&mut values, cx);
        values.extend(cx.scheduled());
        let row = Row { phase: RowPhase::Train, loader: None, at: cx.moment(), values };
        cx.write_row(&row)
    }

    /// The metrics of the loader that was evaluated, and what was logged meanwhile.
    fn write_evaluation_row(&mut self, phase: RowPhase, cx: &mut Context<'_>) -> Result<()> {
        let mut values = cx.metrics().to_vec();
        let loader = cx.recorded_loader();
        for (name, value) in cx.read_row(phase)? {
            if !values.iter().any(|(known, _)| *known == name) {
                values.push((name, value));
                continue;
            }
            let key = phase.key(loader.as_deref(), &name);
            if !self.doubled.contains(&key) {
                cx.say(&format!(
                    "warning: `{key}` is logged and measured by a metric too; rows show the metric's value"
                ))?;
                self.doubled.push(key);
            }
        }
        match values.is_empty() {
            true => Ok(()),
            false => cx.write_row(&Row { phase, loader, at: cx.moment(), values }),
        }
    }

    /// What was logged after the row of the last loader.
    fn write_rest(&mut self, phase: RowPhase, cx: &mut Context<'_>) -> Result<()> {
        if !cx.may_have_logged(phase) {
            return Ok(());
        }
        let values = cx.read_row(phase)?;
        match values.is_empty() {
            true => Ok(()),
            false => cx.write_row(&Row { phase, loader: None, at: cx.moment(), values }),
        }
    }

    fn warn_of_loss(&mut self, values: &[(String, f64)], cx: &mut Context<'_>) -> Result<()> {
        let is_loss = |name: &str| name == "loss" || name.ends_with("/loss");
        let loss = values.iter().find(|(name, value)| is_loss(name) && !value.is_finite());
        if let Some((name, loss)) = loss
            && !self.warned
        {
            let which = if name == "loss" { "the loss".to_owned() } else { format!("`{name}`") };
            cx.say(&format!(
                "warning: {which} is {loss} in the row of {}; the weights are probably no longer finite either; `train: (non_finite: Skip)` leaves such updates out",
                cx.iter()
            ))?;
        }
        self.warned = loss.is_some();
        Ok(())
    }
}

/// One `lr` for an optimizer whose groups agree, else one for each group: `lr/backbone`. With several optimizers their
/// names come first: `lr/opt_g`, `lr/opt_g/backbone`.
fn push_learning_rates(values: &mut Vec<(String, f64)>, cx: &Context<'_>) {
    for optimizer in cx.optimizers() {
        let prefix = match cx.optimizers().len() {
            1 => "lr".to_owned(),
            _ => format!("lr/{}", optimizer.name()),
        };
        let mut rates = optimizer.groups().iter().filter_map(|group| Some((group.name(), group.settings().get("lr")?)));
        let Some((_, first)) = rates.next() else { continue };
        if rates.clone().all(|(_, rate)| rate == first) {
            values.push((prefix, first));
            continue;
        }
        let all = optimizer.groups().iter();
        values
            .extend(all.filter_map(|group| Some((format!("{prefix}/{}", group.name()), group.settings().get("lr")?))));
    }
}
