// Copies of a device's tensors to the host, on a stream of their own.
//
// Streams and events go through c10's interfaces for any device, as in transfer.cpp.
#include "core.hpp"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace eng {

// A stream of a device on which copies to the host are queued, beside what the device computes.
class HostLane {
 public:
  explicit HostLane(c10::Device device)
      : guard_(device.type()),
        device_(device),
        stream_(guard_.getStreamFromGlobalPool(device)),
        before_(device.type()),
        done_(device.type()) {}

  // The copies that follow are of what this thread's stream has computed so far.
  void begin() {
    before_.record(guard_.getStream(device_));
    before_.block(stream_);
  }

  void copy(at::Tensor& into, const at::Tensor& from) const {
    {
      const c10::StreamGuard on_stream(stream_);
      into.copy_(from, /*non_blocking=*/true);
    }
    // whoever frees it must not hand its memory to others before it was read
    guard_.recordDataPtrOnStream(from.storage().data_ptr(), stream_);
  }

  void mark() { done_.record(stream_); }
  void hold() const { done_.block(guard_.getStream(device_)); }
  void wait() const { done_.synchronize(); }

 private:
  c10::impl::VirtualGuardImpl guard_;
  c10::Device device_;
  c10::Stream stream_;
  c10::Event before_;
  // recorded again for each part of a snapshot: who waits, waits for the last record before that
  c10::Event done_;
};

}  // namespace eng

ENG_API int eng_host_lane_new(int device_type, int index, eng::HostLane** out) {
  return eng::guarded([&] {
    const c10::Device device(static_cast<c10::DeviceType>(device_type), static_cast<c10::DeviceIndex>(index));
    *out = new eng::HostLane(device);
  });
}

ENG_API void eng_host_lane_free(eng::HostLane* lane) {
  eng::guarded([&] { delete lane; });
}

// What is copied from now on is what this thread's stream has computed by then.
ENG_API int eng_host_lane_begin(eng::HostLane* lane) {
  return eng::guarded([&] { lane->begin(); });
}

// Queues a copy of a tensor of the device. Into pinned memory the host does not wait; nobody may read it before
// `eng_host_lane_wait`, or change the tensor before `eng_host_lane_hold`.
ENG_API int eng_host_lane_copy(eng::HostLane* lane, at::Tensor* into, const at::Tensor* from) {
  return eng::guarded([&] { lane->copy(*into, *from); });
}

// Notes the place behind all copies so far.
ENG_API int eng_host_lane_mark(eng::HostLane* lane) {
  return eng::guarded([&] { lane->mark(); });
}

// What this thread queues on its stream from now on comes after the copies before the last mark. The host does not wait.
ENG_API int eng_host_lane_hold(const eng::HostLane* lane) {
  return eng::guarded([&] { lane->hold(); });
}

// Waits until the copies before the last mark are done.
ENG_API int eng_host_lane_wait(const eng::HostLane* lane) {
  return eng::guarded([&] { lane->wait(); });
}
