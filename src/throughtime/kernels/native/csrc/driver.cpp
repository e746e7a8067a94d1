#include "driver.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <type_traits>
#include <vector>

#include "memory.hpp"
#include "threads.hpp"

#if defined(THROUGHTIME_X86_64) && defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace throughtime {
namespace {

#if defined(THROUGHTIME_X86_64) && defined(_MSC_VER)
// Clang on Windows has __builtin_cpu_supports only with a library that is not linked by default.
__attribute__((target("xsave"))) bool has(int leaf7_ebx_bits, unsigned long long saved_registers) {
    int leaf1[4], leaf7[4];
    __cpuid(leaf1, 1);
    constexpr int osxsave = 1 << 27, fma = 1 << 12;
    if ((leaf1[2] & osxsave) == 0 || (leaf1[2] & fma) == 0) return false;
    __cpuidex(leaf7, 7, 0);
    return (leaf7[1] & leaf7_ebx_bits) == leaf7_ebx_bits && (_xgetbv(0) & saved_registers) == saved_registers;
}
bool has_avx2() { return has(1 << 5, 0x6); }
bool has_avx512() { return has(int(1u << 16 | 1u << 17 | 1u << 30 | 1u << 31), 0xe6); }
#elif defined(THROUGHTIME_X86_64)
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

// A thread is worth waking for this many multiplications and additions of the recurrence.
constexpr double work_of_a_thread = 1 << 21;

InstructionSets find_instruction_sets() {
    InstructionSets found{};
    auto add = [&](const Kernels* set) {
        if (set) found.sets[found.count++] = set;
    };
    add(kernels_baseline());
#if defined(THROUGHTIME_X86_64)
    if (has_avx2()) add(kernels_avx2());
    if (has_avx512()) add(kernels_avx512());
#endif
    return found;
}

// A row that is alone in its slice takes about as long as two rows beside each other: what a slice costs is that of its
// rows and once more that of the longest of them, in steps.
constexpr std::int64_t steps_of_slice = 1;

std::atomic<std::int64_t> computed{0};

// What a call is split into slices of, and its multiplications and additions.
template <class Call>
std::int64_t parts_of(const Call& call) {
    return call.batch;
}
std::int64_t true_steps(const Sequences& call) {
    if (!call.lengths) return call.steps * call.batch;
    return std::accumulate(call.lengths, call.lengths + call.batch, std::int64_t(0));
}
template <class Call>
double work_of(const Call& call) {
    return double(true_steps(call)) * double(call.cells) * double(call.cells + call.inputs);
}
template <class T>
std::int64_t parts_of(const ErrorMapCall<T>& call) {
    return call.batch * call.row_blocks();
}
template <class T>
double work_of(const ErrorMapCall<T>& call) {
    return double(call.steps) * double(call.batch) * double(call.rows) * double(call.cells) * double(call.cells);
}

// A call with its sequences from the longest to the shortest.
template <class Call>
class Ordered {
  public:
    explicit Ordered(const Call& call) : call_(call) {
        if constexpr (std::is_base_of_v<Sequences, Call>) {
            const std::int64_t *lengths = call.lengths, *end = lengths + call.batch;
            if (!lengths) return;
            if (std::all_of(lengths, end, [&](std::int64_t length) { return length == call.steps; }))
                call_.lengths = nullptr;
            else if (!std::is_sorted(lengths, end, std::greater<>{}))
                sort();
        }
    }
    Ordered(const Ordered& other) : call_(other.call_), order_(other.order_) { point(); }
    Ordered& operator=(const Ordered&) = delete;
    const Call& call() const { return call_; }

  private:
    void sort() {
        order_.resize(std::size_t(call_.batch));
        std::iota(order_.begin(), order_.end(), std::int64_t(0));
        std::stable_sort(order_.begin(), order_.end(), [this](std::int64_t a, std::int64_t b) {
            return call_.lengths[a] > call_.lengths[b];
        });
        point();
    }
    void point() {
        if constexpr (std::is_base_of_v<Sequences, Call>)
            if (!order_.empty()) call_.order = order_.data();
    }

