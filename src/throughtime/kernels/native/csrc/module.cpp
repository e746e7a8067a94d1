// The Python module: tensors in, kernels run without the GIL.
//
// Optional tensors come as None. `variant` is (input_gate, forget, output_gate, squash_input, squash_output,
// full_gate_recurrence) as integers, `isa` an index into `instruction_sets()`.
#include "arguments.hpp"
#include "error_map_module.hpp"
#include "memory.hpp"
#include "regularised_module.hpp"
#include "stream.hpp"
#include "threads.hpp"

namespace {

using namespace throughtime;

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
    c.gates = read.optional(item(out, 4), "gates", {S, B, n});
    c.c = read.only_if(c.gates != nullptr, item(out, 5), "cells", {S, B, H});
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
    std::vector<T> held;
    c.d_y = read.errors(item(in, 0), "d_y", {S, B, H}, c.d_y_t, c.d_y_b, held);
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
    c.d_y0 = read.optional(item(out, 1), "d_y0", {B, H});
    c.d_c0 = read.optional(item(out, 2), "d_c0", {B, H});
    c.d_gates0 = read.optional(item(out, 3), "d_gates0", {B, m});
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
    std::vector<T> held;
    c.d_h = read.errors(item(in, 0), "d_h", {S, B, H}, c.d_h_t, c.d_h_b, held);
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

void run_gathered_without_gil(int threads) {
    checked_threads(threads);
    const nb::gil_scoped_release released;
    run_gathered(threads);
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
    nb::set_leak_warnings(false);  // tensors that live until Python ends rightly keep their blocks until then
    module.def("learn_torch", &learn_torch);
    module.def("thread_pool", &thread_pool_name);
    module.def("instruction_sets", &instruction_set_names);
    module.def("lstm_forward", &lstm_forward);
    module.def("lstm_backward", &lstm_backward);
    module.def("rnn_forward", &rnn_forward);
    module.def("rnn_backward", &rnn_backward);
    module.def("error_map", &error_map);
    module.def("regularised_forward", &regularised_forward);
    module.def("regularised_backward", &regularised_backward);
    module.def("steps_computed", &steps_computed);
    module.def("kept_bytes", &kept_bytes);
    module.def("keep_at_most", &keep_at_most);
    module.def("release_kept", &release_kept);
    module.def("poison_blocks", &poison_blocks);
    module.def("gather", &gather);
    module.def("drop_gathered", &drop_gathered);
    module.def("run_gathered", &run_gathered_without_gil);
    nb::class_<Stream>(module, "Stream")
        .def(nb::init<int, std::int64_t, const nb::list&, nb::object>())
        .def("step", &Stream::step)
        .def("load", &Stream::load)
        .def("unload", &Stream::unload);
    nb::class_<Block>(module, "Block", nb::type_slots(block_slots)).def(nb::init<std::size_t>());
}
