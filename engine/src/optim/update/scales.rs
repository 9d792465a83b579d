//! What the gradients of an update are scaled by: the scale of each pass's loss, and factors for single parameters.

use crate::base::{Result, State as _, StateMap, pattern};
use crate::native::{NativeError, TensorList};
use crate::optim::error::OptimError;
use crate::optim::update::Updates;
use crate::optim::update::gradient_scale::{GradientScale, GradientScales, Scaled};
use crate::optim::update::precision::Precision;
use crate::optim::update::scaler::LossScaler;
use tch::{Device, Tensor};

/// The scales of the passes.
impl Updates {
    /// Says in which kinds of numbers steps compute. To be called after [`Updates::set_passes`]: each pass has a scale of its
    /// own, where losses are scaled. Scales that are there already stay.
    ///
    /// # Errors
    /// When the device is not there.
    pub fn set_precision(&mut self, precision: Precision, device: Device) -> Result<()> {
        self.autocast_on = precision.autocast().map(|_| device);
        match precision.scales_loss() {
            false => self.scalers.clear(),
            true => {
                for pass in &self.passes[self.scalers.len().min(self.passes.len())..] {
                    let mut scaler = LossScaler::new(device)?;
                    if self.restored_scales.0.contains_key(pass.name()) {
                        scaler.load_state(self.restored_scales.take_map(pass.name())?)?;
                    }
                    self.scalers.push(scaler);
                }
            }
        }
        Ok(())
    }

    /// The scale of each pass's loss, for a checkpoint; empty when losses are not scaled.
    pub fn save_scales(&self) -> StateMap {
        let mut scales = StateMap::new();
        for (pass, scaler) in self.passes.iter().zip(&self.scalers) {
            scales.put(pass.name(), &scaler.save_state());
        }
        scales
    }

    /// Takes the scales back that a checkpoint holds. A pass that it does not know begins with the first scale.
    ///
    /// # Errors
    /// When an entry does not fit.
    pub fn restore_scales(&mut self, mut scales: StateMap) -> Result<()> {
        for (pass, scaler) in self.passes.iter().zip(&mut self.scalers) {
            if scales.0.contains_key(pass.name()) {
                scaler.load_state(scales.take_map(pass.name())?)?;
            }
        }
        self.restored_scales = scales;
        Ok(())
    }
}

/// Factors for the gradients of some parameters.
impl Updates {
    /// Sets the factors for gradients, in place of those before. A parameter has the factor of the first rule that matches
    /// its name. To be called when all optimizers are there.
    ///
    /// # Errors
    /// The index of a rule that gets no parameter, and why.
    pub fn set_gradient_scales(&mut self, rules: &[GradientScale]) -> Result<(), (usize, OptimError)> {
        let parameters = self.named_parameters().map_err(|error| (0, error))?;
        let rule_of = |name: &str| rules.iter().position(|rule| pattern::matches(&rule.pattern, name));
        let mut scales = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let own = |(_, name, _): &&(usize, String, Tensor)| rule_of(name) == Some(index);
            if !parameters.iter().any(|parameter| own(&parameter)) {
                return Err((index, gets_nothing(index, rules, &parameters)));
            }
            if rule.factor == 1.0 {
                continue;
            }
            for optimizer in 0..self.optimizers.len() {
                let own: Vec<&Tensor> =
                    parameters.iter().filter(own).filter(|p| p.0 == optimizer).map(|(.., tensor)| tensor).collect();
                if !own.is_empty() {
                    let list = TensorList::new(own).map_err(|source| (index, self.failed(optimizer, source)))?;
                    scales.push(Scaled { optimizer, parameters: list, factor: rule.factor });
                }
            }
        }
        self.gradient_scales = GradientScales(scales);
        Ok(())
    }

    /// Each parameter with its name and the place of its optimizer.
    fn named_parameters(&self) -> Result<Vec<(usize, String, Tensor)>, OptimError> {
        let mut all = Vec::new();
        for (place, optimizer) in self.optimizers.iter().enumerate() {
            for (index, name) in optimizer.parameter_names().iter().enumerate() {
                let tensor = optimizer.parameters().get(index).map_err(|source| self.failed(place, source))?;
                all.extend(tensor.map(|tensor| (place, name.clone(), tensor)));
            }
        }
        Ok(all)
    }

    fn failed(&self, optimizer: usize, source: NativeError) -> OptimError {
        let optimizer = self.optimizers[optimizer].name().to_owned();
        OptimError::Native { optimizer, doing: "the set-up of its gradient scales".to_owned(), source }
    }
}

