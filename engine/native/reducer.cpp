// The exchange of gradients while backward runs: libtorch's `Reducer`, the one of Python's `DistributedDataParallel`.
#include "dist.hpp"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
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
};

}  // namespace eng

struct EngReducerOptions {
  // Bytes that are exchanged at once.
  int64_t bucket_bytes;
  // Looks in each forward pass for parameters that it has not used.
  bool find_unused;
};

// For these parameters, which all take gradients, with their names for messages. Fails on every rank when shapes or kinds
// differ from those of rank 0.
ENG_API int eng_reducer_new(const eng::Group* group, const eng::List* parameters, const char* const* names,
                            const EngReducerOptions* options, eng::Reducer** out) {
  return eng::guarded([&] {
    const std::vector<at::Tensor>& tensors = parameters->tensors;
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
    for (size_t i = 0; i < tensors.size(); ++i) named[i] = names[i];
    constexpr bool kGradientsAreViewsOfBuckets = true;
    *out = new eng::Reducer(tensors, std::move(buckets), group->group, sparse, options->bucket_bytes,
                            options->find_unused, kGradientsAreViewsOfBuckets, std::move(named), first_bytes,
                            /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false, {});
  });
}

ENG_API int eng_reducer_free(eng::Reducer* reducer) {
  return eng::guarded([&] { delete reducer; });
}

// Before the forward pass of a batch; `exchange`: gradients are exchanged in its backward.
ENG_API int eng_reducer_before_forward(eng::Reducer* reducer, bool exchange) {
  return eng::guarded([&] {
    if (exchange) reducer->prepare_for_forward();
    reducer->rebuild_buckets();
  });
}

// Before the first backward of a batch whose gradients are exchanged; `loss` may be null unless unused ones are looked for.
ENG_API int eng_reducer_before_backward(eng::Reducer* reducer, const at::Tensor* loss) {
  return eng::guarded([&] {
    std::vector<at::Tensor> outputs;
    if (loss && reducer->finds_unused()) outputs.push_back(*loss);
    reducer->prepare_for_backward(outputs);
  });
}

// Takes part in an exchange with a gradient of zeros for every parameter.
ENG_API int eng_reducer_zeros(eng::Reducer* reducer) {
  return eng::guarded([&] {
    std::vector<at::Tensor> roots, zeros;
    for (const at::Tensor& parameter : reducer->parameters()) {
      // no leaves: libtorch looks for unused parameters in the graph of the outputs
      roots.push_back(parameter.view_as(parameter));
      zeros.push_back(at::zeros_like(parameter));
    }
    reducer->prepare_for_backward(roots);
    torch::autograd::backward(roots, zeros);
  });
}

// Whether gradients of the last backward are still to come.
ENG_API bool eng_reducer_is_unfinished(const eng::Reducer* reducer) { return reducer->is_unfinished(); }

// Whether it is for exactly those of these parameters that take gradients now.
ENG_API bool eng_reducer_fits(const eng::Reducer* reducer, const eng::List* const* lists, size_t count) {
  const std::vector<at::Tensor>& own = reducer->parameters();
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    for (const at::Tensor& tensor : lists[i]->tensors) {
      if (!tensor.defined() || !tensor.requires_grad()) continue;
      if (at == own.size() || !own[at].is_same(tensor)) return false;
      ++at;
    }
  }
  return at == own.size();
}
