//! Raw identifiers are the names without their mark.

use engine::prelude::*;

/// A hook whose name and field would be words of the language.
#[hook]
pub struct r#Watch {
    /// A word of the language.
    #[config(default = 3)]
    r#loop: u64,
    #[state]
    r#seen: u64,
}

#[phases]
impl r#Watch {
    fn r#after_train_iter(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.seen += self.r#loop;
        Ok(())
    }
}

fn main() {}
