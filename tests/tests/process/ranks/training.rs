//! Ranks train the same model, which is that of one process with the whole batch.

use super::{distance, fingerprints, of, plain};
use crate::bench::Bench;
use crate::left::{assert_same, newest, rows, timed_rows};
use engine::checkpoint;
use engine::data::LoaderConfig;
use engine::prelude::{Kind, Loader, Tensor};
use engine_tests::data::{Points, PointsConfig};
use std::path::PathBuf;

/// Trains with these arguments in a folder of its own.
pub(super) fn trained(bench: Bench, arguments: &[&str]) -> (Bench, PathBuf) {
    bench.train(arguments).exits(0);
    let run = bench.path("runs/run");
    (bench, run)
}

pub(super) fn assert_equal_ranks(run: &std::path::Path, ranks: usize) -> usize {
    let main = fingerprints(run, 0);
    for rank in 1..ranks {
        let other = fingerprints(run, rank);
        for (ours, theirs) in main.iter().zip(&other) {
            assert_eq!(ours, theirs, "rank {rank}");
        }
        assert_eq!(main.len(), other.len(), "rank {rank}");
    }
    main.len()
}

#[test]
fn two_ranks_come_to_the_weights_of_one_process_with_the_whole_batch() {
    // 40 samples make ten whole batches, 43 and 41 a tail that can't be divided, of which some ranks have nothing
    for (samples, ranks, whole, part) in [(40, 2, 4, 2), (43, 2, 4, 2), (41, 2, 4, 2), (43, 3, 6, 2), (37, 3, 6, 2)] {
        let bench = || {
            let bench = plain();
            bench.edit("samples: 40,", &format!("samples: {samples},"));
            bench.edit("max_epochs: 3, accumulate: 4", "max_epochs: 10, accumulate: 2");
            bench
        };
        let size = |size| format!("loaders.train.batch_size={size}");
        // 11 samples to validate: the last batch of three ranks has two, and one rank none
        let val = ["--set", "loaders.val.dataset.samples=11", "--set", "loaders.val.batch_size=3"];
        let (_one, alone) = trained(bench(), &[&["--set", &size(whole)], &val[..]].concat());
        let (_two, group) = trained(bench(), &[&of(&ranks.to_string(), &size(part))[..], &val].concat());
        let case = format!("{samples} samples on {ranks} ranks");
        let iters = assert_equal_ranks(&group, ranks);
        assert_eq!(fingerprints(&alone, 0).len(), iters, "{case}");
        let distance = distance(&alone, &group);
        assert!(distance < 1e-6, "{case}: {distance:e} after {iters} updates");
        assert_same_rows(&alone, &group, &case);
    }
}

#[test]
fn a_row_tells_how_long_ranks_have_waited_and_which_one_was_waited_for() {
    let slow = ["trainer.fault=Slow", "trainer.fault_at=3", "trainer.fault_rank=1"];
    let often = ["hooks.timer.window=1", "hooks.logger.interval=1"];
    let settings: Vec<&str> = slow.into_iter().chain(often).flat_map(|setting| ["--set", setting]).collect();
    let (_bench, run) = trained(plain(), &[&["--ranks", "2"], &settings[..]].concat());
    let waited: Vec<(f64, u64)> = timed_rows(&run)
        .iter()
        .filter(|row| row["phase"] == "train")
        .map(|row| (row["comm_time"].as_f64().unwrap(), row["slowest_rank"].as_f64().unwrap() as u64))
        .collect();
    let iters = |of: &[(f64, u64)]| of.iter().filter(|(time, _)| *time > 0.35).count();
    // rank 0 has done nothing else for most of the 400 ms
    assert_eq!(iters(&waited), 1, "{waited:?}");
    assert!(waited.iter().any(|(time, rank)| *time > 0.35 && *rank == 1), "{waited:?}");
}

/// The rows of both runs are the same but for the last digits.
fn assert_same_rows(alone: &std::path::Path, group: &std::path::Path, case: &str) {
    let (alone, group) = (rows(alone), rows(group));
    assert_eq!(alone.len(), group.len(), "{case}");
    for (ours, theirs) in alone.iter().zip(&group) {
        let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
        assert!(ours.keys().eq(theirs.keys()), "{case}: {ours:?}\n{theirs:?}");
        // what the trainer and a hook count for themselves: batches of their own rank
        let counted = ["batches", "witnessed"];
        for (name, value) in ours.iter().filter(|(name, _)| !counted.contains(&name.as_str())) {
            match (value.as_f64(), theirs[name].as_f64()) {
                (Some(a), Some(b)) => {
                    assert!((a - b).abs() < 1e-5 * (1.0 + a.abs()), "{case}: {name}: {ours:?}\n{theirs:?}")
                }
                _ => assert_eq!(value, &theirs[name], "{case}: {name}"),
            }
        }
    }
}

