// Simple RNN, backward through time: one slice of the batch from its last step to its first.
//
// Notation as in contract.hpp; built like lstm_backward.hpp, with one block where the LSTM has n.
//
// shared: packed for the step back: W (Hp, H), and U (Hp, I) if δx is wanted.
// own: what `reduce` reads (gradients of the weights (Hp, columns H and I, each rounded up; with few inputs
//      those of x apart, (I, Hp)), of the bias (Hp)), the ring, the error of the state, the panel, one group, and for
//      each row of the ring where it stands among all rows (T, B).
#pragma once

#include "activations.hpp"
#include "backward_parts.hpp"

namespace {

using throughtime::Nonlinearity;
using throughtime::RNNBackwardCall;

template <class T>
THROUGHTIME_INLINE Vec<T> slope(Nonlinearity g, Vec<T> h) {
    switch (g) {
        case Nonlinearity::tanh: return tanh_slope<T>(h);
        case Nonlinearity::relu: return Simd<T>::one_where_positive(h);
        case Nonlinearity::logistic: return logistic_slope<T>(h);
        default: return Simd<T>::broadcast(T(1));
    }
}

template <class T>
struct RNNBackwardKernel {
    using Call = RNNBackwardCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    static constexpr int lanes = S::lanes;

    struct Sizes {
        std::int64_t H, Hp, I, Ip, groups, ring_stride, columns, few;  // few: inputs that stand apart
        explicit Sizes(const Call& call) {
            H = call.cells;
            I = call.inputs;
            Hp = round_up(H, lanes);
            Ip = round_up(I, lanes);
            groups = Hp / lanes;
            ring_stride = Hp + lanes;
            few = narrow_input<T>(I) ? I : 0;
            columns = Hp + (few ? 0 : Ip);
        }
        std::int64_t few_at() const { return Hp * columns; }
        std::int64_t bias_at() const { return few_at() + few * Hp; }
        std::int64_t gradients() const { return bias_at() + Hp; }
    };

    struct Shared {
        T *recurrent, *input;
        Shared(const Sizes& z, void* memory) {
            recurrent = static_cast<T*>(memory);
            input = recurrent + z.Hp * z.Hp;
        }
    };

    struct Own {
        T *weights, *few, *bias, *ring, *e_h, *panel, *narrow, *row;
        std::int64_t* places;
        Ring steps;
        Own(const Sizes& z, void* memory, std::int64_t rows) : steps(rows) {
            weights = static_cast<T*>(memory);
            few = weights + z.few_at();
            bias = weights + z.bias_at();
            ring = weights + z.gradients();
            e_h = ring + steps.capacity * z.ring_stride;
            panel = e_h + rows * z.Hp;
            narrow = panel + steps.depth * z.columns;
            row = narrow + round_up(steps.depth * z.few, lanes);
            places = reinterpret_cast<std::int64_t*>(row + rows * most_vectors * lanes);
        }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return std::int64_t(sizeof(T)) * z.Hp * (z.Hp + z.Ip);
    }

    static std::int64_t own_bytes(const Call& call, std::int64_t rows) {
        const Sizes z(call);
        const Ring steps(rows);
        const std::int64_t chunk = steps.capacity * z.ring_stride + steps.depth * z.columns +
                                   round_up(steps.depth * z.few, lanes);
        return std::int64_t(sizeof(T)) * (z.gradients() + rows * z.Hp + chunk + rows * most_vectors * lanes) +
               std::int64_t(sizeof(std::int64_t)) * steps.capacity;
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        const Shared shared(z, memory);
        pack_rows_as_depth(call.weight_hh, z.H, z.H, z.H, z.Hp, 0, z.Hp, shared.recurrent, part, parts);
        if (call.d_x) pack_rows_as_depth(call.weight_ih, z.I, z.H, z.I, z.Hp, 0, z.Hp, shared.input, part, parts);
    }

    // From δh of a step to δa.
    template <bool Record>
    static void local_errors(const Call& call, const Sizes& z, const Own& own, std::int64_t t, std::ptrdiff_t ahead,
                             std::int64_t first, std::int64_t rows, T* errors) {
        const V zero = S::broadcast(T(0));
        for (std::int64_t g = 0; g < z.groups; ++g) {
            const std::int64_t unit = g * lanes;
            const int valid = int(smaller<std::int64_t>(lanes, z.H - unit));
            V d_bias = zero;
            for (std::int64_t r = 0; r < rows; ++r) {
                const std::int64_t b = call.sequence(first + r), out = (t * call.batch + b) * z.H + unit;
                fetch_to_read(call.h + out + ahead * call.batch * z.H);
                fetch_to_read(call.d_h + (t + ahead) * call.d_h_t + b * call.d_h_b + unit);
                const V d_h = S::load(own.e_h + r * z.Hp + unit) +
                              load_block(call.d_h + t * call.d_h_t + b * call.d_h_b + unit, valid);
                const V d_a = d_h * slope<T>(call.g, load_block(call.h + out, valid));
                S::store(errors + r * z.ring_stride + unit, d_a);
                d_bias = d_bias + d_a;
                if constexpr (Record) {
                    store_block(call.d_bars + out, d_a, valid);
                    store_block(call.d_outputs + out, d_h, valid);
                }
            }
            S::store(own.bias + unit, S::load(own.bias + unit) + d_bias);
        }
    }

