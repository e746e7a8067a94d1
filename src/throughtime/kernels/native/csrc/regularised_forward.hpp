// LSTM and simple RNN with layer normalisation, zoneout and recurrent dropout, forward: one slice of the batch
// through the whole sequence. What x adds comes in ready (`projected`): it waits for no other step.
//
// Notation as in regularised_parts.hpp. Of a step, first the recurrent product of all rows, then row by row what
// needs the row as a whole.
//
// shared: weights, packed for tiles of up to four vectors, [k][vector][lane], D deep; the parameters.
// own: what the product reads (rows, Dp): y(t-1) after dropout, then the own gates under FGR; y, c (rows, Hp);
//      rows (rows, n Hp); c̃ and o of one row (Hp).
#pragma once

#include "regularised_parts.hpp"
#include "rnn_forward.hpp"

namespace {

using throughtime::RegularisedForwardCall;

template <class T>
struct RegularisedForwardKernel {
    using Call = RegularisedForwardCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    using Sizes = RowSizes<T>;
    using Shared = Parameters<T>;
    static constexpr int lanes = S::lanes;

    struct Own {
        T *read, *y, *c, *rows, *fresh, *o;
        Own(const Sizes& z, void* memory, std::int64_t count) {
            read = static_cast<T*>(memory);
            y = read + count * z.Dp;
            c = y + count * z.Hp;
            rows = c + count * z.Hp;
            fresh = rows + count * z.width;
            o = fresh + z.Hp;
        }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return Shared::bytes(z, z.D);
    }
    static std::int64_t own_bytes(const Call& call, std::int64_t rows) {
        const Sizes z(call);
        return std::int64_t(sizeof(T)) * (rows * (z.Dp + 2 * z.Hp + z.width) + 2 * z.Hp);
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        const Shared shared(z, z.D, memory);
        pack_blocks(call.weight, z.D, z, shared.weights, part, parts);
        if (part == 0) shared.pack(call, z);
    }

    // One row of one time step.
    struct Row {
        const Call& call;
        const Sizes& z;
        const Shared& shared;
        const Own& own;
        std::int64_t t, b, r;  // time, sequence, row of the slice

        std::int64_t out() const { return t * call.batch + b; }
        T* bars() const { return own.rows + r * z.width; }
        // Before the activation, all but the peepholes; the recurrent row has been normalised.
        V bar(int block, std::int64_t unit, int valid) const {
            const V product = S::load(bars() + block * z.Hp + unit);
            const V projected = load_block(call.projected + (out() * z.n + block) * z.H + unit, valid);
            return call.gain ? projected + S::load(shared.gain + block * z.Hp + unit) * product : projected + product;
        }
        V peephole(int row, std::int64_t unit) const { return S::load(shared.peephole + row * z.Hp + unit); }
        void keep(T* to, int block, std::int64_t unit, V value, int valid) const {
            if (to) store_block(to + (out() * z.n + block) * z.H + unit, value, valid);
        }
        // y(t), and what the product of t+1 reads of it.
        void put_output(std::int64_t unit, V y, int valid) const {
            S::store(own.y + r * z.Hp + unit, y);
            store_block(call.y + out() * z.H + unit, y, valid);
            const V read = call.mask ? y * load_block(call.mask + b * z.H + unit, valid) : y;
            store_block(own.read + r * z.Dp + unit, read, valid);
        }
        void put_gate(int gate, std::int64_t unit, V value, int valid) const {
            if (z.carried) store_block(own.read + r * z.Dp + (1 + gate) * z.H + unit, value, valid);
        }
    };

    static void normalise_row(const Row& s) {
        if (!s.call.gain) return;
        const T scale = normalise(s.bars(), s.z.n, s.z, T(s.call.epsilon));
        if (!s.call.hat) return;
        s.call.scale[s.out()] = scale;
        for (int k = 0; k < s.z.n; ++k)
            for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes)
                s.keep(s.call.hat, k, unit, S::load(s.bars() + k * s.z.Hp + unit), s.z.valid(unit));
    }

