// Register tiles: the products that a recurrence is made of.
//
// Notation: MR rows of a batch, NV vectors of `lanes` columns, K the depth of a product. A *group* is the
// NV vectors that one tile computes. Packed weights lie group after group, [k][vector][lane] in each, so a
// tile reads them from front to back.
#pragma once

#include "contract.hpp"
#include "simd.hpp"

namespace {

// A part of a row that a product runs over: `depth` values per row, rows `stride` values apart.
template <class T>
struct Source {
    const T* rows;
    std::ptrdiff_t stride;
    std::int64_t depth;
};

template <class T>
void clear(T* at, std::int64_t count) {
    for (std::int64_t k = 0; k < count; ++k) at[k] = T(0);
}

template <class T>
void copy(const T* from, std::int64_t count, T* to) {
    for (std::int64_t k = 0; k < count; ++k) to[k] = from[k];
}

constexpr std::int64_t line_bytes = 64;

template <class T>
void fetch_row_to_write(const T* row, std::int64_t count) {
    for (std::int64_t k = 0; k < count; k += line_bytes / std::int64_t(sizeof(T))) fetch_to_write(row + k);
}

// Rows of a tile: as many as registers hold, with NV weights and one broadcast value beside them.
constexpr int tile_rows(int vectors) {
    if (THROUGHTIME_REGISTERS == 32) return vectors == 4 ? 6 : vectors == 3 ? 8 : 12;
    return vectors == 4 ? 3 : vectors == 3 ? 3 : vectors == 2 ? 5 : 8;
}
constexpr int most_vectors = 4;
constexpr int most_tile_rows = 12;

template <class T, int MR, int NV>
THROUGHTIME_INLINE const T* multiply_add(Vec<T> (&sum)[MR][NV], const Source<T>& source, const T* w) {
    using S = Simd<T>;
    constexpr bool short_chain = MR * NV < 8;  // too few sums to hide an addition's latency
    const T* a = source.rows;
    std::int64_t k = 0;
    if constexpr (short_chain) {
        Vec<T> second[MR][NV] = {};
        for (; k + 2 <= source.depth; k += 2, w += 2 * NV * S::lanes) {
            THROUGHTIME_UNROLL
            for (int r = 0; r < MR; ++r) {
                const Vec<T> even = S::broadcast(a[r * source.stride + k]);
                const Vec<T> odd = S::broadcast(a[r * source.stride + k + 1]);
                THROUGHTIME_UNROLL
                for (int v = 0; v < NV; ++v) {
                    sum[r][v] = sum[r][v] + even * S::load(w + v * S::lanes);
                    second[r][v] = second[r][v] + odd * S::load(w + (NV + v) * S::lanes);
                }
            }
        }
        THROUGHTIME_UNROLL
        for (int r = 0; r < MR; ++r) {
            THROUGHTIME_UNROLL
            for (int v = 0; v < NV; ++v) sum[r][v] = sum[r][v] + second[r][v];
        }
    }
    for (; k < source.depth; ++k, w += NV * S::lanes) {
        Vec<T> weight[NV];
        THROUGHTIME_UNROLL
        for (int v = 0; v < NV; ++v) weight[v] = S::load(w + v * S::lanes);
        THROUGHTIME_UNROLL
        for (int r = 0; r < MR; ++r) {
            const Vec<T> value = S::broadcast(a[r * source.stride + k]);
            THROUGHTIME_UNROLL
            for (int v = 0; v < NV; ++v) sum[r][v] = sum[r][v] + value * weight[v];
        }
    }
    return w;
}

// out[r][v] = start[r][v] + Σ over the sources; `start` null is zero; strides in values.
template <class T, int MR, int NV>
void tile(const Source<T>* sources, int n_sources, const T* w, const T* start, std::ptrdiff_t start_stride,
          T* out, std::ptrdiff_t out_stride) {
    using S = Simd<T>;
    Vec<T> sum[MR][NV];
    THROUGHTIME_UNROLL
    for (int r = 0; r < MR; ++r) {
        THROUGHTIME_UNROLL
        for (int v = 0; v < NV; ++v)
            sum[r][v] = start ? S::load(start + r * start_stride + v * S::lanes) : S::broadcast(T(0));
    }
    for (int s = 0; s < n_sources; ++s) w = multiply_add<T, MR, NV>(sum, sources[s], w);
    THROUGHTIME_UNROLL
    for (int r = 0; r < MR; ++r) {
        THROUGHTIME_UNROLL
        for (int v = 0; v < NV; ++v) S::store(out + r * out_stride + v * S::lanes, sum[r][v]);
    }
}

template <class T>
using Tile = void (*)(const Source<T>*, int, const T*, const T*, std::ptrdiff_t, T*, std::ptrdiff_t);

template <class T, int NV, int... R>
THROUGHTIME_INLINE Tile<T> pick_tile(int rows, std::integer_sequence<int, R...>) {
    static constexpr Tile<T> table[] = {&tile<T, R + 1, NV>...};
    return table[rows - 1];
}
// The tile of `rows` rows, 1 ... tile_rows(vectors).
template <class T>
Tile<T> tile_for(int rows, int vectors) {
    switch (vectors) {
        case 1: return pick_tile<T, 1>(rows, std::make_integer_sequence<int, tile_rows(1)>{});
        case 2: return pick_tile<T, 2>(rows, std::make_integer_sequence<int, tile_rows(2)>{});
        case 3: return pick_tile<T, 3>(rows, std::make_integer_sequence<int, tile_rows(3)>{});
        default: return pick_tile<T, 4>(rows, std::make_integer_sequence<int, tile_rows(4)>{});
    }
}

// Splits `rows` into tiles whose sizes differ by one at most.
struct RowTiles {
    std::int64_t count, rows;
    RowTiles(std::int64_t rows_, int vectors)
        : count((rows_ + tile_rows(vectors) - 1) / tile_rows(vectors)), rows(rows_) {}
    std::int64_t begin(std::int64_t tile) const { return rows * tile / count; }
};

// out[u][c] += Σ_k errors[k][u] panel[k][c] for MU rows u and NV vectors of columns.
template <class T, int MU, int NV>
void outer_tile(const T* errors, std::ptrdiff_t errors_stride, const T* panel, std::ptrdiff_t panel_stride,
                std::int64_t depth, T* out, std::ptrdiff_t out_stride) {
    using S = Simd<T>;
    Vec<T> sum[MU][NV];
    THROUGHTIME_UNROLL
    for (int u = 0; u < MU; ++u) {
        THROUGHTIME_UNROLL
        for (int v = 0; v < NV; ++v) {
            sum[u][v] = S::broadcast(T(0));  // short sums round less than one long one
            fetch_to_write(out + u * out_stride + v * S::lanes);
        }
    }
    for (std::int64_t k = 0; k < depth; ++k, errors += errors_stride, panel += panel_stride) {
        Vec<T> column[NV];
        THROUGHTIME_UNROLL
        for (int v = 0; v < NV; ++v) column[v] = S::load(panel + v * S::lanes);
        THROUGHTIME_UNROLL
        for (int u = 0; u < MU; ++u) {
            const Vec<T> error = S::broadcast(errors[u]);
            THROUGHTIME_UNROLL
            for (int v = 0; v < NV; ++v) sum[u][v] = sum[u][v] + error * column[v];
        }
    }
    THROUGHTIME_UNROLL
    for (int u = 0; u < MU; ++u) {
        THROUGHTIME_UNROLL
        for (int v = 0; v < NV; ++v) {
            T* at = out + u * out_stride + v * S::lanes;
            S::store(at, S::load(at) + sum[u][v]);
        }
    }
}

// Vectors of columns and rows of an outer tile. Rows come in multiples of `lanes`, so any rest is small.
constexpr int outer_vectors = 2;
constexpr int outer_rows = THROUGHTIME_REGISTERS == 32 ? 8 : 4;

template <class T>
using OuterTile = void (*)(const T*, std::ptrdiff_t, const T*, std::ptrdiff_t, std::int64_t, T*, std::ptrdiff_t);

template <class T, int NV, int... R>
THROUGHTIME_INLINE OuterTile<T> pick_outer_tile(int rows, std::integer_sequence<int, R...>) {
    static constexpr OuterTile<T> table[] = {&outer_tile<T, R + 1, NV>...};
    return table[rows - 1];
}
// The outer tile of 1 ... outer_rows rows and 1 or 2 vectors.
template <class T>
OuterTile<T> outer_tile_for(int rows, int vectors) {
    using Rows = std::make_integer_sequence<int, outer_rows>;
    return vectors == 1 ? pick_outer_tile<T, 1>(rows, Rows{}) : pick_outer_tile<T, 2>(rows, Rows{});
}

// Adds errorsᵀ panel, `units` rows (a multiple of `lanes`) and `vectors` vectors wide, to out.
// panel lies in groups of outer_vectors vectors, [k][vector][lane] in each; the last group may be narrower.
template <class T>
void add_outer(const T* errors, std::ptrdiff_t errors_stride, const T* panel, std::int64_t depth,
               std::int64_t units, std::int64_t vectors, T* out, std::ptrdiff_t out_stride) {
    constexpr int lanes = Simd<T>::lanes;
    // Errors are read again for every group of the panel: as many units at once as the second cache keeps.
    const std::int64_t block = larger<std::int64_t>(1, (std::int64_t(512) << 10) / (depth * lanes * std::int64_t(sizeof(T)))) * lanes;
    for (std::int64_t begin = 0; begin < units; begin += block) {
        const std::int64_t end = smaller(units, begin + block);
        for (std::int64_t v = 0; v < vectors; v += outer_vectors) {
            const int width = int(smaller<std::int64_t>(outer_vectors, vectors - v));
            const T* group = panel + v * depth * lanes;
            std::int64_t height = 0;
            for (std::int64_t u = begin; u < end; u += height) {
                height = end - u >= outer_rows ? outer_rows : 2;  // lanes is even
                outer_tile_for<T>(int(height), width)(errors + u, errors_stride, group, width * lanes, depth,
                                                      out + u * out_stride + v * lanes, out_stride);
            }
        }
    }
}

// The same product the other way round, for few rows: adds rowsᵀ errors, `count` rows and `vectors` vectors of
// units wide, to out. Both operands lie row by row.
template <class T>
void add_outer_of_few(const T* rows, std::ptrdiff_t rows_stride, std::int64_t count, const T* errors,
                      std::ptrdiff_t errors_stride, std::int64_t depth, std::int64_t vectors, T* out,
                      std::ptrdiff_t out_stride) {
    constexpr int lanes = Simd<T>::lanes;
    for (std::int64_t v = 0; v < vectors; v += outer_vectors) {
        const int width = int(smaller<std::int64_t>(outer_vectors, vectors - v));
        std::int64_t height = 0;
        for (std::int64_t u = 0; u < count; u += height) {
            height = smaller<std::int64_t>(count - u, outer_rows);
            outer_tile_for<T>(int(height), width)(rows + u, rows_stride, errors + v * lanes, errors_stride, depth,
                                                  out + u * out_stride + v * lanes, out_stride);
        }
    }
}

// Where a vector of a panel of `depth` rows lies: row k, vector v of `vectors`.
template <class T>
THROUGHTIME_INLINE T* panel_at(T* panel, std::int64_t depth, std::int64_t vectors, std::int64_t k, std::int64_t v) {
    constexpr int lanes = Simd<T>::lanes;
    const std::int64_t first = v / outer_vectors * outer_vectors;
    const std::int64_t width = smaller<std::int64_t>(outer_vectors, vectors - first);
    return panel + (first * depth + k * width + (v - first)) * lanes;
}

// A matrix (rows, columns) whose rows become the depth of a product: packed for tiles of columns.
// Group g holds columns g·4·lanes onwards, [k][vector][lane]; `padded_depth` rows, those beyond are zero.
template <class T>
void pack_rows_as_depth(const T* matrix, std::ptrdiff_t stride, std::int64_t rows, std::int64_t columns,
                        std::int64_t padded_depth, std::int64_t k0, std::int64_t depth, T* packed, int part,
                        int parts) {
    using S = Simd<T>;
    const std::int64_t vectors = (columns + S::lanes - 1) / S::lanes;
    const std::int64_t groups = (vectors + most_vectors - 1) / most_vectors;
    for (std::int64_t g = groups * part / parts; g < groups * (part + 1) / parts; ++g) {
        const std::int64_t first = g * most_vectors;
        const std::int64_t width = smaller<std::int64_t>(most_vectors, vectors - first);
        T* group = packed + first * depth * S::lanes;
        for (std::int64_t k = 0; k < padded_depth; ++k)
            for (std::int64_t v = 0; v < width; ++v) {
                const std::int64_t column = (first + v) * S::lanes;
                const int n = int(smaller<std::int64_t>(S::lanes, columns - column));
                const Vec<T> row =
                    k < rows ? load_block(matrix + k * stride + column, n) : S::broadcast(T(0));
                S::store(group + ((k0 + k) * width + v) * S::lanes, row);
            }
    }
}

// Rows `first` ... of a matrix (·, depth) become `lanes` columns: packed[k · step + lane]; the rest is zero.
template <class T>
void pack_transposed(const T* matrix, std::ptrdiff_t stride, std::int64_t valid, std::int64_t depth, T* packed,
                     std::ptrdiff_t step) {
    constexpr int lanes = Simd<T>::lanes;
    for (int l = 0; l < lanes; ++l)
        if (l < valid)
            for (std::int64_t k = 0; k < depth; ++k) packed[k * step + l] = matrix[l * stride + k];
        else
            for (std::int64_t k = 0; k < depth; ++k) packed[k * step + l] = T(0);
}

}  // namespace
