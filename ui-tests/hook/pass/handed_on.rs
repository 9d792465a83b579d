//! What a `macro_rules!` hands on: names, types, levels, defaults and ranges.

use engine::prelude::*;

macro_rules! hook_of {
    ($hook:ident, $name:literal, $level:expr, $ty:ty, $default:expr, $range:expr, $($phase:ident)*) => {
        /// A hook.
        #[hook(name = $name, priority = $level)]
        #[derive(Debug)]
        pub struct $hook {
            /// A number.
            #[config(default = $default, range = $range)]
            pub number: $ty,
            /// Perhaps one.
            #[config(range = $range)]
            pub perhaps: Option<$ty>,
            #[state]
            seen: Vec<$ty>,
        }

        #[phases]
        impl $hook {
            $(
                fn $phase(&mut self, _cx: &mut Context<'_>) -> Result<()> {
                    self.seen.push(self.number);
                    Ok(())
                }
            )*
        }
    };
}

// case: whole numbers, a level by name
hook_of!(Counted, "HandedOnCounted", "LOW", u64, 3, 1..=8, before_train after_train);
// case: floats, a level by number, a range with one end
hook_of!(Measured, "HandedOnMeasured", 25, f64, 0.5, 0.0.., after_val);
// case: a word as the level, a constant as the default
hook_of!(Scaled, "HandedOnScaled", HIGH, f32, f32::EPSILON, 0.0..=1.0, after_train_iter);

macro_rules! settings_of {
    ($settings:ident, $name:literal, $($field:ident: $ty:ty),*) => {
        /// Settings.
        #[component(name = $name)]
        pub struct $settings {
            $(
                /// A setting.
                pub $field: $ty,
            )*
        }
    };
}

// case: settings with types of every form
settings_of!(FormsConfig, "HandedOnForms", a: i64, b: Option<f64>, c: Vec<(f64, f64)>, d: [u8; 3], e: String);
