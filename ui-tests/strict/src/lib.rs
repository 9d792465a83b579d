//! Every macro of the engine, and all that is generic: that this compiles is a test, and that clippy finds nothing in what the
//! macros write is another.

#![deny(warnings)]

#[path = "../../batch/pass/forms.rs"]
pub mod batch_forms;
#[path = "../../component/pass/kinds.rs"]
pub mod component_kinds;
#[path = "../../component/pass/sinks.rs"]
pub mod component_sinks;
#[path = "../../generic/pass/components.rs"]
pub mod generic_components;
#[path = "../../generic/pass/hooks.rs"]
pub mod generic_hooks;
#[path = "../../generic/pass/trainers.rs"]
pub mod generic_trainers;
#[path = "../../hook/pass/attributes.rs"]
pub mod hook_attributes;
#[path = "../../hook/pass/every_role.rs"]
pub mod hook_every_role;
#[path = "../../passes/pass/gan.rs"]
pub mod passes_gan;
#[path = "../../phases/pass/forms.rs"]
pub mod phases_forms;
#[path = "../../phases/pass/only_ok.rs"]
pub mod phases_only_ok;
#[path = "../../trainer/pass/every_role.rs"]
pub mod trainer_every_role;
#[path = "../../trainer/pass/joined_loaders.rs"]
pub mod trainer_joined_loaders;
#[path = "../../trainer/pass/several_models.rs"]
pub mod trainer_several_models;

/// What stands beside a trainer.
pub mod program {
    use crate::trainer_every_role::{Linear, Points};
    use engine::prelude::*;

    engine::hook_set! {
        /// Hooks of a library.
        pub struct Bundle, settings BundleSettings {
            /// Counts.
            ema: Ema,
        }
    }

    /// A trainer with a bundle.
    #[trainer(by_epoch, hooks = Bundle)]
    pub struct Program {
        #[model]
        net: Linear,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Points>,
    }

    impl Steps for Program {
        type Batch = (Tensor, Tensor);
        fn train_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
            Ok(Output::new(self.net.forward(x)))
        }
    }

    #[phases]
    impl Program {
        fn after_train(&mut self, _: &mut Context<'_>) -> Result<()> {
            Ok(())
        }
        #[only_ok]
        fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
            let _ = cx.epoch();
            Ok(())
        }
    }

    /// A trainer with passes.
    #[trainer(by_iter)]
    pub struct Passes {
        #[model]
        net: Linear,
        #[optimizer]
        opt: AdamW,
        #[loader(train)]
        train: Loader<Points>,
    }

    #[passes]
    impl Passes {
        #[pass(opt)]
        fn train(&mut self, (x, _): &(Tensor, Tensor), _: &mut Context<'_>) -> Result<Output> {
            Ok(Output::new(self.net.forward(x)))
        }

        #[pass(opt)]
        fn rest(&mut self, _: &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
            Ok(Output::new(Tensor::new()))
        }
    }

    engine::main!(Program);
    engine::experiment!("program.ron");
    engine::check_experiments!("*.ron");

    /// What `main!` makes is a function of its own.
    pub const OF: fn() -> engine::trainer::Ended<Program> = main;
}
