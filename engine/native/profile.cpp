// libtorch's profiler: what each operator costs on the host, and each kernel on the device.
#include "core.hpp"

#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <map>

namespace eng {
namespace {

namespace profiler = torch::autograd::profiler;

torch::profiler::impl::ProfilerConfig config() {
  return torch::profiler::impl::ProfilerConfig(torch::profiler::impl::ProfilerState::KINETO);
}

std::set<torch::profiler::impl::ActivityType> activities(bool cuda) {
  std::set<torch::profiler::impl::ActivityType> wanted = {torch::profiler::impl::ActivityType::CPU};
  if (cuda) wanted.insert(torch::profiler::impl::ActivityType::CUDA);
  return wanted;
}

struct Sum {
  uint64_t count = 0;
  uint64_t total_ns = 0;
  uint64_t own_ns = 0;
};

// Operators by name. The own time of one is without that of the operators that it calls, which lie within it on the same
// thread.
std::map<std::string, Sum> operators(const std::vector<profiler::KinetoEvent>& events) {
  std::map<uint64_t, std::vector<const profiler::KinetoEvent*>> threads;
  for (const auto& event : events) {
    if (event.deviceType() == c10::DeviceType::CPU && !event.isAsync()) threads[event.startThreadId()].push_back(&event);
  }
  std::map<std::string, Sum> sums;
  for (auto& [thread, calls] : threads) {
    std::stable_sort(calls.begin(), calls.end(), [](const auto* a, const auto* b) {
      return a->startNs() != b->startNs() ? a->startNs() < b->startNs() : a->durationNs() > b->durationNs();
    });
    struct Open {
      uint64_t end;
      Sum* sum;
    };
    std::vector<Open> open;
    for (const auto* call : calls) {
      while (!open.empty() && open.back().end <= call->startNs()) open.pop_back();
      Sum& sum = sums[call->name()];
      if (!open.empty()) open.back().sum->own_ns -= std::min(open.back().sum->own_ns, call->durationNs());
      sum.count += 1;
      sum.total_ns += call->durationNs();
      sum.own_ns += call->durationNs();
      open.push_back({call->startNs() + call->durationNs(), &sum});
    }
  }
  return sums;
}

std::map<std::string, Sum> kernels(const std::vector<profiler::KinetoEvent>& events) {
  std::map<std::string, Sum> sums;
  for (const auto& event : events) {
    if (event.deviceType() == c10::DeviceType::CPU) continue;
    Sum& sum = sums[event.name()];
    sum.count += 1;
    sum.total_ns += event.durationNs();
    sum.own_ns += event.durationNs();
  }
  return sums;
}

}  // namespace
}  // namespace eng

// Begins to note what this thread, and the threads that run backward for it, compute. One profile at a time.
ENG_API int eng_profile_begin(bool cuda) {
  return eng::guarded([&] {
    eng::profiler::prepareProfiler(eng::config(), eng::activities(cuda));
    eng::profiler::enableProfiler(eng::config(), eng::activities(cuda),
                                  {at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION, at::RecordScope::USER_SCOPE});
  });
}

// Ends it, writes a trace in Chrome's format to `path` when that is not null, and calls `each` with every operator of the
// host and every kernel of the device.
ENG_API int eng_profile_end(const char* path, void* context,
                            void (*each)(void*, const char* name, bool on_device, uint64_t count, uint64_t total_ns, uint64_t own_ns)) {
  return eng::guarded([&] {
    const auto result = eng::profiler::disableProfiler();
    if (!result || !path) return;
    result->save(path);
    for (const auto& [name, sum] : eng::operators(result->events())) {
      each(context, name.c_str(), false, sum.count, sum.total_ns, sum.own_ns);
    }
    for (const auto& [name, sum] : eng::kernels(result->events())) {
      each(context, name.c_str(), true, sum.count, sum.total_ns, sum.own_ns);
    }
  });
}
