// What goes into a kernel and what comes out: every buffer, its shape, its owner.
//
// Notation: T steps, B sequences, I inputs, H cells or hidden units; n blocks in the order i, f, z, o less
// those the variant takes away; m own gates in the order i, f, o.
//
// Every buffer belongs to the caller and lives at least as long as the call. No output overlaps another
// buffer. Arrays are dense, the last index fastest, except where strides (in values) stand beside them.
// A pointer that may be null says so.
//
// Padding: at a step at or past a sequence's end its state stays as it is, its output is zero and no error
// arises there. Such a step is not computed: nothing that stands there in x, an error or a saved value is read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace throughtime {

enum class Forget : int { own = 0, coupled = 1, none = 2 };
enum class Nonlinearity : int { tanh = 0, relu = 1, logistic = 2, identity = 3 };

// The sequences of a batch: how long each one is, and the order in which kernels take them.
struct Sequences {
    std::int64_t steps, batch;
    bool reverse;
    const std::int64_t* lengths;  // (B,), 0 ... T, or null: every sequence has T
    const std::int64_t* order;    // (B,), the sequences from the longest to the shortest, or null: they stand so.
                                  // Filled in by the driver

    std::int64_t sequence(std::int64_t place) const { return order ? order[place] : place; }
    bool padded(std::int64_t b, std::int64_t t) const { return lengths && t >= lengths[b]; }
    // Whether step t of sequence b reads the initial state.
    bool begins(std::int64_t b, std::int64_t t) const {
        return reverse ? t + 1 >= steps || padded(b, t + 1) : t == 0;
    }
};

// What an LSTM has; see cells/variants.py. Positions count blocks of a row of nH values, -1: no such block.
struct Variant {
    bool input_gate = true;
    Forget forget = Forget::own;
    bool output_gate = true;
    bool squash_input = true;
    bool squash_output = true;
    bool full_gate_recurrence = false;

    constexpr int blocks() const { return 1 + gates(); }
    constexpr int gates() const { return int(input_gate) + int(forget == Forget::own) + int(output_gate); }
    constexpr int at_i() const { return input_gate ? 0 : -1; }
    constexpr int at_f() const { return forget == Forget::own ? int(input_gate) : -1; }
    constexpr int at_z() const { return int(input_gate) + int(forget == Forget::own); }
    constexpr int at_o() const { return output_gate ? at_z() + 1 : -1; }
    // The block of own gate a = 0 ... m - 1, and its row in the peepholes.
    constexpr int block_of_gate(int a) const { return a < at_z() ? a : a + 1; }
    constexpr int peephole_of_o() const { return at_z(); }
};

template <class T>
struct LSTMForwardCall : Sequences {
    std::int64_t inputs, cells;
    Variant variant;
    const T* x;  // (T, B, I), strides x_t, x_b, 1
    std::ptrdiff_t x_t, x_b;
    const T* y0;            // (B, H)
    const T* c0;            // (B, H)
    const T* gates0;        // (B, mH); null unless FGR
    const T* weight_ih;     // (nH, I)
    const T* weight_hh;     // (nH, H)
    const T* bias;          // (nH,) or null
    const T* peephole;      // (m, H) or null
    const T* weight_gates;  // (mH, mH); null unless FGR

    T* y;        // (T, B, H); zero at padded steps
    T* y_n;      // (B, H)
    T* c_n;      // (B, H)
    T* gates_n;  // (B, mH); null unless FGR
    T* gates;    // (T, B, nH), after activation; at padded steps the state's own gates under FGR, and otherwise
                 // zero; or null, with c: not wanted, no backward will follow
    T* c;        // (T, B, H); at padded steps the state's; null when gates is
    T* bars;     // (T, B, nH), before activation, or null: not recorded. Zero at padded steps
};

template <class T>
struct LSTMBackwardCall : Sequences {
    std::int64_t inputs, cells;
    Variant variant;
    const T* d_y;  // (T, B, H), strides d_y_t, d_y_b, 1
    std::ptrdiff_t d_y_t, d_y_b;
    const T* d_y_n;      // (B, H) or null: zero
    const T* d_c_n;      // (B, H) or null: zero
    const T* d_gates_n;  // (B, mH) or null: zero
    const T* x;          // (T, B, I), strides x_t, x_b, 1
    std::ptrdiff_t x_t, x_b;
    const T* y0;
    const T* c0;
    const T* gates0;
    const T* weight_ih;
    const T* weight_hh;
    const T* peephole;      // null: none
    const T* weight_gates;  // null unless FGR
    const T* y;      // as the forward left it
    const T* gates;  // as the forward left it
    const T* c;      // as the forward left it

