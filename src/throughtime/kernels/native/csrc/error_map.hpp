// Error map: how large the error of one step's loss is at every step before it. One sweep for many losses.
//
// Notation as in contract.hpp. s counts steps in the order in which the layer read them, so errors run from
// large s to small. A *row* is the loss of one step; its errors stand in a row of values [δc | δy], or [δy]
// without a cell, each part Hp = H rounded up to whole vectors. At each step all rows that have begun meet the
// step's Jacobian once:
//     δy(s) = [δc(s+1) | δy(s+1)] M(s+1),  M = [Σ diag(factor) R over blocks that read δc; the same for δy]
//     δc(s) = keep(s+1) ⊙ δc(s+1) + to_c(s) ⊙ δy(s)
// M costs little beside the rows it serves, and halves what each of them costs.
//
// A row carries a power of two, so that its values stay near 1 however far the error has faded or grown; its
// norms are put together in double.
//
// Work is dealt in blocks of `block_rows` rows of one sequence, early and late ones in turn: any run of blocks
// then is about as much work as any other of its length. A slice sweeps its rows chunk after chunk.
//
// shared: R packed for tiles of columns, (n Hp, H).
// own: M, keep and to_c of a step, δy of one tile of rows, the rows, and what is known of each of them.
#pragma once

#include "backward_parts.hpp"

namespace {

using throughtime::ErrorMapCall;

THROUGHTIME_INLINE double square_root(double x) {
#ifdef THROUGHTIME_PLAIN_VECTORS
    double root = x > 1 ? x : 1;
    for (double next = 0; x > 0 && (next = (root + x / root) / 2) < root;) root = next;
    return x > 0 ? root : x;
#else
    return __builtin_sqrt(x);
#endif
}

// 2^k, k from -1022 to 1023.
THROUGHTIME_INLINE double power_of_two(std::int64_t k) {
    return std::bit_cast<double>(std::uint64_t(k + 1023) << 52);
}

// x · 2^k; 0 or infinite where double ends.
THROUGHTIME_INLINE double shifted(double x, std::int64_t k) {
    for (int part = 0; part < 3 && k != 0; ++part) {
        const std::int64_t some = k < -1000 ? -1000 : smaller<std::int64_t>(k, 1000);
        x *= power_of_two(some);
        k -= some;
    }
    return x;
}

template <class T>
THROUGHTIME_INLINE T sum_of_lanes(Vec<T> v) {
    constexpr int lanes = Simd<T>::lanes;
    T part[lanes];
    Simd<T>::store(part, v);
    THROUGHTIME_UNROLL
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l) part[l] += part[l + half];
    return part[0];
}

template <class T>
struct ErrorMapKernel {
    using Call = ErrorMapCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    static constexpr int lanes = S::lanes;
    static constexpr std::int64_t block_rows = Call::block_rows;
    static constexpr std::int64_t chunk_bytes = std::int64_t(256) << 10;  // of the rows of a chunk
    static constexpr std::int64_t fewest_rows = 48;                       // of a chunk: M must be worth its making

    struct Sizes {
        std::int64_t H, Hp, vectors, depth, stride, y_at;
        int n, n_c;
        bool cell;
        explicit Sizes(const Call& call) {
            H = call.cells;
            Hp = round_up(H, lanes);
            vectors = Hp / lanes;
            cell = call.to_c != nullptr;
            n = call.blocks;
            n_c = call.cell_blocks;
            depth = ((n_c > 0) + (n > n_c)) * Hp;
            y_at = cell ? Hp : 0;
            stride = y_at + Hp + lanes;  // rows must not all meet in one set of the cache
        }
        std::int64_t chunk_rows(std::int64_t rows) const {
            return smaller(rows, larger(fewest_rows, chunk_bytes / std::int64_t(stride * sizeof(T))));
        }
    };

    // What is known of a row besides its values.
    struct Row {
        std::int64_t s, column, exponent;
        bool zero;
    };

