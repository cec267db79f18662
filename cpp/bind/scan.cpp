// Scans and indexes: columns of NumPy arrays to and from the core.

#include "pipeline/scan.hpp"
#include "bind/bindings.hpp"
#include "bind/columns.hpp"
#include "plan/repair.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <tuple>

namespace torchdicom::bind {

namespace {

/// (name, type) of each column, in order.
py::list core_column_list() {
    py::list list;
    for (const ColumnSpec& spec : core_columns()) {
        list.append(
            py::make_tuple(std::string{spec.name}, std::string{torchdicom::name_of(spec.type)}));
    }
    return list;
}

/// "0018,0050"
std::string text_name(Tag tag) { return element_name(tag).substr(1, 9); }

py::tuple discover_files(const py::list& named) {
    std::vector<std::string> paths;
    for (const py::handle& path : named) {
        paths.push_back(from_python_path(path));
    }
    const ParallelOptions options = parallel_options(1);
    FoundFiles found;
    {
        const py::gil_scoped_release release;
        found = find_files(paths, options.checkpoint);
    }
    Column column = make_column({.name = "path", .type = ColumnType::text}, found.paths.size());
    std::size_t bytes = 0;
    for (const std::string& path : found.paths) {
        bytes += path.size();
    }
    column.bytes.reserve(bytes);
    for (const std::string& path : found.paths) {
        append_text(path, column);
    }
    py::list skipped;
    for (const Unreachable& one : found.unreachable) {
        skipped.append(py::make_tuple(py::bytes{one.path},
                                      std::string{code_name(ErrorCode::os_error)},
                                      to_python_path(one.message)));
    }
    return py::make_tuple(to_python(std::move(column)), skipped);
}

ColumnView path_column(const py::handle& value, HeldArrays& arrays) {
    ColumnView paths = arrays.view({.name = "paths", .type = ColumnType::text}, value);
    const std::size_t count = count_records(paths);
    for (std::size_t i = 0; i < count; ++i) {
        // The system would take what is before the NUL for the whole.
        const std::string_view path = text_at(paths, i);
        if (path.empty() || path.find('\0') != std::string_view::npos) {
            fail_index("paths", "a path that no file can have");
        }
    }
    return paths;
}

std::vector<std::string> paths_from(const py::handle& value) {
    HeldArrays arrays;
    const ColumnView column = path_column(value, arrays);
    std::vector<std::string> paths(count_records(column));
    for (std::size_t i = 0; i < paths.size(); ++i) {
        paths[i] = text_at(column, i);
    }
    return paths;
}

py::dict rows_to_python(Rows rows, const std::vector<Tag>& tags) {
    py::dict columns;
    for (Column& column : rows.columns) {
        const py::str name{column.spec.name.data(), column.spec.name.size()};
        columns[name] = to_python(std::move(column));
    }
    py::dict texts;
    for (std::size_t i = 0; i < tags.size(); ++i) {
        texts[py::str{text_name(tags[i])}] = to_python(std::move(rows.texts[i]));
    }
    py::list others;
    for (const PassedOver& other : rows.others) {
        others.append(
            py::make_tuple(other.file, std::string{other.code}, to_python_path(other.message)));
    }
    py::dict result;
    result["columns"] = columns;
    result["file"] = to_array(std::move(rows.file));
    result["texts"] = texts;
    result["others"] = others;
    result["size"] = to_array(std::move(rows.states.size));
    result["mtime_ns"] = to_array(std::move(rows.states.mtime_ns));
    return result;
}

py::tuple states_of_files(const py::object& paths, std::size_t num_threads) {
    HeldArrays arrays;
    const ColumnView files = path_column(paths, arrays);
    const ParallelOptions parallel = parallel_options(num_threads);
    FileStates states;
    {
        const py::gil_scoped_release release;
        states = file_states(files, parallel);
    }
    return py::make_tuple(to_array(std::move(states.size)), to_array(std::move(states.mtime_ns)));
}

py::array numbers_of_paths(const py::object& sorted, const py::object& wanted, std::size_t skip) {
    HeldArrays arrays;
    const ColumnView known = path_column(sorted, arrays);
    for (std::size_t i = 0; i + 1 < known.offsets.size(); ++i) {
        if (text_at(known, i).size() < skip) {
            fail_index("paths", "a path shorter than that of its folder");
        }
    }
    const ColumnView paths = path_column(wanted, arrays);
    std::vector<std::int64_t> numbers;
    {
        const py::gil_scoped_release release;
        numbers = find_paths(known, paths, skip);
    }
    return to_array(std::move(numbers));
}

/// Views of the core's columns among those of `columns`.
Records records_from(const py::dict& columns, HeldArrays& arrays) {
    std::vector<ColumnView> views;
    for (const ColumnSpec& spec : core_columns()) {
        views.push_back(arrays.view(spec, item(columns, spec.name)));
    }
    return Records{std::move(views)};
}

py::dict part_to_python(GroupedPart part) {
    constexpr std::size_t kModality = 1;
    const Series& series = part.series;
    py::list splitting;
    for (const std::string& text : series.splitting) {
        splitting.append(to_python_text(text));
    }
    py::dict result;
    result["key"] = to_python_text(series.key);
    result["series_instance_uid"] = to_python_text(series.series_instance_uid);
    result["kind"] = std::string{torchdicom::name_of(series.kind)};
    result["modality"] = splitting[kModality];
    result["splitting"] = splitting;
    result["rows"] = to_array(std::move(part.rows));
    result["set_aside"] = to_array(std::move(part.set_aside));
    result["affine_columns"] = series.affine;
    result["spacing_mm"] = py::tuple{py::cast(series.spacing_mm)};
    result["spacing_source"] = series.spacing_source.empty()
                                   ? py::object{py::none{}}
                                   : py::object{to_python_text(series.spacing_source)};
    result["units"] = to_python_text(series.units);
    result["times"] = series.times;
    result["ok"] = part.is_ok;
    result["defects"] = to_python(series.defects);
    return result;
}

py::list group(const Records& records, const py::dict& policy, std::size_t num_threads) {
    const Tolerances tolerances = policy_from(policy).tolerances;
    const ParallelOptions parallel = parallel_options(num_threads);
    LoadStats stats;
    stats.threads = num_threads;
    std::vector<GroupedPart> parts;
    {
        const py::gil_scoped_release release;
        parts = group_records(records, tolerances, parallel, stats);
    }
    remember_stats(stats);
    py::list list;
    for (GroupedPart& part : parts) {
        list.append(part_to_python(std::move(part)));
    }
    return list;
}

py::list group_rows(const py::dict& columns, const py::dict& policy, std::size_t num_threads) {
    HeldArrays arrays;
    return group(records_from(columns, arrays), policy, num_threads);
}

/// Reads headers, some at a time, and keeps them where no conversion is needed to group them.
class HeaderRows {
  public:
    explicit HeaderRows(std::vector<Tag> texts) : texts_{std::move(texts)} {
        std::ranges::sort(texts_);
        texts_.erase(std::unique(texts_.begin(), texts_.end()), texts_.end());
        rows_ = make_rows(texts_.size());
    }

