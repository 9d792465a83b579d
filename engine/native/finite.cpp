// Which operator gives the first number that is not finite.
#include "core.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/all.h>
#include <ATen/ops/isinf.h>
#include <ATen/ops/isnan.h>
#include <ATen/record_function.h>

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

bool starts_with(std::string_view name, std::string_view prefix) {
  return name.substr(0, prefix.size()) == prefix;
}

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

void look(std::string_view name, const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_floating_point() || tensor.numel() == 0 || tensor.layout() != at::kStrided) return;
  if (found.nan.empty() && at::isnan(tensor).any().item<bool>()) note(found.nan, name, tensor);
  if (found.infinite.empty() && !is_filled(name) && at::isinf(tensor).any().item<bool>()) {
    note(found.infinite, name, tensor);
  }
}

void check(const at::RecordFunction& call, at::ObserverContext*) {
  std::lock_guard<std::mutex> lock(found.mutex);
  const std::string_view name = call.name();
  if (!found.on || is_unwritten(name)) return;
  // what is asked here is no part of the step
  at::DisableRecordFunctionGuard unseen;
  at::NoGradGuard no_grad;
  for (const at::IValue& output : call.outputs()) {
    if (output.isTensor()) {
      look(name, output.toTensor());
    } else if (output.isTensorList()) {
      for (const at::Tensor& tensor : output.toTensorVector()) look(name, tensor);
    }
  }
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
        at::RecordFunctionCallback(nullptr, eng::check).needsOutputs(true).scopes({at::RecordScope::FUNCTION}));
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
