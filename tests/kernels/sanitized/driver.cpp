// Runs every kernel without Python, for sanitizers: every cell, direction, dtype and instruction set, odd
// sizes, lengths, several threads at once. Buffers are exactly as large as the contract says and begin with
// NaN. Values are checked by the Python tests; here only that results are finite and repeatable, and that with
// AddressSanitizer nothing reads what stands at padded steps.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "driver.hpp"
#include "memory.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace throughtime;

namespace {

template <class T>
struct Buffers {
    std::mt19937 random{7};
    std::vector<std::vector<T>> kept, partly;

    const T* in(std::int64_t count) {
        std::uniform_real_distribution<T> uniform(T(-0.5), T(0.5));
        std::vector<T> values(static_cast<std::size_t>(count));
        for (T& v : values) v = uniform(random);
        kept.push_back(std::move(values));
        return kept.back().data();
    }
    T* out(std::int64_t count) {
        kept.emplace_back(static_cast<std::size_t>(count), std::numeric_limits<T>::quiet_NaN());
        return kept.back().data();
    }
    // Not among the results: what the kernels need not fill.
    T* scratch(std::int64_t count) {
        partly.emplace_back(static_cast<std::size_t>(count), std::numeric_limits<T>::quiet_NaN());
        return partly.back().data();
    }
    std::vector<T> all() const {
        std::vector<T> values;
        for (const auto& one : kept) values.insert(values.end(), one.begin(), one.end());
        return values;
    }
};

struct Size {
    std::int64_t T, B, I, H;
};

// For its lifetime rows of `width` values of (T, B, width) may not be read at padded steps.
template <class T>
class Forbidden {
  public:
    Forbidden(const Sequences& call, const T* values, std::int64_t width)
        : call_(call), values_(values), width_(width) {
        each(true);
    }
    ~Forbidden() { each(false); }
    Forbidden(const Forbidden&) = delete;
    Forbidden& operator=(const Forbidden&) = delete;

  private:
    void each([[maybe_unused]] bool forbid) const {
#if defined(__SANITIZE_ADDRESS__)
        for (std::int64_t row = 0; row < call_.steps * call_.batch; ++row) {
            if (!call_.padded(row % call_.batch, row / call_.batch)) continue;
            const auto bytes = std::size_t(width_) * sizeof(T);
            if (forbid)
                __asan_poison_memory_region(values_ + row * width_, bytes);
            else
                __asan_unpoison_memory_region(values_ + row * width_, bytes);
        }
#endif
    }

