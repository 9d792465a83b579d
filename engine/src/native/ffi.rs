//! The shim's entries as declared in `engine/native/*.cpp`.
//!
//! Status codes are read by `check` of `error.rs`. Tensors are borrowed for the call; `out` tensors
//! are owned by the caller.

use crate::native::options::{AdagradOptions, AdamOptions, SgdOptions};
use std::ffi::{c_char, c_int, c_void};
use torch_sys::C_tensor;

/// `eng::List`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawList {
    _private: [u8; 0],
}

/// `eng::MemoryMeter`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawMeter {
    _private: [u8; 0],
}

/// `eng::CopyLane`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawCopyLane {
    _private: [u8; 0],
}

/// `eng::HostLane`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawHostLane {
    _private: [u8; 0],
}

/// `eng::Graph`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawGraph {
    _private: [u8; 0],
}

/// `eng::Store`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawStore {
    _private: [u8; 0],
}

/// `eng::Group`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawGroup {
    _private: [u8; 0],
}

/// `eng::Work`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawWork {
    _private: [u8; 0],
}

/// `eng::Exchange`, only ever behind a pointer.
#[repr(C)]
pub(super) struct RawReducer {
    _private: [u8; 0],
}

/// `EngSlot`.
#[repr(C)]
pub(super) struct RawSlot {
    pub(super) shape: c_int,
    pub(super) initial: f64,
}

/// `EngReducerOptions`.
#[repr(C)]
pub(super) struct RawReducerOptions {
    pub(super) bucket_bytes: i64,
    pub(super) find_unused: bool,
    pub(super) compress: c_int,
    pub(super) note: i64,
}

/// `EngBlock`: a block of Rust's, behind pointers.
#[repr(C)]
pub(super) struct RawBlock {
    pub(super) data: *mut c_void,
    pub(super) call: unsafe extern "C" fn(
        data: *mut c_void,
        inputs: *const *mut C_tensor,
        count: usize,
        out: *mut *mut C_tensor,
    ) -> *const c_char,
    pub(super) free: unsafe extern "C" fn(data: *mut c_void),
}

/// Called with an operator of a profile: context, name, whether it is on the device, count, total and own nanoseconds.
pub(super) type EachOperator = unsafe extern "C" fn(*mut c_void, *const c_char, bool, u64, u64, u64);

