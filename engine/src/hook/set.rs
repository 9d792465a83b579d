//! Sets of hooks: one line for each hook contains everything that a program needs to know about it.

use crate::base::Result;
use crate::hook::{EngineHooks, HookField, HookSetting, Joined};

/// Hooks of known types, each with its settings below `hooks` in the file. [`hook_set!`](crate::hook_set) implements
/// it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of hooks",
    label = "not a set of hooks",
    note = "make one with `hook_set! {{ pub struct Name, settings NameSettings {{ key: SomeHook, }} }}`"
)]
pub trait HookSet: EngineHooks + Sized + 'static {
    /// The keys below `hooks`, each with the keys of the hook's settings, as far as they are known when it is compiled.
    const KEYS: &'static [(&'static str, &'static [&'static str])] = &[];

    /// What a file says of each hook.
    type Settings: 'static;

    /// The key below `hooks` of the hook with this component name; `None` when no hook of the set has this name.
    fn key_of(component: &str) -> Option<&'static str>;

    /// Reads the settings of every hook; `None` when there is a mistake in any.
    fn read(reader: &mut impl ReadHooks) -> Option<Self::Settings>;

    /// Writes the settings of every hook, defaults included.
    fn write(settings: &Self::Settings, writer: &mut impl WriteHooks);

    /// Builds the hooks, in the order of their slots.
    ///
    /// # Errors
    /// When a hook that can't be switched off is `Off`.
    fn build(settings: Self::Settings, builder: &mut impl BuildHooks) -> Result<Self>;
}

