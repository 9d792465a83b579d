//! Values of an evaluation that are NaN or infinite.

use crate::base::Result;
use crate::hook::EngineHooks;
use crate::loops::program::Program;
use crate::loops::trainer::Trainer;

/// Names are told up to so many.
const SHOWN: usize = 5;

impl<D: EngineHooks, T: Trainer> Program<D, T> {
    /// Tells of metrics that are NaN or infinite, and which weights and buffers are. Only then are these looked at.
    pub(super) fn tell_of_not_finite(&mut self, metrics: &[(String, f64)]) -> Result<()> {
        let bad = metrics.iter().filter(|(_, value)| !value.is_finite());
        let bad: Vec<String> = bad.map(|(name, value)| format!("`{name}` is {value}")).collect();
        if bad.is_empty() {
            return Ok(());
        }
        let several = self.run.models.iter().count() > 1;
        let mut weights = Vec::new();
        for model in self.run.models.iter() {
            let names = model.not_finite()?.into_iter();
            weights
                .extend(names.map(|name| if several { format!("{}.{name}", model.name()) } else { name.to_owned() }));
        }
        let told = match &weights[..] {
            [] => "all weights and buffers are finite".to_owned(),
            names => {
                let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
                let more = names.len().saturating_sub(SHOWN);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("not finite in the model: {}{more}", shown.join(", "))
            }
        };
        self.run.say(&format!("{}; {told}", bad.join(", ")))
    }
}