    static void finish_rnn(const Row& s) {
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            const int valid = s.z.valid(unit);
            const V a = s.bar(0, unit, valid), h = activate<T>(s.call.g, a);
            s.keep(s.call.bars, 0, unit, a, valid);
            s.keep(s.call.gates, 0, unit, h, valid);
            const V k = Shares<T>(s.call, s.t, s.b, unit).y;
            s.put_output(unit, let_through<T>(k, h, S::load(s.own.y + s.r * s.z.Hp + unit)), valid);
        }
    }

    // The gates and c̃ of one vector of units; the output gate waits in own.o.
    static void new_cell_of(const Row& s, std::int64_t unit) {
        const Variant v = s.call.variant;
        const int valid = s.z.valid(unit);
        const bool peepholes = s.call.peephole != nullptr;
        const V one = S::broadcast(T(1)), before = S::load(s.own.c + s.r * s.z.Hp + unit);
        auto gate = [&](int block, int row, V seen) {
            V bar = s.bar(block, unit, valid);
            if (peepholes) bar = bar + s.peephole(row, unit) * seen;
            const V value = logistic<T>(bar);
            s.keep(s.call.bars, block, unit, bar, valid);
            s.keep(s.call.gates, block, unit, value, valid);
            s.put_gate(row, unit, value, valid);
            return value;
        };
        const V i = v.input_gate ? gate(0, 0, before) : one;
        const V f = v.forget == Forget::own ? gate(v.at_f(), v.at_f(), before) : one - i;
        const V z_bar = s.bar(v.at_z(), unit, valid);
        const V block = v.squash_input ? hyperbolic_tangent<T>(z_bar) : z_bar;
        s.keep(s.call.bars, v.at_z(), unit, z_bar, valid);
        s.keep(s.call.gates, v.at_z(), unit, block, valid);
        const V c = new_cell<T>(v, before, block, i, f);
        S::store(s.own.o + unit, v.output_gate ? gate(v.at_o(), v.peephole_of_o(), c) : one);
        S::store(s.own.fresh + unit, c);
        const V kept = let_through<T>(Shares<T>(s.call, s.t, s.b, unit).c, c, before);
        S::store(s.own.c + s.r * s.z.Hp + unit, kept);
        if (s.call.c) store_block(s.call.c + s.out() * s.z.H + unit, kept, valid);
    }

    static void finish_lstm(const Row& s) {
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) new_cell_of(s, unit);
        if (s.call.gain_c) normalise(s.own.fresh, 1, s.z, T(s.call.epsilon));
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            V seen = S::load(s.own.fresh + unit);
            if (s.call.gain_c) seen = S::load(s.shared.gain_c + unit) * seen + S::load(s.shared.bias_c + unit);
            const V h_c = s.call.variant.squash_output ? hyperbolic_tangent<T>(seen) : seen;
            const V y = S::load(s.own.o + unit) * h_c, before = S::load(s.own.y + s.r * s.z.Hp + unit);
            s.put_output(unit, let_through<T>(Shares<T>(s.call, s.t, s.b, unit).y, y, before), s.z.valid(unit));
        }
    }

    // A padded step: the state stays, the output is zero.
    static void pad(const Row& s) {
        const V zero = S::broadcast(T(0));
        if (s.call.hat) s.call.scale[s.out()] = T(0);
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            const int valid = s.z.valid(unit);
            store_block(s.call.y + s.out() * s.z.H + unit, zero, valid);
            if (s.call.c)
                store_block(s.call.c + s.out() * s.z.H + unit, S::load(s.own.c + s.r * s.z.Hp + unit), valid);
            for (int k = 0; k < s.z.n; ++k) {
                s.keep(s.call.gates, k, unit, zero, valid);
                s.keep(s.call.hat, k, unit, zero, valid);
                s.keep(s.call.bars, k, unit, zero, valid);
            }
        }
    }

    static void load(const Call& call, void* own_memory, std::int64_t first, std::int64_t last) {
        const Sizes z(call);
        const std::int64_t rows = last - first;
        const Own own(z, own_memory, rows);
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            for (std::int64_t j = 0; j < z.Hp; ++j) {
                const bool real = j < z.H;
                own.y[r * z.Hp + j] = real ? call.y0[b * z.H + j] : T(0);
                own.c[r * z.Hp + j] = real && call.c0 ? call.c0[b * z.H + j] : T(0);
            }
            for (std::int64_t j = 0; j < z.H; ++j)
                own.read[r * z.Dp + j] = call.mask ? call.y0[b * z.H + j] * call.mask[b * z.H + j] : call.y0[b * z.H + j];
            for (std::int64_t j = z.H; j < z.D; ++j) own.read[r * z.Dp + j] = call.gates0[b * (z.D - z.H) + j - z.H];
        }
    }

    // The state stays at its place: `now` has no use.
    static std::int64_t steps(const Call& call, const void* shared_memory, void* own_memory, std::int64_t first,
                              std::int64_t last, int&) {
        const Sizes z(call);
        const Shared shared(z, z.D, const_cast<void*>(shared_memory));
        const std::int64_t rows = last - first;
        const Own own(z, own_memory, rows);
        UnderWay under_way(call, first, last);
        for (std::int64_t k = 0; k < call.steps; ++k) {
            const std::int64_t t = call.reverse ? call.steps - 1 - k : k, active = under_way.at(t);
            multiply_rows(own.read, z.Dp, z.D, shared.weights, z, active, own.rows);
            for (std::int64_t r = 0; r < rows; ++r) {
                const Row row{call, z, shared, own, t, call.sequence(first + r), r};
                if (r >= active) {
                    pad(row);
                    continue;
                }
                normalise_row(row);
                call.gated ? finish_lstm(row) : finish_rnn(row);
            }
        }
        return under_way.computed();
    }

    static void unload(const Call& call, const void* own_memory, std::int64_t first, std::int64_t last, int) {
        const Sizes z(call);
        const std::int64_t rows = last - first;
        const Own own(z, const_cast<void*>(own_memory), rows);
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            copy(own.y + r * z.Hp, z.H, call.y_n + b * z.H);
            if (call.c_n) copy(own.c + r * z.Hp, z.H, call.c_n + b * z.H);
            if (z.carried) copy(own.read + r * z.Dp + z.H, z.D - z.H, call.gates_n + b * (z.D - z.H));
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
