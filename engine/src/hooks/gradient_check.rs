//! `GradientCheck`: names the parameters whose gradients are not finite, zero, missing or very large.

use crate::base::{ErrorContext as _, Result};
use crate::run::Context;
use engine_macros::{hook, phases};
use std::collections::BTreeMap;
use tch::{Kind, Tensor};

/// Names the parameters whose gradients are not finite, zero, missing or very large, before they are clipped.
///
/// A parameter is named when its gradient gets into another of these states, and not in each check. A check reads the device
/// once.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct GradientCheck {
    /// Iters from one check to the next.
    #[config(default = 100, range = 1..)]
    interval: u64,
    /// A gradient with a 2-norm above this is named.
    #[config(default = 1e3, range = f64::MIN_POSITIVE..=f64::MAX)]
    large: f64,
    /// Rows show the 2-norm of each parameter's gradient, as `grad/net.first.weight`.
    #[config(default = false)]
    log: bool,
    /// So many updates at most are dumped whose gradient gets not finite or very large, for the command `replay`.
    #[config(default = 0)]
    dumps: u64,
    /// What was said of each parameter.
    #[transient]
    said: BTreeMap<String, State>,
}

/// What a gradient is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    NotFinite,
    Large,
    Zero,
    Missing,
    Fine,
}

impl State {
    fn of(norm: Option<f64>, large: f64) -> Self {
        match norm {
            None => State::Missing,
            Some(norm) if !norm.is_finite() => State::NotFinite,
            Some(0.0) => State::Zero,
            Some(norm) if norm > large => State::Large,
            Some(_) => State::Fine,
        }
    }

    fn words(self) -> &'static str {
        match self {
            State::NotFinite => "not finite",
            State::Large => "very large",
            State::Zero => "zero",
            State::Missing => "missing: the loss does not depend on the parameter",
            State::Fine => "as expected again",
        }
    }
}

#[phases]
impl GradientCheck {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        cx.allow_dumps(self.dumps, false);
        Ok(())
    }

    fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let iter = cx.iter().get() + 1;
        if !iter.is_multiple_of(self.interval) {
            return Ok(());
        }
        let norms = norms(cx)?;
        let mut changed: BTreeMap<State, Vec<&str>> = BTreeMap::new();
        for (name, norm) in &norms {
            let state = State::of(*norm, self.large);
            let before = self.said.get(name).copied().unwrap_or(State::Fine);
            if state != before {
                changed.entry(state).or_default().push(name);
            }
        }
        for (state, names) in &changed {
            let text = format!("gradients of iter {iter} are {}: {}", state.words(), listed(names));
            cx.say(&text)?;
            if self.dumps > 0 && matches!(state, State::NotFinite | State::Large) {
                cx.dump(text)?;
            }
        }
        for (name, norm) in norms {
            if self.log
                && let Some(norm) = norm
            {
                cx.log(&format!("grad/{name}"), norm);
            }
            self.said.insert(name, State::of(norm, self.large));
        }
        Ok(())
    }
}

/// The 2-norm of the gradient of each parameter that the pass under way trains; `None` where there is no gradient.
fn norms(cx: &Context<'_>) -> Result<Vec<(String, Option<f64>)>> {
    let (mut names, mut found) = (Vec::new(), Vec::new());
    for model in cx.models().iter().filter(|model| cx.updates_model(model.name())) {
        for (name, parameter) in model.parameters().filter(|(_, parameter)| parameter.requires_grad()) {
            let gradient = parameter.grad();
            names.push((format!("{}.{name}", model.name()), gradient.defined()));
            if gradient.defined() {
                found.push(gradient.f_norm()?.f_to_kind(Kind::Double)?);
            }
        }
    }
    let mut read = match found.is_empty() {
        true => Vec::new(),
        // one read for all
        false => Vec::<f64>::try_from(Tensor::f_stack(&found, 0)?).context("the norms can't be read")?,
    }
    .into_iter();
    Ok(names.into_iter().map(|(name, defined)| (name, if defined { read.next() } else { None })).collect())
}

/// The first names, and how many more there are.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
