// The state of libtorch's default generators, one per device.
#include "core.hpp"

#include <ATen/Context.h>
#include <ATen/core/Generator.h>

#include <cstdint>
#include <mutex>

namespace eng {
namespace {

at::Generator default_generator(int device_type, int index) {
  const at::Device device(static_cast<at::DeviceType>(device_type), static_cast<at::DeviceIndex>(index));
  return at::globalContext().defaultGenerator(device);
}

}  // namespace
}  // namespace eng

// A byte tensor on the CPU, whatever the device.
ENG_API int eng_generator_state(int device_type, int index, at::Tensor** out) {
  return eng::guarded([&] {
    at::Generator generator = eng::default_generator(device_type, index);
    std::lock_guard<std::mutex> lock(generator.mutex());
    *out = eng::give(generator.get_state());
  });
}

ENG_API int eng_set_generator_state(int device_type, int index, const at::Tensor* state) {
  return eng::guarded([&] {
    at::Generator generator = eng::default_generator(device_type, index);
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(*state);
  });
}

// Of this generator alone: at::manual_seed seeds those of all devices.
ENG_API int eng_seed_generator(int device_type, int index, uint64_t seed) {
  return eng::guarded([&] {
    at::Generator generator = eng::default_generator(device_type, index);
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(seed);
  });
}