    // Adds what the first `used` rows of the ring contribute to the gradients of the weights.
    static void add_weights(const Call& call, const Sizes& z, const Own& own, std::int64_t used) {
        const std::int64_t vectors = z.columns / lanes;
        for (std::int64_t begin = 0; begin < used; begin += own.steps.depth) {
            const std::int64_t depth = smaller(own.steps.depth, used - begin);
            for (std::int64_t k = 0; k < depth; ++k) {
                const std::int64_t b = own.places[begin + k] % call.batch, t = own.places[begin + k] / call.batch;
                const std::int64_t before = time_before(call.reverse, t) * call.batch + b;
                const T* h = call.begins(b, t) ? call.h0 + b * z.H : call.h + before * z.H;
                const T* x = call.x + t * call.x_t + b * call.x_b;
                const std::int64_t v = put_row(own.panel, depth, vectors, k, 0, h, z.H);
                if (z.few)
                    copy(x, z.I, own.narrow + k * z.I);
                else
                    put_row(own.panel, depth, vectors, k, v, x, z.I);
            }
            add_outer(own.ring + begin * z.ring_stride, z.ring_stride, own.panel, depth, z.Hp, vectors, own.weights,
                      z.columns);
            if (z.few)
                add_outer_of_few(own.narrow, z.I, z.I, own.ring + begin * z.ring_stride, z.ring_stride, depth, z.groups,
                                 own.few, z.Hp);
        }
    }

    static std::int64_t slice(const Call& call, const void* shared_memory, void* own_memory, std::int64_t first,
                              std::int64_t last) {
        const Sizes z(call);
        const Shared shared(z, const_cast<void*>(shared_memory));
        const std::int64_t rows = last - first;
        const Own own(z, own_memory, rows);
        clear(own.weights, z.gradients());
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            for (std::int64_t j = 0; j < z.Hp; ++j)
                own.e_h[r * z.Hp + j] = j < z.H && call.d_h_n ? call.d_h_n[b * z.H + j] : T(0);
        }
        const auto local = call.d_bars ? &local_errors<true> : &local_errors<false>;
        UnderWay under_way(call, first, last);
        std::int64_t used = 0;
        for (std::int64_t k = 0; k < call.steps; ++k) {
            const std::int64_t t = time_of(call.steps, call.reverse, k), active = under_way.at(t);
            const std::ptrdiff_t ahead = k + 1 == call.steps ? 0 : call.reverse ? 1 : -1;
            if (used + active > own.steps.capacity) add_weights(call, z, own, used), used = 0;
            T* errors = own.ring + used * z.ring_stride;
            for (std::int64_t r = 0; r < active; ++r) own.places[used + r] = t * call.batch + call.sequence(first + r);
            for (std::int64_t r = active; r < rows && call.d_bars; ++r) {
                const std::int64_t out = t * call.batch + call.sequence(first + r);
                clear(call.d_bars + out * z.H, z.H);
                clear(call.d_outputs + out * z.H, z.H);
            }
            const StepErrors<T> step{errors, z.ring_stride, z.Hp, active};
            if (active > 0) {
                local(call, z, own, t, ahead, first, active, errors);
                step_back(step, shared.recurrent, z.groups, own.e_h, z.Hp, own.row);
            }
            if (call.d_x)
                input_errors(step, call, first, rows, shared.input, z.I, call.d_x + t * call.batch * z.I, own.row);
            used += active;
        }
        add_weights(call, z, own, used);
        for (std::int64_t r = 0; r < rows; ++r)
            copy(own.e_h + r * z.Hp, z.H, call.d_h0 + call.sequence(first + r) * z.H);
        return under_way.computed();
    }

    static void reduce(const Call& call, void* const* owns, int slices, int part, int parts) {
        const Sizes z(call);
        for (std::int64_t u = z.H * part / parts; u < z.H * (part + 1) / parts; ++u) {
            sum_slices(owns, slices, u * z.columns, z.H, call.d_weight_hh + u * z.H);
            if (z.few)
                for (std::int64_t j = 0; j < z.I; ++j)
                    call.d_weight_ih[u * z.I + j] = sum_value<T>(owns, slices, z.few_at() + j * z.Hp + u);
            else
                sum_slices(owns, slices, u * z.columns + z.Hp, z.I, call.d_weight_ih + u * z.I);
        }
        if (part == 0 && call.d_bias) sum_slices(owns, slices, z.bias_at(), z.H, call.d_bias);
    }
};

}  // namespace
