//! A trainer with more hooks than anybody has had so far.

use crate::program::{Line, Slope};
use engine::loops::Role;
use engine::prelude::*;
use engine::trainer::{Experiment, build, plan_of};
use std::cell::RefCell;

thread_local! {
    /// The marks of the hooks, in the order of their calls.
    static CALLED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Notes that it was called.
#[hook]
#[derive(Debug)]
pub struct Mark {
    /// What tells it from the others.
    #[config(default = 0)]
    mark: u64,
}

#[phases]
impl Mark {
    fn before_run(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        CALLED.with_borrow_mut(|called| called.push(self.mark));
        Ok(())
    }
}

/// A trainer with these hook fields.
macro_rules! with_hooks {
    ($($hook:ident)*) => {
        /// Fits a slope under the eyes of many hooks.
        #[trainer(by_epoch)]
        pub struct Watched {
            #[model]
            slope: Slope,
            #[optimizer]
            opt: AdamW,
            #[loader(train)]
            train: Loader<Line>,
            $(#[hook] $hook: Mark,)*
        }

        const HOOKS: &[&str] = &[$(stringify!($hook)),*];
    };
}

with_hooks! {
    h00 h01 h02 h03 h04 h05 h06 h07 h08 h09 h10 h11 h12 h13 h14 h15
    h16 h17 h18 h19 h20 h21 h22 h23 h24 h25 h26 h27 h28 h29 h30 h31
    h32 h33 h34 h35 h36 h37 h38 h39 h40 h41 h42 h43 h44 h45 h46 h47
    h48 h49 h50 h51 h52 h53 h54 h55 h56 h57 h58 h59 h60 h61 h62 h63
}

impl Steps for Watched {
    type Batch = (Tensor, Tensor);
    fn train_step(&mut self, (x, _): &Self::Batch, _: &mut Context<'_>) -> Result<Output> {
        Ok((x * &self.slope.0).mean(Kind::Float).into())
    }
}

fn read() -> Experiment<Watched> {
    // the last but one comes first, by its level
    let settings = |(place, hook): (usize, &&str)| match place {
        62 => format!("{hook}: (mark: {place}, level: HIGH),"),
        _ => format!("{hook}: (mark: {place}),"),
    };
    let hooks: String = HOOKS.iter().enumerate().map(settings).collect();
    let text = format!(
        "(name: \"watched\", device: Cpu, optimizer: (lr: 0.1), train: (max_epochs: 1),
            loaders: (train: (dataset: Line(points: 2), batch_size: 2)), hooks: ({hooks}))"
    );
    Experiment::parse("watched.ron", &text).unwrap()
}

#[test]
fn sixty_four_hook_fields_are_called_in_order() {
    let mut program = build(read(), &[Role::Train]).unwrap();
    program.run(|program| program.train()).unwrap();
    let mut order: Vec<u64> = (0..64).collect();
    order.remove(62);
    order.insert(0, 62);
    assert_eq!(CALLED.take(), order);

    let plan = plan_of(read()).unwrap();
    let (_, first) = &plan.phases[0];
    let fields: Vec<&str> = first.iter().map(|hook| hook.name.as_str()).filter(|name| HOOKS.contains(name)).collect();
    let names: Vec<&str> = order.iter().map(|mark| HOOKS[*mark as usize]).collect();
    assert_eq!(fields, names);
}
