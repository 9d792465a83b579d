//! `Freeze`: freezes parameters for a part of the training.

use crate::base::{Clock, Error, Result};
use crate::run::Context;
use engine_macros::{hook, phases};

/// Freezes parameters from one count of a clock to another, and thaws them then: a backbone in the first epochs, for
/// example.
///
/// What is frozen gets no gradient and no update, and its state in the optimizer does not change. Buffers go on: for
/// batch norm whose statistics must not change use `nn::frozen_batch_norm`. Name the hook several times in
/// `custom_hooks` to thaw one part after another. Parameters that are frozen for the whole training need no hook:
/// `freeze: ["features.*"]` does it.
#[hook(priority = "HIGH")]
#[derive(Debug)]
pub struct Freeze {
    /// Names of parameters, in which `*` stands for any text; with several models `net.features.*`.
    #[config(example = vec!["features.*".to_owned()], resets_state)]
    patterns: Vec<String>,
    /// They are frozen when so many epochs, iters or samples are finished; 0 is the start.
    #[config(default = 0)]
    from: u64,
    /// They are thawed when so many epochs, iters or samples are finished; never when it is not given.
    #[config(default)]
    until: Option<u64>,
    /// The clock of `from` and `until`; that of the trainer when it is not given.
    #[config(default)]
    by: Option<Clock>,
    /// What was done last: frozen or thawed.
    #[state]
    frozen: Option<bool>,
}

#[phases]
impl Freeze {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if let Some(until) = self.until.filter(|until| *until <= self.from) {
            let text = format!("`until` is {until}, and must be above `from`, which is {}", self.from);
            return Err(Error::msg(text));
        }
        cx.clocks().check(self.by.unwrap_or(Clock::Iter))?;
        if self.patterns.is_empty() {
            return Err(Error::msg(
                "`patterns` is empty, so nothing would be frozen; name parameters, such as `backbone.*`",
            ));
        }
        // a pattern of nothing is told now, and not when it is due
        cx.models().parameters_by(&self.patterns).map_err(|(_, error)| error)?;
        self.follow(cx)
    }

    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.follow(cx)
    }
}

impl Freeze {
    /// Freezes or thaws when the clock has come there. Nothing else is changed, so that other hooks can freeze too.
    fn follow(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let clock = self.by.unwrap_or(cx.clocks().clock());
        let count = cx.clocks().count(clock);
        let wanted = match self.until {
            _ if count < self.from => return Ok(()),
            Some(until) if count >= until => false,
            _ => true,
        };
        // thawed already, or never frozen in a run that begins behind the end
        if self.frozen == Some(wanted) || (self.frozen.is_none() && !wanted) {
            return Ok(());
        }
        let parameters = cx.models_mut().set_frozen_by(&self.patterns, wanted).map_err(|(_, error)| error)?;
        self.frozen = Some(wanted);
        let what = if wanted { "frozen" } else { "trained again" };
        cx.say(&format!("{parameters} parameters are {what}: {}", self.patterns.join(", ")))
    }
}
