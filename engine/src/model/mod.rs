//! Models: how they are built, how a file chooses them, and how a run accesses them.

mod entry;
mod error;
mod foreign;
mod freeze;
mod init;
mod layer;
mod model;
mod models;
mod tta;
mod weights;

pub use entry::ModelEntry;
pub use error::ModelError;
pub(crate) use foreign::left_over;
pub use init::{Fan, InitRule, Start};
pub use layer::SwappedIn;
pub use model::{AnyModel, Model, ModelConfig, Net, NetPart, build_model};
pub use models::Models;
pub use tta::{TestTimeAugmentation, View};
