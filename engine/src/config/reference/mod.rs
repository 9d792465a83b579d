//! Values that refer to others: `Ref("model.block")`, and arithmetic with them, `Mul(Ref("loaders.train.batch_size"), 2)`.
//!
//! A reference is followed when all layers are applied, so it takes what the last layer says. The value stands there as
//! if it was written there: it is typed where it lands. What it takes of the other end besides the value are relative
//! paths, which stay those of the file that wrote them, and the places within it.
//!
//! What leads nowhere stays as it is written, and its mistake waits in the [`Sources`], so that it is told together with
//! all others.

mod arithmetic;
mod resolver;
mod walk;

use super::sources::Sources;
use super::tree::Node;

/// A tree in which every reference that leads somewhere is replaced by what it refers to.
pub(super) fn resolve(root: &Node, sources: &mut Sources) -> Node {
    resolver::Resolver::new(root, sources).resolve_root()
}
