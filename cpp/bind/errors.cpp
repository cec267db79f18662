// Errors of the core as the classes of torchdicom._errors, with code, path, element and offset.

#include "bind/bindings.hpp"

#include <array>

namespace torchdicom::bind {

namespace {

const char* kind_name(ErrorKind kind) noexcept {
    constexpr std::array kNames{"parse", "unsupported", "decode",  "series",
                                "limit", "os",          "internal"};
    return kNames.at(static_cast<std::size_t>(kind));
}

py::object place_or_none(const std::string& text) {
    return text.empty() ? py::object{py::none{}} : py::object{to_python_path(text)};
}

/// Calls the Python function that raises; what it raised becomes the current exception.
void set_python_error(const Error& error) {
    const Place& place = error.place();
    try {
        py::module_::import("torchdicom._errors")
            .attr("raise_native")(kind_name(kind_of(error.code())), to_python_path(error.message()),
                                  std::string{code_name(error.code())}, place_or_none(place.path),
                                  place_or_none(place.element), place.offset, error.system_errno());
    } catch (py::error_already_set& raised) {
        raised.restore();
    }
}

} // namespace

void register_errors(py::module_& /*module*/) {
    // NOLINTNEXTLINE(performance-unnecessary-value-param): the signature is pybind11's
    py::register_local_exception_translator([](std::exception_ptr current) {
        try {
            if (current) {
                std::rethrow_exception(current);
            }
        } catch (const Error& error) {
            set_python_error(error);
        }
    });
}

} // namespace torchdicom::bind
