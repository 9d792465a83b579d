//! What `engine::main!` makes, and what it asks of its place and its trainer.

use crate::trainer::{Build, Ended, Fields};

/// The `main` of a program: runs the command line of the process. `version` is what `--version` tells.
pub fn run<T: Fields>(version: &str) -> Ended<T> {
    Ended::with(super::main::<T>(version, std::env::args_os()))
}

/// What `engine::main!` makes.
#[diagnostic::on_unimplemented(
    message = "`engine::main!` makes the function `main` itself",
    label = "this stands within a function",
    note = "write `engine::main!(Digits);` outside of any function, and leave your own `fn main` out"
)]
pub trait Program<Here> {}

#[diagnostic::do_not_recommend]
impl<F> Program<F> for F {}

/// The checks of a trainer. They run when the constant is computed. A type that is no trainer is not checked here: another error
/// tells of it.
pub struct Checked<T>(std::marker::PhantomData<T>);

impl<T: Build> Checked<T> {
    /// They are made.
    pub const DONE: () = {
        let _ = T::TRAINER;
    };
}

/// Gives `Checked::DONE` for a type that is no trainer.
pub trait NotChecked {
    /// There are none.
    const DONE: () = ();
}

impl<T> NotChecked for Checked<T> {}

/// Whether the `main` of the module is the one where `engine::main!` stands. A second `main` in the module is told by the
/// compiler.
pub const fn is_program<Here, F: Program<Here>>(_: &Here, _: &F) {}
