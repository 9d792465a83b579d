// The fused optimizer steps of libtorch: one kernel per list instead of a dozen per parameter.
//
// State tensors are made when a parameter's first gradient comes, so frozen parameters cost nothing, and a
// parameter without a gradient is passed over with its state untouched.
#include "core.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

// As in engine/src/native/optimizer.rs.
struct EngAdamOptions {
  double lr;
  double beta1;
  double beta2;
  double eps;
  double weight_decay;
  bool decoupled;
  bool amsgrad;
  bool maximize;
};

struct EngSgdOptions {
  double lr;
  double momentum;
  double dampening;
  double weight_decay;
  bool nesterov;
  bool maximize;
};

namespace eng {
namespace {

using Tensors = std::vector<at::Tensor>;

// One vector per argument of the widest kernel.
struct Storage {
  Tensors parameters, gradients, first, second, third, steps;
  std::vector<size_t> starting;
};
thread_local Storage storage;

// The kernels walk parameter, gradient and state as flat memory: all must lie alike.
at::Tensor gradient_laid_as(const at::Tensor& parameter, const at::Tensor& gradient) {
  if (gradient.strides() == parameter.strides()) return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

void check_parameter(size_t index, const at::Tensor& parameter, const at::Tensor& first) {
  if (!parameter.is_non_overlapping_and_dense()) {
    throw ArgumentError(index, describe("parameter", index, parameter) + " is a view with gaps; optimizers need dense parameters");
  }
  if (parameter.device() != first.device() || parameter.scalar_type() != first.scalar_type()) {
    throw ArgumentError(index, describe("parameter", index, parameter) + " and " + describe("parameter", 0, first) +
                        " differ in device or kind; a fused step takes one of each");
  }
}

void check_lengths(const List& parameters, std::initializer_list<const List*> states) {
  for (const List* state : states) {
    if (state && state->size() != parameters.size()) {
      throw ArgumentError("an optimizer state has " + std::to_string(state->size()) + " entries for " +
                          std::to_string(parameters.size()) + " parameters");
    }
  }
}

// The state of a parameter, checked; made of zeros when it is not there yet.
const at::Tensor& like_parameter(List& state, size_t index, const at::Tensor& parameter) {
  at::Tensor& held = state.tensors[index];
  if (!held.defined()) {
    held = at::zeros_like(parameter);
  } else if (held.device() != parameter.device() || held.scalar_type() != parameter.scalar_type() ||
             held.sizes() != parameter.sizes() || held.strides() != parameter.strides()) {
    throw ArgumentError(index, describe("the state of parameter", index, held) + " does not fit " +
                        describe("parameter", index, parameter));
  }
  return held;
}

const at::Tensor& step_count(List& steps, size_t index, const at::Tensor& parameter) {
  at::Tensor& held = steps.tensors[index];
  if (!held.defined()) {
    held = at::zeros({}, parameter.options().dtype(at::kFloat));
  } else if (held.dim() != 0 || held.scalar_type() != at::kFloat || held.device() != parameter.device()) {
    throw ArgumentError(index, describe("the step count of parameter", index, held) +
                        " is no 0-d float tensor on the parameter's device");
  }
  return held;
}

// Calls `visit(index, parameter, gradient)` for each parameter that has a gradient, all checks done.
template <class Visit>
void each_with_gradient(const List& parameters, Visit&& visit) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& parameter = parameters.tensors[i];
    const at::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    check_parameter(i, parameter, parameters.tensors.front());
    check_gradient(i, parameter, gradient);
    visit(i, parameter, gradient_laid_as(parameter, gradient));
  }
}

}  // namespace
}  // namespace eng

// One Adam or AdamW (`decoupled`) update. `max_exp_avg_sqs` is null without amsgrad.
ENG_API int eng_fused_adam(const eng::List* parameters, eng::List* exp_avgs, eng::List* exp_avg_sqs,
                           eng::List* max_exp_avg_sqs, eng::List* steps, const EngAdamOptions* options) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    if (options->amsgrad && !max_exp_avg_sqs) throw eng::ArgumentError("amsgrad needs its own state");
    eng::check_lengths(*parameters, {exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps});
    eng::Scratch p(eng::storage.parameters), g(eng::storage.gradients), m(eng::storage.first),
        v(eng::storage.second), x(eng::storage.third), s(eng::storage.steps);
    eng::each_with_gradient(*parameters, [&](size_t i, const at::Tensor& parameter, at::Tensor gradient) {
      m->push_back(eng::like_parameter(*exp_avgs, i, parameter));
      v->push_back(eng::like_parameter(*exp_avg_sqs, i, parameter));
      if (options->amsgrad) x->push_back(eng::like_parameter(*max_exp_avg_sqs, i, parameter));
      s->push_back(eng::step_count(*steps, i, parameter));
      p->push_back(parameter);
      g->push_back(std::move(gradient));
    });
    if (p->empty()) return;
    at::_foreach_add_(*s, 1);
    const EngAdamOptions& o = *options;
    if (o.decoupled) {
      at::_fused_adamw_(*p, *g, *m, *v, *x, *s, o.lr, o.beta1, o.beta2, o.weight_decay, o.eps, o.amsgrad, o.maximize);
    } else {
      at::_fused_adam_(*p, *g, *m, *v, *x, *s, o.lr, o.beta1, o.beta2, o.weight_decay, o.eps, o.amsgrad, o.maximize);
    }
  });
}

// One SGD update. A momentum buffer starts as its parameter's first gradient, as PyTorch's does, so
// parameters that start now and parameters that go on are two calls of the kernel.
ENG_API int eng_fused_sgd(const eng::List* parameters, eng::List* momentum_buffers, const EngSgdOptions* options) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_lengths(*parameters, {momentum_buffers});
    const EngSgdOptions& o = *options;
    const bool with_momentum = o.momentum != 0.0;
    eng::Scratch p(eng::storage.parameters), g(eng::storage.gradients), b(eng::storage.first),
        new_p(eng::storage.second), new_g(eng::storage.third), new_b(eng::storage.steps);
    std::vector<size_t>& starting = eng::storage.starting;
    starting.clear();
    eng::each_with_gradient(*parameters, [&](size_t i, const at::Tensor& parameter, at::Tensor gradient) {
      const bool starts = with_momentum && !momentum_buffers->tensors[i].defined();
      if (starts) {
        starting.push_back(i);
        new_b->push_back(at::empty_like(parameter));
      } else if (with_momentum) {
        b->push_back(eng::like_parameter(*momentum_buffers, i, parameter));
      }
      (starts ? new_p : p)->push_back(parameter);
      (starts ? new_g : g)->push_back(std::move(gradient));
    });
    const auto update = [&](eng::Scratch& params, eng::Scratch& grads, eng::Scratch& buffers, bool first) {
      if (params->empty()) return;
      at::_fused_sgd_(*params, *grads, *buffers, o.weight_decay, o.momentum, o.lr, o.dampening, o.nesterov, o.maximize,
                      first);
    };
    update(p, g, b, false);
    update(new_p, new_g, new_b, true);
    // kept only now: a call that failed has started no buffer
    for (size_t k = 0; k < starting.size(); ++k) momentum_buffers->tensors[starting[k]] = std::move((*new_b)[k]);
  });
}
