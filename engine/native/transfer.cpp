// Batches on their way to a device: pinned memory of the host, and copies on a stream of their own.
//
// Streams and events go through c10's interfaces for any device, so that neither CUDA's headers nor its libraries are
// needed to build.
#include "core.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace eng {
namespace {

// Whether a copy in pinned memory can stand for the tensor.
bool can_be_pinned(const at::Tensor& tensor) {
  return tensor.defined() && tensor.device().is_cpu() && tensor.layout() == at::kStrided && tensor.numel() > 0 &&
      !tensor.is_quantized() && !tensor.is_nested() && !tensor.is_conj() && !tensor.is_neg() && !tensor.is_pinned();
}

// Pinned memory with the strides that a copy to a device would have.
at::Tensor pinned_room(const at::Tensor& tensor) {
  const auto options = tensor.options().pinned_memory(true);
  if (tensor.is_non_overlapping_and_dense()) return at::empty_strided(tensor.sizes(), tensor.strides(), options);
  return at::empty(tensor.sizes(), options, tensor.suggest_memory_format());
}

}  // namespace

// A stream of a device on which copies from the host are queued, beside what the device computes.
class CopyLane {
 public:
  explicit CopyLane(c10::Device device)
      : guard_(device.type()), device_(device), stream_(guard_.getStreamFromGlobalPool(device)), done_(device.type()) {}

  // The memory belongs to this stream, and so does the copy.
  at::Tensor copy(const at::Tensor& from) const {
    const c10::StreamGuard on_stream(stream_);
    return from.to(device_, from.scalar_type(), /*non_blocking=*/true, /*copy=*/false);
  }

  void mark() { done_.record(stream_); }
  void wait() const { done_.block(guard_.getStream(device_)); }

  void keep(const at::Tensor& copy) const {
    if (!copy.has_storage()) return;
    guard_.recordDataPtrOnStream(copy.storage().data_ptr(), guard_.getStream(device_));
  }

 private:
  c10::impl::VirtualGuardImpl guard_;
  c10::Device device_;
  c10::Stream stream_;
  // recorded again for each batch: a wait is for the last record before it
  c10::Event done_;
};

}  // namespace eng

// A copy of a tensor in pinned memory; null when there is nothing to copy: the tensor is pinned already, is empty, does
// not lie on the host, or is none that memory alone describes.
ENG_API int eng_pinned_copy(const at::Tensor* tensor, at::Tensor** out) {
  return eng::guarded([&] {
    *out = nullptr;
    if (!eng::can_be_pinned(*tensor)) return;
    at::Tensor copy = eng::pinned_room(*tensor);
    copy.copy_(*tensor);
    *out = eng::give(std::move(copy));
  });
}

ENG_API int eng_copy_lane_new(int device_type, int index, eng::CopyLane** out) {
  return eng::guarded([&] {
    const c10::Device device(static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(index));
    *out = new eng::CopyLane(device);
  });
}

ENG_API void eng_copy_lane_free(eng::CopyLane* lane) {
  eng::guarded([&] { delete lane; });
}

// Queues a copy of a tensor of the host. Nothing waits for it, and nothing may use it before `eng_copy_lane_wait`. Null for
// a tensor that does not lie on the host, or not in one piece of memory, as a sparse one.
ENG_API int eng_copy_lane_copy(eng::CopyLane* lane, const at::Tensor* tensor, at::Tensor** out) {
  return eng::guarded([&] {
    *out = nullptr;
    if (tensor->defined() && tensor->device().is_cpu() && tensor->has_storage()) *out = eng::give(lane->copy(*tensor));
  });
}

// Notes the place behind all copies so far.
ENG_API int eng_copy_lane_mark(eng::CopyLane* lane) {
  return eng::guarded([&] { lane->mark(); });
}

// What this thread queues on its stream from now on comes after the copies before the last mark. The host does not wait.
ENG_API int eng_copy_lane_wait(eng::CopyLane* lane) {
  return eng::guarded([&] { lane->wait(); });
}

// The memory of a copy, once it is dropped, is not used again before what this thread's stream was given by then is done.
ENG_API int eng_copy_lane_keep(eng::CopyLane* lane, const at::Tensor* copy) {
  return eng::guarded([&] { lane->keep(*copy); });
}
