#[path = "../../parts.rs"]
#[allow(unused)]
mod parts;

use engine::prelude::*;
use parts::{Cnn, Digits};

mod unregistered {
    use super::*;

    #[hook]
    struct Worst<T: Default + 'static> {
        #[transient]
        last: T,
    }

    #[phases]
    impl<T: Default + 'static> Worst<T> {
        fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
            let _ = &self.last;
            Ok(())
        }
    }

    #[trainer(by_epoch)]
    struct Classifier {
        #[model]
        net: Cnn,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
        // mistake: a type that is not registered
        #[hook]
        worst: Worst<f32>,
    }

    steps!(Classifier);
}

mod no_phases {
    use super::*;

    // mistake: no block of phases
    #[hook]
    struct Worst<T: Default + 'static> {
        #[transient]
        last: T,
    }
}

mod outside {
    use super::*;

    #[hook]
    struct Worst<T: Default + 'static> {
        #[transient]
        last: T,
    }

    #[phases]
    impl<T: Default + 'static> Worst<T> {
        fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
            let _ = &self.last;
            Ok(())
        }
    }

    // mistake: a phase outside of the block
    impl<T: Default + 'static> Worst<T> {
        pub fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> {
            Ok(())
        }
    }

    engine::register!(hook Worst<f32>);
}

mod not_saved {
    use super::*;

    struct Own;

    #[hook]
    struct Worst<T: Default + 'static> {
        #[state]
        last: Option<T>,
    }

    #[phases]
    impl<T: Default + 'static> Worst<T> {
        fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
            let _ = &self.last;
            Ok(())
        }
    }

    impl Default for Own {
        fn default() -> Self {
            Own
        }
    }

    // mistake: state that can't be saved
    engine::register!(hook Worst<Own>);
}

mod misspelt {
    use super::*;

    #[hook]
    struct Worst<T: Default + 'static> {
        #[transient]
        last: T,
    }

    #[phases]
    impl<T: Default + 'static> Worst<T> {
        // mistake: a misspelt phase
        fn after_vall(&mut self, _: &mut Context<'_>) -> Result<()> {
            let _ = &self.last;
            Ok(())
        }
    }
}

mod lifetime {
    use super::*;

    // mistake: a hook that borrows
    #[hook]
    struct Worst<'a> {
        #[transient]
        name: &'a str,
    }
}

fn main() {}
