// Threads of the kernels, and how they treat numbers too small to matter.
#pragma once

#include <cstdint>

namespace throughtime {

// Runs task(context, 0) ... task(context, tasks - 1) on at most `threads` threads and returns when all are done.
//
// Where torch computes with OpenMP they are the threads of its team: after every operation those keep looking
// for the next one for some milliseconds, and threads beside them would have to share the cores with them.
// Elsewhere, and in a forked child, where that team does not exist, a pool of our own does the same. While
// another call is under way the caller does all tasks, one after the other: what a task computes must not
// depend on who runs it. Tasks do not throw.
void run_tasks(int tasks, int threads, void (*task)(void* context, int index), void* context);

// Whose threads `run_tasks` uses: "OpenMP" or "own".
const char* thread_pool_name();

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
