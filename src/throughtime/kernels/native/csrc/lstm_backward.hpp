// LSTM, backward through time: one slice of the batch from its last step to its first.
//
// Notation as in contract.hpp; Hp, Ip are H, I rounded up to whole vectors. The errors before the
// activation of a step, a row of n Hp values for each row under way, go into a ring; when it is full, what they
// add to the gradients of the weights is computed while they are still in the second cache.
//
// Gradients of the weights of one slice stand in one matrix, a row per unit (n Hp), columns: H of y(t-1),
// I of x(t), and under FGR the m own gates of t-1, each part rounded up to whole vectors. With few inputs
// those of x stand apart, transposed (I, n Hp).
//
// shared: packed for the step back: R (n Hp, H), under FGR the m parts of weight_gates (n Hp, H), and
//         W (n Hp, I) if δx is wanted; peepholes [m][Hp].
// own: what `reduce` reads (that matrix, the transposed one, bias (n Hp), peepholes (m, Hp)), the ring, errors
//      of the state, the panel of what the steps of the ring read, one tile of each row, and for each row of the ring
//      where it stands among all rows (T, B).
#pragma once

#include "activations.hpp"
#include "backward_parts.hpp"

namespace {

using throughtime::Forget;
using throughtime::LSTMBackwardCall;
using throughtime::Variant;

template <class T>
struct LSTMBackwardKernel {
    using Call = LSTMBackwardCall<T>;
    using S = Simd<T>;
    using V = Vec<T>;
    static constexpr int lanes = S::lanes;

    struct Sizes {
        std::int64_t H, Hp, I, Ip, groups, depth, ring_stride, columns, few;  // few: inputs that stand apart
        int n, m, carried;  // carried: own gates whose error goes to t-1, m under FGR and otherwise 0
        explicit Sizes(const Call& call) {
            H = call.cells;
            I = call.inputs;
            Hp = round_up(H, lanes);
            Ip = round_up(I, lanes);
            groups = Hp / lanes;
            n = call.variant.blocks();
            m = call.variant.gates();
            carried = call.variant.full_gate_recurrence ? m : 0;
            depth = n * Hp;
            ring_stride = depth + lanes;  // rows must not all meet in one set of the cache
            few = narrow_input<T>(I) ? I : 0;
            columns = Hp + (few ? 0 : Ip) + carried * Hp;
        }
        // Where the parts of what `reduce` reads begin.
        std::int64_t few_at() const { return depth * columns; }
        std::int64_t bias_at() const { return few_at() + few * depth; }
        std::int64_t peephole_at() const { return bias_at() + depth; }
        std::int64_t gradients() const { return peephole_at() + m * Hp; }
    };

    struct Shared {
        T *recurrent, *gates, *input, *peephole;
        Shared(const Sizes& z, void* memory) {
            recurrent = static_cast<T*>(memory);
            gates = recurrent + z.depth * z.Hp;
            input = gates + z.carried * z.depth * z.Hp;
            peephole = input + z.depth * z.Ip;
        }
    };

    struct Own {
        T *weights, *few, *bias, *peephole, *ring, *e_y, *e_c, *e_gates, *panel, *narrow, *row;
        std::int64_t* places;
        Ring steps;
        Own(const Sizes& z, void* memory, std::int64_t rows) : steps(rows) {
            weights = static_cast<T*>(memory);
            few = weights + z.few_at();
            bias = weights + z.bias_at();
            peephole = weights + z.peephole_at();
            ring = weights + z.gradients();
            e_y = ring + steps.capacity * z.ring_stride;
            e_c = e_y + rows * z.Hp;
            e_gates = e_c + rows * z.Hp;
            panel = e_gates + rows * z.carried * z.Hp;
            narrow = panel + steps.depth * z.columns;
            row = narrow + round_up(steps.depth * z.few, lanes);
            places = reinterpret_cast<std::int64_t*>(row + rows * most_vectors * lanes);
        }
    };

    static std::int64_t shared_bytes(const Call& call) {
        const Sizes z(call);
        return std::int64_t(sizeof(T)) * (z.depth * (z.Hp * (1 + z.carried) + z.Ip) + z.m * z.Hp);
    }

