//! The trainer of a program: `main` of `engine::main!` names it in its result, from which `experiment!` and
//! `check_experiments!` take it.

use crate::hook::HookSet;
use crate::trainer::Build;
#[cfg(doc)]
use crate::trainer::Fields;
use crate::trainer::parts::PartOf;
use std::marker::PhantomData;
use std::process::{ExitCode, Termination};

/// How a program of the trainer `T` has ended.
pub struct Ended<T>(ExitCode, PhantomData<fn() -> T>);

impl<T> Ended<T> {
    /// With this code.
    pub fn with(code: ExitCode) -> Self {
        Ended(code, PhantomData)
    }
}

impl<T> Termination for Ended<T> {
    fn report(self) -> ExitCode {
        self.0
    }
}

/// The trainer of `engine::main!`, which a constant has checked. Where that fails, nothing else is told of the type.
pub struct OfMain<T, const IS_TRAINER: bool>(PhantomData<T>);

/// Names the trainer of [`OfMain`].
pub trait NamedTrainer {
    /// It.
    type Trainer;
}

impl<T, const IS_TRAINER: bool> NamedTrainer for OfMain<T, IS_TRAINER> {
    type Trainer = T;
}

/// What a function returns that stands for a trainer.
#[diagnostic::on_unimplemented(
    message = "`engine::check_experiments!` of a pattern alone stands beside `engine::main!`",
    label = "no `engine::main!` is here",
    note = "write `engine::main!(Digits);` and no `fn main` of your own, or name the trainer: `engine::check_experiments!(Digits, \"experiments/*.ron\");`"
)]
pub trait OfTrainer {
    /// The trainer.
    type Trainer: Build;
}

#[diagnostic::do_not_recommend]
impl<T: Build> OfTrainer for Ended<T> {
    type Trainer = T;
}

/// What is known of the trainer when its package is compiled.
#[diagnostic::on_unimplemented(
    message = "`engine::experiment!` of a file alone stands beside `engine::main!`",
    label = "no `engine::main!` is here",
    note = "write `engine::main!(Digits);` and no `fn main` of your own, or name the trainer: `engine::experiment!(Digits, \"experiments/digits.ron\");`"
)]
pub trait Outline {
    /// The trainer.
    type Trainer: 'static;
    /// [`Fields::PARTS`].
    const PARTS: &'static [PartOf<Self::Trainer>];
    /// [`Fields::Bundle`].
    type Bundle: HookSet;
    /// [`Fields::IS_WHOLE`].
    const IS_WHOLE: bool;
}

#[diagnostic::do_not_recommend]
impl<T: Build> Outline for Ended<T> {
    type Trainer = T;
    const PARTS: &'static [PartOf<T>] = T::PARTS;
    type Bundle = T::Bundle;
    const IS_WHOLE: bool = T::IS_WHOLE;
}

/// Stands for a trainer that is named.
pub fn named<T: Build>() -> Ended<T> {
    Ended::with(ExitCode::SUCCESS)
}

/// Takes the place of `main` in a program that has none, and is the `main` of an `engine::main!` that was refused. An error
/// tells of both, so a file is compared with nothing.
pub mod no_main {
    /// No trainer.
    pub struct Nothing;

    impl super::Termination for Nothing {
        fn report(self) -> super::ExitCode {
            super::ExitCode::FAILURE
        }
    }

    #[diagnostic::do_not_recommend]
    impl super::Outline for Nothing {
        type Trainer = ();
        const PARTS: &'static [super::PartOf<()>] = &[];
        type Bundle = ();
        const IS_WHOLE: bool = false;
    }

    /// There is none.
    pub fn main() -> Nothing {
        Nothing
    }
}

/// Takes the place of `main` in a library, which has none.
pub mod not_beside_main {
    /// There is none.
    pub fn main() {}
}
