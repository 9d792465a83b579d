//! A rank of ours beside one of PyTorch's `DistributedDataParallel`, in both orders: to the bit.

use super::{bits, filled, python};
use engine::native::{ProcessGroup, ReducerOptions, Store, TensorList};
use engine::optim::{AdamW, Optim, PassInfo, PassPlan, Updates};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tch::{Device, Kind, Tensor};

/// Python needs long for its start on a machine that has much else to do.
const TIME: Duration = Duration::from_secs(600);

/// What `ddp.py` prints, line by line.
fn ours(group: &Arc<ProcessGroup>, variant: &str) -> Vec<String> {
    tch::set_num_threads(1);
    if variant == "passes" {
        return passes(group);
    }
    let (rank, accumulate) = (group.rank() as i64, if variant == "accumulate" { 4 } else { 1 });
    let shapes: [&[i64]; 4] = [&[16, 8], &[16], &[3, 16], &[3]];
    let factor = 0.3 + 0.1 * rank as f64;
    let own = shapes.iter().enumerate().map(|(j, shape)| filled(shape, j, factor).set_requires_grad(true));
    let mut parameters: Vec<Tensor> = own.collect();
    if variant == "unused" {
        // in PyTorch a module's own parameters come before those of its parts
        parameters.insert(0, filled(&[3], 4, 0.3).set_requires_grad(true));
    }
    let named = parameters.iter().enumerate().map(|(j, tensor)| (format!("p{j}"), tensor.shallow_clone())).collect();
    let mut updates = Updates::default();
    updates.add(Optim::new("opt", &AdamW { weight_decay: 0.1, ..AdamW::new(0.01) }, named).unwrap());
    let plan = PassPlan::new(&PassInfo::PLAIN[0], 0, accumulate, None);
    updates.set_passes(PassInfo::PLAIN, vec![plan], &parameters).unwrap();
    let compress = match variant {
        "fp16" => Some(Kind::Half),
        "bf16" => Some(Kind::BFloat16),
        _ => None,
    };
    let find_unused = variant == "unused";
    updates.join(group, ReducerOptions { bucket_bytes: 25 << 20, find_unused, compress, note: 0 });
    for update in 0..50 {
        updates.begin(0).unwrap();
        if update == 0 {
            // as PyTorch does once it has compared the shapes
            group.broadcast(&TensorList::new(&parameters).unwrap(), 0).unwrap();
        }
        for batch in 0..accumulate {
            let place = 9 + (update * accumulate + batch) as usize;
            let (first, count) = match (variant, rank) {
                ("uneven", 0) => (0, 20),
                ("uneven", _) => (20, 12),
                _ => (16 * rank, 16),
            };
            let (x, y) = samples(place, first, count);
            updates.before_batch(0, batch + 1 == accumulate).unwrap();
            let [extra @ .., w1, b1, w2, b2] = parameters.as_slice() else { unreachable!() };
            let mut logits = x.linear(w1, Some(b1)).relu().linear(w2, Some(b2));
            if variant == "unused" && rank == 0 && update % 3 == 1 {
                logits += &extra[0];
            }
            let share = 2.0 * count as f64 / 32.0 / accumulate as f64;
            updates.backward(0, &logits.cross_entropy_for_logits(&y), share).unwrap();
            updates.after_batch(0).unwrap();
        }
        updates.finish(0).unwrap();
        updates.step(0, update).unwrap();
    }
    parameters.iter().map(|parameter| bits(parameter).join(" ")).collect()
}

/// Samples of a batch of 32, and their classes.
fn samples(place: usize, first: i64, count: i64) -> (Tensor, Tensor) {
    let classes = Tensor::arange(32, (Kind::Int64, Device::Cpu)).remainder(3);
    (filled(&[32, 8], place, 1.0).narrow(0, first, count), classes.narrow(0, first, count))
}

