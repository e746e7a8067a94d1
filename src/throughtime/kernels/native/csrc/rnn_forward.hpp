// Simple RNN, forward: one slice of the batch through the whole sequence.
//
// Notation as in contract.hpp; Hp is H rounded up to whole vectors; a *group* is up to four vectors of
// units, which one register tile computes for a few rows. Sources of a tile: h(t-1), x(t).
//
// shared: weights [group][k][vector][lane], bias (Hp).
// own: h before and after the step (2, rows, Hp), one tile, and x of one step (rows, I) where the sequences are taken
//      in another order than theirs. A row that is not under way has its h both before and after the step.
#pragma once

#include "activations.hpp"
#include "under_way.hpp"

namespace {

using throughtime::Nonlinearity;
using throughtime::RNNForwardCall;

template <class T>
THROUGHTIME_INLINE Vec<T> activate(Nonlinearity g, Vec<T> a) {
    switch (g) {
        case Nonlinearity::tanh: return hyperbolic_tangent<T>(a);
        case Nonlinearity::relu: return Simd<T>::positive(a);
        case Nonlinearity::logistic: return logistic<T>(a);
        default: return a;
    }
}

template <class T>
struct RNNForwardKernel {
    using Call = RNNForwardCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    static constexpr int lanes = S::lanes;

    struct Sizes {
        std::int64_t H, Hp, vectors, depth;
        explicit Sizes(const Call& call) {
            H = call.cells;
            Hp = round_up(H, lanes);
            vectors = Hp / lanes;
            depth = H + call.inputs;
        }
    };

    struct Shared {
        T *weights, *bias;
        Shared(const Sizes& z, void* memory) {
            weights = static_cast<T*>(memory);
            bias = weights + z.depth * z.Hp;
        }
    };

    struct Own {
        T *h[2], *bars, *x;
        Own(const Sizes& z, void* memory, std::int64_t rows) {
            h[0] = static_cast<T*>(memory);
            h[1] = h[0] + rows * z.Hp;
            bars = h[1] + rows * z.Hp;
            x = bars + most_tile_rows * most_vectors * lanes;
        }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return std::int64_t(sizeof(T)) * (z.depth + 1) * z.Hp;
    }

    static std::int64_t own_bytes(const Call& call, std::int64_t rows) {
        const Sizes z(call);
        const std::int64_t ordered = call.order ? rows * call.inputs : 0;
        return std::int64_t(sizeof(T)) * (2 * rows * z.Hp + most_tile_rows * most_vectors * lanes + ordered);
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        const Shared shared(z, memory);
        const std::int64_t groups = (z.vectors + most_vectors - 1) / most_vectors;
        for (std::int64_t g = groups * part / parts; g < groups * (part + 1) / parts; ++g) {
            const std::int64_t first = g * most_vectors;
            const std::int64_t width = smaller<std::int64_t>(most_vectors, z.vectors - first);
            for (std::int64_t v = 0; v < width; ++v) {
                const std::int64_t unit = (first + v) * lanes, valid = smaller<std::int64_t>(lanes, z.H - unit);
                T* w = shared.weights + (first * z.depth + v) * lanes;
                pack_transposed(call.weight_hh + unit * z.H, z.H, valid, z.H, w, width * lanes);
                w += z.H * width * lanes;
                pack_transposed(call.weight_ih + unit * call.inputs, call.inputs, valid, call.inputs, w,
                                width * lanes);
                for (int l = 0; l < lanes; ++l)
                    shared.bias[unit + l] = call.bias && l < valid ? call.bias[unit + l] : T(0);
            }
        }
    }

    // One time step of one slice; own.h[now] is h(t-1), the other becomes h(t).
    struct Step {
        const Call& call;
        const Sizes& z;
        const Own& own;
        std::int64_t t, first;
        int now;
        std::ptrdiff_t ahead;  // from a row of the results to that of the step that follows, 0 at the last one

        // Where a row stands among all rows (T, B) of a result.
        std::int64_t out(std::int64_t row) const { return t * call.batch + call.sequence(first + row); }
    };

