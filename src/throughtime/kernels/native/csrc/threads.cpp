#include "threads.hpp"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#define THROUGHTIME_PAUSE() _mm_pause()
#elif defined(__aarch64__) && defined(__GNUC__)
#define THROUGHTIME_PAUSE() asm volatile("yield")
#else
#define THROUGHTIME_PAUSE() static_cast<void>(0)
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <dlfcn.h>
#include <link.h>
#endif

namespace throughtime {
namespace {

constexpr int spins = 1000;  // looks at the counter before a thread goes to sleep

// The tasks of one call; whoever is free takes the next one.
struct Tasks {
    void (*task)(void*, int);
    void* context;
    int count;
    std::atomic<int> next{0};

    void work() {
        for (int k = next.fetch_add(1, std::memory_order_relaxed); k < count;
             k = next.fetch_add(1, std::memory_order_relaxed))
            task(context, k);
    }
};

// How OpenMP's runtime runs a function on a team of threads.
using Parallel = void (*)(void (*)(void*), void*, unsigned threads, unsigned flags);

#if defined(__linux__)
int remember_torch(dl_phdr_info* loaded, std::size_t, void* found) {
    const char* slash = std::strrchr(loaded->dlpi_name, '/');
    const char* file = slash ? slash + 1 : loaded->dlpi_name;
    if (std::strncmp(file, "libtorch_cpu.so", 15) != 0) return 0;
    *static_cast<const char**>(found) = loaded->dlpi_name;
    return 1;
}

// The one that torch itself is linked with, null if there is none.
Parallel find_openmp() {
    const char* torch = nullptr;
    dl_iterate_phdr(&remember_torch, &torch);
    void* library = torch ? dlopen(torch, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
    return library ? reinterpret_cast<Parallel>(dlsym(library, "GOMP_parallel")) : nullptr;
}
#else
Parallel find_openmp() { return nullptr; }
#endif

// A pool of our own. Its threads see a new call by its number.
class Pool {
  public:
    bool try_run(Tasks& tasks, int threads) {
        if (!grow(threads - 1)) return false;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            tasks_ = &tasks;
            helpers_ = threads - 1;
            open_.store(threads - 1, std::memory_order_relaxed);
            call_.fetch_add(1, std::memory_order_release);
        }
        begin_.notify_all();
        tasks.work();
        for (int k = 0; k < spins; ++k) {
            if (open_.load(std::memory_order_acquire) == 0) return true;
            THROUGHTIME_PAUSE();
        }
        std::unique_lock<std::mutex> lock(mutex_);
        end_.wait(lock, [this] { return open_.load(std::memory_order_acquire) == 0; });
        return true;
    }

  private:
    // False where the system gives no more threads.
    bool grow(int workers) {
        for (; workers_ < workers; ++workers_) {
            try {
                const std::uint64_t seen = call_.load(std::memory_order_relaxed);
                std::thread(&Pool::work, this, workers_, seen).detach();
            } catch (const std::system_error&) {
                return false;
            }
        }
        return true;
    }

    void work(int index, std::uint64_t seen) {
        for (;;) {
            for (int k = 0; k < spins && call_.load(std::memory_order_acquire) == seen; ++k) THROUGHTIME_PAUSE();
            Tasks* tasks;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                begin_.wait(lock, [&] { return call_.load(std::memory_order_acquire) != seen; });
                seen = call_.load(std::memory_order_relaxed);
                if (index >= helpers_) continue;
                tasks = tasks_;
            }
            tasks->work();
            if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                const std::lock_guard<std::mutex> lock(mutex_);
                end_.notify_one();
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable begin_, end_;
    std::atomic<std::uint64_t> call_{0};
    std::atomic<int> open_{0};
    Tasks* tasks_ = nullptr;
    int helpers_ = 0, workers_ = 0;
};

// What runs the calls of this process, one at a time.
struct Crew {
    std::mutex in_use;
    Parallel openmp = find_openmp();
    Pool own;

    bool try_run(Tasks& tasks, int threads) {
        const std::unique_lock<std::mutex> mine(in_use, std::try_to_lock);
        if (!mine.owns_lock()) return false;
        if (!openmp) return own.try_run(tasks, tasks.count < threads ? tasks.count : threads);
        openmp([](void* all) { static_cast<Tasks*>(all)->work(); }, &tasks, unsigned(threads), 0);
        return true;
    }
};

// Never destroyed: threads wait in it until the process ends. A forked child has none of them, and perhaps a
// locked mutex, so it starts afresh, with a pool of its own.
std::atomic<Crew*> crew{nullptr};
std::atomic<bool> forked{false};

#if !defined(_WIN32)
// From the moment the library is loaded: the team of a parent that only torch has used is gone as well.
[[maybe_unused]] const int watching = pthread_atfork(nullptr, nullptr, [] {
    forked.store(true);
    crew.store(nullptr);
});
#endif

Crew& current_crew() {
    Crew* now = crew.load(std::memory_order_acquire);
    if (now) return *now;
    Crew* made = new Crew;
    if (forked.load()) made->openmp = nullptr;
    if (crew.compare_exchange_strong(now, made)) return *made;
    delete made;
    return *now;
}

}  // namespace

void run_tasks(int tasks, int threads, void (*task)(void*, int), void* context) {
    Tasks all{task, context, tasks};
    if (tasks == 1 || threads == 1 || !current_crew().try_run(all, threads)) all.work();
}

const char* thread_pool_name() { return current_crew().openmp ? "OpenMP" : "own"; }

#if defined(__SSE2__) || defined(_M_X64)
FlushDenormals::FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(unsigned(before_) | 0x8040u); }
FlushDenormals::~FlushDenormals() { _mm_setcsr(unsigned(before_)); }
#elif defined(__aarch64__) && defined(__GNUC__)
FlushDenormals::FlushDenormals() : before_(0) {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (std::uint64_t(1) << 24)));
}
FlushDenormals::~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }
#else
FlushDenormals::FlushDenormals() : before_(0) {}
FlushDenormals::~FlushDenormals() { static_cast<void>(before_); }
#endif

}  // namespace throughtime
