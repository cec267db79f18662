// Headers made by hand, and what was found about them as one line of text.
#pragma once

#include "series/series.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace torchdicom::test {

using Headers = std::vector<FileHeader>;

/// An axial CT slice at z, 4 rows of 6 pixels, 0.5 mm between rows and 0.75 between columns.
inline FileHeader slice_at(double z) {
    FileHeader header;
    header.path = "z";
    header.path += std::to_string(static_cast<int>(std::clamp(z, -1e6, 1e6)));
    header.transfer_syntax_uid = "1.2.840.10008.1.2.1";
    header.transfer_syntax = find_transfer_syntax(header.transfer_syntax_uid).value();
    header.sop_class_uid = "1.2.840.10008.5.1.4.1.1.2";
    header.series_instance_uid = "1.2.3";
    header.modality = "CT";
    header.image_type = "ORIGINAL\\PRIMARY\\AXIAL";
    header.sop_instance_uid = "1.2.3.";
    header.sop_instance_uid += std::to_string(z);
    header.rows = 4;
    header.columns = 6;
    header.bits_allocated = 16;
    header.pixel_representation = 1;
    header.image_position_patient = {10, 20, z};
    header.image_orientation_patient = {1, 0, 0, 0, 1, 0};
    header.pixel_spacing = {0.5, 0.75};
    header.rescale_slope = 1;
    header.rescale_intercept = -1024;
    header.pixels = PixelElement{.element = {.tag = tags::PixelData}};
    return header;
}

inline Headers slices_at(const std::vector<double>& places) {
    Headers headers;
    for (const double z : places) {
        headers.push_back(slice_at(z));
    }
    return headers;
}

/// A radiograph: one frame without a place.
inline FileHeader image_named(const std::string& path, const std::string& instance) {
    FileHeader header = slice_at(0);
    header.path = path;
    header.sop_instance_uid = instance;
    header.modality = "DX";
    header.image_position_patient.reset();
    header.image_orientation_patient.reset();
    return header;
}

/// "code [slices] files {measured} @place", what is empty left out; "!" marks a refusal.
inline std::string text_of(const Defect& defect) {
    std::string text = defect.is_refusal ? "!" : "";
    text.append(code_name(defect.code));
    const char* before = " [";
    for (const std::size_t slice : defect.slices) {
        text.append(before).append(std::to_string(slice));
        before = " ";
    }
    text.append(defect.slices.empty() ? "" : "]");
    for (const std::string& file : defect.files) {
        text.append(" ").append(file);
    }
    before = " {";
    for (const auto& [name, value] : defect.measured) {
        std::array<char, 64> number{};
        std::snprintf(number.data(), number.size(), "%g", value);
        text.append(before).append(name).append(" ").append(number.data());
        before = ", ";
    }
    text.append(defect.measured.empty() ? "" : "}");
    const Place& place = defect.place;
    text.append(place.path.empty() ? "" : " @").append(place.path);
    return text.append(place.element.empty() ? "" : " ").append(place.element);
}

/// All defects, one a line.
inline std::string verdict_of(const Series& series) {
    std::string text;
    for (const Defect& defect : series.defects) {
        text.append(text.empty() ? "" : "\n").append(text_of(defect));
    }
    return text;
}

inline std::vector<std::string> paths_of(const Series& series) {
    std::vector<std::string> paths;
    for (const FileHeader& slice : series.slices) {
        paths.push_back(slice.path);
    }
    return paths;
}

/// The only part of these, judged; its key is "several" where there are more.
inline Series judged(Headers headers, const Tolerances& tolerances = {}) {
    std::vector<Series> parts = split_series(std::move(headers));
    if (parts.size() != 1) {
        Series several;
        several.key = "several";
        return several;
    }
    LoadStats stats;
    judge_series(parts.front(), tolerances, stats);
    return std::move(parts.front());
}

} // namespace torchdicom::test
