//! The traits that `#[hook]` and `#[phases]` implement.

use crate::base::{Adjustable, Priority, Result, State, StateError, StateMap};
use crate::phase::{Phase, PhaseMask};
use crate::run::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A type whose phases somebody calls. `#[hook]` and `#[trainer]` implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a hook nor a trainer, so nothing would call its phases",
    label = "no `#[hook]` and no `#[trainer]`",
    note = "put `#[hook]` on the struct, or `#[trainer(by_epoch)]`; a generic trainer says that it has phases, `#[trainer(by_epoch, phases)]`"
)]
pub trait PhasesOwner {}

/// The phases in which a hook or a trainer is called: exactly the methods of its `#[phases]` block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes part in no phase",
    label = "a hook needs a `#[phases]` block",
    note = "add `#[phases] impl {Self} {{ fn after_train_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {{ … }} }}`"
)]
pub trait Phases {
    /// The phases, known at compile time.
    const PHASES: PhaseMask;

    /// Those of them under `#[only_ok]`: they are left out when a failure or a signal is on its way out.
    const ONLY_OK: PhaseMask = PhaseMask::NONE;

    /// Those of them whose methods can't ask the loop for anything: several ranks need not tell each other after them what
    /// they were asked.
    const ASKS_NOTHING: PhaseMask = PhaseMask::NONE;

    /// Calls the method of this phase. With a constant `phase` it compiles to that method alone.
    ///
    /// # Errors
    /// The error of the method.
    fn call(&mut self, phase: Phase, cx: &mut Context<'_>) -> Result<()>;
}

/// Whether neither a failure nor a signal is on its way out. Asked before a phase under `#[only_ok]`.
#[inline(always)]
pub fn is_well(cx: &Context<'_>) -> bool {
    cx.exception().is_none()
}

/// What `#[phases]` makes of its block, one for a type. It is the one way to [`Phases`].
pub trait AllPhasesInOneBlock: PhasesOwner {
    /// The phases, known at compile time.
    const PHASES: PhaseMask;

    /// [`Phases::ONLY_OK`].
    const ONLY_OK: PhaseMask = PhaseMask::NONE;

    /// [`Phases::ASKS_NOTHING`].
    const ASKS_NOTHING: PhaseMask = PhaseMask::NONE;

    /// Calls the method of this phase.
    ///
    /// # Errors
    /// What the method returned.
    fn call(&mut self, phase: Phase, cx: &mut Context<'_>) -> Result<()>;
}

#[diagnostic::do_not_recommend]
impl<T: AllPhasesInOneBlock> Phases for T {
    const PHASES: PhaseMask = <T as AllPhasesInOneBlock>::PHASES;
    const ONLY_OK: PhaseMask = <T as AllPhasesInOneBlock>::ONLY_OK;
    const ASKS_NOTHING: PhaseMask = <T as AllPhasesInOneBlock>::ASKS_NOTHING;

    #[inline(always)]
    fn call(&mut self, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        AllPhasesInOneBlock::call(self, phase, cx)
    }
}

/// A struct under `#[hook]`. Its settings come from the file, and its state is saved in checkpoints.
///
/// ```
/// use engine::base::Priority;
/// use engine::prelude::*;
///
/// /// Says how far the training is.
/// #[hook(priority = "LOW")]
/// pub struct Progress {
///     /// Epochs from one message to the next.
///     #[config(default = 10, range = 1..)]
///     every: u64,
/// }
///
/// #[phases]
/// impl Progress {
///     fn after_train_epoch(&mut self, cx: &mut Context<'_>) -> Result<()> {
///         match cx.epoch().get() % self.every {
///             0 => cx.say(&format!("{} done", cx.epoch())),
///             _ => Ok(()),
///         }
///     }
/// }
///
/// # fn main() -> Result<()> {
/// // what the attributes have made of it, and how a test builds one
/// assert_eq!((Progress::NAME, Progress::PRIORITY), ("Progress", Priority::LOW));
/// let progress = Progress::build(&engine::config::parse_text("example", "(every: 5)")?.read()?);
/// assert_eq!(progress.every, 5);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hook",
    label = "this type is not a hook",
    note = "put `#[hook]` on the struct and `#[phases]` on an `impl` block of it"
)]
pub trait Hook: Phases + State + 'static {
    /// The name in experiment files.
    const NAME: &'static str;
    /// The level of `#[hook(priority = …)]`.
    const PRIORITY: Priority;
    /// The `#[config]` fields and `level`.
    type Config: HookConfig + Clone + Debug + Serialize + DeserializeOwned + 'static;

    /// The hook with these settings; `#[state]` and `#[transient]` fields have their `Default`.
    fn build(config: &Self::Config) -> Self
    where
        Self: Sized;
}