fn gets_nothing(rule: usize, rules: &[GradientScale], parameters: &[(usize, String, Tensor)]) -> OptimError {
    let pattern = rules[rule].pattern.clone();
    let taken = parameters.iter().find(|(_, name, _)| pattern::matches(&pattern, name));
    let earlier = taken.and_then(|(_, name, _)| rules.iter().find(|earlier| pattern::matches(&earlier.pattern, name)));
    match earlier {
        Some(earlier) => OptimError::Shadowed { rule, pattern, earlier: earlier.pattern.clone() },
        None => {
            let hint = pattern::hint(&pattern, parameters.iter().map(|(_, name, _)| name.as_str()));
            OptimError::NoMatch { rule, pattern, hint }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Optim, Sgd};
    use tch::Kind;

    /// Parameters with a gradient of ones, dealt to two optimizers.
    fn updates() -> (Updates, Vec<Tensor>) {
        let names = ["backbone.weight", "backbone.bias", "head.weight"];
        let parameters = names.map(|_| Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true));
        let mut updates = Updates::default();
        for (optimizer, range) in [("opt_a", 0..2), ("opt_b", 2..3)] {
            let own = range.map(|index| (names[index].to_owned(), parameters[index].shallow_clone())).collect();
            updates.add(Optim::new(optimizer, &Sgd::new(0.1), own).unwrap());
        }
        (updates, parameters.into())
    }

    /// The first number of each gradient after an update whose gradients are ones.
    fn gradients(updates: &mut Updates, parameters: &[Tensor]) -> Vec<f64> {
        updates.begin(0).unwrap();
        parameters.iter().for_each(|parameter| parameter.sum(Kind::Float).backward());
        updates.finish(0).unwrap();
        parameters.iter().map(|parameter| parameter.grad().double_value(&[0])).collect()
    }

    #[test]
    fn each_gradient_has_the_factor_of_the_first_rule_that_matches() {
        let (mut updates, parameters) = updates();
        assert_eq!(gradients(&mut updates, &parameters), [1.0; 3]);
        let rules = [GradientScale::new("*.bias", 4.0), GradientScale::new("backbone.*", 0.5)];
        updates.set_gradient_scales(&rules).unwrap();
        assert_eq!(gradients(&mut updates, &parameters), [0.5, 4.0, 1.0]);
        // over both optimizers, and in place of the rules before
        updates.set_gradient_scales(&[GradientScale::new("*.weight", 0.25)]).unwrap();
        assert_eq!(gradients(&mut updates, &parameters), [0.25, 1.0, 0.25]);
    }

    #[test]
    fn a_pass_scales_the_gradients_of_its_own_optimizers_only() {
        let (mut updates, parameters) = updates();
        updates.set_gradient_scales(&[GradientScale::new("*", 0.5)]).unwrap();
        updates.passes[0].optimizers = vec![1];
        assert_eq!(gradients(&mut updates, &parameters), [1.0, 1.0, 0.5]);
    }

    #[test]
    fn a_frozen_parameter_without_a_gradient_is_passed_over() {
        let (mut updates, parameters) = updates();
        updates.set_gradient_scales(&[GradientScale::new("*", 0.5)]).unwrap();
        updates.begin(0).unwrap();
        parameters[2].sum(Kind::Float).backward();
        updates.finish(0).unwrap();
        assert!(!parameters[0].grad().defined());
        assert_eq!(parameters[2].grad().double_value(&[1]), 0.5);
    }

    #[test]
    fn a_rule_that_gets_no_parameter_is_an_error_with_its_place() {
        let (mut updates, _) = updates();
        let mut error = |rules: &[GradientScale]| {
            let (place, error) = updates.set_gradient_scales(rules).unwrap_err();
            (place, error.to_string())
        };
        let (place, text) = error(&[GradientScale::new("*", 0.5), GradientScale::new("head.*", 2.0)]);
        assert_eq!(place, 1);
        assert!(text.contains("`head.*` gets no parameter: `*` comes before it"), "{text}");
        let (place, text) = error(&[GradientScale::new("backbone.wieght", 2.0)]);
        assert_eq!((place, text.contains("did you mean `backbone.weight`?")), (0, true), "{text}");
    }
}
