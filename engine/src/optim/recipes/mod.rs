//! The optimizers that a file can choose, one recipe per file.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod lamb;
mod lars;
mod lion;
mod muon;
mod nadam;
mod of_each;
mod radam;
mod recipe;
mod rmsprop;
mod rprop;
mod sgd;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use lamb::Lamb;
pub use lars::Lars;
pub use lion::Lion;
pub use muon::{Muon, MuonRate};
pub use nadam::NAdam;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use rprop::Rprop;
pub use sgd::Sgd;
