// Brings in the part of libtorch that drives an accelerator.
//
// Nothing in the program refers to libtorch_cuda.so, so a linker drops it and CUDA would silently not be
// there. Loading it by name, when it lies beside libtorch_cpu.so, gives one program for both kinds of machine.
#include "core.hpp"

#include <ATen/Context.h>
#include <torch/version.h>
#include <dlfcn.h>
#include <sys/stat.h>

namespace eng {
namespace {

// The folder of the libtorch_cpu.so that this program runs with.
std::string libtorch_folder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&at::globalContext), &info) || !info.dli_fname) {
    throw SystemError("the dynamic linker does not say where libtorch_cpu.so lies");
  }
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

bool exists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

}  // namespace
}  // namespace eng

// Loads libtorch_cuda.so for the rest of the process; `loaded` is false when there is none.
ENG_API int eng_load_accelerator(bool* loaded) {
  return eng::guarded([&] {
    *loaded = false;
    const std::string library = eng::libtorch_folder() + "/libtorch_cuda.so";
    if (!eng::exists(library)) return;
    if (!dlopen(library.c_str(), RTLD_LAZY | RTLD_GLOBAL)) {
      const char* reason = dlerror();
      throw eng::SystemError(reason ? reason : library + " could not be loaded");
    }
    *loaded = true;
  });
}

// The version of the headers that this was compiled with, which is that of the library: another one does not link.
ENG_API const char* eng_libtorch_version() { return TORCH_VERSION; }