    Call call_;
    std::vector<std::int64_t> order_;
};

// Where slices begin, and after the last one the end, if none of them may cost more than `most`; see steps_of_slice.
std::vector<std::int64_t> begins_for(const Sequences& call, std::int64_t most) {
    std::vector<std::int64_t> begins;
    std::int64_t cost = 0;
    for (std::int64_t place = 0; place < call.batch; ++place) {
        const std::int64_t length = call.lengths[call.sequence(place)];
        cost += length;
        if (begins.empty() || cost > most) begins.push_back(place), cost = length * (1 + steps_of_slice);
    }
    begins.push_back(call.batch);
    return begins;
}

// Where slices begin, and after the last one the end: at most `slices`, of about the same cost.
template <class Call>
std::vector<std::int64_t> begins_of(const Call& call, std::int64_t slices) {
    if constexpr (std::is_base_of_v<Sequences, Call>) {
        if (call.lengths && slices > 1) {
            const std::int64_t longest = call.lengths[call.sequence(0)];
            std::int64_t low = longest * (1 + steps_of_slice), high = true_steps(call) + longest * steps_of_slice;
            while (low < high) {
                const std::int64_t most = low + (high - low) / 2;
                if (std::int64_t(begins_for(call, most).size()) <= slices + 1)
                    high = most;
                else
                    low = most + 1;
            }
            return begins_for(call, low);
        }
    }
    std::vector<std::int64_t> begins;
    for (std::int64_t k = 0; k <= slices; ++k) begins.push_back(parts_of(call) * k / slices);
    return begins;
}

template <class Call>
std::vector<std::int64_t> begins_for_threads(const Call& call, int threads) {
    const double worth = work_of(call) / work_of_a_thread;
    const auto most = std::int64_t(std::min<double>(threads, std::max(1.0, worth)));
    return begins_of(call, std::min(parts_of(call), most));
}

template <class Call>
struct Work {
    const Kernel<Call>& kernel;
    const Call& call;
    std::vector<std::int64_t> begins;
    void* shared;
    std::vector<void*> owns;

    int slices() const { return int(begins.size()) - 1; }
    std::int64_t parts(int slice) const { return begins[std::size_t(slice) + 1] - begins[std::size_t(slice)]; }

    static void pack(void* self, int part) {
        const Work& w = *static_cast<Work*>(self);
        const FlushDenormals guard;
        w.kernel.pack(w.call, w.shared, part, w.slices());
    }
    static void slice(void* self, int k) {
        const Work& w = *static_cast<Work*>(self);
        const FlushDenormals guard;
        const auto slice = std::size_t(k);
        computed += w.kernel.slice(w.call, w.shared, w.owns[slice], w.begins[slice], w.begins[slice + 1]);
    }
    static void reduce(void* self, int part) {
        const Work& w = *static_cast<Work*>(self);
        const FlushDenormals guard;
        w.kernel.reduce(w.call, w.owns.data(), w.slices(), part, w.slices());
    }
};

std::size_t aligned(std::int64_t bytes) { return (std::size_t(bytes) + 4095) / 4096 * 4096 + 128; }

template <class Call>
void run_now(const Kernel<Call>& kernel, const Ordered<Call>& ordered, int threads) {
    const Call& call = ordered.call();
    Work<Call> work{kernel, call, begins_for_threads(call, threads), nullptr, {}};
    const int slices = work.slices();
    const std::size_t shared = aligned(kernel.shared_bytes(call));
    std::size_t total = shared;
    std::vector<std::size_t> offsets;
    for (int k = 0; k < slices; ++k) {
        offsets.push_back(total);
        total += aligned(kernel.own_bytes(call, work.parts(k)));
    }
    const Block block(total);
    work.shared = block.data();
    for (const std::size_t offset : offsets) work.owns.push_back(static_cast<char*>(block.data()) + offset);
    run_tasks(slices, threads, &Work<Call>::pack, &work);
    run_tasks(slices, threads, &Work<Call>::slice, &work);
    if (kernel.reduce) run_tasks(slices, threads, &Work<Call>::reduce, &work);
}

// A call that waits for others: the whole of it on one thread.
struct Waiting {
    std::size_t bytes;
    double work;
    std::function<void(void* memory)> run;
};

template <class Call>
Waiting waiting(const Kernel<Call>& kernel, const Ordered<Call>& ordered) {
    const Call& call = ordered.call();
    const std::size_t shared = aligned(kernel.shared_bytes(call));
    const std::size_t own = aligned(kernel.own_bytes(call, parts_of(call)));
    return {shared + own, work_of(call), [&kernel, ordered, shared](void* memory) {
                const Call& call = ordered.call();
                Work<Call> work{kernel, call, begins_of(call, 1), memory, {static_cast<char*>(memory) + shared}};
                Work<Call>::pack(&work, 0);
                Work<Call>::slice(&work, 0);
                if (kernel.reduce) Work<Call>::reduce(&work, 0);
            }};
}

struct Gathered {
    bool open = false;
    std::vector<Waiting> calls;
};
thread_local Gathered gathered;

struct Shares {
    const std::vector<Waiting>& calls;
    int count;
    char* memory;
    std::size_t bytes;  // of a share

