//! Every way to write the attribute, and structs of every form.

use engine::prelude::*;

macro_rules! phases {
    ($($hook:ident)*) => { $(
        #[engine::phases]
        impl $hook {
            fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
                Ok(())
            }
        }
    )* };
}

// case: no argument, no field
#[hook]
struct Plain;

// case: a level as a name
#[hook(priority = LOWEST)]
struct Named;

// case: a level as a text
#[hook(priority = "HIGHER")]
struct Text;

// case: a level as a path
#[hook(priority = Priority::HIGH)]
struct Path;

// case: a level as a number, another name, and a comma at the end
#[hook(priority = 100, name = "Hundred")]
struct Number;

// case: the path of the engine
#[hook(crate = ::engine)]
struct Elsewhere;

// case: braces and no field
#[hook]
struct Empty {}

phases!(Plain Named Text Path Number Elsewhere Empty);

/// Uses them.
pub fn priorities() -> [u8; 7] {
    fn level<H: Hook>() -> u8 {
        H::PRIORITY.get()
    }
    [
        level::<Plain>(),
        level::<Named>(),
        level::<Text>(),
        level::<Path>(),
        level::<Number>(),
        level::<Elsewhere>(),
        level::<Empty>(),
    ]
}
