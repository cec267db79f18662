// Python objects to the core's types and back.

#include "bind/bindings.hpp"

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>

namespace torchdicom::bind {

namespace {

constexpr std::array<std::pair<DType, const char*>, 10> kDTypes{{
    {DType::uint8, "uint8"},
    {DType::int8, "int8"},
    {DType::int16, "int16"},
    {DType::uint16, "uint16"},
    {DType::int32, "int32"},
    {DType::int64, "int64"},
    {DType::float16, "float16"},
    {DType::bfloat16, "bfloat16"},
    {DType::float32, "float32"},
    {DType::float64, "float64"},
}};

/// An array whose base owns the memory.
py::array array_over(Buffer buffer, const py::dtype& dtype, const std::vector<std::size_t>& shape) {
    auto owner = std::make_unique<Buffer>(std::move(buffer));
    void* const data = owner->bytes().data();
    const py::capsule base{owner.get(), [](void* held) {
                               const std::unique_ptr<Buffer> freed{static_cast<Buffer*>(held)};
                           }};
    owner.release(); // NOLINT(bugprone-unused-return-value): the capsule has it now
    return py::array{dtype, shape, data, base};
}

/// NumPy has no bfloat16: its bits travel as uint16, and Python views them.
py::dtype numpy_dtype(DType dtype) {
    return py::dtype{dtype == DType::bfloat16 ? "uint16" : name_of(dtype)};
}

} // namespace

py::str to_python_path(const std::string& path) {
    return py::reinterpret_steal<py::str>(
        PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size())));
}

std::string from_python_path(const py::handle& path) {
    PyObject* encoded = nullptr;
    if (PyUnicode_FSConverter(path.ptr(), static_cast<void*>(&encoded)) == 0) {
        throw py::error_already_set{};
    }
    return py::reinterpret_steal<py::bytes>(encoded);
}

py::str to_python_text(std::string_view text) {
    return py::reinterpret_steal<py::str>(
        PyUnicode_DecodeLatin1(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr));
}

py::object text_or_none(std::string_view text) {
    return text.empty() ? py::object{py::none{}} : py::object{to_python_text(text)};
}

HeldSources::HeldSources(const py::list& sources) {
    for (const py::handle& source : sources) {
        if (py::isinstance<py::str>(source)) {
            sources_.push_back({.path = from_python_path(source), .bytes = {}});
            continue;
        }
        py::buffer_info info = py::reinterpret_borrow<py::buffer>(source).request();
        const auto size = static_cast<std::size_t>(info.size * info.itemsize);
        const ByteSpan bytes{static_cast<const std::byte*>(info.ptr), size};
        const std::string name = "<bytes " + std::to_string(buffers_.size()) + ">";
        sources_.push_back({.path = name, .bytes = bytes});
        buffers_.push_back(std::move(info));
    }
}

DType dtype_from_name(const std::string& name) {
    for (const auto& [dtype, text] : kDTypes) {
        if (name == text) {
            return dtype;
        }
    }
    throw std::invalid_argument{"no dtype of this name: " + name};
}

std::string name_of(DType dtype) {
    for (const auto& [candidate, text] : kDTypes) {
        if (candidate == dtype) {
            return text;
        }
    }
    throw std::invalid_argument{"no such dtype"};
}

ParallelOptions parallel_options(std::size_t threads) {
    return {.threads = threads, .checkpoint = [is_wanted = stop_check_of_thread()] {
                is_wanted();
                const py::gil_scoped_acquire gil;
                if (PyErr_CheckSignals() != 0) {
                    throw py::error_already_set{};
                }
            }};
}

py::array to_array(Buffer buffer, const Plan& plan) {
    return array_over(std::move(buffer), numpy_dtype(plan.dtype), plan.shape());
}

py::array to_byte_array(Buffer buffer) {
    const std::size_t size = buffer.bytes().size();
    return array_over(std::move(buffer), py::dtype::of<std::uint8_t>(), {size});
}

py::array to_mask_array(Buffer buffer, const Plan& plan) {
    return array_over(std::move(buffer), py::dtype::of<bool>(), plan.mask_shape());
}

} // namespace torchdicom::bind
