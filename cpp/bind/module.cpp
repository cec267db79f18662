// The extension module: one line a public noun.

#include "bind/bindings.hpp"

PYBIND11_MODULE(_ext, module) {
    module.doc() = "The C++ core of torchdicom; use it through the package.";
    torchdicom::bind::register_errors(module);
    torchdicom::bind::register_load(module);
    torchdicom::bind::register_header(module);
    torchdicom::bind::register_memory(module);
    torchdicom::bind::register_runtime(module);
    torchdicom::bind::register_scan(module);
}
