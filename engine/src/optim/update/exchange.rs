//! Gradients that are averaged over the ranks of a group, while backward computes them.

use crate::base::{Error, Result};
use crate::native::{ProcessGroup, Reducer, ReducerOptions, TensorList};
use crate::optim::live::Optim;
use crate::optim::update::pass::Pass;
use std::cell::Cell;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// The exchange of the gradients of each pass. Without a group nothing is exchanged.
#[derive(Debug, Default)]
pub(super) struct Exchange(Option<Joined>);

#[derive(Debug)]
struct Joined {
    group: Arc<ProcessGroup>,
    options: ReducerOptions,
    /// For each set of optimizers that a pass has.
    reducers: Vec<OfOptimizers>,
    next: Cell<Next>,
}

/// The exchange for the parameters of some optimizers.
#[derive(Debug)]
struct OfOptimizers {
    optimizers: Vec<usize>,
    /// None while no parameter takes gradients.
    reducer: Option<Reducer>,
}

/// What the batch in work has to do with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Its gradients stay here.
    Nothing,
    /// Its gradients are exchanged from its first backward on.
    Exchange,
    /// They are being exchanged.
    UnderWay,
}

impl Exchange {
    pub(super) fn join(group: &Arc<ProcessGroup>, options: ReducerOptions) -> Exchange {
        let next = Cell::new(Next::Nothing);
        Exchange(Some(Joined { group: Arc::clone(group), options, reducers: Vec::new(), next }))
    }

    /// Before the update of a pass: makes the exchange for its parameters, and anew when others take gradients now.
    ///
    /// # Errors
    /// When the parameters differ from those of rank 0, or a rank is gone.
    pub(super) fn begin(&mut self, pass: &Pass, optimizers: &[Optim]) -> Result<()> {
        let Some(joined) = &mut self.0 else { return Ok(()) };
        let place = match joined.reducers.iter().position(|known| known.optimizers == pass.optimizers) {
            Some(place) => place,
            None => {
                joined.reducers.push(OfOptimizers { optimizers: pass.optimizers.clone(), reducer: None });
                joined.reducers.len() - 1
            }
        };
        let lists = pass.optimizers.iter().map(|optimizer| optimizers[*optimizer].parameters());
        if !joined.reducers[place].reducer.as_ref().is_some_and(|reducer| reducer.fits(lists)) {
            // the old one first: its hooks are on the same parameters
            joined.reducers[place].reducer = None;
            joined.reducers[place].reducer = joined.make(pass, optimizers)?;
        }
        Ok(())
    }

    /// Before the forward pass of a batch. `last`: whether it is the last one of its update, after which the gradients of
    /// all ranks have to be the same.
    ///
    /// # Errors
    /// When a rank is gone.
    pub(super) fn before_batch(&self, pass: &Pass, last: bool) -> Result<()> {
        let Some((joined, reducer)) = self.of(pass) else { return Ok(()) };
        joined.next.set(if last { Next::Exchange } else { Next::Nothing });
        Ok(reducer.before_forward(last)?)
    }

    /// Before a backward from this tensor.
    ///
    /// # Errors
    /// Those of libtorch.
    pub(super) fn before_backward(&self, pass: &Pass, from: &Tensor) -> Result<()> {
        match self.of(pass) {
            Some((joined, reducer)) if joined.next.get() == Next::Exchange => {
                joined.next.set(Next::UnderWay);
                Ok(reducer.before_backward(Some(from))?)
            }
            _ => Ok(()),
        }
    }

    /// After the last backward of a batch. A rank without samples, or whose samples count for nothing, has run none: it
    /// takes part with gradients of zero.
    ///
    /// # Errors
    /// When a parameter was left out, and when a rank is gone.
    pub(super) fn after_batch(&self, pass: &Pass, optimizers: &[Optim]) -> Result<()> {
        let Some((joined, reducer)) = self.of(pass) else { return Ok(()) };
        match joined.next.replace(Next::Nothing) {
            Next::Nothing => Ok(()),
            Next::Exchange => {
                reducer.zeros()?;
                reducer.count_wait();
                Ok(())
            }
            Next::UnderWay if reducer.is_unfinished() => {
                let mut names = Vec::new();
                each_parameter(pass, optimizers, |name, _| names.push(name.to_owned()))?;
                let names: Vec<String> = reducer.left_out()?.into_iter().map(|place| names[place].clone()).collect();
                Err(Error::msg(left_out(&names)))
            }
            Next::UnderWay => {
                reducer.count_wait();
                Ok(())
            }
        }
    }

