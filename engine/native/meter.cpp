// What libtorch does on this thread while a meter runs: memory it takes, and reads of a device.
#include "core.hpp"

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstring>

namespace eng {
namespace {

thread_local uint64_t device_reads = 0;

// Every operator passes here. `item()`, in whatever guise, is this one.
std::unique_ptr<at::ObserverContext> count_reads(const at::RecordFunction& function) {
  if (std::strcmp(function.name(), "aten::_local_scalar_dense") == 0) ++device_reads;
  return nullptr;
}

// libtorch's allocators report to the profiler of the thread, if it has one.
struct Memory : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override {
    live += size;
    peak = std::max(peak, live);
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t live = 0;
  int64_t peak = 0;
};

}  // namespace

// Ends on the thread it began on, before those that began earlier.
class Meter {
 public:
  Meter()
      : memory_(std::make_shared<Memory>()),
        guard_(c10::DebugInfoKind::PROFILER_STATE, memory_),
        callback_(at::addThreadLocalCallback(
            at::RecordFunctionCallback(count_reads).scopes({at::RecordScope::FUNCTION}))),
        reads_before_(device_reads) {}
  ~Meter() { at::removeCallback(callback_); }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  uint64_t reads() const { return device_reads - reads_before_; }
  int64_t live() const { return memory_->live; }
  int64_t peak() const { return memory_->peak; }

 private:
  std::shared_ptr<Memory> memory_;
  c10::DebugInfoGuard guard_;
  at::CallbackHandle callback_;
  uint64_t reads_before_;
};

}  // namespace eng

ENG_API int eng_meter_new(eng::Meter** out) {
  return eng::guarded([&] { *out = new eng::Meter(); });
}

ENG_API void eng_meter_free(eng::Meter* meter) {
  delete meter;
}

ENG_API void eng_meter_read(const eng::Meter* meter, uint64_t* reads, int64_t* live, int64_t* peak) {
  *reads = meter->reads();
  *live = meter->live();
  *peak = meter->peak();
}
