// Activation checkpointing: a block whose activations are not kept for backward, but computed again there.
#include "core.hpp"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <mutex>

extern "C" {
// A block as Rust gives it: `call` computes its output from its inputs, or returns a text that says why it can't. Both
// pointers are Rust's; a text lives until the next call.
struct EngBlock {
  void* data;
  const char* (*call)(void* data, const at::Tensor* const* inputs, size_t count, at::Tensor** out);
  void (*free)(void* data);
};
}

namespace eng {
namespace {

class Block {
 public:
  explicit Block(EngBlock block) : block_(block) {}
  ~Block() { block_.free(block_.data); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  at::Tensor operator()(const std::vector<at::Tensor>& inputs) const {
    std::vector<const at::Tensor*> pointers;
    for (const at::Tensor& input : inputs) pointers.push_back(&input);
    at::Tensor* out = nullptr;
    if (const char* error = block_.call(block_.data, pointers.data(), pointers.size(), &out)) throw SystemError(error);
    std::unique_ptr<at::Tensor> owned(out);
    return *owned;
  }

 private:
  EngBlock block_;
};

// Where the generators stand that dropout draws from: that of the CPU, and that of the device of the inputs.
class Generators {
 public:
  explicit Generators(const std::vector<at::Tensor>& inputs) {
    add(at::globalContext().defaultGenerator(at::kCPU));
    for (const at::Tensor& input : inputs) {
      if (input.is_cpu()) continue;
      add(at::globalContext().defaultGenerator(input.device()));
      break;
    }
  }

  void put_back() const {
    for (const auto& [generator, state] : states_) {
      at::Generator held = generator;
      const std::lock_guard<std::mutex> lock(held.mutex());
      held.set_state(state);
    }
  }

 private:
  void add(const at::Generator& generator) {
    at::Generator held = generator;
    const std::lock_guard<std::mutex> lock(held.mutex());
    states_.emplace_back(generator, held.get_state());
  }

  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

// Autocast as it was in the forward pass.
struct Casting {
  at::DeviceType device;
  bool enabled;
  at::ScalarType dtype;

  static Casting now(at::DeviceType device) {
    return {device, at::autocast::is_autocast_enabled(device), at::autocast::get_autocast_dtype(device)};
  }
  void apply() const {
    at::autocast::set_autocast_dtype(device, dtype);
    at::autocast::set_autocast_enabled(device, enabled);
  }
};

// What forward leaves for backward besides the inputs.
struct Recomputed : torch::CustomClassHolder {
  Recomputed(std::shared_ptr<Block> block, Generators generators, std::vector<Casting> casting)
      : block(std::move(block)), generators(std::move(generators)), casting(std::move(casting)) {}

  std::shared_ptr<Block> block;
  Generators generators;
  std::vector<Casting> casting;
};

// Runs something with generators and autocast as they were in forward, and puts back what it found.
class AsInForward {
 public:
  AsInForward(const Recomputed& forward, const std::vector<at::Tensor>& inputs) : generators_(inputs) {
    for (const Casting& casting : forward.casting) {
      casting_.push_back(Casting::now(casting.device));
      casting.apply();
    }
    at::autocast::increment_nesting();
    forward.generators.put_back();
  }
  ~AsInForward() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    for (const Casting& casting : casting_) casting.apply();
    generators_.put_back();
  }

 private:
  Generators generators_;
  std::vector<Casting> casting_;
};

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Recompute : torch::autograd::Function<Recompute> {
  // `hook` requires a gradient, so that the output does too when none of the inputs does: parameters are no inputs.
  static at::Tensor forward(AutogradContext* context, std::shared_ptr<Block> block, const at::Tensor& /*hook*/,
                            at::TensorList given) {
    const variable_list inputs = given.vec();
    std::vector<Casting> casting{Casting::now(at::kCPU), Casting::now(at::kCUDA)};
    auto kept = c10::make_intrusive<Recomputed>(block, Generators(inputs), std::move(casting));
    context->saved_data["forward"] = c10::IValue::make_capsule(std::move(kept));
    context->save_for_backward(inputs);
    return (*block)(inputs);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto capsule = context->saved_data["forward"].toCapsule();
    const auto forward = c10::static_intrusive_pointer_cast<Recomputed>(capsule);
    const variable_list saved = context->get_saved_variables();
    std::vector<at::Tensor> inputs;
    for (const at::Tensor& input : saved) {
      inputs.push_back(input.detach().set_requires_grad(input.requires_grad()));
    }
    at::Tensor output;
    {
      at::AutoGradMode enabled(true);
      AsInForward as_in_forward(*forward, inputs);
      output = (*forward->block)(inputs);
    }
    // parameters get their gradients here
    if (output.requires_grad()) torch::autograd::backward({output}, {gradients[0]});
    variable_list results{at::Tensor(), at::Tensor()};
    for (const at::Tensor& input : inputs) results.push_back(input.grad());
    return results;
  }
};

}  // namespace
}  // namespace eng

// The output of a block. What it computes in between is not kept: backward computes it again. Takes over `block`, also
// when it fails.
ENG_API int eng_recompute(EngBlock block, const at::Tensor* const* inputs, size_t count, at::Tensor** out) {
  auto owned = std::make_shared<eng::Block>(block);
  return eng::guarded([&] {
    eng::variable_list list;
    for (size_t i = 0; i < count; ++i) list.push_back(*inputs[i]);
    at::Tensor hook = at::empty({0}).set_requires_grad(true);
    *out = eng::give(eng::Recompute::apply(owned, hook, at::TensorList(list)));
  });
}
