#include "error_map_module.hpp"

namespace throughtime {
namespace {

constexpr const char* who = "error_map, backend 'native'";

const std::int64_t* read_rows(nb::handle tensor, std::int64_t steps, std::int64_t& count) {
    const View view = look_at(tensor, who, "at");
    count = view.dimensions == 1 ? view.shape[0] : 0;
    expect(view, who, "at", Kind::i64, {count});
    const auto* at = static_cast<const std::int64_t*>(view.data);
    if (count < 1) bad(std::string(who) + ": at must hold at least one time step.");
    for (std::int64_t r = 0; r < count; ++r)
        if (at[r] < (r > 0 ? at[r - 1] + 1 : 0) || at[r] >= steps)
            bad(std::string(who) + ": at must rise and lie in 0 to T-1.");
    return at;
}

template <class T>
void error_map_of(const Kernel<ErrorMapCall<T>>& kernel, int threads, int cell_blocks, bool reverse, const nb::tuple& in,
                  const nb::tuple& out) {
    const Reader<T> read{who};
    const View start = look_at(item(in, 3), who, "start"), weights = look_at(item(in, 4), who, "weight_hh");
    if (start.dimensions != 3) bad(std::string(who) + ": start must be (T, B, H).");
    if (weights.dimensions != 2) bad(std::string(who) + ": weight_hh must be a matrix.");
    ErrorMapCall<T> c{};
    c.reverse = reverse;
    c.steps = start.shape[0], c.batch = start.shape[1], c.cells = start.shape[2];
    const std::int64_t S = c.steps, B = c.batch, H = c.cells, n = weights.shape[0];
    if (S < 1 || B < 1 || H < 1 || n < 1 || n % H != 0 || n > 4 * H)
        bad(std::string(who) + ": T, B and H must be at least 1 and weight_hh be 1 to 4 blocks.");
    const bool cell = !item(in, 1).is_none();
    c.blocks = int(n / H);
    c.cell_blocks = cell_blocks;
    if (cell_blocks < 0 || cell_blocks > c.blocks || c.blocks - cell_blocks > 1 || (cell_blocks > 0) != cell)
        bad(std::string(who) + ": cell_blocks=" + std::to_string(cell_blocks) + " does not fit the other arguments.");
    c.factors = read.dense(item(in, 0), "factors", {S, B, n});
    c.to_c = read.optional(item(in, 1), "to_c", {S, B, H});
    c.keep = read.only_if(cell, item(in, 2), "keep", {S, B, H});
    c.start = read.dense(item(in, 3), "start", {S, B, H});
    c.weight_hh = read.dense(item(in, 4), "weight_hh", {n, H});
    c.at = read_rows(item(in, 5), S, c.rows);
    c.lengths = read.lengths(item(in, 6), B);
    const Reader<double> norms{who};
    c.y = norms.dense(item(out, 0), "y", {B, S, c.rows});
    c.c = norms.only_if(cell, item(out, 1), "c", {B, S, c.rows});
    const nb::gil_scoped_release released;
    run(kernel, c, threads);
}

}  // namespace

void error_map(int isa, int threads, int cell_blocks, bool reverse, const nb::tuple& in, const nb::tuple& out) {
    check_count(in, 7, who);
    check_count(out, 2, who);
    const Kernels& k = kernels_at(isa);
    if (look_at(item(in, 3), who, "start").kind == Kind::f64)
        error_map_of(k.f64.error_map, checked_threads(threads), cell_blocks, reverse, in, out);
    else
        error_map_of(k.f32.error_map, checked_threads(threads), cell_blocks, reverse, in, out);
}

}  // namespace throughtime
