// What the binding files share. Nothing below this folder knows Python, and nothing here
// calculates.
#pragma once

#include "base/parallel.hpp"
#include "discover/discover.hpp"
#include "place/output.hpp"

#include <optional>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h> // here, so that no file casts a type otherwise than another
#include <string>
#include <vector>

namespace torchdicom::bind {

namespace py = pybind11;

/// Paths and names in the file system's own encoding, so that any file name survives.
[[nodiscard]] py::str to_python_path(const std::string& path);

/// DICOM text of the default repertoire; never fails.
[[nodiscard]] py::str to_python_text(std::string_view text);

/// Sources of a call, with the buffers of those in memory held for as long as this lives.
class HeldSources {
  public:
    /// `sources`: str paths and objects with the buffer protocol. Needs the GIL, to be destroyed
    /// too.
    explicit HeldSources(const py::list& sources);

    [[nodiscard]] const std::vector<Source>& sources() const noexcept { return sources_; }

  private:
    std::vector<py::buffer_info> buffers_;
    std::vector<Source> sources_;
};

/// Torch's names of the types; throws std::invalid_argument for another.
[[nodiscard]] DType dtype_from_name(const std::string& name);
[[nodiscard]] std::string name_of(DType dtype);

/// Threads for a call, with a checkpoint that raises KeyboardInterrupt after Ctrl-C.
[[nodiscard]] ParallelOptions parallel_options(std::size_t threads);

/// An array over the buffer: it, and every view of it, keeps the memory out of the pool.
[[nodiscard]] py::array to_array(Buffer buffer, const Plan& plan);

/// What the last load of this thread counted.
void remember_stats(const LoadStats& stats);

void register_errors(py::module_& module);
void register_load(py::module_& module);
void register_header(py::module_& module);
void register_runtime(py::module_& module);

} // namespace torchdicom::bind
