//! `ActivationStatistics`: records what intermediate tensors of steps are like.

use crate::base::Result;
use crate::run::Context;
use engine_macros::{hook, phases};
use tch::{Kind, Tensor};

/// Records statistics of the endpoints of training steps at intervals: the mean, the standard deviation, the largest
/// absolute value and the share of zeros of each, as `activations/neck/mean`, and the same of its gradient as
/// `activation_gradients/…`. The trainer names its endpoints with `cx.endpoint("neck", &features)`.
///
/// Numbers stay on the device until a row is written. Each histogram waits for the device.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct ActivationStatistics {
    /// Iters from one record to the next.
    #[config(default = 100, range = 1..)]
    interval: u64,
    /// Names of endpoints, in which `*` stands for any text.
    #[config(default = vec!["*".to_owned()])]
    patterns: Vec<String>,
    /// Gradients too.
    #[config(default = true)]
    gradients: bool,
    /// Records histograms too.
    #[config(default = false)]
    histograms: bool,
    /// Whether it was said that there is no endpoint.
    #[transient]
    told: bool,
}

#[phases]
impl ActivationStatistics {
    fn before_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if self.is_due(cx) {
            self.patterns.iter().for_each(|pattern| cx.ask_endpoints(pattern, self.gradients));
        }
        Ok(())
    }

    fn after_backward(&mut self, cx: &mut Context<'_>) -> Result<()> {
        if !self.is_due(cx) {
            return Ok(());
        }
        let found: Vec<(String, Tensor)> =
            cx.endpoints().iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        if found.is_empty() && !self.told {
            self.told = true;
            let patterns = self.patterns.join("`, `");
            return cx.say(&format!(
                "`ActivationStatistics` records nothing: the step calls `cx.endpoint` with no name that matches `{patterns}`"
            ));
        }
        for (name, tensor) in found {
            self.record(cx, &format!("activations/{name}"), &tensor.detach())?;
            let gradient = if tensor.requires_grad() && self.gradients { tensor.grad() } else { Tensor::new() };
            if gradient.defined() {
                self.record(cx, &format!("activation_gradients/{name}"), &gradient)?;
            }
        }
        Ok(())
    }
}

impl ActivationStatistics {
    fn is_due(&self, cx: &Context<'_>) -> bool {
        (cx.iter().get() + 1).is_multiple_of(self.interval)
    }

    fn record(&self, cx: &mut Context<'_>, name: &str, values: &Tensor) -> Result<()> {
        let numbers = values.f_to_kind(Kind::Float)?;
        cx.log_last(&format!("{name}/mean"), numbers.f_mean(Kind::Float)?);
        cx.log_last(&format!("{name}/std"), numbers.f_std(false)?);
        cx.log_last(&format!("{name}/max"), numbers.f_abs()?.f_max()?);
        cx.log_last(&format!("{name}/zeros"), numbers.f_eq(0)?.f_to_kind(Kind::Float)?.f_mean(Kind::Float)?);
        if self.histograms { cx.log_histogram(name, values) } else { Ok(()) }
    }
}
