// The fused optimizer steps of libtorch: one kernel per list instead of a dozen per parameter.
//
// State tensors are made when a parameter's first gradient comes, so frozen parameters cost nothing, and a
// parameter without a gradient is passed over with its state untouched.
//
// `grad_scale` and `found_inf` may be null. Gradients are divided by `grad_scale`, in place. Where `found_inf` is 1, the
// kernels leave parameters and moments as they are; it is 0 or 1, and only the device knows which. `rate` may be null; it
// is a learning rate on the device, which takes the place of that of the options.
#include "core.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adagrad.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/rsub.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full_like.h>
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

struct EngAdagradOptions {
  double lr;
  double lr_decay;
  double weight_decay;
  double eps;
  double initial_sum;
  bool maximize;
};

namespace eng {
namespace {

using Tensors = std::vector<at::Tensor>;

// One vector per argument of the widest kernel.
struct Storage {
  Tensors parameters, gradients, first, second, third, steps, held, copied;
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

// The state of a parameter, checked; made of `initial` when it is not there yet.
const at::Tensor& like_parameter(List& state, size_t index, const at::Tensor& parameter, double initial = 0.0) {
  at::Tensor& held = state.tensors[index];
  if (!held.defined()) {
    held = initial == 0.0 ? at::zeros_like(parameter) : at::full_like(parameter, initial);
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

// Counts one update, or none where `found_inf` is 1. The kernels leave the counts to their caller. On the CPU each count
// is changed in place: the foreach operator would go through libtorch's dispatcher once for each parameter, which took
// more than half of an update of many small ones.
void count_update(Tensors& steps, const at::Tensor* found_inf) {
  if (steps.front().is_cpu()) {
    const float updates = found_inf ? 1.0f - *found_inf->const_data_ptr<float>() : 1.0f;
    for (const at::Tensor& step : steps) *step.mutable_data_ptr<float>() += updates;
  } else if (found_inf) {
    at::_foreach_add_(steps, at::rsub(found_inf->reshape({}), 1));
  } else {
    at::_foreach_add_(steps, 1);
  }
}

std::optional<at::Tensor> given(const at::Tensor* tensor) {
  return tensor ? std::optional<at::Tensor>(*tensor) : std::nullopt;
}

// The kernels read `found_inf`, `grad_scale` and a rate as one float on their device, without a look at what they are given.
void check_scalar(const char* name, const at::Tensor* scalar, const at::Tensor& parameter) {
  if (!scalar || (scalar->numel() == 1 && scalar->scalar_type() == at::kFloat && scalar->device() == parameter.device())) {
    return;
  }
  throw ArgumentError(std::string("`") + name + "` is not a float of one element on the device of the parameters, " +
                      c10::Device(parameter.device()).str());
}

// The gradients of one call that do not lie as their parameters do: a kernel takes copies of them, and those that it
// has unscaled are put back.
class Relaid {
 public:
  explicit Relaid(bool unscaled) : unscaled_(unscaled), held_(storage.held), copied_(storage.copied) {}

  at::Tensor operator()(const at::Tensor& parameter, const at::Tensor& gradient) {
    at::Tensor laid = gradient_laid_as(parameter, gradient);
    if (unscaled_ && !laid.is_same(gradient)) {
      held_->push_back(gradient);
      copied_->push_back(laid);
    }
    return laid;
  }

  void put_back() {
    for (size_t i = 0; i < held_->size(); ++i) (*held_)[i].copy_((*copied_)[i]);
  }

 private:
  bool unscaled_;
  Scratch held_, copied_;
};

// The learning rate as a kernel takes it, for `update`: a float on the device, or a number. On CUDA the number is rounded
// to a float, so that an update gives the same bits whichever way its rate comes.
template <class Update>
void with_rate(const at::Tensor* on_device, double rate, const at::Tensor& parameter, Update&& update) {
  if (on_device) {
    check_scalar("lr", on_device, parameter);
    update(*on_device);
  } else {
    update(parameter.is_cuda() ? static_cast<double>(static_cast<float>(rate)) : rate);
  }
}

// Calls `visit(index, parameter, gradient)` for each parameter that has a gradient, all checks done.
template <class Visit>
void each_with_gradient(const List& parameters, Relaid& relaid, Visit&& visit) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& parameter = parameters.tensors[i];
    const at::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    check_parameter(i, parameter, parameters.tensors.front());
    check_gradient(i, parameter, gradient);
    visit(i, parameter, relaid(parameter, gradient));
  }
}

}  // namespace
}  // namespace eng

// One Adam or AdamW (`decoupled`) update. `max_exp_avg_sqs` is null without amsgrad.
ENG_API int eng_fused_adam(const eng::List* parameters, eng::List* exp_avgs, eng::List* exp_avg_sqs,
                           eng::List* max_exp_avg_sqs, eng::List* steps, const EngAdamOptions* options,
                           const at::Tensor* grad_scale, const at::Tensor* found_inf, const at::Tensor* rate) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    if (options->amsgrad && !max_exp_avg_sqs) throw eng::ArgumentError("amsgrad needs its own state");
    eng::check_lengths(*parameters, {exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps});
    eng::Scratch p(eng::storage.parameters), g(eng::storage.gradients), m(eng::storage.first),
        v(eng::storage.second), x(eng::storage.third), s(eng::storage.steps);
    eng::Relaid relaid(grad_scale != nullptr);
    eng::each_with_gradient(*parameters, relaid, [&](size_t i, const at::Tensor& parameter, at::Tensor gradient) {
      m->push_back(eng::like_parameter(*exp_avgs, i, parameter));
      v->push_back(eng::like_parameter(*exp_avg_sqs, i, parameter));
      if (options->amsgrad) x->push_back(eng::like_parameter(*max_exp_avg_sqs, i, parameter));
      s->push_back(eng::step_count(*steps, i, parameter));
      p->push_back(parameter);
      g->push_back(std::move(gradient));
    });
    if (p->empty()) return;
    eng::check_scalar("grad_scale", grad_scale, p->front());
    eng::check_scalar("found_inf", found_inf, p->front());
    eng::count_update(*s, found_inf);
    const EngAdamOptions& o = *options;
    eng::with_rate(rate, o.lr, p->front(), [&](const auto& lr) {
      if (o.decoupled) {
        at::_fused_adamw_(*p, *g, *m, *v, *x, *s, lr, o.beta1, o.beta2, o.weight_decay, o.eps, o.amsgrad, o.maximize,
                          eng::given(grad_scale), eng::given(found_inf));
      } else {
        at::_fused_adam_(*p, *g, *m, *v, *x, *s, lr, o.beta1, o.beta2, o.weight_decay, o.eps, o.amsgrad, o.maximize,
                         eng::given(grad_scale), eng::given(found_inf));
      }
    });
    relaid.put_back();
  });
}

