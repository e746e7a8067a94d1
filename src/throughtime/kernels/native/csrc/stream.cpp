#include "stream.hpp"

#include <algorithm>

#include "memory.hpp"
#include "regularised_module.hpp"
#include "threads.hpp"

namespace throughtime {
namespace {

constexpr const char* who = "stream";

// Memory of a kernel for one slice that is the whole batch.
template <class Call>
struct Place {
    const Kernel<Call>& kernel;
    Block shared, own;
    int now = 0;

    Place(const Kernel<Call>& kernel_, const Call& call)
        : kernel(kernel_),
          shared(std::size_t(kernel_.shared_bytes(call))),
          own(std::size_t(kernel_.own_bytes(call, call.batch))) {
        kernel.pack(call, shared.data(), 0, 1);
    }
    void load(const Call& call) {
        kernel.load(call, own.data(), 0, call.batch);
        now = 0;
    }
    void step(const Call& call) {
        const FlushDenormals guard;
        kernel.steps(call, shared.data(), own.data(), 0, call.batch, now);
    }
    void unload(const Call& call) const { kernel.unload(call, own.data(), 0, call.batch, now); }
};

template <class T>
class LSTMLayer final : public StreamLayer {
  public:
    LSTMLayer(const Kernel<LSTMForwardCall<T>>& kernel, std::int64_t batch, const nb::tuple& layer)
        : call_(read(batch, layer)),
          place_(kernel, call_) {
        const std::vector<T> zeros(std::size_t(batch * call_.cells * std::max(1, call_.variant.gates())));
        call_.y0 = call_.c0 = call_.gates0 = zeros.data();
        place_.load(call_);
    }
    std::int64_t inputs() const override { return call_.inputs; }
    std::int64_t cells() const override { return call_.cells; }
    Kind kind() const override { return kind_of<T>; }
    void step(const void* x, std::ptrdiff_t x_b, void* y) override {
        call_.x = static_cast<const T*>(x);
        call_.x_b = x_b;
        call_.y = static_cast<T*>(y);
        place_.step(call_);
    }
    void load(const nb::tuple& state) override {
        check(state);
        const Reader<T> read{who};
        const std::int64_t B = call_.batch, H = call_.cells;
        call_.y0 = read.dense(item(state, 0), "h", {B, H});
        call_.c0 = read.dense(item(state, 1), "c", {B, H});
        if (fgr()) call_.gates0 = read.dense(item(state, 2), "gates", {B, call_.variant.gates() * H});
        place_.load(call_);
    }
    void unload(const nb::tuple& state) override {
        check(state);
        const Reader<T> read{who};
        const std::int64_t B = call_.batch, H = call_.cells;
        call_.y_n = read.dense(item(state, 0), "h", {B, H});
        call_.c_n = read.dense(item(state, 1), "c", {B, H});
        if (fgr()) call_.gates_n = read.dense(item(state, 2), "gates", {B, call_.variant.gates() * H});
        place_.unload(call_);
    }

  private:
    bool fgr() const { return call_.variant.full_gate_recurrence; }
    void check(const nb::tuple& state) const { check_count(state, fgr() ? 3 : 2, who); }

    static LSTMForwardCall<T> read(std::int64_t batch, const nb::tuple& layer) {
        check_count(layer, 7, who);
        const Reader<T> read{who};
        LSTMForwardCall<T> c{};
        c.variant = variant_from(nb::cast<std::vector<int>>(item(layer, 1)));
        const View input = look_at(item(layer, 2), who, "weight_ih"), recurrent = look_at(item(layer, 3), who, "weight_hh");
        c.steps = 1;
        c.batch = batch;
        c.inputs = input.shape[1];
        c.cells = recurrent.shape[1];
        if (input.dimensions != 2 || recurrent.dimensions != 2 || c.inputs < 1 || c.cells < 1)
            bad("stream: weights must be matrices.");
        const std::int64_t I = c.inputs, H = c.cells, n = c.variant.blocks() * H, m = c.variant.gates() * H;
        c.weight_ih = read.dense(item(layer, 2), "weight_ih", {n, I});
        c.weight_hh = read.dense(item(layer, 3), "weight_hh", {n, H});
        c.bias = read.optional(item(layer, 4), "bias", {n});
        c.peephole = read.optional(item(layer, 5), "peephole", {c.variant.gates(), H});
        c.weight_gates = read.only_if(c.variant.full_gate_recurrence, item(layer, 6), "weight_gates", {m, m});
        return c;
    }

