// What the regularised recurrence does forward and backward alike: normalise rows, draw zoneout.
//
// Notation as in contract.hpp; Hp is H rounded up to whole vectors, a *row* is n blocks of Hp values, whose values
// beyond H are zero. D values of the state of t-1 enter the recurrent product, Dp is D rounded up.
#pragma once

#include <math.h>

#include "activations.hpp"
#include "under_way.hpp"

namespace {

using throughtime::Forget;
using throughtime::Nonlinearity;
using throughtime::Regularised;
using throughtime::Variant;

template <class T>
struct RowSizes {
    static constexpr int lanes = Simd<T>::lanes;
    std::int64_t H, Hp, D, Dp, width;
    int n, m, carried;  // blocks; own gates; own gates that t+1 reads, m under FGR and otherwise 0
    explicit RowSizes(const Regularised& call) {
        H = call.cells;
        Hp = round_up(H, lanes);
        n = call.blocks();
        m = call.gated ? call.variant.gates() : 0;
        carried = call.carried();
        D = H * (1 + carried);
        Dp = round_up(D, lanes);
        width = n * Hp;
    }
    int valid(std::int64_t unit) const { return int(smaller<std::int64_t>(lanes, H - unit)); }
};

THROUGHTIME_INLINE float root(float x) { return ::sqrtf(x); }
THROUGHTIME_INLINE double root(double x) { return ::sqrt(x); }

template <class T>
THROUGHTIME_INLINE T total(Vec<T> v) {
    T lane[Simd<T>::lanes];
    Simd<T>::store(lane, v);
    T sum = 0;
    for (int l = 0; l < Simd<T>::lanes; ++l) sum += lane[l];
    return sum;
}

// The first n lanes, the others zero.
template <class T>
THROUGHTIME_INLINE Vec<T> first_lanes(Vec<T> v, int n) {
    if (n == Simd<T>::lanes) return v;
    T lane[Simd<T>::lanes];
    Simd<T>::store(lane, v);
    return Simd<T>::load_some(lane, n);
}

// Makes a row of `blocks` blocks â = (a - μ) · scale in place and returns scale = 1 / √(σ² + ε).
template <class T>
T normalise(T* row, int blocks, const RowSizes<T>& z, T epsilon) {
    using S = Simd<T>;
    const std::int64_t width = blocks * z.Hp;
    const T share = T(1) / T(blocks * z.H);
    Vec<T> sum = S::broadcast(T(0)), squares = S::broadcast(T(0));
    for (std::int64_t u = 0; u < width; u += S::lanes) sum = sum + S::load(row + u);
    const Vec<T> mean = S::broadcast(total<T>(sum) * share);
    for (std::int64_t start = 0; start < width; start += z.Hp)
        for (std::int64_t unit = 0; unit < z.Hp; unit += S::lanes) {
            const Vec<T> centred = first_lanes<T>(S::load(row + start + unit) - mean, z.valid(unit));
            squares = squares + centred * centred;
            S::store(row + start + unit, centred);
        }
    const T scale = T(1) / root(total<T>(squares) * share + epsilon);
    for (std::int64_t u = 0; u < width; u += S::lanes) S::store(row + u, S::load(row + u) * S::broadcast(scale));
    return scale;
}

// What a row's δâ has in common with the directions that normalising takes out.
template <class T>
struct TakenOut {
    Vec<T> sum = Simd<T>::broadcast(T(0)), along = Simd<T>::broadcast(T(0));
    THROUGHTIME_INLINE void add(Vec<T> d_hat, Vec<T> hat) {
        sum = sum + d_hat;
        along = along + d_hat * hat;
    }
    // Both as means over `count` values.
    THROUGHTIME_INLINE void finish(std::int64_t count) {
        sum = Simd<T>::broadcast(total<T>(sum) / T(count));
        along = Simd<T>::broadcast(total<T>(along) / T(count));
    }
    THROUGHTIME_INLINE Vec<T> error(Vec<T> d_hat, Vec<T> hat, Vec<T> scale) const {
        return scale * (d_hat - sum - hat * along);
    }
};

// What zoneout lets through of c and y at one step, for one vector of units of sequence b; see ops/noise.py.
template <class T>
struct Shares {
    Vec<T> c, y;
    Shares(const Regularised& call, std::int64_t t, std::int64_t b, std::int64_t unit) {
        using S = Simd<T>;
        c = S::broadcast(T(1.0 - call.zoneout_c));
        y = S::broadcast(T(1.0 - call.zoneout_y));
        if (!call.sampled) return;
        const auto below_c = std::uint64_t(call.zoneout_c * 4294967296.0);
        const auto below_y = std::uint64_t(call.zoneout_y * 4294967296.0);
        const auto first = std::uint64_t((t * call.batch + b) * call.cells + unit + 1);
        T kept_c[S::lanes], kept_y[S::lanes];
        for (int l = 0; l < S::lanes; ++l) {
            std::uint64_t bits = call.seed + (first + std::uint64_t(l)) * 0x9E3779B97F4A7C15u;
            bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
            bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
            bits ^= bits >> 31;
            kept_c[l] = (bits >> 32) >= below_c ? T(1) : T(0);
            kept_y[l] = (bits & 0xFFFFFFFFu) >= below_y ? T(1) : T(0);
        }
        c = S::load(kept_c);
        y = S::load(kept_y);
    }
};

// k ⊙ found + (1 - k) ⊙ before.
template <class T>
THROUGHTIME_INLINE Vec<T> let_through(Vec<T> k, Vec<T> found, Vec<T> before) {
    return k * found + (Simd<T>::broadcast(T(1)) - k) * before;
}

// A vector of parameters (blocks, H) padded to (blocks, Hp); zero where there are none.
template <class T>
void pad_blocks(const T* from, int blocks, const RowSizes<T>& z, T* to) {
    for (int b = 0; b < blocks; ++b)
        for (std::int64_t j = 0; j < z.Hp; ++j) to[b * z.Hp + j] = from && j < z.H ? from[b * z.H + j] : T(0);
}

// Weights (nH, depth) packed for tiles of up to four vectors of a row, [k][vector][lane].
template <class T>
void pack_blocks(const T* weight, std::int64_t depth, const RowSizes<T>& z, T* to, int part, int parts) {
    constexpr int lanes = Simd<T>::lanes;
    const std::int64_t vectors = z.width / lanes, groups = (vectors + most_vectors - 1) / most_vectors;
    for (std::int64_t g = groups * part / parts; g < groups * (part + 1) / parts; ++g) {
        const std::int64_t first = g * most_vectors;
        const std::int64_t wide = smaller<std::int64_t>(most_vectors, vectors - first);
        for (std::int64_t v = 0; v < wide; ++v) {
            const std::int64_t place = (first + v) * lanes, unit = place % z.Hp, row = place / z.Hp * z.H + unit;
            pack_transposed(weight + row * depth, depth, z.valid(unit), depth, to + (first * depth + v) * lanes, wide * lanes);
        }
    }
}

// out (count, n Hp) = from (count, depth) times weights that `pack_blocks` packed; rows of `from` `stride` values apart.
template <class T>
void multiply_rows(const T* from, std::ptrdiff_t stride, std::int64_t depth, const T* weights, const RowSizes<T>& z,
                   std::int64_t count, T* out) {
    constexpr int lanes = Simd<T>::lanes;
    const std::int64_t vectors = z.width / lanes;
    for (std::int64_t v = 0; v < vectors; v += most_vectors) {
        const int wide = int(smaller<std::int64_t>(most_vectors, vectors - v));
        const RowTiles tiles(count, wide);
        for (std::int64_t k = 0; k < tiles.count; ++k) {
            const std::int64_t row = tiles.begin(k);
            const Source<T> source{from + row * stride, stride, depth};
            tile_for<T>(int(tiles.begin(k + 1) - row), wide)(&source, 1, weights + v * depth * lanes, nullptr, 0,
                                                             out + row * z.width + v * lanes, z.width);
        }
    }
}

// What the slices of a call share: the recurrent weights, packed, `depth` values for each of n Hp, and the parameters.
template <class T>
struct Parameters {
    T *weights, *gain, *gain_c, *bias_c, *peephole;
    Parameters(const RowSizes<T>& z, std::int64_t depth, void* memory) {
        weights = static_cast<T*>(memory);
        gain = weights + z.width * depth;
        gain_c = gain + z.width;
        bias_c = gain_c + z.Hp;
        peephole = bias_c + z.Hp;
    }
    static std::int64_t bytes(const RowSizes<T>& z, std::int64_t depth) {
        return std::int64_t(sizeof(T)) * (z.width * (depth + 1) + z.Hp * (2 + z.m));
    }
    // All but the weights.
    template <class Call>
    void pack(const Call& call, const RowSizes<T>& z) const {
        pad_blocks(call.gain, z.n, z, gain);
        pad_blocks(call.gain_c, 1, z, gain_c);
        pad_blocks(call.bias_c, 1, z, bias_c);
        pad_blocks(call.peephole, z.m, z, peephole);
    }
};

// c̃(t) of one vector of units from its gates.
template <class T>
THROUGHTIME_INLINE Vec<T> new_cell(const Variant& v, Vec<T> before, Vec<T> block, Vec<T> i, Vec<T> f) {
    return v.forget == Forget::none ? before + block * i : before * f + block * i;
}

}  // namespace
