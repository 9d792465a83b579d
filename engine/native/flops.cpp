// How many floating point operations matrix products, convolutions and attention take, by their shapes.
#include "core.hpp"

#include <ATen/record_function.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace eng {
namespace {

// An operator with the memory of its two operands, so that it is known whose weight it has multiplied with.
using Product = std::tuple<std::string, size_t, size_t>;

struct Flops {
  std::mutex mutex;
  bool on = false;
  std::map<Product, uint64_t> counts;
};
Flops flops;
at::CallbackHandle counting = 0;

size_t memory_of(const at::Tensor& tensor) {
  return tensor.has_storage() ? reinterpret_cast<size_t>(tensor.storage().unsafeGetStorageImpl()) : 0;
}

const at::Tensor* tensor_at(c10::ArrayRef<const at::IValue> inputs, size_t index) {
  if (index >= inputs.size() || !inputs[index].isTensor() || !inputs[index].toTensor().defined()) return nullptr;
  return &inputs[index].toTensor();
}

uint64_t number(int64_t value) { return value < 0 ? 0 : static_cast<uint64_t>(value); }

void add(std::string_view name, uint64_t count, const at::Tensor& a, const at::Tensor& b) {
  flops.counts[{std::string(name), memory_of(a), memory_of(b)}] += count;
}

// [.., n, m] times [.., m, p], or a vector in the place of one of them: a product and a sum for each of n·m·p.
void product(std::string_view name, c10::ArrayRef<const at::IValue> inputs, size_t first) {
  const at::Tensor *a = tensor_at(inputs, first), *b = tensor_at(inputs, first + 1);
  if (!a || !b || a->dim() == 0) return;
  const uint64_t columns = b->dim() >= 2 ? number(b->size(-1)) : 1;
  add(name, 2 * number(a->numel()) * columns, *a, *b);
}

int64_t at_or(const std::vector<int64_t>& list, size_t index) { return list.size() == 1 ? list[0] : list.at(index); }

// The positions of the result of a convolution of `x` with `weight`, over all samples.
uint64_t positions(const at::Tensor& x, const at::Tensor& weight, c10::ArrayRef<const at::IValue> inputs) {
  const auto stride = inputs[3].toIntVector(), padding = inputs[4].toIntVector(), dilation = inputs[5].toIntVector();
  uint64_t count = number(x.size(0));
  for (int64_t d = 2; d < x.dim(); ++d) {
    const size_t i = static_cast<size_t>(d - 2);
    const int64_t window = at_or(dilation, i) * (weight.size(d) - 1) + 1;
    count *= number((x.size(d) + 2 * at_or(padding, i) - window) / at_or(stride, i) + 1);
  }
  return count;
}

// Each output channel takes a product with its window of the input channels of its group.
void convolution(std::string_view name, c10::ArrayRef<const at::IValue> inputs) {
  const at::Tensor *x = tensor_at(inputs, 0), *weight = tensor_at(inputs, 1);
  if (!x || !weight || inputs.size() < 9 || x->dim() != weight->dim() || x->dim() < 3) return;
  const bool transposed = inputs[6].toBool();
  // a transposed one goes the other way: from each position of its input
  const uint64_t at = transposed ? number(x->numel() / x->size(1)) : positions(*x, *weight, inputs);
  add(name, 2 * at * number(weight->numel()), *x, *weight);
}

// The gradients that are asked for take as much as the forward pass each.
void convolution_backward(std::string_view name, c10::ArrayRef<const at::IValue> inputs) {
  const at::Tensor *gradient = tensor_at(inputs, 0), *x = tensor_at(inputs, 1), *weight = tensor_at(inputs, 2);
  if (!gradient || !x || !weight || inputs.size() < 11 || x->dim() < 3) return;
  const at::Tensor& from = inputs[7].toBool() ? *x : *gradient;
  const auto mask = inputs[10].toBoolList();
  const uint64_t times = (mask.get(0) ? 1 : 0) + (mask.get(1) ? 1 : 0);
  add(name, times * 2 * number(from.numel() / from.size(1)) * number(weight->numel()), *x, *weight);
}

// Queries [b, h, n, d], keys [b, h, m, d], values [b, h, m, e].
void attention(std::string_view name, c10::ArrayRef<const at::IValue> inputs, bool backward) {
  const size_t first = backward ? 1 : 0;
  const at::Tensor *q = tensor_at(inputs, first), *k = tensor_at(inputs, first + 1), *v = tensor_at(inputs, first + 2);
  if (!q || !k || !v || q->dim() != 4 || k->dim() != 4 || v->dim() != 4) return;
  const uint64_t pairs = number(q->size(0)) * number(q->size(1)) * number(q->size(2)) * number(k->size(2));
  const uint64_t scores = 2 * pairs * number(q->size(3)), sums = 2 * pairs * number(v->size(3));
  // backward computes the scores again, then two gradients of each of the two products
  add(name, backward ? 3 * scores + 2 * sums : scores + sums, *q, *k);
}

std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& call) {
  std::lock_guard<std::mutex> lock(flops.mutex);
  if (!flops.on) return nullptr;
  const std::string_view name = call.name();
  const auto inputs = call.inputs();
  if (name == "aten::mm" || name == "aten::bmm" || name == "aten::mv" || name == "aten::dot") {
    product(name, inputs, 0);
  } else if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::addmv") {
    product(name, inputs, 1);
  } else if (name == "aten::convolution") {
    convolution(name, inputs);
  } else if (name == "aten::convolution_backward") {
    convolution_backward(name, inputs);
  } else if (starts_with(name, "aten::_scaled_dot_product_") && name.find("_attention") != std::string_view::npos &&
             name.find("_math") == std::string_view::npos) {
    attention(name, inputs, name.find("_backward") != std::string_view::npos);
  }
  return nullptr;
}

}  // namespace
}  // namespace eng

// Counts on this thread, and on those that run backward for it, until `eng_flops_end`. One count at a time.
ENG_API int eng_flops_begin() {
  return eng::guarded([&] {
    {
      std::lock_guard<std::mutex> lock(eng::flops.mutex);
      eng::flops.on = true;
      eng::flops.counts.clear();
    }
    eng::counting = at::addThreadLocalCallback(
        at::RecordFunctionCallback(eng::count).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  });
}

// Calls `each` with each operator and its operands, and begins anew.
ENG_API int eng_flops_take(void* data, void (*each)(void*, const char*, size_t, size_t, uint64_t)) {
  return eng::guarded([&] {
    std::map<eng::Product, uint64_t> counts;
    {
      std::lock_guard<std::mutex> lock(eng::flops.mutex);
      counts.swap(eng::flops.counts);
    }
    for (const auto& [product, count] : counts) {
      each(data, std::get<0>(product).c_str(), std::get<1>(product), std::get<2>(product), count);
    }
  });
}

ENG_API void eng_flops_end() {
  eng::guarded([] { at::removeCallback(eng::counting); });
  std::lock_guard<std::mutex> lock(eng::flops.mutex);
  eng::flops.on = false;
}