    LSTMForwardCall<T> call_;
    Place<LSTMForwardCall<T>> place_;
};

template <class T>
class RNNLayer final : public StreamLayer {
  public:
    RNNLayer(const Kernel<RNNForwardCall<T>>& kernel, std::int64_t batch, const nb::tuple& layer)
        : call_(read(batch, layer)),
          place_(kernel, call_) {
        const std::vector<T> zeros(std::size_t(batch * call_.cells));
        call_.h0 = zeros.data();
        place_.load(call_);
    }
    std::int64_t inputs() const override { return call_.inputs; }
    std::int64_t cells() const override { return call_.cells; }
    Kind kind() const override { return kind_of<T>; }
    void step(const void* x, std::ptrdiff_t x_b, void* y) override {
        call_.x = static_cast<const T*>(x);
        call_.x_b = x_b;
        call_.h = static_cast<T*>(y);
        place_.step(call_);
    }
    void load(const nb::tuple& state) override {
        check_count(state, 1, who);
        call_.h0 = Reader<T>{who}.dense(item(state, 0), "h", {call_.batch, call_.cells});
        place_.load(call_);
    }
    void unload(const nb::tuple& state) override {
        check_count(state, 1, who);
        call_.h_n = Reader<T>{who}.dense(item(state, 0), "h", {call_.batch, call_.cells});
        place_.unload(call_);
    }

  private:
    static RNNForwardCall<T> read(std::int64_t batch, const nb::tuple& layer) {
        check_count(layer, 5, who);
        const Reader<T> read{who};
        RNNForwardCall<T> c{};
        c.g = nonlinearity_from(nb::cast<int>(item(layer, 1)));
        const View input = look_at(item(layer, 2), who, "weight_ih"), recurrent = look_at(item(layer, 3), who, "weight_hh");
        c.steps = 1;
        c.batch = batch;
        c.inputs = input.shape[1];
        c.cells = recurrent.shape[1];
        if (input.dimensions != 2 || recurrent.dimensions != 2 || c.inputs < 1 || c.cells < 1)
            bad("stream: weights must be matrices.");
        c.weight_ih = read.dense(item(layer, 2), "weight_ih", {c.cells, c.inputs});
        c.weight_hh = read.dense(item(layer, 3), "weight_hh", {c.cells, c.cells});
        c.bias = read.optional(item(layer, 4), "bias", {c.cells});
        return c;
    }

