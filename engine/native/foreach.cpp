// Operations on whole lists of parameters at once: clipping, clearing, averaging, copying.
#include "core.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

namespace eng {
namespace {

thread_local std::vector<at::Tensor> gradient_storage;

void collect_all(const List* const* lists, size_t count, std::vector<at::Tensor>& into) {
  for (size_t i = 0; i < count; ++i) collect_gradients(*lists[i], into);
}

bool on_one_device(const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) {
    if (tensor.device() != tensors.front().device()) return false;
  }
  return true;
}

// The p-norm of all gradients as if they were one vector: a 0-d tensor on the first one's device.
at::Tensor total_norm(const std::vector<at::Tensor>& gradients, double p) {
  if (gradients.empty()) return at::zeros({}, at::kFloat);
  std::vector<at::Tensor> norms = at::_foreach_norm(gradients, p);
  if (!on_one_device(norms)) {
    for (at::Tensor& norm : norms) norm = norm.to(gradients.front().device());
  }
  return at::linalg_vector_norm(at::stack(norms), p);
}

// Multiplies a small tensor of the CPU without libtorch's dispatcher, which takes longer than the product itself. The
// bits are those of `mul_`. False when the tensor is of another kind, and stays as it was.
bool scale_here(const at::Tensor& gradient, float factor) {
  // where libtorch would use several threads
  constexpr int64_t kMost = 32768;
  if (!gradient.is_cpu() || gradient.layout() != at::kStrided || gradient.scalar_type() != at::kFloat ||
      gradient.is_neg() || gradient.numel() >= kMost || !gradient.is_non_overlapping_and_dense()) {
    return false;
  }
  float* values = gradient.mutable_data_ptr<float>();
  const int64_t count = gradient.numel();
  for (int64_t i = 0; i < count; ++i) values[i] *= factor;
  // as every operator that writes does: backward through a saved gradient has to notice
  gradient.unsafeGetTensorImpl()->bump_version();
  return true;
}

void scale(std::vector<at::Tensor>& gradients, const at::Tensor& factor) {
  if (gradients.empty()) return;
  if (factor.is_cpu() && factor.scalar_type() == at::kFloat) {
    const float number = *factor.const_data_ptr<float>();
    for (at::Tensor& gradient : gradients) {
      if (!scale_here(gradient, number)) gradient.mul_(factor.to(gradient.device()));
    }
  } else if (on_one_device(gradients)) {
    at::_foreach_mul_(gradients, factor);
  } else {
    for (at::Tensor& gradient : gradients) gradient.mul_(factor.to(gradient.device()));
  }
}

void check_pair(const List& into, const List& from) {
  if (into.size() != from.size()) {
    throw ArgumentError("the lists have " + std::to_string(into.size()) + " and " + std::to_string(from.size()) +
                        " tensors; they must have as many");
  }
  for (size_t i = 0; i < into.size(); ++i) {
    const at::Tensor& target = into.tensors[i];
    const at::Tensor& source = from.tensors[i];
    if (!target.defined() || !source.defined()) {
      throw ArgumentError(i, "tensor " + std::to_string(i) + " of a list is not defined");
    }
    if (target.sizes() != source.sizes()) {
      throw ArgumentError(i, describe("tensor", i, target) + " has another shape than " + describe("its source", i, source));
    }
  }
}

}  // namespace
}  // namespace eng

// The total norm of the gradients of all lists, unchanged.
ENG_API int eng_grad_norm(const eng::List* const* lists, size_t count, at::Tensor** norm) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::Scratch gradients(eng::gradient_storage);
    eng::collect_all(lists, count, *gradients);
    *norm = eng::give(eng::total_norm(*gradients, 2));
  });
}

// Scales the gradients of all lists so that their total p-norm is at most `max_norm`. The factor stays on the
// device: nothing waits for it.
ENG_API int eng_clip_grad_norm(const eng::List* const* lists, size_t count, double max_norm, double p, at::Tensor** norm) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::Scratch gradients(eng::gradient_storage);
    eng::collect_all(lists, count, *gradients);
    at::Tensor total = eng::total_norm(*gradients, p);
    // the small number as in torch.nn.utils.clip_grad_norm_
    eng::scale(*gradients, (max_norm / (total + 1e-6)).clamp_max(1.0));
    *norm = eng::give(std::move(total));
  });
}

