// Errors, tensor lists.
#include "core.hpp"

#include <c10/util/Exception.h>

#include <new>
#include <sstream>

namespace eng {
namespace {

thread_local std::string last_error;
thread_local int64_t last_item = -1;

int keep(ErrorKind kind, const char* text) noexcept {
  try {
    last_error = text;
  } catch (...) {
    // no memory for the text: the kind alone still tells
    last_error.clear();
  }
  return kind;
}

}  // namespace

int record_error(const std::exception_ptr& error) noexcept {
  last_item = -1;
  // the derived types first; libtorch's texts come without their C++ backtrace
  try {
    std::rethrow_exception(error);
  } catch (const ArgumentError& e) {
    last_item = e.item;
    return keep(kArgument, e.what());
  } catch (const SystemError& e) {
    return keep(kSystem, e.what());
  } catch (const c10::OutOfMemoryError& e) {
    return keep(kOutOfMemory, e.what_without_backtrace());
  } catch (const c10::NotImplementedError& e) {
    return keep(kNotImplemented, e.what_without_backtrace());
  } catch (const c10::Error& e) {
    return keep(kLibtorch, e.what_without_backtrace());
  } catch (const std::bad_alloc& e) {
    return keep(kOutOfMemory, e.what());
  } catch (const std::exception& e) {
    return keep(kLibtorch, e.what());
  } catch (...) {
    return keep(kUnknown, "an exception of an unknown type");
  }
}

std::string describe(const char* what, size_t index, const at::Tensor& tensor) {
  std::ostringstream text;
  text << what << " " << index << " of shape " << tensor.sizes() << " (" << tensor.scalar_type() << ", "
       << tensor.device() << ")";
  return text.str();
}

void check_gradient(size_t index, const at::Tensor& parameter, const at::Tensor& gradient) {
  if (gradient.layout() != at::kStrided) {
    throw ArgumentError(index, describe("the gradient of parameter", index, parameter) +
                        " is sparse; multi-tensor operators take dense gradients only");
  }
  if (gradient.scalar_type() != parameter.scalar_type() || gradient.device() != parameter.device() ||
      gradient.sizes() != parameter.sizes()) {
    throw ArgumentError(index, describe("parameter", index, parameter) + " has another layout than " +
                        describe("gradient", index, gradient));
  }
}

void collect_gradients(const List& parameters, std::vector<at::Tensor>& into) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& parameter = parameters.tensors[i];
    const at::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    check_gradient(i, parameter, gradient);
    into.push_back(gradient);
  }
}

}  // namespace eng

// The text of this thread's last error; valid until the thread's next error.
ENG_API const char* eng_error_text() {
  return eng::last_error.c_str();
}

// The list entry that this thread's last error is about, or -1.
ENG_API int64_t eng_error_item() {
  return eng::last_item;
}

// A list of these tensors; a null pointer is an undefined entry.
ENG_API int eng_list_new(const at::Tensor* const* tensors, size_t count, eng::List** out) {
  return eng::guarded([&] {
    auto list = std::make_unique<eng::List>();
    list->tensors.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      list->tensors.push_back(tensors[i] ? *tensors[i] : at::Tensor());
    }
    *out = list.release();
  });
}

ENG_API void eng_list_free(eng::List* list) {
  delete list;
}

ENG_API size_t eng_list_len(const eng::List* list) {
  return list->size();
}

// The entry, or null when it is undefined.
ENG_API int eng_list_get(const eng::List* list, size_t index, at::Tensor** out) {
  return eng::guarded([&] {
    const at::Tensor& tensor = list->tensors.at(index);
    *out = tensor.defined() ? eng::give(tensor) : nullptr;
  });
}

ENG_API int eng_list_set(eng::List* list, size_t index, const at::Tensor* tensor) {
  return eng::guarded([&] { list->tensors.at(index) = tensor ? *tensor : at::Tensor(); });
}