// One Adagrad update.
ENG_API int eng_fused_adagrad(const eng::List* parameters, eng::List* sums, eng::List* steps,
                              const EngAdagradOptions* options, const at::Tensor* grad_scale,
                              const at::Tensor* found_inf) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_lengths(*parameters, {sums, steps});
    const EngAdagradOptions& o = *options;
    eng::Scratch p(eng::storage.parameters), g(eng::storage.gradients), v(eng::storage.first), s(eng::storage.steps);
    eng::Relaid relaid(grad_scale != nullptr);
    eng::each_with_gradient(*parameters, relaid, [&](size_t i, const at::Tensor& parameter, at::Tensor gradient) {
      v->push_back(eng::like_parameter(*sums, i, parameter, o.initial_sum));
      s->push_back(eng::step_count(*steps, i, parameter));
      p->push_back(parameter);
      g->push_back(std::move(gradient));
    });
    if (p->empty()) return;
    eng::check_scalar("grad_scale", grad_scale, p->front());
    eng::check_scalar("found_inf", found_inf, p->front());
    eng::count_update(*s, found_inf);
    at::_fused_adagrad_(*p, *g, *v, *s, o.lr, o.lr_decay, o.weight_decay, o.eps, o.maximize, eng::given(grad_scale),
                        eng::given(found_inf));
    relaid.put_back();
  });
}

// One SGD update. A momentum buffer starts as its parameter's first gradient, as PyTorch's does, so
// parameters that start now and parameters that go on are two calls of the kernel.
//
// A buffer whose first update may be left out starts as zeros, on which the next update does what a first one does,
// unless the gradient is dampened: a first gradient never is. So with `dampening`, and until all buffers have
// started, `found_inf` is read from the device.
ENG_API int eng_fused_sgd(const eng::List* parameters, eng::List* momentum_buffers, const EngSgdOptions* options,
                          const at::Tensor* grad_scale, const at::Tensor* found_inf, const at::Tensor* rate) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_lengths(*parameters, {momentum_buffers});
    const EngSgdOptions& o = *options;
    const bool with_momentum = o.momentum != 0.0;
    eng::Scratch p(eng::storage.parameters), g(eng::storage.gradients), b(eng::storage.first),
        new_p(eng::storage.second), new_g(eng::storage.third), new_b(eng::storage.steps);
    std::vector<size_t>& starting = eng::storage.starting;
    starting.clear();
    eng::Relaid relaid(grad_scale != nullptr);
    eng::each_with_gradient(*parameters, relaid, [&](size_t i, const at::Tensor& parameter, at::Tensor gradient) {
      const bool starts = with_momentum && !momentum_buffers->tensors[i].defined();
      if (starts) {
        starting.push_back(i);
        new_b->push_back(found_inf ? at::zeros_like(parameter) : at::empty_like(parameter));
      } else if (with_momentum) {
        b->push_back(eng::like_parameter(*momentum_buffers, i, parameter));
      }
      (starts ? new_p : p)->push_back(parameter);
      (starts ? new_g : g)->push_back(std::move(gradient));
    });
    if (p->empty() && new_p->empty()) return;
    const at::Tensor& one = p->empty() ? new_p->front() : p->front();
    eng::check_scalar("grad_scale", grad_scale, one);
    eng::check_scalar("found_inf", found_inf, one);
    if (found_inf && o.dampening != 0.0 && !starting.empty() && found_inf->item<float>() == 1.0f) return;
    const auto update = [&](eng::Scratch& params, eng::Scratch& grads, eng::Scratch& buffers, bool first) {
      if (params->empty()) return;
      eng::with_rate(rate, o.lr, params->front(), [&](const auto& lr) {
        at::_fused_sgd_(*params, *grads, *buffers, o.weight_decay, o.momentum, lr, o.dampening, o.nesterov, o.maximize,
                        first, eng::given(grad_scale), eng::given(found_inf));
      });
    };
    update(p, g, b, false);
    update(new_p, new_g, new_b, true);
    // kept only now: a call that failed has started no buffer
    for (size_t k = 0; k < starting.size(); ++k) momentum_buffers->tensors[starting[k]] = std::move((*new_b)[k]);
    relaid.put_back();
  });
}
