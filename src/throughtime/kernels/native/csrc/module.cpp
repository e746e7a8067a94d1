// The Python module: tensors in, kernels run without the GIL.
//
// Optional tensors come as None. `variant` is (input_gate, forget, output_gate, squash_input, squash_output,
// full_gate_recurrence) as integers, `isa` an index into `instruction_sets()`.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "driver.hpp"
#include "memory.hpp"
#include "tensors.hpp"
#include "threads.hpp"

namespace {

using namespace throughtime;

constexpr const char* lstm_name = "LSTM, backend 'native'";
constexpr const char* rnn_name = "RNN, backend 'native'";

[[noreturn]] void bad(const std::string& text) { throw nb::value_error(text.c_str()); }

const Kernels& kernels_at(int isa) {
    const InstructionSets& all = instruction_sets();
    if (isa < 0 || isa >= all.count) bad("isa=" + std::to_string(isa) + " is not among the instruction sets here.");
    return *all.sets[isa];
}

int checked_threads(int threads) {
    if (threads < 1 || threads > 4096) bad("threads=" + std::to_string(threads) + ", expected 1 to 4096.");
    return threads;
}

template <class T>
constexpr Kind kind_of = sizeof(T) == 4 ? Kind::f32 : Kind::f64;

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

Variant variant_from(const std::vector<int>& code) {
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

nb::handle item(const nb::tuple& tuple, std::size_t k) { return PyTuple_GET_ITEM(tuple.ptr(), Py_ssize_t(k)); }

void check_count(const nb::tuple& tuple, std::size_t count, const char* what) {
    if (tuple.size() != count) bad(std::string(what) + ": expected " + std::to_string(count) + " tensors.");
}

bool is_double(nb::handle x, const char* who) { return look_at(x, who, "x").kind == Kind::f64; }

// inputs: x, y0, c0, gates0, weight_ih, weight_hh, bias, peephole, weight_gates, lengths
// outputs: y, y_n, c_n, gates_n, gates, c, bars
template <class T>
void lstm_forward_of(const Kernel<LSTMForwardCall<T>>& kernel, int threads, const Variant& v, bool reverse,
                     const nb::tuple& in, const nb::tuple& out) {
    const Reader<T> read{lstm_name};
    LSTMForwardCall<T> c{};
    read.sizes(c, item(in, 0), item(in, 5));
    c.variant = v;
    c.reverse = reverse;
    const std::int64_t S = c.steps, B = c.batch, I = c.inputs, H = c.cells, n = v.blocks() * H, m = v.gates() * H;
    const bool fgr = v.full_gate_recurrence;
    c.x = read.rows(item(in, 0), "x", {S, B, I}, c.x_t, c.x_b);
    c.y0 = read.dense(item(in, 1), "y0", {B, H});
    c.c0 = read.dense(item(in, 2), "c0", {B, H});
    c.gates0 = read.only_if(fgr, item(in, 3), "gates0", {B, m});
    c.weight_ih = read.dense(item(in, 4), "weight_ih", {n, I});
    c.weight_hh = read.dense(item(in, 5), "weight_hh", {n, H});
    c.bias = read.optional(item(in, 6), "bias", {n});
    c.peephole = read.optional(item(in, 7), "peephole", {v.gates(), H});
    c.weight_gates = read.only_if(fgr, item(in, 8), "weight_gates", {m, m});
    c.lengths = read.lengths(item(in, 9), B);
    c.y = read.dense(item(out, 0), "y", {S, B, H});
    c.y_n = read.dense(item(out, 1), "y_n", {B, H});
    c.c_n = read.dense(item(out, 2), "c_n", {B, H});
    c.gates_n = read.only_if(fgr, item(out, 3), "gates_n", {B, m});
    c.gates = read.dense(item(out, 4), "gates", {S, B, n});
    c.c = read.dense(item(out, 5), "cells", {S, B, H});
    c.bars = read.optional(item(out, 6), "bars", {S, B, n});
    const nb::gil_scoped_release released;
    run(kernel, c, threads);
}

void lstm_forward(int isa, int threads, const std::vector<int>& variant, bool reverse, const nb::tuple& in,
                  const nb::tuple& out) {
    check_count(in, 10, lstm_name);
    check_count(out, 7, lstm_name);
    const Kernels& k = kernels_at(isa);
    const Variant v = variant_from(variant);
    if (is_double(item(in, 0), lstm_name))
        lstm_forward_of(k.f64.lstm_forward, checked_threads(threads), v, reverse, in, out);
    else
        lstm_forward_of(k.f32.lstm_forward, checked_threads(threads), v, reverse, in, out);
}

// inputs: d_y, d_y_n, d_c_n, d_gates_n, x, y0, c0, gates0, weight_ih, weight_hh, peephole, weight_gates,
//         lengths, y, gates, c
// outputs: d_x, d_y0, d_c0, d_gates0, d_weight_ih, d_weight_hh, d_bias, d_peephole, d_weight_gates,
//          d_bars, d_cells, d_outputs
template <class T>
void lstm_backward_of(const Kernel<LSTMBackwardCall<T>>& kernel, int threads, const Variant& v, bool reverse,
                      const nb::tuple& in, const nb::tuple& out) {
    const Reader<T> read{lstm_name};
    LSTMBackwardCall<T> c{};
    read.sizes(c, item(in, 4), item(in, 9));
    c.variant = v;
    c.reverse = reverse;
    const std::int64_t S = c.steps, B = c.batch, I = c.inputs, H = c.cells, n = v.blocks() * H, m = v.gates() * H;
    const bool fgr = v.full_gate_recurrence, recorded = !item(out, 9).is_none();
    c.d_y = read.rows(item(in, 0), "d_y", {S, B, H}, c.d_y_t, c.d_y_b);
    c.d_y_n = read.optional(item(in, 1), "d_y_n", {B, H});
    c.d_c_n = read.optional(item(in, 2), "d_c_n", {B, H});
    c.d_gates_n = read.optional(item(in, 3), "d_gates_n", {B, m});
    c.x = read.rows(item(in, 4), "x", {S, B, I}, c.x_t, c.x_b);
    c.y0 = read.dense(item(in, 5), "y0", {B, H});
    c.c0 = read.dense(item(in, 6), "c0", {B, H});
    c.gates0 = read.only_if(fgr, item(in, 7), "gates0", {B, m});
    c.weight_ih = read.dense(item(in, 8), "weight_ih", {n, I});
    c.weight_hh = read.dense(item(in, 9), "weight_hh", {n, H});
    c.peephole = read.optional(item(in, 10), "peephole", {v.gates(), H});
    c.weight_gates = read.only_if(fgr, item(in, 11), "weight_gates", {m, m});
    c.lengths = read.lengths(item(in, 12), B);
    c.y = read.dense(item(in, 13), "y", {S, B, H});
    c.gates = read.dense(item(in, 14), "gates", {S, B, n});
    c.c = read.dense(item(in, 15), "cells", {S, B, H});
    c.d_x = read.optional(item(out, 0), "d_x", {S, B, I});
    c.d_y0 = read.dense(item(out, 1), "d_y0", {B, H});
    c.d_c0 = read.dense(item(out, 2), "d_c0", {B, H});
    c.d_gates0 = read.only_if(fgr, item(out, 3), "d_gates0", {B, m});
    c.d_weight_ih = read.dense(item(out, 4), "d_weight_ih", {n, I});
    c.d_weight_hh = read.dense(item(out, 5), "d_weight_hh", {n, H});
    c.d_bias = read.optional(item(out, 6), "d_bias", {n});
    c.d_peephole = read.only_if(c.peephole != nullptr, item(out, 7), "d_peephole", {v.gates(), H});
    c.d_weight_gates = read.only_if(fgr, item(out, 8), "d_weight_gates", {m, m});
    c.d_bars = read.optional(item(out, 9), "d_bars", {S, B, n});
    c.d_cells = read.only_if(recorded, item(out, 10), "d_cells", {S, B, H});
    c.d_outputs = read.only_if(recorded, item(out, 11), "d_outputs", {S, B, H});
    const nb::gil_scoped_release released;
    run(kernel, c, threads);
}

void lstm_backward(int isa, int threads, const std::vector<int>& variant, bool reverse, const nb::tuple& in,
                   const nb::tuple& out) {
    check_count(in, 16, lstm_name);
    check_count(out, 12, lstm_name);
    const Kernels& k = kernels_at(isa);
    const Variant v = variant_from(variant);
    if (is_double(item(in, 4), lstm_name))
        lstm_backward_of(k.f64.lstm_backward, checked_threads(threads), v, reverse, in, out);
    else
        lstm_backward_of(k.f32.lstm_backward, checked_threads(threads), v, reverse, in, out);
}

Nonlinearity nonlinearity_from(int code) {
    if (code < 0 || code > 3) bad("RNN, backend 'native': nonlinearity is malformed.");
    return Nonlinearity(code);
}

// inputs: x, h0, weight_ih, weight_hh, bias, lengths; outputs: h, h_n, bars
template <class T>
void rnn_forward_of(const Kernel<RNNForwardCall<T>>& kernel, int threads, Nonlinearity g, bool reverse,
                    const nb::tuple& in, const nb::tuple& out) {
    const Reader<T> read{rnn_name};
    RNNForwardCall<T> c{};
    read.sizes(c, item(in, 0), item(in, 3));
    c.g = g;
    c.reverse = reverse;
    const std::int64_t S = c.steps, B = c.batch, I = c.inputs, H = c.cells;
    c.x = read.rows(item(in, 0), "x", {S, B, I}, c.x_t, c.x_b);
    c.h0 = read.dense(item(in, 1), "h0", {B, H});
    c.weight_ih = read.dense(item(in, 2), "weight_ih", {H, I});
    c.weight_hh = read.dense(item(in, 3), "weight_hh", {H, H});
    c.bias = read.optional(item(in, 4), "bias", {H});
    c.lengths = read.lengths(item(in, 5), B);
    c.h = read.dense(item(out, 0), "h", {S, B, H});
    c.h_n = read.dense(item(out, 1), "h_n", {B, H});
    c.bars = read.optional(item(out, 2), "bars", {S, B, H});
    const nb::gil_scoped_release released;
    run(kernel, c, threads);
}

void rnn_forward(int isa, int threads, int g, bool reverse, const nb::tuple& in, const nb::tuple& out) {
    check_count(in, 6, rnn_name);
    check_count(out, 3, rnn_name);
    const Kernels& k = kernels_at(isa);
    if (is_double(item(in, 0), rnn_name))
        rnn_forward_of(k.f64.rnn_forward, checked_threads(threads), nonlinearity_from(g), reverse, in, out);
    else
        rnn_forward_of(k.f32.rnn_forward, checked_threads(threads), nonlinearity_from(g), reverse, in, out);
}

// inputs: d_h, d_h_n, x, h0, weight_ih, weight_hh, lengths, h
// outputs: d_x, d_h0, d_weight_ih, d_weight_hh, d_bias, d_bars, d_outputs
template <class T>
void rnn_backward_of(const Kernel<RNNBackwardCall<T>>& kernel, int threads, Nonlinearity g, bool reverse,
                     const nb::tuple& in, const nb::tuple& out) {
    const Reader<T> read{rnn_name};
    RNNBackwardCall<T> c{};
    read.sizes(c, item(in, 2), item(in, 5));
    c.g = g;
    c.reverse = reverse;
    const std::int64_t S = c.steps, B = c.batch, I = c.inputs, H = c.cells;
    c.d_h = read.rows(item(in, 0), "d_h", {S, B, H}, c.d_h_t, c.d_h_b);
    c.d_h_n = read.optional(item(in, 1), "d_h_n", {B, H});
    c.x = read.rows(item(in, 2), "x", {S, B, I}, c.x_t, c.x_b);
    c.h0 = read.dense(item(in, 3), "h0", {B, H});
    c.weight_ih = read.dense(item(in, 4), "weight_ih", {H, I});
    c.weight_hh = read.dense(item(in, 5), "weight_hh", {H, H});
    c.lengths = read.lengths(item(in, 6), B);
    c.h = read.dense(item(in, 7), "h", {S, B, H});
    c.d_x = read.optional(item(out, 0), "d_x", {S, B, I});
    c.d_h0 = read.dense(item(out, 1), "d_h0", {B, H});
    c.d_weight_ih = read.dense(item(out, 2), "d_weight_ih", {H, I});
    c.d_weight_hh = read.dense(item(out, 3), "d_weight_hh", {H, H});
    c.d_bias = read.optional(item(out, 4), "d_bias", {H});
    c.d_bars = read.optional(item(out, 5), "d_bars", {S, B, H});
    c.d_outputs = read.only_if(c.d_bars != nullptr, item(out, 6), "d_outputs", {S, B, H});
    const nb::gil_scoped_release released;
    run(kernel, c, threads);
}

void rnn_backward(int isa, int threads, int g, bool reverse, const nb::tuple& in, const nb::tuple& out) {
    check_count(in, 8, rnn_name);
    check_count(out, 7, rnn_name);
    const Kernels& k = kernels_at(isa);
    if (is_double(item(in, 2), rnn_name))
        rnn_backward_of(k.f64.rnn_backward, checked_threads(threads), nonlinearity_from(g), reverse, in, out);
    else
        rnn_backward_of(k.f32.rnn_backward, checked_threads(threads), nonlinearity_from(g), reverse, in, out);
}

std::vector<std::string> instruction_set_names() {
    std::vector<std::string> names;
    for (int k = 0; k < instruction_sets().count; ++k) names.emplace_back(instruction_sets().sets[k]->name);
    return names;
}

// The buffer protocol of Block: writable bytes.
int get_buffer(PyObject* self, Py_buffer* view, int flags) {
    Block* block = nb::inst_ptr<Block>(self);
    return PyBuffer_FillInfo(view, self, block->data(), Py_ssize_t(block->size()), 0, flags);
}
PyType_Slot block_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)}, {0, nullptr}};

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "Kernels of the backend 'native'. Use them through throughtime.kernels.native.";
    module.def("learn_torch", &learn_torch);
    module.def("instruction_sets", &instruction_set_names);
    module.def("lstm_forward", &lstm_forward);
    module.def("lstm_backward", &lstm_backward);
    module.def("rnn_forward", &rnn_forward);
    module.def("rnn_backward", &rnn_backward);
    module.def("kept_bytes", &kept_bytes);
    module.def("keep_at_most", &keep_at_most);
    module.def("release_kept", &release_kept);
    module.def("poison_blocks", &poison_blocks);
    nb::class_<Block>(module, "Block", nb::type_slots(block_slots)).def(nb::init<std::size_t>());
}
