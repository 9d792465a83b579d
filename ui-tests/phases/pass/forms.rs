//! What a block of phases may look like.

use engine::prelude::{self, Context, Result, hook, phases};

/// A name of the user's own for the result.
type Outcome = Result<()>;

/// A name of the user's own for the context.
type Cx<'a> = Context<'a>;

/// Its phases are in another module.
#[hook]
#[derive(Debug)]
pub struct Spread {
    #[state]
    seen: u64,
}

mod elsewhere {
    use super::*;

    #[phases]
    impl super::Spread {
        // case: lifetimes by name
        fn before_run<'a>(&'a mut self, _cx: &'a mut Context<'_>) -> Result<()> {
            self.count();
            Ok(())
        }
        // case: other names for the types
        fn before_train(&mut self, _: &mut Cx<'_>) -> Outcome {
            Ok(())
        }
        // case: paths, and a visibility
        pub(crate) fn after_train(
            &mut self,
            cx: &mut prelude::Context<'_>,
        ) -> prelude::Result<(), engine::base::Error> {
            // case: a phase calls a phase
            self.before_train(cx)
        }
        // case: a phase of one configuration, and its counterpart
        #[cfg(any())]
        fn after_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
            missing(cx)
        }
        #[cfg(all())]
        fn after_run(&mut self, cx: &mut Context<'_>) -> Result<()> {
            let _ = cx.iter();
            Ok(())
        }
        // case: `mut` in a parameter
        #[inline]
        fn after_val(&mut self, mut _cx: &mut Context<'_>) -> Result<()> {
            Ok(())
        }
    }
}

impl Spread {
    // case: helpers beside the block
    fn count(&mut self) {
        self.seen += 1;
    }
}
