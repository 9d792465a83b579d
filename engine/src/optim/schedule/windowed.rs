//! The fields that schedules have in common, written once.

/// A schedule with the fields of its window: those that say when it is active, and for what. They come after its own
/// fields, with their documentation and defaults: `by`, `begin`, `end`, `setting`, `groups`. `fn fields_window(&self)`
/// makes the [`Window`](crate::optim::schedule::Window) of them.
///
/// With `length;` in front it also has `iters`, `epochs` and `samples`, its length on a clock, which then says `by` too;
/// `check_length` refuses what contradicts it.
///
/// ```
/// use engine::optim::OptimError;
/// use engine::optim::schedule::{Schedule, Window, WindowPosition};
/// use engine::prelude::*;
///
/// engine::windowed! {
///     /// Full and half, in turn.
///     #[component(schedule)]
///     pub struct Blink {
///         /// Counts of each.
///         #[config(default = 10, range = 1..)]
///         pub counts: u64,
///     }
/// }
///
/// impl Schedule for Blink {
///     fn window(&self) -> Window<'_> {
///         self.fields_window()
///     }
///     fn factor(&self, place: WindowPosition) -> f64 {
///         if (place.at / self.counts).is_multiple_of(2) { 1.0 } else { 0.5 }
///     }
///     fn check(&self) -> Result<(), OptimError> {
///         Ok(())
///     }
/// }
///
/// let schedules: Schedules = engine::config::parse_text("example", "[Blink(counts: 5, by: Epoch)]")?.read()?;
/// assert_eq!(schedules.0[0].window().setting, "lr");
/// # Ok::<(), engine::base::Error>(())
/// ```
#[macro_export]
macro_rules! windowed {
    (length; $(#[$($attribute:tt)*])* pub struct $name:ident { $($own:tt)* }) => {
        $crate::__windowed! {
            @fields
            [$(#[$($attribute)*])*] $name
            [
                $($own)*
                /// Its length in updates.
                #[config(default, range = 1..)]
                pub iters: ::core::option::Option<u64>,
                /// Its length in epochs, instead.
                #[config(default, range = 1..)]
                pub epochs: ::core::option::Option<u64>,
                /// Its length in samples, instead.
                #[config(default, range = 1..)]
                pub samples: ::core::option::Option<u64>,
                /// The clock it counts on: said by the length; without one, `Iter`.
                #[config(default)]
                pub by: ::core::option::Option<$crate::base::Clock>,
            ]
            "The moment after its last; without it and without a length, the end of the training."
        }

        impl $name {
            /// When it is active, and for what, as its fields say.
            fn fields_window(&self) -> $crate::optim::schedule::Window<'_> {
                let window = $crate::optim::schedule::Window {
                    by: $crate::base::Clock::Iter,
                    begin: self.begin,
                    end: self.end,
                    length: ::core::option::Option::None,
                    setting: &self.setting,
                    groups: &self.groups,
                };
                window.with_length(self.by, self.lengths())
            }

            fn lengths(&self) -> $crate::optim::schedule::Lengths {
                $crate::optim::schedule::Lengths { iters: self.iters, epochs: self.epochs, samples: self.samples }
            }

            /// Refuses a length that is given in two ways.
            fn check_length(&self) -> ::core::result::Result<(), $crate::optim::OptimError> {
                $crate::optim::schedule::check_length(
                    ::core::stringify!($name), self.by, self.lengths(), self.end,
                )
            }
        }
    };
    ($(#[$($attribute:tt)*])* pub struct $name:ident { $($own:tt)* }) => {
        $crate::__windowed! {
            @fields
            [$(#[$($attribute)*])*] $name
            [
                $($own)*
                /// The clock it counts on: `Iter` (updates), `Epoch` or `Sample`.
                #[config(default = $crate::base::Clock::Iter)]
                pub by: $crate::base::Clock,
            ]
            "The moment after its last; without it, the end of the training."
        }

        impl $name {
            /// When it is active, and for what, as its fields say.
            fn fields_window(&self) -> $crate::optim::schedule::Window<'_> {
                $crate::optim::schedule::Window {
                    by: self.by,
                    begin: self.begin,
                    end: self.end,
                    length: ::core::option::Option::None,
                    setting: &self.setting,
                    groups: &self.groups,
                }
            }
        }
    };
}

/// The fields that both forms of [`windowed!`](crate::windowed) have.
#[doc(hidden)]
#[macro_export]
macro_rules! __windowed {
    (@fields [$($attributes:tt)*] $name:ident [$($fields:tt)*] $end:literal) => {
        $($attributes)*
        pub struct $name {
            $($fields)*
            /// Its first moment on that clock; without it, where the schedule before it ends.
            #[config(default)]
            pub begin: ::core::option::Option<u64>,
            #[doc = $end]
            #[config(default)]
            pub end: ::core::option::Option<u64>,
            /// The setting it changes.
            #[config(default = "lr")]
            pub setting: ::std::string::String,
            /// The parameter groups it is active for, by name; none named: all.
            #[config(default)]
            pub groups: ::std::vec::Vec<::std::string::String>,
        }
    };
}
