// Activations and their derivatives on vectors.
//
// tanh and the logistic function rest on expm1(r) = r + r² q(r) for |r| <= ln 2 / 2, q a minimax polynomial
// (fitted with the Remez exchange to a relative error of 1.4e-8 for float, 1.8e-17 for double), and on
// x = k ln 2 + r. tanh x = e / (e + 2) with e = expm1(2x), which keeps its relative precision near 0.
#pragma once

#include "simd.hpp"

namespace {

template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
    static constexpr float magic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
    static constexpr float log2_e = 1.44269504088896341f;
    static constexpr float ln2_high = 0.693359375f;
    static constexpr float ln2_low = -2.12194440054690583e-4f;
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
        0.50000000000000051775,    0.16666666666666589131,    0.04166666666657677585,
        0.0083333333333896911076,  0.0013888888931558118565,  0.00019841269718610679818,
        0.000024801505281709866177, 2.7557407974281616627e-6, 2.7626034858873309059e-7,
        2.5053617166135038028e-8};
};

template <class T>
struct Exponential {
    Vec<T> power;      // 2^k
    Vec<T> remainder;  // expm1(r)
};

template <class T>
THROUGHTIME_INLINE Exponential<T> exponential(Vec<T> x) {
    using S = Simd<T>;
    using C = ExpConstants<T>;
    const Vec<T> magic = S::broadcast(C::magic);
    const Vec<T> shifted = x * S::broadcast(C::log2_e) + magic;
    const Vec<T> k = shifted - magic;
    Vec<T> r = x - k * S::broadcast(C::ln2_high);
    r = r - k * S::broadcast(C::ln2_low);
    Vec<T> q = S::broadcast(C::q[C::degree]);
    THROUGHTIME_UNROLL
    for (int n = C::degree - 1; n >= 0; --n) q = q * r + S::broadcast(C::q[n]);
    return {S::power_of_two(shifted), (r * r) * q + r};
}

template <class T>
THROUGHTIME_INLINE Vec<T> logistic(Vec<T> x) {
    using S = Simd<T>;
    const Vec<T> one = S::broadcast(T(1));
    const auto e = exponential<T>(S::clamp(S::broadcast(T(0)) - x, -ExpConstants<T>::limit, ExpConstants<T>::limit));
    return one / ((e.power * e.remainder + e.power) + one);
}

template <class T>
THROUGHTIME_INLINE Vec<T> hyperbolic_tangent(Vec<T> x) {
    using S = Simd<T>;
    const Vec<T> one = S::broadcast(T(1));
    const auto e = exponential<T>(S::clamp(x + x, -ExpConstants<T>::tanh_limit, ExpConstants<T>::tanh_limit));
    const Vec<T> expm1 = e.power * e.remainder + (e.power - one);
    return expm1 / (expm1 + S::broadcast(T(2)));
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
