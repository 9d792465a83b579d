// CUDA graphs: the kernels of a step are recorded once, and launched together from then on.
//
// libtorch's class for them is in libtorch_cuda.so, which a program loads by name (device.cpp). Its functions are found
// by their names too, so that neither CUDA's headers nor its libraries are needed to build.
#include "core.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

namespace eng {
namespace {

using Pool = c10::MempoolId_t;

// cudaStreamCaptureModeThreadLocal: other threads may go on using the device, for example the loader's.
constexpr int kThreadLocal = 1;

// at::cuda::CUDAGraph of libtorch 2.11 (ATen/cuda/CUDAGraph.h).
struct GraphClass {
  void (*construct)(void*, bool keep_graph);
  void (*destroy)(void*);
  void (*begin)(void*, Pool, int mode);
  void (*end)(void*);
  void (*replay)(void*);
  Pool (*new_pool)();

  GraphClass() {
    find(construct, "_ZN2at4cuda9CUDAGraphC1Eb");
    find(destroy, "_ZN2at4cuda9CUDAGraphD1Ev");
    find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
    find(replay, "_ZN2at4cuda9CUDAGraph6replayEv");
    find(new_pool, "_ZN2at4cuda17graph_pool_handleEv");
  }

  bool complete() const { return construct && destroy && begin && end && replay && new_pool; }

 private:
  template <class Function>
  static void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  }
};

const GraphClass& graph_class() {
  static const GraphClass found;
  if (!found.complete()) throw SystemError("this libtorch has no CUDA graphs");
  return found;
}

c10::impl::VirtualGuardImpl device_guard(c10::Device device) { return c10::impl::VirtualGuardImpl(device.type()); }

// One graph, or one that is being recorded.
class Graph {
 public:
  Graph() : methods_(graph_class()) { methods_.construct(room_, false); }
  ~Graph() { methods_.destroy(room_); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void begin(Pool pool) { methods_.begin(room_, pool, kThreadLocal); }
  void end() { methods_.end(room_); }
  void replay() { methods_.replay(room_); }

 private:
  const GraphClass& methods_;
  // the object takes 104 bytes in libtorch 2.11
  alignas(16) unsigned char room_[512] = {};
};

}  // namespace
}  // namespace eng

ENG_API bool eng_graphs_exist() {
  return eng::guarded([] { eng::graph_class(); }) == eng::kOk;
}

// Memory that several graphs share, which are replayed one after the other.
ENG_API int eng_graph_pool(uint64_t* first, uint64_t* second) {
  return eng::guarded([&] {
    const eng::Pool pool = eng::graph_class().new_pool();
    *first = pool.first;
    *second = pool.second;
  });
}

namespace eng {
namespace {

// After a recording that has failed, libtorch leaves the device's generator in the state of a recording, in which it refuses
// to draw; one that succeeds, in a pool of its own, brings it out.
void release_generator(c10::Device device) {
  guarded([&] {
    at::NoGradGuard no_grad;
    at::Tensor number = at::zeros({1}, at::TensorOptions().device(device));
    Graph small;
    small.begin({0, 0});
    number.zero_();
    small.end();
  });
}

c10::Device device_of(int device_type, int index) {
  return {static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(index)};
}

}  // namespace
}  // namespace eng

// Begins to record what this thread computes on its stream, which must not be the default one. Nothing is computed until
// the graph is replayed. What waits for the device before it is done first, and freed memory is given back.
ENG_API int eng_graph_begin(int device_type, int index, uint64_t pool_first, uint64_t pool_second, eng::Graph** out) {
  return eng::guarded([&] {
    const c10::Device device = eng::device_of(device_type, index);
    const auto guard = eng::device_guard(device);
    guard.synchronizeStream(guard.getStream(device));
    c10::getDeviceAllocator(device.type())->emptyCache();
    auto graph = std::make_unique<eng::Graph>();
    try {
      graph->begin({pool_first, pool_second});
    } catch (...) {
      eng::release_generator(device);
      throw;
    }
    *out = graph.release();
  });
}

ENG_API int eng_graph_end(eng::Graph* graph) {
  return eng::guarded([&] { graph->end(); });
}

// Ends a recording that has failed.
ENG_API void eng_graph_abandon(eng::Graph* graph, int device_type, int index) {
  eng::guarded([&] { graph->end(); });
  eng::guarded([&] { delete graph; });
  eng::release_generator(eng::device_of(device_type, index));
}

ENG_API int eng_graph_replay(eng::Graph* graph) {
  return eng::guarded([&] { graph->replay(); });
}

ENG_API void eng_graph_free(eng::Graph* graph) {
  eng::guarded([&] { delete graph; });
}

// This thread works on another stream of the device from now on; what it has queued before is done first.
ENG_API int eng_stream_enter(int device_type, int index, int64_t* before) {
  return eng::guarded([&] {
    const c10::Device device = eng::device_of(device_type, index);
    const auto guard = eng::device_guard(device);
    guard.synchronizeStream(guard.getStream(device));
    *before = guard.exchangeStream(guard.getStreamFromGlobalPool(device)).id();
  });
}

ENG_API int eng_stream_leave(int device_type, int index, int64_t before) {
  return eng::guarded([&] {
    const c10::Device device = eng::device_of(device_type, index);
    const auto guard = eng::device_guard(device);
    const c10::Stream stream = guard.exchangeStream(c10::Stream(c10::Stream::UNSAFE, device, before));
    guard.synchronizeStream(stream);
  });
}

namespace eng {
namespace {

// FNV-1a, over whole words.
void mix(uint64_t& hash, uint64_t word) { hash = (hash ^ word) * 0x100000001b3; }

void mix_layout(uint64_t& hash, const at::Tensor& tensor) {
  mix(hash, static_cast<uint64_t>(tensor.scalar_type()) + 1);
  mix(hash, static_cast<uint64_t>(tensor.dim()));
  for (const int64_t size : tensor.sizes()) mix(hash, static_cast<uint64_t>(size));
}

}  // namespace
}  // namespace eng

// A number for the kind and the shape of a tensor, mixed into `hash`.
ENG_API uint64_t eng_mix_layout(uint64_t hash, const at::Tensor* tensor) {
  eng::mix_layout(hash, *tensor);
  return hash;
}

// A number that changes when a tensor of the list is moved to other memory, or its gradient is switched on or off.
ENG_API uint64_t eng_list_mark(const eng::List* list) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const at::Tensor& tensor : list->tensors) {
    if (!tensor.defined()) continue;
    eng::mix(hash, reinterpret_cast<uint64_t>(tensor.const_data_ptr()));
    eng::mix(hash, tensor.requires_grad() ? 1 : 2);
  }
  return hash;
}

// The gradients of now, undefined where there is none.
ENG_API int eng_gradients(const eng::List* parameters, eng::List* gradients) {
  return eng::guarded([&] {
    gradients->tensors.resize(parameters->size());
    for (size_t i = 0; i < parameters->size(); ++i) gradients->tensors[i] = parameters->tensors[i].grad();
  });
}

// Puts gradients in the place of those of now.
ENG_API int eng_set_gradients(const eng::List* parameters, const eng::List* gradients) {
  return eng::guarded([&] {
    if (gradients->size() != parameters->size()) throw eng::ArgumentError("as many gradients as parameters are needed");
    for (size_t i = 0; i < parameters->size(); ++i) parameters->tensors[i].mutable_grad() = gradients->tensors[i];
  });
}
