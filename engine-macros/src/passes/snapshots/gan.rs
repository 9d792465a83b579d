impl Gan {
    /// The critic's.
    #[allow(
        clippy::missing_const_for_fn,
        clippy::missing_errors_doc,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn critic(&mut self, batch: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
        Ok(self.score(batch).into())
    }
    #[allow(
        clippy::missing_const_for_fn,
        clippy::missing_errors_doc,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn generator(&mut self, _: &Tensor, cx: &mut Context<'_>) -> Result<Output> {
        Ok(self.made(cx).into())
    }
}
const _: () = {
    #[automatically_derived]
    impl ::engine::__private::AllPassesInOneBlock for Gan {
        type Batch = Tensor;
        const PASSES: &'static [::engine::__private::PassInfo] = &[
            ::engine::__private::PassInfo {
                name: "critic",
                section: ::core::option::Option::Some("passes.critic"),
                optimizers: &["opt_c"],
                times: 5,
                every: 1,
                batches: ::core::option::Option::None,
            },
            ::engine::__private::PassInfo {
                name: "generator",
                section: ::core::option::Option::Some("passes.generator"),
                optimizers: &["opt_g", "opt_e"],
                times: 1,
                every: 2,
                batches: ::core::option::Option::Some(
                    ::engine::__private::PassBatches::Fresh,
                ),
            },
        ];
        #[allow(unused_variables, unreachable_code)]
        fn train_step(
            &mut self,
            batch: &Self::Batch,
            cx: &mut ::engine::__private::Context<'_>,
        ) -> ::engine::__private::Result<::engine::__private::Output> {
            match ::engine::__private::pass_of(cx) {
                0usize => {
                    let result = Self::critic(
                        self,
                        <Tensor as ::engine::__private::PassBatch<Tensor>>::of(batch),
                        cx,
                    );
                    let result: ::engine::__private::Result<
                        ::engine::__private::Output,
                    > = result;
                    result
                }
                1usize => {
                    let result = Self::generator(
                        self,
                        <Tensor as ::engine::__private::PassBatch<Tensor>>::of(batch),
                        cx,
                    );
                    let result: ::engine::__private::Result<
                        ::engine::__private::Output,
                    > = result;
                    result
                }
                other => ::engine::__private::no_such_pass(other),
            }
        }
    }
    const IS_TRAINER: bool = {
        let _ = <Gan as ::engine::__private::HasOptimizers>::OPTIMIZERS;
        true
    };
    const _: () = {
        const KNOWN: &[&str] = <::engine::__private::Known<
            Gan,
            IS_TRAINER,
        > as ::engine::__private::HasOptimizers>::OPTIMIZERS;
        const TEXT: ::engine::__private::ConstText = ::engine::__private::ConstText::list(
            "`opt_c` is no `#[optimizer]` field of `Gan`, expected one of ",
            KNOWN,
        );
        if !::engine::__private::is_one_of("opt_c", KNOWN) {
            ::core::panic!("{}", TEXT.as_str())
        }
    };
    const _: () = {
        const KNOWN: &[&str] = <::engine::__private::Known<
            Gan,
            IS_TRAINER,
        > as ::engine::__private::HasOptimizers>::OPTIMIZERS;
        const TEXT: ::engine::__private::ConstText = ::engine::__private::ConstText::list(
            "`opt_g` is no `#[optimizer]` field of `Gan`, expected one of ",
            KNOWN,
        );
        if !::engine::__private::is_one_of("opt_g", KNOWN) {
            ::core::panic!("{}", TEXT.as_str())
        }
    };
    const _: () = {
        const KNOWN: &[&str] = <::engine::__private::Known<
            Gan,
            IS_TRAINER,
        > as ::engine::__private::HasOptimizers>::OPTIMIZERS;
        const TEXT: ::engine::__private::ConstText = ::engine::__private::ConstText::list(
            "`opt_e` is no `#[optimizer]` field of `Gan`, expected one of ",
            KNOWN,
        );
        if !::engine::__private::is_one_of("opt_e", KNOWN) {
            ::core::panic!("{}", TEXT.as_str())
        }
    };
    const _: () = {
        #[allow(unused_imports)]
        use ::engine::__private::NoSteps as _;
        if ::engine::__private::StepsOf::<Gan>::HAS_STEPS {
            ::core::panic!(
                "`Gan` has passes and an `impl Steps` besides, and a trainer has one of the two; make the `train_step` a pass too, or remove this block"
            )
        }
    };
};