    static std::int64_t own_bytes(const Call& call, std::int64_t rows) {
        const Sizes z(call);
        const Ring steps(rows);
        const std::int64_t states = rows * z.Hp * (2 + z.carried);
        const std::int64_t chunk = steps.capacity * z.ring_stride + steps.depth * z.columns +
                                   round_up(steps.depth * z.few, lanes);
        return std::int64_t(sizeof(T)) * (z.gradients() + states + chunk + rows * most_vectors * lanes) +
               std::int64_t(sizeof(std::int64_t)) * steps.capacity;
    }

    static void pack(const Call& call, void* memory, int part, int parts) {
        const Sizes z(call);
        const Shared shared(z, memory);
        const Variant v = call.variant;
        for (int b = 0; b < z.n; ++b) {
            pack_rows_as_depth(call.weight_hh + b * z.H * z.H, z.H, z.H, z.H, z.Hp, b * z.Hp, z.depth,
                               shared.recurrent, part, parts);
            if (call.d_x)
                pack_rows_as_depth(call.weight_ih + b * z.H * z.I, z.I, z.H, z.I, z.Hp, b * z.Hp, z.depth,
                                   shared.input, part, parts);
            for (int a = 0; a < z.carried; ++a) {
                const bool is_gate = b != v.at_z();
                const int reader = b < v.at_z() ? b : b - 1;
                const T* from = is_gate ? call.weight_gates + reader * z.H * z.m * z.H + a * z.H : nullptr;
                pack_rows_as_depth(from, z.m * z.H, is_gate ? z.H : 0, z.H, z.Hp, b * z.Hp, z.depth,
                                   shared.gates + a * z.depth * z.Hp, part, parts);
            }
        }
        if (part == 0 && call.peephole)
            for (int a = 0; a < z.m; ++a)
                for (std::int64_t j = 0; j < z.Hp; ++j)
                    shared.peephole[a * z.Hp + j] = j < z.H ? call.peephole[a * z.H + j] : T(0);
    }

    // One time step of the rows of one slice that are under way; `errors` is their place in the ring.
    struct Step {
        const Call& call;
        const Sizes& z;
        const Shared& shared;
        const Own& own;
        std::int64_t t, first, rows;
        std::ptrdiff_t ahead;  // from this step to the one that follows, one back in time: ±1, 0 at the last one
        std::ptrdiff_t ahead_c;  // to the one after that, which reads a c that has not been read: ±2, or as `ahead`
        T* errors;
    };

    // c that a step of sequence b read.
    static const T* c_before(const Call& call, const Sizes& z, std::int64_t b, std::int64_t t) {
        if (call.begins(b, t)) return call.c0 + b * z.H;
        return call.c + (time_before(call.reverse, t) * call.batch + b) * z.H;
    }

