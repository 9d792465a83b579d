//! `engine::main!` takes one trainer.

use engine::prelude::*;

mod nothing {
    // mistake: none
    engine::main!();
}

mod two {
    pub(super) struct A;
    pub(super) struct B;
    // mistake: two
    engine::main!(A, B);
}

mod hook {
    use super::*;

    #[hook]
    struct Watch {}

    #[phases]
    impl Watch {
        fn after_run(&mut self, _: &mut Context<'_>) -> Result<()> {
            Ok(())
        }
    }

    // mistake: a hook
    engine::main!(Watch);
}

fn main() {
    let _ = (two::A, two::B);
}
