// The rules of the border between Rust and libtorch.
//
// Every entry returns 0, or the kind of the error whose text `eng_error_text` then gives: no exception
// crosses. A tensor comes in as torch-sys' own `at::Tensor*`, borrowed for the call, and goes out as a new
// one, which torch-sys deletes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#define ENG_API extern "C" __attribute__((visibility("default")))

namespace eng {

// The numbers are known to `ErrorKind` in engine/src/native/error.rs.
enum ErrorKind : int {
  kOk = 0,
  kLibtorch = 1,
  kArgument = 2,
  kNotImplemented = 3,
  kOutOfMemory = 4,
  kSystem = 5,
  kUnknown = 99,
};

// A mistake of the caller, found by the shim itself; `item` is the list entry it is about, if it is about one.
struct ArgumentError : std::invalid_argument {
  explicit ArgumentError(const std::string& text) : std::invalid_argument(text) {}
  ArgumentError(size_t item, const std::string& text)
      : std::invalid_argument(text), item(static_cast<int64_t>(item)) {}

  int64_t item = -1;
};

// Something outside libtorch failed: the dynamic linker, a file.
struct SystemError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Keeps the text for this thread and gives the kind.
int record_error(const std::exception_ptr& error) noexcept;

// Runs the body of an entry.
template <class Body>
int guarded(Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return kOk;
  } catch (...) {
    return record_error(std::current_exception());
  }
}

inline bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

inline at::Tensor* give(at::Tensor tensor) {
  return new at::Tensor(std::move(tensor));
}

// A list of tensors that is kept between calls, in the layout that libtorch's multi-tensor operators take,
// so that a step builds no list anew. Entries may be undefined.
struct List {
  std::vector<at::Tensor> tensors;

  size_t size() const { return tensors.size(); }
};

// A vector that is lent for one call: it keeps its capacity for the next one, and no tensor.
class Scratch {
 public:
  explicit Scratch(std::vector<at::Tensor>& storage) : storage_(storage) { storage_.clear(); }
  ~Scratch() { storage_.clear(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::vector<at::Tensor>& operator*() { return storage_; }
  std::vector<at::Tensor>* operator->() { return &storage_; }

 private:
  std::vector<at::Tensor>& storage_;
};

// "parameter 3 of shape [2, 4] (Float, cpu)", for messages.
std::string describe(const char* what, size_t index, const at::Tensor& tensor);

// Throws unless the gradient can be used by a kernel that takes its parameter.
void check_gradient(size_t index, const at::Tensor& parameter, const at::Tensor& gradient);

// Adds the gradients that are there to `into`; parameters without one are passed over.
void collect_gradients(const List& parameters, std::vector<at::Tensor>& into);

}  // namespace eng