    T* d_x;             // (T, B, I) or null: not wanted
    T* d_y0;            // (B, H) or null: not wanted
    T* d_c0;            // (B, H) or null: not wanted
    T* d_gates0;        // (B, mH) or null: not wanted
    T* d_weight_ih;     // (nH, I)
    T* d_weight_hh;     // (nH, H)
    T* d_bias;          // (nH,) or null: not wanted
    T* d_peephole;      // (m, H); null without peepholes
    T* d_weight_gates;  // (mH, mH); null unless FGR
    T* d_bars;          // (T, B, nH), errors before the activation, or null: not recorded
    T* d_cells;         // (T, B, H), δc(t); null when d_bars is
    T* d_outputs;       // (T, B, H), δy(t), all its terms; null when d_bars is
};

template <class T>
struct RNNForwardCall : Sequences {
    std::int64_t inputs, cells;
    Nonlinearity g;
    const T* x;
    std::ptrdiff_t x_t, x_b;
    const T* h0;         // (B, H)
    const T* weight_ih;  // (H, I)
    const T* weight_hh;  // (H, H)
    const T* bias;       // (H,) or null

    T* h;     // (T, B, H); zero at padded steps
    T* h_n;   // (B, H)
    T* bars;  // (T, B, H), a(t), or null: not recorded. Zero at padded steps
};

template <class T>
struct RNNBackwardCall : Sequences {
    std::int64_t inputs, cells;
    Nonlinearity g;
    const T* d_h;  // (T, B, H), strides d_h_t, d_h_b, 1
    std::ptrdiff_t d_h_t, d_h_b;
    const T* d_h_n;  // (B, H) or null: zero
    const T* x;
    std::ptrdiff_t x_t, x_b;
    const T* h0;
    const T* weight_ih;
    const T* weight_hh;
    const T* h;  // as the forward left it

    T* d_x;  // or null: not wanted
    T* d_h0;
    T* d_weight_ih;
    T* d_weight_hh;
    T* d_bias;     // or null: not wanted
    T* d_bars;     // (T, B, H), δa(t), or null: not recorded
    T* d_outputs;  // (T, B, H), δh(t); null when d_bars is
};

// A recurrence with layer normalisation, zoneout and recurrent dropout; see ops/noise.py and docs/cells.md. Of a
// simple RNN n = 1, h stands for y, and there is neither c nor a gate. The recurrent weights (nH, D) read y(t-1) and
// under FGR the m own gates of t-1 beside it: D = H or (1 + m) H.
struct Regularised : Sequences {
    std::int64_t cells;
    bool gated;  // an LSTM
    Variant variant;
    Nonlinearity g;
    double zoneout_c, zoneout_y;  // probabilities with which a state stays
    bool sampled;                 // drawn from `seed`; otherwise the state is mixed in these proportions
    std::uint64_t seed;
    double epsilon;

    static constexpr std::int64_t inputs = 0;  // x is no part of the recurrence
    int blocks() const { return gated ? variant.blocks() : 1; }
    int carried() const { return gated && variant.full_gate_recurrence ? variant.gates() : 0; }
};

template <class T>
struct RegularisedForwardCall : Regularised {
    const T* projected;  // (T, B, nH), what x and the bias add before the activation
    const T* y0;         // (B, H)
    const T* c0;         // (B, H); null for a simple RNN
    const T* gates0;     // (B, mH); null unless FGR
    const T* weight;     // (nH, D)
    const T* gain;       // (nH,) of the normalised recurrent product; null: it is not normalised
    const T* gain_c;     // (H,) of the normalised c; null: it is not normalised
    const T* bias_c;     // (H,) or null
    const T* peephole;   // (m, H) or null
    const T* mask;       // (B, H), recurrent dropout, or null

    T* y;        // (T, B, H); zero at padded steps
    T* y_n;      // (B, H)
    T* c_n;      // (B, H); null for a simple RNN
    T* gates_n;  // (B, mH); null unless FGR
    T* gates;    // (T, B, nH), after activation, before zoneout; zero at padded steps; or null: no backward will follow
    T* c;        // (T, B, H); at padded steps the state's; null when gates is, and for a simple RNN
    T* hat;      // (T, B, nH), the recurrent product normalised; null when gates or gain is
    T* scale;    // (T, B), by what it was multiplied; null when hat is
    T* bars;     // (T, B, nH), before activation, or null: not recorded. Zero at padded steps
};

// The same for one time step after another, by `load`, `steps` and `unload` alone: T = 1, one slice that is the whole
// batch, no lengths. Of RegularisedForwardCall `projected` is not read, and what a backward reads is null.
template <class T>
struct RegularisedStreamCall : RegularisedForwardCall<T> {
    std::int64_t inputs;
    const T* x;  // (B, I), strides x_b, 1
    std::ptrdiff_t x_b;
    const T* weight_ih;  // (nH, I)
    const T* gain_ih;    // (nH,) of the normalised W x; null: it is not normalised
    const T* bias;       // (nH,) or null
};

template <class T>
struct RegularisedBackwardCall : Regularised {
    const T* d_y;  // (T, B, H), strides d_y_t, d_y_b, 1
    std::ptrdiff_t d_y_t, d_y_b;
    const T* d_y_n;      // (B, H) or null: zero
    const T* d_c_n;      // (B, H) or null: zero
    const T* d_gates_n;  // (B, mH) or null: zero
    const T* c0;         // as in the forward, like those that follow
    const T* weight;
    const T* gain;
    const T* gain_c;
    const T* bias_c;
    const T* peephole;
    const T* mask;
    const T* gates;  // as the forward left them
    const T* c;
    const T* hat;
    const T* scale;