#[test]
fn fifty_updates_of_two_ranks_are_equal_to_the_bit_and_those_of_one_process_but_for_the_last_digits() {
    let bench = || {
        let bench = plain();
        bench.edit("max_epochs: 3, accumulate: 4, clip: Norm(1.0)", "max_epochs: 5");
        bench
    };
    let (_one, alone) = trained(bench(), &[]);
    let (_two, group) = trained(bench(), &of("2", "loaders.train.batch_size=2"));
    assert_eq!(assert_equal_ranks(&group, 2), 50);
    let found = distance(&alone, &group);
    assert!(found < 1e-6, "{found:e}");
    // and again, to the bit
    let (_again, again) = trained(bench(), &of("2", "loaders.train.batch_size=2"));
    assert_eq!(fingerprints(&group, 0), fingerprints(&again, 0));
}

#[test]
fn ranks_with_dropout_and_batch_norm_stay_equal_and_draw_differently() {
    let bench = Bench::by_epoch();
    bench.edit("metrics: [MeanLoss()],", "metrics: [MeanLoss()], custom_hooks: [Fingerprint()],");
    let (_bench, run) = trained(bench, &of("2", "loaders.train.batch_size=2"));
    assert_equal_ranks(&run, 2);
    let generators =
        |rank| std::fs::read(run.join(format!("checkpoints/iter_000000009/ranks/{rank}/state.safetensors")));
    assert_ne!(generators(0).unwrap(), generators(1).unwrap());
}

/// A training of two networks, of which one draws from libtorch's generator, which ranks have each for themselves.
fn two_networks() -> Bench {
    let bench = Bench::two_passes();
    bench.edit("(net: (hidden: 8, dropout: 0.3))", "(net: (hidden: 8, dropout: 0.0, norm: false))");
    bench.edit(", groups: [(pattern: \"net.norm.*\", weight_decay: 0.0)]", "");
    bench.edit("train: (max_iters: 10)", "train: (max_iters: 10), custom_hooks: [Fingerprint()]");
    bench
}

#[test]
fn the_passes_of_two_networks_are_each_exchanged() {
    let (_two, group) = trained(two_networks(), &of("2", "loaders.train.batch_size=2"));
    assert_eq!(assert_equal_ranks(&group, 2), 10);
}

#[test]
fn the_passes_of_two_networks_come_to_the_weights_of_one_process() {
    // without random numbers, which each rank draws for itself
    let steady = ["--set", "trainer.drawn=false"];
    let (_one, alone) = trained(two_networks(), &[&["--set", "loaders.train.batch_size=4"], &steady[..]].concat());
    let (_two, group) = trained(two_networks(), &[&of("2", "loaders.train.batch_size=2")[..], &steady].concat());
    assert_eq!(assert_equal_ranks(&group, 2), 10);
    let distance = distance(&alone, &group);
    assert!(distance < 1e-6, "{distance:e}");
}

#[test]
fn an_update_that_one_rank_can_not_make_is_left_out_by_all() {
    let bench = plain();
    bench.edit("max_epochs: 3, accumulate: 4", "max_epochs: 1, non_finite: Skip");
    let arguments = ["--set", "trainer.fault=Nan", "--set", "trainer.fault_at=3", "--set", "trainer.fault_rank=1"];
    let (_bench, run) = trained(bench, &[&of("2", "loaders.train.batch_size=2")[..], &arguments].concat());
    assert_eq!(assert_equal_ranks(&run, 2), 10);
    let skipped = rows(&run).iter().rfind(|row| row["phase"] == "train").unwrap()["skipped_updates"].as_f64();
    assert_eq!(skipped, Some(1.0));
}