    struct Own {
        T *jacobian, *keep, *to_c, *fresh, *values;
        Row* rows;
        Own(const Sizes& z, void* memory, std::int64_t count) {
            jacobian = static_cast<T*>(memory);
            keep = jacobian + z.depth * z.Hp;
            to_c = keep + z.Hp;
            fresh = to_c + z.Hp;
            values = fresh + most_tile_rows * z.Hp;
            rows = reinterpret_cast<Row*>(values + count * z.stride);
        }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return std::int64_t(sizeof(T)) * z.n * z.Hp * z.Hp;
    }
    static std::int64_t own_bytes(const Call& call, std::int64_t blocks) {
        const Sizes z(call);
        const std::int64_t count = z.chunk_rows(smaller(blocks * block_rows, call.rows));
        return std::int64_t(sizeof(T)) * (z.depth * z.Hp + (2 + most_tile_rows) * z.Hp + count * z.stride) +
               std::int64_t(sizeof(Row)) * count;
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        for (int b = 0; b < z.n; ++b)
            pack_rows_as_depth(call.weight_hh + b * z.H * z.H, z.H, z.H, z.H, z.Hp, b * z.Hp, z.n * z.Hp,
                               static_cast<T*>(memory), part, parts);
    }

    // One sequence: its length, and where its step s lies in time.
    struct Sequence {
        const Call& call;
        const Sizes& z;
        std::int64_t b, length;
        std::int64_t time(std::int64_t s) const { return call.reverse ? length - 1 - s : s; }
        const T* at(const T* values, std::int64_t s, std::int64_t width) const {
            return values + (time(s) * call.batch + b) * width;
        }
        // Row q counted from the largest s on; s is -1 for a step past the sequence's end.
        Row row(std::int64_t q) const {
            const std::int64_t column = call.reverse ? q : call.rows - 1 - q, t = call.at[column];
            return {t >= length ? -1 : call.reverse ? length - 1 - t : t, column, 0, false};
        }
        // Where the norms of a step stand, by column.
        double* y_out(std::int64_t t) const { return call.y + (b * call.steps + t) * call.rows; }
        double* c_out(std::int64_t t) const { return call.c ? call.c + (b * call.steps + t) * call.rows : nullptr; }
        void clear(std::int64_t t, std::int64_t column) const {
            y_out(t)[column] = 0;
            if (call.c) c_out(t)[column] = 0;
        }
    };

    // M of step s.
    static void make_jacobian(const Sequence& q, const T* packed, std::int64_t s, T* jacobian) {
        const Sizes& z = q.z;
        const T* factors = q.at(q.call.factors, s, z.n * z.H);
        for (std::int64_t v = 0; v < z.vectors; v += most_vectors) {
            const int wide = int(smaller<std::int64_t>(most_vectors, z.vectors - v));
            const T* from = packed + v * z.n * z.Hp * lanes;
            T* to = jacobian + v * z.depth * lanes;
            if (z.n_c > 0) to = scale_blocks(z, from, factors, z.n_c, wide, to);
            if (z.n > z.n_c)
                scale_blocks(z, from + z.n_c * z.Hp * wide * lanes, factors + z.n_c * z.H, z.n - z.n_c, wide, to);
        }
    }
    // Σ diag(factor) R over `count` blocks of one group of `wide` vectors; returns what follows it.
    static T* scale_blocks(const Sizes& z, const T* from, const T* factors, int count, int wide, T* to) {
        for (std::int64_t j = 0; j < z.Hp; ++j)
            for (int w = 0; w < wide; ++w, to += lanes) {
                V sum = S::broadcast(T(0));
                for (int b = 0; b < count && j < z.H; ++b)
                    sum = sum + S::broadcast(factors[b * z.H + j]) *
                                    S::load(from + ((b * z.Hp + j) * wide + w) * lanes);
                S::store(to, sum);
            }
        return to;
    }

