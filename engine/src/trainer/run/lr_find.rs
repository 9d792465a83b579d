//! `lr-find`: the loss while the learning rate rises, from the state in which the training begins.

use crate::base::{Error, Result};
use crate::loops::End;
use crate::optim::{Group, Optim};
use crate::phase::Phase;
use crate::run::Context;
use crate::trainer::run::bare::{build_bare, train_bare, watch};
use crate::trainer::run::{Program, lr_curve};
use crate::trainer::{Build, Experiment, LrCurve, LrEnd, LrPoint};
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// How a search goes.
#[derive(Clone, Debug, PartialEq)]
pub struct LrSearch {
    /// The learning rate of the first update.
    pub from: f64,
    /// The learning rate of the last one.
    pub to: f64,
    /// How many updates; each multiplies the rate by the same factor.
    pub updates: u64,
    /// The optimizer whose rate rises. It may be left out where there is one.
    pub optimizer: Option<String>,
}

/// Trains for some updates while the learning rate of one optimizer rises, and gives the loss of each. It begins as the
/// training begins, with the same weights and the same batches. Schedules are off; other optimizers keep their initial rates,
/// and groups of the optimizer keep their proportions to its group `default`. Nothing is validated, and no file is written.
///
/// It ends early when the loss is not finite, or far above its best. `told` is called after each update, with the points so
/// far.
///
/// # Errors
/// When the settings of the search are wrong, something fails while building, and the first error of a step, a hook or a
/// loader.
pub fn run_lr_find<T: Build>(
    experiment: Experiment<T>,
    search: &LrSearch,
    mut told: impl FnMut(&[LrPoint]) + 'static,
) -> Result<LrCurve> {
    check(search)?;
    let (mut program, lines) = build_bare(experiment, "lr-find", search.updates)?;
    let chosen = choose(&program, search)?;
    let curve =
        LrCurve { optimizer: chosen.optimizer.clone(), loss_of: chosen.loss_of, told: lines, ..LrCurve::default() };
    let notes = Rc::new(RefCell::new(Notes { curve, losses: Vec::new() }));
    let ramp = Ramp { search: search.clone(), chosen, notes: Rc::clone(&notes) };
    watch(&mut program, &[Phase::BeforeTrainIter, Phase::AfterForward, Phase::AfterTrainIter], move |phase, cx| {
        match phase {
            Phase::BeforeTrainIter => ramp.set_rate(cx),
            Phase::AfterForward => ramp.note_loss(cx),
            _ => {
                ramp.note_point(cx)?;
                told(&ramp.notes.borrow().curve.points);
                Ok(())
            }
        }
    });
    let end = train_bare(&mut program, |_| notes.borrow().curve.end != LrEnd::Whole)?;
    let mut curve = std::mem::take(&mut notes.borrow_mut().curve);
    if let End::Signal(signal) = end {
        curve.end = LrEnd::Signal(signal);
    }
    if curve.points.is_empty() && curve.end == LrEnd::NotFinite {
        return Err(Error::msg(format!(
            "the loss of `{}` is not finite before the first update, at the learning rate {}, so it is not the rate: look at the data, and at how the loss is computed",
            curve.loss_of, search.from
        )));
    }
    if curve.points.is_empty() && !matches!(curve.end, LrEnd::Signal(_)) {
        return Err(Error::msg(format!(
            "`{}` gives no loss: a step that calls `cx.backward` itself has to return its loss too",
            curve.loss_of
        )));
    }
    Ok(curve)
}

/// The highest learning rate of a search; a rate far above it is infinite in the kernels of an optimizer.
pub(crate) const HIGHEST_RATE: f64 = 1e38;

fn check(search: &LrSearch) -> Result<()> {
    let LrSearch { from, to, updates, .. } = search;
    let positive = |value: f64| value.is_normal() && value > 0.0 && value <= HIGHEST_RATE;
    if !positive(*from) || !positive(*to) || from >= to {
        return Err(Error::msg(format!(
            "the learning rate has to rise from above 0 to at most {HIGHEST_RATE:e}, and not from {from} to {to}"
        )));
    }
    match updates {
        2.. => Ok(()),
        _ => Err(Error::msg(format!("a search takes at least 2 updates, not {updates}"))),
    }
}

