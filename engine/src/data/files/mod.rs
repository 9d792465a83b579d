//! Readers for files that people have: IDX, NumPy, tables, tokens, lines of text, archives, folders of images.
//!
//! Promised: a reader refuses what it does not understand with the path and what is wrong, it never waits for a pipe or a
//! device, and it takes no memory for what a header promises and the file does not have.

mod bytes;
mod error;
#[cfg(feature = "images")]
mod folder;
mod idx;
#[cfg(all(feature = "images", feature = "tar"))]
mod image_shards;
mod lines;
mod list;
mod npy;
mod npz;
#[cfg(feature = "images")]
mod picture;
#[cfg(feature = "tar")]
mod shards;
#[cfg(feature = "csv")]
mod table;
#[cfg(test)]
mod tests;
mod tokens;

pub use error::FileError;
#[cfg(feature = "images")]
pub use folder::{ImageFolder, ImageFolderConfig};
pub use idx::read_idx;
#[cfg(all(feature = "images", feature = "tar"))]
pub use image_shards::{ImageShards, ImageShardsConfig};
pub use lines::{Line, LineReader, Lines, LinesConfig};
pub use npy::read_npy;
pub use npz::read_npz;
#[cfg(feature = "images")]
pub use picture::Fit;
#[cfg(feature = "tar")]
pub use shards::{ShardReader, ShardSample, Shards, ShardsConfig};
#[cfg(feature = "csv")]
pub use table::Table;
pub use tokens::{TokenKind, TokenWindows, TokenWindowsConfig, Tokens};
