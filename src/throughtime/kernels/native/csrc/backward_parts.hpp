// What the backward of every cell does: carry errors one step back, to the input, into the gradients.
//
// Notation as in contract.hpp. The errors of a step before the activation are rows of `depth` values, `stride` apart, for
// the rows of one slice of the batch that are under way. They stand in a ring, step after step.
#pragma once

#include "under_way.hpp"

namespace {

constexpr std::int64_t chunk_rows = 128;  // rows (time x batch) whose weight gradients are added at once

// The errors of one step of one slice.
template <class T>
struct StepErrors {
    const T* errors;
    std::ptrdiff_t stride;
    std::int64_t depth, rows;
};

// Rows that the ring of a slice of `rows` rows holds, and rows of the panel of what those steps read.
struct Ring {
    std::int64_t capacity, depth;
    explicit Ring(std::int64_t rows) {
        capacity = larger(rows, chunk_rows / rows * rows);
        depth = smaller(chunk_rows, capacity);
    }
};

// Weights of a group that are read again and again for every few rows must not outgrow the second cache: longer
// products are cut into parts of this many values of depth.
template <class T>
constexpr std::int64_t longest_depth = (std::int64_t(256) << 10) / (most_vectors * THROUGHTIME_VECTOR_BYTES);

// Calls finish(row, height, first_vector, vectors, values) for each tile of errors times packed weights
// (depth, vectors · lanes); values stand in `scratch` (rows, vectors · lanes), from this row on.
template <class T, class Finish>
THROUGHTIME_INLINE void times_weights(const StepErrors<T>& s, const T* packed, std::int64_t vectors, T* scratch,
                                      Finish finish) {
    constexpr int lanes = Simd<T>::lanes;
    for (std::int64_t v = 0; v < vectors; v += most_vectors) {
        const int wide = int(smaller<std::int64_t>(most_vectors, vectors - v));
        const RowTiles tiles(s.rows, wide);
        for (std::int64_t k = 0; k < s.depth; k += longest_depth<T>) {
            const std::int64_t depth = smaller(longest_depth<T>, s.depth - k);
            const T* weights = packed + (v * s.depth + k * wide) * lanes;
            for (std::int64_t tile = 0; tile < tiles.count; ++tile) {
                const std::int64_t row = tiles.begin(tile);
                const int height = int(tiles.begin(tile + 1) - row);
                const Source<T> errors{s.errors + row * s.stride + k, s.stride, depth};
                T* values = scratch + row * wide * lanes;
                tile_for<T>(height, wide)(&errors, 1, weights, k > 0 ? values : nullptr, wide * lanes, values,
                                          wide * lanes);
                if (k + depth == s.depth) finish(row, height, v, wide, values);
            }
        }
    }
}

// Errors of the state of t-1, to (rows, to_stride). A row that is not under way keeps what came to it.
template <class T>
void step_back(const StepErrors<T>& s, const T* packed, std::int64_t vectors, T* to, std::ptrdiff_t to_stride,
               T* scratch) {
    constexpr int lanes = Simd<T>::lanes;
    times_weights(s, packed, vectors, scratch, [&](std::int64_t row, int height, std::int64_t v, int wide, const T* values) {
        for (int r = 0; r < height; ++r)
            for (int w = 0; w < wide; ++w)
                Simd<T>::store(to + (row + r) * to_stride + (v + w) * lanes,
                               Simd<T>::load(values + (r * wide + w) * lanes));
    });
}

// δx(t), to (B, I); zero for the sequences that are padded there, of `all` of the slice.
template <class T>
void input_errors(const StepErrors<T>& s, const Sequences& call, std::int64_t first, std::int64_t all, const T* packed,
                  std::int64_t I, T* to, T* scratch) {
    constexpr int lanes = Simd<T>::lanes;
    for (std::int64_t row = s.rows; row < all; ++row) clear(to + call.sequence(first + row) * I, I);
    const std::int64_t vectors = (I + lanes - 1) / lanes;
    times_weights(s, packed, vectors, scratch, [&](std::int64_t row, int height, std::int64_t v, int wide, const T* values) {
        for (int r = 0; r < height; ++r)
            for (int w = 0; w < wide; ++w) {
                const std::int64_t column = (v + w) * lanes;
                store_block(to + call.sequence(first + row + r) * I + column, Simd<T>::load(values + (r * wide + w) * lanes),
                            int(smaller<std::int64_t>(lanes, I - column)));
            }
    });
}

// Puts a row of `width` values into row k of a panel, from vector v on; returns the vector after it.
template <class T>
THROUGHTIME_INLINE std::int64_t put_row(T* panel, std::int64_t depth, std::int64_t vectors, std::int64_t k,
                                        std::int64_t v, const T* row, std::int64_t width) {
    constexpr int lanes = Simd<T>::lanes;
    for (std::int64_t column = 0; column < width; column += lanes, ++v) {
        const int valid = int(smaller<std::int64_t>(lanes, width - column));
        Simd<T>::store(panel_at(panel, depth, vectors, k, v), load_block(row + column, valid));
    }
    return v;
}

// Whether the gradient of the input weights is computed with the units along the vectors: with few inputs
// most lanes of a vector of inputs would be empty.
template <class T>
constexpr bool narrow_input(std::int64_t I) {
    return I <= Simd<T>::lanes / 2;
}

// Adds up one value of each slice, slice after slice.
template <class T>
THROUGHTIME_INLINE T sum_value(void* const* owns, int slices, std::int64_t at) {
    T total = static_cast<const T*>(owns[0])[at];
    for (int s = 1; s < slices; ++s) total += static_cast<const T*>(owns[s])[at];
    return total;
}

// Adds up `width` values, `from` values into the memory of each slice, slice after slice.
template <class T>
void sum_slices(void* const* owns, int slices, std::int64_t from, std::int64_t width, T* to) {
    constexpr int lanes = Simd<T>::lanes;
    for (std::int64_t column = 0; column < width; column += lanes) {
        Vec<T> total = Simd<T>::load(static_cast<const T*>(owns[0]) + from + column);
        for (int s = 1; s < slices; ++s)
            total = total + Simd<T>::load(static_cast<const T*>(owns[s]) + from + column);
        store_block(to + column, total, int(smaller<std::int64_t>(lanes, width - column)));
    }
}

// The time of the k-th step back, and the step that t read.
THROUGHTIME_INLINE std::int64_t time_of(std::int64_t steps, bool reverse, std::int64_t k) {
    return reverse ? k : steps - 1 - k;
}
THROUGHTIME_INLINE std::int64_t time_before(bool reverse, std::int64_t t) { return reverse ? t + 1 : t - 1; }

}  // namespace