    /// Whether the exchange of a pass takes what the ranks tell each other along.
    pub(super) fn carries_note(&self, pass: &Pass) -> bool {
        self.of(pass).is_some_and(|(_, reducer)| reducer.note() > 0)
    }

    /// Sets what this rank tells the others with the gradients of the batch in work. False where it is too late, as they
    /// are under way.
    ///
    /// # Errors
    /// When the exchange takes another count of numbers along.
    pub(super) fn tell(&self, pass: &Pass, numbers: &[f64]) -> Result<bool> {
        match self.of(pass) {
            Some((joined, reducer)) if joined.next.get() != Next::UnderWay => {
                reducer.tell(numbers)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The means over the ranks of what they have told with the gradients of the last batch; nothing where nothing was.
    ///
    /// # Errors
    /// When no gradients were exchanged.
    pub(super) fn told(&self, pass: &Pass) -> Result<Vec<f64>> {
        self.of(pass).map_or(Ok(Vec::new()), |(_, reducer)| Ok(reducer.told()?))
    }

    fn of(&self, pass: &Pass) -> Option<(&Joined, &Reducer)> {
        let joined = self.0.as_ref()?;
        let own = joined.reducers.iter().find(|known| known.optimizers == pass.optimizers)?;
        Some((joined, own.reducer.as_ref()?))
    }
}

impl Joined {
    fn make(&self, pass: &Pass, optimizers: &[Optim]) -> Result<Option<Reducer>> {
        let (mut tensors, mut names) = (Vec::new(), Vec::new());
        each_parameter(pass, optimizers, |name, tensor| {
            tensors.push(tensor);
            names.push(name.to_owned());
        })?;
        if tensors.is_empty() {
            return Ok(None);
        }
        // what is told has to be read before the update, so no device may have it
        let takes_note = tensors.iter().all(|tensor| tensor.device() == Device::Cpu && is_real(tensor.kind()));
        let options = ReducerOptions { note: if takes_note { self.options.note } else { 0 }, ..self.options };
        let reducer = Reducer::new(&self.group, &TensorList::new(&tensors)?, &names, options);
        let told = |error| Error::new(error).context("the parameters of the ranks can't be trained together");
        reducer.map(Some).map_err(told)
    }
}

/// Calls `each` with every parameter of a pass that takes gradients.
fn each_parameter(pass: &Pass, optimizers: &[Optim], mut each: impl FnMut(&str, Tensor)) -> Result<()> {
    for optimizer in &pass.optimizers {
        let optimizer = &optimizers[*optimizer];
        for (index, name) in optimizer.parameter_names().iter().enumerate() {
            if let Some(tensor) = optimizer.parameters().get(index)?.filter(Tensor::requires_grad) {
                each(name, tensor);
            }
        }
    }
    Ok(())
}

fn is_real(kind: Kind) -> bool {
    matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16)
}

/// What is said of parameters that backward has not reached.
fn left_out(names: &[String]) -> String {
    let which = match names {
        [] => "some parameters".to_owned(),
        [first @ .., last] if first.len() < 5 => {
            first.iter().map(|name| format!("`{name}`, ")).chain([format!("`{last}`")]).collect()
        }
        [first, ..] => format!("`{first}` and {} others", names.len() - 1),
    };
    format!(
        "no gradient of {which} was computed in the last batch of this update, so the ranks can't average it; set `dist: (find_unused: true)` for a model that leaves parameters out, or freeze them"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_were_left_out_are_named() {
        let of = |count: usize| left_out(&(0..count).map(|n| format!("p{n}")).collect::<Vec<_>>());
        assert!(of(0).starts_with("no gradient of some parameters was"));
        assert!(of(1).starts_with("no gradient of `p0` was"));
        assert!(of(3).starts_with("no gradient of `p0`, `p1`, `p2` was"));
        assert!(of(9).starts_with("no gradient of `p0` and 8 others was"));
    }
}