    std::size_t read(const py::object& paths, std::size_t num_threads, double most_seconds) {
        const std::vector<std::string> files = paths_from(paths);
        const ParallelOptions parallel = parallel_options(num_threads);
        const std::chrono::duration<double> most{most_seconds};
        LoadStats stats;
        stats.threads = num_threads;
        std::size_t read = 0;
        {
            const py::gil_scoped_release release;
            read = read_rows(files, texts_, most, parallel, stats, rows_);
        }
        remember_stats(stats);
        return read;
    }

    [[nodiscard]] py::list group(const py::dict& policy, std::size_t num_threads) const {
        return bind::group(Records{view_of(rows_.columns)}, policy, num_threads);
    }

    /// Gives everything away. `order`: the records as they are wanted, or None.
    py::dict take(const py::object& order) {
        Rows rows = std::exchange(rows_, make_rows(texts_.size()));
        if (!order.is_none()) {
            HeldArrays arrays;
            reorder(arrays.view({.name = "order", .type = ColumnType::integer}, order).integers,
                    rows);
        }
        return rows_to_python(std::move(rows), texts_);
    }

  private:
    std::vector<Tag> texts_;
    Rows rows_;
};

std::string from_python_text(const py::str& text) {
    PyObject* const encoded = PyUnicode_AsLatin1String(text.ptr());
    if (encoded == nullptr) {
        throw py::error_already_set{};
    }
    return py::reinterpret_steal<py::bytes>(encoded);
}

/// A defect that is about the siblings of a part, from the index that kept it.
Defect sibling_defect(const py::handle& row) {
    struct Rule {
        ErrorCode code;
        Tag tag;
    };
    constexpr std::array kRules{Rule{ErrorCode::localizer, tags::ImageType},
                                Rule{ErrorCode::mixed_size, tags::Rows},
                                Rule{ErrorCode::mixed_pixel_format, tags::BitsAllocated},
                                Rule{ErrorCode::mixed_orientation, tags::ImageOrientationPatient},
                                Rule{ErrorCode::missing_slices, tags::InConcatenationTotalNumber}};
    constexpr std::array<std::string_view, 3> kMeasured{"files", "parts", "missing"};
    using Slices = std::vector<std::size_t>;
    using Files = std::vector<py::str>;
    using Numbers = std::map<std::string, double>;
    const auto values = row.cast<std::tuple<std::string, py::str, Slices, Files, Numbers>>();
    const auto* const rule = std::find_if(kRules.begin(), kRules.end(), [&values](const Rule& one) {
        return code_name(one.code) == std::get<std::string>(values);
    });
    if (rule == kRules.end()) {
        fail_index("context", "a defect that is not about other parts");
    }
    Defect defect{.code = rule->code,
                  .message = from_python_path(std::get<py::str>(values)),
                  .slices = std::get<Slices>(values)};
    for (const py::str& file : std::get<Files>(values)) {
        defect.files.push_back(from_python_path(file));
    }
    for (const auto& [name, value] : std::get<Numbers>(values)) {
        const auto* const known = std::find(kMeasured.begin(), kMeasured.end(), name);
        if (known == kMeasured.end()) {
            fail_index("context", "a number of another defect");
        }
        defect.measured.emplace_back(*known, value);
    }
    defect.place = {.path = defect.files.empty() ? std::string{} : defect.files.front(),
                    .element = element_name(rule->tag)};
    return defect;
}

std::vector<Defect> sibling_defects(const py::list& rows) {
    std::vector<Defect> defects;
    for (const py::handle& row : rows) {
        try {
            defects.push_back(sibling_defect(row));
        } catch (const py::cast_error&) {
            fail_index("context", "a defect of another form");
        }
    }
    return defects;
}

py::dict load_rows(const py::dict& columns, const py::str& key, const py::list& context,
                   const py::kwargs& options) {
    HeldArrays arrays;
    const LoadRequest request = load_request(options);
    const Records records = records_from(columns, arrays);
    std::vector<TextColumn> texts;
    for (const Tag tag : request.texts) {
        const std::string name = text_name(tag);
        const ColumnSpec spec{.name = "texts", .type = ColumnType::word};
        texts.push_back({.tag = tag, .column = arrays.view(spec, item(columns, name))});
        if (count_records(texts.back().column) != records.size()) {
            fail_index(name, "another number of records than the other columns have");
        }
    }
    const std::string part_key = from_python_text(key);
    std::vector<Defect> siblings = sibling_defects(context);
    LoadStats stats;
    stats.threads = request.parallel.threads;
    LoadedSeries loaded;
    {
        const py::gil_scoped_release release;
        loaded = load_part(part_of(records, texts, part_key, std::move(siblings)), request, stats);
    }
    remember_stats(stats);
    return to_python(std::move(loaded), request.out.has_value());
}

/// (slices, rows, columns, columns of the affine) of what the policy makes of the records of one
/// series, in pixels of the files, for a load that halves so often; None where it repairs nothing.
py::object repaired_stack(const py::dict& columns, const py::dict& policy, std::uint32_t reduce) {
    HeldArrays arrays;
    const Policy chosen = policy_from(policy);
    LoadStats stats;
    Series series = part_of(records_from(columns, arrays), {}, "", {});
    judge_series(series, chosen.tolerances, stats);
    const std::optional<Repair> repair = repair_of(series, chosen);
    if (!repair) {
        return py::none{};
    }
    const FileHeader& first = series.slices.front();
    const Window whole{.y1 = first.rows.value_or(0), .x1 = first.columns.value_or(0)};
    const Window left = reduced(whole, reduce);
    const Canvas canvas =
        canvas_of(*repair, {.rows = left.rows(), .columns = left.columns()}, reduce);
    return py::make_tuple(
        repair->slices.size(), whole.y1 + ((canvas.top + canvas.bottom) << reduce),
        whole.x1 + ((canvas.left + canvas.right) << reduce), affine_of(*repair, canvas, reduce));
}

} // namespace

void register_scan(py::module_& module) {
    module.def("core_columns", &core_column_list);
    module.def("discover_files", &discover_files, py::arg("paths"));
    module.def("find_paths", &numbers_of_paths, py::arg("known"), py::arg("wanted"),
               py::arg("skip") = 0);
    module.def("file_states", &states_of_files, py::arg("paths"), py::arg("num_threads"));
    // An ordinary class, for the checks of the stubs: there are no static properties in it.
    py::class_<HeaderRows>(module, "HeaderRows", py::is_final{},
                           py::metaclass{py::module_::import("builtins").attr("type")})
        .def(py::init<std::vector<Tag>>(), py::arg("texts"))
        .def("read", &HeaderRows::read, py::arg("paths"), py::kw_only(), py::arg("num_threads"),
             py::arg("most_seconds") = std::numeric_limits<double>::infinity())
        .def("group", &HeaderRows::group, py::arg("policy"), py::kw_only(), py::arg("num_threads"))
        .def("take", &HeaderRows::take, py::arg("order") = py::none());
    module.def("group_rows", &group_rows, py::arg("columns"), py::arg("policy"), py::kw_only(),
               py::arg("num_threads") = 1);
    module.def("repaired_stack", &repaired_stack, py::arg("columns"), py::arg("policy"),
               py::arg("reduce"));
    module.def("load_rows", &load_rows, py::arg("columns"), py::kw_only(), py::arg("key"),
               py::arg("context"));
}

} // namespace torchdicom::bind
