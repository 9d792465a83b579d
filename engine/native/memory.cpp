// The memory that libtorch takes on this thread while a meter runs, and host memory that a device writes to.
#include "core.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>

namespace eng {
namespace {

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

// Ends on the thread it began on, before those that began earlier.
class MemoryMeter {
 public:
  MemoryMeter()
      : memory_(std::make_shared<Memory>()), guard_(c10::DebugInfoKind::PROFILER_STATE, memory_) {}
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;

  const Memory& memory() const { return *memory_; }

 private:
  std::shared_ptr<Memory> memory_;
  c10::DebugInfoGuard guard_;
};

}  // namespace
}  // namespace eng

ENG_API int eng_memory_meter_new(eng::MemoryMeter** out) {
  return eng::guarded([&] { *out = new eng::MemoryMeter(); });
}

// Gives the memory that an allocator holds for later back to its device.
ENG_API int eng_empty_cache(int device_type) {
  return eng::guarded([&] {
    c10::getDeviceAllocator(static_cast<c10::DeviceType>(device_type))->emptyCache();
  });
}

// Bytes of a device: those of tensors now, the most at one time since the last call, and all that the allocator holds.
ENG_API int eng_take_memory_use(int device_type, int index, int64_t* live, int64_t* peak, int64_t* reserved) {
  return eng::guarded([&] {
    c10::DeviceAllocator* allocator = c10::getDeviceAllocator(static_cast<c10::DeviceType>(device_type));
    const auto device = static_cast<c10::DeviceIndex>(index);
    const auto stats = allocator->getDeviceStats(device);
    constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    *live = stats.allocated_bytes[kAll].current;
    *peak = stats.allocated_bytes[kAll].peak;
    *reserved = stats.reserved_bytes[kAll].current;
    allocator->resetPeakStats(device);
  });
}

ENG_API void eng_memory_meter_free(eng::MemoryMeter* meter) {
  delete meter;
}

ENG_API void eng_memory_meter_read(const eng::MemoryMeter* meter, int64_t* live, int64_t* peak) {
  *live = meter->memory().live;
  *peak = meter->memory().peak;
}

// Host memory for a copy of a tensor, without gaps and pinned: a CUDA device writes there directly.
ENG_API int eng_pinned_like(const at::Tensor* tensor, at::Tensor** out) {
  return eng::guarded([&] {
    *out = eng::give(at::empty(tensor->sizes(), at::TensorOptions().dtype(tensor->scalar_type()).device(at::kCPU).pinned_memory(true)));
  });
}