    // From δy and δc of a step to the errors before the activation, and δc on its way to t-1.
    template <bool Vanilla, bool Peepholes, bool Record>
    static void errors_of_group(const Step& s, std::int64_t g) {
        const Variant v = Vanilla ? Variant{} : s.call.variant;
        const Sizes& z = s.z;
        const int n = v.blocks();
        const std::int64_t unit = g * lanes;
        const int valid = int(smaller<std::int64_t>(lanes, z.H - unit));
        const V one = S::broadcast(T(1)), zero = S::broadcast(T(0));
        V p_i = zero, p_f = zero, p_o = zero;
        V d_p_i = zero, d_p_f = zero, d_p_o = zero;
        V d_b_i = zero, d_b_f = zero, d_b_z = zero, d_b_o = zero;
        if constexpr (Peepholes) {
            const T* p = s.shared.peephole + unit;
            if (v.input_gate) p_i = S::load(p);
            if (v.forget == Forget::own) p_f = S::load(p + v.at_f() * z.Hp);
            if (v.output_gate) p_o = S::load(p + v.peephole_of_o() * z.Hp);
        }
        for (std::int64_t r = 0; r < s.rows; ++r) {
            const std::int64_t at = r * z.Hp + unit, b = s.call.sequence(s.first + r), out = s.t * s.call.batch + b;
            T* errors = s.errors + r * z.ring_stride + unit;
            const T* gates = s.call.gates + out * n * z.H + unit;
            const std::ptrdiff_t next = s.ahead * s.call.batch;
            for (int k = 0; k < n; ++k) fetch_to_read(gates + (next * n + k) * z.H);
            fetch_to_read(s.call.c + (out + s.ahead_c * s.call.batch) * z.H + unit);
            fetch_to_read(s.call.y + (out + next) * z.H + unit);  // for the panel
            fetch_to_read(s.call.d_y + (s.t + s.ahead) * s.call.d_y_t + b * s.call.d_y_b + unit);
            const T* e_gates = s.own.e_gates + r * z.carried * z.Hp + unit;
            const V from_above = load_block(s.call.d_y + s.t * s.call.d_y_t + b * s.call.d_y_b + unit, valid);
            const V d_y = S::load(s.own.e_y + at) + from_above;
            const V c = load_block(s.call.c + out * z.H + unit, valid);
            const V before_c = load_block(c_before(s.call, z, b, s.t) + unit, valid);
            const V h_c = v.squash_output ? hyperbolic_tangent<T>(c) : c;
            V d_c = S::load(s.own.e_c + at);
            V o = one, d_o = zero;
            if (v.output_gate) {
                o = load_block(gates + v.at_o() * z.H, valid);
                d_o = d_y * h_c;
                if (v.full_gate_recurrence) d_o = d_o + S::load(e_gates + v.peephole_of_o() * z.Hp);
                d_o = d_o * logistic_slope<T>(o);
                if constexpr (Peepholes) d_c = d_c + p_o * d_o;
            }
            const V d_h = d_y * o;
            d_c = d_c + (v.squash_output ? d_h * tanh_slope<T>(h_c) : d_h);
            V i = one, f = one, d_i = zero, d_f = zero;
            if (v.input_gate) i = load_block(gates, valid);
            const V block = load_block(gates + v.at_z() * z.H, valid);
            if (v.forget == Forget::own) {
                f = load_block(gates + v.at_f() * z.H, valid);
                d_f = d_c * before_c;
                if (v.full_gate_recurrence) d_f = d_f + S::load(e_gates + v.at_f() * z.Hp);
                d_f = d_f * logistic_slope<T>(f);
            } else if (v.forget == Forget::coupled) {
                f = one - i;
            }
            if (v.input_gate) {
                d_i = d_c * (v.forget == Forget::coupled ? block - before_c : block);
                if (v.full_gate_recurrence) d_i = d_i + S::load(e_gates);
                d_i = d_i * logistic_slope<T>(i);
            }
            const V d_block = d_c * i;
            const V d_z = v.squash_input ? d_block * tanh_slope<T>(block) : d_block;
            V e_c = v.forget == Forget::none ? d_c : d_c * f;
            if constexpr (Peepholes) {
                e_c = e_c + p_i * d_i + p_f * d_f;
                d_p_i = d_p_i + d_i * before_c;
                d_p_f = d_p_f + d_f * before_c;
                d_p_o = d_p_o + d_o * c;
            }
            S::store(s.own.e_c + at, e_c);
            if (v.input_gate) S::store(errors, d_i);
            if (v.forget == Forget::own) S::store(errors + v.at_f() * z.Hp, d_f);
            S::store(errors + v.at_z() * z.Hp, d_z);
            if (v.output_gate) S::store(errors + v.at_o() * z.Hp, d_o);
            d_b_i = d_b_i + d_i;
            d_b_f = d_b_f + d_f;
            d_b_z = d_b_z + d_z;
            d_b_o = d_b_o + d_o;
            if constexpr (Record) {
                T* bars = s.call.d_bars + out * n * z.H + unit;
                if (v.input_gate) store_block(bars, d_i, valid);
                if (v.forget == Forget::own) store_block(bars + v.at_f() * z.H, d_f, valid);
                store_block(bars + v.at_z() * z.H, d_z, valid);
                if (v.output_gate) store_block(bars + v.at_o() * z.H, d_o, valid);
                store_block(s.call.d_cells + out * z.H + unit, d_c, valid);
                store_block(s.call.d_outputs + out * z.H + unit, d_y, valid);
            }
        }
        T* bias = s.own.bias + unit;
        if (v.input_gate) add(bias, d_b_i);
        if (v.forget == Forget::own) add(bias + v.at_f() * z.Hp, d_b_f);
        add(bias + v.at_z() * z.Hp, d_b_z);
        if (v.output_gate) add(bias + v.at_o() * z.Hp, d_b_o);
        if constexpr (Peepholes) {
            T* peephole = s.own.peephole + unit;
            if (v.input_gate) add(peephole, d_p_i);
            if (v.forget == Forget::own) add(peephole + v.at_f() * z.Hp, d_p_f);
            if (v.output_gate) add(peephole + v.peephole_of_o() * z.Hp, d_p_o);
        }
    }

