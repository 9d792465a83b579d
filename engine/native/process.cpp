// What holds for the process or the thread: denormal numbers, the memory that the CPU's allocator keeps, blocked signals.
#include "core.hpp"

#include <ATen/Context.h>
#include <malloc.h>
#include <signal.h>

// Whether operators on this thread, and on threads that it makes from now on, take denormal numbers for zero. False when
// the processor can't.
ENG_API bool eng_set_flush_denormals(bool flush) { return at::globalContext().setFlushDenormal(flush); }

// From now on freed blocks below 32 MiB, the most that glibc allows, stay with the process. By default it gives much of
// them back after each step, and the next step pays for every page again.
ENG_API void eng_keep_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

// How matrix products of Float are computed: 0 in full, 1 by TF32 or two BFloat16, 2 by one BFloat16; and whether cuDNN
// takes TF32.
ENG_API int eng_set_float_precision(int matmul, bool cudnn_tf32) {
  return eng::guarded([&] {
    constexpr const char* names[] = {"highest", "high", "medium"};
    at::Context& context = at::globalContext();
    context.setFloat32MatmulPrecision(names[matmul]);
    context.setAllowTF32CuDNN(cudnn_tf32);
  });
}

// Blocks a signal on this thread, or lets it through again. Whether it was blocked before; false when there is no such signal.
ENG_API bool eng_set_blocked(int signal, bool blocked) {
  sigset_t set, before;
  sigemptyset(&set);
  if (sigaddset(&set, signal) != 0) return false;
  if (pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, &before) != 0) return false;
  return sigismember(&before, signal) == 1;
}

// Whether the process ignores a signal.
ENG_API bool eng_is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
}

ENG_API int eng_set_cudnn_benchmark(bool benchmark) {
  return eng::guarded([&] { at::globalContext().setBenchmarkCuDNN(benchmark); });
}