    static void run(void* self, int k) {
        const Shares& s = *static_cast<Shares*>(self);
        const std::size_t n = s.calls.size(), first = n * std::size_t(k) / std::size_t(s.count);
        const std::size_t last = n * std::size_t(k + 1) / std::size_t(s.count);
        for (std::size_t call = first; call < last; ++call) s.calls[call].run(s.memory + s.bytes * std::size_t(k));
    }
};

}  // namespace

const InstructionSets& instruction_sets() {
    static const InstructionSets found = find_instruction_sets();
    return found;
}

template <class Call>
void run(const Kernel<Call>& kernel, const Call& call, int threads) {
    if (gathered.open)
        gathered.calls.push_back(waiting(kernel, Ordered<Call>(call)));
    else
        run_now(kernel, Ordered<Call>(call), threads);
}

std::int64_t steps_computed() { return computed; }

void gather() {
    gathered.calls.clear();
    gathered.open = true;
}

void drop_gathered() {
    gathered.calls.clear();
    gathered.open = false;
}

void run_gathered(int threads) {
    const std::vector<Waiting> calls = std::move(gathered.calls);
    drop_gathered();
    if (calls.empty()) return;
    std::size_t most = 0;
    double work = 0;
    for (const Waiting& call : calls) {
        most = std::max(most, call.bytes);
        work += call.work;
    }
    const double worth = std::max(1.0, std::min<double>(threads, work / work_of_a_thread));
    const int count = int(std::min<std::size_t>(calls.size(), std::size_t(worth)));
    const Block block(most * std::size_t(count));
    Shares shares{calls, count, static_cast<char*>(block.data()), most};
    run_tasks(count, threads, &Shares::run, &shares);
}

template void run(const Kernel<LSTMForwardCall<float>>&, const LSTMForwardCall<float>&, int);
template void run(const Kernel<LSTMForwardCall<double>>&, const LSTMForwardCall<double>&, int);
template void run(const Kernel<LSTMBackwardCall<float>>&, const LSTMBackwardCall<float>&, int);
template void run(const Kernel<LSTMBackwardCall<double>>&, const LSTMBackwardCall<double>&, int);
template void run(const Kernel<RNNForwardCall<float>>&, const RNNForwardCall<float>&, int);
template void run(const Kernel<RNNForwardCall<double>>&, const RNNForwardCall<double>&, int);
template void run(const Kernel<RNNBackwardCall<float>>&, const RNNBackwardCall<float>&, int);
template void run(const Kernel<RNNBackwardCall<double>>&, const RNNBackwardCall<double>&, int);
template void run(const Kernel<ErrorMapCall<float>>&, const ErrorMapCall<float>&, int);
template void run(const Kernel<ErrorMapCall<double>>&, const ErrorMapCall<double>&, int);
template void run(const Kernel<RegularisedForwardCall<float>>&, const RegularisedForwardCall<float>&, int);
template void run(const Kernel<RegularisedForwardCall<double>>&, const RegularisedForwardCall<double>&, int);
template void run(const Kernel<RegularisedBackwardCall<float>>&, const RegularisedBackwardCall<float>&, int);
template void run(const Kernel<RegularisedBackwardCall<double>>&, const RegularisedBackwardCall<double>&, int);

}  // namespace throughtime