    T* d_bars;      // (T, B, nH), errors before the activation
    T* d_sums;      // (T, B, nH), errors of the recurrent product before it was normalised; null when gain is
    T* d_y0;        // (B, H)
    T* d_c0;        // (B, H); null for a simple RNN
    T* d_gates0;    // (B, mH); null unless FGR
    T* d_gain;      // (nH,); null when gain is
    T* d_gain_c;    // (H,); null when gain_c is
    T* d_bias_c;    // (H,); null when bias_c is
    T* d_peephole;  // (m, H); null without peepholes
    T* d_cells;     // (T, B, H), error of c before zoneout, or null: not recorded
    T* d_outputs;   // (T, B, H), δy(t), all its terms; null: not recorded
    T* d_states;    // (T, B, H), error of c after zoneout; null: not recorded
};

// How large the error of one step's loss, J(t), is at every step before it; see error_map.hpp. The local factors
// say what a step does, whatever the cell: with δȳ the errors before the activation, δȳ = factor ⊙ δc in the
// blocks that read the cell, δȳ = factor ⊙ δy in the last block if that reads the output (o; all of a simple RNN).
template <class T>
struct ErrorMapCall {
    static constexpr std::int64_t block_rows = 8;  // rows are dealt to slices in blocks
    constexpr std::int64_t row_blocks() const { return (rows + block_rows - 1) / block_rows; }

    std::int64_t steps, batch, cells, rows;
    int blocks, cell_blocks;  // n in all; how many of them, from the first on, read the cell
    bool reverse;
    const T* factors;        // (T, B, nH)
    const T* to_c;           // (T, B, H): what δy adds to δc, or null: no cell
    const T* keep;           // (T, B, H): what of δc goes on to the step before, null when to_c is
    const T* start;          // (T, B, H), ∂J(t)/∂y(t)
    const T* weight_hh;      // (nH, H)
    const std::int64_t* at;  // (rows,), the steps t whose J(t) are wanted, rising
    const std::int64_t* lengths;

    double* y;  // (B, T, rows), ‖∂J(t)/∂y(k)‖ at [b, k, row of t]; zero where k comes after t and at padded steps
    double* c;  // (B, T, rows), the same for c; null when to_c is
};

// One cell and direction of one instruction set. A call is split into `slices` of the batch, places `first` to before
// `last` in the order of its sequences. Memory comes from the caller, aligned to 64 bytes, contents arbitrary: `shared`
// once per call, `own` once per slice. `slice` and `steps` return how many steps they computed, each of one sequence, of
// an error map each of one row. Order: `pack` for every part of the weights; then `slice` for every slice; then, for a backward, `reduce`
// for every part of the rows of the gradients, which adds up the slices in their order. An error map is split
// into slices of B times its blocks of rows instead.
template <class Call>
struct Kernel {
    std::int64_t (*shared_bytes)(const Call&);
    std::int64_t (*own_bytes)(const Call&, std::int64_t rows);
    void (*pack)(const Call&, void* shared, int part, int parts);
    // Null for a live reading:
    std::int64_t (*slice)(const Call&, const void* shared, void* own, std::int64_t first, std::int64_t last);
    // Null for a forward:
    void (*reduce)(const Call&, void* const* owns, int slices, int part, int parts);
    // Null for a backward; what `slice` is made of, for a state that stays in `own` from call to call. `load`
    // reads the initial state, `steps` runs the call's steps and keeps in `now` where the state is (0 at first),
    // `unload` writes the final state.
    void (*load)(const Call&, void* own, std::int64_t first, std::int64_t last);
    std::int64_t (*steps)(const Call&, const void* shared, void* own, std::int64_t first, std::int64_t last, int& now);
    void (*unload)(const Call&, const void* own, std::int64_t first, std::int64_t last, int now);
};

template <class T>
struct KernelsOf {
    Kernel<LSTMForwardCall<T>> lstm_forward;
    Kernel<LSTMBackwardCall<T>> lstm_backward;
    Kernel<RNNForwardCall<T>> rnn_forward;
    Kernel<RNNBackwardCall<T>> rnn_backward;
    Kernel<ErrorMapCall<T>> error_map;
    Kernel<RegularisedForwardCall<T>> regularised_forward;
    Kernel<RegularisedBackwardCall<T>> regularised_backward;
    Kernel<RegularisedStreamCall<T>> regularised_stream;
};

struct Kernels {
    const char* name;
    KernelsOf<float> f32;
    KernelsOf<double> f64;
};

// Tables of the instruction sets, null where this build has none.
const Kernels* kernels_baseline();
const Kernels* kernels_avx2();
const Kernels* kernels_avx512();

}  // namespace throughtime
