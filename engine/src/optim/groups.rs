//! Parameter groups by name pattern: parameters with their own settings.

use crate::base::pattern;
use crate::optim::error::{Allowed, OptimError, check_ranges};
use crate::optim::layer_decay::{Depth, LayerDecay};
use crate::optim::settings::Settings;
use engine_macros::component;
use std::collections::BTreeMap;
use std::fmt;
use tch::Tensor;

/// Other settings for the parameters whose name matches a pattern.
#[component]
#[derive(Default, PartialEq)]
pub struct GroupRule {
    /// The parameter's whole name, where `*` stands for any text (dots too) and `?` for one character.
    pub pattern: String,
    /// Learning rate, instead of the optimizer's.
    pub lr: Option<f64>,
    /// Learning rate as a multiple of the optimizer's.
    pub lr_mult: Option<f64>,
    /// Weight decay, instead of the optimizer's.
    pub weight_decay: Option<f64>,
    /// Weight decay as a multiple of the optimizer's.
    pub decay_mult: Option<f64>,
    /// Any other settings of the optimizer by their names, instead of its own: `{"beta2": 0.95, "eps": 1e-6}`.
    #[config(default)]
    pub set: BTreeMap<String, f64>,
}

impl GroupRule {
    /// A rule that changes no setting yet.
    pub fn new(pattern: impl Into<String>) -> Self {
        GroupRule { pattern: pattern.into(), ..GroupRule::default() }
    }

    /// Whether the rule matches the name of a parameter.
    ///
    /// ```
    /// use engine::optim::GroupRule;
    ///
    /// let biases = GroupRule::new("*.bias");
    /// assert!(biases.matches("encoder.0.bias") && !biases.matches("bias"));
    /// assert!(GroupRule::new("encoder.?.weight").matches("encoder.3.weight"));
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        pattern::matches(&self.pattern, name)
    }

    /// Checks the rule by itself, and against the settings of its optimizer.
    fn check(&self, base: &Settings) -> Result<(), OptimError> {
        for (name, value) in &self.set {
            let own = match name.as_str() {
                "lr" => self.lr.or(self.lr_mult),
                "weight_decay" => self.weight_decay.or(self.decay_mult),
                _ => None,
            };
            if own.is_some() {
                let why = format!("`{name}` is in `set` and beside it; keep one");
                return Err(OptimError::Contradiction { owner: self.pattern.clone(), why });
            }
            if base.get(name).is_none() {
                return Err(base.unknown(name));
            }
            check_ranges(&self.pattern, &[(&format!("set.{name}"), *value, allowed(name))])?;
        }
        for (absolute, multiple, names) in [
            (self.lr, self.lr_mult, ("lr", "lr_mult")),
            (self.weight_decay, self.decay_mult, ("weight_decay", "decay_mult")),
        ] {
            if absolute.is_some() && multiple.is_some() {
                let why = format!("`{}` and `{}` set the same thing; keep one", names.0, names.1);
                return Err(OptimError::Contradiction { owner: self.pattern.clone(), why });
            }
            for (name, value) in [(names.0, absolute), (names.1, multiple)] {
                check_ranges(&self.pattern, &[(name, value.unwrap_or(0.0), Allowed::NotNegative)])?;
            }
        }
        Ok(())
    }

    fn sets_rate(&self) -> bool {
        self.lr.is_some() || self.set.contains_key("lr")
    }

    fn sets_decay(&self) -> bool {
        self.weight_decay.is_some() || self.decay_mult.is_some() || self.set.contains_key("weight_decay")
    }
}

/// What a setting may be, by its name, which means the same in all recipes.
pub(super) fn allowed(setting: &str) -> Allowed {
    match setting {
        "momentum" | "beta1" | "beta2" | "alpha" | "rho" => Allowed::BelowOne,
        "beta2_decay" => Allowed::Any,
        _ => Allowed::NotNegative,
    }
}

/// The group settings of a recipe.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupRules<'a> {
    /// The rules in the order of the file. A parameter gets the first rule that matches it.
    pub rules: &'a [GroupRule],
    /// No weight decay for parameters of at most one dimension, unless their rule sets it.
    pub no_decay_on_bias_and_norm: bool,
    /// Smaller learning rates for lower layers, unless a rule sets `lr` itself.
    pub layer_decay: Option<&'a LayerDecay>,
}

