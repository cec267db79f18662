// load and decode: the options from Python, and the calls.

#include "pipeline/load.hpp"
#include "bind/bindings.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace torchdicom::bind {

namespace {

/// The caller's tensor: its bytes as a flat array, with the type and shape that it has in torch.
using OutArgument = std::optional<std::tuple<py::array, std::string, std::vector<std::size_t>>>;

std::optional<CallerBuffer> caller_buffer(const OutArgument& out) {
    if (!out) {
        return std::nullopt;
    }
    auto [bytes, dtype, shape] = *out;
    auto* const data = static_cast<std::byte*>(bytes.mutable_data()); // throws where read-only
    return CallerBuffer{.bytes = {data, static_cast<std::size_t>(bytes.nbytes())},
                        .dtype = dtype_from_name(dtype),
                        .shape = shape};
}

Output output_from_name(const std::string& name) {
    if (name == "stored") {
        return Output::stored;
    }
    if (name == "modality") {
        return Output::modality;
    }
    if (name == "real_world") {
        return Output::real_world;
    }
    if (name == "suv") {
        return Output::suv;
    }
    if (name == "philips_fp") {
        return Output::philips_fp;
    }
    throw std::invalid_argument{"no output of this name: " + name};
}

OutputOptions output_options(const std::string& output, const std::optional<std::string>& dtype,
                             std::optional<std::string> rwvm) {
    OutputOptions options{.output = output_from_name(output), .rwvm = std::move(rwvm)};
    if (dtype) {
        options.dtype = dtype_from_name(*dtype);
    }
    return options;
}

ClipRange range_from(const py::handle& range) {
    const auto [low, high] = range.cast<std::array<double, 2>>();
    return {low, high};
}

/// The fields of Python's Finish by name; None: nothing is done behind the rescale.
std::optional<FinishOptions> finish_from(const py::object& finish) {
    if (finish.is_none()) {
        return std::nullopt;
    }
    const auto fields = finish.cast<py::dict>();
    FinishOptions options;
    if (!fields["size"].is_none()) {
        const auto [rows, columns] = fields["size"].cast<std::array<std::size_t, 2>>();
        options.size = Extent{.rows = rows, .columns = columns};
    }
    const py::object window = fields["window"];
    options.takes_file_window = py::isinstance<py::str>(window);
    if (!window.is_none() && !options.takes_file_window) {
        const auto [low, width] = range_from(window);
        options.window = ValueWindow{.way = ValueWindow::Way::span, .low = low, .width = width};
    }
    if (!fields["clip"].is_none()) {
        options.clip = range_from(fields["clip"]);
    }
    options.mean = fields["mean"].cast<std::vector<double>>();
    options.std = fields["std"].cast<std::vector<double>>();
    options.repeats_gray = !fields["channels"].is_none();
    return options;
}

/// How often rows and columns are halved.
std::uint32_t reduce_from(std::size_t reduce) {
    if (reduce > kMaxReduce) {
        throw std::invalid_argument{"reduce is 0 to " + std::to_string(kMaxReduce) + ", not " +
                                    std::to_string(reduce)};
    }
    return static_cast<std::uint32_t>(reduce);
}

/// (start, stop, step), each int or None; or a list of int.
std::optional<SliceSelection> slice_selection(const py::object& slices) {
    if (slices.is_none()) {
        return std::nullopt;
    }
    if (!py::isinstance<py::tuple>(slices)) {
        return slices.cast<std::vector<std::int64_t>>();
    }
    using Bound = std::optional<std::int64_t>;
    const auto [start, stop, step] = slices.cast<std::tuple<Bound, Bound, Bound>>();
    return SliceRange{.start = start, .stop = stop, .step = step.value_or(1)};
}

std::optional<Region> region_from(const py::object& region) {
    if (region.is_none()) {
        return std::nullopt;
    }
    const auto [y0, y1, x0, x1] = region.cast<std::array<std::int64_t, 4>>();
    return Region{.y0 = y0, .y1 = y1, .x0 = x0, .x1 = x1};
}

py::dict load(const py::list& sources, const std::optional<std::string>& series,
              const py::kwargs& options) {
    const HeldSources held{sources};
    LoadRequest request = load_request(options);
    request.sources = held.sources();
    request.series = series;
    LoadStats stats;
    LoadedSeries loaded;
    {
        const py::gil_scoped_release release;
        loaded = load_series(request, stats);
    }
    remember_stats(stats);
    return to_python(std::move(loaded), request.out.has_value());
}

/// The places of the frames in one block of memory, each as large as the next.
std::vector<CallerBuffer> equal_parts(const OutArgument::value_type& out,
                                      const std::vector<std::size_t>& shape, std::size_t count) {
    const CallerBuffer whole = *caller_buffer(out);
    const std::size_t size = whole.bytes.size() / std::max<std::size_t>(count, 1);
    if (size * count != whole.bytes.size()) {
        throw std::invalid_argument{"memory that is not of so many frames"};
    }
    std::vector<CallerBuffer> parts;
    parts.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        parts.push_back(
            {.bytes = whole.bytes.subspan(i * size, size), .dtype = whole.dtype, .shape = shape});
    }
    return parts;
}

