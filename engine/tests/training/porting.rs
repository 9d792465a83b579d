//! The table of other engines' names against what these engines do: `fixtures/phases.txt` is what Lightning and MMEngine
//! did when `fixtures/phases.py` ran them.

use crate::support::{ByEpoch, Setup, Toyed as _, every};
use engine::base::Clock;
use std::collections::BTreeMap;

/// The number of finished updates at each call, by method.
type Calls = BTreeMap<String, Vec<u64>>;

fn theirs(engine: &str) -> Calls {
    let mut calls = Calls::new();
    for line in include_str!("fixtures/phases.txt").lines() {
        let [of, method, weight] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        // it starts at 1, and each update takes a half
        let updates = ((1.0 - weight.parse::<f64>().unwrap()) / 0.5).round() as u64;
        if of == engine {
            calls.entry(method.to_owned()).or_default().push(updates);
        }
    }
    calls
}

/// The same of ours: two epochs of two batches, a validation of two batches after each.
fn ours() -> Calls {
    let setup = Setup { samples: 4, val_samples: 4, val: Some(every(1, Clock::Epoch)), ..Setup::epochs(2) };
    let mut driver = setup.plain::<ByEpoch>();
    let mut weights: Vec<Vec<(String, Vec<f32>)>> = Vec::new();
    let seen = driver.watch(move |phase, cx| {
        let now = crate::support::flat(cx.models().get("net").unwrap().variables());
        if weights.last() != Some(&now) {
            weights.push(now);
        }
        Some((phase.name().to_owned(), weights.len() as u64 - 1))
    });
    driver.train_all().unwrap();
    let mut calls = Calls::new();
    for (phase, updates) in seen.take() {
        calls.entry(phase).or_default().push(updates);
    }
    calls
}

/// The rows of the table: our phase, and what MMEngine and Lightning call it.
fn table() -> Vec<(String, String, String)> {
    let text = include_str!("../../../docs/phases.md");
    let (_, table) = text.split_once("| here | MMEngine | Lightning |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.map(cells).map(|cells| (cells[1].clone(), cells[2].clone(), cells[3].clone())).collect()
}

/// The names in backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn a_phase_that_the_table_names_is_called_as_often_and_with_the_weights_of_the_other_engine() {
    let ours = ours();
    let (mmengine, lightning) = (theirs("mmengine"), theirs("lightning"));
    let mut compared = 0;
    for (here, by_mmengine, by_lightning) in table() {
        for (engine, cell, calls) in [("MMEngine", by_mmengine, &mmengine), ("Lightning", by_lightning, &lightning)] {
            let here = names(&here)[0];
            for there in names(&cell) {
                let (Some(ours), Some(theirs)) = (ours.get(here), calls.get(there)) else { continue };
                assert_eq!(ours, theirs, "`{here}` is not {engine}'s `{there}`");
                compared += 1;
            }
        }
    }
    assert!(compared > 30, "{compared}");
    // what the table has said before: their weights have changed there
    assert_eq!(mmengine["after_train_iter"], [1, 2, 3, 4]);
    assert_eq!(lightning["on_train_batch_end"], [1, 2, 3, 4]);
    assert_eq!(ours["after_train_batch"], [0, 1, 2, 3]);
}
