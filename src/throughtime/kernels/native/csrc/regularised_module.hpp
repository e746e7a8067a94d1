// The regularised recurrences as functions of the Python module.
#pragma once

#include "arguments.hpp"

namespace throughtime {

// cell: of an LSTM its variant, of a simple RNN its nonlinearity alone.
// noise: (zoneout of c, zoneout of y, whether they are drawn, seed).

// Fills in the cell, epsilon and the probabilities of zoneout, checked; `who` is named in errors.
void read_regularised(Regularised& call, const std::vector<int>& cell, double epsilon, double zoneout_c, double zoneout_y,
                      const char* who);

// inputs: projected, y0, c0, gates0, weight, gain, gain_c, bias_c, peephole, mask, lengths
// outputs: y, y_n, c_n, gates_n, gates, c, hat, scale, bars
void regularised_forward(int isa, int threads, const std::vector<int>& cell, bool reverse, double epsilon,
                         const nb::tuple& noise, const nb::tuple& in, const nb::tuple& out);

// inputs: d_y, d_y_n, d_c_n, d_gates_n, c0, weight, gain, gain_c, bias_c, peephole, mask, lengths, gates, c, hat, scale
// outputs: d_bars, d_sums, d_y0, d_c0, d_gates0, d_gain, d_gain_c, d_bias_c, d_peephole, d_cells, d_outputs, d_states
void regularised_backward(int isa, int threads, const std::vector<int>& cell, bool reverse, double epsilon,
                          const nb::tuple& noise, const nb::tuple& in, const nb::tuple& out);

}  // namespace throughtime
