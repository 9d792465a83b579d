//! Several processes that train one model together: who they are, how they find each other, what they tell each other,
//! and what is told when one of them is lost.
//!
//! Promised: no call waits for longer than the group's time. When a rank is lost, all others end with an error that names
//! it, and what they were doing. Gradients are averaged by libtorch's own `Reducer` over libtorch's own process groups;
//! nothing here adds numbers of two ranks by itself.
//!
//! Never: a run in one process does none of this. Nothing here knows loops, hooks or trainers.

mod agreement;
mod alive;
mod environment;
mod error;
mod error_file;
mod group;
mod hello;
mod launch;
mod launched;
mod process;
mod rendezvous;
mod schedulers;
mod settings;
mod variables;

pub use agreement::{Agreed, Agreement};
pub use error::{DistError, Lost};
pub use error_file::write_error_file;
pub use group::{Group, MOST_NUMBERS, Numbers};
pub use hello::Hello;
pub use launch::{Launch, RankError, Ranks, follow_launcher};
pub use launched::Launched;
pub use process::Process;
pub use settings::{Compress, DistSettings};