/// The settings of any hook, as `custom_hooks` lists them. `#[hook]` implements and registers it.
#[typetag::serde]
pub trait HookConfig: Debug + Send + Sync {
    /// The hook with these settings.
    fn build_any(&self) -> Box<dyn AnyHook>;
    /// `level:` of the file, which replaces the attribute's priority.
    fn level(&self) -> Option<Priority>;
}

/// [`HookConfig::build_any`] of a hook.
pub fn build_any<H: Hook>(config: &H::Config) -> Box<dyn AnyHook> {
    Box::new(H::build(config))
}

/// A hook whose type is known only at run time.
pub trait AnyHook {
    /// The name in experiment files.
    fn name(&self) -> &'static str;
    /// The level of the attribute.
    fn priority(&self) -> Priority;
    /// The phases in which it is called.
    fn phases(&self) -> PhaseMask;
    /// Those of them that are left out when a failure or a signal is on its way out.
    fn only_ok(&self) -> PhaseMask;
    /// Those of them whose methods can't ask the loop for anything.
    fn asks_nothing(&self) -> PhaseMask {
        PhaseMask::NONE
    }
    /// Calls the method of this phase.
    ///
    /// # Errors
    /// The error of the method.
    fn call(&mut self, phase: Phase, cx: &mut Context<'_>) -> Result<()>;
    /// Its `#[state]`.
    fn save_state(&self) -> StateMap;
    /// The settings on which its state depends.
    fn belongs_to(&self) -> Vec<(&'static str, String)>;
    /// [`State::adjustable`].
    fn adjustable(&mut self, each: &mut dyn FnMut(Adjustable<'_>)) {
        let _ = each;
    }
    /// Restores its `#[state]`.
    ///
    /// # Errors
    /// When an entry is missing or doesn't fit.
    fn load_state(&mut self, state: StateMap) -> Result<(), StateError>;

    /// [`State::save_own_state`].
    fn save_own_state(&self) -> StateMap;

    /// [`State::load_own_state`].
    ///
    /// # Errors
    /// As there.
    fn load_own_state(&mut self, state: StateMap) -> Result<(), StateError>;
}

#[diagnostic::do_not_recommend]
impl<H: Hook> AnyHook for H {
    fn name(&self) -> &'static str {
        H::NAME
    }
    fn priority(&self) -> Priority {
        H::PRIORITY
    }
    fn phases(&self) -> PhaseMask {
        H::PHASES
    }
    fn only_ok(&self) -> PhaseMask {
        H::ONLY_OK
    }
    fn asks_nothing(&self) -> PhaseMask {
        H::ASKS_NOTHING
    }
    fn call(&mut self, phase: Phase, cx: &mut Context<'_>) -> Result<()> {
        Phases::call(self, phase, cx)
    }
    fn save_state(&self) -> StateMap {
        State::save_state(self)
    }
    fn belongs_to(&self) -> Vec<(&'static str, String)> {
        State::belongs_to(self)
    }
    fn adjustable(&mut self, each: &mut dyn FnMut(Adjustable<'_>)) {
        State::adjustable(self, each);
    }
    fn load_state(&mut self, state: StateMap) -> Result<(), StateError> {
        State::load_state(self, state)
    }

    fn save_own_state(&self) -> StateMap {
        State::save_own_state(self)
    }

    fn load_own_state(&mut self, state: StateMap) -> Result<(), StateError> {
        State::load_own_state(self, state)
    }
}

/// The type of a trainer's `#[hook]` field: a hook, or an `Option` of a hook, which is `None` unless the file names
/// it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a `#[hook]` field",
    label = "not a hook",
    note = "the field's type is a struct under `#[hook]`, or an `Option` of one; hooks that the file chooses go to `custom_hooks`",
    note = "a generic hook is registered for each type that is made of it: `engine::register!(hook Worst<f32>);`"
)]
pub trait HookField: Sized {
    /// The hook itself.
    type Hook: Hook;
    /// Whether the hook is built only when the file names it.
    const OPTIONAL: bool;
    /// Whether it is a hook, and no stand-in for one whose mistake is reported.
    const IS_WHOLE: bool = true;
    /// The field for a hook. `hook` is `None` when the file has switched it off or, for an `Option`, has not named it.
    fn from_hook(hook: Option<Self::Hook>) -> Option<Self>;
    /// The hook, if there is one.
    fn hook_mut(&mut self) -> Option<&mut Self::Hook>;
}

#[diagnostic::do_not_recommend]
impl<H: Hook> HookField for H {
    type Hook = H;
    const OPTIONAL: bool = false;
    fn from_hook(hook: Option<H>) -> Option<H> {
        hook
    }
    #[inline(always)]
    fn hook_mut(&mut self) -> Option<&mut H> {
        Some(self)
    }
}

impl<H: Hook> HookField for Option<H> {
    type Hook = H;
    const OPTIONAL: bool = true;
    fn from_hook(hook: Option<H>) -> Option<Option<H>> {
        Some(hook)
    }
    #[inline(always)]
    fn hook_mut(&mut self) -> Option<&mut H> {
        self.as_mut()
    }
}
