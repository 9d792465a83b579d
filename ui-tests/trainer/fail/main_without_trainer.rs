//! `engine::main!` takes one trainer.

use engine::prelude::*;

mod nothing {
    // mistake: none
    engine::main!();
    engine::experiment!("experiments/right.ron");
}

mod text {
    // mistake: its name as a text
    engine::main!("Digits");
    engine::experiment!("experiments/right.ron");
}

mod file {
    pub(super) struct A;
    // mistake: a file too
    engine::main!(A, "experiments/right.ron");
    engine::experiment!("experiments/right.ron");
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
    let _ = (two::A, two::B, file::A);
}
