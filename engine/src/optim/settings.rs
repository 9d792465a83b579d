//! The settings of a parameter group that schedules and hooks read and set during a run.

use crate::base::suggest::{did_you_mean, expected_one_of};
use crate::optim::error::OptimError;

/// One number with its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// `lr`, `weight_decay`, `momentum`, ….
    pub name: &'static str,
    /// The current value.
    pub value: f64,
    /// The value in the experiment file; schedules multiply it.
    pub initial: f64,
}

/// The numeric settings of one parameter group.
///
/// Setting a value never allocates and takes effect with the next update. When an optimizer has no `momentum`, the
/// name means its `beta1`, which has the same role.
///
/// ```
/// use engine::optim::Settings;
///
/// let mut settings = Settings::new([("lr", 0.1), ("beta1", 0.9)]);
/// settings.set("lr", 0.05)?;
/// assert_eq!((settings.get("lr"), settings.initial("lr")), (Some(0.05), Some(0.1)));
/// assert_eq!(settings.get("momentum"), Some(0.9));
/// let error = settings.set("lrr", 0.05).unwrap_err();
/// assert_eq!(error.to_string(), "there is no setting `lrr`, did you mean `lr`?");
/// # Ok::<(), engine::optim::OptimError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    all: Vec<Setting>,
}

impl Settings {
    /// Settings with these initial values.
    pub fn new(initial: impl IntoIterator<Item = (&'static str, f64)>) -> Self {
        let all = initial.into_iter().map(|(name, value)| Setting { name, value, initial: value }).collect();
        Settings { all }
    }

    /// The current value; `None` when there is no such setting.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.find(name).map(|setting| setting.value)
    }

    /// The value in the experiment file; `None` when there is no such setting.
    pub fn initial(&self, name: &str) -> Option<f64> {
        self.find(name).map(|setting| setting.initial)
    }

    /// Every setting.
    pub(super) fn all(&self) -> &[Setting] {
        &self.all
    }

    /// Every setting with its value in the experiment file.
    pub fn initials(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.all.iter().map(|setting| (setting.name, setting.initial))
    }

    /// Sets the value from the next update on.
    ///
    /// # Errors
    /// When there is no such setting, or the value is not finite.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        if !value.is_finite() {
            return Err(OptimError::NotFinite { setting: name.into(), value });
        }
        match self.position(name) {
            Some(index) => {
                self.all[index].value = value;
                Ok(())
            }
            None => Err(self.unknown(name)),
        }
    }

    /// Sets the value and the initial value, which schedules multiply; for example for a learning rate that grows with
    /// the batch size.
    ///
    /// ```
    /// use engine::optim::Settings;
    ///
    /// // twice the batch size, twice the learning rate, for the schedules too
    /// let mut settings = Settings::new([("lr", 0.1)]);
    /// settings.set_initial("lr", 0.2)?;
    /// assert_eq!((settings.get("lr"), settings.initial("lr")), (Some(0.2), Some(0.2)));
    /// # Ok::<(), engine::optim::OptimError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Settings::set`].
    pub fn set_initial(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        self.set(name, value)?;
        if let Some(index) = self.position(name) {
            self.all[index].initial = value;
        }
        Ok(())
    }

    /// Sets a value to what the experiment file says; one that is not there is passed over.
    pub(super) fn reset(&mut self, name: &str) {
        if let Some(index) = self.position(name) {
            self.all[index].value = self.all[index].initial;
        }
    }

    /// All of them, in the optimizer's order.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.all.iter()
    }

    pub(super) fn unknown(&self, name: &str) -> OptimError {
        let names: Vec<&str> = self.all.iter().map(|setting| setting.name).collect();
        let hint = match did_you_mean(name, names.iter().copied()) {
            Some(meant) => format!(", did you mean `{meant}`?"),
            None => expected_one_of(&names).map_or_else(String::new, |list| format!(", {list}")),
        };
        OptimError::UnknownSetting { setting: name.into(), hint }
    }

    /// The setting that a name means, which may have another name itself.
    pub(crate) fn find(&self, name: &str) -> Option<&Setting> {
        self.position(name).map(|index| &self.all[index])
    }

    fn position(&self, name: &str) -> Option<usize> {
        let exactly = |name: &str| self.all.iter().position(|setting| setting.name == name);
        exactly(name).or_else(|| if name == "momentum" { exactly("beta1") } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_value_stays_beside_the_current_one() {
        let mut settings = Settings::new([("lr", 0.1), ("beta1", 0.9)]);
        settings.set("lr", 0.01).unwrap();
        assert_eq!((settings.get("lr"), settings.initial("lr")), (Some(0.01), Some(0.1)));
        settings.set_initial("lr", 0.4).unwrap();
        assert_eq!((settings.get("lr"), settings.initial("lr")), (Some(0.4), Some(0.4)));
    }

    #[test]
    fn momentum_means_beta1_where_there_is_no_momentum() {
        let mut adam = Settings::new([("lr", 0.1), ("beta1", 0.9)]);
        adam.set("momentum", 0.5).unwrap();
        assert_eq!(adam.get("beta1"), Some(0.5));
        assert_eq!(Settings::new([("lr", 0.1)]).get("momentum"), None);
    }

    #[test]
    fn an_unknown_setting_or_a_value_that_is_not_finite_is_refused() {
        let mut settings = Settings::new([("lr", 0.1), ("weight_decay", 0.0)]);
        let error = settings.set("weight_deca", 0.5).unwrap_err().to_string();
        assert_eq!(error, "there is no setting `weight_deca`, did you mean `weight_decay`?");
        let error = settings.set("q", 0.5).unwrap_err().to_string();
        assert_eq!(error, "there is no setting `q`, expected one of `lr`, `weight_decay`");
        assert!(settings.set("lr", f64::NAN).is_err());
        assert_eq!(settings.get("lr"), Some(0.1));
    }
}
