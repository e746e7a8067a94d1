#include "driver.hpp"

#include <algorithm>
#include <functional>
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

// What a call is split into slices of, and its multiplications and additions.
template <class Call>
std::int64_t parts_of(const Call& call) {
    return call.batch;
}
template <class Call>
double work_of(const Call& call) {
    return double(call.steps) * double(call.batch) * double(call.cells) * double(call.cells + call.inputs);
}
template <class T>
std::int64_t parts_of(const ErrorMapCall<T>& call) {
    return call.batch * call.row_blocks();
}
template <class T>
double work_of(const ErrorMapCall<T>& call) {
    return double(call.steps) * double(call.batch) * double(call.rows) * double(call.cells) * double(call.cells);
}

template <class Call>
int slices_of(const Call& call, int threads) {
    const double worth = work_of(call) / work_of_a_thread;
    const int most = int(std::min<double>(threads, std::max(1.0, worth)));
    return int(std::min<std::int64_t>(parts_of(call), most));
}

template <class Call>
struct Work {
    const Kernel<Call>& kernel;
    const Call& call;
    int slices;
    void* shared;
    std::vector<void*> owns;

    std::int64_t first(int slice) const { return parts_of(call) * slice / slices; }

    static void pack(void* self, int part) {
        const Work& w = *static_cast<Work*>(self);
        const FlushDenormals guard;
        w.kernel.pack(w.call, w.shared, part, w.slices);
    }
    static void slice(void* self, int k) {
        const Work& w = *static_cast<Work*>(self);
        const FlushDenormals guard;
        w.kernel.slice(w.call, w.shared, w.owns[std::size_t(k)], w.first(k), w.first(k + 1));
    }
    static void reduce(void* self, int part) {
        const Work& w = *static_cast<Work*>(self);
        const FlushDenormals guard;
        w.kernel.reduce(w.call, w.owns.data(), w.slices, part, w.slices);
    }
};

std::size_t aligned(std::int64_t bytes) { return (std::size_t(bytes) + 4095) / 4096 * 4096 + 128; }

template <class Call>
void run_now(const Kernel<Call>& kernel, const Call& call, int threads) {
    const int slices = slices_of(call, threads);
    Work<Call> work{kernel, call, slices, nullptr, {}};
    const std::size_t shared = aligned(kernel.shared_bytes(call));
    std::size_t total = shared;
    std::vector<std::size_t> offsets;
    for (int k = 0; k < slices; ++k) {
        offsets.push_back(total);
        total += aligned(kernel.own_bytes(call, work.first(k + 1) - work.first(k)));
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
Waiting waiting(const Kernel<Call>& kernel, const Call& call) {
    const std::size_t shared = aligned(kernel.shared_bytes(call));
    const std::size_t own = aligned(kernel.own_bytes(call, parts_of(call)));
    return {shared + own, work_of(call), [&kernel, call, shared](void* memory) {
                Work<Call> work{kernel, call, 1, memory, {static_cast<char*>(memory) + shared}};
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
        gathered.calls.push_back(waiting(kernel, call));
    else
        run_now(kernel, call, threads);
}

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
