// Switches of libtorch that hold for a thread (grad mode) or the whole process (anomaly mode, determinism).
#include "core.hpp"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/anomaly_mode.h>

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
