// What a load returns, as Python objects.

#include "bind/bindings.hpp"
#include "header/sop_classes.hpp"

namespace torchdicom::bind {

namespace {

/// That of a slice that no file has.
py::tuple provenance_at(const Vector3& position) {
    return py::make_tuple("", -1, "", py::make_tuple(position[0], position[1], position[2]),
                          kUnknown, kUnknown);
}

/// (path, frame, SOPInstanceUID, position, slope, intercept) for every slice, or frame of a cine.
py::list provenance(const LoadedSeries& loaded) {
    py::list list;
    for (std::size_t i = 0; i < loaded.plan.tasks.size(); ++i) {
        if (i < loaded.made.size() && loaded.made[i]) {
            list.append(provenance_at(*loaded.made[i]));
            continue;
        }
        const FrameTask& task = loaded.plan.tasks[i];
        const FileHeader& header = loaded.series.slices[task.header];
        const Vector3 position =
            header.image_position_patient.value_or(Vector3{kUnknown, kUnknown, kUnknown});
        const std::int64_t frame = header.part.first + static_cast<std::int64_t>(task.frame);
        list.append(py::make_tuple(to_python_path(header.path), frame,
                                   to_python_text(header.sop_instance_uid),
                                   py::make_tuple(position[0], position[1], position[2]),
                                   task.mapping.rescale.slope, task.mapping.rescale.intercept));
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

py::tuple dims(const Plan& plan) {
    py::list names;
    if (plan.stack == Stack::t_and_z) {
        names.append("t");
    }
    if (plan.channels > 1) {
        names.append("c");
    }
    for (const char* const name : {"z", "y", "x"}) {
        names.append(name);
    }
    return py::tuple{names};
}

py::list to_python_paths(const std::vector<std::string>& texts) {
    py::list list;
    for (const std::string& text : texts) {
        list.append(to_python_path(text));
    }
    return list;
}

/// (keyword, width, values) of each.
py::list to_list(const std::vector<Coordinate>& coordinates) {
    py::list list;
    for (const Coordinate& one : coordinates) {
        list.append(py::make_tuple(std::string{one.name}, one.width, one.values));
    }
    return list;
}

py::object mask_or_none(Buffer mask, const Plan& plan) {
    return plan.has_mask ? py::object{to_mask_array(std::move(mask), plan)}
                         : py::object{py::none{}};
}

} // namespace

py::list to_python(const std::vector<Defect>& defects) {
    py::list list;
    for (const Defect& defect : defects) {
        py::dict measured;
        for (const auto& [name, value] : defect.measured) {
            measured[py::str{name.data(), name.size()}] = value;
        }
        list.append(py::make_tuple(std::string{code_name(defect.code)},
                                   to_python_path(defect.message),
                                   py::tuple{py::cast(defect.slices)},
                                   py::tuple{to_python_paths(defect.files)}, measured));
    }
    return list;
}

py::dict to_python(LoadedSeries loaded, bool is_callers) {
    const Series& series = loaded.series;
    py::dict result;
    result["dtype"] = name_of(loaded.plan.dtype);
    result["data"] = is_callers ? py::object{py::none{}}
                                : py::object{to_array(std::move(loaded.buffer), loaded.plan)};
    result["mask"] = mask_or_none(std::move(loaded.mask), loaded.plan);
    result["dims"] = dims(loaded.plan);
    result["kind"] = std::string{torchdicom::name_of(series.kind)};
    result["key"] = to_python_text(series.key);
    result["affine_columns"] = loaded.grid.affine;
    result["spacing_mm"] = py::tuple{py::cast(loaded.grid.spacing_mm)};
    result["spacing_source"] = text_or_none(series.spacing_source);
    result["over_time"] = to_list(loaded.over_time);
    result["over_slices"] = to_list(loaded.over_slices);
    result["space"] = series.slices.front().sop_class_uid == kUltrasoundVolume ? "VOLUME" : "LPS";
    result["units"] = to_python_text(loaded.units);
    result["ok"] = is_ok(series);
    result["defects"] = to_python(series.defects);
    result["warnings"] = to_python_paths(loaded.warnings);
    result["provenance"] = provenance(loaded);
    result["texts"] = texts(series.slices.front());
    result["path"] = to_python_path(series.slices.front().path);
    return result;
}

} // namespace torchdicom::bind
