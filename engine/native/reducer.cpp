// The exchange of gradients while backward runs: libtorch's `Reducer`, the one of Python's `DistributedDataParallel`.
#include "dist.hpp"

#include <ATen/Dispatch.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/distributed/c10d/default_comm_hooks.hpp>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace eng {

class Reducer : public c10d::Reducer {
 public:
  using c10d::Reducer::Reducer;

  const std::vector<at::Tensor>& parameters() const { return params_; }

  bool finds_unused() const { return find_unused_parameters_; }

  // Whether a gradient that was to be exchanged has not been.
  bool is_unfinished() const { return require_finalize_; }

  // Nanoseconds for which the last exchange has held up backward, which had computed all gradients by then. By the clock of
  // the host: no device is asked. -1 when nothing was exchanged yet.
  int64_t waited() const {
    if (!timer_) return -1;
    const auto computed = timer_->getTimestamp(c10d::Timer::Event::kBackwardComputeEnd);
    const auto exchanged = timer_->getTimestamp(c10d::Timer::Event::kBackwardCommEnd);
    return computed && exchanged && *exchanged >= *computed ? *exchanged - *computed : -1;
  }

  // Whether the last backward has left out a parameter: a gradient that it has computed is a view of a bucket.
  bool is_left_out(size_t index) const {
    const at::Tensor& gradient = params_[index].grad();
    const at::Tensor& bucket = buckets_[variable_locators_[index].bucket_index].gradients;
    return !gradient.defined() || !gradient.is_alias_of(bucket);
  }
};

// Exchanges gradients as BFloat16. libtorch has such a hook for Half alone.
class Bf16Hook : public c10d::CppCommHookInterface<c10::intrusive_ptr<c10d::ProcessGroup>> {
 public:
  explicit Bf16Hook(const c10::intrusive_ptr<c10d::ProcessGroup>& group) : CppCommHookInterface(group) {}

  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    // divided first: the sum of all ranks is rounded less
    std::vector<at::Tensor> sent{bucket.getBufferRef().to(at::kBFloat16).div_(state_->getSize())};
    auto widen = [gradients = bucket.getBufferRef()](c10::ivalue::Future& reduced) {
      gradients.copy_(reduced.value().toTensorVector().front());
      return c10::IValue(gradients);
    };
    auto reduced = state_->allreduce(sent)->getFuture();
    return reduced->then(std::move(widen), reduced->elementType());
  }
};

// Calls `each` with the place of every number of a tensor and with the number itself. The note lies in the memory of the host.
template <typename Each>
void each_number(const at::Tensor& tensor, Each each) {
  TORCH_CHECK(tensor.device().is_cpu(), "the note has to be on the host");
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, tensor.scalar_type(), "note", [&] {
    scalar_t* numbers = tensor.data_ptr<scalar_t>();
    for (size_t i = 0; i < static_cast<size_t>(tensor.numel()); ++i) each(i, numbers[i]);
  });
}

// A reducer, and what it notes of its work. Without a logger it reads a null pointer where it looks for unused parameters.
struct Exchange {
  std::shared_ptr<Reducer> reducer;
  std::shared_ptr<c10d::Logger> logger;
  // One parameter more, whose gradient is what the ranks tell each other beside the gradients; undefined when they tell
  // nothing. It is the last one of the reducer.
  at::Tensor note;
  // What this rank tells next.
  std::vector<double> told;

  // How many parameters are the model's.
  size_t count() const { return reducer->parameters().size() - (note.defined() ? 1 : 0); }

  // What backward begins from to give the note its gradient; no leaf, as libtorch looks for unused parameters in its graph.
  at::Tensor root_of_note() {
    note.mutable_grad().reset();
    return note.view_as(note);
  }

  // The gradient of the note, in a tensor of its own: it becomes a part of a bucket.
  at::Tensor gradient_of_note() const {
    at::Tensor gradient = at::empty(note.sizes(), note.options().requires_grad(false));
    each_number(gradient, [this](size_t i, auto& number) { number = told[i]; });
    return gradient;
  }
};

}  // namespace eng

