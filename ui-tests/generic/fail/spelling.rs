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

engine::register!(hook Worst<f32>);
// mistake: a misspelt type
engine::register!(hook Wors<f64>);

#[hook]
struct Watch {
    // mistake: a misspelt type in a plain hook beside a registered one
    #[config(default = 3)]
    every: u46,
}

#[phases]
impl Watch {
    fn after_val(&mut self, _: &mut Context<'_>) -> Result<()> {
        let _ = self.every;
        Ok(())
    }
}

fn main() {}
