// What makes the host wait for a device: reads of values, counted, and libtorch's own watch over CUDA.
#include "core.hpp"

#include <ATen/record_function.h>
#include <dlfcn.h>

#include <atomic>
#include <mutex>
#include <string_view>

namespace eng {
namespace {

std::atomic<uint64_t> reads{0};

bool on_device(const at::IValue& value) {
  return value.isTensor() && value.toTensor().defined() && !value.toTensor().device().is_cpu();
}

// One number read (`item`, a comparison in an `if`), or a copy from a device to the host. On the CPU nothing has to
// be waited for; reads of numbers are counted there too, so that a test without a device sees what one would cost.
bool is_read(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  if (name == "aten::_local_scalar_dense") return true;
  if (name != "aten::copy_") return false;
  const auto inputs = call.inputs();
  return inputs.size() >= 2 && inputs[0].isTensor() && inputs[0].toTensor().device().is_cpu() && on_device(inputs[1]);
}

std::unique_ptr<at::ObserverContext> observe(const at::RecordFunction& call) {
  if (is_read(call)) reads.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

std::mutex mutex;
uint64_t counters = 0;
at::CallbackHandle handle = 0;

// Where libtorch keeps the mode: the local of an inline function (c10/cuda/CUDAFunctions.h), of which a process has
// one (STB_GNU_UNIQUE). Found by its name, so that neither CUDA's headers nor its libraries are needed to build.
int* sync_debug_mode() {
  return static_cast<int*>(dlsym(RTLD_DEFAULT, "_ZZN3c104cuda13warning_stateEvE14warning_state_"));
}

}  // namespace
}  // namespace eng

// Begins to count, or goes on where another one counts already. Each begin needs an end.
ENG_API int eng_reads_begin() {
  return eng::guarded([&] {
    std::lock_guard<std::mutex> lock(eng::mutex);
    if (eng::counters == 0) {
      eng::handle = at::addGlobalCallback(at::RecordFunctionCallback(eng::observe).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
    }
    ++eng::counters;
  });
}

ENG_API int eng_reads_end() {
  return eng::guarded([&] {
    std::lock_guard<std::mutex> lock(eng::mutex);
    if (eng::counters > 0 && --eng::counters == 0) at::removeCallback(eng::handle);
  });
}

// The reads of the whole process while any counter lives.
ENG_API uint64_t eng_reads() { return eng::reads.load(std::memory_order_relaxed); }

// The number of a tensor of one element that lies on the CPU, straight from its memory; false for all others.
ENG_API bool eng_host_number(const at::Tensor* tensor, double* out) {
  if (!tensor->is_cpu() || tensor->layout() != at::kStrided || tensor->numel() != 1 || tensor->is_conj() ||
      tensor->is_neg() || tensor->_is_zerotensor()) {
    return false;
  }
  switch (tensor->scalar_type()) {
    case at::kDouble: *out = *tensor->const_data_ptr<double>(); return true;
    case at::kFloat: *out = *tensor->const_data_ptr<float>(); return true;
    case at::kHalf: *out = static_cast<float>(*tensor->const_data_ptr<at::Half>()); return true;
    case at::kBFloat16: *out = static_cast<float>(*tensor->const_data_ptr<at::BFloat16>()); return true;
    case at::kLong: *out = static_cast<double>(*tensor->const_data_ptr<int64_t>()); return true;
    case at::kInt: *out = *tensor->const_data_ptr<int32_t>(); return true;
    case at::kBool: *out = *tensor->const_data_ptr<bool>() ? 1.0 : 0.0; return true;
    default: return false;
  }
}

// Sets the mode (0 off, 1 warn, 2 error) and gives the one before; -1 when CUDA's part of libtorch is not loaded.
ENG_API int eng_set_sync_debug(int mode) {
  int* held = eng::sync_debug_mode();
  if (!held) return -1;
  const int before = *held;
  *held = mode;
  return before;
}
