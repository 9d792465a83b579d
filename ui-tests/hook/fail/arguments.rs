use engine::prelude::*;

// mistake: a misspelt argument
#[hook(pririty = "HIGH")]
struct A;

// mistake: a misspelt priority
#[hook(priority = "HIHG")]
struct B;

// mistake: a priority that is none
#[hook(priority = EARLY)]
struct C;

// mistake: a priority above 100
#[hook(priority = 101)]
struct D;

// mistake: no value
#[hook(priority)]
struct E;

// mistake: an argument twice
#[hook(priority = LOW, priority = HIGH)]
struct F;

// mistake: a value without its key
#[hook("HIGH")]
struct G;

// mistake: a name that is no string
#[hook(name = Ema)]
struct H;

// mistake: a name that a file can't hold
#[hook(name = "my ema")]
struct I;

// mistake: a path in quotes
#[hook(crate = "engine")]
struct J;

// mistake: an unknown argument; the list of those there are
#[hook(order = 3)]
struct K;

// mistake: a comma is missing
#[hook(priority = HIGH name = "Ema")]
struct L;

engine_has_phases!(A B C D E F G H I J K L);

/// Every one of these is a hook all the same: nothing follows from its mistake.
#[macro_export]
macro_rules! engine_has_phases {
    ($($hook:ident)*) => { $(
        #[phases]
        impl $hook {
            fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
                Ok(())
            }
        }
    )* };
}

fn main() {}
