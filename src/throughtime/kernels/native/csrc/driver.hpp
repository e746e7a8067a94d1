// A call from the outside: which instruction set, how many slices, whose memory.
#pragma once

#include "contract.hpp"

namespace throughtime {

// Instruction sets of this build that this machine can run, best last. At least one.
struct InstructionSets {
    const Kernels* sets[4];
    int count;
};
const InstructionSets& instruction_sets();

// Runs a kernel on at most `threads` threads. Results are the same bit for bit for the same `threads`. Slices take the
// sequences from the longest to the shortest and have about the same number of true steps.
template <class Call>
void run(const Kernel<Call>& kernel, const Call& call, int threads);

// How many steps the kernels have computed so far, as `Kernel::slice` counts them.
std::int64_t steps_computed();

// Between `gather` and `run_gathered` calls of `run` on this thread are kept instead of run; then they run side
// by side, each on one thread. Their buffers must live until then. `drop_gathered` forgets them.
void gather();
void drop_gathered();
void run_gathered(int threads);

extern template void run(const Kernel<LSTMForwardCall<float>>&, const LSTMForwardCall<float>&, int);
extern template void run(const Kernel<LSTMForwardCall<double>>&, const LSTMForwardCall<double>&, int);
extern template void run(const Kernel<LSTMBackwardCall<float>>&, const LSTMBackwardCall<float>&, int);
extern template void run(const Kernel<LSTMBackwardCall<double>>&, const LSTMBackwardCall<double>&, int);
extern template void run(const Kernel<RNNForwardCall<float>>&, const RNNForwardCall<float>&, int);
extern template void run(const Kernel<RNNForwardCall<double>>&, const RNNForwardCall<double>&, int);
extern template void run(const Kernel<RNNBackwardCall<float>>&, const RNNBackwardCall<float>&, int);
extern template void run(const Kernel<RNNBackwardCall<double>>&, const RNNBackwardCall<double>&, int);
extern template void run(const Kernel<ErrorMapCall<float>>&, const ErrorMapCall<float>&, int);
extern template void run(const Kernel<ErrorMapCall<double>>&, const ErrorMapCall<double>&, int);
extern template void run(const Kernel<RegularisedForwardCall<float>>&, const RegularisedForwardCall<float>&, int);
extern template void run(const Kernel<RegularisedForwardCall<double>>&, const RegularisedForwardCall<double>&, int);
extern template void run(const Kernel<RegularisedBackwardCall<float>>&, const RegularisedBackwardCall<float>&, int);
extern template void run(const Kernel<RegularisedBackwardCall<double>>&, const RegularisedBackwardCall<double>&, int);

}  // namespace throughtime