impl GroupRules<'_> {
    /// What contradicts itself or is out of range, each with its rule's index.
    pub(crate) fn check(&self, base: &Settings) -> Vec<(usize, OptimError)> {
        let errors = self.rules.iter().enumerate().map(|(index, rule)| Some((index, rule.check(base).err()?)));
        errors.flatten().collect()
    }

    /// The names of all groups that there can be; which of them have parameters, only a model tells.
    pub(crate) fn names(&self) -> Vec<String> {
        let with_decay = self.rules.iter().map(|rule| rule.pattern.as_str()).chain([DEFAULT]);
        let without = |name: &str| self.no_decay_on_bias_and_norm.then(|| format!("{name}{NO_DECAY}"));
        with_decay.flat_map(|name| std::iter::once(name.to_owned()).chain(without(name))).collect()
    }
}

/// The name of the group of all parameters that no rule takes.
pub(super) const DEFAULT: &str = "default";
/// What is added to a group's name for its parameters without weight decay.
const NO_DECAY: &str = "/no_decay";

/// A parameter group among those of all optimizers of a trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupName<'a> {
    /// The field's name.
    pub optimizer: &'a str,
    /// The group's name: see [`Group::name`](crate::optim::Group::name).
    pub group: &'a str,
}

impl GroupName<'_> {
    /// Whether `listed`, as written in a schedule, means this group. It can be the name of the group or of the group
    /// from which it was split, the name of its optimizer (`opt_g`), or both (`opt_g/backbone.*`).
    pub fn is_meant_by(&self, listed: &str) -> bool {
        // `head.*/layer_3/no_decay` was split from `head.*/layer_3`, and that from `head.*`
        let with_decay = self.group.strip_suffix(NO_DECAY).unwrap_or(self.group);
        let whole = with_decay.rsplit_once('/').filter(|(_, end)| Depth::is_named(end)).map(|(whole, _)| whole);
        let by_name = |name: &str| [Some(self.group), Some(with_decay), whole].contains(&Some(name));
        let within = listed.strip_prefix(self.optimizer).and_then(|rest| rest.strip_prefix('/'));
        listed == self.optimizer || by_name(listed) || within.is_some_and(by_name)
    }
}

/// `opt_g/backbone.*`.
impl fmt::Display for GroupName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.optimizer, self.group)
    }
}

/// A group before it is live: which parameters, by index, with which settings.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) members: Vec<usize>,
}

/// Deals the parameters out to groups, in the order of the rules, the default group last; no group is empty.
pub(super) fn assign(
    base: &Settings,
    rules: GroupRules<'_>,
    parameters: &[(String, Tensor)],
) -> Result<Vec<Assigned>, OptimError> {
    for rule in rules.rules {
        rule.check(base)?;
    }
    let layers = rules.layer_decay.map(|decay| {
        decay.check()?;
        Ok((decay, decay.count(parameters.iter().map(|(name, _)| name.as_str()))?))
    });
    let layers: Option<(&LayerDecay, u32)> = layers.transpose()?;
    // groups by rule, layer, and whether the weight decay is taken away; the rest comes after the rules
    let mut members: BTreeMap<(usize, Depth, bool), Vec<usize>> = BTreeMap::new();
    for (index, (name, tensor)) in parameters.iter().enumerate() {
        let taken_by = rules.rules.iter().position(|rule| rule.matches(name));
        let rule = taken_by.map(|rule| &rules.rules[rule]);
        let without_decay =
            rules.no_decay_on_bias_and_norm && !rule.is_some_and(GroupRule::sets_decay) && tensor.dim() <= 1;
        let depth = match layers {
            Some((decay, _)) if !rule.is_some_and(GroupRule::sets_rate) => decay.depth(name),
            _ => Depth::Above,
        };
        members.entry((taken_by.unwrap_or(rules.rules.len()), depth, without_decay)).or_default().push(index);
    }
    for index in 0..rules.rules.len() {
        if !members.keys().any(|(rule, ..)| *rule == index) {
            return Err(finds_nothing(index, rules.rules, parameters));
        }
    }
    let mut groups = Vec::new();
    for ((index, depth, without_decay), members) in members {
        let rule = rules.rules.get(index);
        let name = rule.map_or(DEFAULT, |rule| &rule.pattern);
        let name = format!("{name}{depth}{}", if without_decay { NO_DECAY } else { "" });
        let mut settings = settings_of(base, rule, without_decay)?;
        if let (Some((decay, count)), Some(lr)) = (layers, settings.get("lr")) {
            settings.set_initial("lr", lr * decay.factor(depth, count))?;
        }
        groups.push(Assigned { name, settings, members });
    }
    Ok(groups)
}