    static void copy_padded(const T* from, const Sizes& z, T* to) {
        for (std::int64_t j = 0; j < z.Hp; ++j) to[j] = j < z.H ? from[j] : T(0);
    }

    // The first `active` rows from the step after t in the layer's order to t, tile after tile.
    static void carry_back(const Sequence& q, const Own& own, std::int64_t active, std::int64_t t) {
        const Sizes& z = q.z;
        const RowTiles tiles(active, int(smaller<std::int64_t>(most_vectors, z.vectors)));
        for (std::int64_t tile = 0; tile < tiles.count; ++tile) {
            const std::int64_t row = tiles.begin(tile);
            const int height = int(tiles.begin(tile + 1) - row);
            const Source<T> source{own.values + row * z.stride, z.stride, z.depth};
            for (std::int64_t v = 0; v < z.vectors; v += most_vectors) {
                const int wide = int(smaller<std::int64_t>(most_vectors, z.vectors - v));
                tile_for<T>(height, wide)(&source, 1, own.jacobian + v * z.depth * lanes, nullptr, 0,
                                          own.fresh + v * lanes, z.Hp);
            }
            for (int r = 0; r < height; ++r) put_row<true>(q, own, row + r, own.fresh + r * z.Hp, t);
        }
    }

    struct Squares {
        T y, c;
    };
    // Takes a row to δy = `fresh` and its δc, from the δc that was there if it `goes_on`. Squares of the norms.
    template <bool goes_on>
    static Squares finish_row(const Sizes& z, const Own& own, const T* fresh, T* row) {
        V y_sum = S::broadcast(T(0)), c_sum = y_sum;
        for (std::int64_t j = 0; j < z.Hp; j += lanes) {
            const V y = S::load(fresh + j);
            S::store(row + z.y_at + j, y);
            y_sum = y_sum + y * y;
            if (!z.cell) continue;
            V c = y * S::load(own.to_c + j);
            if (goes_on) c = c + S::load(row + j) * S::load(own.keep + j);
            S::store(row + j, c);
            c_sum = c_sum + c * c;
        }
        return {sum_of_lanes<T>(y_sum), z.cell ? sum_of_lanes<T>(c_sum) : T(1)};
    }

    // Norms by way of the largest value, for rows whose squares may leave the range of T, and a new power of two.
    static void norms_with_care(const Sizes& z, T* values, Row& row, double& y, double& c) {
        const T y_most = largest(values + z.y_at, z.H), c_most = z.cell ? largest(values, z.H) : T(0);
        y = norm_by(values + z.y_at, z.H, double(y_most));
        c = z.cell ? norm_by(values, z.H, double(c_most)) : 0;
        y = shifted(y, row.exponent);
        c = shifted(c, row.exponent);
        const double most = larger(double(y_most), double(c_most));
        row.zero = most == 0;
        if (!(most > 0) || most - most != 0 || y != y || c != c) return;  // zero, infinite or NaN: as it is
        const std::int64_t k = std::int64_t(std::bit_cast<std::uint64_t>(most) >> 52) - 1023;
        if (k == 0) return;
        for (std::int64_t j = 0; j < z.stride - lanes; ++j) values[j] = T(shifted(double(values[j]), -k));
        row.exponent += k;
    }
    static T largest(const T* values, std::int64_t count) {
        T most = 0;
        for (std::int64_t j = 0; j < count; ++j) {
            const T size = values[j] < 0 ? -values[j] : values[j];
            if (size > most) most = size;
        }
        return most;
    }
    static double norm_by(const T* values, std::int64_t count, double most) {
        double sum = 0;
        const double unit = most > 0 && most - most == 0 ? most : 1;
        for (std::int64_t j = 0; j < count; ++j) {
            const double part = double(values[j]) / unit;
            sum += part * part;
        }
        return unit * square_root(sum);
    }

