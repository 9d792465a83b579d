// Stores and process groups: libtorch's own (c10d), which Python's `torch.distributed` is made of.
//
// The wheel of libtorch has no headers of Gloo. `gloo_declared` declares what c10d's header of its Gloo backend mentions;
// the classes themselves are in libtorch_cpu.so.
#include "dist.hpp"

#include <ATen/MemoryOverlap.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Logging.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace eng {

struct Store {
  c10::intrusive_ptr<c10d::Store> store;
};

struct Work {
  c10::intrusive_ptr<c10d::Work> work;
  // what the collective reads and writes, for as long as it runs
  std::vector<at::Tensor> tensors;
};

namespace {

using Milliseconds = std::chrono::milliseconds;

c10::intrusive_ptr<c10d::Store> prefixed(const std::string& prefix, const c10::intrusive_ptr<c10d::Store>& store) {
  return c10::make_intrusive<c10d::PrefixStore>(prefix, store);
}

// c10d prints a warning with C++ frames for each connection that ends. What has failed comes as an error too, and is told
// in other words; who wants the warnings sets libtorch's own variable.
void be_quiet() {
  static const bool done = [] {
    if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = c10::GLOG_ERROR;
    return true;
  }();
  (void)done;
}

// The sum over all ranks, in a new tensor.
at::Tensor summed(const at::Tensor& tensor, const c10::intrusive_ptr<c10d::ProcessGroup>& group) {
  std::vector<at::Tensor> tensors{tensor.detach().clone(at::MemoryFormat::Contiguous)};
  group->allreduce(tensors)->wait();
  return tensors.front();
}

// A summand of any rank changes the sum that every rank has: its gradient is the sum of the gradients of all ranks.
class SumOverRanks : public torch::autograd::Function<SumOverRanks> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& tensor,
                            const c10::intrusive_ptr<c10d::ProcessGroup>& group) {
    context->saved_data["group"] = c10::IValue::make_capsule(group);
    return summed(tensor, group);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto group =
        c10::static_intrusive_pointer_cast<c10d::ProcessGroup>(context->saved_data["group"].toCapsule());
    return {summed(gradients.front(), group), at::Tensor()};
  }
};

// Waits for a collective, or hands it out to be waited for later.
void finish(c10::intrusive_ptr<c10d::Work> work, std::vector<at::Tensor> tensors, Work** later) {
  if (later) {
    *later = new Work{std::move(work), std::move(tensors)};
  } else {
    work->wait();
  }
}

}  // namespace
}  // namespace eng

// A store in this process, which listens on the socket `listener`. The socket is the store's from now on.
ENG_API int eng_store_serve(int listener, uint16_t port, int64_t timeout, eng::Store** out) {
  return eng::guarded([&] {
    eng::be_quiet();
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = true;
    options.waitWorkers = false;
    options.timeout = eng::Milliseconds(timeout);
    options.masterListenFd = listener;
    *out = new eng::Store{c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options)};
  });
}

// A connection to a store that another process, or this one, has.
ENG_API int eng_store_connect(const char* host, uint16_t port, int64_t timeout, eng::Store** out) {
  return eng::guarded([&] {
    eng::be_quiet();
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = false;
    options.waitWorkers = false;
    options.timeout = eng::Milliseconds(timeout);
    *out = new eng::Store{c10::make_intrusive<c10d::TCPStore>(std::string(host), options)};
  });
}

// The same store, whose keys all begin with `prefix/`.
ENG_API int eng_store_prefixed(const eng::Store* store, const char* prefix, eng::Store** out) {
  return eng::guarded([&] { *out = new eng::Store{eng::prefixed(prefix, store->store)}; });
}

ENG_API void eng_store_free(eng::Store* store) { delete store; }

ENG_API int eng_store_set(eng::Store* store, const char* key, const uint8_t* value, size_t length) {
  return eng::guarded([&] { store->store->set(std::string(key), std::vector<uint8_t>(value, value + length)); });
}

// Whether the key is there. A value is copied into `buffer` as far as it fits; `length` is its whole length.
ENG_API int eng_store_get(eng::Store* store, const char* key, bool* found, uint8_t* buffer, size_t capacity,
                          size_t* length) {
  return eng::guarded([&] {
    *found = store->store->check({std::string(key)});
    if (!*found) return;
    const std::vector<uint8_t> value = store->store->get(std::string(key));
    *length = value.size();
    std::copy_n(value.begin(), std::min(capacity, value.size()), buffer);
  });
}

// Adds to the number under a key, and gives the sum.
ENG_API int eng_store_add(eng::Store* store, const char* key, int64_t number, int64_t* sum) {
  return eng::guarded([&] { *sum = store->store->add(std::string(key), number); });
}

// Sets the value under a key if there is none yet: of several processes only the first one does.
ENG_API int eng_store_set_first(eng::Store* store, const char* key, const uint8_t* value, size_t length) {
  return eng::guarded([&] {
    // what is expected is no value
    store->store->compareSet(std::string(key), std::vector<uint8_t>(), std::vector<uint8_t>(value, value + length));
  });
}

