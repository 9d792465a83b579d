//! Metrics of predicted numbers.

mod mae;
mod moments;
mod mse;
mod pearson;
mod r2;
mod rmse;
mod sums;

pub use mae::Mae;
pub use mse::Mse;
pub use pearson::Pearson;
pub use r2::R2;
pub use rmse::Rmse;