/// The optimizer, and the pass that steps it.
struct Chosen {
    optimizer: String,
    pass: usize,
    /// The step whose loss is noted.
    loss_of: &'static str,
    /// The rate in the file, to which those of the groups are in proportion.
    base: f64,
}

fn choose<T: Build>(program: &Program<T>, search: &LrSearch) -> Result<Chosen> {
    let optimizers = program.run.updates.optimizers();
    let names = || optimizers.iter().map(|optimizer| format!("`{}`", optimizer.name())).collect::<Vec<_>>().join(", ");
    let place = match (&search.optimizer, optimizers) {
        (None, [_]) => Some(0),
        (None, _) => {
            return Err(Error::msg(format!(
                "the trainer has the optimizers {}; choose one with `--optimizer`",
                names()
            )));
        }
        (Some(name), all) => all.iter().position(|optimizer| optimizer.name() == name),
    };
    let Some(place) = place else {
        let asked = search.optimizer.as_deref().unwrap_or_default();
        return Err(Error::msg(format!("there is no optimizer `{asked}`; the trainer has {}", names())));
    };
    let optimizer = &optimizers[place];
    let base = base_of(optimizer).filter(|base| *base > 0.0).ok_or_else(|| {
        Error::msg(format!("the optimizer `{}` has no learning rate above 0 that could rise", optimizer.name()))
    })?;
    let passes = program.run.updates.passes();
    let pass = passes.iter().position(|pass| pass.optimizers().contains(&place));
    let pass = pass.ok_or_else(|| Error::msg(format!("no pass steps the optimizer `{}`", optimizer.name())))?;
    let loss_of = passes[pass].prefix().unwrap_or("train_step");
    Ok(Chosen { optimizer: optimizer.name().to_owned(), pass, loss_of, base })
}

/// The initial rate of the group `default`, or the largest of all groups where there is none.
fn base_of(optimizer: &Optim) -> Option<f64> {
    let initial = |group: &Group| group.settings().initial("lr");
    let default = optimizer.groups().iter().find(|group| group.name() == "default").and_then(initial);
    default.or_else(|| optimizer.groups().iter().filter_map(initial).reduce(f64::max))
}

/// What was seen so far.
struct Notes {
    curve: LrCurve,
    /// The losses of the iter under way.
    losses: Vec<Tensor>,
}

/// Sets the rate before each update, and notes the loss after it.
struct Ramp {
    search: LrSearch,
    chosen: Chosen,
    notes: Rc<RefCell<Notes>>,
}

impl Ramp {
    /// The rate of an update, counted from 0.
    fn rate(&self, update: u64) -> f64 {
        let LrSearch { from, to, updates, .. } = &self.search;
        let part = update as f64 / (updates - 1) as f64;
        from * (to / from).powf(part)
    }

    fn set_rate(&self, cx: &mut Context<'_>) -> Result<()> {
        let factor = self.rate(cx.iter().get()) / self.chosen.base;
        for group in cx.optimizer(&self.chosen.optimizer)?.groups_mut() {
            if let Some(initial) = group.settings().initial("lr") {
                group.settings_mut().set("lr", initial * factor)?;
            }
        }
        Ok(())
    }

    fn note_loss(&self, cx: &Context<'_>) -> Result<()> {
        let of_pass = cx.pass_place().is_some_and(|place| place.pass == self.chosen.pass);
        if of_pass && let Ok(loss) = cx.output().and_then(|output| output.loss()) {
            self.notes.borrow_mut().losses.push(loss.detach());
        }
        Ok(())
    }

    fn note_point(&self, cx: &Context<'_>) -> Result<()> {
        let mut notes = self.notes.borrow_mut();
        let losses = std::mem::take(&mut notes.losses);
        if losses.is_empty() {
            return Ok(());
        }
        let mut sum = 0.0;
        for loss in &losses {
            sum += f64::try_from(loss).map_err(Error::new)?;
        }
        let lr = self.rate(cx.iter().get().saturating_sub(1));
        lr_curve::add(&mut notes.curve, LrPoint { lr, loss: sum / losses.len() as f64 });
        Ok(())
    }
}
