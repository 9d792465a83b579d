//! Adam with weight decay apart from the gradient.

use crate::optim::algorithm::Algorithm;
use crate::optim::error::OptimError;
use crate::optim::groups::GroupRules;
use crate::optim::optimizer::Optimizer;
use crate::optim::recipes::adam::{AdamAlgorithm, adam_settings, check_adam, defaults};
use crate::optim::recipes::recipe::recipe;
use crate::optim::settings::Settings;
use engine_macros::component;

recipe! {
    /// AdamW: [`Adam`](crate::optim::Adam) whose weight decay shrinks the parameters themselves, by `lr ·
    /// weight_decay` of their value each update (Loshchilov and Hutter, 2019), as `torch.optim.AdamW`.
    ///
    /// ```
    /// use engine::optim::{GroupRule, Optim};
    /// use engine::prelude::*;
    ///
    /// // PyTorch's defaults, but no weight decay for biases and norms, and a tenth of the rate for the backbone
    /// let recipe = AdamW {
    ///     no_decay_on_bias_and_norm: true,
    ///     groups: vec![GroupRule { lr_mult: Some(0.1), ..GroupRule::new("backbone.*") }],
    ///     ..AdamW::new(1e-3)
    /// };
    /// let parameter = |name: &str, shape: &[i64]| {
    ///     (name.to_owned(), Tensor::ones(shape, (Kind::Float, Device::Cpu)).set_requires_grad(true))
    /// };
    /// let parameters = vec![parameter("backbone.weight", &[2, 2]), parameter("head.weight", &[2, 2]), parameter("head.bias", &[2])];
    /// let optim = Optim::new("opt", &recipe, parameters)?;
    /// let names: Vec<&str> = optim.groups().iter().map(|group| group.name()).collect();
    /// assert_eq!(names, ["backbone.*", "default", "default/no_decay"]);
    /// assert_eq!(optim.groups()[0].settings().get("lr"), Some(1e-4));
    /// assert_eq!(optim.groups()[2].settings().get("weight_decay"), Some(0.0));
    /// # Ok::<(), engine::base::Error>(())
    /// ```
    pub struct AdamW {
        /// Learning rate, above 0.
        #[config(example = 1e-3, range = f64::MIN_POSITIVE..)]
        pub lr: f64,
        /// Decays of the running means of the gradient and of its square, each at least 0 and below 1.
        #[config(default = (0.9, 0.999), range = 0.0..1.0)]
        pub betas: (f64, f64),
        /// Added to the denominator, so that a gradient of zero does not divide by zero.
        #[config(default = 1e-8, range = 0.0..)]
        pub eps: f64,
        /// How much a parameter shrinks in an update, relative to the learning rate.
        #[config(default = 0.01, range = 0.0..)]
        pub weight_decay: f64,
        /// Divide by the largest mean of squares so far instead of the present one (Reddi et al., 2018).
        #[config(default = false)]
        pub amsgrad: bool,
    }
    /// AdamW with everything but the learning rate as PyTorch has it.
    new { betas: defaults::betas(), eps: defaults::eps(), weight_decay: 0.01, amsgrad: false }
}

#[diagnostic::do_not_recommend]
impl Optimizer for AdamW {
    fn name(&self) -> &'static str {
        "AdamW"
    }

    fn check(&self) -> Result<(), OptimError> {
        check_adam("AdamW", self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn settings(&self) -> Settings {
        adam_settings(self.lr, self.betas, self.eps, self.weight_decay)
    }

    fn groups(&self) -> GroupRules<'_> {
        self.fields_groups()
    }

    fn algorithm(&self) -> Box<dyn Algorithm> {
        Box::new(AdamAlgorithm { decoupled: true, amsgrad: self.amsgrad, maximize: self.maximize })
    }
}
