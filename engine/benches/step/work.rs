//! What is measured, and in which ways.

use crate::nets::{Kind, image_sizes};
use engine::prelude::Device;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Training steps of a network.
    Net(Kind),
    /// Updates by AdamW of so many tensors.
    Adamw(usize),
    /// Updates of 1,000 matrices by an optimizer, by its place in [`OPTIMIZERS`].
    Optimizer(usize),
    /// Clipping the gradients of so many tensors by their norm.
    Clip(usize),
    /// Batches of a validation, with the network `tiny`.
    Validation,
    /// Batches of samples that lie in memory.
    Samples,
    /// Steps on large batches that come from the host.
    Images,
}

/// The optimizers that PyTorch has too: the name of the work, and the recipe with PyTorch's defaults.
pub(crate) const OPTIMIZERS: [(&str, &str); 12] = [
    ("optim_sgd", "Sgd(lr: 1e-3, momentum: 0.9)"),
    ("optim_adam", "Adam(lr: 1e-3)"),
    ("optim_adamw", "AdamW(lr: 1e-3)"),
    ("optim_nadam", "NAdam(lr: 1e-3)"),
    ("optim_radam", "RAdam(lr: 1e-3)"),
    ("optim_adamax", "Adamax(lr: 1e-3)"),
    ("optim_rmsprop", "RmsProp(lr: 1e-3)"),
    ("optim_adagrad", "Adagrad(lr: 1e-3)"),
    ("optim_adadelta", "Adadelta(lr: 1e-3)"),
    ("optim_rprop", "Rprop(lr: 1e-3)"),
    ("optim_adafactor", "Adafactor(lr: 1e-3)"),
    ("optim_muon", "Muon(lr: 1e-3)"),
];
/// Matrices of [`Work::Optimizer`], each of 8 by 8.
pub(crate) const MATRICES: usize = 1_000;

/// Elements of each tensor of [`Work::Adamw`] and [`Work::Clip`].
pub(crate) const ELEMENTS: i64 = 64;
/// Samples of a batch of [`Work::Samples`], and numbers of a sample.
pub(crate) const SAMPLES: usize = 64;
pub(crate) const NUMBERS: usize = 64;

/// How a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Engine,
    Rows,
    Hooks,
    Captured,
    Hand,
    Foreach,
    Workers,
    Pinned,
    Pageable,
    Ahead,
}

impl Way {
    pub(crate) const ALL: [(&str, Way); 10] = [
        ("engine", Way::Engine),
        ("rows", Way::Rows),
        ("hooks", Way::Hooks),
        ("captured", Way::Captured),
        ("hand", Way::Hand),
        ("foreach", Way::Foreach),
        ("workers", Way::Workers),
        ("pinned", Way::Pinned),
        ("pageable", Way::Pageable),
        ("ahead", Way::Ahead),
    ];
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// This program.
    Us,
    /// PyTorch without an engine.
    PyTorch,
    /// An engine of Python.
    Engines,
}

impl Work {
    const OTHERS: [Work; 11] = [
        Work::Net(Kind::Tiny),
        Work::Net(Kind::Conv),
        Work::Net(Kind::Gpt),
        Work::Net(Kind::Gpt2),
        Work::Net(Kind::Resnet50),
        Work::Adamw(1_000),
        Work::Adamw(10_000),
        Work::Clip(1_000),
        Work::Validation,
        Work::Samples,
        Work::Images,
    ];

    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Work> + Clone {
        Work::OTHERS.into_iter().chain((0..OPTIMIZERS.len()).map(Work::Optimizer))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Work::Net(net) => net.name(),
            Work::Adamw(1_000) => "adamw1000",
            Work::Adamw(_) => "adamw10000",
            Work::Optimizer(place) => OPTIMIZERS[place].0,
            Work::Clip(_) => "clip1000",
            Work::Validation => "validation",
            Work::Samples => "samples",
            Work::Images => "images",
        }
    }

    /// What is counted per second, and how much of it an iter is.
    pub(crate) fn unit(self, device: Device) -> (&'static str, i64) {
        match self {
            Work::Net(net) => {
                let (unit, per_sample) = net.unit();
                (unit, net.batch_size(device) * per_sample)
            }
            Work::Adamw(tensors) | Work::Clip(tensors) => ("tensors", tensors as i64),
            Work::Optimizer(_) => ("tensors", MATRICES as i64),
            Work::Validation => ("samples", Kind::Tiny.batch_size(device)),
            Work::Samples => ("samples", SAMPLES as i64),
            Work::Images => ("images", image_sizes(device).0),
        }
    }

    /// All ways that there are on a device, the engine's first.
    pub(crate) fn ways(self, device: Device) -> Vec<(&'static str, By)> {
        let gpu = device != Device::Cpu;
        let small = matches!(self, Work::Net(net) if Kind::SMALL.contains(&net));
        let ours: &[&str] = match self {
            Work::Net(Kind::Tiny) if !gpu => &["engine", "rows", "hooks", "hand", "foreach"],
            Work::Net(_) if gpu && small => &["engine", "captured", "hand"],
            Work::Net(_) if gpu => &["engine", "captured"],
            Work::Net(_) if small => &["engine", "hand"],
            Work::Validation => &["engine", "hand"],
            Work::Samples => &["engine", "workers"],
            Work::Images => &["pinned", "pageable", "ahead"],
            Work::Net(_) | Work::Adamw(_) | Work::Optimizer(_) | Work::Clip(_) => &["engine"],
        };
        let torch: &[&str] = match self {
            Work::Net(_) if gpu && small => &["eager", "item", "graph"],
            Work::Net(_) if small => &["eager", "item"],
            Work::Net(_) => &["eager", "compile"],
            Work::Samples => &["eager", "processes"],
            Work::Images => &["torch", "torch_pin"],
            Work::Adamw(_) | Work::Optimizer(_) | Work::Clip(_) | Work::Validation => &["eager"],
        };
        let engines: &[&str] = match self {
            Work::Net(Kind::Tiny) if !gpu => &["ignite", "mmengine", "lightning"],
            _ => &[],
        };
        let all = [(ours, By::Us), (torch, By::PyTorch), (engines, By::Engines)];
        all.into_iter().flat_map(|(names, by)| names.iter().map(move |name| (*name, by))).collect()
    }
}
