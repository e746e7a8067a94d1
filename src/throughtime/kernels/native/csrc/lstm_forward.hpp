// LSTM, forward: one slice of the batch through the whole sequence.
//
// Notation as in contract.hpp; Hp is H rounded up to whole vectors; a *group* is one vector of units with
// all its blocks, n vectors: one register tile computes them for a few rows, then the cell is finished
// while they are still in the first cache. Sources of a tile, in the order of the packed weights:
// y(t-1), x(t), and under FGR the m own gates of t-1.
//
// shared: weights [group][k][block][lane], bias [group][block][lane], peepholes [m][Hp].
// own: y before and after the step (2, rows, Hp), c (rows, Hp), own gates (2, rows, m Hp) under FGR,
//      one group's values before the activation, (rows, n lanes), and x of one step (rows, I) where the sequences are
//      taken in another order than theirs. A row that is not under way has its state both before and after the step.
#pragma once

#include "activations.hpp"
#include "gemm.hpp"
#include "under_way.hpp"

namespace {

using throughtime::Forget;
using throughtime::LSTMForwardCall;
using throughtime::Variant;

template <class T>
struct LSTMForwardKernel {
    using Call = LSTMForwardCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    static constexpr int lanes = S::lanes;
    static constexpr std::int64_t most_bytes = std::int64_t(384) << 10;

    struct Sizes {
        std::int64_t H, Hp, groups, depth, step;
        int n, m;
        explicit Sizes(const Call& call) {
            H = call.cells;
            Hp = round_up(H, lanes);
            groups = Hp / lanes;
            n = call.variant.blocks();
            m = call.variant.gates();
            depth = H + call.inputs + (call.variant.full_gate_recurrence ? m * H : 0);
            step = n * lanes;
        }
        std::int64_t weights() const { return groups * depth * step; }
        std::int64_t bias() const { return groups * step; }
    };

    struct Shared {
        T *weights, *bias, *peephole;
        Shared(const Sizes& z, void* memory) {
            weights = static_cast<T*>(memory);
            bias = weights + z.weights();
            peephole = bias + z.bias();
        }
    };

    struct Own {
        T *y[2], *c, *gates[2], *bars, *x;
        Own(const Call& call, const Sizes& z, void* memory, std::int64_t rows) {
            y[0] = static_cast<T*>(memory);
            y[1] = y[0] + rows * z.Hp;
            c = y[1] + rows * z.Hp;
            gates[0] = c + rows * z.Hp;
            const std::int64_t own_gates = call.variant.full_gate_recurrence ? rows * z.m * z.Hp : 0;
            gates[1] = gates[0] + own_gates;
            bars = gates[1] + own_gates;
            x = bars + rows * z.step;
        }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return std::int64_t(sizeof(T)) * (z.weights() + z.bias() + z.m * z.Hp);
    }

    static std::int64_t own_bytes(const Call& call, std::int64_t rows) {
        const Sizes z(call);
        const std::int64_t states = 3 + (call.variant.full_gate_recurrence ? 2 * z.m : 0);
        const std::int64_t ordered = call.order ? call.inputs : 0;
        return std::int64_t(sizeof(T)) * (rows * (z.Hp * states + z.step + ordered));
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        const Shared shared(z, memory);
        const Variant v = call.variant;
        for (std::int64_t g = z.groups * part / parts; g < z.groups * (part + 1) / parts; ++g) {
            const std::int64_t unit = g * lanes, valid = smaller<std::int64_t>(lanes, z.H - unit);
            for (int b = 0; b < z.n; ++b) {
                T* w = shared.weights + g * z.depth * z.step + b * lanes;
                const std::int64_t row = b * z.H + unit;
                pack_transposed(call.weight_hh + row * z.H, z.H, valid, z.H, w, z.step);
                w += z.H * z.step;
                pack_transposed(call.weight_ih + row * call.inputs, call.inputs, valid, call.inputs, w, z.step);
                w += call.inputs * z.step;
                if (v.full_gate_recurrence) {
                    const bool is_gate = b != v.at_z();
                    const int a = b < v.at_z() ? b : b - 1;
                    const T* from = is_gate ? call.weight_gates + (a * z.H + unit) * z.m * z.H : nullptr;
                    pack_transposed(from, z.m * z.H, is_gate ? valid : 0, z.m * z.H, w, z.step);
                }
                T* bias = shared.bias + g * z.step + b * lanes;
                for (int l = 0; l < lanes; ++l) bias[l] = call.bias && l < valid ? call.bias[row + l] : T(0);
            }
            for (int a = 0; call.peephole && a < z.m; ++a)
                for (int l = 0; l < lanes; ++l)
                    shared.peephole[a * z.Hp + unit + l] = l < valid ? call.peephole[a * z.H + unit + l] : T(0);
        }
    }

