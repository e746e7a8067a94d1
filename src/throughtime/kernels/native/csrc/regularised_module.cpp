#include "regularised_module.hpp"

namespace throughtime {
namespace {

constexpr const char* who = "regularised recurrence, backend 'native'";

struct How {
    const std::vector<int>& cell;
    bool reverse;
    double epsilon;
    const nb::tuple& noise;
};

// What forward and backward have in common; `rows` is (T, B, nH), `weight` (nH, D).
void read_shape(Regularised& c, const How& how, nb::handle rows, nb::handle weight) {
    check_count(how.noise, 4, who);
    read_regularised(c, how.cell, how.epsilon, nb::cast<double>(item(how.noise, 0)), nb::cast<double>(item(how.noise, 1)), who);
    const View view = look_at(rows, who, "projected"), recurrent = look_at(weight, who, "weight");
    if (view.dimensions != 3 || recurrent.dimensions != 2) bad(std::string(who) + ": projected must be (T, B, nH) and weight a matrix.");
    c.steps = view.shape[0], c.batch = view.shape[1], c.cells = recurrent.shape[0] / c.blocks();
    if (c.steps < 1 || c.batch < 1 || c.cells < 1) bad(std::string(who) + ": T, B and H must be at least 1.");
    c.reverse = how.reverse;
    c.sampled = nb::cast<bool>(item(how.noise, 2));
    c.seed = std::uint64_t(nb::cast<std::int64_t>(item(how.noise, 3)));
}

template <class T>
void forward_of(const Kernel<RegularisedForwardCall<T>>& kernel, int threads, const How& how, const nb::tuple& in,
                const nb::tuple& out) {
    const Reader<T> read{who};
    RegularisedForwardCall<T> c{};
    read_shape(c, how, item(in, 0), item(in, 4));
    const std::int64_t S = c.steps, B = c.batch, H = c.cells, n = c.blocks() * H, m = c.carried() * H;
    const int gates = c.gated ? c.variant.gates() : 0;
    c.projected = read.dense(item(in, 0), "projected", {S, B, n});
    c.y0 = read.dense(item(in, 1), "y0", {B, H});
    c.c0 = read.only_if(c.gated, item(in, 2), "c0", {B, H});
    c.gates0 = read.only_if(m > 0, item(in, 3), "gates0", {B, m});
    c.weight = read.dense(item(in, 4), "weight", {n, H + m});
    c.gain = read.optional(item(in, 5), "gain", {n});
    c.gain_c = read.only_if(c.gain && c.gated, item(in, 6), "gain_c", {H});
    c.bias_c = c.gain_c ? read.optional(item(in, 7), "bias_c", {H}) : nullptr;
    c.peephole = gates ? read.optional(item(in, 8), "peephole", {gates, H}) : nullptr;
    c.mask = read.optional(item(in, 9), "mask", {B, H});
    c.lengths = read.lengths(item(in, 10), B);
    c.y = read.dense(item(out, 0), "y", {S, B, H});
    c.y_n = read.dense(item(out, 1), "y_n", {B, H});
    c.c_n = read.only_if(c.gated, item(out, 2), "c_n", {B, H});
    c.gates_n = read.only_if(m > 0, item(out, 3), "gates_n", {B, m});
    c.gates = read.optional(item(out, 4), "gates", {S, B, n});
    c.c = read.only_if(c.gates && c.gated, item(out, 5), "cells", {S, B, H});
    c.hat = read.only_if(c.gates && c.gain, item(out, 6), "hat", {S, B, n});
    c.scale = read.only_if(c.hat != nullptr, item(out, 7), "scale", {S, B});
    c.bars = read.optional(item(out, 8), "bars", {S, B, n});
    const nb::gil_scoped_release released;
    run(kernel, c, threads);
}

template <class T>
void backward_of(const Kernel<RegularisedBackwardCall<T>>& kernel, int threads, const How& how, const nb::tuple& in,
                 const nb::tuple& out) {
    const Reader<T> read{who};
    RegularisedBackwardCall<T> c{};
    read_shape(c, how, item(in, 12), item(in, 5));
    const std::int64_t S = c.steps, B = c.batch, H = c.cells, n = c.blocks() * H, m = c.carried() * H;
    const int gates = c.gated ? c.variant.gates() : 0;
    std::vector<T> held;
    c.d_y = read.errors(item(in, 0), "d_y", {S, B, H}, c.d_y_t, c.d_y_b, held);
    c.d_y_n = read.optional(item(in, 1), "d_y_n", {B, H});
    c.d_c_n = read.optional(item(in, 2), "d_c_n", {B, H});
    c.d_gates_n = m ? read.optional(item(in, 3), "d_gates_n", {B, m}) : nullptr;
    c.c0 = read.only_if(c.gated, item(in, 4), "c0", {B, H});
    c.weight = read.dense(item(in, 5), "weight", {n, H + m});
    c.gain = read.optional(item(in, 6), "gain", {n});
    c.gain_c = read.only_if(c.gain && c.gated, item(in, 7), "gain_c", {H});
    c.bias_c = c.gain_c ? read.optional(item(in, 8), "bias_c", {H}) : nullptr;
    c.peephole = gates ? read.optional(item(in, 9), "peephole", {gates, H}) : nullptr;
    c.mask = read.optional(item(in, 10), "mask", {B, H});
    c.lengths = read.lengths(item(in, 11), B);
    c.gates = read.dense(item(in, 12), "gates", {S, B, n});
    c.c = read.only_if(c.gated, item(in, 13), "cells", {S, B, H});
    c.hat = read.only_if(c.gain != nullptr, item(in, 14), "hat", {S, B, n});
    c.scale = read.only_if(c.gain != nullptr, item(in, 15), "scale", {S, B});
    c.d_bars = read.dense(item(out, 0), "d_bars", {S, B, n});
    c.d_sums = read.only_if(c.gain != nullptr, item(out, 1), "d_sums", {S, B, n});
    c.d_y0 = read.dense(item(out, 2), "d_y0", {B, H});
    c.d_c0 = read.only_if(c.gated, item(out, 3), "d_c0", {B, H});
    c.d_gates0 = read.only_if(m > 0, item(out, 4), "d_gates0", {B, m});
    c.d_gain = read.only_if(c.gain != nullptr, item(out, 5), "d_gain", {n});
    c.d_gain_c = read.only_if(c.gain_c != nullptr, item(out, 6), "d_gain_c", {H});
    c.d_bias_c = read.only_if(c.bias_c != nullptr, item(out, 7), "d_bias_c", {H});
    c.d_peephole = read.only_if(c.peephole != nullptr, item(out, 8), "d_peephole", {gates, H});
    c.d_cells = read.optional(item(out, 9), "d_cells", {S, B, H});
    c.d_outputs = read.optional(item(out, 10), "d_outputs", {S, B, H});
    c.d_states = read.optional(item(out, 11), "d_states", {S, B, H});
    const nb::gil_scoped_release released;
    run(kernel, c, threads);
}

}  // namespace

void read_regularised(Regularised& c, const std::vector<int>& cell, double epsilon, double zoneout_c, double zoneout_y,
                      const char* name) {
    c.gated = cell.size() > 1;
    if (c.gated)
        c.variant = variant_from(cell);
    else if (cell.size() == 1)
        c.g = nonlinearity_from(cell[0]);
    else
        bad(std::string(name) + ": cell is malformed.");
    for (const double share : {zoneout_c, zoneout_y})
        if (!(share >= 0 && share <= 1)) bad(std::string(name) + ": zoneout must be probabilities.");
    c.epsilon = epsilon, c.zoneout_c = zoneout_c, c.zoneout_y = zoneout_y;
}

void regularised_forward(int isa, int threads, const std::vector<int>& cell, bool reverse, double epsilon,
                         const nb::tuple& noise, const nb::tuple& in, const nb::tuple& out) {
    check_count(in, 11, who);
    check_count(out, 9, who);
    const How how{cell, reverse, epsilon, noise};
    const Kernels& k = kernels_at(isa);
    if (look_at(item(in, 0), who, "projected").kind == Kind::f64)
        forward_of(k.f64.regularised_forward, checked_threads(threads), how, in, out);
    else
        forward_of(k.f32.regularised_forward, checked_threads(threads), how, in, out);
}

void regularised_backward(int isa, int threads, const std::vector<int>& cell, bool reverse, double epsilon,
                          const nb::tuple& noise, const nb::tuple& in, const nb::tuple& out) {
    check_count(in, 16, who);
    check_count(out, 12, who);
    const How how{cell, reverse, epsilon, noise};
    const Kernels& k = kernels_at(isa);
    if (look_at(item(in, 12), who, "gates").kind == Kind::f64)
        backward_of(k.f64.regularised_backward, checked_threads(threads), how, in, out);
    else
        backward_of(k.f32.regularised_backward, checked_threads(threads), how, in, out);
}

}  // namespace throughtime