    RNNForwardCall<T> call_;
    Place<RNNForwardCall<T>> place_;
};

template <class T>
class RegularisedLayer final : public StreamLayer {
  public:
    RegularisedLayer(const Kernel<RegularisedStreamCall<T>>& kernel, std::int64_t batch, const nb::tuple& layer)
        : call_(read(batch, layer)),
          place_(kernel, call_) {
        const std::vector<T> zeros(std::size_t(batch * call_.cells * std::max(1, call_.carried())));
        call_.y0 = zeros.data();
        call_.c0 = call_.gated ? zeros.data() : nullptr;
        call_.gates0 = call_.carried() ? zeros.data() : nullptr;
        place_.load(call_);
    }
    std::int64_t inputs() const override { return call_.inputs; }
    std::int64_t cells() const override { return call_.cells; }
    Kind kind() const override { return kind_of<T>; }
    void step(const void* x, std::ptrdiff_t x_b, void* y) override {
        call_.x = static_cast<const T*>(x);
        call_.x_b = x_b;
        call_.y = static_cast<T*>(y);
        place_.step(call_);
    }
    void load(const nb::tuple& state) override {
        check(state);
        const Reader<T> read{who};
        const std::int64_t B = call_.batch, H = call_.cells;
        call_.y0 = read.dense(item(state, 0), "h", {B, H});
        if (call_.gated) call_.c0 = read.dense(item(state, 1), "c", {B, H});
        if (call_.carried()) call_.gates0 = read.dense(item(state, 2), "gates", {B, call_.carried() * H});
        place_.load(call_);
    }
    void unload(const nb::tuple& state) override {
        check(state);
        const Reader<T> read{who};
        const std::int64_t B = call_.batch, H = call_.cells;
        call_.y_n = read.dense(item(state, 0), "h", {B, H});
        if (call_.gated) call_.c_n = read.dense(item(state, 1), "c", {B, H});
        if (call_.carried()) call_.gates_n = read.dense(item(state, 2), "gates", {B, call_.carried() * H});
        place_.unload(call_);
    }

  private:
    void check(const nb::tuple& state) const { check_count(state, call_.carried() ? 3 : call_.gated ? 2 : 1, who); }

    static RegularisedStreamCall<T> read(std::int64_t batch, const nb::tuple& layer) {
        check_count(layer, 13, who);
        const Reader<T> read{who};
        RegularisedStreamCall<T> c{};
        read_regularised(c, nb::cast<std::vector<int>>(item(layer, 1)), nb::cast<double>(item(layer, 10)),
                         nb::cast<double>(item(layer, 11)), nb::cast<double>(item(layer, 12)), who);
        const View input = look_at(item(layer, 2), who, "weight_ih");
        if (input.dimensions != 2 || input.shape[1] < 1 || input.shape[0] < c.blocks() || input.shape[0] % c.blocks())
            bad("stream: weights must be matrices.");
        c.steps = 1;
        c.batch = batch;
        c.inputs = input.shape[1];
        c.cells = input.shape[0] / c.blocks();
        const std::int64_t I = c.inputs, H = c.cells, n = c.blocks() * H;
        const int gates = c.gated ? c.variant.gates() : 0;
        c.weight_ih = read.dense(item(layer, 2), "weight_ih", {n, I});
        c.weight = read.dense(item(layer, 3), "weight", {n, H * (1 + c.carried())});
        c.bias = read.optional(item(layer, 4), "bias", {n});
        c.peephole = gates ? read.optional(item(layer, 5), "peephole", {gates, H}) : nullptr;
        c.gain_ih = read.optional(item(layer, 6), "gain_ih", {n});
        c.gain = read.only_if(c.gain_ih != nullptr, item(layer, 7), "gain_hh", {n});
        c.gain_c = read.only_if(c.gain && c.gated, item(layer, 8), "gain_c", {H});
        c.bias_c = c.gain_c ? read.optional(item(layer, 9), "bias_c", {H}) : nullptr;
        return c;
    }