    template <bool Record>
    static void finish(const Step& s, std::int64_t vector, int wide, std::int64_t row, int rows) {
        const Sizes& z = s.z;
        for (int r = 0; r < rows; ++r) {
            const std::int64_t out = s.out(row + r);
            for (int w = 0; w < wide; ++w) {
                const std::int64_t unit = (vector + w) * lanes, at = (row + r) * z.Hp + unit;
                const int valid = int(smaller<std::int64_t>(lanes, z.H - unit));
                const V a = S::load(s.own.bars + (r * wide + w) * lanes), h = activate<T>(s.call.g, a);
                S::store(s.own.h[1 - s.now] + at, h);
                store_block(s.call.h + out * z.H + unit, h, valid);
                fetch_to_write(s.call.h + (out + s.ahead) * z.H + unit);
                if constexpr (Record) store_block(s.call.bars + out * z.H + unit, a, valid);
            }
        }
    }

    template <bool Record>
    static void step(const Step& s, const Shared& shared, std::int64_t rows) {
        const Sizes& z = s.z;
        const Source<T> x = input_of(s.call, s.t, s.first, rows, s.own.x);
        for (std::int64_t v = 0; v < z.vectors; v += most_vectors) {
            const int wide = int(smaller<std::int64_t>(most_vectors, z.vectors - v));
            const RowTiles tiles(rows, wide);
            for (std::int64_t k = 0; k < tiles.count; ++k) {
                const std::int64_t row = tiles.begin(k);
                const int height = int(tiles.begin(k + 1) - row);
                const Source<T> sources[2] = {
                    {s.own.h[s.now] + row * z.Hp, z.Hp, z.H},
                    {x.rows + row * x.stride, x.stride, x.depth}};
                tile_for<T>(height, wide)(sources, 2, shared.weights + v * z.depth * lanes, shared.bias + v * lanes, 0,
                                          s.own.bars, wide * lanes);
                finish<Record>(s, v, wide, row, height);
            }
        }
    }

    static void load(const Call& call, void* own_memory, std::int64_t first, std::int64_t last) {
        const Sizes z(call);
        const Own own(z, own_memory, last - first);
        for (std::int64_t r = 0; r < last - first; ++r) {
            const std::int64_t b = call.sequence(first + r);
            for (std::int64_t j = 0; j < z.Hp; ++j) own.h[0][r * z.Hp + j] = j < z.H ? call.h0[b * z.H + j] : T(0);
            if (call.lengths) copy(own.h[0] + r * z.Hp, z.Hp, own.h[1] + r * z.Hp);
        }
    }

    static std::int64_t steps(const Call& call, const void* shared_memory, void* own_memory, std::int64_t first,
                              std::int64_t last, int& now) {
        const Sizes z(call);
        const Shared shared(z, const_cast<void*>(shared_memory));
        const Own own(z, own_memory, last - first);
        const auto run = call.bars ? &step<true> : &step<false>;
        UnderWay under_way(call, first, last);
        std::int64_t before = 0;
        for (std::int64_t k = 0; k < call.steps; ++k, now = 1 - now) {
            const std::int64_t t = call.reverse ? call.steps - 1 - k : k, active = under_way.at(t);
            const std::ptrdiff_t ahead = k + 1 == call.steps ? 0 : call.reverse ? -call.batch : call.batch;
            const Step step{call, z, own, t, first, now, ahead};
            if (active > 0) run(step, shared, active);
            for (std::int64_t r = active; r < before; ++r) copy(own.h[now] + r * z.Hp, z.Hp, own.h[1 - now] + r * z.Hp);
            for (std::int64_t r = active; r < last - first; ++r) {
                clear(call.h + step.out(r) * z.H, z.H);
                fetch_row_to_write(call.h + (step.out(r) + ahead) * z.H, z.H);
                if (call.bars) clear(call.bars + step.out(r) * z.H, z.H);
            }
            before = active;
        }
        return under_way.computed();
    }

    static void unload(const Call& call, const void* own_memory, std::int64_t first, std::int64_t last, int now) {
        const Sizes z(call);
        const Own own(z, const_cast<void*>(own_memory), last - first);
        for (std::int64_t r = 0; r < last - first; ++r)
            copy(own.h[now] + r * z.Hp, z.H, call.h_n + call.sequence(first + r) * z.H);
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