#[test]
fn an_update_that_one_rank_is_asked_to_leave_out_is_left_out_by_all() {
    // the first is told while backward runs, the second when it has ended
    for hook in ["Skipper", "LateSkipper"] {
        let bench = two_networks();
        bench.edit("custom_hooks: [Fingerprint()]", &format!("custom_hooks: [Fingerprint(), {hook}(rank: 1, at: 3)]"));
        let (_bench, run) = trained(bench, &of("2", "loaders.train.batch_size=2"));
        assert_eq!(assert_equal_ranks(&run, 2), 10, "{hook}");
        let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
        assert!(log.contains("update 3 of `learn` skipped: one rank does not like it (rank 1)"), "{hook}: {log}");
    }
}

#[test]
fn an_optimizer_that_is_divided_has_the_same_bits_and_whole_checkpoints() {
    let divided = ["--set", "dist.shard_optimizer=true"];
    let two = of("2", "loaders.train.batch_size=2");
    let (_whole, whole) = trained(plain(), &two);
    let (_divided, run) = trained(plain(), &[&two[..], &divided].concat());
    assert_eq!(assert_equal_ranks(&run, 2), 9);
    assert_eq!(fingerprints(&whole, 0), fingerprints(&run, 0));
    let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
    assert!(log.contains("each rank has a part of the optimizers' state: this one 0.0 MB of 0.0 MB"), "{log}");
    // its checkpoint is that of ranks that have the whole state
    assert_same(&whole, &run, "a divided optimizer");
    // a run goes on from it divided among another number of ranks, or not at all
    for (ranks, divides) in [("2", true), ("2", false), ("4", true), ("1", false)] {
        let bench = plain();
        bench.train(&[&two[..], &divided, &["--max-iters", "4"]].concat()).exits(0);
        let size = format!("loaders.train.batch_size={}", 4 / ranks.parse::<usize>().unwrap());
        let more: &[&str] = if divides { &divided } else { &[] };
        bench.train(&[&of(ranks, &size)[..], more, &["--resume"]].concat()).exits(0);
        let run = bench.path("runs/run");
        match ranks {
            "2" => assert_eq!(fingerprints(&whole, 0), fingerprints(&run, 0), "divided: {divides}"),
            _ => assert!(distance(&whole, &run) < 1e-6, "{ranks} ranks"),
        }
    }
}

#[test]
fn batch_norm_over_all_ranks_is_that_of_one_process() {
    // whole batches alone, and a tail of three samples: two on one rank, one on the other; or one on each of three
    for (samples, ranks, whole, part) in [(40, 2, 4, 2), (43, 2, 4, 2), (45, 3, 6, 2)] {
        let bench = || {
            let bench = Bench::by_epoch();
            bench.edit("Mlp(hidden: 8, dropout: 0.3)", "Mlp(hidden: 8, dropout: 0.0)");
            bench.edit("metrics: [MeanLoss()],", "metrics: [MeanLoss()], custom_hooks: [Fingerprint()],");
            bench.edit("samples: 40,", &format!("samples: {samples},"));
            bench.edit("max_epochs: 3, accumulate: 4", "max_epochs: 4, accumulate: 1");
            // the bias before batch norm has a gradient of zero but for rounding, which AdamW would make a step of
            bench.edit("AdamW(lr: 0.02, weight_decay: 0.01)", "Sgd(lr: 0.05, momentum: 0.9)");
            bench
        };
        let size = |size| format!("loaders.train.batch_size={size}");
        let (ranks, part) = (ranks.to_string(), size(part));
        let group = of(&ranks, &part);
        let (_one, alone) = trained(bench(), &["--set", &size(whole)]);
        let (_all, all) = trained(bench(), &[&group[..], &["--set", "dist.sync_batch_norm=true"]].concat());
        let case = format!("{samples} samples on {ranks} ranks");
        assert_equal_ranks(&all, ranks.parse().unwrap());
        let found = distance(&alone, &all);
        assert!(found < 5e-6, "{case}: {found:e}");
        if samples == 40 {
            // over the samples of each rank it is another training
            let (_own, own) = trained(bench(), &group);
            let found = distance(&alone, &own);
            assert!(found > 1e-3, "{case}: {found:e}");
        }
    }
    let bench = Bench::by_epoch();
    bench.edit("samples: 40,", "samples: 41,");
    let arguments = [&of("2", "loaders.train.batch_size=2")[..], &["--set", "dist.sync_batch_norm=true"]].concat();
    bench.train(&arguments).exits(1).says("has 1 samples for 2 ranks, and with `sync_batch_norm` each rank takes part");
}