    RegularisedStreamCall<T> call_;
    Place<RegularisedStreamCall<T>> place_;
};

template <class T>
std::unique_ptr<StreamLayer> layer_from(const KernelsOf<T>& kernels, std::int64_t batch, const nb::tuple& layer) {
    const std::string cell = nb::cast<std::string>(item(layer, 0));
    if (cell == "lstm") return std::make_unique<LSTMLayer<T>>(kernels.lstm_forward, batch, layer);
    if (cell == "rnn") return std::make_unique<RNNLayer<T>>(kernels.rnn_forward, batch, layer);
    if (cell == "regularised") return std::make_unique<RegularisedLayer<T>>(kernels.regularised_stream, batch, layer);
    bad("stream: cell '" + cell + "' is unknown.");
}

}  // namespace

Stream::Stream(int isa, std::int64_t batch, const nb::list& layers, nb::object more_outputs)
    : batch_(batch), more_outputs_(std::move(more_outputs)) {
    if (batch < 1 || batch > (std::int64_t(1) << 24)) bad("stream: batch_size=" + std::to_string(batch) + ", expected at least 1.");
    const Kernels& kernels = kernels_at(isa);
    for (const nb::handle entry : layers) {
        if (!nb::isinstance<nb::tuple>(entry) || nb::len(entry) < 3) bad("stream: a layer is malformed.");
        const nb::tuple layer = nb::borrow<nb::tuple>(entry);
        const bool wide = look_at(item(layer, 2), who, "weight_ih").kind == Kind::f64;
        layers_.push_back(wide ? layer_from(kernels.f64, batch, layer) : layer_from(kernels.f32, batch, layer));
        const std::size_t count = layers_.size();
        if (count == 1) continue;
        const StreamLayer& below = *layers_[count - 2];
        if (below.cells() != layers_.back()->inputs() || below.kind() != layers_.back()->kind())
            bad("stream: layers do not fit on each other.");
        between_.emplace_back(std::size_t(batch * below.cells()));
    }
    if (layers_.empty()) bad("stream: there is no layer.");
}

void Stream::refill() {
    const nb::tuple made = nb::cast<nb::tuple>(more_outputs_());
    check_count(made, 2, who);
    const View all = look_at(item(made, 0), who, "outputs");
    const StreamLayer& top = *layers_.back();
    expect(all, who, "outputs", top.kind(), {all.shape[0], batch_, top.cells()});
    outputs_ = nb::cast<nb::tuple>(item(made, 1));
    if (all.shape[0] < 1 || nb::len(outputs_) != std::size_t(all.shape[0])) bad("stream: outputs are malformed.");
    for (std::int64_t k = 0; k < all.shape[0]; ++k) {
        const View one = look_at(item(nb::borrow<nb::tuple>(outputs_), std::size_t(k)), who, "outputs");
        const std::int64_t bytes = batch_ * top.cells() * (top.kind() == Kind::f64 ? 8 : 4);
        if (one.data != static_cast<char*>(all.data) + k * bytes) bad("stream: outputs are malformed.");
    }
    next_ = static_cast<char*>(all.data);
    next_index_ = 0;
    available_ = std::size_t(all.shape[0]);
}

nb::object Stream::step(nb::handle x) {
    const View view = look_at(x, who, "x");
    const StreamLayer& bottom = *layers_.front();
    expect(view, who, "x", bottom.kind(), {batch_, bottom.inputs()}, true);
    if (next_index_ == available_) refill();
    const void* from = view.data;
    std::ptrdiff_t stride = view.stride[0];
    const std::size_t top = layers_.size() - 1;
    for (std::size_t k = 0; k < top; ++k) {
        layers_[k]->step(from, stride, between_[k].data());
        from = between_[k].data();
        stride = layers_[k]->cells();
    }
    layers_[top]->step(from, stride, next_);
    next_ += batch_ * layers_[top]->cells() * (layers_[top]->kind() == Kind::f64 ? 8 : 4);
    return nb::borrow(PyTuple_GET_ITEM(outputs_.ptr(), Py_ssize_t(next_index_++)));
}

void Stream::load(const nb::list& states) {
    if (nb::len(states) != layers_.size()) bad("stream: expected one state for each layer.");
    for (std::size_t k = 0; k < layers_.size(); ++k) layers_[k]->load(nb::cast<nb::tuple>(states[k]));
}

void Stream::unload(const nb::list& states) {
    if (nb::len(states) != layers_.size()) bad("stream: expected one state for each layer.");
    for (std::size_t k = 0; k < layers_.size(); ++k) layers_[k]->unload(nb::cast<nb::tuple>(states[k]));
}

}  // namespace throughtime
