//! What programs of others make of what a run leaves. `cargo xtask test --peers` brings them and runs these tests.

mod browser;
mod launchers;
mod mirror;
mod mlflow;
mod networks;
mod pytorch;
mod tensorboard;
mod torchrun;

use std::path::PathBuf;

/// The Python of the environment that holds a peer.
#[track_caller]
fn python(peer: &str) -> PathBuf {
    let variable = format!("ENGINE_PEER_{}", peer.to_uppercase());
    let path = std::env::var_os(&variable);
    path.unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test --peers`")).into()
}
