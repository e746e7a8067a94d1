#include "threads.hpp"

#include <atomic>
#include <condition_variable>
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

namespace throughtime {
namespace {

constexpr int spins = 1000;  // looks at the counter before a thread goes to sleep

// One call at a time. Worker w does task w + 1; it sees a new call by its number.
class Pool {
  public:
    bool try_run(int tasks, void (*task)(void*, int), void* context) {
        const std::unique_lock<std::mutex> mine(in_use_, std::try_to_lock);
        if (!mine.owns_lock() || !grow(tasks - 1)) return false;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            task_ = task;
            context_ = context;
            tasks_ = tasks;
            open_.store(tasks - 1, std::memory_order_relaxed);
            call_.fetch_add(1, std::memory_order_release);
        }
        begin_.notify_all();
        task(context, 0);
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
            void (*task)(void*, int);
            void* context;
            int tasks;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                begin_.wait(lock, [&] { return call_.load(std::memory_order_acquire) != seen; });
                seen = call_.load(std::memory_order_relaxed);
                task = task_;
                context = context_;
                tasks = tasks_;
            }
            if (index + 1 >= tasks) continue;
            task(context, index + 1);
            if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                const std::lock_guard<std::mutex> lock(mutex_);
                end_.notify_one();
            }
        }
    }

    std::mutex in_use_, mutex_;
    std::condition_variable begin_, end_;
    std::atomic<std::uint64_t> call_{0};
    std::atomic<int> open_{0};
    void (*task_)(void*, int) = nullptr;
    void* context_ = nullptr;
    int tasks_ = 0, workers_ = 0;
};

// Never destroyed: its threads wait in it until the process ends. A forked child has none of the threads,
// and perhaps a locked mutex, so it starts afresh.
std::atomic<Pool*> pool{nullptr};

Pool& current_pool() {
    static const bool watching = [] {
#if !defined(_WIN32)
        pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); });
#endif
        return true;
    }();
    static_cast<void>(watching);
    Pool* now = pool.load(std::memory_order_acquire);
    if (now) return *now;
    Pool* made = new Pool;
    if (pool.compare_exchange_strong(now, made)) return *made;
    delete made;
    return *now;
}

}  // namespace

void run_tasks(int tasks, void (*task)(void*, int), void* context) {
    if (tasks > 1 && current_pool().try_run(tasks, task, context)) return;
    for (int k = 0; k < tasks; ++k) task(context, k);
}

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
