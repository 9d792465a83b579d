// What makes the host wait for a device: reads of values, counted, and libtorch's own watch over CUDA.
#include "core.hpp"

#include <ATen/record_function.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <atomic>
#include <mutex>
#include <string>
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

// What is found while this process watches a step: the first thing that a recorded step could not do.
struct Watch {
  std::mutex mutex;
  bool on = false;
  std::string running;
  std::string found;

  void note(const char* what, const std::string& where) {
    if (found.empty()) found = std::string(what) + (where.empty() ? "" : " (`" + where + "`)");
  }
};
Watch watch;

// A copy from the host: its source is memory that the next step may have freed.
bool is_upload(const at::RecordFunction& call) {
  if (std::string_view(call.name()) != "aten::copy_") return false;
  const auto inputs = call.inputs();
  return inputs.size() >= 2 && on_device(inputs[0]) && inputs[1].isTensor() && inputs[1].toTensor().device().is_cpu();
}

std::unique_ptr<at::ObserverContext> look(const at::RecordFunction& call) {
  std::lock_guard<std::mutex> lock(watch.mutex);
  if (!watch.on) return nullptr;
  watch.running = call.name();
  if (is_read(call)) watch.note("it reads a value from the device", watch.running);
  if (is_upload(call)) watch.note("it copies a tensor from the host to the device", watch.running);
  return nullptr;
}

// libtorch warns of each wait for the device while its mode says so.
class Warned : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    if (warning.msg().find("synchronizing CUDA operation") == std::string::npos) {
      c10::WarningHandler::process(warning);
      return;
    }
    std::lock_guard<std::mutex> lock(watch.mutex);
    watch.note("it waits for the device", watch.running);
  }
};
Warned warned;
c10::WarningHandler* handler_before = nullptr;
at::CallbackHandle looking = 0;
int mode_before = -1;

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

// Watches this thread, and the threads that run backward for it, until `eng_watch_end`. One watch at a time.
ENG_API int eng_watch_begin() {
  return eng::guarded([&] {
    {
      std::lock_guard<std::mutex> lock(eng::watch.mutex);
      eng::watch.on = true;
      eng::watch.running.clear();
      eng::watch.found.clear();
    }
    eng::looking = at::addThreadLocalCallback(at::RecordFunctionCallback(eng::look).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
    eng::handler_before = c10::WarningUtils::get_warning_handler();
    c10::WarningUtils::set_warning_handler(&eng::warned);
    if (int* mode = eng::sync_debug_mode()) {
      eng::mode_before = *mode;
      *mode = 1;
    }
  });
}

// The first thing that was found, in a text that holds until the next watch; null when there is none.
ENG_API const char* eng_watch_end() {
  if (int* mode = eng::sync_debug_mode()) *mode = eng::mode_before;
  c10::WarningUtils::set_warning_handler(eng::handler_before);
  eng::guarded([] { at::removeCallback(eng::looking); });
  std::lock_guard<std::mutex> lock(eng::watch.mutex);
  eng::watch.on = false;
  return eng::watch.found.empty() ? nullptr : eng::watch.found.c_str();
}