#[test]
fn the_statistics_of_averaged_weights_are_joined_from_all_ranks() {
    // 43 samples: a tail of three, two on one rank and one on the other, with which batch norm of one rank would fail
    let bench = |samples: &str| {
        let bench = Bench::by_epoch();
        bench.edit("Mlp(hidden: 8, dropout: 0.3)", "Mlp(hidden: 8, dropout: 0.0)");
        bench.edit("samples: 40,", samples);
        bench.edit("max_epochs: 3, accumulate: 4", "max_epochs: 2, accumulate: 1");
        bench.edit("AdamW(lr: 0.02, weight_decay: 0.01)", "Sgd(lr: 0.05, momentum: 0.9)");
        bench.edit("ema: (decay: 0.8)", "ema: (kind: Equal, update_batch_norm: true)");
        bench
    };
    let size = |size| format!("loaders.train.batch_size={size}");
    let (whole, part) = (size(4), size(2));
    let two = of("2", &part);
    let sync = [&two[..], &["--set", "dist.sync_batch_norm=true"]].concat();
    let (_one, alone) = trained(bench("samples: 43,"), &["--set", &whole]);
    let (_all, all) = trained(bench("samples: 43,"), &sync);
    // those of the batches of all ranks are those of one process
    let found = difference(&published(&alone), &published(&all));
    assert!(found < 1e-5, "{found:e}");
    let log = std::fs::read_to_string(all.join("log.txt")).unwrap();
    assert!(log.contains("the statistics of batch norm are computed for the averaged weights"), "{log}");
    // without it each half of a batch counts as a batch: the means over 20 halves, those of one process over them
    let (_two, own) = trained(bench("samples: 40,"), &two);
    let (halves, means) = (published(&own), means_over_halves(&own));
    for (name, expected) in &means {
        let found = &halves.iter().find(|(known, _)| known == name).unwrap().1;
        assert!(found.allclose(expected, 1e-4, 1e-5, false), "{name}: {found:?} and {expected:?}");
    }
}

/// The weights that evaluations use, of the newest checkpoint.
fn published(run: &std::path::Path) -> Vec<(String, Tensor)> {
    let snapshot = checkpoint::load(&newest(run)).unwrap();
    snapshot.models[0].published().iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
}

fn difference(one: &[(String, Tensor)], other: &[(String, Tensor)]) -> f64 {
    let floats = one.iter().zip(other).filter(|((_, tensor), _)| tensor.kind() == Kind::Float && tensor.numel() > 0);
    floats.map(|((_, one), (_, other))| (one - other).abs().max().double_value(&[])).fold(0.0, f64::max)
}

/// Mean and unbiased variance of what comes into batch norm, each a mean over the halves of the batches of the first pass.
fn means_over_halves(run: &std::path::Path) -> Vec<(String, Tensor)> {
    let weights = published(run);
    let of = |name: &str| &weights.iter().find(|(known, _)| known == name).unwrap().1;
    let text = "(dataset: (samples: 40, noise: 0.3), batch_size: 2, shuffle: true)";
    let config: LoaderConfig<PointsConfig> = engine::config::parse_text("train", text).unwrap().read().unwrap();
    let mut loader = Loader::<Points>::open("train", &config, 7).unwrap();
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    while let Some((points, _)) = loader.next_batch().unwrap() {
        let hidden = points.matmul(&of("hidden.weight").tr()) + of("hidden.bias");
        means.push(hidden.mean_dim(0, false, Kind::Float));
        variances.push(hidden.var_dim(0, true, false));
    }
    assert_eq!(means.len(), 20);
    let mean = |all: &[Tensor]| Tensor::stack(all, 0).mean_dim(0, false, Kind::Float);
    vec![("norm.running_mean".to_owned(), mean(&means)), ("norm.running_var".to_owned(), mean(&variances))]
}

