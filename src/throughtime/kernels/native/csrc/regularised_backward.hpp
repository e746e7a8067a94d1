// LSTM and simple RNN with layer normalisation, zoneout and recurrent dropout, backward through time: one slice of
// the batch from its last step to its first.
//
// Notation as in regularised_parts.hpp. Results are the errors of every step, before the activation (`d_bars`) and of
// the recurrent product before it was normalised (`d_sums`); what they add to the weights is a product over all steps
// that the caller makes.
//
// shared: weights (n Hp, Dp) packed for the step back; the parameters.
// own: what `reduce` reads: gradients of gain (n Hp), gain of c, its bias (Hp), peepholes (m Hp);
//      errors of what the product read (rows, Dp), of y past the product and of c (rows, Hp), of the sums (rows, n Hp
//      and a vector); of one row c̃, its normalised value, the error of what h saw (Hp each); one tile.
#pragma once

#include "backward_parts.hpp"
#include "regularised_parts.hpp"
#include "rnn_backward.hpp"

namespace {

using throughtime::RegularisedBackwardCall;

template <class T>
struct RegularisedBackwardKernel {
    using Call = RegularisedBackwardCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    using Sizes = RowSizes<T>;
    using Shared = Parameters<T>;
    static constexpr int lanes = S::lanes;

    struct Own {
        T *gain, *gain_c, *bias_c, *peephole, *e_read, *e_y, *e_c, *sums, *fresh, *hat_c, *d_seen, *tile;
        std::int64_t stride;
        Own(const Sizes& z, void* memory, std::int64_t rows) {
            stride = z.width + lanes;
            gain = static_cast<T*>(memory);
            gain_c = gain + z.width;
            bias_c = gain_c + z.Hp;
            peephole = bias_c + z.Hp;
            e_read = peephole + z.m * z.Hp;
            e_y = e_read + rows * z.Dp;
            e_c = e_y + rows * z.Hp;
            sums = e_c + rows * z.Hp;
            fresh = sums + rows * stride;
            hat_c = fresh + z.Hp;
            d_seen = hat_c + z.Hp;
            tile = d_seen + z.Hp;
        }
        static std::int64_t gradients(const Sizes& z) { return z.width + z.Hp * (2 + z.m); }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return Shared::bytes(z, z.Dp);
    }
    static std::int64_t own_bytes(const Call& call, std::int64_t rows) {
        const Sizes z(call);
        const std::int64_t by_row = z.Dp + 2 * z.Hp + z.width + lanes + most_vectors * lanes;
        return std::int64_t(sizeof(T)) * (Own::gradients(z) + rows * by_row + 3 * z.Hp);
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        const Shared shared(z, z.Dp, memory);
        for (int b = 0; b < z.n; ++b)
            pack_rows_as_depth(call.weight + b * z.H * z.D, z.D, z.H, z.D, z.Hp, b * z.Hp, z.width, shared.weights, part,
                               parts);
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
        T* sums() const { return own.sums + r * own.stride; }
        const T* at(const T* values, int block, std::int64_t unit) const {
            return values + (out() * z.n + block) * z.H + unit;
        }
        V gate(int block, std::int64_t unit, int valid) const { return load_block(at(call.gates, block, unit), valid); }
        V e_gate(int gate, std::int64_t unit, int valid) const {
            if (!z.carried) return S::broadcast(T(0));
            return load_block(own.e_read + r * z.Dp + (1 + gate) * z.H + unit, valid);
        }
        // c(t-1), or where the sequence begins the initial one.
        V c_before(std::int64_t unit, int valid) const {
            const std::int64_t before = time_before(call.reverse, t) * call.batch + b;
            return load_block((call.begins(b, t) ? call.c0 + b * z.H : call.c + before * z.H) + unit, valid);
        }
        // δy(t), all its terms; what zoneout sends past the cell stays in own.e_y.
        V output_error(std::int64_t unit, int valid, V kept) const {
            V read = load_block(own.e_read + r * z.Dp + unit, valid);
            if (call.mask) read = read * load_block(call.mask + b * z.H + unit, valid);
            T* past = own.e_y + r * z.Hp + unit;
            const V d_y = S::load(past) + read + load_block(call.d_y + t * call.d_y_t + b * call.d_y_b + unit, valid);
            S::store(past, (S::broadcast(T(1)) - kept) * d_y);
            if (call.d_outputs) store_block(call.d_outputs + out() * z.H + unit, d_y, valid);
            return d_y;
        }
        void put_bar(int block, std::int64_t unit, V error, int valid) const {
            S::store(sums() + block * z.Hp + unit, error);
            store_block(call.d_bars + (out() * z.n + block) * z.H + unit, error, valid);
        }
    };

