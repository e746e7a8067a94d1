// Tensors of PyTorch as pointers, checked before any is touched. No header of PyTorch is needed: their
// Python attributes say all there is to know.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <initializer_list>
#include <string>

namespace throughtime {

namespace nb = nanobind;

// Classes and dtypes of torch, told once at import.
void learn_torch(nb::object tensor, nb::object parameter, nb::object float32, nb::object float64, nb::object int64);

enum class Kind { f32, f64, i64 };

struct View {
    void* data = nullptr;
    int dimensions = 0;
    std::int64_t shape[3] = {0, 0, 0};
    std::int64_t stride[3] = {0, 0, 0};
    Kind kind = Kind::f32;
};

// What a tensor is. Raises TypeError or ValueError for what is no dense tensor of three dimensions at most
// in this machine's memory with one of the three dtypes.
View look_at(nb::handle tensor, const char* who, const char* name);

// Raises ValueError unless the view has this kind and shape and is dense, the last index fastest. With
// `free_rows` only the last index must be dense, and strides of the others may be anything from 0.
void expect(const View& view, const char* who, const char* name, Kind kind, std::initializer_list<std::int64_t> shape,
            bool free_rows = false);

}  // namespace throughtime
