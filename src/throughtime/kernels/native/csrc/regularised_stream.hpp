// Steps of a live reading through a layer with layer normalisation or zoneout: what x adds is computed here, step by
// step, then the recurrence is that of regularised_forward.hpp.
//
// Notation as in regularised_parts.hpp.
//
// shared: weight_ih, packed, I deep; gain_ih and bias (n Hp), zero where there are none; what the recurrence shares.
// own: what the recurrence owns; W x (rows, n Hp); what x and the bias add (rows, nH).
#pragma once

#include "regularised_forward.hpp"

namespace {

using throughtime::RegularisedStreamCall;

template <class T>
struct RegularisedStreamKernel {
    using Call = RegularisedStreamCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    using Sizes = RowSizes<T>;
    using Recurrence = RegularisedForwardKernel<T>;

    struct Shared {
        T *weight, *gain, *bias;
        void* recurrence;
        Shared(const Call& call, const Sizes& z, void* memory) {
            weight = static_cast<T*>(memory);
            gain = weight + z.width * call.inputs;
            bias = gain + z.width;
            recurrence = bias + z.width;
        }
    };
    struct Own {
        void* recurrence;
        T *product, *projected;
        Own(const Call& call, const Sizes& z, void* memory, std::int64_t rows) {
            recurrence = memory;
            product = reinterpret_cast<T*>(static_cast<char*>(memory) + Recurrence::own_bytes(call, rows));
            projected = product + rows * z.width;
        }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return std::int64_t(sizeof(T)) * z.width * (call.inputs + 2) + Recurrence::shared_bytes(call);
    }
    static std::int64_t own_bytes(const Call& call, std::int64_t rows) {
        const Sizes z(call);
        return Recurrence::own_bytes(call, rows) + std::int64_t(sizeof(T)) * rows * (z.width + z.n * z.H);
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        const Shared shared(call, z, memory);
        pack_blocks(call.weight_ih, call.inputs, z, shared.weight, part, parts);
        Recurrence::pack(call, shared.recurrence, part, parts);
        if (part != 0) return;
        pad_blocks(call.gain_ih, z.n, z, shared.gain);
        pad_blocks(call.bias, z.n, z, shared.bias);
    }

    static void load(const Call& call, void* own, std::int64_t first, std::int64_t last) {
        Recurrence::load(call, own, first, last);
    }

    // gain ⊙ (W x normalised) + b of every row, or W x + b.
    static void project(const Call& call, const Sizes& z, const Shared& shared, const Own& own, std::int64_t rows) {
        multiply_rows(call.x, call.x_b, call.inputs, shared.weight, z, rows, own.product);
        for (std::int64_t r = 0; r < rows; ++r) {
            T* product = own.product + r * z.width;
            if (call.gain_ih) normalise(product, z.n, z, T(call.epsilon));
            for (int k = 0; k < z.n; ++k)
                for (std::int64_t unit = 0; unit < z.Hp; unit += S::lanes) {
                    const std::int64_t at = k * z.Hp + unit;
                    const V value = S::load(product + at), bias = S::load(shared.bias + at);
                    store_block(own.projected + (r * z.n + k) * z.H + unit,
                                call.gain_ih ? S::load(shared.gain + at) * value + bias : value + bias, z.valid(unit));
                }
        }
    }

    // The slice is the whole batch.
    static std::int64_t steps(const Call& call, const void* shared_memory, void* own_memory, std::int64_t first,
                              std::int64_t last, int& now) {
        const Sizes z(call);
        const Shared shared(call, z, const_cast<void*>(shared_memory));
        const Own own(call, z, own_memory, last - first);
        project(call, z, shared, own, last - first);
        RegularisedForwardCall<T> recurrence = call;
        recurrence.projected = own.projected;
        return Recurrence::steps(recurrence, shared.recurrence, own.recurrence, first, last, now);
    }

    static void unload(const Call& call, const void* own, std::int64_t first, std::int64_t last, int now) {
        Recurrence::unload(call, own, first, last, now);
    }
};

}  // namespace
