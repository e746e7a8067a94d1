// The kernels of one instruction set. Included by one file per instruction set, which is compiled with its
// flags and names the table: THROUGHTIME_TABLE, THROUGHTIME_TABLE_NAME.
#include "error_map.hpp"
#include "lstm_backward.hpp"
#include "lstm_forward.hpp"
#include "regularised_backward.hpp"
#include "regularised_forward.hpp"
#include "regularised_stream.hpp"
#include "rnn_backward.hpp"
#include "rnn_forward.hpp"

namespace {

template <class K>
constexpr throughtime::Kernel<typename K::Call> forward_kernel() {
    return {&K::shared_bytes, &K::own_bytes, &K::pack, &K::slice, nullptr, &K::load, &K::steps, &K::unload};
}
template <class K>
constexpr throughtime::Kernel<typename K::Call> backward_kernel() {
    return {&K::shared_bytes, &K::own_bytes, &K::pack, &K::slice, &K::reduce, nullptr, nullptr, nullptr};
}
// Without what a state that stays from call to call needs.
template <class K>
constexpr throughtime::Kernel<typename K::Call> whole_kernel() {
    return {&K::shared_bytes, &K::own_bytes, &K::pack, &K::slice, nullptr, nullptr, nullptr, nullptr};
}
// For nothing but a state that stays from call to call.
template <class K>
constexpr throughtime::Kernel<typename K::Call> stream_kernel() {
    return {&K::shared_bytes, &K::own_bytes, &K::pack, nullptr, nullptr, &K::load, &K::steps, &K::unload};
}
template <class T>
constexpr throughtime::KernelsOf<T> kernels_of() {
    return {forward_kernel<LSTMForwardKernel<T>>(), backward_kernel<LSTMBackwardKernel<T>>(),
            forward_kernel<RNNForwardKernel<T>>(), backward_kernel<RNNBackwardKernel<T>>(),
            whole_kernel<ErrorMapKernel<T>>(),
            forward_kernel<RegularisedForwardKernel<T>>(), backward_kernel<RegularisedBackwardKernel<T>>(),
            stream_kernel<RegularisedStreamKernel<T>>()};
}
constexpr throughtime::Kernels table{THROUGHTIME_TABLE_NAME, kernels_of<float>(), kernels_of<double>()};

}  // namespace

namespace throughtime {
const Kernels* THROUGHTIME_TABLE() { return &table; }
}  // namespace throughtime
