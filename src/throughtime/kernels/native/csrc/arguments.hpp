// Arguments of the Python module, read and checked.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "driver.hpp"
#include "tensors.hpp"

namespace throughtime {

inline constexpr const char* lstm_name = "LSTM, backend 'native'";
inline constexpr const char* rnn_name = "RNN, backend 'native'";

[[noreturn]] inline void bad(const std::string& text) { throw nb::value_error(text.c_str()); }

inline const Kernels& kernels_at(int isa) {
    const InstructionSets& all = instruction_sets();
    if (isa < 0 || isa >= all.count) bad("isa=" + std::to_string(isa) + " is not among the instruction sets here.");
    return *all.sets[isa];
}

inline int checked_threads(int threads) {
    if (threads < 1 || threads > 4096) bad("threads=" + std::to_string(threads) + ", expected 1 to 4096.");
    return threads;
}

template <class T>
inline constexpr Kind kind_of = sizeof(T) == 4 ? Kind::f32 : Kind::f64;

// Reads tensors for one call; T is the dtype of all of them but the lengths.
template <class T>
struct Reader {
    const char* who;

    T* dense(nb::handle tensor, const char* name, std::initializer_list<std::int64_t> shape) const {
        const View view = look_at(tensor, who, name);
        expect(view, who, name, kind_of<T>, shape);
        return static_cast<T*>(view.data);
    }
    T* optional(nb::handle tensor, const char* name, std::initializer_list<std::int64_t> shape) const {
        return tensor.is_none() ? nullptr : dense(tensor, name, shape);
    }
    // Dense or None, as the call needs it or must not have it.
    T* only_if(bool needed, nb::handle tensor, const char* name, std::initializer_list<std::int64_t> shape) const {
        if (needed == tensor.is_none())
            bad(std::string(who) + ": " + name + (needed ? " is missing." : " has no use here."));
        return optional(tensor, name, shape);
    }
    const T* rows(nb::handle tensor, const char* name, std::initializer_list<std::int64_t> shape, std::ptrdiff_t& by_t,
                  std::ptrdiff_t& by_b) const {
        const View view = look_at(tensor, who, name);
        expect(view, who, name, kind_of<T>, shape, true);
        by_t = view.stride[0];
        by_b = view.stride[1];
        return static_cast<const T*>(view.data);
    }
    // As `rows`; one number seen from everywhere, as the error of a sum is, becomes a row in `held`.
    const T* errors(nb::handle tensor, const char* name, std::initializer_list<std::int64_t> shape, std::ptrdiff_t& by_t,
                    std::ptrdiff_t& by_b, std::vector<T>& held) const {
        View view = look_at(tensor, who, name);
        const bool one = view.dimensions == 3 && view.data && !view.stride[0] && !view.stride[1] && !view.stride[2];
        if (one) view.stride[2] = 1;
        expect(view, who, name, kind_of<T>, shape, true);
        by_t = view.stride[0];
        by_b = view.stride[1];
        if (!one) return static_cast<const T*>(view.data);
        held.assign(std::size_t(view.shape[2]), *static_cast<const T*>(view.data));
        return held.data();
    }
    const std::int64_t* lengths(nb::handle tensor, std::int64_t batch) const {
        if (tensor.is_none()) return nullptr;
        const View view = look_at(tensor, who, "lengths");
        expect(view, who, "lengths", Kind::i64, {batch});
        return static_cast<const std::int64_t*>(view.data);
    }
    // T, B, I of x and H of the recurrent weights, all at least 1.
    template <class Call>
    void sizes(Call& call, nb::handle x, nb::handle weight_hh) const {
        const View input = look_at(x, who, "x"), recurrent = look_at(weight_hh, who, "weight_hh");
        if (input.dimensions != 3) bad(std::string(who) + ": x must be (T, B, I).");
        if (recurrent.dimensions != 2) bad(std::string(who) + ": weight_hh must be a matrix.");
        call.steps = input.shape[0];
        call.batch = input.shape[1];
        call.inputs = input.shape[2];
        call.cells = recurrent.shape[1];
        if (call.steps < 1 || call.batch < 1 || call.inputs < 1 || call.cells < 1)
            bad(std::string(who) + ": T, B, I and H must be at least 1.");
    }
};

inline Variant variant_from(const std::vector<int>& code) {
    if (code.size() != 6 || code[1] < 0 || code[1] > 2) bad("LSTM, backend 'native': variant is malformed.");
    Variant v;
    v.input_gate = code[0] != 0;
    v.forget = Forget(code[1]);
    v.output_gate = code[2] != 0;
    v.squash_input = code[3] != 0;
    v.squash_output = code[4] != 0;
    v.full_gate_recurrence = code[5] != 0;
    if (v.forget == Forget::coupled && !v.input_gate) bad("LSTM, backend 'native': CIFG needs an input gate.");
    if (v.full_gate_recurrence && v.gates() == 0) bad("LSTM, backend 'native': FGR needs a gate.");
    return v;
}

inline nb::handle item(const nb::tuple& tuple, std::size_t k) { return PyTuple_GET_ITEM(tuple.ptr(), Py_ssize_t(k)); }

inline void check_count(const nb::tuple& tuple, std::size_t count, const char* what) {
    if (tuple.size() != count) bad(std::string(what) + ": expected " + std::to_string(count) + " tensors.");
}

inline bool is_double(nb::handle x, const char* who) { return look_at(x, who, "x").kind == Kind::f64; }

inline Nonlinearity nonlinearity_from(int code) {
    if (code < 0 || code > 3) bad("RNN, backend 'native': nonlinearity is malformed.");
    return Nonlinearity(code);
}

}  // namespace throughtime
