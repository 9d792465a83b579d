pub struct Digits {
    net: Cnn,
    opt: Box<dyn Optimizer>,
    schedule: Schedules,
    train: Loader<DigitsSet>,
    val: Loader<DigitsSet>,
    prompts: Loader<Images>,
    accuracy: Accuracy,
    ema: Ema,
    smoothing: f64,
    seen: u64,
    scratch: Option<Tensor>,
}
#[allow(
    non_camel_case_types,
    non_upper_case_globals,
    unreachable_code,
    unused_imports,
    unused_mut,
    unused_variables,
    clippy::diverging_sub_expression
)]
const _: () = {
    use ::engine::__private::NoPhases as _;
    ::engine::__private::part! {
        Field_net of Digits : Cnn, CHECKED_net = < Cnn as ::engine::__private::Model >
        ::build; ModelKind("net", "model", "")
    }
    ::engine::__private::part! {
        Field_opt of Digits : Box < dyn Optimizer >, CHECKED_opt = < Box < dyn Optimizer
        > as ::engine::__private::OptimizerField > ::from_config; OptimizerKind("opt",
        "optimizer", "", & ["net"]) reached by opt
    }
    ::engine::__private::part! {
        Field_schedule of Digits : Schedules, CHECKED_schedule = < Schedules as
        ::engine::__private::SchedulesField > ::from_schedules; SchedulesKind("schedule",
        "schedule", "") reached by schedule
    }
    ::engine::__private::part! {
        Field_train of Digits : Loader < DigitsSet >, CHECKED_train = < Loader <
        DigitsSet > as ::engine::__private::LoaderField > ::source; LoaderKind("train",
        "loaders.train", "") reached by train
    }
    struct Field_val;
    ::engine::__private::part! {
        [] [] Field_val : ::engine::__private::Known < Loader < DigitsSet >,
        CHECKED_train >, of Digits; LoaderKind("val", "loaders.val", "")
    }
    ::engine::__private::part! {
        [] [] [Field_val] [Digits] reached by val
    }
    ::engine::__private::part! {
        Field_prompts of Digits : Loader < Images >, CHECKED_prompts = < Loader < Images
        > as ::engine::__private::LoaderField > ::source; LoaderKind("prompts",
        "loaders.prompts", "") reached by prompts
    }
    ::engine::__private::part! {
        Field_accuracy of Digits : Accuracy, CHECKED_accuracy = < Accuracy as
        ::engine::__private::MetricField > ::from_config; MetricKind("accuracy",
        "metrics.accuracy", "") reached by accuracy
    }
    ::engine::__private::part! {
        Field_ema of Digits : Ema, CHECKED_ema = < Ema as ::engine::__private::HookField
        > ::from_hook; HookKind("ema", "hooks.ema", "") reached by ema
    }
    ::engine::__private::part! {
        Field_smoothing of Digits : f64, CHECKED_smoothing = < f64 as
        ::engine::__private::ConfigValue > ::copied; ConfigKind("smoothing",
        "trainer.smoothing", "")
    }
    #[automatically_derived]
    impl Field_smoothing {
        fn __default_smoothing() -> f64 {
            0.1
        }
        fn __check_smoothing(
            value: &f64,
        ) -> ::core::result::Result<(), ::std::string::String> {
            ::engine::__private::check_range::<
                f64,
                _,
            >(value, "smoothing", 0.0..1.0, "0.0..1.0")
        }
    }
    #[automatically_derived]
    impl ::engine::__private::OwnSetting for Field_smoothing {
        const DEMAND: ::core::option::Option<&'static str> = ::core::option::Option::Some(
            "0.0..1.0",
        );
        fn own_default() -> ::core::option::Option<f64> {
            ::core::option::Option::Some(Self::__default_smoothing())
        }
        fn own_check(value: &f64) -> ::core::result::Result<(), ::std::string::String> {
            Self::__check_smoothing(value)
        }
    }
    const HAS_PASSES: bool = {
        use ::engine::__private::NoSteps as _;
        ::engine::__private::StepsOf::<Digits>::HAS_PASSES
    };
    const HAS_STEPS: bool = {
        let _ = <Digits as ::engine::__private::TrainStep<HAS_PASSES>>::train_step;
        true
    };
    const FITS_train: bool = {
        let _ = <<<Field_train as ::engine::__private::Part>::Field as ::engine::__private::LoaderField>::Batch as ::engine::__private::SameBatch<
            <::engine::__private::Known<
                Digits,
                HAS_STEPS,
            > as ::engine::__private::TrainStep<HAS_PASSES>>::Batch,
        >>::SAME;
        HAS_STEPS
    };
    type Stepping = ::engine::__private::Known<Digits, FITS_train>;
    #[automatically_derived]
    impl ::engine::__private::Batches for Digits {
        type Batch = <Stepping as ::engine::__private::TrainStep<HAS_PASSES>>::Batch;
    }
    const FITS_val: bool = {
        let _ = <Digits as ::engine::__private::ValStep<
            <<Field_val as ::engine::__private::Part>::Field as ::engine::__private::LoaderField>::Batch,
        >>::val_step;
        true
    };
    const HAS_PREDICT_STEP: bool = {
        let _ = <Digits as ::engine::__private::PredictStep>::predict_step;
        true
    };
    const FITS_prompts: bool = {
        let _ = <<<Field_prompts as ::engine::__private::Part>::Field as ::engine::__private::LoaderField>::Batch as ::engine::__private::SameBatch<
            <::engine::__private::Known<
                Digits,
                HAS_PREDICT_STEP,
            > as ::engine::__private::PredictStep>::Prompt,
        >>::SAME;
        HAS_PREDICT_STEP
    };
    #[automatically_derived]
    impl ::engine::__private::Fields for Digits {
        const NAME: &'static str = "Digits";
        const MODELS: &'static [(&'static str, &'static str)] = &[("net", "weights")];
        const TRAINER: ::engine::__private::TrainerInfo = ::engine::__private::TrainerInfo {
            clock: ::engine::__private::Clock::Epoch,
            passes: <Stepping as ::engine::__private::TrainStep<HAS_PASSES>>::PASSES,
            loaders: [&["train"], &["val"], &[], &["prompts"]],
        };
        const PARTS: &'static [::engine::__private::PartOf<Self>] = &[
            ::engine::__private::PartOf::new::<Field_net>(),
            ::engine::__private::PartOf::new::<Field_opt>(),
            ::engine::__private::PartOf::new::<Field_schedule>(),
            ::engine::__private::PartOf::new::<Field_train>(),
            ::engine::__private::PartOf::new::<Field_val>(),
            ::engine::__private::PartOf::new::<Field_prompts>(),
            ::engine::__private::PartOf::new::<Field_accuracy>(),
            ::engine::__private::PartOf::new::<Field_ema>(),
            ::engine::__private::PartOf::new::<Field_smoothing>(),
        ];
        type Bundle = ();
        fn of_fields(mut built: ::engine::__private::Built) -> Self {
            Self {
                net: ::core::convert::identity(built.take::<Field_net>()),
                opt: ::core::convert::identity(built.take::<Field_opt>()),
                schedule: ::core::convert::identity(built.take::<Field_schedule>()),
                train: ::core::convert::identity(built.take::<Field_train>()),
                val: ::core::convert::identity(built.take::<Field_val>()),
                prompts: ::core::convert::identity(built.take::<Field_prompts>()),
                accuracy: ::core::convert::identity(built.take::<Field_accuracy>()),
                ema: ::core::convert::identity(built.take::<Field_ema>()),
                smoothing: ::core::convert::identity(built.take::<Field_smoothing>()),
                seen: <::engine::__private::Known<
                    u64,
                    SAVED_seen,
                > as ::engine::__private::Fresh>::fresh(),
                scratch: <Option<Tensor> as ::engine::__private::Fresh>::fresh(),
            }
        }
        fn next_train_batch(
            &mut self,
        ) -> ::engine::__private::Result<::core::option::Option<Self::Batch>> {
            ::engine::__private::next_batch::<Field_train>(self)
        }
        fn train_step(
            &mut self,
            batch: &Self::Batch,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<::engine::__private::Output> {
            <Stepping as ::engine::__private::TrainStep<
                HAS_PASSES,
            >>::train_step(self, batch, cx)
        }
        fn evaluated(
            role: ::engine::__private::Role,
            place: usize,
        ) -> ::engine::__private::Evaluated<Self> {
            match (role, place) {
                (::engine::__private::Role::Val, 0usize) => {
                    ::engine::__private::feed::<
                        Field_val,
                        _,
                    >(
                        <::engine::__private::Known<
                            Digits,
                            FITS_val,
                        > as ::engine::__private::ValStep<
                            ::engine::__private::BatchesOf<Field_val>,
                        >>::val_step,
                    )
                }
                _ => ::core::option::Option::None,
            }
        }
        fn predicted() -> ::engine::__private::Predicted<Self> {
            ::engine::__private::feed::<
                Field_prompts,
                _,
            >(
                <::engine::__private::Known<
                    Digits,
                    FITS_prompts,
                > as ::engine::__private::PredictStep>::predict_step,
            )
        }
    }
    #[automatically_derived]
    impl ::engine::__private::Slots for Digits {
        const SLOTS: &'static [::engine::__private::SlotInfo] = &[
            ::engine::__private::slot_of::<Field_ema>(),
            ::engine::__private::SlotInfo {
                name: "Digits",
                priority: ::engine::__private::Priority::HIGH,
                phases: <::engine::__private::PhasesOf<Digits>>::PHASES,
                only_ok: <::engine::__private::PhasesOf<Digits>>::ONLY_OK,
                asks_nothing: <::engine::__private::PhasesOf<Digits>>::ASKS_NOTHING,
            },
        ];
        #[inline(always)]
        fn call(
            &mut self,
            slot: usize,
            phase: ::engine::__private::Phase,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<()> {
            match slot {
                0usize => ::engine::__private::call_field::<Field_ema>(self, phase, cx),
                1usize => <::engine::__private::PhasesOf<Digits>>::call(self, phase, cx),
                _ => ::core::result::Result::Ok(()),
            }
        }
    }
    const SAVED_seen: bool = {
        let _ = <u64 as ::engine::__private::Saved>::save;
        true
    };
    #[automatically_derived]
    impl ::engine::__private::State for Digits {
        fn save_state(&self) -> ::engine::__private::StateMap {
            let mut map = ::engine::__private::StateMap::new();
            ::engine::__private::save_field::<
                ::engine::__private::Known<u64, SAVED_seen>,
            >(&mut map, "seen", &self.seen);
            map
        }
        fn load_state(
            &mut self,
            mut state: ::engine::__private::StateMap,
        ) -> ::core::result::Result<(), ::engine::__private::StateError> {
            ::engine::__private::load_field::<
                ::engine::__private::Known<u64, SAVED_seen>,
            >(&mut state, "seen", &mut self.seen)?;
            ::core::result::Result::Ok(())
        }
    }
    #[automatically_derived]
    impl ::engine::__private::HasOptimizers for Digits {
        const OPTIMIZERS: &'static [&'static str] = &["opt"];
    }
    #[automatically_derived]
    impl ::engine::__private::PhasesOwner for Digits {}
    const _: () = {
        let passes = <Stepping as ::engine::__private::TrainStep<HAS_PASSES>>::PASSES;
        let all = <Digits as ::engine::__private::HasOptimizers>::OPTIMIZERS;
        if !::engine::__private::is_stepped("opt", passes, all) {
            ::core::panic!(
                "optimizer `opt` is in no pass, so it would never step; name it in one: `#[pass(opt)]`"
            )
        }
    };
    const _: () = {
        if let ::core::option::Option::Some(text) = ::engine::__private::phase_outside!(
            Digits, "Digits", BeforeRun before_run, AfterLoadCheckpoint
            after_load_checkpoint, BeforeTrain before_train, BeforeTrainEpoch
            before_train_epoch, BeforeTrainIter before_train_iter, BeforeTrainBatch
            before_train_batch, AfterForward after_forward, AfterBackward after_backward,
            AfterTrainBatch after_train_batch, BeforeOptimizerStep before_optimizer_step,
            AfterOptimizerStep after_optimizer_step, AfterTrainIter after_train_iter,
            AfterTrainEpoch after_train_epoch, BeforeVal before_val, BeforeValEpoch
            before_val_epoch, BeforeValIter before_val_iter, AfterValIter after_val_iter,
            AfterValEpoch after_val_epoch, AfterVal after_val, BeforeSaveCheckpoint
            before_save_checkpoint, AfterSaveCheckpoint after_save_checkpoint, AfterTrain
            after_train, BeforeTest before_test, BeforeTestEpoch before_test_epoch,
            BeforeTestIter before_test_iter, AfterTestIter after_test_iter,
            AfterTestEpoch after_test_epoch, AfterTest after_test, BeforePredict
            before_predict, BeforePredictIter before_predict_iter, AfterPredictIter
            after_predict_iter, AfterPredict after_predict, OnException on_exception,
            AfterRun after_run,
        ) {
            ::core::panic!("{}", text)
        }
    };
};
