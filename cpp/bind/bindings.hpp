// What the binding files share. Nothing below this folder knows Python, and nothing here
// calculates.
#pragma once

#include "base/parallel.hpp"
#include "discover/discover.hpp"
#include "pipeline/load.hpp"
#include "place/output.hpp"

#include <functional>
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

/// The other way, of str, bytes and path-like objects.
[[nodiscard]] std::string from_python_path(const py::handle& path);

/// DICOM text of the default repertoire; never fails.
[[nodiscard]] py::str to_python_text(std::string_view text);
/// The same, or None for an empty text.
[[nodiscard]] py::object text_or_none(std::string_view text);

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

/// Whether the call that this thread is in is still wanted: throws where it was told to stop.
using StopCheck = std::function<void()>;
[[nodiscard]] StopCheck stop_check_of_thread();

/// Threads for a call, with a checkpoint that raises KeyboardInterrupt after Ctrl-C, and stops
/// where the calling thread is told to.
[[nodiscard]] ParallelOptions parallel_options(std::size_t threads);

/// The actions by code, the two tolerances and fill_value by name. Throws std::invalid_argument for
/// others.
[[nodiscard]] Policy policy_from(const py::dict& options);

/// The options of a load but for sources and series: exactly policy, output, dtype, out,
/// num_threads, texts, slices, region, reduce, codec, rwvm, finish and mask. `options` must outlive
/// the request: it holds the memory that out names.
[[nodiscard]] LoadRequest load_request(const py::kwargs& options);

/// An array over the buffer: it, and every view of it, keeps the memory out of the pool.
[[nodiscard]] py::array to_array(Buffer buffer, const Plan& plan);
/// The same for a mask.
[[nodiscard]] py::array to_mask_array(Buffer buffer, const Plan& plan);
/// The same of its bytes.
[[nodiscard]] py::array to_byte_array(Buffer buffer);

/// (code, message, slices, files, measured) of each.
[[nodiscard]] py::list to_python(const std::vector<Defect>& defects);

/// All that a load found and made, under the names of `_Loaded` in _ext.pyi; the values are None
/// where the caller brought the memory.
[[nodiscard]] py::dict to_python(LoadedSeries loaded, bool is_callers);

/// What the last load of this thread counted.
void remember_stats(const LoadStats& stats);

void register_errors(py::module_& module);
void register_load(py::module_& module);
void register_header(py::module_& module);
void register_memory(py::module_& module);
void register_runtime(py::module_& module);
void register_scan(py::module_& module);

} // namespace torchdicom::bind
