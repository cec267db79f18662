// What the process holds and has: the pool, the codecs, the counts of the last load.

#include "bind/bindings.hpp"
#include "decode/decoder.hpp"

#include <algorithm>
#include <chrono>

namespace torchdicom::bind {

namespace {

struct Counts {
    std::uint64_t files = 0;
    std::uint64_t opens = 0;
    std::uint64_t bytes_read = 0;
    std::uint64_t allocations = 0;
    std::uint64_t threads = 0;
};

Counts& last_counts() {
    thread_local Counts counts;
    return counts;
}

/// What all calls of this thread took, in seconds: in pread(2), and altogether.
struct Seconds {
    double read = 0;
    double all = 0;
};

Seconds& seconds_of_thread() {
    thread_local Seconds seconds;
    return seconds;
}

py::tuple thread_seconds() {
    const Seconds& seconds = seconds_of_thread();
    return py::make_tuple(seconds.read, seconds.all);
}

py::dict last_load_stats() {
    const Counts& counts = last_counts();
    py::dict result;
    result["files"] = counts.files;
    result["opens"] = counts.opens;
    result["bytes_read"] = counts.bytes_read;
    result["allocations"] = counts.allocations;
    result["threads"] = counts.threads;
    return result;
}

/// (UID, name, library, version, names for `codec=`) for every transfer syntax of the table.
py::list codec_rows() {
    py::list rows;
    for (const CodecRow& row : codec_table()) {
        py::list names;
        for (const std::string_view name : row.codecs) {
            names.append(std::string{name});
        }
        rows.append(py::make_tuple(std::string{row.uid}, std::string{row.name}, row.library,
                                   row.version, py::tuple{names}));
    }
    return rows;
}

py::tuple names_of_codecs() {
    py::list names;
    for (const std::string_view name : codec_names()) {
        names.append(std::string{name});
    }
    return py::tuple{names};
}

} // namespace

void remember_stats(const LoadStats& stats) {
    last_counts() = Counts{.files = stats.files,
                           .opens = stats.opens,
                           .bytes_read = stats.bytes_read,
                           .allocations = stats.allocations,
                           .threads = stats.threads};
    using Second = std::chrono::duration<double>;
    const double took = Second{std::chrono::steady_clock::now() - stats.started}.count();
    const double read = Second{std::chrono::nanoseconds{stats.read_ns.load()}}.count();
    const auto threads = static_cast<double>(std::max<std::uint64_t>(stats.threads, 1));
    Seconds& seconds = seconds_of_thread();
    seconds.all += took;
    seconds.read += std::min(read / threads, took); // its threads read at the same time
}

void register_runtime(py::module_& module) {
    module.attr("__version__") = TORCHDICOM_VERSION;
    module.def("codec_table", &codec_rows);
    module.def("codec_names", &names_of_codecs);
    module.def("last_load_stats", &last_load_stats);
    module.def("thread_seconds", &thread_seconds);
    module.def("empty_pool", &empty_pool, py::call_guard<py::gil_scoped_release>());
    module.def("pooled_bytes", &pooled_bytes, py::call_guard<py::gil_scoped_release>());
}

} // namespace torchdicom::bind
