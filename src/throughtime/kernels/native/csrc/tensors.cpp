#include "tensors.hpp"

namespace throughtime {
namespace {

// The part of the DLPack standard (1.x) that says what a tensor is without going through Python attributes.
struct DLTensor {
    void* data;
    struct {
        std::int32_t type, id;
    } device;
    std::int32_t dimensions;
    struct {
        std::uint8_t code, bits;
        std::uint16_t lanes;
    } dtype;
    std::int64_t *shape, *strides;  // belong to the tensor
    std::uint64_t byte_offset;
};
struct DLPackExchange {
    struct {
        std::uint32_t major, minor;
    } version;
    void* older;
    void *allocate, *from_object, *to_object;
    int (*look)(void* object, DLTensor* out);
    void* stream;
};
constexpr std::int32_t dl_cpu = 1;
constexpr std::uint8_t dl_int = 0, dl_float = 2;

struct Torch {
    const DLPackExchange* exchange;
    PyObject *tensor, *parameter, *float32, *float64, *int64;
    PyObject *dtype, *is_cpu, *data_ptr, *shape, *stride;  // attribute names
};
Torch torch{};

[[noreturn]] void raise(PyObject* type, const std::string& text) {
    PyErr_SetString(type, text.c_str());
    throw nb::python_error();
}

nb::object checked(PyObject* result) {
    if (!result) throw nb::python_error();
    return nb::steal(result);
}

std::string about(const char* who, const char* name) { return std::string(who) + ": " + name; }

int read_sizes(nb::handle tuple, std::int64_t* into, const char* who, const char* name) {
    if (!PyTuple_Check(tuple.ptr())) raise(PyExc_TypeError, about(who, name) + " has no tuple of sizes.");
    const Py_ssize_t count = PyTuple_GET_SIZE(tuple.ptr());
    if (count > 3) raise(PyExc_ValueError, about(who, name) + " has more than 3 dimensions.");
    for (Py_ssize_t k = 0; k < count; ++k) {
        into[k] = PyLong_AsLongLong(PyTuple_GET_ITEM(tuple.ptr(), k));
        if (into[k] == -1 && PyErr_Occurred()) throw nb::python_error();
    }
    return int(count);
}

std::string written(const std::int64_t* sizes, int count) {
    std::string text = "(";
    for (int k = 0; k < count; ++k) text += (k ? ", " : "") + std::to_string(sizes[k]);
    return text + (count == 1 ? ",)" : ")");
}

const char* written(Kind kind) {
    return kind == Kind::f32 ? "torch.float32" : kind == Kind::f64 ? "torch.float64" : "torch.int64";
}

}  // namespace

namespace {

// False where DLPack has no answer, or not one this backend can use; Python's attributes then say why.
bool look_by_dlpack(PyObject* tensor, View& view) {
    if (!torch.exchange) return false;
    DLTensor found;
    if (torch.exchange->look(tensor, &found) != 0) {
        PyErr_Clear();
        return false;
    }
    const bool is_float = found.dtype.code == dl_float, is_int = found.dtype.code == dl_int;
    if (found.device.type != dl_cpu || found.dtype.lanes != 1 || found.dimensions > 3 || !found.strides) return false;
    if (is_float && found.dtype.bits == 32)
        view.kind = Kind::f32;
    else if (is_float && found.dtype.bits == 64)
        view.kind = Kind::f64;
    else if (is_int && found.dtype.bits == 64)
        view.kind = Kind::i64;
    else
        return false;
    view.data = static_cast<char*>(found.data) + found.byte_offset;
    view.dimensions = found.dimensions;
    for (int k = 0; k < found.dimensions; ++k) {
        view.shape[k] = found.shape[k];
        view.stride[k] = found.strides[k];
    }
    return true;
}

}  // namespace

void learn_torch(nb::object tensor, nb::object parameter, nb::object float32, nb::object float64, nb::object int64) {
    const nb::object capsule = nb::getattr(tensor, "__dlpack_c_exchange_api__", nb::none());
    if (PyCapsule_IsValid(capsule.ptr(), "dlpack_exchange_api")) {
        auto* exchange =
            static_cast<const DLPackExchange*>(PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
        if (exchange->version.major == 1 && exchange->look) torch.exchange = exchange;
    }
    torch.tensor = tensor.release().ptr();  // kept for the life of the process
    torch.parameter = parameter.release().ptr();
    torch.float32 = float32.release().ptr();
    torch.float64 = float64.release().ptr();
    torch.int64 = int64.release().ptr();
    torch.dtype = PyUnicode_InternFromString("dtype");
    torch.is_cpu = PyUnicode_InternFromString("is_cpu");
    torch.data_ptr = PyUnicode_InternFromString("data_ptr");
    torch.shape = PyUnicode_InternFromString("shape");
    torch.stride = PyUnicode_InternFromString("stride");
}

View look_at(nb::handle tensor, const char* who, const char* name) {
    PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(tensor.ptr()));
    if (!torch.tensor || (type != torch.tensor && type != torch.parameter))
        raise(PyExc_TypeError, about(who, name) + " must be a torch.Tensor, got " + Py_TYPE(tensor.ptr())->tp_name + ".");
    View view;
    if (look_by_dlpack(tensor.ptr(), view)) return view;
    if (checked(PyObject_GetAttr(tensor.ptr(), torch.is_cpu)).ptr() != Py_True)
        raise(PyExc_ValueError, about(who, name) + " is not in the memory of the CPU; move it with .cpu().");
    const nb::object dtype = checked(PyObject_GetAttr(tensor.ptr(), torch.dtype));
    if (dtype.ptr() == torch.float32)
        view.kind = Kind::f32;
    else if (dtype.ptr() == torch.float64)
        view.kind = Kind::f64;
    else if (dtype.ptr() == torch.int64)
        view.kind = Kind::i64;
    else
        raise(PyExc_ValueError, about(who, name) + " has a dtype this backend does not know; it knows float32 and float64.");
    const nb::object shape = checked(PyObject_GetAttr(tensor.ptr(), torch.shape));
    view.dimensions = read_sizes(shape, view.shape, who, name);
    const nb::object stride = checked(PyObject_CallMethodNoArgs(tensor.ptr(), torch.stride));
    if (read_sizes(stride, view.stride, who, name) != view.dimensions)
        raise(PyExc_ValueError, about(who, name) + " has strides that do not go with its shape.");
    const nb::object address = checked(PyObject_CallMethodNoArgs(tensor.ptr(), torch.data_ptr));
    view.data = PyLong_AsVoidPtr(address.ptr());
    if (!view.data && PyErr_Occurred()) throw nb::python_error();
    return view;
}

void expect(const View& view, const char* who, const char* name, Kind kind, std::initializer_list<std::int64_t> shape,
            bool free_rows) {
    if (view.kind != kind)
        raise(PyExc_ValueError, about(who, name) + " has dtype " + written(view.kind) + ", expected " + written(kind) + ".");
    bool same = view.dimensions == int(shape.size());
    for (int k = 0; same && k < view.dimensions; ++k) same = view.shape[k] == shape.begin()[k];
    if (!same)
        raise(PyExc_ValueError, about(who, name) + " has shape " + written(view.shape, view.dimensions) + ", expected " +
                                    written(shape.begin(), int(shape.size())) + ".");
    std::int64_t dense = 1;
    for (int k = view.dimensions - 1; k >= 0; --k) {
        const bool fixed = !free_rows || k == view.dimensions - 1;
        if (view.shape[k] > 1 && (fixed ? view.stride[k] != dense : view.stride[k] < 0))
            raise(PyExc_ValueError, about(who, name) + " is not contiguous: its strides are " +
                                        written(view.stride, view.dimensions) + "; pass .contiguous().");
        dense *= view.shape[k];
    }
    if (dense > 0 && !view.data) raise(PyExc_ValueError, about(who, name) + " holds no memory.");
}

}  // namespace throughtime
