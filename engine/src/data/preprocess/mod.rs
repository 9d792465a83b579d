//! Preprocessors: what is fitted on the training data once, and then used on all data.
//!
//! Promised: a preprocessor is fitted once in a run. Resumed runs, evaluations, exports and
//! [`Predictor`](crate::trainer::Predictor) have the values of that fit, to the bit.
//!
//! Never: no value of validation data takes part, unless a trainer fits on it.

mod categories;
mod standardize;
#[cfg(test)]
mod tests;

pub use categories::{Categories, CategoriesConfig};
pub use standardize::{Standardize, StandardizeConfig};

use crate::base::state::{PREPROCESSOR, Saved, StateError, StateMap, StateValue};
use crate::base::{Error, ErrorContext as _, Result};

/// Something that is fitted on data of the type `D`, and then used on other data: a scale, a vocabulary.
///
/// Its [`Saved`] state is its fit. A trainer keeps it in a [`Fitted`] field.
pub trait Preprocessor<D: ?Sized>: Saved {
    /// Its settings, for the experiment file.
    type Config;

    /// Fits it. The same settings and data must give the same fit: with several ranks each one fits its own.
    ///
    /// # Errors
    /// When the data can't be used, for example when there are none.
    fn fit(config: &Self::Config, data: &D) -> Result<Self>;
}

/// A preprocessor that is fitted once, as a `#[state]` field of a trainer: checkpoints and exports hold its fit.
///
/// ```
/// use engine::data::preprocess::{Fitted, Standardize, StandardizeConfig};
/// use engine::prelude::*;
///
/// // #[config(default)] scaling: StandardizeConfig,
/// let scaling = StandardizeConfig::default();
/// // #[state] scale: Fitted<Standardize>,
/// let mut scale = Fitted::<Standardize>::default();
/// assert!(scale.get().is_err());
///
/// // in `before_train`; a fit that is there already stays
/// let samples = Tensor::from_slice2(&[[1.0f32, 100.0], [3.0, 300.0]]);
/// scale.fit(&scaling, || Ok(samples))?;
///
/// // in every step
/// let scaled = scale.get()?.apply(&Tensor::from_slice2(&[[2.0f32, 300.0]]))?;
/// assert_eq!(Vec::<f32>::try_from(scaled.reshape([-1]))?, [0.0, 1.0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Fitted<P>(Option<P>);

impl<P> Fitted<P> {
    /// Fits it on the data that `data` gives. Does nothing when it is fitted already, so that a resumed run goes on with the
    /// first fit.
    ///
    /// # Errors
    /// Those of `data` and of the preprocessor.
    pub fn fit<D>(&mut self, config: &P::Config, data: impl FnOnce() -> Result<D>) -> Result<()>
    where
        P: Preprocessor<D>,
    {
        if self.0.is_none() {
            let what = || format!("the preprocessor `{}` can't be fitted", Self::name());
            let data = data().with_context(what)?;
            self.0 = Some(P::fit(config, &data).with_context(what)?);
        }
        Ok(())
    }

    /// The fitted preprocessor.
    ///
    /// # Errors
    /// When it was never fitted and no checkpoint had it.
    pub fn get(&self) -> Result<&P> {
        self.0.as_ref().ok_or_else(|| {
            Error::msg(format!(
                "the preprocessor `{}` is not fitted: call `fit` in `before_train` of the trainer, or use a checkpoint of a training that has fitted it",
                Self::name()
            ))
        })
    }

    /// Whether it is fitted.
    pub fn is_fitted(&self) -> bool {
        self.0.is_some()
    }

    /// The type without its modules.
    fn name() -> &'static str {
        let name = std::any::type_name::<P>();
        let end = name.find('<').unwrap_or(name.len());
        name[..end].rfind("::").map_or(name, |place| &name[place + 2..])
    }
}

impl<P> Default for Fitted<P> {
    fn default() -> Self {
        Fitted(None)
    }
}

#[diagnostic::do_not_recommend]
impl<P: Saved> Saved for Fitted<P> {
    fn save(&self) -> StateValue {
        // the key by which exports find it
        let mut map = StateMap::new();
        map.put(PREPROCESSOR, &self.0);
        StateValue::Map(map)
    }

    fn restore(value: StateValue) -> Result<Self, StateError> {
        Ok(Fitted(StateMap::restore(value)?.take(PREPROCESSOR)?))
    }
}