    static THROUGHTIME_INLINE void add(T* at, V value) { S::store(at, S::load(at) + value); }

    static void rnn_errors(const Row& s) {
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            const int valid = s.z.valid(unit);
            const V kept = Shares<T>(s.call, s.t, s.b, unit).y;
            const V d_h = kept * s.output_error(unit, valid, kept);
            s.put_bar(0, unit, d_h * slope<T>(s.call.g, s.gate(0, unit, valid)), valid);
        }
    }

    // c̃ of the row, and what h saw of it in own.hat_c; returns the factor of the normalisation.
    static T cell_again(const Row& s) {
        const Variant v = s.call.variant;
        const V one = S::broadcast(T(1));
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            const int valid = s.z.valid(unit);
            const V i = v.input_gate ? s.gate(0, unit, valid) : one;
            const V f = v.forget == Forget::own ? s.gate(v.at_f(), unit, valid) : one - i;
            const V c = new_cell<T>(v, s.c_before(unit, valid), s.gate(v.at_z(), unit, valid), i, f);
            S::store(s.own.fresh + unit, c);
            S::store(s.own.hat_c + unit, c);
        }
        return s.call.gain_c ? normalise(s.own.hat_c, 1, s.z, T(s.call.epsilon)) : T(1);
    }

    // δō, and of what h saw in own.d_seen.
    static TakenOut<T> output_errors(const Row& s) {
        const Variant v = s.call.variant;
        TakenOut<T> out;
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            const int valid = s.z.valid(unit);
            const V hat = S::load(s.own.hat_c + unit), gain = S::load(s.shared.gain_c + unit);
            const V seen = s.call.gain_c ? gain * hat + S::load(s.shared.bias_c + unit) : hat;
            const V h_c = v.squash_output ? hyperbolic_tangent<T>(seen) : seen;
            const V kept = Shares<T>(s.call, s.t, s.b, unit).y;
            V d_seen = kept * s.output_error(unit, valid, kept);
            if (v.output_gate) {
                const V o = s.gate(v.at_o(), unit, valid);
                const V d_o = d_seen * h_c + s.e_gate(v.peephole_of_o(), unit, valid);
                s.put_bar(v.at_o(), unit, d_o * logistic_slope<T>(o), valid);
                d_seen = d_seen * o;
            }
            if (v.squash_output) d_seen = d_seen * tanh_slope<T>(h_c);
            if (s.call.gain_c) {
                add(s.own.gain_c + unit, d_seen * hat);
                add(s.own.bias_c + unit, d_seen);
                d_seen = d_seen * gain;
                out.add(d_seen, hat);
            }
            S::store(s.own.d_seen + unit, d_seen);
        }
        out.finish(s.z.H);
        return out;
    }

    static void lstm_errors(const Row& s) {
        const V scale = S::broadcast(cell_again(s));
        const TakenOut<T> out = output_errors(s);
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            V d_c = S::load(s.own.d_seen + unit);
            if (s.call.gain_c) d_c = first_lanes<T>(out.error(d_c, S::load(s.own.hat_c + unit), scale), s.z.valid(unit));
            cell_errors(s, unit, d_c);
        }
    }

    // From what h adds to δc̃ of one vector of units to δī, δf̄, δz̄ and δc(t-1).
    static void cell_errors(const Row& s, std::int64_t unit, V d_c) {
        const Variant v = s.call.variant;
        const Sizes& z = s.z;
        const int valid = z.valid(unit);
        const bool peepholes = s.call.peephole != nullptr;
        const V one = S::broadcast(T(1)), before = s.c_before(unit, valid);
        const V kept = Shares<T>(s.call, s.t, s.b, unit).c;
        T* e_c = s.own.e_c + s.r * z.Hp + unit;
        const V arriving = S::load(e_c);
        d_c = d_c + kept * arriving;
        auto row = [&](int gate) { return S::load(s.shared.peephole + gate * z.Hp + unit); };
        if (peepholes && v.output_gate) {
            const V d_o = S::load(s.sums() + v.at_o() * z.Hp + unit);
            d_c = d_c + row(v.peephole_of_o()) * d_o;
            add(s.own.peephole + v.peephole_of_o() * z.Hp + unit, d_o * S::load(s.own.fresh + unit));
        }
        if (s.call.d_cells) store_block(s.call.d_cells + s.out() * z.H + unit, d_c, valid);
        if (s.call.d_states) store_block(s.call.d_states + s.out() * z.H + unit, arriving, valid);
        const V i = v.input_gate ? s.gate(0, unit, valid) : one, block = s.gate(v.at_z(), unit, valid);
        const V f = v.forget == Forget::own ? s.gate(v.at_f(), unit, valid) : one - i;
        V to_before = (one - kept) * arriving + (v.forget == Forget::none ? d_c : d_c * f);
        auto gate = [&](int at, V d_gate, V value) {
            const V d_bar = (d_gate + s.e_gate(at, unit, valid)) * logistic_slope<T>(value);
            s.put_bar(at, unit, d_bar, valid);
            if (!peepholes) return;
            to_before = to_before + row(at) * d_bar;
            add(s.own.peephole + at * z.Hp + unit, d_bar * before);
        };
        if (v.input_gate) gate(0, d_c * (v.forget == Forget::coupled ? block - before : block), i);
        if (v.forget == Forget::own) gate(v.at_f(), d_c * before, f);
        const V d_z = d_c * i;
        s.put_bar(v.at_z(), unit, v.squash_input ? d_z * tanh_slope<T>(block) : d_z, valid);
        S::store(e_c, to_before);
    }

    // From the errors before the activation to those of the sums, in place.
    static void through_norm(const Row& s) {
        if (!s.call.gain) return;
        const V scale = S::broadcast(s.call.scale[s.out()]);
        TakenOut<T> out;
        for (int k = 0; k < s.z.n; ++k)
            for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
                const std::int64_t place = k * s.z.Hp + unit;
                const V hat = load_block(s.at(s.call.hat, k, unit), s.z.valid(unit)), error = S::load(s.sums() + place);
                add(s.own.gain + place, error * hat);
                const V d_hat = error * S::load(s.shared.gain + place);
                out.add(d_hat, hat);
                S::store(s.sums() + place, d_hat);
            }
        out.finish(s.z.n * s.z.H);
        for (int k = 0; k < s.z.n; ++k)
            for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
                const int valid = s.z.valid(unit);
                T* sum = s.sums() + k * s.z.Hp + unit;
                const V hat = load_block(s.at(s.call.hat, k, unit), valid);
                const V error = first_lanes<T>(out.error(S::load(sum), hat, scale), valid);
                S::store(sum, error);
                store_block(s.call.d_sums + (s.out() * s.z.n + k) * s.z.H + unit, error, valid);
            }
    }

    static void pad(const Row& s) {
        const V zero = S::broadcast(T(0));
        for (std::int64_t unit = 0; unit < s.z.Hp; unit += lanes) {
            const int valid = s.z.valid(unit);
            for (int k = 0; k < s.z.n; ++k) {
                s.put_bar(k, unit, zero, valid);
                if (s.call.d_sums) store_block(s.call.d_sums + (s.out() * s.z.n + k) * s.z.H + unit, zero, valid);
            }
            if (s.call.d_cells) store_block(s.call.d_cells + s.out() * s.z.H + unit, zero, valid);
            if (s.call.d_outputs) store_block(s.call.d_outputs + s.out() * s.z.H + unit, zero, valid);
            if (s.call.d_states) store_block(s.call.d_states + s.out() * s.z.H + unit, zero, valid);
        }
    }

    static void load(const Call& call, const Sizes& z, const Own& own, std::int64_t first, std::int64_t rows) {
        clear(own.gain, Own::gradients(z));
        clear(own.e_read, rows * z.Dp);
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            for (std::int64_t j = 0; j < z.Hp; ++j) {
                own.e_y[r * z.Hp + j] = j < z.H && call.d_y_n ? call.d_y_n[b * z.H + j] : T(0);
                own.e_c[r * z.Hp + j] = j < z.H && call.d_c_n ? call.d_c_n[b * z.H + j] : T(0);
            }
            for (std::int64_t j = z.H; call.d_gates_n && j < z.D; ++j)
                own.e_read[r * z.Dp + j] = call.d_gates_n[b * (z.D - z.H) + j - z.H];
        }
    }

    static void unload(const Call& call, const Sizes& z, const Own& own, std::int64_t first, std::int64_t rows) {
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            for (std::int64_t j = 0; j < z.H; ++j) {
                const T read = own.e_read[r * z.Dp + j];
                call.d_y0[b * z.H + j] = own.e_y[r * z.Hp + j] + (call.mask ? read * call.mask[b * z.H + j] : read);
                if (call.d_c0) call.d_c0[b * z.H + j] = own.e_c[r * z.Hp + j];
            }
            for (std::int64_t j = z.H; j < z.D; ++j)
                call.d_gates0[b * (z.D - z.H) + j - z.H] = own.e_read[r * z.Dp + j];
        }
    }

    static std::int64_t slice(const Call& call, const void* shared_memory, void* own_memory, std::int64_t first,
                              std::int64_t last) {
        const Sizes z(call);
        const Shared shared(z, z.Dp, const_cast<void*>(shared_memory));
        const std::int64_t rows = last - first;
        const Own own(z, own_memory, rows);
        load(call, z, own, first, rows);
        UnderWay under_way(call, first, last);
        for (std::int64_t k = 0; k < call.steps; ++k) {
            const std::int64_t t = time_of(call.steps, call.reverse, k), active = under_way.at(t);
            for (std::int64_t r = 0; r < rows; ++r) {
                const Row row{call, z, shared, own, t, call.sequence(first + r), r};
                if (r >= active) {
                    pad(row);
                    continue;
                }
                call.gated ? lstm_errors(row) : rnn_errors(row);
                through_norm(row);
            }
            const StepErrors<T> step{own.sums, own.stride, z.width, active};
            step_back(step, shared.weights, z.Dp / lanes, own.e_read, z.Dp, own.tile);
        }
        unload(call, z, own, first, rows);
        return under_way.computed();
    }

    static void reduce(const Call& call, void* const* owns, int slices, int part, int) {
        const Sizes z(call);
        if (part > 0) return;
        const std::int64_t gain_c = z.width, peephole = z.width + 2 * z.Hp;
        for (int b = 0; call.d_gain && b < z.n; ++b) sum_slices(owns, slices, b * z.Hp, z.H, call.d_gain + b * z.H);
        if (call.d_gain_c) sum_slices(owns, slices, gain_c, z.H, call.d_gain_c);
        if (call.d_bias_c) sum_slices(owns, slices, gain_c + z.Hp, z.H, call.d_bias_c);
        for (int a = 0; call.d_peephole && a < z.m; ++a)
            sum_slices(owns, slices, peephole + a * z.Hp, z.H, call.d_peephole + a * z.H);
    }
};

}  // namespace
