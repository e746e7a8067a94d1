// Vectors of the instruction set a file is compiled for, and nothing else.
//
// Notation: V a vector of `lanes` values of type T (float or double); VI the integers of the same width.
//
// Every instruction set compiles the same kernels in its own file with its own flags. All of it lives in
// an anonymous namespace and uses no function of the standard library: an inline function shared with a
// file built for AVX-512 could otherwise be the copy the linker keeps, and run on a machine without it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define THROUGHTIME_VECTOR_BYTES 64
#define THROUGHTIME_REGISTERS 32
#elif defined(__AVX2__)
#define THROUGHTIME_VECTOR_BYTES 32
#define THROUGHTIME_REGISTERS 16
#else
#define THROUGHTIME_VECTOR_BYTES 16
#if defined(__aarch64__)
#define THROUGHTIME_REGISTERS 32
#else
#define THROUGHTIME_REGISTERS 16
#endif
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define THROUGHTIME_INLINE __forceinline
#define THROUGHTIME_PLAIN_VECTORS 1
#define THROUGHTIME_UNROLL
#else
#define THROUGHTIME_INLINE inline __attribute__((always_inline))
#define THROUGHTIME_UNROLL _Pragma("GCC unroll 16")
#endif

namespace {

template <class T>
struct IntegerOf;
template <>
struct IntegerOf<float> {
    using type = std::int32_t;
};
template <>
struct IntegerOf<double> {
    using type = std::int64_t;
};

// Asks for the line around p ahead of time, into the second cache to read, or to write. Any address will do.
template <class T>
THROUGHTIME_INLINE void fetch_to_read(const T* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 0, 2);
#else
    static_cast<void>(p);
#endif
}
template <class T>
THROUGHTIME_INLINE void fetch_to_write(const T* p) {
#if defined(__GNUC__)
    __builtin_prefetch(p, 1, 2);
#else
    static_cast<void>(p);
#endif
}

template <class T>
THROUGHTIME_INLINE T smaller(T a, T b) {
    return b < a ? b : a;
}
template <class T>
THROUGHTIME_INLINE T larger(T a, T b) {
    return a < b ? b : a;
}

#ifdef THROUGHTIME_PLAIN_VECTORS

// For compilers without vector types: an array, which the optimiser may or may not turn into registers.
template <class E>
struct Lanes {
    static constexpr int count = THROUGHTIME_VECTOR_BYTES / int(sizeof(E));
    E at[count];
};
#define THROUGHTIME_LANEWISE(op)                                                    \
    template <class E>                                                              \
    THROUGHTIME_INLINE Lanes<E> operator op(const Lanes<E>& a, const Lanes<E>& b) { \
        Lanes<E> out;                                                               \
        for (int l = 0; l < Lanes<E>::count; ++l) out.at[l] = E(a.at[l] op b.at[l]);  \
        return out;                                                                 \
    }
THROUGHTIME_LANEWISE(+)
THROUGHTIME_LANEWISE(-)
THROUGHTIME_LANEWISE(*)
THROUGHTIME_LANEWISE(/)
#undef THROUGHTIME_LANEWISE

template <class T>
struct Simd {
    using V = Lanes<T>;
    using VI = Lanes<typename IntegerOf<T>::type>;
    static constexpr int lanes = V::count;

    static THROUGHTIME_INLINE V broadcast(T x) {
        V out;
        for (int l = 0; l < lanes; ++l) out.at[l] = x;
        return out;
    }
    static THROUGHTIME_INLINE V clamp(V x, T low, T high) {
        for (int l = 0; l < lanes; ++l) {
            x.at[l] = x.at[l] < low ? low : x.at[l];
            x.at[l] = x.at[l] > high ? high : x.at[l];
        }
        return x;
    }
    static THROUGHTIME_INLINE V quotient(V a, V b) { return a / b; }
    static THROUGHTIME_INLINE V magnitude(V x) {
        for (int l = 0; l < lanes; ++l) x.at[l] = x.at[l] < T(0) ? -x.at[l] : x.at[l];
        return x;
    }
    static THROUGHTIME_INLINE V with_sign_of(V x, V sign) {
        for (int l = 0; l < lanes; ++l) x.at[l] = sign.at[l] < T(0) ? -x.at[l] : x.at[l];
        return x;
    }
    static THROUGHTIME_INLINE V positive(V x) {
        for (int l = 0; l < lanes; ++l) x.at[l] = x.at[l] < T(0) ? T(0) : x.at[l];
        return x;
    }
    static THROUGHTIME_INLINE V one_where_positive(V x) {
        for (int l = 0; l < lanes; ++l) x.at[l] = x.at[l] > T(0) ? T(1) : T(0);
        return x;
    }
    static THROUGHTIME_INLINE V times_power_of_two(V v, V shifted) {
        using U = std::make_unsigned_t<typename IntegerOf<T>::type>;
        for (int l = 0; l < lanes; ++l) {
            const U bits = std::bit_cast<U>(v.at[l]) + (std::bit_cast<U>(shifted.at[l]) << (sizeof(T) == 4 ? 23 : 52));
            v.at[l] = std::bit_cast<T>(bits);
        }
        return v;
    }
    static THROUGHTIME_INLINE V load(const T* p) {
        V out;
        for (int l = 0; l < lanes; ++l) out.at[l] = p[l];
        return out;
    }
    static THROUGHTIME_INLINE void store(T* p, V v) {
        for (int l = 0; l < lanes; ++l) p[l] = v.at[l];
    }
    static THROUGHTIME_INLINE V load_some(const T* p, int n) {
        V out{};
        for (int l = 0; l < n; ++l) out.at[l] = p[l];
        return out;
    }
    static THROUGHTIME_INLINE void store_some(T* p, V v, int n) {
        for (int l = 0; l < n; ++l) p[l] = v.at[l];
    }
};