    // One time step of one slice.
    struct Step {
        const Call& call;
        const Sizes& z;
        const Shared& shared;
        const Own& own;
        std::int64_t t, first;  // time, place of the first row
        int now;                // own.y[now] is y(t-1), the other becomes y(t)
        std::ptrdiff_t ahead;   // from a row of the results to that of the step that follows, 0 at the last one

        // Where a row stands among all rows (T, B) of a result.
        std::int64_t out(std::int64_t row) const { return t * call.batch + call.sequence(first + row); }
    };

    // Peepholes of one group, zero where there are none.
    struct Peephole {
        V i, f, o;
        Peephole(const Step& s, const Variant& v, std::int64_t unit) {
            const T* p = s.shared.peephole + unit;
            const bool any = s.call.peephole != nullptr;
            i = any && v.input_gate ? S::load(p) : S::broadcast(T(0));
            f = any && v.forget == Forget::own ? S::load(p + v.at_f() * s.z.Hp) : S::broadcast(T(0));
            o = any && v.output_gate ? S::load(p + v.peephole_of_o() * s.z.Hp) : S::broadcast(T(0));
        }
    };

    // The activations that do not wait for c(t), in place, all rows first: they do not wait for each other.
    template <bool Vanilla, bool Peepholes, bool Record>
    static void activate(const Step& s, const Peephole& p, std::int64_t unit, std::int64_t row, int rows) {
        const Variant v = Vanilla ? Variant{} : s.call.variant;
        const int n = v.blocks(), valid = int(smaller<std::int64_t>(lanes, s.z.H - unit));
        for (int r = 0; r < rows; ++r) {
            T* values = s.own.bars + (row + r) * n * lanes;
            T* record = nullptr;
            if constexpr (Record)
                record = s.call.bars + s.out(row + r) * n * s.z.H + unit;
            auto gate = [&](int block, V peephole) {
                V bar = S::load(values + block * lanes);
                if constexpr (Peepholes) bar = bar + peephole * S::load(s.own.c + (row + r) * s.z.Hp + unit);
                if constexpr (Record) store_block(record + block * s.z.H, bar, valid);
                S::store(values + block * lanes, logistic<T>(bar));
            };
            if (v.input_gate) gate(0, p.i);
            if (v.forget == Forget::own) gate(v.at_f(), p.f);
            if constexpr (!Peepholes)
                if (v.output_gate) gate(v.at_o(), p.o);
            const V z_bar = S::load(values + v.at_z() * lanes);
            if constexpr (Record) store_block(record + v.at_z() * s.z.H, z_bar, valid);
            if (v.squash_input) S::store(values + v.at_z() * lanes, hyperbolic_tangent<T>(z_bar));
        }
    }

