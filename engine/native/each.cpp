// Arithmetic on whole lists of tensors, of which updates of optimizers are written.
//
// A "number of each" is one double per tensor of a list, in one vector of shape [n] on the device of the list. On the
// CPU libtorch's operators take it as scalars; elsewhere it stays on the device, because reading it would wait.
#include "core.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_abs.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_maximum.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_neg.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_reciprocal.h>
#include <ATen/ops/_foreach_sign.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

namespace eng {
namespace {

using Tensors = std::vector<at::Tensor>;

void check_defined(const List& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list.tensors[i].defined()) throw ArgumentError(i, "tensor " + std::to_string(i) + " of a list is not defined");
  }
}

void check_alike(const List& into, const List& other) {
  if (into.size() != other.size()) {
    throw ArgumentError("the lists have " + std::to_string(into.size()) + " and " + std::to_string(other.size()) +
                        " tensors; they must have as many");
  }
  check_defined(into);
  check_defined(other);
  for (size_t i = 0; i < into.size(); ++i) {
    if (into.tensors[i].sizes() != other.tensors[i].sizes()) {
      throw ArgumentError(i, describe("tensor", i, into.tensors[i]) + " has another shape than " +
                          describe("its partner", i, other.tensors[i]));
    }
  }
}

void check_numbers(const List& list, const at::Tensor& numbers) {
  if (numbers.dim() != 1 || numbers.size(0) != static_cast<int64_t>(list.size()) || numbers.scalar_type() != at::kDouble ||
      !numbers.is_contiguous()) {
    throw ArgumentError(describe("the numbers of list", 0, numbers) + " must be " + std::to_string(list.size()) +
                        " doubles, one for each tensor");
  }
}

// The numbers as scalars, when the host can see them.
std::vector<at::Scalar> scalars(const at::Tensor& numbers) {
  const double* data = numbers.const_data_ptr<double>();
  return std::vector<at::Scalar>(data, data + numbers.numel());
}

List* give_list(Tensors tensors) {
  auto list = std::make_unique<List>();
  list->tensors = std::move(tensors);
  return list.release();
}

}  // namespace
}  // namespace eng

// The numbers of the operations are known to engine/src/native/each.rs.

ENG_API int eng_each_scalar(int operation, eng::List* list, double value) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*list);
    if (list->size() == 0) return;
    switch (operation) {
      case 0: return at::_foreach_add_(list->tensors, value);
      case 1: return at::_foreach_mul_(list->tensors, value);
      case 2: return at::_foreach_clamp_min_(list->tensors, value);
      case 3: return at::_foreach_clamp_max_(list->tensors, value);
      default: throw eng::ArgumentError("unknown operation on a scalar");
    }
  });
}

// A list of new tensors.
ENG_API int eng_each_function(int operation, const eng::List* list, eng::List** out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*list);
    const auto apply = [&]() -> eng::Tensors {
      if (list->size() == 0) return {};
      switch (operation) {
        case 0: return at::_foreach_sqrt(list->tensors);
        case 1: return at::_foreach_abs(list->tensors);
        case 2: return at::_foreach_sign(list->tensors);
        case 3: return at::_foreach_neg(list->tensors);
        case 4: return at::_foreach_reciprocal(list->tensors);
        default: throw eng::ArgumentError("unknown function");
      }
    };
    *out = eng::give_list(apply());
  });
}

// Copies of the tensors; an undefined entry stays undefined.
ENG_API int eng_each_clone(const eng::List* list, eng::List** out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::Tensors copies;
    copies.reserve(list->size());
    for (const at::Tensor& tensor : list->tensors) copies.push_back(tensor.defined() ? tensor.clone() : tensor);
    *out = eng::give_list(std::move(copies));
  });
}

// Where the flag is not 0, every tensor gets the values that were kept. Undefined entries are passed over.
ENG_API int eng_each_restore(eng::List* list, const eng::List* kept, const at::Tensor* flag) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    const at::Tensor back = flag->reshape({}).to(at::kBool);
    for (size_t i = 0; i < list->size(); ++i) {
      const at::Tensor& tensor = list->tensors[i];
      if (tensor.defined()) tensor.copy_(at::where(back, kept->tensors.at(i), tensor));
    }
  });
}

ENG_API int eng_each_with(int operation, eng::List* into, const eng::List* other, double value) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_alike(*into, *other);
    if (into->size() == 0) return;
    switch (operation) {
      case 0: return at::_foreach_add_(into->tensors, other->tensors, value);
      case 1: return at::_foreach_mul_(into->tensors, other->tensors);
      case 2: return at::_foreach_div_(into->tensors, other->tensors);
      case 3: return at::_foreach_maximum_(into->tensors, other->tensors);
      default: throw eng::ArgumentError("unknown operation on two lists");
    }
  });
}

// first + value * second, as a list of new tensors.
ENG_API int eng_each_sum(const eng::List* first, const eng::List* second, double value, eng::List** out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_alike(*first, *second);
    *out = eng::give_list(first->size() == 0 ? eng::Tensors() : at::_foreach_add(first->tensors, second->tensors, value));
  });
}