    // Takes row r to time t and writes its norms.
    template <bool goes_on>
    static void put_row(const Sequence& q, const Own& own, std::int64_t r, const T* fresh, std::int64_t t) {
        T* const values = own.values + r * q.z.stride;
        constexpr T low = T(1) / T(std::uint64_t(1) << 60), high = T(std::uint64_t(1) << 60);
        Row& row = own.rows[r];
        double y = 0, c = 0;
        const Squares squares = finish_row<goes_on>(q.z, own, fresh, values);
        const bool plain = squares.y > low && squares.c > low && squares.y < high && squares.c < high;
        if (plain) {
            y = shifted(square_root(double(squares.y)), row.exponent);
            c = shifted(square_root(double(squares.c)), row.exponent);
        } else if (!row.zero) {
            norms_with_care(q.z, values, row, y, c);
        }
        q.y_out(t)[row.column] = y;
        if (q.z.cell) q.c_out(t)[row.column] = c;
    }

    // The rows of one chunk, s falling, from the end of the sequence to its beginning.
    static std::int64_t sweep(const Sequence& q, const T* packed, const Own& own, std::int64_t count) {
        const Call& call = q.call;
        const Sizes& z = q.z;
        std::int64_t active = 0, computed = 0;
        for (std::int64_t s = call.steps - 1; s >= 0; --s) {
            const bool real = s < q.length;
            const std::int64_t t = real ? q.time(s) : s;
            if (z.cell && real) copy_padded(q.at(call.to_c, s, z.H), z, own.to_c);
            if (active > 0) {
                make_jacobian(q, packed, s + 1, own.jacobian);
                if (z.cell) copy_padded(q.at(call.keep, s + 1, z.H), z, own.keep);
                carry_back(q, own, active, t);
            }
            if (real && active < count && own.rows[active].s == s) {
                copy_padded(q.at(call.start, s, z.H), z, own.fresh);
                put_row<false>(q, own, active, own.fresh, t);
                ++active;
            }
            for (std::int64_t r = active; r < count; ++r) q.clear(t, own.rows[r].column);
            computed += active;
        }
        return computed;
    }

    static std::int64_t slice(const Call& call, const void* shared, void* own_memory, std::int64_t first,
                              std::int64_t last) {
        const Sizes z(call);
        std::int64_t computed = 0;
        const std::int64_t blocks = call.row_blocks();
        const std::int64_t most = z.chunk_rows(smaller((last - first) * block_rows, call.rows));
        const Own own(z, own_memory, most);
        for (std::int64_t b = first / blocks; b * blocks < last; ++b) {
            const Sequence q{call, z, b, call.lengths ? call.lengths[b] : call.steps};
            const std::int64_t from = larger<std::int64_t>(first - b * blocks, 0);
            const std::int64_t to = smaller(last - b * blocks, blocks);
            std::int64_t count = 0;
            // Even places hold the blocks from the late end on, odd places those from the early end: sorted by s.
            for (int early = 0; early < 2; ++early)
                for (std::int64_t k = 0; k < to - from; ++k) {
                    const std::int64_t place = early ? to - 1 - k : from + k;
                    if (place % 2 != early) continue;
                    const std::int64_t block = early ? blocks - 1 - place / 2 : place / 2;
                    const std::int64_t end = smaller((block + 1) * block_rows, call.rows);
                    for (std::int64_t r = block * block_rows; r < end; ++r) {
                        const Row row = q.row(r);
                        for (std::int64_t t = 0; row.s < 0 && t < call.steps; ++t) q.clear(t, row.column);
                        if (row.s >= 0) own.rows[count++] = row;
                        if (count == most) computed += sweep(q, static_cast<const T*>(shared), own, count), count = 0;
                    }
                }
            if (count > 0) computed += sweep(q, static_cast<const T*>(shared), own, count);
        }
        return computed;
    }
};

}  // namespace