    // The cell of `rows` rows and one group from its values before the activation.
    template <bool Vanilla, bool Peepholes, bool Record>
    static void finish(const Step& s, std::int64_t g, std::int64_t row, int rows) {
        const Variant v = Vanilla ? Variant{} : s.call.variant;
        const Sizes& z = s.z;
        const int n = v.blocks();
        const std::int64_t unit = g * lanes;
        const int valid = int(smaller<std::int64_t>(lanes, z.H - unit));
        const V one = S::broadcast(T(1));
        const Peephole p(s, v, unit);
        activate<Vanilla, Peepholes, Record>(s, p, unit, row, rows);
        for (int r = 0; r < rows; ++r) {
            const std::int64_t at = (row + r) * z.Hp + unit;
            const std::int64_t out = s.out(row + r);
            const T* values = s.own.bars + (row + r) * n * lanes;
            const V c_before = S::load(s.own.c + at), block = S::load(values + v.at_z() * lanes);
            const V i = v.input_gate ? S::load(values) : one;
            const V f = v.forget == Forget::own ? S::load(values + v.at_f() * lanes) : one - i;
            const V c = v.forget == Forget::none ? c_before + block * i : c_before * f + block * i;
            const V h_c = v.squash_output ? hyperbolic_tangent<T>(c) : c;
            V o = one;
            if (v.output_gate) {
                o = S::load(values + v.at_o() * lanes);
                if constexpr (Peepholes) {
                    const V o_bar = o + p.o * c;
                    if constexpr (Record) store_block(s.call.bars + (out * n + v.at_o()) * z.H + unit, o_bar, valid);
                    o = logistic<T>(o_bar);
                }
            }
            const V y = o * h_c;
            S::store(s.own.c + at, c);
            S::store(s.own.y[1 - s.now] + at, y);
            store_block(s.call.y + out * z.H + unit, y, valid);
            if (s.call.gates) {
                T* gates = s.call.gates + out * n * z.H + unit;
                store_block(s.call.c + out * z.H + unit, c, valid);
                if (v.input_gate) store_block(gates, i, valid);
                if (v.forget == Forget::own) store_block(gates + v.at_f() * z.H, f, valid);
                store_block(gates + v.at_z() * z.H, block, valid);
                if (v.output_gate) store_block(gates + v.at_o() * z.H, o, valid);
                for (int b = 0; b < n; ++b) fetch_to_write(gates + (s.ahead * n + b) * z.H);
                fetch_to_write(s.call.c + (out + s.ahead) * z.H + unit);
            }
            fetch_to_write(s.call.y + (out + s.ahead) * z.H + unit);
            if (v.full_gate_recurrence) {
                T* next = s.own.gates[1 - s.now] + (row + r) * z.m * z.Hp + unit;
                if (v.input_gate) S::store(next, i);
                if (v.forget == Forget::own) S::store(next + v.at_f() * z.Hp, f);
                if (v.output_gate) S::store(next + v.peephole_of_o() * z.Hp, o);
            }
        }
    }

    // A padded step of a row: the state stays, the output is zero.
    static void pad(const Step& s, std::int64_t row) {
        const Call& call = s.call;
        const Sizes& z = s.z;
        const std::int64_t out = s.out(row);
        clear(call.y + out * z.H, z.H);
        fetch_row_to_write(call.y + (out + s.ahead) * z.H, z.H);
        if (call.bars) clear(call.bars + out * z.n * z.H, z.n * z.H);
        if (!call.gates) return;
        clear(call.gates + out * z.n * z.H, z.n * z.H);
        copy(s.own.c + row * z.Hp, z.H, call.c + out * z.H);
        fetch_row_to_write(call.c + (out + s.ahead) * z.H, z.H);
        for (int a = 0; call.variant.full_gate_recurrence && a < z.m; ++a)
            copy(s.own.gates[s.now] + (row * z.m + a) * z.Hp, z.H,
                 call.gates + (out * z.n + call.variant.block_of_gate(a)) * z.H);
    }

    // Puts the state of a row after the step, too.
    static void stay(const Call& call, const Sizes& z, const Own& own, std::int64_t row, int now) {
        copy(own.y[now] + row * z.Hp, z.Hp, own.y[1 - now] + row * z.Hp);
        const std::int64_t gates = call.variant.full_gate_recurrence ? z.m * z.Hp : 0;
        copy(own.gates[now] + row * gates, gates, own.gates[1 - now] + row * gates);
    }

    template <bool Vanilla, bool Peepholes, bool Record>
    static void step(const Step& s, std::int64_t rows) {
        const Sizes& z = s.z;
        const RowTiles tiles(rows, z.n);
        const int n_sources = 2 + (s.call.variant.full_gate_recurrence ? z.m : 0);
        // A group's weights should stay in the second cache for all rows: if they are many, source by source.
        const bool few = z.depth * z.step * std::int64_t(sizeof(T)) <= most_bytes;
        const int at_once = few ? n_sources : 1;
        const Source<T> x = input_of(s.call, s.t, s.first, rows, s.own.x);
        for (std::int64_t g = 0; g < z.groups; ++g) {
            const T* weights = s.shared.weights + g * z.depth * z.step;
            for (int first = 0; first < n_sources; first += at_once) {
                for (std::int64_t k = 0; k < tiles.count; ++k) {
                    const std::int64_t row = tiles.begin(k);
                    const int height = int(tiles.begin(k + 1) - row);
                    Source<T> sources[5];
                    sources[0] = {s.own.y[s.now] + row * z.Hp, z.Hp, z.H};
                    sources[1] = {x.rows + row * x.stride, x.stride, x.depth};
                    for (int a = 0; a < n_sources - 2; ++a)
                        sources[2 + a] = {s.own.gates[s.now] + (row * z.m + a) * z.Hp, z.m * z.Hp, z.H};
                    T* bars = s.own.bars + row * z.step;
                    const T* start = first == 0 ? s.shared.bias + g * z.step : bars;
                    tile_for<T>(height, z.n)(sources + first, at_once, weights, start, first == 0 ? 0 : z.step, bars, z.step);
                    if (first + at_once == n_sources) finish<Vanilla, Peepholes, Record>(s, g, row, height);
                }
                weights += (first == 1 ? s.call.inputs : z.H) * z.step;
            }
        }
    }

