// One time step per call, the state kept from call to call.
#pragma once

#include <memory>
#include <vector>

#include "arguments.hpp"

namespace throughtime {

// A layer whose packed weights and state stay in memory of its own.
class StreamLayer {
  public:
    virtual ~StreamLayer() = default;
    virtual std::int64_t inputs() const = 0;
    virtual std::int64_t cells() const = 0;
    virtual Kind kind() const = 0;
    virtual void step(const void* x, std::ptrdiff_t x_b, void* y) = 0;  // x (B, I), rows x_b apart; y (B, H)
    virtual void load(const nb::tuple& state) = 0;                      // tensors (B, ·)
    virtual void unload(const nb::tuple& state) = 0;
};

// Layers on top of each other, for a batch of B sequences. Layers are tuples
//   ("lstm", variant, weight_ih, weight_hh, bias, peephole, weight_gates),
//   ("rnn", nonlinearity, weight_ih, weight_hh, bias) and, with layer normalisation or zoneout by its expectation,
//   ("regularised", cell, weight_ih, weight, bias, peephole, gain_ih, gain_hh, gain_c, bias_c, epsilon, zoneout_c,
//   zoneout_y) with cell and weight as `regularised_forward` takes them;
// their weights are copied. The state is zero at first. `more_outputs()` gives a dense tensor (n, B, H) and
// the n tensors (B, H) it consists of; each result of `step` is the next of them.
class Stream {
  public:
    Stream(int isa, std::int64_t batch, const nb::list& layers, nb::object more_outputs);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    nb::object step(nb::handle x);
    // One tuple of tensors (B, ·) for each layer.
    void load(const nb::list& states);
    void unload(const nb::list& states);

  private:
    void refill();

    std::int64_t batch_;
    std::vector<std::unique_ptr<StreamLayer>> layers_;
    std::vector<std::vector<double>> between_;  // outputs of the lower layers, doubles for their alignment
    nb::object more_outputs_, outputs_;
    char* next_ = nullptr;
    std::size_t next_index_ = 0, available_ = 0;
};

}  // namespace throughtime