    static THROUGHTIME_INLINE void add(T* at, V value) { S::store(at, S::load(at) + value); }

    // A recorded step that is padded.
    static void record_nothing(const Call& call, const Sizes& z, std::int64_t out) {
        clear(call.d_bars + out * z.n * z.H, z.n * z.H);
        clear(call.d_cells + out * z.H, z.H);
        clear(call.d_outputs + out * z.H, z.H);
    }

    template <bool Vanilla, bool Peepholes, bool Record>
    static void local_errors(const Step& s) {
        for (std::int64_t g = 0; g < s.z.groups; ++g) errors_of_group<Vanilla, Peepholes, Record>(s, g);
    }

    // Row k of the panel: what sequence b read at step t.
    static void fill_panel(const Call& call, const Sizes& z, const Own& own, std::int64_t depth, std::int64_t k,
                           std::int64_t b, std::int64_t t) {
        const std::int64_t vectors = z.columns / lanes, before = time_before(call.reverse, t) * call.batch + b;
        const bool initial = call.begins(b, t);
        const T* y = initial ? call.y0 + b * z.H : call.y + before * z.H;
        const T* x = call.x + t * call.x_t + b * call.x_b;
        std::int64_t v = put_row(own.panel, depth, vectors, k, 0, y, z.H);
        if (z.few)
            copy(x, z.I, own.narrow + k * z.I);
        else
            v = put_row(own.panel, depth, vectors, k, v, x, z.I);
        for (int a = 0; a < z.carried; ++a) {
            const T* gate = initial ? call.gates0 + (b * z.m + a) * z.H
                                    : call.gates + (before * z.n + call.variant.block_of_gate(a)) * z.H;
            v = put_row(own.panel, depth, vectors, k, v, gate, z.H);
        }
    }

    // Adds what the first `used` rows of the ring contribute to the gradients of the weights.
    static void add_weights(const Call& call, const Sizes& z, const Own& own, std::int64_t used) {
        for (std::int64_t begin = 0; begin < used; begin += own.steps.depth) {
            const std::int64_t depth = smaller(own.steps.depth, used - begin);
            for (std::int64_t k = 0; k < depth; ++k) {
                const std::int64_t place = own.places[begin + k];
                fill_panel(call, z, own, depth, k, place % call.batch, place / call.batch);
            }
            add_outer(own.ring + begin * z.ring_stride, z.ring_stride, own.panel, depth, z.depth, z.columns / lanes,
                      own.weights, z.columns);
            if (z.few)
                add_outer_of_few(own.narrow, z.I, z.I, own.ring + begin * z.ring_stride, z.ring_stride, depth,
                                 z.depth / lanes, own.few, z.depth);
        }
    }

    static void load(const Call& call, const Sizes& z, const Own& own, std::int64_t first, std::int64_t rows) {
        clear(own.weights, z.gradients());
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            for (std::int64_t j = 0; j < z.Hp; ++j) {
                const bool real = j < z.H;
                own.e_y[r * z.Hp + j] = real && call.d_y_n ? call.d_y_n[b * z.H + j] : T(0);
                own.e_c[r * z.Hp + j] = real && call.d_c_n ? call.d_c_n[b * z.H + j] : T(0);
                for (int a = 0; a < z.carried; ++a)
                    own.e_gates[(r * z.m + a) * z.Hp + j] =
                        real && call.d_gates_n ? call.d_gates_n[(b * z.m + a) * z.H + j] : T(0);
            }
        }
    }

