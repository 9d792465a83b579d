//! The benches: what the engine costs beside a loop by hand, PyTorch, and engines of Python.

use crate::args::{Bench, Peers};
use crate::cargo::Cargo;
use crate::peers;
use crate::problem::{Doing, Problem, Result};
use std::fs;
use std::path::Path;

/// What the bench `step` measures in each part, and how long a round takes about.
const WORKS: [(&str, &str, &str); 3] = [
    ("step", "tiny,conv,gpt", "0.5"),
    ("parts", "adamw1000,adamw10000,clip1000,validation,samples", "0.3"),
    (
        "optimizers",
        "optim_sgd,optim_adam,optim_adamw,optim_nadam,optim_radam,optim_adamax,optim_rmsprop,optim_adagrad,optim_adadelta,optim_rprop,optim_adafactor,optim_muon",
        "0.2",
    ),
];

/// Runs the parts, and makes a table and a picture of what the first four of them found.
pub(crate) fn run(root: &Path, cargo: &Cargo, bench: &Bench) -> Result<()> {
    let out = root.join("target/bench");
    fs::create_dir_all(&out).doing(|| format!("create `{}`", out.display()))?;
    let python = match bench.peers {
        Peers::Wanted => Some(peers::bring_for_bench()?),
        Peers::LeftOut => None,
    };
    let cargo = match &python {
        Some(python) => {
            let scripts = root.join("xtask/src");
            let (torch, engines) = (scripts.join("gpu_bundle/files"), scripts.join("bench/engines.py"));
            let paths = format!("{}:{}", torch.display(), python.packages.display());
            cargo.with(vec![
                ("ENGINE_BENCH_PEERS", format!("{} {}/peers.py", python.pytorch, torch.display())),
                ("ENGINE_BENCH_ENGINES", format!("env PYTHONPATH={paths} {} {}", python.engines, engines.display())),
            ])
        }
        None => cargo.clone(),
    };
    let mut found = Vec::new();
    for part in &bench.parts {
        let file = out.join(format!("{part}.json"));
        let shown = file.to_str().ok_or_else(|| Problem::new("the path of this checkout is not UTF-8"))?.to_owned();
        match *part {
            "step" | "parts" | "optimizers" => {
                let works = WORKS.iter().filter(|(name, ..)| name == part);
                for (_, works, seconds) in works {
                    cargo.run(&format!(
                        "bench --workspace --bench step -- --nets {works} --seconds {seconds} --rounds 9 --out {shown}"
                    ))?;
                }
                found.push(shown);
            }
            "process" => {
                let line = cargo.output_of("bench --workspace --bench step -- process")?;
                fs::write(&file, line).doing(|| format!("write `{shown}`"))?;
                found.push(shown);
            }
            "checkpoint" => {
                let torch = python.as_ref().map(|python| format!(" --python {}", python.pytorch)).unwrap_or_default();
                cargo.run(&format!("bench --workspace --bench checkpoint --{torch}"))?;
            }
            other => cargo.run(&format!("bench --workspace --bench {other}"))?,
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    cargo.run(&format!("bench --workspace --bench step -- figures {} --to {}", found.join(" "), out.display()))?;
    let table = out.join("figures.md");
    println!("\n{}", fs::read_to_string(&table).doing(|| format!("read `{}`", table.display()))?);
    if bench.write { write_down(root, &out) } else { Ok(()) }
}

const BEGIN: &str = "<!-- figures: written by `cargo xtask bench --write` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Puts table and picture into the documents.
fn write_down(root: &Path, out: &Path) -> Result<()> {
    let page = root.join("docs/performance.md");
    let text = fs::read_to_string(&page).doing(|| format!("read `{}`", page.display()))?;
    let table = fs::read_to_string(out.join("figures.md")).doing(|| "read the figures".into())?;
    let text = between_the_marks(&text, &table)
        .ok_or_else(|| Problem::new(format!("`{}` lacks the marks between which figures are", page.display())))?;
    fs::write(&page, text).doing(|| format!("write `{}`", page.display()))?;
    let picture = out.join("tiny.svg");
    if picture.exists() {
        fs::copy(&picture, root.join("docs/performance.svg")).doing(|| "copy the picture".into())?;
    }
    println!("written: docs/performance.md. Its date, machine and versions are yours to write");
    Ok(())
}

fn between_the_marks(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_what_is_between_the_marks() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        assert_eq!(between_the_marks(&page, "new\n"), Some(format!("before\n{BEGIN}\nnew\n\n{END}after\n")));
        assert_eq!(between_the_marks("no marks", "new"), None);
    }
}