// Scales each gradient by itself so that its p-norm is at most `max_norm`; gives the norm of all of them.
ENG_API int eng_clip_grad_norms(const eng::List* parameters, double max_norm, double p, at::Tensor** norm) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::Scratch gradients(eng::gradient_storage);
    eng::collect_gradients(*parameters, *gradients);
    if (gradients->empty()) {
      *norm = eng::give(at::zeros({}, at::kFloat));
      return;
    }
    std::vector<at::Tensor> norms = at::_foreach_norm(*gradients, p);
    std::vector<at::Tensor> near = norms;
    if (!eng::on_one_device(norms)) {
      for (at::Tensor& one : near) one = one.to(norms.front().device());
    }
    *norm = eng::give(at::linalg_vector_norm(at::stack(near), p));
    for (size_t i = 0; i < gradients->size(); ++i) {
      (*gradients)[i].mul_((max_norm / (norms[i] + 1e-6)).clamp_max(1.0));
    }
  });
}

namespace eng {
namespace {

// The norm of each index of the first dimension, with the shape [n, 1, .., 1]; of a vector or a number, its norm.
at::Tensor norm_of_outputs(const at::Tensor& tensor) {
  if (tensor.dim() <= 1) return at::linalg_vector_norm(tensor, 2);
  std::vector<int64_t> dims;
  for (int64_t dim = 1; dim < tensor.dim(); ++dim) dims.push_back(dim);
  return at::linalg_vector_norm(tensor, 2, dims, /*keepdim=*/true);
}

}  // namespace
}  // namespace eng

// Scales the gradient of each output so that its norm is at most `factor` times that of its weights.
ENG_API int eng_clip_grad_adaptive(const eng::List* parameters, double factor, double eps) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    for (size_t i = 0; i < parameters->size(); ++i) {
      const at::Tensor& parameter = parameters->tensors[i];
      const at::Tensor& gradient = parameter.grad();
      if (!gradient.defined()) continue;
      eng::check_gradient(i, parameter, gradient);
      const at::Tensor most = eng::norm_of_outputs(parameter).clamp_min(eps) * factor;
      // the small number as in the authors' program
      gradient.mul_((most / eng::norm_of_outputs(gradient).clamp_min(1e-6)).clamp_max(1.0));
    }
  });
}

// Limits every element of every gradient to -max..max.
ENG_API int eng_clip_grad_value(const eng::List* const* lists, size_t count, double max) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::Scratch gradients(eng::gradient_storage);
    eng::collect_all(lists, count, *gradients);
    if (gradients->empty()) return;
    at::_foreach_clamp_min_(*gradients, -max);
    at::_foreach_clamp_max_(*gradients, max);
  });
}

ENG_API int eng_scale_grads(const eng::List* parameters, double factor) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::Scratch gradients(eng::gradient_storage);
    eng::collect_gradients(*parameters, *gradients);
    if (!gradients->empty()) at::_foreach_mul_(*gradients, factor);
  });
}

// Lets go of the gradients: the next backward writes instead of adding.
ENG_API int eng_zero_grad(const eng::List* parameters) {
  return eng::guarded([&] {
    for (const at::Tensor& parameter : parameters->tensors) {
      if (parameter.grad().defined()) parameter.mutable_grad().reset();
    }
  });
}

ENG_API int eng_foreach_lerp(eng::List* into, const eng::List* towards, double weight) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_pair(*into, *towards);
    if (into->size() > 0) at::_foreach_lerp_(into->tensors, towards->tensors, weight);
  });
}

// As `eng_foreach_lerp`, by a weight that lies on a device.
ENG_API int eng_foreach_lerp_by(eng::List* into, const eng::List* towards, const at::Tensor* weight) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_pair(*into, *towards);
    for (size_t i = 0; i < into->size(); ++i) {
      at::Tensor& target = into->tensors[i];
      target.lerp_(towards->tensors[i], weight->to(target.options()));
    }
  });
}

// 1 when the number is infinite or NaN, else 0: a float on its device.
ENG_API int eng_not_finite(const at::Tensor* number, at::Tensor** out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    *out = eng::give(at::isfinite(*number).logical_not_().to(at::kFloat));
  });
}

ENG_API int eng_foreach_copy(eng::List* into, const eng::List* from) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_pair(*into, *from);
    if (into->size() > 0) at::_foreach_copy_(into->tensors, from->tensors);
  });
}
