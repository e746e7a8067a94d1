// Threads of the kernels, and how they treat numbers too small to matter.
#pragma once

#include <cstdint>

namespace throughtime {

// Runs task(context, 0) ... task(context, tasks - 1) and returns when all are done. The caller does the
// first one itself. While another thread uses the pool the caller does them all, one after the other: what a
// task computes must not depend on who runs it. A forked child begins with a pool of its own. Tasks do not
// throw.
void run_tasks(int tasks, void (*task)(void* context, int index), void* context);

// For its lifetime denormal results become zero on this thread and denormal operands count as zero.
class FlushDenormals {
  public:
    FlushDenormals();
    ~FlushDenormals();
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

  private:
    std::uint64_t before_;
};

}  // namespace throughtime
