//! The hooks that every program has. This file is read by `engine-macros` too, which refuses their keys as fields of a
//! trainer: so it names nothing but the hooks.

/// Hands the hooks to a macro. Hooks of one level are called in this order.
macro_rules! engine_hooks {
    ($with:ident) => {
        $with! {
            /// The hooks that every program has: they come first among hooks of the same level.
            pub struct DefaultHooks, settings HookSettings {
                /// How long things take.
                timer: crate::hooks::Timer,
                /// Schedules on their clock.
                scheduler: crate::hooks::Scheduler,
                /// Rows of numbers.
                logger: crate::hooks::Logger,
                /// When to save, what to keep.
                checkpoint: crate::hooks::Checkpoint,
            }
        }
    };
}
