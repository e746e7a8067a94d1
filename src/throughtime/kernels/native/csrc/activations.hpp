// Activations and their derivatives on vectors.
//
// All rest on x = k ln 2 + r with |r| <= ln 2 / 2 and a minimax polynomial q in r, fitted with the Remez exchange:
// expm1(r) = r + r² q(r), to 1.4e-8 in float and 1.8e-17 in double. The logistic function adds 1; a polynomial for
// e^r itself would be one operation shorter and lean to one side, which a product of many forget gates shows.
// tanh x = e / (e + 2), e = expm1(2x), keeps its relative precision near 0.
#pragma once

#include "simd.hpp"

namespace {

template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
    static constexpr float magic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
    static constexpr float log2_e = 1.44269504088896341f;
    static constexpr float ln2_high = 0.693147180559945309f;  // exact to 2e-9, enough without a low part
    static constexpr float ln2_low = 0.0f;
    static constexpr float limit = 87.0f;
    static constexpr float tanh_limit = 18.1f;  // of 2x: beyond it tanh x is 1 in float
    static constexpr int degree = 4;
    static constexpr float q[degree + 1] = {0.49999998154282517514f, 0.16666543622008420706f,
                                            0.041667199746011601595f, 0.0083665205108121909325f,
                                            0.0013882529381504171708f};
};

template <>
struct ExpConstants<double> {
    static constexpr double magic = 6755399441055744.0;  // 1.5 · 2^52
    static constexpr double log2_e = 1.44269504088896340736;
    static constexpr double ln2_high = 0.693145751953125;
    static constexpr double ln2_low = 1.42860682030941723212e-6;
    static constexpr double limit = 708.0;
    static constexpr double tanh_limit = 38.2;
    static constexpr int degree = 9;
    static constexpr double q[degree + 1] = {
        0.50000000000000051775,     0.16666666666666589131,    0.04166666666657677585,
        0.0083333333333896911076,   0.0013888888931558118565,  0.00019841269718610679818,
        0.000024801505281709866177, 2.7557407974281616627e-6,  2.7626034858873309059e-7,
        2.5053617166135038028e-8};
};

// x = k ln 2 + r; k as k + 1.5 · 2^mantissa.
template <class T>
struct Reduced {
    Vec<T> shifted, r;
};

template <class T>
THROUGHTIME_INLINE Reduced<T> reduce_by_ln2(Vec<T> x) {
    using S = Simd<T>;
    using C = ExpConstants<T>;
    const Vec<T> magic = S::broadcast(C::magic);
    const Vec<T> shifted = x * S::broadcast(C::log2_e) + magic;
    const Vec<T> k = shifted - magic;
    Vec<T> r = x - k * S::broadcast(C::ln2_high);
    if constexpr (C::ln2_low != T(0)) r = r - k * S::broadcast(C::ln2_low);
    return {shifted, r};
}

template <class T, int n>
THROUGHTIME_INLINE Vec<T> polynomial(const T (&c)[n], Vec<T> r) {
    Vec<T> p = Simd<T>::broadcast(c[n - 1]);
    THROUGHTIME_UNROLL
    for (int k = n - 2; k >= 0; --k) p = p * r + Simd<T>::broadcast(c[k]);
    return p;
}

template <class T>
THROUGHTIME_INLINE Vec<T> logistic(Vec<T> x) {
    using S = Simd<T>;
    using C = ExpConstants<T>;
    const Vec<T> one = S::broadcast(T(1));
    const auto [shifted, r] = reduce_by_ln2<T>(S::clamp(S::broadcast(T(0)) - x, -C::limit, C::limit));
    const Vec<T> e = ((r * r) * polynomial(C::q, r) + r) + one;
    return S::quotient(one, S::times_power_of_two(e, shifted) + one);
}

template <class T>
THROUGHTIME_INLINE Vec<T> hyperbolic_tangent(Vec<T> x) {
    using S = Simd<T>;
    using C = ExpConstants<T>;
    const Vec<T> one = S::broadcast(T(1));
    const Vec<T> size = S::magnitude(x);  // for a negative argument e + 2 would magnify e's rounding
    const auto [shifted, r] = reduce_by_ln2<T>(S::clamp(size + size, T(0), C::tanh_limit));
    const Vec<T> power = S::times_power_of_two(one, shifted);
    const Vec<T> remainder = (r * r) * polynomial(C::q, r) + r;
    const Vec<T> expm1 = power * remainder + (power - one);
    return S::with_sign_of(S::quotient(expm1, expm1 + S::broadcast(T(2))), x);
}

// Derivatives as functions of the activated value.
template <class T>
THROUGHTIME_INLINE Vec<T> logistic_slope(Vec<T> s) {
    return s * (Simd<T>::broadcast(T(1)) - s);
}
template <class T>
THROUGHTIME_INLINE Vec<T> tanh_slope(Vec<T> h) {
    return Simd<T>::broadcast(T(1)) - h * h;
}

}  // namespace
