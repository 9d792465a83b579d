// Lower precision: libtorch's autocast, the kernels of dynamic loss scaling, and layouts.
#include "core.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>

#include <map>

namespace eng {
namespace {

thread_local std::vector<at::Tensor> unscaled_storage;

}  // namespace
}  // namespace eng

// Switches autocast of this thread on for a device, or off, and gives what it was before for `eng_autocast_leave`.
// `dtype` is an at::ScalarType; it is not looked at where autocast goes off.
ENG_API int eng_autocast_enter(int device_type, bool enabled, int dtype, bool* enabled_before, int* dtype_before) {
  return eng::guarded([&] {
    const auto device = static_cast<at::DeviceType>(device_type);
    *enabled_before = at::autocast::is_autocast_enabled(device);
    *dtype_before = static_cast<int>(at::autocast::get_autocast_dtype(device));
    if (enabled) at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(dtype));
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::increment_nesting();
  });
}

// The outermost region lets go of the parameters that it has cast, as PyTorch's does.
ENG_API void eng_autocast_leave(int device_type, bool enabled, int dtype) {
  const auto device = static_cast<at::DeviceType>(device_type);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device, enabled);
  at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(dtype));
}

// Whether autocast keeps the casts of parameters until the outermost region ends; gives what it was before.
ENG_API bool eng_set_autocast_cache(bool enabled) {
  const bool before = at::autocast::is_autocast_cache_enabled();
  at::autocast::set_autocast_cache_enabled(enabled);
  if (!enabled) at::autocast::clear_cache();
  return before;
}

// Multiplies the gradients of all lists by `inv_scale`, and sets `found_inf` to 1 where one of them is infinite or NaN.
// One call for each kind, as torch.amp.GradScaler does.
ENG_API int eng_amp_unscale(const eng::List* const* lists, size_t count, at::Tensor* found_inf, const at::Tensor* inv_scale) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::Scratch gradients(eng::unscaled_storage);
    for (size_t i = 0; i < count; ++i) eng::collect_gradients(*lists[i], *gradients);
    std::map<at::ScalarType, std::vector<at::Tensor>> by_kind;
    for (size_t i = 0; i < gradients->size(); ++i) {
      const at::Tensor& gradient = (*gradients)[i];
      if (gradient.scalar_type() == at::kHalf) {
        throw eng::ArgumentError(i, eng::describe("the gradient of parameter", i, gradient) +
                                        " is of kind Half, which is too small to be unscaled; keep the parameters in Float");
      }
      by_kind[gradient.scalar_type()].push_back(gradient);
    }
    for (auto& [kind, tensors] : by_kind) at::_amp_foreach_non_finite_check_and_unscale_(tensors, *found_inf, *inv_scale);
  });
}

ENG_API int eng_amp_update_scale(at::Tensor* scale, at::Tensor* tracker, const at::Tensor* found_inf, double growth, double backoff,
                                 int64_t interval) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    at::_amp_update_scale_(*scale, *tracker, *found_inf, growth, backoff, interval);
  });
}

// The tensor with its channels last in memory; those without four dimensions come back as they are.
ENG_API int eng_channels_last(const at::Tensor* tensor, at::Tensor** out) {
  return eng::guarded([&] {
    *out = eng::give(tensor->dim() == 4 ? tensor->contiguous(at::MemoryFormat::ChannelsLast) : *tensor);
  });
}