    const Sequences& call_;
    const T* values_;
    std::int64_t width_;
};

template <class T>
std::vector<T> lstm(const KernelsOf<T>& k, Size s, Variant v, bool peepholes, bool reverse, bool record,
                    const std::vector<std::int64_t>* lengths, int threads) {
    Buffers<T> b;
    const std::int64_t n = v.blocks() * s.H, m = v.gates() * s.H, rows = s.T * s.B;
    const bool fgr = v.full_gate_recurrence;
    LSTMForwardCall<T> f{};
    f.steps = s.T, f.batch = s.B, f.inputs = s.I, f.cells = s.H, f.variant = v, f.reverse = reverse;
    f.x = b.in(rows * s.I), f.x_t = s.B * s.I, f.x_b = s.I;
    f.y0 = b.in(s.B * s.H), f.c0 = b.in(s.B * s.H), f.gates0 = fgr ? b.in(s.B * m) : nullptr;
    f.weight_ih = b.in(n * s.I), f.weight_hh = b.in(n * s.H), f.bias = b.in(n);
    f.peephole = peepholes && m ? b.in(m) : nullptr, f.weight_gates = fgr ? b.in(m * m) : nullptr;
    f.lengths = lengths ? lengths->data() : nullptr;
    f.y = b.out(rows * s.H), f.y_n = b.out(s.B * s.H), f.c_n = b.out(s.B * s.H);
    f.gates_n = fgr ? b.out(s.B * m) : nullptr, f.c = b.out(rows * s.H);
    f.gates = lengths ? b.scratch(rows * n) : b.out(rows * n), f.bars = record ? b.out(rows * n) : nullptr;
    {
        const Forbidden<T> x(f, f.x, s.I);
        run(k.lstm_forward, f, threads);
    }
    LSTMBackwardCall<T> r{};
    r.steps = s.T, r.batch = s.B, r.inputs = s.I, r.cells = s.H, r.variant = v, r.reverse = reverse;
    r.d_y = b.in(rows * s.H), r.d_y_t = s.B * s.H, r.d_y_b = s.H;
    r.d_y_n = b.in(s.B * s.H), r.d_c_n = b.in(s.B * s.H), r.d_gates_n = fgr ? b.in(s.B * m) : nullptr;
    r.x = f.x, r.x_t = f.x_t, r.x_b = f.x_b, r.y0 = f.y0, r.c0 = f.c0, r.gates0 = f.gates0;
    r.weight_ih = f.weight_ih, r.weight_hh = f.weight_hh, r.peephole = f.peephole, r.weight_gates = f.weight_gates;
    r.lengths = f.lengths, r.y = f.y, r.gates = f.gates, r.c = f.c;
    r.d_x = b.out(rows * s.I), r.d_y0 = b.out(s.B * s.H), r.d_c0 = b.out(s.B * s.H);
    r.d_gates0 = fgr ? b.out(s.B * m) : nullptr;
    r.d_weight_ih = b.out(n * s.I), r.d_weight_hh = b.out(n * s.H), r.d_bias = b.out(n);
    r.d_peephole = f.peephole ? b.out(m) : nullptr, r.d_weight_gates = fgr ? b.out(m * m) : nullptr;
    r.d_bars = record ? b.out(rows * n) : nullptr;
    r.d_cells = record ? b.out(rows * s.H) : nullptr, r.d_outputs = record ? b.out(rows * s.H) : nullptr;
    {
        const Forbidden<T> x(r, r.x, s.I), d_y(r, r.d_y, s.H), y(r, r.y, s.H), c(r, r.c, s.H), gates(r, r.gates, n);
        run(k.lstm_backward, r, threads);
    }
    return b.all();
}

template <class T>
std::vector<T> rnn(const KernelsOf<T>& k, Size s, Nonlinearity g, bool reverse, bool record,
                   const std::vector<std::int64_t>* lengths, int threads) {
    Buffers<T> b;
    const std::int64_t rows = s.T * s.B;
    RNNForwardCall<T> f{};
    f.steps = s.T, f.batch = s.B, f.inputs = s.I, f.cells = s.H, f.g = g, f.reverse = reverse;
    f.x = b.in(rows * s.I), f.x_t = s.B * s.I, f.x_b = s.I, f.h0 = b.in(s.B * s.H);
    f.weight_ih = b.in(s.H * s.I), f.weight_hh = b.in(s.H * s.H), f.bias = b.in(s.H);
    f.lengths = lengths ? lengths->data() : nullptr;
    f.h = b.out(rows * s.H), f.h_n = b.out(s.B * s.H), f.bars = record ? b.out(rows * s.H) : nullptr;
    {
        const Forbidden<T> x(f, f.x, s.I);
        run(k.rnn_forward, f, threads);
    }
    RNNBackwardCall<T> r{};
    r.steps = s.T, r.batch = s.B, r.inputs = s.I, r.cells = s.H, r.g = g, r.reverse = reverse;
    r.d_h = b.in(rows * s.H), r.d_h_t = s.B * s.H, r.d_h_b = s.H, r.d_h_n = nullptr;
    r.x = f.x, r.x_t = f.x_t, r.x_b = f.x_b, r.h0 = f.h0, r.weight_ih = f.weight_ih, r.weight_hh = f.weight_hh;
    r.lengths = f.lengths, r.h = f.h;
    r.d_x = b.out(rows * s.I), r.d_h0 = b.out(s.B * s.H), r.d_weight_ih = b.out(s.H * s.I);
    r.d_weight_hh = b.out(s.H * s.H), r.d_bias = b.out(s.H);
    r.d_bars = record ? b.out(rows * s.H) : nullptr, r.d_outputs = record ? b.out(rows * s.H) : nullptr;
    {
        const Forbidden<T> x(r, r.x, s.I), d_h(r, r.d_h, s.H), h(r, r.h, s.H);
        run(k.rnn_backward, r, threads);
    }
    return b.all();
}

// An LSTM, or a simple RNN where there is a nonlinearity; `mask` says what it has.
template <class T>
std::vector<T> regularised(const KernelsOf<T>& k, Size s, Variant v, const Nonlinearity* g, int mask,
                           const std::vector<std::int64_t>* lengths, int threads) {
    const bool norm = mask & 1, drawn = mask & 2, dropout = mask & 4, reverse = mask & 8, record = mask & 16;
    Buffers<T> b;
    Regularised how{};
    how.steps = s.T, how.batch = s.B, how.cells = s.H, how.gated = !g, how.variant = v, how.reverse = reverse;
    if (g) how.g = *g;
    how.zoneout_c = 0.2, how.zoneout_y = 0.4, how.sampled = drawn, how.seed = 5, how.epsilon = 1e-5;
    how.lengths = lengths ? lengths->data() : nullptr;
    const std::int64_t n = how.blocks() * s.H, m = how.carried() * s.H, rows = s.T * s.B;
    const bool peepholes = !g && v.gates();
    RegularisedForwardCall<T> f{how};
    f.projected = b.in(rows * n), f.y0 = b.in(s.B * s.H), f.c0 = g ? nullptr : b.in(s.B * s.H);
    f.gates0 = m ? b.in(s.B * m) : nullptr, f.weight = b.in(n * (s.H + m));
    f.gain = norm ? b.in(n) : nullptr, f.gain_c = norm && !g ? b.in(s.H) : nullptr;
    f.bias_c = f.gain_c ? b.in(s.H) : nullptr, f.mask = dropout ? b.in(s.B * s.H) : nullptr;
    f.peephole = peepholes ? b.in(v.gates() * s.H) : nullptr;
    f.y = b.out(rows * s.H), f.y_n = b.out(s.B * s.H), f.c_n = g ? nullptr : b.out(s.B * s.H);
    f.gates_n = m ? b.out(s.B * m) : nullptr, f.gates = b.out(rows * n), f.c = g ? nullptr : b.out(rows * s.H);
    f.hat = norm ? b.out(rows * n) : nullptr, f.scale = norm ? b.out(rows) : nullptr;
    f.bars = record ? b.out(rows * n) : nullptr;
    {
        const Forbidden<T> projected(f, f.projected, n);
        run(k.regularised_forward, f, threads);
    }
    RegularisedBackwardCall<T> r{how};
    r.d_y = b.in(rows * s.H), r.d_y_t = s.B * s.H, r.d_y_b = s.H, r.d_y_n = b.in(s.B * s.H);
    r.d_gates_n = m ? b.in(s.B * m) : nullptr, r.c0 = f.c0, r.weight = f.weight, r.gain = f.gain, r.gain_c = f.gain_c;
    r.bias_c = f.bias_c, r.peephole = f.peephole, r.mask = f.mask;
    r.gates = f.gates, r.c = f.c, r.hat = f.hat, r.scale = f.scale;
    r.d_bars = b.out(rows * n), r.d_sums = norm ? b.out(rows * n) : nullptr, r.d_y0 = b.out(s.B * s.H);
    r.d_c0 = g ? nullptr : b.out(s.B * s.H), r.d_gates0 = m ? b.out(s.B * m) : nullptr;
    r.d_gain = norm ? b.out(n) : nullptr, r.d_gain_c = f.gain_c ? b.out(s.H) : nullptr;
    r.d_bias_c = f.gain_c ? b.out(s.H) : nullptr, r.d_peephole = peepholes ? b.out(v.gates() * s.H) : nullptr;
    r.d_cells = record && !g ? b.out(rows * s.H) : nullptr, r.d_outputs = record ? b.out(rows * s.H) : nullptr;
    {
        const Forbidden<T> d_y(r, r.d_y, s.H), gates(r, r.gates, n);
        run(k.regularised_backward, r, threads);
    }
    return b.all();
}

// A live reading of s.T steps, B sequences, whose rows of x are further apart than they are wide; goes on from the
// state that it left.
template <class T>
std::vector<T> live(const KernelsOf<T>& k, Size s, Variant v, const Nonlinearity* g, bool norm) {
    Buffers<T> b;
    RegularisedStreamCall<T> c{};
    c.steps = 1, c.batch = s.B, c.cells = s.H, c.inputs = s.I, c.gated = !g, c.variant = v;
    if (g) c.g = *g;
    c.zoneout_c = 0.2, c.zoneout_y = 0.4, c.epsilon = 1e-5;
    const std::int64_t n = c.blocks() * s.H, m = c.carried() * s.H, gates = g ? 0 : v.gates();
    c.y0 = b.in(s.B * s.H), c.c0 = g ? nullptr : b.in(s.B * s.H), c.gates0 = m ? b.in(s.B * m) : nullptr;
    c.weight_ih = b.in(n * s.I), c.weight = b.in(n * (s.H + m)), c.bias = norm ? b.in(n) : nullptr;
    c.gain_ih = norm ? b.in(n) : nullptr, c.gain = norm ? b.in(n) : nullptr;
    c.gain_c = norm && !g ? b.in(s.H) : nullptr, c.bias_c = c.gain_c ? b.in(s.H) : nullptr;
    c.peephole = gates ? b.in(gates * s.H) : nullptr;
    c.x_b = s.I + 1;
    const auto& kernel = k.regularised_stream;
    const Block shared(std::size_t(kernel.shared_bytes(c))), own(std::size_t(kernel.own_bytes(c, s.B)));
    for (int part = 0; part < 3; ++part) kernel.pack(c, shared.data(), part, 3);
    for (int round = 0; round < 2; ++round) {
        int now = 0;
        kernel.load(c, own.data(), 0, s.B);
        for (std::int64_t t = 0; t < s.T; ++t) {
            c.x = b.in((s.B - 1) * c.x_b + s.I), c.y = b.out(s.B * s.H);
            kernel.steps(c, shared.data(), own.data(), 0, s.B, now);
        }
        c.y_n = b.out(s.B * s.H), c.c_n = g ? nullptr : b.out(s.B * s.H), c.gates_n = m ? b.out(s.B * m) : nullptr;
        kernel.unload(c, own.data(), 0, s.B, now);
        c.y0 = c.y_n, c.c0 = c.c_n, c.gates0 = c.gates_n;
    }
    return b.all();
}

// Factors of no cell in particular.
template <class T>
std::vector<double> error_map(const KernelsOf<T>& k, Size s, int cell_blocks, int blocks, bool reverse,
                              const std::vector<std::int64_t>* lengths, int threads) {
    Buffers<T> b;
    Buffers<double> norms;
    const std::int64_t rows = s.T * s.B;
    std::vector<std::int64_t> at;
    for (std::int64_t t = s.T > 1 ? s.T % 2 : 0; t < s.T; t += s.T > 20 ? 1 : 2) at.push_back(t);
    ErrorMapCall<T> m{};
    m.steps = s.T, m.batch = s.B, m.cells = s.H, m.rows = std::int64_t(at.size()), m.at = at.data();
    m.blocks = blocks, m.cell_blocks = cell_blocks, m.reverse = reverse;
    m.lengths = lengths ? lengths->data() : nullptr;
    m.factors = b.in(rows * blocks * s.H), m.start = b.in(rows * s.H), m.weight_hh = b.in(blocks * s.H * s.H);
    m.to_c = cell_blocks ? b.in(rows * s.H) : nullptr, m.keep = cell_blocks ? b.in(rows * s.H) : nullptr;
    m.y = norms.out(rows * m.rows), m.c = cell_blocks ? norms.out(rows * m.rows) : nullptr;
    run(k.error_map, m, threads);
    return norms.all();
}

template <class T>
void check(const std::vector<T>& first, const std::vector<T>& second, const char* what) {
    for (const T v : first)
        if (!std::isfinite(v)) std::printf("%s: not finite\n", what), std::exit(1);
    if (first.size() != second.size() || std::memcmp(first.data(), second.data(), first.size() * sizeof(T)) != 0)
        std::printf("%s: a second run differs\n", what), std::exit(1);
}

template <class T>
void all_of(const KernelsOf<T>& k, Size s, int threads) {
    std::vector<std::int64_t> lengths(static_cast<std::size_t>(s.B));
    for (std::int64_t r = 0; r < s.B; ++r) lengths[std::size_t(r)] = (3 * r) % (s.T + 1);
    for (int mask = 0; mask < 2 * 3 * 2 * 2 * 2 * 2; ++mask) {
        Variant v;
        int rest = mask;
        auto next = [&](int count) { const int digit = rest % count; rest /= count; return digit; };
        v.input_gate = next(2), v.forget = Forget(next(3)), v.output_gate = next(2);
        v.squash_input = next(2), v.squash_output = next(2), v.full_gate_recurrence = next(2);
        if ((v.forget == Forget::coupled && !v.input_gate) || (v.full_gate_recurrence && v.gates() == 0)) continue;
        const bool reverse = mask % 5 == 0, record = mask % 3 == 0, peepholes = mask % 2 == 0;
        const auto* padded = mask % 4 == 1 ? &lengths : nullptr;
        check(lstm(k, s, v, peepholes, reverse, record, padded, threads),
              lstm(k, s, v, peepholes, reverse, record, padded, threads), "lstm");
        check(regularised(k, s, v, nullptr, mask % 32, padded, threads),
              regularised(k, s, v, nullptr, mask % 32, padded, threads), "regularised lstm");
        check(live(k, s, v, nullptr, mask % 3), live(k, s, v, nullptr, mask % 3), "live lstm");
    }
    for (int mask = 0; mask < 32; ++mask) {
        const auto g = Nonlinearity(mask % 4);
        const auto* padded = mask % 3 ? &lengths : nullptr;
        check(regularised(k, s, {}, &g, mask, padded, threads), regularised(k, s, {}, &g, mask, padded, threads),
              "regularised rnn");
        check(live(k, s, {}, &g, mask & 4), live(k, s, {}, &g, mask & 4), "live rnn");
    }
    for (int g = 0; g < 4; ++g)
        check(rnn(k, s, Nonlinearity(g), g == 1, g == 2, g == 3 ? &lengths : nullptr, threads),
              rnn(k, s, Nonlinearity(g), g == 1, g == 2, g == 3 ? &lengths : nullptr, threads), "rnn");
    const int shapes[][2] = {{0, 1}, {1, 1}, {1, 2}, {3, 4}};  // blocks that read the cell, all blocks
    for (int which = 0; which < 16; ++which) {
        const auto* padded = which & 4 ? &lengths : nullptr;
        const int* blocks = shapes[which % 4];
        check(error_map(k, s, blocks[0], blocks[1], which & 8, padded, threads),
              error_map(k, s, blocks[0], blocks[1], which & 8, padded, threads), "error map");
    }
}

}  // namespace