// into += value * first * second, or into += value * first / second.
ENG_API int eng_each_product(bool quotient, eng::List* into, const eng::List* first, const eng::List* second, double value) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_alike(*into, *first);
    eng::check_alike(*into, *second);
    if (into->size() == 0) return;
    if (quotient) {
      at::_foreach_addcdiv_(into->tensors, first->tensors, second->tensors, value);
    } else {
      at::_foreach_addcmul_(into->tensors, first->tensors, second->tensors, value);
    }
  });
}

// As `eng_each_product`, with a number of each in the place of the value.
ENG_API int eng_each_product_by(bool quotient, eng::List* into, const eng::List* first, const eng::List* second,
                                const at::Tensor* numbers) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_alike(*into, *first);
    eng::check_alike(*into, *second);
    eng::check_numbers(*into, *numbers);
    if (into->size() == 0) return;
    if (numbers->is_cpu()) {
      const std::vector<at::Scalar> values = eng::scalars(*numbers);
      if (quotient) {
        at::_foreach_addcdiv_(into->tensors, first->tensors, second->tensors, values);
      } else {
        at::_foreach_addcmul_(into->tensors, first->tensors, second->tensors, values);
      }
      return;
    }
    eng::Tensors added = quotient ? at::_foreach_div(first->tensors, second->tensors)
                                  : at::_foreach_mul(first->tensors, second->tensors);
    at::_foreach_mul_(added, numbers->unbind());
    at::_foreach_add_(into->tensors, added);
  });
}

// Multiplies or adds a number of each.
ENG_API int eng_each_by(bool multiply, eng::List* list, const at::Tensor* numbers) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*list);
    eng::check_numbers(*list, *numbers);
    if (list->size() == 0) return;
    if (numbers->is_cpu()) {
      const std::vector<at::Scalar> values = eng::scalars(*numbers);
      multiply ? at::_foreach_mul_(list->tensors, values) : at::_foreach_add_(list->tensors, values);
    } else {
      const eng::Tensors values = numbers->unbind();
      multiply ? at::_foreach_mul_(list->tensors, values) : at::_foreach_add_(list->tensors, values);
    }
  });
}

// The 2-norm of each tensor, as a number of each.
ENG_API int eng_each_norm(const eng::List* list, at::Tensor** out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*list);
    if (list->size() == 0) throw eng::ArgumentError("an empty list has no norms");
    *out = eng::give(at::stack(at::_foreach_norm(list->tensors, 2)).to(at::kDouble));
  });
}

// 0-d floats as a number of each.
ENG_API int eng_each_number(const eng::List* list, at::Tensor** out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*list);
    if (list->size() == 0) throw eng::ArgumentError("an empty list has no numbers");
    for (size_t i = 0; i < list->size(); ++i) {
      const at::Tensor& number = list->tensors[i];
      if (number.dim() != 0 || number.scalar_type() != at::kFloat) {
        throw eng::ArgumentError(i, eng::describe("tensor", i, number) + " is no 0-d float");
      }
    }
    if (!list->tensors.front().is_cpu()) {
      *out = eng::give(at::stack(list->tensors).to(at::kDouble));
      return;
    }
    at::Tensor numbers = at::empty({static_cast<int64_t>(list->size())}, at::kDouble);
    double* data = numbers.mutable_data_ptr<double>();
    for (size_t i = 0; i < list->size(); ++i) data[i] = *list->tensors[i].const_data_ptr<float>();
    *out = eng::give(std::move(numbers));
  });
}

// Writes a number of each into 0-d tensors.
ENG_API int eng_each_set_number(eng::List* list, const at::Tensor* numbers) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*list);
    eng::check_numbers(*list, *numbers);
    if (list->size() > 0) at::_foreach_copy_(list->tensors, numbers->unbind());
  });
}

// The orthogonal matrix next to each matrix, nearly: iterations of Newton and Schulz in 16 bits, as torch.optim.Muon has
// them, in the matrix's own kind.
ENG_API int eng_each_orthogonal(const eng::List* list, double a, double b, double c, int64_t iterations, double eps,
                                eng::List** out) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*list);
    eng::Tensors made;
    made.reserve(list->size());
    for (size_t i = 0; i < list->size(); ++i) {
      const at::Tensor& matrix = list->tensors[i];
      if (matrix.dim() != 2) throw eng::ArgumentError(i, eng::describe("tensor", i, matrix) + " is no matrix");
      const bool tall = matrix.size(0) > matrix.size(1);
      at::Tensor x = matrix.to(at::kBFloat16, /*non_blocking=*/false, /*copy=*/true);
      if (tall) x = x.t();
      // no singular value is above 1 from here on
      x.div_(x.norm().clamp_min(eps));
      for (int64_t k = 0; k < iterations; ++k) {
        const at::Tensor gram = at::mm(x, x.t());
        x = at::addmm(x, at::addmm(gram, gram, gram, b, c), x, a);
      }
      made.push_back((tall ? x.t() : x).to(matrix.scalar_type()));
    }
    *out = eng::give_list(std::move(made));
  });
}

