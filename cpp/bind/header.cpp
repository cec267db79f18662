// read_header, and the headers of a whole tree.

#include "bind/bindings.hpp"
#include "header/values.hpp"
#include "pipeline/load.hpp"

namespace torchdicom::bind {

namespace {

template <std::size_t N> py::tuple to_tuple(const std::optional<std::array<double, N>>& values) {
    py::tuple tuple{values ? N : 0};
    for (std::size_t i = 0; i < tuple.size(); ++i) {
        tuple[i] = (*values)[i];
    }
    return tuple;
}

py::tuple image_type(const std::string& text) {
    py::tuple values{text.empty() ? 0 : count_values(text)};
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = to_python_text(trimmed(nth_value(text, i)));
    }
    return values;
}

py::tuple frame_ranges(const FrameTable& frames) {
    py::tuple all{frames.size()};
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto ranges = frames.ranges(i);
        py::tuple one{ranges.size()};
        for (std::size_t k = 0; k < ranges.size(); ++k) {
            one[k] = py::make_tuple(ranges[k].offset, ranges[k].length);
        }
        all[i] = one;
    }
    return all;
}

void add_pixel_format(const FileHeader& header, py::dict& result) {
    result["rows"] = header.rows;
    result["columns"] = header.columns;
    result["number_of_frames"] = header.number_of_frames();
    result["samples_per_pixel"] = header.samples_per_pixel.value_or(1);
    result["photometric_interpretation"] = text_or_none(header.photometric_interpretation);
    result["planar_configuration"] = header.planar_configuration.value_or(0);
    result["bits_allocated"] = header.bits_allocated;
    result["bits_stored"] = header.bits_stored;
    const bool is_implied = !header.high_bit && header.bits_stored.value_or(0) > 0;
    result["high_bit"] = is_implied ? std::optional{*header.bits_stored - 1} : header.high_bit;
    result["is_signed"] = header.pixel_representation
                              ? py::object{py::bool_{*header.pixel_representation == 1}}
                              : py::object{py::none{}};
}

/// The fields of torchdicom.Header by name.
py::dict to_dict(const FileHeader& header) {
    py::dict result;
    result["path"] = to_python_path(header.path);
    result["transfer_syntax_uid"] = to_python_text(header.transfer_syntax_uid);
    result["sop_class_uid"] = text_or_none(header.sop_class_uid);
    result["sop_instance_uid"] = text_or_none(header.sop_instance_uid);
    result["series_instance_uid"] = text_or_none(header.series_instance_uid);
    result["modality"] = text_or_none(header.modality);
    result["image_type"] = image_type(header.image_type);
    result["instance_number"] = header.instance_number;
    add_pixel_format(header, result);
    result["image_position_patient"] = to_tuple(header.image_position_patient);
    result["image_orientation_patient"] = to_tuple(header.image_orientation_patient);
    result["pixel_spacing"] = to_tuple(header.pixel_spacing);
    result["slice_thickness"] = header.slice_thickness;
    result["rescale_slope"] = header.rescale_slope;
    result["rescale_intercept"] = header.rescale_intercept;
    result["rescale_type"] = text_or_none(header.rescale_type);
    result["units"] = text_or_none(header.units);
    result["frame_ranges"] = frame_ranges(header.frames);
    py::tuple notes{header.notes.size()};
    for (std::size_t i = 0; i < notes.size(); ++i) {
        notes[i] = py::str{header.notes[i]};
    }
    result["notes"] = notes;
    return result;
}

py::dict header_of(const py::object& source) {
    py::list sources;
    sources.append(source);
    const HeldSources held{sources};
    LoadStats stats;
    FileHeader header;
    {
        const py::gil_scoped_release release;
        header = read_header(held.sources().front(), {.texts = {}, .skip_tables = true}, stats);
    }
    return to_dict(header);
}

/// (path, SeriesInstanceUID, SOPInstanceUID, position or ()) for every DICOM file below the
/// sources.
py::list scan_headers(const py::list& sources, std::size_t num_threads) {
    const HeldSources held{sources};
    const ParallelOptions parallel = parallel_options(num_threads);
    LoadStats stats;
    stats.threads = num_threads;
    std::vector<FileHeader> headers;
    {
        const py::gil_scoped_release release;
        headers = read_headers(discover(held.sources()), {.texts = {}, .skip_tables = true},
                               parallel, stats);
    }
    remember_stats(stats);
    py::list rows{headers.size()};
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const FileHeader& header = headers[i];
        rows[i] = py::make_tuple(
            to_python_path(header.path), text_or_none(header.series_instance_uid),
            text_or_none(header.sop_instance_uid), to_tuple(header.image_position_patient));
    }
    return rows;
}

} // namespace

void register_header(py::module_& module) {
    module.def("read_header", &header_of, py::arg("source"));
    module.def("scan_headers", &scan_headers, py::arg("sources"), py::kw_only(),
               py::arg("num_threads"));
}

} // namespace torchdicom::bind