fn settings_of(base: &Settings, rule: Option<&GroupRule>, without_decay: bool) -> Result<Settings, OptimError> {
    let mut settings = base.clone();
    let mut change = |name: &str, absolute: Option<f64>, multiple: Option<f64>| {
        let from = base.get(name).ok_or_else(|| base.unknown(name));
        match (absolute, multiple) {
            (Some(value), _) => settings.set_initial(name, value),
            (None, Some(multiple)) => settings.set_initial(name, from? * multiple),
            (None, None) => Ok(()),
        }
    };
    if let Some(rule) = rule {
        change("lr", rule.lr, rule.lr_mult)?;
        change("weight_decay", rule.weight_decay, rule.decay_mult)?;
        rule.set.iter().try_for_each(|(name, value)| change(name, Some(*value), None))?;
    }
    if without_decay {
        change("weight_decay", Some(0.0), None)?;
    }
    Ok(settings)
}

fn finds_nothing(rule: usize, rules: &[GroupRule], parameters: &[(String, Tensor)]) -> OptimError {
    let pattern = rules[rule].pattern.clone();
    if let Some((name, _)) = parameters.iter().find(|(name, _)| rules[rule].matches(name)) {
        let earlier = rules.iter().find(|earlier| earlier.matches(name)).unwrap_or(&rules[rule]);
        return OptimError::Shadowed { rule, pattern, earlier: earlier.pattern.clone() };
    }
    let hint = pattern::hint(&pattern, parameters.iter().map(|(name, _)| name.as_str()));
    OptimError::NoMatch { rule, pattern, hint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn parameters() -> Vec<(String, Tensor)> {
        [("backbone.conv.weight", 4), ("backbone.norm.weight", 1), ("head.weight", 2), ("head.bias", 1)]
            .map(|(name, dims)| (name.to_owned(), Tensor::zeros(vec![2; dims], (Kind::Float, Device::Cpu))))
            .into()
    }

    fn base() -> Settings {
        Settings::new([("lr", 0.1), ("weight_decay", 0.5)])
    }

    /// Name, `lr`, `weight_decay` and members of a group.
    type Dealt = (String, f64, f64, Vec<usize>);

    fn deal(rules: &[GroupRule], no_decay: bool) -> Result<Vec<Dealt>, OptimError> {
        let groups = assign(
            &base(),
            GroupRules { rules, no_decay_on_bias_and_norm: no_decay, layer_decay: None },
            &parameters(),
        )?;
        let get = |group: &Assigned, name| group.settings.get(name).unwrap();
        Ok(groups.into_iter().map(|g| (g.name.clone(), get(&g, "lr"), get(&g, "weight_decay"), g.members)).collect())
    }

    #[test]
    fn a_star_takes_any_text_and_a_question_mark_one_character() {
        for (pattern, name, expected) in [
            ("*.bias", "head.bias", true),
            ("*.bias", "head.bias.x", false),
            ("head.*", "head.", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*ab", "aab", true),
            ("head.?ias", "head.bias", true),
            ("head", "head.bias", false),
            ("**", "", true),
            ("?", "", false),
        ] {
            assert_eq!(GroupRule::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_wins_and_the_rest_is_the_default_group() {
        let rules = [
            GroupRule { lr_mult: Some(0.5), ..GroupRule::new("*.conv.*") },
            GroupRule { lr: Some(7.0), decay_mult: Some(0.1), ..GroupRule::new("backbone.*") },
        ];
        let expected = [
            ("*.conv.*".to_owned(), 0.05, 0.5, vec![0]),
            ("backbone.*".to_owned(), 7.0, 0.05, vec![1]),
            ("default".to_owned(), 0.1, 0.5, vec![2, 3]),
        ];
        assert_eq!(deal(&rules, false).unwrap(), expected);
    }

    #[test]
    fn biases_and_norms_lose_their_decay_unless_their_rule_sets_it() {
        let rules = [GroupRule { lr_mult: Some(0.5), ..GroupRule::new("backbone.*") }];
        let dealt = deal(&rules, true).unwrap();
        let expected = [
            ("backbone.*".to_owned(), 0.05, 0.5, vec![0]),
            ("backbone.*/no_decay".to_owned(), 0.05, 0.0, vec![1]),
            ("default".to_owned(), 0.1, 0.5, vec![2]),
            ("default/no_decay".to_owned(), 0.1, 0.0, vec![3]),
        ];
        assert_eq!(dealt, expected);
        let sets = [GroupRule { decay_mult: Some(0.2), ..GroupRule::new("*") }];
        assert_eq!(deal(&sets, true).unwrap(), [("*".to_owned(), 0.1, 0.1, vec![0, 1, 2, 3])]);
    }

    #[test]
    fn lower_layers_have_smaller_rates_within_their_groups() {
        let tensor = |dims: usize| Tensor::zeros(vec![2; dims], (Kind::Float, Device::Cpu));
        let names = [("embed.w", 2), ("net.0.w", 2), ("net.0.b", 1), ("net.1.w", 2), ("net.1.b", 1), ("head.w", 2)];
        let parameters: Vec<_> = names.map(|(name, dims)| (name.to_owned(), tensor(dims))).into();
        let decay = LayerDecay { rate: 0.5, layers: "net".into(), below: vec!["embed.*".into()] };
        let own = GroupRule { lr: Some(7.0), ..GroupRule::new("net.1.w") };
        let relative = GroupRule { lr_mult: Some(2.0), ..GroupRule::new("net.0.w") };
        let rules = [own, relative];
        let rules = GroupRules { rules: &rules, no_decay_on_bias_and_norm: true, layer_decay: Some(&decay) };
        let groups = assign(&base(), rules, &parameters).unwrap();
        let dealt: Vec<_> = groups.iter().map(|g| (g.name.as_str(), g.settings.get("lr").unwrap())).collect();
        let expected = [
            ("net.1.w", 7.0),
            ("net.0.w/layer_0", 0.1 * 2.0 * 0.25),
            ("default/below", 0.1 * 0.125),
            ("default/layer_0/no_decay", 0.1 * 0.25),
            ("default/layer_1/no_decay", 0.1 * 0.5),
            ("default", 0.1),
        ];
        assert_eq!(dealt, expected);
    }

    #[test]
    fn a_group_is_meant_by_its_name_and_by_its_optimizer() {
        let group = GroupName { optimizer: "opt_g", group: "head.*/no_decay" };
        for listed in ["opt_g", "head.*", "head.*/no_decay", "opt_g/head.*", "opt_g/head.*/no_decay"] {
            assert!(group.is_meant_by(listed), "{listed}");
        }
        let layer = GroupName { optimizer: "opt_g", group: "default/layer_12/no_decay" };
        for listed in ["default", "default/layer_12", "opt_g/default/layer_12", "default/layer_12/no_decay"] {
            assert!(layer.is_meant_by(listed), "{listed}");
        }
        assert!(!layer.is_meant_by("default/layer_1") && !layer.is_meant_by("default/no_decay"));
        for listed in ["opt", "opt_c", "opt_c/head.*", "head", "default", "opt_g/"] {
            assert!(!group.is_meant_by(listed), "{listed}");
        }
    }

    #[test]
    fn a_pattern_that_takes_nothing_is_an_error_that_says_why() {
        let error = deal(&[GroupRule::new("neck.*")], false).unwrap_err().to_string();
        assert_eq!(
            error,
            "the pattern `neck.*` matches no parameter; there are `backbone.conv.weight`, `backbone.norm.weight`, `head.weight`, `head.bias`"
        );
        let error = deal(&[GroupRule::new("head.wieght")], false).unwrap_err().to_string();
        assert_eq!(error, "the pattern `head.wieght` matches no parameter, did you mean `head.weight`?");
        let error = deal(&[GroupRule::new("head.*"), GroupRule::new("*.bias")], false).unwrap_err();
        assert_eq!(error, OptimError::Shadowed { rule: 1, pattern: "*.bias".into(), earlier: "head.*".into() });
    }

    #[test]
    fn a_rule_that_says_a_thing_twice_or_out_of_range_is_refused() {
        let twice = GroupRule { lr: Some(0.1), lr_mult: Some(2.0), ..GroupRule::new("*") };
        assert_eq!(
            deal(&[twice], false).unwrap_err().to_string(),
            "`*`: `lr` and `lr_mult` set the same thing; keep one"
        );
        let negative = GroupRule { decay_mult: Some(-1.0), ..GroupRule::new("*") };
        assert!(matches!(deal(&[negative], false), Err(OptimError::Range { .. })));
    }
}