struct EngReducerOptions {
  // Bytes that are exchanged at once.
  int64_t bucket_bytes;
  // Looks in each forward pass for parameters that it has not used.
  bool find_unused;
  // The numbers in which gradients are exchanged: 0 as they are, 1 Half, 2 BFloat16.
  int compress;
  // How many numbers are exchanged beside the gradients.
  int64_t note;
};

// For these parameters, which all take gradients, with their names for messages. Fails on every rank when shapes or kinds
// differ from those of rank 0.
ENG_API int eng_reducer_new(const eng::Group* group, const eng::List* parameters, const char* const* names,
                            const EngReducerOptions* options, eng::Exchange** out) {
  return eng::guarded([&] {
    auto exchange = std::make_unique<eng::Exchange>();
    std::vector<at::Tensor> tensors = parameters->tensors;
    if (options->note > 0) {
      exchange->told.resize(static_cast<size_t>(options->note));
      exchange->note = at::zeros({options->note}, tensors.front().options().requires_grad(false)).requires_grad_(true);
      tensors.push_back(exchange->note);
    }
    c10d::verify_params_across_processes(group->group, tensors, std::nullopt);
    const std::vector<bool> sparse(tensors.size(), false);
    const int64_t first_bytes = std::min<int64_t>(c10d::kDefaultFirstBucketBytes, options->bucket_bytes);
    // as in Python: all in one bucket at first, and in buckets by the order of gradients after the first backward. With
    // `find_unused` libtorch keeps the first buckets.
    std::vector<size_t> limits{static_cast<size_t>(std::numeric_limits<int64_t>::max())};
    if (options->find_unused) {
      limits = {static_cast<size_t>(first_bytes), static_cast<size_t>(options->bucket_bytes)};
    }
    auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(tensors, limits, sparse));
    // gradients come from the last layer to the first
    std::reverse(buckets.begin(), buckets.end());
    std::unordered_map<size_t, std::string> named;
    for (size_t i = 0; i < parameters->tensors.size(); ++i) named[i] = names[i];
    if (exchange->note.defined()) named[tensors.size() - 1] = "the note of the ranks";
    constexpr bool kGradientsAreViewsOfBuckets = true;
    exchange->reducer = std::make_shared<eng::Reducer>(
        tensors, std::move(buckets), group->group, sparse, options->bucket_bytes, options->find_unused,
        kGradientsAreViewsOfBuckets, std::move(named), first_bytes, /*skip_all_reduce_unused_params=*/false,
        /*use_python_reducer=*/false, std::vector<int64_t>{});
    // libtorch times every exchange then, and not one of a hundred
    exchange->reducer->set_ddp_runtime_logging_sample_rate(1);
    if (options->compress == 1) {
      exchange->reducer->register_builtin_comm_hook(c10d::BuiltinCommHookType::FP16_COMPRESS);
    } else if (options->compress == 2) {
      exchange->reducer->register_comm_hook(std::make_unique<eng::Bf16Hook>(group->group));
    }
    if (options->find_unused) {
      exchange->logger = std::make_shared<c10d::Logger>(exchange->reducer);
      exchange->reducer->set_logger(exchange->logger);
      exchange->logger->set_construction_data_and_log("engine", {}, -1, /*broadcast_buffers=*/false,
                                                      /*has_sync_bn=*/false, /*static_graph=*/false);
    }
    *out = exchange.release();
  });
}

ENG_API int eng_reducer_free(eng::Exchange* exchange) {
  return eng::guarded([&] { delete exchange; });
}

// Before the forward pass of a batch; `last`: gradients are exchanged in its backward.
ENG_API int eng_reducer_before_forward(eng::Exchange* exchange, bool last) {
  return eng::guarded([&] {
    if (last) exchange->reducer->prepare_for_forward();
    exchange->reducer->rebuild_buckets();
  });
}

