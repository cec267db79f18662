// load and decode.

#include "pipeline/load.hpp"
#include "bind/bindings.hpp"

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

OutputOptions output_options(const std::string& output, const std::optional<std::string>& dtype) {
    OutputOptions options;
    options.output = output == "stored" ? Output::stored : Output::modality;
    if (dtype) {
        options.dtype = dtype_from_name(*dtype);
    }
    return options;
}

py::list to_python(const std::vector<Defect>& defects) {
    py::list list;
    for (const Defect& defect : defects) {
        py::dict measured;
        for (const auto& [name, value] : defect.measured) {
            measured[py::str{name.data(), name.size()}] = value;
        }
        list.append(py::make_tuple(std::string{defect.code}, defect.message, measured));
    }
    return list;
}

/// (path, frame, SOPInstanceUID, position, slope, intercept) for every slice.
py::list provenance(const LoadedSeries& loaded) {
    py::list list;
    for (const FrameTask& task : loaded.plan.tasks) {
        const FileHeader& header = loaded.series.slices[task.header];
        const Vector3& position = *header.image_position_patient;
        list.append(py::make_tuple(to_python_path(header.path), task.frame,
                                   to_python_text(header.sop_instance_uid),
                                   py::make_tuple(position[0], position[1], position[2]),
                                   task.rescale.slope, task.rescale.intercept));
    }
    return list;
}

/// The raw texts of the first slice, by tag.
py::dict texts(const FileHeader& header) {
    py::dict values;
    values[py::int_(tags::TransferSyntaxUID)] = py::bytes{header.transfer_syntax_uid};
    values[py::int_(tags::SpecificCharacterSet)] = py::bytes{header.specific_character_set};
    for (const auto& [tag, value] : header.texts) {
        values[py::int_(tag)] = py::bytes{value};
    }
    return values;
}

py::object array_or_none(Buffer buffer, const Plan& plan, bool is_callers) {
    return is_callers ? py::object{py::none{}} : py::object{to_array(std::move(buffer), plan)};
}

py::dict load(const py::list& sources, const std::string& output,
              const std::optional<std::string>& dtype, const OutArgument& out,
              std::size_t num_threads, const std::vector<Tag>& wanted_texts) {
    const HeldSources held{sources};
    const LoadRequest request{.sources = held.sources(),
                              .output = output_options(output, dtype),
                              .texts = wanted_texts,
                              .out = caller_buffer(out),
                              .parallel = parallel_options(num_threads)};
    LoadStats stats;
    LoadedSeries loaded;
    {
        const py::gil_scoped_release release;
        loaded = load_series(request, stats);
    }
    remember_stats(stats);
    py::dict result;
    result["dtype"] = name_of(loaded.plan.dtype);
    result["data"] = array_or_none(std::move(loaded.buffer), loaded.plan, out.has_value());
    result["affine_columns"] = loaded.series.affine;
    result["units"] = loaded.series.units;
    result["defects"] = to_python(loaded.series.defects);
    result["provenance"] = provenance(loaded);
    result["texts"] = texts(loaded.series.slices.front());
    return result;
}

py::tuple decode(const py::object& source, const std::optional<std::vector<std::int64_t>>& frames,
                 const std::string& output, const std::optional<std::string>& dtype,
                 const OutArgument& out, std::size_t num_threads) {
    py::list sources;
    sources.append(source);
    const HeldSources held{sources};
    const LoadRequest request{.sources = held.sources(),
                              .output = output_options(output, dtype),
                              .texts = {},
                              .out = caller_buffer(out),
                              .parallel = parallel_options(num_threads)};
    LoadStats stats;
    DecodedFrames decoded;
    {
        const py::gil_scoped_release release;
        decoded = decode_frames(request, frames, stats);
    }
    remember_stats(stats);
    return py::make_tuple(array_or_none(std::move(decoded.buffer), decoded.plan, out.has_value()),
                          name_of(decoded.plan.dtype));
}

} // namespace

void register_load(py::module_& module) {
    module.def("load_series", &load, py::arg("sources"), py::kw_only(), py::arg("output"),
               py::arg("dtype"), py::arg("out"), py::arg("num_threads"), py::arg("texts"));
    module.def("decode_frames", &decode, py::arg("source"), py::kw_only(), py::arg("frames"),
               py::arg("output"), py::arg("dtype"), py::arg("out"), py::arg("num_threads"));
}

} // namespace torchdicom::bind