    static void unload(const Call& call, const Sizes& z, const Own& own, std::int64_t first, std::int64_t rows) {
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t b = call.sequence(first + r);
            if (call.d_y0) copy(own.e_y + r * z.Hp, z.H, call.d_y0 + b * z.H);
            if (call.d_c0) copy(own.e_c + r * z.Hp, z.H, call.d_c0 + b * z.H);
            for (int a = 0; call.d_gates0 && a < z.carried; ++a)
                copy(own.e_gates + (r * z.m + a) * z.Hp, z.H, call.d_gates0 + (b * z.m + a) * z.H);
        }
    }

    static std::int64_t slice(const Call& call, const void* shared_memory, void* own_memory, std::int64_t first,
                              std::int64_t last) {
        const Sizes z(call);
        const Shared shared(z, const_cast<void*>(shared_memory));
        const std::int64_t rows = last - first;
        const Own own(z, own_memory, rows);
        load(call, z, own, first, rows);
        const Variant v = call.variant;
        const bool vanilla = v.blocks() == 4 && v.squash_input && v.squash_output && !v.full_gate_recurrence;
        const bool peepholes = call.peephole != nullptr;
        auto local = vanilla ? (peepholes ? &local_errors<true, true, false> : &local_errors<true, false, false>)
                             : (peepholes ? &local_errors<false, true, false> : &local_errors<false, false, false>);
        if (call.d_bars) local = peepholes ? &local_errors<false, true, true> : &local_errors<false, false, true>;
        UnderWay under_way(call, first, last);
        std::int64_t used = 0;
        for (std::int64_t k = 0; k < call.steps; ++k) {
            const std::int64_t t = time_of(call.steps, call.reverse, k), active = under_way.at(t);
            const std::ptrdiff_t ahead = k + 1 == call.steps ? 0 : call.reverse ? 1 : -1;
            const std::ptrdiff_t ahead_c = k + 2 < call.steps ? 2 * ahead : ahead;
            if (used + active > own.steps.capacity) add_weights(call, z, own, used), used = 0;
            T* errors = own.ring + used * z.ring_stride;
            for (std::int64_t r = 0; r < active; ++r) own.places[used + r] = t * call.batch + call.sequence(first + r);
            for (std::int64_t r = active; r < rows && call.d_bars; ++r)
                record_nothing(call, z, t * call.batch + call.sequence(first + r));
            const StepErrors<T> step{errors, z.ring_stride, z.depth, active};
            if (active > 0) {
                local(Step{call, z, shared, own, t, first, active, ahead, ahead_c, errors});
                step_back(step, shared.recurrent, z.groups, own.e_y, z.Hp, own.row);
                for (int a = 0; a < z.carried; ++a)
                    step_back(step, shared.gates + a * z.depth * z.Hp, z.groups, own.e_gates + a * z.Hp,
                              z.carried * z.Hp, own.row);
            }
            if (call.d_x)
                input_errors(step, call, first, rows, shared.input, z.I, call.d_x + t * call.batch * z.I, own.row);
            used += active;
        }
        add_weights(call, z, own, used);
        unload(call, z, own, first, rows);
        return under_way.computed();
    }

    static void reduce(const Call& call, void* const* owns, int slices, int part, int parts) {
        const Sizes z(call);
        const Variant v = call.variant;
        const std::int64_t units = z.n * z.H;
        auto sum = [&](std::int64_t from, std::int64_t width, T* to) { sum_slices(owns, slices, from, width, to); };
        for (std::int64_t u = units * part / parts; u < units * (part + 1) / parts; ++u) {
            const int b = int(u / z.H);
            const std::int64_t unit = b * z.Hp + u % z.H, row = unit * z.columns;
            sum(row, z.H, call.d_weight_hh + u * z.H);
            if (z.few)
                for (std::int64_t j = 0; j < z.I; ++j)
                    call.d_weight_ih[u * z.I + j] = sum_value<T>(owns, slices, z.few_at() + j * z.depth + unit);
            else
                sum(row + z.Hp, z.I, call.d_weight_ih + u * z.I);
            if (z.carried == 0 || b == v.at_z()) continue;
            const std::int64_t gate = (b < v.at_z() ? b : b - 1) * z.H + u % z.H;
            for (int a = 0; a < z.m; ++a)
                sum(row + z.columns - (z.m - a) * z.Hp, z.H, call.d_weight_gates + (gate * z.m + a) * z.H);
        }
        if (part > 0) return;
        for (int b = 0; call.d_bias && b < z.n; ++b) sum(z.bias_at() + b * z.Hp, z.H, call.d_bias + b * z.H);
        for (int a = 0; call.d_peephole && a < z.m; ++a) sum(z.peephole_at() + a * z.Hp, z.H, call.d_peephole + a * z.H);
    }
};

}  // namespace
