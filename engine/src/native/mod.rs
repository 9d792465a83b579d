//! Functions of libtorch that `tch` lacks: fused optimizer steps, operations on whole lists of tensors, generator
//! states, and the process's switches.
//!
//! This is the only folder with `unsafe`. Its functions accept and return `tch` tensors and plain numbers; exceptions
//! of libtorch become a [`NativeError`]. Nothing here reads a value from a device, and nothing keeps a tensor that the
//! caller didn't pass ownership of.
#![expect(unsafe_code, reason = "the border to the C++ shim; every other folder is denied it")]

mod device;
mod dist;
mod each;
mod error;
mod ffi;
mod finite;
mod flops;
mod foreach;
mod generator;
mod gradients;
mod graph;
mod host_lane;
mod identity;
mod memory;
mod optimizer;
mod options;
mod precision;
mod process;
mod profile;
mod reads;
mod recompute;
mod rows;
mod switches;
mod tensor_list;
mod transfer;
mod update;

pub use device::{Accelerator, libtorch_version, load_accelerator};
pub use dist::{Pending, ProcessGroup, Reducer, ReducerOptions, Store};
pub use error::{ErrorKind, NativeError};
pub use finite::{FiniteWatch, FirstNotFinite};
pub use flops::{FlopCounter, OperatorFlops};
pub use foreach::{
    clip_grad_adaptive_, clip_grad_norm_, clip_grad_norms_, clip_grad_value_, foreach_copy_, foreach_lerp_,
    foreach_lerp_by_, grad_norm, not_finite, scale_grads_, zero_grad,
};
pub use generator::{generator_state, seed_generator, set_generator_state};
pub use gradients::{GradientSwitch, GradientsOff, backward_from, retain_grad};
pub use graph::{Graph, GraphPool, RecordingWatch, StreamGuard, mix_layout, replays};
pub use host_lane::{HostLane, PendingCopies};
pub use identity::{storage_id, tensor_id};
pub use memory::{
    MemoryMeter, MemoryUse, copy_bytes, copy_in_a_row, cuda_device_names, empty_cache, most_resident, pinned_like,
    take_memory_use,
};
pub use optimizer::{AdagradStep, AdamStep, Scaling, SgdStep, fused_adagrad, fused_adam, fused_sgd};
pub use options::{AdagradOptions, AdamOptions, SgdOptions};
pub use precision::{
    Autocast, AutocastCacheOff, MatmulPrecision, ScaleRule, amp_unscale_, amp_update_scale_, channels_last,
    set_cudnn_benchmark, set_float_precision,
};
pub use process::{BlockedSignals, is_ignored, keep_memory, let_through, set_flush_denormals};
pub use profile::{OperatorProfile, OperatorTime};
pub use reads::{DeviceReads, NoSyncGuard, host_number};
pub use recompute::{Shared, recomputed};
pub use rows::tensor_of_rows;
pub use switches::{AnomalyGuard, Determinism, GradModeGuard, determinism, set_deterministic, set_variable};
pub use tensor_list::TensorList;
pub use transfer::{CopyLane, pinned_copy};
pub use update::{Begun, NewState, StateShape, begin_update, count_update};
