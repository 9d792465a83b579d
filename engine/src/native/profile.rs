//! libtorch's profiler: what each operator costs on the host, and each kernel on the device.

use crate::native::error::{NativeError, check};
use crate::native::ffi;
use crate::native::switches::set_variable;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::Duration;
use tch::Device;

/// What one operator, or one kernel, has cost in a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorTime {
    /// `aten::mm`, or the name of a kernel.
    pub name: String,
    /// Whether it is a kernel, a copy or a fill on the device.
    pub on_device: bool,
    /// How often it was called.
    pub count: u64,
    /// The time from its begin to its end.
    pub total: Duration,
    /// The time without that of the operators that it has called.
    pub own: Duration,
}

/// A profile that is being taken of this thread, and of those that run backward for it. It slows every operator.
#[derive(Debug)]
pub struct OperatorProfile {
    // the profiler belongs to the thread that has started it
    _not_send: std::marker::PhantomData<*const ()>,
}

impl OperatorProfile {
    /// Begins; on a CUDA device with the kernels. There can be one profile at a time.
    ///
    /// # Errors
    /// When another profile is being taken, or the device can't be profiled.
    pub fn begin(device: Device) -> Result<Self, NativeError> {
        // without a CUDA device kineto says so on stderr, at each profile
        set_variable("KINETO_LOG_LEVEL", "99");
        // SAFETY: takes a plain value.
        check(unsafe { ffi::eng_profile_begin(matches!(device, Device::Cuda(_))) })?;
        Ok(OperatorProfile { _not_send: std::marker::PhantomData })
    }

    /// Ends, and writes a trace that Chrome and Perfetto show.
    ///
    /// # Errors
    /// When the path has no text, or libtorch fails. A file that can't be written is an error of the system that libtorch
    /// prints; look whether it is there.
    pub fn end(self, trace: &Path) -> Result<Vec<OperatorTime>, NativeError> {
        std::mem::forget(self);
        let path = trace.to_str().and_then(|path| CString::new(path).ok());
        let path = path.ok_or_else(|| NativeError::argument(format!("`{}` is no path for a trace", trace.display())));
        let path = match path {
            Ok(path) => path,
            Err(error) => {
                stop();
                return Err(error);
            }
        };
        let mut found: Vec<OperatorTime> = Vec::new();
        // SAFETY: the path lives through the call; the context is the list, which `add` alone uses during the call.
        check(unsafe { ffi::eng_profile_end(path.as_ptr(), (&raw mut found).cast(), Some(add)) })?;
        found.sort_by(|a, b| b.own.cmp(&a.own).then_with(|| a.name.cmp(&b.name)));
        Ok(found)
    }
}

impl Drop for OperatorProfile {
    fn drop(&mut self) {
        stop();
    }
}

fn stop() {
    // SAFETY: without a path nothing is written and nothing is called.
    let _ = unsafe { ffi::eng_profile_end(null(), null_mut(), None) };
}

unsafe extern "C" fn add(
    context: *mut c_void,
    name: *const c_char,
    on_device: bool,
    count: u64,
    total_ns: u64,
    own_ns: u64,
) {
    // SAFETY: `end` gives its list, and the shim a text that lives through the call.
    let (found, name) = unsafe { (&mut *context.cast::<Vec<OperatorTime>>(), CStr::from_ptr(name)) };
    let name = name.to_string_lossy().into_owned();
    let (total, own) = (Duration::from_nanos(total_ns), Duration::from_nanos(own_ns));
    found.push(OperatorTime { name, on_device, count, total, own });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, Tensor};

    #[test]
    fn a_profile_counts_operators_and_writes_a_trace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace.json");
        let x = Tensor::ones([64, 64], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let profile = OperatorProfile::begin(Device::Cpu).unwrap();
        for _ in 0..3 {
            x.matmul(&x).sum(Kind::Float).backward();
        }
        let found = profile.end(&path).unwrap();
        let of = |name: &str| found.iter().find(|operator| operator.name == name).unwrap();
        // one forward, two backward
        assert_eq!((of("aten::mm").count, of("aten::matmul").count), (9, 3));
        assert!(of("aten::matmul").own < of("aten::matmul").total);
        assert!(found.iter().all(|operator| operator.own <= operator.total && !operator.on_device));
        let trace: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(trace["traceEvents"].as_array().unwrap().iter().any(|event| event["name"] == "aten::mm"));
        // one that is given up leaves the profiler free
        drop(OperatorProfile::begin(Device::Cpu).unwrap());
        drop(OperatorProfile::begin(Device::Cpu).unwrap());
    }
}
