//! `ParameterStatistics`: records what weights and gradients are like.

use crate::base::Result;
use crate::run::Context;
use engine_macros::{hook, phases};
use tch::{Kind, Tensor};

/// Records statistics of each parameter at intervals: its mean, its standard deviation and its largest absolute value,
/// as `weights/net.first.weight/mean`, and the same of its gradient as `gradients/…`. With `histograms` the
/// distributions are recorded too, for sinks such as `TensorBoard`.
///
/// Numbers stay on the device until a row is written. Each histogram waits for the device.
#[hook(priority = "NORMAL")]
#[derive(Debug)]
pub struct ParameterStatistics {
    /// Iters from one record to the next.
    #[config(default = 100, range = 1..)]
    interval: u64,
    /// Names of parameters, in which `*` stands for any text; with several models `net.first.*`.
    #[config(default = vec!["*".to_owned()])]
    patterns: Vec<String>,
    /// Gradients too, before they are clipped.
    #[config(default = true)]
    gradients: bool,
    /// Records histograms too.
    #[config(default = false)]
    histograms: bool,
    /// The parameters that match, with their names.
    #[transient]
    chosen: Vec<(String, Tensor)>,
}

#[phases]
impl ParameterStatistics {
    fn before_train(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.chosen = cx.models().parameters_by(&self.patterns).map_err(|(_, error)| error)?;
        Ok(())
    }

    fn before_optimizer_step(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let iter = cx.iter().get() + 1;
        if !iter.is_multiple_of(self.interval) {
            return Ok(());
        }
        for (name, parameter) in &self.chosen {
            self.record(cx, &format!("weights/{name}"), &parameter.detach())?;
            let gradient = parameter.grad();
            if self.gradients && gradient.defined() {
                self.record(cx, &format!("gradients/{name}"), &gradient)?;
            }
        }
        Ok(())
    }
}

impl ParameterStatistics {
    fn record(&self, cx: &mut Context<'_>, name: &str, values: &Tensor) -> Result<()> {
        let numbers = values.f_to_kind(Kind::Float)?;
        cx.log_last(&format!("{name}/mean"), numbers.f_mean(Kind::Float)?);
        cx.log_last(&format!("{name}/std"), numbers.f_std(false)?);
        cx.log_last(&format!("{name}/max"), numbers.f_abs()?.f_max()?);
        if self.histograms { cx.log_histogram(name, values) } else { Ok(()) }
    }
}
