// Which operator gives the first number that is not finite.
#include "core.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/all.h>
#include <ATen/ops/isinf.h>
#include <ATen/ops/isnan.h>
#include <ATen/record_function.h>

#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>

namespace eng {
namespace {

// The first operators whose results hold a NaN and an infinity, with the shape of that result.
struct Found {
  std::mutex mutex;
  bool on = false;
  std::string nan;
  std::string infinite;
};
Found found;
at::CallbackHandle checking = 0;

// Memory that holds nothing yet.
bool is_unwritten(std::string_view name) {
  return starts_with(name, "aten::empty") || starts_with(name, "aten::new_empty") || starts_with(name, "aten::resize");
}

// Writes numbers that were asked for: a mask of attention is filled with infinities on purpose.
bool is_filled(std::string_view name) {
  return starts_with(name, "aten::masked_fill") || starts_with(name, "aten::fill") || starts_with(name, "aten::full") ||
         starts_with(name, "aten::scalar_tensor") || starts_with(name, "aten::lift");
}

void note(std::string& place, std::string_view name, const at::Tensor& tensor) {
  if (!place.empty()) return;
  std::ostringstream text;
  text << "`" << name << "` with a result of shape " << tensor.sizes();
  place = text.str();
}

// Whether numbers hold a NaN, and an infinity.
struct Holds {
  bool nan = false;
  bool infinite = false;
};

Holds holds(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_floating_point() || tensor.numel() == 0 || tensor.layout() != at::kStrided) return {};
  return {at::isnan(tensor).any().item<bool>(), at::isinf(tensor).any().item<bool>()};
}

template <typename Values, typename Look>
void each_tensor(const Values& values, Look look) {
  for (const at::IValue& value : values) {
    if (value.isTensor()) {
      look(value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) look(tensor);
    }
  }
}

// What an operator is given. It is looked at before the operator, which may write into it.
struct Given : at::ObserverContext {
  Holds given;
};

std::unique_ptr<at::ObserverContext> before(const at::RecordFunction& call) {
  auto context = std::make_unique<Given>();
  std::lock_guard<std::mutex> lock(found.mutex);
  if (!found.on) return context;
  // what is asked here is no part of the step
  at::DisableRecordFunctionGuard unseen;
  at::NoGradGuard no_grad;
  each_tensor(call.inputs(), [&](const at::Tensor& tensor) {
    const Holds held = holds(tensor);
    context->given.nan |= held.nan;
    context->given.infinite |= held.infinite;
  });
  return context;
}

// An operator that passes on what it was given is not the first: views, copies, memory that is not written yet.
void after(const at::RecordFunction& call, at::ObserverContext* context) {
  std::lock_guard<std::mutex> lock(found.mutex);
  const std::string_view name = call.name();
  if (!found.on || context == nullptr || is_unwritten(name)) return;
  const Holds given = static_cast<Given*>(context)->given;
  at::DisableRecordFunctionGuard unseen;
  at::NoGradGuard no_grad;
  each_tensor(call.outputs(), [&](const at::Tensor& tensor) {
    const Holds held = holds(tensor);
    if (held.nan && !given.nan) note(found.nan, name, tensor);
    if (held.infinite && !given.infinite && !is_filled(name)) note(found.infinite, name, tensor);
  });
}

}  // namespace
}  // namespace eng

// Watches this thread, and the threads that run backward for it, until `eng_finite_end`. One watch at a time.
ENG_API int eng_finite_begin() {
  return eng::guarded([&] {
    {
      std::lock_guard<std::mutex> lock(eng::found.mutex);
      eng::found.on = true;
      eng::found.nan.clear();
      eng::found.infinite.clear();
    }
    eng::checking = at::addThreadLocalCallback(
        at::RecordFunctionCallback(eng::before, eng::after)
            .needsInputs(true)
            .needsOutputs(true)
            .scopes({at::RecordScope::FUNCTION}));
  });
}

// What was found so far, in texts that hold until something else is found; null for nothing.
ENG_API void eng_finite_found(const char** nan, const char** infinite) {
  std::lock_guard<std::mutex> lock(eng::found.mutex);
  *nan = eng::found.nan.empty() ? nullptr : eng::found.nan.c_str();
  *infinite = eng::found.infinite.empty() ? nullptr : eng::found.infinite.c_str();
}

ENG_API void eng_finite_end() {
  eng::guarded([] { at::removeCallback(eng::checking); });
  std::lock_guard<std::mutex> lock(eng::found.mutex);
  eng::found.on = false;
}