#[test]
fn state_per_rank_is_saved_and_restored_of_each_rank() {
    // 41 samples: rank 1 has no sample of the eleventh batch of a pass
    let bench = || {
        let bench = plain();
        bench.edit("samples: 40,", "samples: 41,");
        bench.edit("custom_hooks: [Fingerprint()]", "custom_hooks: [Fingerprint(), OwnCount()]");
        bench
    };
    let two = of("2", "loaders.train.batch_size=2");
    let (whole, again) = (bench(), bench());
    whole.train(&two).exits(0);
    again.train(&[&two[..], &["--max-iters", "4"]].concat()).exits(0);
    again.train(&[&two[..], &["--resume"]].concat()).exits(0);
    for bench in [&whole, &again] {
        for (log, batches) in [("log.txt", 33), ("log.rank1.txt", 30)] {
            let text = bench.read(&format!("runs/run/{log}"));
            let last = text.lines().rfind(|line| line.contains(" batches on this rank")).unwrap().to_owned();
            assert!(last.ends_with(&format!("{batches} batches on this rank")), "{log}: {last}");
        }
    }
    assert_same(&whole.path("runs/run"), &again.path("runs/run"), "state per rank");
    // a rank that the checkpoint does not know has the state of rank 0
    again
        .train(&[&of("3", "loaders.train.batch_size=2")[..], &["--resume", "--set", "train.max_epochs=4"]].concat())
        .exits(0);
    let third = again.read("runs/run/log.rank2.txt");
    assert!(third.lines().any(|line| line.ends_with("40 batches on this rank")), "{third}");
}

#[test]
fn gradients_that_are_exchanged_in_16_bits_are_rounded_alike_on_all_ranks() {
    let (_exact, exact) = trained(plain(), &of("2", "loaders.train.batch_size=2"));
    for kind in ["F16", "Bf16"] {
        let compress = format!("dist.compress={kind}");
        let arguments = [&of("2", "loaders.train.batch_size=2")[..], &["--set", &compress]].concat();
        let (_bench, run) = trained(plain(), &arguments);
        assert_eq!(assert_equal_ranks(&run, 2), 9, "{kind}");
        let found = distance(&exact, &run);
        assert!(found > 0.0 && found < 0.02, "{kind}: {found:e}");
    }
}

#[test]
fn a_run_goes_on_with_another_number_of_ranks() {
    let (_whole, whole) = trained(plain(), &["--set", "loaders.train.batch_size=4"]);
    for (first, then) in [("1", "2"), ("2", "1"), ("2", "4")] {
        let bench = plain();
        let size = |ranks: &str| format!("loaders.train.batch_size={}", 4 / ranks.parse::<usize>().unwrap());
        bench.train(&[&of(first, &size(first))[..], &["--max-iters", "4"]].concat()).exits(0);
        bench.train(&[&of(then, &size(then))[..], &["--resume"]].concat()).exits(0);
        let found = distance(&whole, &bench.path("runs/run"));
        assert!(found < 1e-6, "from {first} to {then} ranks: {found:e}");
    }
}

#[test]
fn a_parameter_that_a_rank_leaves_out_is_named_or_found() {
    let bench = || {
        let bench = plain();
        bench.edit("norm: false)", "norm: false, spare: true)");
        bench
    };
    let refused = bench();
    let ended = refused.train(&of("2", "loaders.train.batch_size=2")).exits(1);
    let ended = ended
        .says("no gradient of `spare` was computed in the last batch of this update")
        .says("dist: (find_unused: true)");
    assert!(ended.stderr.starts_with("error: rank "), "{ended}");
    let (_found, run) =
        trained(bench(), &[&of("2", "loaders.train.batch_size=2")[..], &["--set", "dist.find_unused=true"]].concat());
    assert_eq!(assert_equal_ranks(&run, 2), 9);
}

#[test]
fn all_ranks_go_back_when_one_has_a_loss_that_is_no_number() {
    for snapshot in ["Some(1)", "None"] {
        let bench = plain();
        let hooks = format!("custom_hooks: [Fingerprint(), Rollback(interval: 4, back: 2, snapshot: {snapshot})]");
        bench.edit("custom_hooks: [Fingerprint()]", &hooks);
        bench.edit("max_epochs: 3, accumulate: 4", "max_epochs: 2");
        let more = [
            "--set",
            "loaders.train.dataset.spoiled=Some(17)",
            "--set",
            "hooks.checkpoint=(interval: 3, by: Iter, keep: 2)",
        ];
        let (_bench, run) = trained(bench, &[&of("2", "loaders.train.batch_size=2")[..], &more].concat());
        assert_equal_ranks(&run, 2);
        let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
        assert!(log.contains("the run goes back to iter "), "{log}");
        let finite = super::weights(&run).iter().all(|(_, tensor)| tensor.isfinite().all().int64_value(&[]) == 1);
        assert!(finite, "snapshot: {snapshot}");
    }
}
