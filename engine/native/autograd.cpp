// Backward, which tensors take gradients, and the switches of libtorch that hold for a thread (grad mode) or the whole
// process (anomaly mode, determinism).
#include "core.hpp"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/csrc/autograd/autograd.h>

ENG_API bool eng_grad_enabled() {
  return at::GradMode::is_enabled();
}

ENG_API void eng_set_grad_enabled(bool enabled) {
  at::GradMode::set_enabled(enabled);
}

ENG_API void eng_anomaly(bool* enabled, bool* check_nan) {
  *enabled = torch::autograd::AnomalyMode::is_enabled();
  *check_nan = torch::autograd::AnomalyMode::should_check_nan();
}

ENG_API void eng_set_anomaly(bool enabled, bool check_nan) {
  torch::autograd::AnomalyMode::set_enabled(enabled, check_nan);
}

ENG_API void eng_deterministic(bool* enabled, bool* warn_only) {
  *enabled = at::globalContext().deterministicAlgorithms();
  *warn_only = at::globalContext().deterministicAlgorithmsWarnOnly();
}

// cuDNN's search for the fastest algorithm is itself a source of different results, so it goes off too.
ENG_API int eng_set_deterministic(bool enabled, bool warn_only) {
  return eng::guarded([&] {
    at::Context& context = at::globalContext();
    context.setDeterministicAlgorithms(enabled, warn_only);
    context.setDeterministicCuDNN(enabled);
    if (enabled) context.setBenchmarkCuDNN(false);
  });
}

// Lets a tensor that is computed from others keep its gradient.
ENG_API int eng_retain_grad(const at::Tensor* tensor) {
  return eng::guarded([&] { tensor->retain_grad(); });
}

// Adds the gradients of the leaves that some tensors were computed from, given a gradient of each.
ENG_API int eng_backward_from(
    const at::Tensor* const* tensors, const at::Tensor* const* gradients, size_t count) {
  return eng::guarded([&] {
    torch::autograd::variable_list roots, given;
    for (size_t i = 0; i < count; ++i) {
      roots.push_back(*tensors[i]);
      given.push_back(*gradients[i]);
    }
    torch::autograd::backward(roots, given);
  });
}

// Switches gradients off for the tensors of a list that have them on, and notes which; also of a call that fails, so
// that they can be switched on again.
ENG_API int eng_requires_grad_off(const eng::List* list, bool* switched) {
  return eng::guarded([&] {
    for (size_t i = 0; i < list->size(); ++i) {
      const at::Tensor& tensor = list->tensors[i];
      if (!tensor.defined() || !tensor.requires_grad()) continue;
      tensor.set_requires_grad(false);
      switched[i] = true;
    }
  });
}

ENG_API int eng_requires_grad_on(const eng::List* list, const bool* switched) {
  return eng::guarded([&] {
    for (size_t i = 0; i < list->size(); ++i) {
      if (switched[i]) list->tensors[i].set_requires_grad(true);
    }
  });
}

// The same number for two handles of one tensor, and for no other tensor that lives.
ENG_API size_t eng_tensor_id(const at::Tensor* tensor) {
  return reinterpret_cast<size_t>(tensor->unsafeGetTensorImpl());
}

// The same number for two tensors over one memory; 0 for a tensor without any.
ENG_API size_t eng_storage_id(const at::Tensor* tensor) {
  return tensor->has_storage() ? reinterpret_cast<size_t>(tensor->storage().unsafeGetStorageImpl()) : 0;
}