const fn pass(name: &'static str, optimizers: &'static [&'static str]) -> PassInfo {
    PassInfo { name, section: Some("passes"), optimizers, times: 1, every: 1, batches: None }
}

const PASSES: &[PassInfo] = &[pass("critic", &["critic"]), pass("maker", &["maker"])];

/// Two networks with an optimizer each: the critic learns from what the maker gives, then the maker from what the critic says.
fn passes(group: &Arc<ProcessGroup>) -> Vec<String> {
    let rank = group.rank() as i64;
    let of = |shape: &[i64], j| filled(shape, j, 0.3 + 0.1 * rank as f64).set_requires_grad(true);
    let (maker, critic) = ([of(&[16, 8], 0), of(&[16], 1)], [of(&[3, 16], 2), of(&[3], 3)]);
    let mut updates = Updates::default();
    for (name, [weights, bias]) in [("maker", &maker), ("critic", &critic)] {
        let named = vec![("w".to_owned(), weights.shallow_clone()), ("b".to_owned(), bias.shallow_clone())];
        updates.add(Optim::new(name, &AdamW { weight_decay: 0.1, ..AdamW::new(0.01) }, named).unwrap());
    }
    let all: Vec<Tensor> = maker.iter().chain(&critic).map(Tensor::shallow_clone).collect();
    let plans = PASSES.iter().enumerate().map(|(place, info)| PassPlan::new(info, place, 1, None)).collect();
    updates.set_passes(PASSES, plans, &all).unwrap();
    updates.join(group, ReducerOptions { bucket_bytes: 25 << 20, find_unused: false, compress: None, note: 0 });
    for update in 0..50 {
        let (x, y) = samples(9 + update as usize, 16 * rank, 16);
        for (pass, own) in [&critic, &maker].into_iter().enumerate() {
            updates.begin(pass).unwrap();
            if update == 0 {
                group.broadcast(&TensorList::new(own).unwrap(), 0).unwrap();
            }
            updates.before_batch(pass, true).unwrap();
            let others_off = updates.forward(pass).unwrap();
            let made = x.linear(&maker[0], Some(&maker[1])).relu();
            let wanted = if pass == 0 { y.shallow_clone() } else { (&y + 1).remainder(3) };
            let loss = made.linear(&critic[0], Some(&critic[1])).cross_entropy_for_logits(&wanted);
            drop(others_off);
            updates.backward(pass, &loss, 1.0).unwrap();
            updates.after_batch(pass).unwrap();
            updates.finish(pass).unwrap();
            updates.step(pass, update).unwrap();
        }
    }
    all.iter().map(|parameter| bits(parameter).join(" ")).collect()
}

#[test]
#[ignore = "needs PyTorch: `cargo xtask test --peers`"]
fn a_rank_beside_one_of_distributed_data_parallel_has_its_weights() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/training/peers/ddp.py");
    let variants = ["plain", "accumulate", "unused", "uneven", "passes", "fp16", "bf16"];
    for (rank, variant) in variants.into_iter().flat_map(|variant| [(0, variant), (1, variant)]) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let store = Store::serve(listener, TIME).unwrap();
        let theirs = Command::new(python())
            .args([script.as_os_str(), variant.as_ref()])
            .envs([("RANK", (1 - rank).to_string()), ("WORLD_SIZE", "2".to_owned()), ("MASTER_PORT", port.to_string())])
            .envs([
                ("MASTER_ADDR", "127.0.0.1"),
                ("TORCHELASTIC_USE_AGENT_STORE", "True"),
                ("GLOO_SOCKET_IFNAME", "lo"),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let group = Arc::new(ProcessGroup::gloo(&store, "0", rank, 2, TIME, Some("127.0.0.1")).unwrap());
        // when ours fails because theirs has ended, theirs says why
        let ours = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ours(&group, variant)));
        let ended = theirs.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr);
        let Ok(ours) = ours else { panic!("{variant}, ours is rank {rank}; theirs: {}\n{errors}", ended.status) };
        assert!(ended.status.success(), "{variant}, ours is rank {rank}: {}\n{errors}", ended.status);
        let theirs = String::from_utf8(ended.stdout).unwrap();
        let theirs: Vec<&str> = theirs.lines().collect();
        assert_eq!(ours, theirs, "{variant}, ours is rank {rank}");
    }
}
