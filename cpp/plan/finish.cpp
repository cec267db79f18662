// From what is asked for, and what the file says about its display, to what is done.

#include "plan/finish.hpp"

#include "header/tables.hpp"
#include "header/values.hpp"
#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace torchdicom {

namespace {

/// The stored values that there can be.
ClipRange stored_range(const PixelFormat& format) noexcept {
    const double values = std::ldexp(1.0, static_cast<int>(format.bits_stored));
    const double lowest = format.is_signed ? -values / 2 : 0.0;
    return {lowest, lowest + values - 1};
}

/// Whether the values that go into a VOI LUT have a sign, which its first one then has too.
bool may_be_negative(const FileHeader& header, const PixelFormat& format, const Mapping& mapping) {
    if (mapping.table == Table::real_world_lut) {
        return std::ranges::any_of(
            real_world_maps_of(header)[mapping.real_world.value_or(0)].values,
            [](double value) { return value < 0; });
    }
    if (mapping.table != Table::none) {
        return false;
    }
    if (format.sample_type != SampleType::integer) {
        return true;
    }
    const auto [lowest, highest] = stored_range(format);
    const double slope = mapping.rescale.slope;
    const double intercept = mapping.rescale.intercept;
    return std::min(lowest * slope + intercept, highest * slope + intercept) < 0;
}

ValueWindow window_of(const LookupTable& table, bool is_signed) {
    constexpr std::int64_t kEnd = 65'536;
    const double highest = std::ldexp(1.0, static_cast<int>(table.bits)) - 1;
    ValueWindow window{.way = ValueWindow::Way::table, .first = table.first};
    if (is_signed && window.first >= kEnd / 2) {
        window.first -= kEnd;
    }
    window.entries.reserve(table.values.size());
    for (const std::uint16_t value : table.values) {
        window.entries.push_back(static_cast<double>(value) / highest);
    }
    return window;
}

/// The first of several values; nothing where it is empty.
std::optional<double> first_decimal(const std::optional<VoiText>& attribute) {
    if (!attribute) {
        return std::nullopt;
    }
    const std::string_view first = trimmed(nth_value(attribute->text, 0));
    return first.empty() ? std::nullopt : std::optional{parse_decimal(first, attribute->element)};
}

[[noreturn]] void fail_voi(const VoiText& attribute, const std::string& what) {
    fail(ErrorCode::invalid_value,
         what + ". Correct the file, or give a window: output=torchdicom.Window(center, width)",
         attribute.element.place());
}

/// PS3.3 C.11.2.1.2 and C.11.2.1.3.
ValueWindow window_of(const Voi& voi, double center, double width) {
    const std::string function = voi.function ? voi.function->text : "";
    const bool is_linear = function.empty() || function == "LINEAR";
    if (!is_linear && function != "LINEAR_EXACT" && function != "SIGMOID") {
        fail_voi(*voi.function, "There is no function of this name: '" + function + "'");
    }
    if (is_linear ? width < 1 : width <= 0) {
        fail_voi(*voi.width,
                 is_linear ? "The window is narrower than 1" : "The window has no width above 0");
    }
    if (!is_linear) {
        return {.way =
                    function == "SIGMOID" ? ValueWindow::Way::sigmoid : ValueWindow::Way::centred,
                .low = center,
                .width = width};
    }
    return {.way = width == 1 ? ValueWindow::Way::step : ValueWindow::Way::centred,
            .low = center - 0.5,
            .width = width - 1};
}

ValueWindow window_of_gray(const FileHeader& header, const PixelFormat& format,
                           const Mapping& mapping) {
    const Voi& voi = voi_of(header);
    if (voi.table) {
        return window_of(*voi.table, may_be_negative(header, format, mapping));
    }
    const std::optional<double> center = first_decimal(voi.center);
    const std::optional<double> width = first_decimal(voi.width);
    if (!center || !width) {
        fail(ErrorCode::no_window,
             "The file has no window and no VOI LUT. Give one with "
             "output=torchdicom.Window(center, width), or take the values with output='modality'",
             Place{.element = element_name(tags::WindowCenter)});
    }
    return window_of(voi, *center, *width);
}

/// Colours have no window: all that they can be is shown.
ValueWindow window_of_colour(const FileHeader& header, const PixelFormat& format) {
    ClipRange range = stored_range(format);
    if (format.photometric == Photometric::palette) {
        range = {0, std::ldexp(1.0, static_cast<int>(palette_bits(header))) - 1};
    }
    return {.way = ValueWindow::Way::span, .low = range.first, .width = range.second - range.first};
}

ValueWindow window_of_file(const FileHeader& header, const PixelFormat& format,
                           const OutputOptions& options, bool is_colour) {
    if (options.output != Output::modality) {
        throw std::invalid_argument{"the window of a file is one of its modality values"};
    }
    try {
        return is_colour ? window_of_colour(header, format)
                         : window_of_gray(header, format, mapping_of(header, format, options));
    } catch (const Error& error) {
        throw error.located({.path = header.path});
    }
}

void check(const FinishOptions& options, const Plan& plan) {
    if (is_integer(plan.dtype)) {
        throw std::invalid_argument{"a resize, window or normalisation has results in floating "
                                    "point: ask for a dtype of these"};
    }
    if (options.mean.size() != options.std.size() ||
        (options.mean.size() > 1 && options.mean.size() != plan.channels)) {
        throw std::invalid_argument{
            "mean and std have " +
            std::to_string(std::max(options.mean.size(), options.std.size())) +
            " values, and the image has " + std::to_string(plan.channels) +
            (plan.channels == 1 ? " channel" : " channels")};
    }
    if (options.size && (options.size->rows == 0 || options.size->columns == 0)) {
        throw std::invalid_argument{"size is at least one row and one column"};
    }
}

} // namespace

void settle_finish(const FileHeader& of_window, const OutputOptions& options, Plan& plan) {
    if (!options.finish) {
        return;
    }
    const FinishOptions& asked = *options.finish;
    if (asked.repeats_gray) {
        plan.channels = 3;
    }
    check(asked, plan);
    if (asked.size && plan.has_indices()) {
        fail(ErrorCode::unsupported_pixel_format,
             "Indices of a palette have no mean. Take the colours with output='modality', or the "
             "indices without a size",
             of_window.place_of(tags::PhotometricInterpretation));
    }
    const bool resizes = asked.size && *asked.size != plan.decoded();
    Finish& finish = plan.finish.emplace();
    if (resizes) {
        finish.size = asked.size;
    }
    if (asked.takes_file_window) {
        finish.window = window_of_file(of_window, plan.format, options, plan.colours > 1);
    } else {
        finish.window = asked.window;
    }
    finish.clip = asked.clip;
    finish.inverts = finish.window && of_window.photometric_interpretation == "MONOCHROME1";
    finish.mean = asked.mean;
    finish.std = asked.std;
}

} // namespace torchdicom