/// `files`: (path, frame, size, mtime_ns) of each frame, whose values have `shape`.
std::vector<bool> decode_each(
    const std::vector<std::tuple<py::str, std::int64_t, std::uint64_t, std::int64_t>>& files,
    const std::vector<std::size_t>& shape, const OutArgument::value_type& out,
    const std::string& output, const std::optional<std::string>& dtype, std::size_t reduce,
    const py::object& finish, std::size_t num_threads) {
    LoadRequest request;
    request.output = output_options(output, dtype, std::nullopt);
    request.output.finish = finish_from(finish);
    request.reduce = reduce_from(reduce);
    request.parallel = parallel_options(num_threads);
    const std::vector<CallerBuffer> parts = equal_parts(out, shape, files.size());
    std::vector<FrameOfFile> frames;
    frames.reserve(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const auto& [path, frame, size, mtime_ns] = files[i];
        frames.push_back({.path = from_python_path(path),
                          .frame = frame,
                          .known = {.size = size, .mtime_ns = mtime_ns},
                          .out = parts[i]});
    }
    LoadStats stats;
    std::vector<bool> is_there;
    {
        const py::gil_scoped_release release;
        is_there = torchdicom::decode_each(request, frames, stats);
    }
    remember_stats(stats);
    return is_there;
}

py::tuple decode(const py::object& source, const std::optional<std::vector<std::int64_t>>& frames,
                 const std::string& output, const std::optional<std::string>& dtype,
                 const py::object& region, std::size_t reduce,
                 const std::optional<std::string>& codec, std::optional<std::string> rwvm,
                 const py::object& finish, const OutArgument& out, std::size_t num_threads) {
    py::list sources;
    sources.append(source);
    const HeldSources held{sources};
    LoadRequest request;
    request.sources = held.sources();
    request.output = output_options(output, dtype, std::move(rwvm));
    request.output.finish = finish_from(finish);
    request.region = region_from(region);
    request.reduce = reduce_from(reduce);
    request.codec = codec.value_or("");
    request.out = caller_buffer(out);
    request.parallel = parallel_options(num_threads);
    LoadStats stats;
    DecodedFrames decoded;
    {
        const py::gil_scoped_release release;
        decoded = decode_frames(request, frames, stats);
    }
    remember_stats(stats);
    return py::make_tuple(out ? py::object{py::none{}}
                              : py::object{to_array(std::move(decoded.buffer), decoded.plan)},
                          name_of(decoded.plan.dtype));
}

} // namespace

Policy policy_from(const py::dict& options) {
    Policy policy;
    for (const auto& [key, value] : options) {
        const auto name = key.cast<std::string>();
        if (py::isinstance<py::str>(value)) {
            policy.set(name, value.cast<std::string>());
        } else {
            policy.set_tolerance(name, value.cast<double>());
        }
    }
    return policy;
}

LoadRequest load_request(const py::kwargs& options) {
    constexpr std::size_t kOptions = 14;
    if (options.size() != kOptions) {
        throw std::invalid_argument{"a load has " + std::to_string(kOptions) + " options, not " +
                                    std::to_string(options.size())};
    }
    LoadRequest request;
    request.policy = policy_from(options["policy"].cast<py::dict>());
    request.output = output_options(options["output"].cast<std::string>(),
                                    options["dtype"].cast<std::optional<std::string>>(),
                                    options["rwvm"].cast<std::optional<std::string>>());
    request.output.finish = finish_from(options["finish"]);
    request.texts = options["texts"].cast<std::vector<Tag>>();
    request.slices = slice_selection(options["slices"]);
    request.times = slice_selection(options["t"]);
    request.region = region_from(options["region"]);
    request.reduce = reduce_from(options["reduce"].cast<std::size_t>());
    request.codec = options["codec"].cast<std::optional<std::string>>().value_or("");
    request.mask = options["mask"].cast<bool>();
    request.out = caller_buffer(options["out"].cast<OutArgument>());
    request.parallel = parallel_options(options["num_threads"].cast<std::size_t>());
    return request;
}

void register_load(py::module_& module) {
    module.def("load_series", &load, py::arg("sources"), py::kw_only(), py::arg("series"));
    module.def("decode_frames", &decode, py::arg("source"), py::kw_only(), py::arg("frames"),
               py::arg("output"), py::arg("dtype"), py::arg("region"), py::arg("reduce"),
               py::arg("codec"), py::arg("rwvm"), py::arg("finish"), py::arg("out"),
               py::arg("num_threads"));
    module.def("decode_each", &decode_each, py::arg("files"), py::kw_only(), py::arg("shape"),
               py::arg("out"), py::arg("output"), py::arg("dtype"), py::arg("reduce"),
               py::arg("finish"), py::arg("num_threads"));
}

} // namespace torchdicom::bind
