#[path = "../../parts.rs"]
#[allow(unused)]
mod parts;

use engine::prelude::*;
use parts::{Cnn, Digits, Images};

mod no_model {
    use super::*;

    #[trainer(by_epoch)]
    struct Classifier<M> {
        #[model]
        net: M,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
    }

    impl<M> Steps for Classifier<M> {
        type Batch = (Tensor, Tensor);
        fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
            let _ = &self.net;
            Ok(Output::new(Tensor::new()))
        }
    }

    // mistake: a parameter that is no model
    engine::main!(Classifier<Digits>);
}

mod no_step {
    use super::*;

    #[trainer(by_epoch)]
    struct Classifier<M: Model> {
        #[model]
        net: M,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
    }

    // mistake: no training step
    engine::main!(Classifier<Cnn>);
}

mod no_val_step {
    use super::*;

    #[trainer(by_epoch)]
    struct Classifier<M: Model> {
        #[model]
        net: M,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
        #[loader(val)]
        val: Loader<Digits>,
    }

    impl<M: Model> Steps for Classifier<M> {
        type Batch = (Tensor, Tensor);
        fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
            let _ = &self.net;
            Ok(Output::new(Tensor::new()))
        }
    }

    // mistake: no step for a val loader
    engine::main!(Classifier<Cnn>);
}

mod other_batch {
    use super::*;

    #[trainer(by_epoch)]
    struct Classifier<M: Model> {
        #[model]
        net: M,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Images>,
    }

    impl<M: Model> Steps for Classifier<M> {
        type Batch = (Tensor, Tensor);
        fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
            let _ = &self.net;
            Ok(Output::new(Tensor::new()))
        }
    }

    // mistake: a step for other batches
    engine::main!(Classifier<Cnn>);
}

mod phases_unsaid {
    use super::*;

    #[trainer(by_epoch)]
    struct Classifier<M: Model> {
        #[model]
        net: M,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
    }

    // mistake: a block of which the trainer says nothing
    #[phases]
    impl<M: Model> Classifier<M> {
        fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> {
            let _ = &self.net;
            Ok(())
        }
    }
}

mod no_block {
    use super::*;

    #[trainer(by_epoch, phases)]
    struct Classifier<M: Model> {
        #[model]
        net: M,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
    }

    impl<M: Model> Steps for Classifier<M> {
        type Batch = (Tensor, Tensor);
        fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
            let _ = &self.net;
            Ok(Output::new(Tensor::new()))
        }
    }

    // mistake: no block, although the trainer says so
    engine::main!(Classifier<Cnn>);
}

mod plain {
    use super::*;

    // mistake: `phases` of a plain trainer
    #[trainer(by_epoch, phases)]
    struct Classifier {
        #[model]
        net: Cnn,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
    }

    steps!(Classifier);
}

mod outside {
    use super::*;

    #[trainer(by_epoch)]
    struct Classifier<M: Model> {
        #[model]
        net: M,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
    }

    impl<M: Model> Steps for Classifier<M> {
        type Batch = (Tensor, Tensor);
        fn train_step(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
            Ok(Output::new(Tensor::new()))
        }
    }

    // mistake: a phase outside of a block
    impl<M: Model> Classifier<M> {
        pub fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> {
            let _ = &self.net;
            Ok(())
        }
    }

    engine::main!(Classifier<Cnn>);
}

mod unused_optimizer {
    use super::*;

    #[trainer(by_iter)]
    struct Gan<M: Model> {
        #[model]
        generator: M,
        #[model]
        critic: Cnn,
        #[optimizer(generator)]
        opt_g: AdamW,
        // mistake: an optimizer that no pass steps
        #[optimizer(critic)]
        opt_c: AdamW,
        #[loader(train)]
        train: Loader<Images>,
    }

    #[passes]
    impl<M: Model> Gan<M> {
        #[pass(opt_g)]
        fn make(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
            let _ = (&self.generator, &self.critic);
            Ok(Output::new(Tensor::new()))
        }
    }

    engine::main!(Gan<Cnn>);
}

mod unknown_optimizer {
    use super::*;

    #[trainer(by_iter)]
    struct Gan<M: Model> {
        #[model]
        generator: M,
        #[optimizer]
        opt_g: AdamW,
        #[loader(train)]
        train: Loader<Images>,
    }

    #[passes]
    impl<M: Model> Gan<M> {
        // mistake: a pass that names no optimizer of the trainer
        #[pass(opt)]
        fn make(&mut self, _: &Tensor, _: &mut Context<'_>) -> Result<Output> {
            let _ = &self.generator;
            Ok(Output::new(Tensor::new()))
        }
    }

    engine::main!(Gan<Cnn>);
}

mod lifetime {
    use super::*;

    // mistake: a trainer that borrows
    #[trainer(by_epoch)]
    struct Classifier<'a> {
        #[model]
        net: Cnn,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Digits>,
        #[transient]
        name: &'a str,
    }
}

fn main() {}