int main() {
    poison_blocks(true);
    const Size sizes[] = {{1, 1, 1, 1}, {3, 5, 2, 7}, {4, 3, 17, 33}, {2, 140, 3, 5}};
    for (int i = 0; i < instruction_sets().count; ++i) {
        const Kernels& k = *instruction_sets().sets[i];
        for (const Size& s : sizes) all_of(k.f32, s, 2), all_of(k.f64, s, 2);
        // Enough work for several threads, from several threads at once.
        const Size large{60, 9, 20, 64}, long_one{700, 1, 1, 33};
        const std::vector<std::int64_t> own{7, 60, 0, 41, 58, 3, 22, 1, 35};
        auto work = [&] {
            check(lstm(k.f32, large, {}, true, false, false, nullptr, 3), lstm(k.f32, large, {}, true, false, false, nullptr, 3), "large");
            check(regularised(k.f32, large, {}, nullptr, 7, nullptr, 3),
                  regularised(k.f32, large, {}, nullptr, 7, nullptr, 3), "regularised");
            check(lstm(k.f32, large, {}, true, true, true, &own, 3), lstm(k.f32, large, {}, true, true, true, &own, 3), "padded");
            check(regularised(k.f32, large, {}, nullptr, 7, &own, 3),
                  regularised(k.f32, large, {}, nullptr, 7, &own, 3), "padded, regularised");
            check(error_map(k.f32, long_one, 3, 4, false, nullptr, 3),
                  error_map(k.f32, long_one, 3, 4, false, nullptr, 3), "long");
        };
        std::vector<std::thread> callers;
        for (int c = 0; c < 4; ++c) callers.emplace_back(work);
        for (std::thread& caller : callers) caller.join();
#if !defined(_WIN32) && !defined(THROUGHTIME_NO_FORK)
        const pid_t child = fork();
        if (child == 0) {
            work();
            _exit(0);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0) return std::printf("fork: failed\n"), 1;
#endif
        std::printf("%s: passed\n", k.name);
    }
    release_kept();
    return 0;
}
