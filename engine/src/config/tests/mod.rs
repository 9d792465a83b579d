//! The promises of experiment files, on components like those of a program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]

mod agreement;
mod generated;
mod golden;
mod hostile;
mod layers;
mod parts;
mod reading;
mod references;
mod robustness;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;

use super::parse_text;
use crate::base::priority::Priority;

#[typetag::serde]
trait HookConfig: Debug {}

#[typetag::serde]
trait Optimizer: Debug {}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "Ema", default)]
struct EmaConfig {
    #[serde(deserialize_with = "share")]
    decay: f64,
    level: Priority,
}

impl Default for EmaConfig {
    fn default() -> Self {
        EmaConfig { decay: 0.999, level: Priority::NORMAL }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint {
    interval: u32,
    #[serde(default)]
    keep: Option<u8>,
    #[serde(default)]
    then: Vec<Box<dyn HookConfig>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Clip(f64);

#[derive(Debug, Serialize, Deserialize)]
struct Dump {
    folders: Vec<PathBuf>,
    log: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Timer;

#[derive(Debug, Serialize, Deserialize)]
struct AdamW {
    lr: f64,
    #[serde(default = "betas")]
    betas: (f64, f64),
    #[serde(default)]
    weight_decay: f32,
    #[serde(default)]
    schedule: Option<Schedule>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Sgd {
    lr: f64,
    momentum: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Schedule {
    Constant,
    Linear(u32),
    Cosine {
        iters: u32,
        #[serde(default)]
        floor: f64,
    },
    Window(u32, u32),
}

#[typetag::serde(name = "Ema")]
impl HookConfig for EmaConfig {}
#[typetag::serde]
impl HookConfig for Checkpoint {}
#[typetag::serde]
impl HookConfig for Clip {}
#[typetag::serde]
impl HookConfig for Dump {}
#[typetag::serde]
impl HookConfig for Timer {}
#[typetag::serde]
impl Optimizer for AdamW {}
#[typetag::serde]
impl Optimizer for Sgd {}

#[derive(Debug, Serialize, Deserialize)]
struct Experiment {
    name: String,
    #[serde(default)]
    seed: u64,
    optimizer: Box<dyn Optimizer>,
    #[serde(default)]
    custom_hooks: Vec<Box<dyn HookConfig>>,
    #[serde(default)]
    teacher: Option<Box<dyn HookConfig>>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    data: PathBuf,
    #[serde(default)]
    train: TrainConfig,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct TrainConfig {
    max_epochs: u32,
    accumulate: u8,
    compile: bool,
    milestones: Vec<u64>,
}

fn betas() -> (f64, f64) {
    (0.9, 0.999)
}

/// A number between 0 and 1, both included.
fn share<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(serde::de::Error::custom(format!("expected a number from 0 to 1, got {value}"))),
    }
}
