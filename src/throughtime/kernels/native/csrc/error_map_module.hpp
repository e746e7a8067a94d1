// The error map as a function of the Python module.
#pragma once

#include "arguments.hpp"

namespace throughtime {

// cell_blocks: how many blocks of weight_hh, from the first on, read the cell.
// inputs: factors, to_c, keep, start, weight_hh, at, lengths; outputs: y, c
void error_map(int isa, int threads, int cell_blocks, bool reverse, const nb::tuple& in, const nb::tuple& out);

}  // namespace throughtime