unsafe extern "C" {
    pub(super) fn eng_recompute(
        block: RawBlock,
        inputs: *const *const C_tensor,
        count: usize,
        out: *mut *mut C_tensor,
    ) -> c_int;

    pub(super) fn eng_error_text() -> *const c_char;
    pub(super) fn eng_error_item() -> i64;

    pub(super) fn eng_list_new(tensors: *const *const C_tensor, count: usize, out: *mut *mut RawList) -> c_int;
    pub(super) fn eng_list_free(list: *mut RawList);
    pub(super) fn eng_list_len(list: *const RawList) -> usize;
    pub(super) fn eng_list_get(list: *const RawList, index: usize, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_list_set(list: *mut RawList, index: usize, tensor: *const C_tensor) -> c_int;

    pub(super) fn eng_grad_norm(lists: *const *const RawList, count: usize, norm: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_clip_grad_norm(
        lists: *const *const RawList,
        count: usize,
        max_norm: f64,
        p: f64,
        norm: *mut *mut C_tensor,
    ) -> c_int;
    pub(super) fn eng_clip_grad_norms(
        parameters: *const RawList,
        max_norm: f64,
        p: f64,
        norm: *mut *mut C_tensor,
    ) -> c_int;
    pub(super) fn eng_clip_grad_adaptive(parameters: *const RawList, factor: f64, eps: f64) -> c_int;
    pub(super) fn eng_clip_grad_value(lists: *const *const RawList, count: usize, max: f64) -> c_int;
    pub(super) fn eng_scale_grads(parameters: *const RawList, factor: f64) -> c_int;
    pub(super) fn eng_zero_grad(parameters: *const RawList) -> c_int;
    pub(super) fn eng_foreach_lerp(into: *mut RawList, towards: *const RawList, weight: f64) -> c_int;
    pub(super) fn eng_foreach_lerp_by(into: *mut RawList, towards: *const RawList, weight: *const C_tensor) -> c_int;
    pub(super) fn eng_not_finite(number: *const C_tensor, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_foreach_copy(into: *mut RawList, from: *const RawList) -> c_int;

    pub(super) fn eng_fused_adam(
        parameters: *const RawList,
        exp_avgs: *mut RawList,
        exp_avg_sqs: *mut RawList,
        max_exp_avg_sqs: *mut RawList,
        steps: *mut RawList,
        options: *const AdamOptions,
        grad_scale: *const C_tensor,
        found_inf: *const C_tensor,
        rate: *const C_tensor,
    ) -> c_int;
    pub(super) fn eng_fused_sgd(
        parameters: *const RawList,
        momentum_buffers: *mut RawList,
        options: *const SgdOptions,
        grad_scale: *const C_tensor,
        found_inf: *const C_tensor,
        rate: *const C_tensor,
    ) -> c_int;

    pub(super) fn eng_fused_adagrad(
        parameters: *const RawList,
        sums: *mut RawList,
        steps: *mut RawList,
        options: *const AdagradOptions,
        grad_scale: *const C_tensor,
        found_inf: *const C_tensor,
    ) -> c_int;

    pub(super) fn eng_each_scalar(operation: c_int, list: *mut RawList, value: f64) -> c_int;
    pub(super) fn eng_each_function(operation: c_int, list: *const RawList, out: *mut *mut RawList) -> c_int;
    pub(super) fn eng_each_clone(list: *const RawList, out: *mut *mut RawList) -> c_int;
    pub(super) fn eng_each_restore(list: *mut RawList, kept: *const RawList, flag: *const C_tensor) -> c_int;
    pub(super) fn eng_each_with(operation: c_int, into: *mut RawList, other: *const RawList, value: f64) -> c_int;
    pub(super) fn eng_each_sum(
        first: *const RawList,
        second: *const RawList,
        value: f64,
        out: *mut *mut RawList,
    ) -> c_int;
    pub(super) fn eng_each_product(
        quotient: bool,
        into: *mut RawList,
        first: *const RawList,
        second: *const RawList,
        value: f64,
    ) -> c_int;
    pub(super) fn eng_each_product_by(
        quotient: bool,
        into: *mut RawList,
        first: *const RawList,
        second: *const RawList,
        numbers: *const C_tensor,
    ) -> c_int;
    pub(super) fn eng_each_by(multiply: bool, list: *mut RawList, numbers: *const C_tensor) -> c_int;
    pub(super) fn eng_each_norm(list: *const RawList, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_each_number(list: *const RawList, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_each_set_number(list: *mut RawList, numbers: *const C_tensor) -> c_int;
    pub(super) fn eng_each_orthogonal(
        list: *const RawList,
        a: f64,
        b: f64,
        c: f64,
        iterations: i64,
        eps: f64,
        out: *mut *mut RawList,
    ) -> c_int;
    pub(super) fn eng_update_begin(
        parameters: *const RawList,
        state: *const *mut RawList,
        slots: *const RawSlot,
        count: usize,
        grad_scale: *const C_tensor,
        found_inf: *const C_tensor,
        taken: *mut *mut RawList,
        happens: *mut bool,
    ) -> c_int;
    pub(super) fn eng_update_count(counts: *mut RawList) -> c_int;

    pub(super) fn eng_generator_state(device_type: c_int, index: c_int, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_set_generator_state(device_type: c_int, index: c_int, state: *const C_tensor) -> c_int;
    pub(super) fn eng_seed_generator(device_type: c_int, index: c_int, seed: u64) -> c_int;

    pub(super) fn eng_tensor_id(tensor: *const C_tensor) -> usize;
    pub(super) fn eng_storage_id(tensor: *const C_tensor) -> usize;
    pub(super) fn eng_backward_from(
        tensors: *const *const C_tensor,
        gradients: *const *const C_tensor,
        count: usize,
    ) -> c_int;
    pub(super) fn eng_requires_grad_off(list: *const RawList, switched: *mut bool) -> c_int;
    pub(super) fn eng_requires_grad_on(list: *const RawList, switched: *const bool) -> c_int;

    pub(super) fn eng_grad_enabled() -> bool;
    pub(super) fn eng_set_grad_enabled(enabled: bool);
    pub(super) fn eng_retain_grad(tensor: *const C_tensor) -> c_int;
    pub(super) fn eng_anomaly(enabled: *mut bool, check_nan: *mut bool);
    pub(super) fn eng_set_anomaly(enabled: bool, check_nan: bool);
    pub(super) fn eng_deterministic(enabled: *mut bool, warn_only: *mut bool);
    pub(super) fn eng_set_deterministic(enabled: bool, warn_only: bool) -> c_int;

    pub(super) fn eng_memory_meter_new(out: *mut *mut RawMeter) -> c_int;
    pub(super) fn eng_memory_meter_free(meter: *mut RawMeter);
    pub(super) fn eng_memory_meter_read(meter: *const RawMeter, live: *mut i64, peak: *mut i64);

    pub(super) fn eng_pinned_like(tensor: *const C_tensor, out: *mut *mut C_tensor) -> c_int;

    pub(super) fn eng_pinned_copy(tensor: *const C_tensor, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_host_lane_new(device_type: c_int, index: c_int, out: *mut *mut RawHostLane) -> c_int;
    pub(super) fn eng_host_lane_free(lane: *mut RawHostLane);
    pub(super) fn eng_host_lane_begin(lane: *mut RawHostLane) -> c_int;
    pub(super) fn eng_host_lane_copy(lane: *mut RawHostLane, into: *mut C_tensor, from: *const C_tensor) -> c_int;
    pub(super) fn eng_host_lane_mark(lane: *mut RawHostLane) -> c_int;
    pub(super) fn eng_host_lane_hold(lane: *const RawHostLane) -> c_int;
    pub(super) fn eng_host_lane_wait(lane: *const RawHostLane) -> c_int;
    pub(super) fn eng_copy_lane_new(device_type: c_int, index: c_int, out: *mut *mut RawCopyLane) -> c_int;
    pub(super) fn eng_copy_lane_free(lane: *mut RawCopyLane);
    pub(super) fn eng_copy_lane_copy(lane: *mut RawCopyLane, tensor: *const C_tensor, out: *mut *mut C_tensor)
    -> c_int;
    pub(super) fn eng_copy_lane_mark(lane: *mut RawCopyLane) -> c_int;
    pub(super) fn eng_copy_lane_wait(lane: *mut RawCopyLane) -> c_int;
    pub(super) fn eng_copy_lane_keep(lane: *mut RawCopyLane, copy: *const C_tensor) -> c_int;

    pub(super) fn eng_reads_begin() -> c_int;
    pub(super) fn eng_reads_end() -> c_int;
    pub(super) fn eng_reads() -> u64;
    pub(super) fn eng_host_number(tensor: *const C_tensor, out: *mut f64) -> bool;
    pub(super) fn eng_set_sync_debug(mode: c_int) -> c_int;

    pub(super) fn eng_finite_begin() -> c_int;
    pub(super) fn eng_finite_found(nan: *mut *const c_char, infinite: *mut *const c_char);
    pub(super) fn eng_finite_end();
    pub(super) fn eng_flops_begin() -> c_int;
    pub(super) fn eng_flops_take(
        data: *mut c_void,
        each: unsafe extern "C" fn(*mut c_void, *const c_char, usize, usize, u64),
    ) -> c_int;
    pub(super) fn eng_flops_end();
    pub(super) fn eng_watch_begin() -> c_int;
    pub(super) fn eng_watch_end() -> *const c_char;

    pub(super) fn eng_empty_cache(device_type: c_int) -> c_int;
    pub(super) fn eng_take_memory_use(
        device_type: c_int,
        index: c_int,
        live: *mut i64,
        peak: *mut i64,
        reserved: *mut i64,
    ) -> c_int;

    pub(super) fn eng_graphs_exist() -> bool;
    pub(super) fn eng_graph_pool(first: *mut u64, second: *mut u64) -> c_int;
    pub(super) fn eng_graph_begin(
        device_type: c_int,
        index: c_int,
        pool_first: u64,
        pool_second: u64,
        out: *mut *mut RawGraph,
    ) -> c_int;
    pub(super) fn eng_graph_end(graph: *mut RawGraph) -> c_int;
    pub(super) fn eng_graph_abandon(graph: *mut RawGraph, device_type: c_int, index: c_int);
    pub(super) fn eng_graph_replay(graph: *mut RawGraph) -> c_int;
    pub(super) fn eng_graph_free(graph: *mut RawGraph);
    pub(super) fn eng_stream_enter(device_type: c_int, index: c_int, before: *mut i64) -> c_int;
    pub(super) fn eng_stream_leave(device_type: c_int, index: c_int, before: i64) -> c_int;
    pub(super) fn eng_mix_layout(hash: u64, tensor: *const C_tensor) -> u64;
    pub(super) fn eng_list_mark(list: *const RawList) -> u64;
    pub(super) fn eng_gradients(parameters: *const RawList, gradients: *mut RawList) -> c_int;
    pub(super) fn eng_set_gradients(parameters: *const RawList, gradients: *const RawList) -> c_int;

    pub(super) fn eng_autocast_enter(
        device_type: c_int,
        enabled: bool,
        dtype: c_int,
        enabled_before: *mut bool,
        dtype_before: *mut c_int,
    ) -> c_int;
    pub(super) fn eng_autocast_leave(device_type: c_int, enabled: bool, dtype: c_int);
    pub(super) fn eng_set_autocast_cache(enabled: bool) -> bool;
    pub(super) fn eng_amp_unscale(
        lists: *const *const RawList,
        count: usize,
        found_inf: *mut C_tensor,
        inv_scale: *const C_tensor,
    ) -> c_int;
    pub(super) fn eng_amp_update_scale(
        scale: *mut C_tensor,
        tracker: *mut C_tensor,
        found_inf: *const C_tensor,
        growth: f64,
        backoff: f64,
        interval: i64,
    ) -> c_int;
    pub(super) fn eng_channels_last(tensor: *const C_tensor, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_set_float_precision(matmul: c_int, cudnn_tf32: bool) -> c_int;
    pub(super) fn eng_set_cudnn_benchmark(benchmark: bool) -> c_int;

    pub(super) fn eng_set_flush_denormals(flush: bool) -> bool;
    pub(super) fn eng_keep_memory();
    pub(super) fn eng_set_blocked(signal: c_int, blocked: bool) -> bool;
    pub(super) fn eng_is_ignored(signal: c_int) -> bool;

    pub(super) fn eng_profile_begin(cuda: bool) -> c_int;
    pub(super) fn eng_profile_end(path: *const c_char, context: *mut c_void, each: Option<EachOperator>) -> c_int;

    pub(super) fn eng_libtorch_version() -> *const c_char;
    pub(super) fn eng_load_accelerator(loaded: *mut bool) -> c_int;

    pub(super) fn eng_store_serve(listener: c_int, port: u16, timeout: i64, out: *mut *mut RawStore) -> c_int;
    pub(super) fn eng_store_connect(host: *const c_char, port: u16, timeout: i64, out: *mut *mut RawStore) -> c_int;
    pub(super) fn eng_store_prefixed(store: *const RawStore, prefix: *const c_char, out: *mut *mut RawStore) -> c_int;
    pub(super) fn eng_store_free(store: *mut RawStore);
    pub(super) fn eng_store_set(store: *mut RawStore, key: *const c_char, value: *const u8, length: usize) -> c_int;
    pub(super) fn eng_store_set_first(
        store: *mut RawStore,
        key: *const c_char,
        value: *const u8,
        length: usize,
    ) -> c_int;
    pub(super) fn eng_store_get(
        store: *mut RawStore,
        key: *const c_char,
        found: *mut bool,
        buffer: *mut u8,
        capacity: usize,
        length: *mut usize,
    ) -> c_int;
    pub(super) fn eng_store_add(store: *mut RawStore, key: *const c_char, number: i64, sum: *mut i64) -> c_int;

    pub(super) fn eng_group_gloo(
        store: *const RawStore,
        name: *const c_char,
        rank: c_int,
        size: c_int,
        timeout: i64,
        host: *const c_char,
        out: *mut *mut RawGroup,
    ) -> c_int;
    pub(super) fn eng_group_free(group: *mut RawGroup);
    pub(super) fn eng_group_all_gather(
        group: *const RawGroup,
        tensor: *const C_tensor,
        out: *const C_tensor,
        later: *mut *mut RawWork,
    ) -> c_int;
    pub(super) fn eng_group_all_reduce(
        group: *const RawGroup,
        tensor: *mut C_tensor,
        largest: bool,
        later: *mut *mut RawWork,
    ) -> c_int;
    pub(super) fn eng_list_version(list: *const RawList) -> u64;
    pub(super) fn eng_group_sum(group: *const RawGroup, tensor: *const C_tensor, out: *mut *mut C_tensor) -> c_int;
    pub(super) fn eng_group_gather(group: *const RawGroup, tensor: *const C_tensor, out: *const C_tensor) -> c_int;
    pub(super) fn eng_group_broadcast(group: *const RawGroup, tensors: *const RawList, from: c_int) -> c_int;
    pub(super) fn eng_work_wait(work: *mut RawWork) -> c_int;
    pub(super) fn eng_work_free(work: *mut RawWork);

    pub(super) fn eng_reducer_new(
        group: *const RawGroup,
        parameters: *const RawList,
        names: *const *const c_char,
        options: *const RawReducerOptions,
        out: *mut *mut RawReducer,
    ) -> c_int;
    pub(super) fn eng_reducer_free(reducer: *mut RawReducer) -> c_int;
    pub(super) fn eng_reducer_before_forward(reducer: *mut RawReducer, last: bool) -> c_int;
    pub(super) fn eng_reducer_before_backward(reducer: *mut RawReducer, loss: *const C_tensor) -> c_int;
    pub(super) fn eng_reducer_tell(reducer: *mut RawReducer, numbers: *const f64) -> c_int;
    pub(super) fn eng_reducer_told(reducer: *const RawReducer, means: *mut f64) -> c_int;
    pub(super) fn eng_reducer_zeros(reducer: *mut RawReducer) -> c_int;
    pub(super) fn eng_reducer_left_out(reducer: *const RawReducer, left_out: *mut bool) -> c_int;
    pub(super) fn eng_reducer_is_unfinished(reducer: *const RawReducer) -> bool;
    pub(super) fn eng_reducer_waited(reducer: *const RawReducer) -> i64;
    pub(super) fn eng_reducer_fits(reducer: *const RawReducer, lists: *const *const RawList, count: usize) -> bool;
}
