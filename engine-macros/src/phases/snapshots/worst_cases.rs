impl WorstCases {
    #[allow(
        clippy::missing_const_for_fn,
        clippy::missing_errors_doc,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn after_val(&mut self, cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
    #[cfg(feature = "slow")]
    #[allow(
        clippy::missing_const_for_fn,
        clippy::missing_errors_doc,
        clippy::needless_pass_by_ref_mut,
        clippy::ptr_arg,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self
    )]
    fn after_val_iter(&mut self, cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}
#[automatically_derived]
impl ::engine::__private::AllPhasesInOneBlock for WorstCases {
    const PHASES: ::engine::__private::PhaseMask = ::engine::__private::PhaseMask::of(
        &[
            ::engine::__private::Phase::AfterVal,
            #[cfg(feature = "slow")]
            ::engine::__private::Phase::AfterValIter,
        ],
    );
    const ASKS_NOTHING: ::engine::__private::PhaseMask = ::engine::__private::PhaseMask::of(
        &[
            ::engine::__private::Phase::AfterVal,
            #[cfg(feature = "slow")]
            ::engine::__private::Phase::AfterValIter,
        ],
    );
    #[inline(always)]
    #[allow(unused_variables)]
    fn call(
        &mut self,
        phase: ::engine::__private::Phase,
        cx: &mut ::engine::__private::Context<'_>,
    ) -> ::engine::__private::Result<()> {
        match phase {
            ::engine::__private::Phase::AfterVal => {
                let result = Self::after_val(self, cx);
                let result: ::engine::__private::Result<()> = result;
                result
            }
            #[cfg(feature = "slow")]
            ::engine::__private::Phase::AfterValIter => {
                let result = Self::after_val_iter(self, cx);
                let result: ::engine::__private::Result<()> = result;
                result
            }
            _ => ::core::result::Result::Ok(()),
        }
    }
}