// As `RawSlot` in engine/src/native/update.rs.
struct EngSlot {
  int shape;
  double initial;
};

namespace eng {
namespace {

// The numbers are known to engine/src/native/update.rs.
enum SlotShape : int { kLikeParameter = 0, kCount = 1, kNumber = 2, kRows = 3, kColumns = 4, kVector = 5, kNoMatrix = 6 };

// Whether a parameter has this state at all.
bool has_slot(int shape, const at::Tensor& parameter) {
  if (shape == kRows || shape == kColumns) return parameter.dim() > 1;
  if (shape == kNoMatrix) return parameter.dim() != 2;
  return shape != kVector || parameter.dim() <= 1;
}

at::Tensor new_state(const EngSlot& slot, const at::Tensor& parameter) {
  if (slot.shape == kCount || slot.shape == kNumber) {
    return at::full({}, slot.initial, parameter.options().dtype(at::kFloat).requires_grad(false));
  }
  if (slot.shape == kRows || slot.shape == kColumns) {
    std::vector<int64_t> sizes = parameter.sizes().vec();
    sizes[sizes.size() - (slot.shape == kRows ? 1 : 2)] = 1;
    return at::full(sizes, slot.initial, parameter.options().requires_grad(false));
  }
  return at::full_like(parameter, slot.initial);
}

void check_state(size_t index, const at::Tensor& held, const EngSlot& slot, const at::Tensor& parameter) {
  const bool number = slot.shape == kCount || slot.shape == kNumber;
  const bool like = slot.shape == kLikeParameter || slot.shape == kVector || slot.shape == kNoMatrix;
  if (held.device() != parameter.device() || held.scalar_type() != (number ? at::kFloat : parameter.scalar_type()) ||
      (like && held.sizes() != parameter.sizes()) || (number && held.dim() != 0)) {
    throw ArgumentError(index, describe("the state of parameter", index, held) + " does not fit " +
                        describe("parameter", index, parameter));
  }
}

}  // namespace
}  // namespace eng

// What an update is made of: of the parameters that have a gradient, in `taken`, the parameters, their gradients and one
// list per slot. State that is not there yet is made. Gradients are divided by `grad_scale`, in place.
//
// `happens` is false when the host sees that the update must not be made; then nothing was changed. Where only the device
// knows, the update is made, and its caller puts back what it changed.
ENG_API int eng_update_begin(const eng::List* parameters, eng::List* const* state, const EngSlot* slots, size_t count,
                             const at::Tensor* grad_scale, const at::Tensor* found_inf, eng::List** taken, bool* happens) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    *happens = !(found_inf && found_inf->is_cpu() && found_inf->item<float>() != 0.0f);
    eng::Tensors with_gradient, gradients;
    std::vector<eng::Tensors> held(count);
    for (size_t slot = 0; slot < count; ++slot) {
      if (state[slot]->size() != parameters->size()) {
        throw eng::ArgumentError("an optimizer state has " + std::to_string(state[slot]->size()) + " entries for " +
                                 std::to_string(parameters->size()) + " parameters");
      }
    }
    for (size_t i = 0; *happens && i < parameters->size(); ++i) {
      const at::Tensor& parameter = parameters->tensors[i];
      const at::Tensor& gradient = parameter.grad();
      if (!gradient.defined()) continue;
      eng::check_gradient(i, parameter, gradient);
      with_gradient.push_back(parameter);
      gradients.push_back(gradient);
      for (size_t slot = 0; slot < count; ++slot) {
        at::Tensor& tensor = state[slot]->tensors[i];
        if (tensor.defined()) {
          eng::check_state(i, tensor, slots[slot], parameter);
        } else if (eng::has_slot(slots[slot].shape, parameter)) {
          tensor = eng::new_state(slots[slot], parameter);
        }
        held[slot].push_back(tensor);
      }
    }
    if (grad_scale && !gradients.empty()) {
      at::Tensor factor = at::reciprocal(*grad_scale).reshape({});
      if (found_inf) factor = at::where(found_inf->reshape({}).to(at::kBool), at::ones_like(factor), factor);
      at::_foreach_mul_(gradients, factor);
    }
    std::vector<std::unique_ptr<eng::List>> lists;
    for (eng::Tensors* tensors : {&with_gradient, &gradients}) lists.emplace_back(eng::give_list(std::move(*tensors)));
    for (eng::Tensors& tensors : held) lists.emplace_back(eng::give_list(std::move(tensors)));
    for (size_t i = 0; i < lists.size(); ++i) taken[i] = lists[i].release();
  });
}

// Adds 1 to every count.
ENG_API int eng_update_count(eng::List* counts) {
  return eng::guarded([&] {
    at::NoGradGuard no_grad;
    eng::check_defined(*counts);
    if (counts->size() == 0) return;
    if (!counts->tensors.front().is_cpu()) return at::_foreach_add_(counts->tensors, 1);
    // in place: the foreach operator would go through libtorch's dispatcher once for each parameter
    for (const at::Tensor& count : counts->tensors) *count.mutable_data_ptr<float>() += 1.0f;
  });
}