// A group over Gloo, made as Python's `init_process_group("gloo")` makes it, with the same names in the store: a process
// of Python's can be a rank of it. `host`: the address that this process listens on; null: libtorch chooses.
ENG_API int eng_group_gloo(const eng::Store* store, const char* name, int rank, int size, int64_t timeout,
                           const char* host, eng::Group** out) {
  return eng::guarded([&] {
    using c10d::ProcessGroup;
    using c10d::ProcessGroupGloo;
    const auto group_store = eng::prefixed(std::string(name) + "/", eng::prefixed("default_pg", store->store));
    auto group = c10::make_intrusive<ProcessGroup>(group_store, rank, size);
    group->setDefaultBackend(ProcessGroup::GLOO);
    auto options = ProcessGroupGloo::Options::create(eng::Milliseconds(timeout));
    options->devices.push_back(host ? ProcessGroupGloo::createDeviceForHostname(host)
                                    : ProcessGroupGloo::createDefaultDevice());
    options->threads = static_cast<int>(options->devices.size()) * 2;
    options->group_name = name;
    for (int i = 0; i < size; ++i) options->global_ranks_in_group.push_back(i);
    auto backend = c10::make_intrusive<ProcessGroupGloo>(eng::prefixed("cpu/", group_store), rank, size, options);
    backend->setSequenceNumberForGroup();
    // Gloo takes tensors of CUDA too, through copies on the host
    for (const auto device : {c10::DeviceType::CPU, c10::DeviceType::CUDA}) {
      group->setBackend(device, ProcessGroup::GLOO, c10::intrusive_ptr<c10d::Backend>(backend));
    }
    group->setGroupName(name);
    *out = new eng::Group{std::move(group)};
  });
}

ENG_API void eng_group_free(eng::Group* group) { delete group; }

// The sum of `tensor` over all ranks, through which gradients go.
ENG_API int eng_group_sum(const eng::Group* group, const at::Tensor* tensor, at::Tensor** out) {
  return eng::guarded([&] { *out = new at::Tensor(eng::SumOverRanks::apply(*tensor, group->group)); });
}

// Gathers `tensor` of every rank into `out`, whose first dimension are the ranks. A non-null `later` gets the work.
ENG_API int eng_group_all_gather(const eng::Group* group, const at::Tensor* tensor, const at::Tensor* out,
                                 eng::Work** later) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    std::vector<std::vector<at::Tensor>> outputs{out->unbind(0)};
    std::vector<at::Tensor> inputs{*tensor};
    auto work = group->group->allgather(outputs, inputs);
    eng::finish(std::move(work), {*tensor, *out}, later);
  });
}

// Replaces `tensor` on every rank by the sum, or the largest values.
ENG_API int eng_group_all_reduce(const eng::Group* group, at::Tensor* tensor, bool largest, eng::Work** later) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    c10d::AllreduceOptions options;
    options.reduceOp = largest ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM;
    std::vector<at::Tensor> tensors{*tensor};
    auto work = group->group->allreduce(tensors, options);
    eng::finish(std::move(work), {*tensor}, later);
  });
}

// How often tensors of the list were written since they were made.
ENG_API uint64_t eng_list_version(const eng::List* list) {
  uint64_t sum = 0;
  for (const at::Tensor& tensor : list->tensors) {
    if (!tensor.defined()) continue;
    const c10::VariableVersion& version = tensor.unsafeGetTensorImpl()->version_counter();
    if (version.enabled()) sum += version.current_version();
  }
  return sum;
}

// As `eng_group_all_gather`, on rank 0 alone; on the others `out` is null.
ENG_API int eng_group_gather(const eng::Group* group, const at::Tensor* tensor, const at::Tensor* out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    std::vector<std::vector<at::Tensor>> outputs;
    if (out) outputs.push_back(out->unbind(0));
    std::vector<at::Tensor> inputs{*tensor};
    c10d::GatherOptions options;
    options.rootRank = 0;
    group->group->gather(outputs, inputs, options)->wait();
  });
}

// Gives every rank the values that rank `from` has in these tensors.
ENG_API int eng_group_broadcast(const eng::Group* group, const eng::List* tensors, int from) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> detached;
    for (const at::Tensor& tensor : tensors->tensors) {
      // an expanded constant: several of its elements are one number in memory, which no operator writes
      if (at::has_internal_overlap(tensor) != at::MemOverlap::Yes) detached.push_back(tensor.detach());
    }
    constexpr size_t kBytesAtOnce = size_t{250} << 20;
    if (!detached.empty()) c10d::broadcast_coalesced(group->group, detached, kBytesAtOnce, from);
  });
}

ENG_API int eng_work_wait(eng::Work* work) {
  return eng::guarded([&] { work->work->wait(); });
}

ENG_API void eng_work_free(eng::Work* work) { delete work; }
