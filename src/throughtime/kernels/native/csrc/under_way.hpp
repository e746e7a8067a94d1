// Which rows of a slice are under way: its sequences of different length, each computed at its true steps only.
//
// A slice takes places `first` to before `last` of a batch's order, in which lengths fall: row r is the sequence at
// place first + r. So at every time t the rows under way are the first ones. From step to step of one direction they
// only become more, or only become fewer.
#pragma once

#include "gemm.hpp"

namespace {

using throughtime::Sequences;

class UnderWay {
  public:
    UnderWay(const Sequences& call, std::int64_t first, std::int64_t last)
        : call_(call), first_(first), rows_(last - first), now_(rows_) {}

    // How many rows are under way at time t.
    std::int64_t at(std::int64_t t) {
        while (now_ > 0 && padded(now_ - 1, t)) --now_;
        while (now_ < rows_ && !padded(now_, t)) ++now_;
        computed_ += now_;
        return now_;
    }
    // The sum of what `at` returned.
    std::int64_t computed() const { return computed_; }

  private:
    bool padded(std::int64_t row, std::int64_t t) const {
        return call_.lengths && call_.padded(call_.sequence(first_ + row), t);
    }

    const Sequences& call_;
    std::int64_t first_, rows_, now_, computed_ = 0;
};

// x(t) of `rows` rows from place `first` on; gathered in `room` (rows, I) where they stand in another order.
template <class Call, class T>
Source<T> input_of(const Call& call, std::int64_t t, std::int64_t first, std::int64_t rows, T* room) {
    const T* x = call.x + t * call.x_t;
    if (!call.order) return {x + first * call.x_b, call.x_b, call.inputs};
    const std::int64_t next = call.reverse ? t - 1 : t + 1;
    const std::ptrdiff_t ahead = next < 0 || next == call.steps ? 0 : (next - t) * call.x_t;
    constexpr std::int64_t line = line_bytes / std::int64_t(sizeof(T));
    for (std::int64_t r = 0; r < rows; ++r) {
        const T* row = x + call.order[first + r] * call.x_b;
        for (std::int64_t i = 0; i < call.inputs; i += line) fetch_to_read(row + ahead + i);
        copy(row, call.inputs, room + r * call.inputs);
    }
    return {room, call.inputs, call.inputs};
}

}  // namespace