// Before the first backward of a batch whose gradients are exchanged; `loss` may be null unless unused ones are looked for.
ENG_API int eng_reducer_before_backward(eng::Exchange* exchange, const at::Tensor* loss) {
  return eng::guarded([&] {
    std::vector<at::Tensor> outputs;
    if (!exchange->note.defined()) {
      if (loss && exchange->reducer->finds_unused()) outputs.push_back(*loss);
      exchange->reducer->prepare_for_backward(outputs);
      return;
    }
    if (exchange->reducer->finds_unused()) {
      // the note has to be in the graph that is looked through
      const at::Tensor root = exchange->root_of_note();
      if (loss) outputs = {*loss, root};
      exchange->reducer->prepare_for_backward(outputs);
      torch::autograd::backward({root}, {exchange->gradient_of_note()});
      return;
    }
    exchange->reducer->prepare_for_backward(outputs);
    // as if backward had come to it, without the cost of one more backward
    at::NoGradGuard no_grad;
    exchange->note.mutable_grad() = exchange->gradient_of_note();
    exchange->reducer->autograd_hook(exchange->count());
  });
}

// Sets what this rank tells in the next exchange: as many numbers as the options say.
ENG_API int eng_reducer_tell(eng::Exchange* exchange, const double* numbers) {
  return eng::guarded([&] { exchange->told.assign(numbers, numbers + exchange->told.size()); });
}

// The means over all ranks of what they have told in the last exchange.
ENG_API int eng_reducer_told(const eng::Exchange* exchange, double* means) {
  return eng::guarded([&] {
    const at::Tensor& told = exchange->note.grad();
    TORCH_CHECK(told.defined(), "nothing was told in this exchange");
    eng::each_number(told, [means](size_t i, auto number) { means[i] = static_cast<double>(number); });
  });
}

// Takes part in an exchange with a gradient of zeros for every parameter.
ENG_API int eng_reducer_zeros(eng::Exchange* exchange) {
  return eng::guarded([&] {
    std::vector<at::Tensor> roots, zeros;
    for (size_t i = 0; i < exchange->count(); ++i) {
      const at::Tensor& parameter = exchange->reducer->parameters()[i];
      // no leaves: libtorch looks for unused parameters in the graph of the outputs
      roots.push_back(parameter.view_as(parameter));
      zeros.push_back(at::zeros_like(parameter));
    }
    if (exchange->note.defined()) {
      roots.push_back(exchange->root_of_note());
      zeros.push_back(exchange->gradient_of_note());
    }
    exchange->reducer->prepare_for_backward(roots);
    torch::autograd::backward(roots, zeros);
  });
}

// Whether gradients of the last backward are still to come.
ENG_API bool eng_reducer_is_unfinished(const eng::Exchange* exchange) { return exchange->reducer->is_unfinished(); }

// Nanoseconds for which the last exchange has held up backward; -1 when there was none.
ENG_API int64_t eng_reducer_waited(const eng::Exchange* exchange) { return exchange->reducer->waited(); }

// Notes for each parameter whether the last backward has left it out.
ENG_API int eng_reducer_left_out(const eng::Exchange* exchange, bool* left_out) {
  return eng::guarded([&] {
    for (size_t i = 0; i < exchange->count(); ++i) left_out[i] = exchange->reducer->is_left_out(i);
  });
}

// Whether it is for exactly those of these parameters that take gradients now.
ENG_API bool eng_reducer_fits(const eng::Exchange* exchange, const eng::List* const* lists, size_t count) {
  const std::vector<at::Tensor>& own = exchange->reducer->parameters();
  const size_t all = exchange->count();
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    for (const at::Tensor& tensor : lists[i]->tensors) {
      if (!tensor.defined() || !tensor.requires_grad()) continue;
      if (at == all || !own[at].is_same(tensor)) return false;
      ++at;
    }
  }
  return at == all;
}
