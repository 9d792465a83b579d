#[path = "../../parts.rs"]
#[allow(unused)]
mod parts;

use engine::prelude::*;

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

// mistake: without the kind
engine::register!(Worst<f32>);
// mistake: without anything
engine::register!();
// mistake: a kind alone
engine::register!(hook);
// mistake: no such kind
engine::register!(hok Worst<f32>);
// mistake: another kind
engine::register!(metric Worst<u8>);
// mistake: not generic
engine::register!(hook Ema);
// mistake: a name without quotes
engine::register!(hook Worst<i8>, name = WorstBytes);
// mistake: a misspelt argument
engine::register!(hook Worst<i16>, nam = "Other");

fn main() {}