    static void load(const Call& call, void* own_memory, std::int64_t first, std::int64_t last) {
        const Sizes z(call);
        const std::int64_t rows = last - first;
        const Own own(call, z, own_memory, rows);
        const int carried = call.variant.full_gate_recurrence ? z.m : 0;
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            for (std::int64_t j = 0; j < z.Hp; ++j) {
                const bool real = j < z.H;
                own.y[0][r * z.Hp + j] = real ? call.y0[b * z.H + j] : T(0);
                own.c[r * z.Hp + j] = real ? call.c0[b * z.H + j] : T(0);
                for (int a = 0; a < carried; ++a)
                    own.gates[0][(r * z.m + a) * z.Hp + j] = real ? call.gates0[(b * z.m + a) * z.H + j] : T(0);
            }
            if (call.lengths) stay(call, z, own, r, 0);
        }
    }

    static std::int64_t steps(const Call& call, const void* shared_memory, void* own_memory, std::int64_t first,
                              std::int64_t last, int& now) {
        const Sizes z(call);
        const Shared shared(z, const_cast<void*>(shared_memory));
        const std::int64_t rows = last - first;
        const Own own(call, z, own_memory, rows);
        const Variant v = call.variant;
        const bool vanilla = v.blocks() == 4 && v.squash_input && v.squash_output && !v.full_gate_recurrence;
        const bool peepholes = call.peephole != nullptr;
        auto run = vanilla ? (peepholes ? &step<true, true, false> : &step<true, false, false>)
                           : (peepholes ? &step<false, true, false> : &step<false, false, false>);
        if (call.bars) run = peepholes ? &step<false, true, true> : &step<false, false, true>;
        UnderWay under_way(call, first, last);
        std::int64_t before = 0;
        for (std::int64_t k = 0; k < call.steps; ++k, now = 1 - now) {
            const std::int64_t t = call.reverse ? call.steps - 1 - k : k, active = under_way.at(t);
            const std::ptrdiff_t ahead = k + 1 == call.steps ? 0 : call.reverse ? -call.batch : call.batch;
            const Step step{call, z, shared, own, t, first, now, ahead};
            if (active > 0) run(step, active);
            for (std::int64_t r = active; r < before; ++r) stay(call, z, own, r, now);
            for (std::int64_t r = active; r < rows; ++r) pad(step, r);
            before = active;
        }
        return under_way.computed();
    }

    static void unload(const Call& call, const void* own_memory, std::int64_t first, std::int64_t last, int now) {
        const Sizes z(call);
        const std::int64_t rows = last - first;
        const Own own(call, z, const_cast<void*>(own_memory), rows);
        const int carried = call.variant.full_gate_recurrence ? z.m : 0;
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            copy(own.y[now] + r * z.Hp, z.H, call.y_n + b * z.H);
            copy(own.c + r * z.Hp, z.H, call.c_n + b * z.H);
            for (int a = 0; a < carried; ++a)
                copy(own.gates[now] + (r * z.m + a) * z.Hp, z.H, call.gates_n + (b * z.m + a) * z.H);
        }
    }

    static std::int64_t slice(const Call& call, const void* shared, void* own, std::int64_t first, std::int64_t last) {
        int now = 0;
        load(call, own, first, last);
        const std::int64_t computed = steps(call, shared, own, first, last, now);
        unload(call, own, first, last, now);
        return computed;
    }
};

}  // namespace
