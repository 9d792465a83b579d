//! Methods that have the name of a phase and are in no `#[phases]` block: nothing calls them, and their author may not know.

macro_rules! no_phase {
    ($( $(#[$doc:meta])* $variant:ident, $name:ident, $group:ident; )*) => {
        /// A constant for each phase, which a type has where it has no method of that name: a type's own methods come
        /// first. A method takes no memory as a value, and these take a byte.
        #[expect(non_upper_case_globals, reason = "the names are those of the methods")]
        pub trait NoPhaseOutside {
            $(
                #[doc = concat!("In the place of a method `", stringify!($name), "`.")]
                const $name: u8 = 0;
            )*
        }
    };
}
each_phase!(no_phase);

impl<T: ?Sized> NoPhaseOutside for T {}

/// The first of these texts.
pub const fn first_text(texts: &[Option<&'static str>]) -> Option<&'static str> {
    let mut at = 0;
    while at < texts.len() {
        if texts[at].is_some() {
            return texts[at];
        }
        at += 1;
    }
    None
}

/// Says that a hook or a trainer has a method with the name of a phase, and no such phase.
#[doc(hidden)]
#[macro_export]
macro_rules! __phase_outside {
    ($owner:ty, $name_of_owner:literal, $(.$or_all:ident(),)? $($variant:ident $name:ident,)*) => {{
        #[allow(unused_imports, reason = "a type may have methods of all these names, and phases of its own")]
        use $crate::__private::{NoPhaseOutside as _, NoPhases as _};
        let phases = $crate::__private::PhasesOf::<$owner>::PHASES$(.$or_all())?;
        $crate::__private::first_text(&[$(
            if ::core::mem::size_of_val(&<$owner>::$name) == 0
                && !phases.contains($crate::__private::Phase::$variant)
            {
                ::core::option::Option::Some(::core::concat!(
                    "`", ::core::stringify!($name), "` of `", $name_of_owner,
                    "` has the name of a phase and is in no `#[phases]` block, so nothing would call it; \
                     move it into the block, or give it another name",
                ))
            } else {
                ::core::option::Option::None
            },
        )*])
    }};
}