/// Reads the settings of hooks, one after the other.
pub trait ReadHooks {
    /// The hook under this path, `hooks.logger`; `None` when it has a mistake.
    fn read_hook<F: HookField>(&mut self, path: &'static str) -> Option<HookSetting<F>>;
}

/// Writes the settings of hooks, one after the other.
pub trait WriteHooks {
    /// The hook under this path, `hooks.logger`.
    fn write_hook<F: HookField>(&mut self, path: &'static str, setting: &HookSetting<F>);
}

/// Builds hooks, one after the other; the level and `Off` of each become those of its slot.
pub trait BuildHooks {
    /// The hook with this key.
    ///
    /// # Errors
    /// When it is `Off` and can't be switched off.
    fn build_hook<F: HookField>(&mut self, key: &'static str, setting: HookSetting<F>) -> Result<F>;
}

/// No hooks.
impl HookSet for () {
    type Settings = ();
    fn key_of(_: &str) -> Option<&'static str> {
        None
    }
    fn read(_: &mut impl ReadHooks) -> Option<()> {
        Some(())
    }
    fn write((): &(), _: &mut impl WriteHooks) {}
    fn build((): (), _: &mut impl BuildHooks) -> Result<()> {
        Ok(())
    }
}

impl<A: HookSet, B: HookSet> HookSet for Joined<A, B> {
    type Settings = Joined<A::Settings, B::Settings>;
    fn key_of(component: &str) -> Option<&'static str> {
        A::key_of(component).or_else(|| B::key_of(component))
    }
    fn read(reader: &mut impl ReadHooks) -> Option<Self::Settings> {
        // both first, so that a mistake in one hides none in the other
        let (first, second) = (A::read(reader), B::read(reader));
        Some(Joined { first: first?, second: second? })
    }
    fn write(settings: &Self::Settings, writer: &mut impl WriteHooks) {
        A::write(&settings.first, writer);
        B::write(&settings.second, writer);
    }
    fn build(settings: Self::Settings, builder: &mut impl BuildHooks) -> Result<Self> {
        Ok(Joined { first: A::build(settings.first, builder)?, second: B::build(settings.second, builder)? })
    }
}

/// Makes a set of hooks from one line for each hook: a struct with the hooks, a struct with their settings, and all
/// code that reads, prints, builds, calls and saves them.
///
/// The engine's own hooks are such a set. A library can bundle hooks in the same way, and a trainer uses the bundle
/// with `#[trainer(by_epoch, hooks = Diagnostics)]`. Then the file sets its hooks below `hooks`, like the engine's
/// own.
///
/// ```
/// use engine::prelude::*;
///
/// #[hook(priority = "LOW")]
/// #[derive(Debug)]
/// pub struct Greeter {
///     #[config(default = 1)]
///     times: u64,
/// }
///
/// #[phases]
/// impl Greeter {
///     fn before_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
///         (0..self.times).try_for_each(|_| cx.say("hello"))
///     }
/// }
///
/// engine::hook_set! {
///     /// Hooks of good manners.
///     pub struct Manners, settings MannersSettings {
///         /// Says hello.
///         greeter: Greeter,
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! hook_set {
    (
        $(#[$doc:meta])*
        $vis:vis struct $set:ident, settings $settings:ident {
            $( $(#[$hook_doc:meta])* $key:ident: $hook:ty, )*
        }
    ) => {
        $(#[$doc])*
        #[allow(clippy::exhaustive_structs, reason = "no line of the set could take it back")]
        $vis struct $set {
            $( $(#[$hook_doc])* pub $key: $hook, )*
        }

        #[doc = ::core::concat!("What a file says of the hooks of [`", ::core::stringify!($set), "`].")]
        #[allow(clippy::exhaustive_structs, reason = "no line of the set could take it back")]
        $vis struct $settings {
            $( $(#[$hook_doc])* pub $key: $crate::hook::HookSetting<$hook>, )*
        }

        impl $set {
            /// What the hooks are called as components, and their keys below `hooks`.
            pub const NAMES: &'static [(&'static str, &'static str)] =
                &[$( (<<$hook as $crate::hook::HookField>::Hook as $crate::hook::Hook>::NAME, ::core::stringify!($key)), )*];
        }

        impl $crate::hook::Slots for $set {
            const SLOTS: &'static [$crate::hook::SlotInfo] =
                &[$( $crate::hook::SlotInfo::of::<$hook>(::core::stringify!($key)), )*];

            #[inline(always)]
            fn call(
                &mut self,
                slot: usize,
                phase: $crate::phase::Phase,
                cx: &mut $crate::run::Context<'_>,
            ) -> $crate::base::Result<()> {
                #[allow(non_camel_case_types, reason = "a number for each key")]
                enum Slot { $($key,)* }
                $(
                    if slot == Slot::$key as usize {
                        return match $crate::hook::HookField::hook_mut(&mut self.$key) {
                            ::core::option::Option::Some(hook) => $crate::hook::Phases::call(hook, phase, cx),
                            ::core::option::Option::None => ::core::result::Result::Ok(()),
                        };
                    }
                )*
                ::core::result::Result::Ok(())
            }
        }

        impl $crate::hook::EngineHooks for $set {
            fn states(&mut self, each: &mut $crate::hook::EachState<'_>) -> $crate::base::Result<()> {
                $(
                    if let ::core::option::Option::Some(hook) = $crate::hook::HookField::hook_mut(&mut self.$key) {
                        each(::core::concat!("hooks.", ::core::stringify!($key)), hook)?;
                    }
                )*
                ::core::result::Result::Ok(())
            }
        }

        impl $crate::hook::HookSet for $set {
            const KEYS: &'static [(&'static str, &'static [&'static str])] = &[$( (
                ::core::stringify!($key),
                <<<$hook as $crate::hook::HookField>::Hook as $crate::hook::Hook>::Config as $crate::config::Keyed>::KEYS,
            ), )*];

            type Settings = $settings;

            fn key_of(component: &str) -> ::core::option::Option<&'static str> {
                Self::NAMES.iter().find(|(name, _)| *name == component).map(|(_, key)| *key)
            }

            fn read(reader: &mut impl $crate::hook::ReadHooks) -> ::core::option::Option<$settings> {
                // all of them first, so that one mistake hides no other
                $( let $key = reader.read_hook::<$hook>(::core::concat!("hooks.", ::core::stringify!($key))); )*
                ::core::option::Option::Some($settings { $( $key: $key?, )* })
            }

            fn write(settings: &$settings, writer: &mut impl $crate::hook::WriteHooks) {
                $( writer.write_hook(::core::concat!("hooks.", ::core::stringify!($key)), &settings.$key); )*
            }

            fn build(
                settings: $settings,
                builder: &mut impl $crate::hook::BuildHooks,
            ) -> $crate::base::Result<Self> {
                ::core::result::Result::Ok($set {
                    $( $key: builder.build_hook(::core::stringify!($key), settings.$key)?, )*
                })
            }
        }
    };
}
