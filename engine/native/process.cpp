// What holds for the process or the thread: denormal numbers, and the memory that the CPU's allocator keeps.
#include "core.hpp"

#include <ATen/Context.h>
#include <malloc.h>

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
