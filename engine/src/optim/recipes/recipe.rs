//! The fields that recipes have in common, written once.

/// A recipe with the fields that follow its own: `maximize`, `groups`, `no_decay_on_bias_and_norm`,
/// `layer_decay`. `new` takes the learning
/// rate; the values of all other fields of its own are named after the struct. `fn fields_groups(&self)` gives its groups.
macro_rules! recipe {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident { $($own:tt)* }
        $(#[$of_new:meta])*
        new { $($field:ident: $value:expr),* $(,)? }
    ) => {
        $(#[$attribute])*
        #[component(optimizer)]
        #[derive(PartialEq)]
        pub struct $name {
            $($own)*
            /// Go up the gradient instead of down.
            #[config(default = false)]
            pub maximize: bool,
            /// Rules for parameters that get other settings, by name; the first that matches wins.
            #[config(default)]
            pub groups: ::std::vec::Vec<$crate::optim::groups::GroupRule>,
            /// No weight decay for parameters of at most one dimension: biases, and the scales of norms.
            #[config(default = false)]
            pub no_decay_on_bias_and_norm: bool,
            /// Smaller learning rates for lower layers.
            #[config(default)]
            pub layer_decay: ::core::option::Option<$crate::optim::layer_decay::LayerDecay>,
        }

        impl $name {
            $(#[$of_new])*
            pub fn new(lr: f64) -> Self {
                $name {
                    lr,
                    $($field: $value,)*
                    maximize: false,
                    groups: ::std::vec::Vec::new(),
                    no_decay_on_bias_and_norm: false,
                    layer_decay: ::core::option::Option::None,
                }
            }

            fn fields_groups(&self) -> $crate::optim::groups::GroupRules<'_> {
                $crate::optim::groups::GroupRules {
                    rules: &self.groups,
                    no_decay_on_bias_and_norm: self.no_decay_on_bias_and_norm,
                    layer_decay: self.layer_decay.as_ref(),
                }
            }
        }
    };
}

pub(super) use recipe;
