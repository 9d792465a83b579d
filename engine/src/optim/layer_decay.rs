//! Learning rates that get smaller from layer to layer.

use crate::base::pattern;
use crate::optim::error::{Allowed, OptimError, check_ranges};
use engine_macros::component;
use std::fmt;

/// A smaller learning rate for each layer further from the output, for fine-tuning (Clark et al., 2020; Bao et al., 2022).
///
/// Of n layers, layer i, counted from 0, has the learning rate of its group times `rate^(n - i)`; parameters `below` have it
/// times `rate^(n + 1)`, and all others the rate itself. These are the rates of BEiT and MAE. Each layer is a parameter group
/// of its own, `default/layer_3`; a schedule for `default` is for all of them.
///
/// ```
/// use engine::optim::{LayerDecay, Optim};
/// use engine::prelude::*;
///
/// let layers = LayerDecay { rate: 0.5, layers: "blocks".to_owned(), below: vec!["embed.*".to_owned()] };
/// let recipe = AdamW { layer_decay: Some(layers), ..AdamW::new(1.0) };
/// let names = ["embed.weight", "blocks.0.weight", "blocks.1.weight", "head.weight"];
/// let parameter = |name: &str| (name.to_owned(), Tensor::from(1.0f32).set_requires_grad(true));
/// let optim = Optim::new("opt", &recipe, names.map(parameter).into())?;
/// let rates: Vec<_> = optim.groups().iter().map(|group| (group.name(), group.settings().get("lr").unwrap())).collect();
/// let expected = [("default/below", 0.125), ("default/layer_0", 0.25), ("default/layer_1", 0.5), ("default", 1.0)];
/// assert_eq!(rates, expected);
/// # Ok::<(), engine::base::Error>(())
/// ```
#[component]
#[derive(PartialEq)]
pub struct LayerDecay {
    /// What the learning rate is multiplied by from a layer to the one below, above 0 and at most 1.
    #[config(example = 0.75, range = f64::MIN_POSITIVE..=1.0)]
    pub rate: f64,
    /// The name before the number of a layer: `encoder.blocks` for `encoder.blocks.3.weight`.
    #[config(example = "blocks")]
    pub layers: String,
    /// Patterns of the parameters below all layers, such as embeddings.
    #[config(default)]
    pub below: Vec<String>,
}

/// Where a parameter is, from the input to the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    Below,
    Layer(u32),
    Above,
}

/// The end of the name of its group.
impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Depth::Below => f.write_str("/below"),
            Depth::Layer(layer) => write!(f, "/layer_{layer}"),
            Depth::Above => Ok(()),
        }
    }
}

impl Depth {
    /// Whether a text is one that a depth is shown as, without its `/`.
    pub(super) fn is_named(text: &str) -> bool {
        let digits = |layer: &str| layer.parse::<u32>().is_ok();
        text == "below" || text.strip_prefix("layer_").is_some_and(digits)
    }
}

impl LayerDecay {
    pub(super) fn check(&self) -> Result<(), OptimError> {
        check_ranges("layer_decay", &[("rate", self.rate, Allowed::UpToOne), ("rate", self.rate, Allowed::Positive)])
    }

    pub(super) fn depth(&self, name: &str) -> Depth {
        if self.below.iter().any(|below| pattern::matches(below, name)) {
            return Depth::Below;
        }
        let number = || name.strip_prefix(&self.layers)?.strip_prefix('.')?.split('.').next()?.parse().ok();
        number().map_or(Depth::Above, Depth::Layer)
    }

    /// The number of layers that these names show.
    ///
    /// # Errors
    /// When there is none, or a pattern of `below` matches nothing.
    pub(super) fn count<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> Result<u32, OptimError> {
        let contradiction = |why| OptimError::Contradiction { owner: "layer_decay".into(), why };
        for below in &self.below {
            if !names.clone().any(|name| pattern::matches(below, name)) {
                let hint = pattern::hint(below, names.clone());
                return Err(contradiction(format!("`{below}` of `below` matches no parameter{hint}")));
            }
        }
        let last = names.clone().filter_map(|name| match self.depth(name) {
            Depth::Layer(layer) => Some(layer),
            _ => None,
        });
        let Some(last) = last.max() else {
            let pattern = format!("{}.0.*", self.layers);
            let hint = pattern::hint(&pattern, names);
            return Err(contradiction(format!("no parameter has a name as `{pattern}`{hint}")));
        };
        Ok(last.saturating_add(1))
    }

    /// What the learning rate is multiplied by.
    pub(super) fn factor(&self, depth: Depth, count: u32) -> f64 {
        let count = i32::try_from(count).unwrap_or(i32::MAX - 1);
        match depth {
            Depth::Below => self.rate.powi(count + 1),
            Depth::Layer(layer) => self.rate.powi(count - i32::try_from(layer).unwrap_or(count)),
            Depth::Above => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decay(layers: &str, below: &[&str]) -> LayerDecay {
        LayerDecay { rate: 0.5, layers: layers.into(), below: below.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn a_name_tells_the_layer() {
        let decay = decay("encoder.blocks", &["*embed*"]);
        for (name, depth) in [
            ("encoder.blocks.11.attn.weight", Depth::Layer(11)),
            ("encoder.blocks.norm.weight", Depth::Above),
            ("encoder.blocks2.1.weight", Depth::Above),
            ("blocks.1.weight", Depth::Above),
            ("encoder.pos_embed", Depth::Below),
            ("head.weight", Depth::Above),
        ] {
            assert_eq!(decay.depth(name), depth, "{name}");
        }
    }

    #[test]
    fn names_that_show_no_layer_are_refused() {
        let names = ["blocks.0.weight", "head.weight"];
        assert_eq!(decay("blocks", &[]).count(names.into_iter()).unwrap(), 1);
        let error = decay("block", &[]).count(names.into_iter()).unwrap_err().to_string();
        assert!(error.starts_with("`layer_decay`: no parameter has a name as `block.0.*`"), "{error}");
        let error = decay("blocks", &["embed.*"]).count(names.into_iter()).unwrap_err().to_string();
        assert!(error.starts_with("`layer_decay`: `embed.*` of `below` matches no parameter"), "{error}");
        let rate = LayerDecay { rate: 1.5, ..decay("blocks", &[]) };
        assert_eq!(
            rate.check().unwrap_err().to_string(),
            "`rate` of `layer_decay` must be at least 0 and at most 1, got 1.5"
        );
    }
}
