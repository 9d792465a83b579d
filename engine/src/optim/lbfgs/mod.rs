//! L-BFGS: `recipe.rs` is what a file says, `memory.rs` the update, `wolfe.rs` the line search.

mod limits;
mod memory;
mod recipe;
mod vector;
mod wolfe;

pub use limits::LineSearch;
pub use recipe::Lbfgs;