#else

template <class T>
struct Simd {
    static constexpr int lanes = THROUGHTIME_VECTOR_BYTES / int(sizeof(T));
    using I = typename IntegerOf<T>::type;
    typedef T V __attribute__((vector_size(THROUGHTIME_VECTOR_BYTES)));
    typedef I VI __attribute__((vector_size(THROUGHTIME_VECTOR_BYTES)));

    template <int... L>
    static THROUGHTIME_INLINE V fill(T x, std::integer_sequence<int, L...>) {
        return V{(static_cast<void>(L), x)...};
    }
    static THROUGHTIME_INLINE V broadcast(T x) { return fill(x, std::make_integer_sequence<int, lanes>{}); }

    // NaN stays NaN: of two operands the instruction gives back the second one then.
    static THROUGHTIME_INLINE V clamp(V x, T low, T high) {
        const V l = broadcast(low), h = broadcast(high);
#if THROUGHTIME_VECTOR_BYTES == 64
        if constexpr (sizeof(T) == 4)
            return (V)_mm512_min_ps((__m512)h, _mm512_max_ps((__m512)l, (__m512)x));
        else
            return (V)_mm512_min_pd((__m512d)h, _mm512_max_pd((__m512d)l, (__m512d)x));
#elif THROUGHTIME_VECTOR_BYTES == 32
        if constexpr (sizeof(T) == 4)
            return (V)_mm256_min_ps((__m256)h, _mm256_max_ps((__m256)l, (__m256)x));
        else
            return (V)_mm256_min_pd((__m256d)h, _mm256_max_pd((__m256d)l, (__m256d)x));
#else
        x = x < l ? l : x;
        return x > h ? h : x;
#endif
    }
    static THROUGHTIME_INLINE V magnitude(V x) { return (V)((VI)x & ~sign_bit()); }
    // x, not negative itself, with another's sign.
    static THROUGHTIME_INLINE V with_sign_of(V x, V sign) { return (V)((VI)x | ((VI)sign & sign_bit())); }
    static THROUGHTIME_INLINE VI sign_bit() { return (VI)broadcast(T(-0.0)); }

    // a / b for b of ordinary size, to the last bit or the one before it.
    static THROUGHTIME_INLINE V quotient(V a, V b) {
#if THROUGHTIME_VECTOR_BYTES == 64
        if constexpr (sizeof(T) == 4) {
            const V r = (V)_mm512_rcp14_ps((__m512)b);
            const V q = a * r;
            return q + r * (a - b * q);
        }
#endif
        return a / b;
    }
    // NaN stays NaN, as in torch.relu.
    static THROUGHTIME_INLINE V positive(V x) {
        const V zero = broadcast(T(0));
        return x < zero ? zero : x;
    }
    static THROUGHTIME_INLINE V one_where_positive(V x) {
        const V zero = broadcast(T(0));
        return x > zero ? broadcast(T(1)) : zero;
    }
    // v · 2^k, k given as the number k + 1.5 · 2^mantissa: k stands in its lowest bits.
    static THROUGHTIME_INLINE V times_power_of_two(V v, V shifted) {
        constexpr int mantissa = sizeof(T) == 4 ? 23 : 52;
        typedef std::make_unsigned_t<I> VU __attribute__((vector_size(THROUGHTIME_VECTOR_BYTES)));
        return (V)((VU)v + ((VU)shifted << mantissa));
    }
    static THROUGHTIME_INLINE V load(const T* p) {
        V v;
        __builtin_memcpy(&v, p, sizeof v);
        return v;
    }
    static THROUGHTIME_INLINE void store(T* p, V v) { __builtin_memcpy(p, &v, sizeof v); }

    // The first n lanes, the rest zero; memory behind them is not touched.
    static THROUGHTIME_INLINE V load_some(const T* p, int n) {
#if THROUGHTIME_VECTOR_BYTES == 64
        if constexpr (sizeof(T) == 4)
            return (V)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
        else
            return (V)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
#else
        alignas(THROUGHTIME_VECTOR_BYTES) T part[lanes] = {};
        for (int l = 0; l < n; ++l) part[l] = p[l];
        return load(part);
#endif
    }
    static THROUGHTIME_INLINE void store_some(T* p, V v, int n) {
#if THROUGHTIME_VECTOR_BYTES == 64
        if constexpr (sizeof(T) == 4)
            _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v);
        else
            _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), (__m512d)v);
#else
        alignas(THROUGHTIME_VECTOR_BYTES) T part[lanes];
        store(part, v);
        for (int l = 0; l < n; ++l) p[l] = part[l];
#endif
    }
};

#endif

template <class T>
using Vec = typename Simd<T>::V;

// A block of the last vector of a row that is not full: n < lanes.
template <class T>
THROUGHTIME_INLINE Vec<T> load_block(const T* p, int n) {
    return n == Simd<T>::lanes ? Simd<T>::load(p) : Simd<T>::load_some(p, n);
}
template <class T>
THROUGHTIME_INLINE void store_block(T* p, Vec<T> v, int n) {
    if (n == Simd<T>::lanes)
        Simd<T>::store(p, v);
    else
        Simd<T>::store_some(p, v, n);
}

THROUGHTIME_INLINE std::int64_t round_up(std::int64_t n, std::int64_t unit) {
    return (n + unit - 1) / unit * unit;
}

}  // namespace
