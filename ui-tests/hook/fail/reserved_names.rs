use engine::prelude::*;

// mistake: how layers are merged
#[hook]
struct Append;

#[phases]
impl Append {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: what switches a hook off, by `name`
#[hook(name = "Off")]
struct Silent;

#[phases]
impl Silent {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// mistake: the experiment itself
#[hook]
struct Experiment;

#[phases]
impl Experiment {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

// another name in files serves
#[hook(name = "Surroundings")]
struct Env;

#[phases]
impl Env {
    fn after_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = (Append::NAME, Silent::NAME, Experiment::NAME, Env::NAME);
}
