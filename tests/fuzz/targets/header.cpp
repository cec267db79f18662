// A whole file: from the prefix to the frames, in memory and through a file descriptor.
// Covers: header/read_header.cpp header/attributes.cpp header/pixel_format.cpp
// Covers: header/quantity_reader.cpp plan/suv.cpp plan/suv_time.cpp
// Covers: header/table_reader.cpp header/lookup_table.cpp header/real_world_map.cpp
// Covers: header/multi_frame_reader.cpp header/functional_groups.cpp header/private_elements.cpp
// Covers: header/csa.cpp header/times.cpp header/divide.cpp header/divide_placed.cpp

#include "fuzz.hpp"
#include "header/columns.hpp"
#include "header/divide.hpp"
#include "header/file_header.hpp"
#include "header/pixel_format.hpp"
#include "header/tables.hpp"
#include "plan/suv.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace torchdicom;

namespace {

constexpr std::array kTexts{tags::Modality, Tag{0x0008'0070}, tags::SeriesInstanceUID};

/// A file in memory under a name, so that the other half of ByteWindow is at work too.
const std::string& file_of(ByteSpan bytes) {
    static const int descriptor = ::memfd_create("fuzz", MFD_CLOEXEC);
    static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    const bool is_written =
        ::ftruncate(descriptor, 0) == 0 &&
        ::pwrite(descriptor, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    fuzz::require(is_written, "the file can be written");
    return path;
}

struct Outcome {
    std::string error;
    FileHeader header;
};

Outcome outcome_of(const Source& source, HeaderOptions options = {.texts = kTexts}) {
    Outcome outcome;
    LoadStats stats;
    options.keep_fetched = true;
    const auto read = [&] { outcome.header = read_header(source, options, stats); };
    if (const auto error = fuzz::error_of(read)) {
        outcome.error = error->what();
    }
    return outcome;
}

/// Where frames may lie: the file, or what it inflates to.
std::uint64_t readable_size(const FileHeader& header, ByteSpan file) {
    return header.transfer_syntax.is_deflated ? header.fetched->bytes.size() : file.size();
}

void check_table(const LookupTable& table) {
    fuzz::require(!table.values.empty() && table.values.size() <= 65'536, "tables have entries");
    fuzz::require(table.bits == 16 ||
                      (table.bits == 8 && *std::ranges::max_element(table.values) <= 255),
                  "entries have their bits");
}

void check_tables(const FileHeader& header) {
    if (!fuzz::error_of([&] { static_cast<void>(palette_of(header)); })) {
        check_table(header.palette->red);
        check_table(header.palette->green);
        check_table(header.palette->blue);
    }
    if (!fuzz::error_of([&] { static_cast<void>(modality_lut_of(header)); })) {
        check_table(*header.modality_lut);
        fuzz::require(header.has_modality_lut, "the table is noted");
    }
    if (!fuzz::error_of([&] { static_cast<void>(real_world_maps_of(header)); })) {
        fuzz::require(header.real_world_maps.empty() || header.has_real_world_maps,
                      "the maps are noted");
    }
}

/// How the values are to be displayed, which has tables of all bits from 8 on.
void check_voi(const FileHeader& header) {
    fuzz::require(bool{header.voi}, "what was asked for is there");
    if (fuzz::error_of([&] { static_cast<void>(voi_of(header)); }) || !header.voi->table) {
        return;
    }
    const auto& [first, bits, values, type] = *header.voi->table;
    fuzz::require(bits >= 8 && bits <= 16 && !values.empty() && values.size() <= 65'536 &&
                      *std::ranges::max_element(values) >> bits == 0,
                  "entries have their bits");
}

/// What SUV are made of, read together with that.
void check_quantity(FileHeader& header) {
    fuzz::require(header.quantity != nullptr, "what was asked for is there");
    if (!fuzz::error_of([&] { settle_suv({&header, 1}); })) {
        fuzz::require(header.suv_factor > 0.0 && std::isfinite(*header.suv_factor),
                      "SUV are made by a number above 0");
    }
}

void check_ranges(const FileHeader& header, std::uint64_t size) {
    for (std::size_t i = 0; i < header.frames.size(); ++i) {
        for (const ByteRange& range : header.frames.ranges(i)) {
            fuzz::require(range.offset <= size && range.length <= size - range.offset,
                          "frames are inside the file");
        }
    }
}

void check_times(const SliceTimes& times) {
    for (const auto& time :
         {times.temporal_position, times.trigger_time, times.cardiac_phase, times.diffusion_b_value,
          times.frame_reference_time, times.acquisition_number, times.acquisition_day,
          times.acquisition_time, times.slice_time}) {
        fuzz::require(std::isfinite(time.value_or(0)), "times are numbers");
    }
    for (const double part : times.diffusion_gradient.value_or(std::array<double, 3>{})) {
        fuzz::require(std::isfinite(part), "gradients are numbers");
    }
}

/// An index keeps the slice, and trusts what it kept.
void check_record(const FileHeader& slice) {
    Columns columns = make_columns();
    append(slice, columns);
    const FileHeader kept = Records{view_of(columns)}.header_at(0);
    fuzz::require(kept.part == slice.part && kept.stack == slice.stack &&
                      kept.frames.size() == slice.frames.size() &&
                      kept.image_position_patient.has_value() ==
                          slice.image_position_patient.has_value(),
                  "an index keeps what a slice is");
}

/// Slices that a file with several was divided into.
void check_slices(std::vector<FileHeader>& slices, std::size_t frames, std::uint64_t size) {
    fuzz::require(!slices.empty(), "a file is a slice or more");
    const FramePart first = slices.front().part;
    const bool has_tiles = first.frame_rows > 0;
    fuzz::require(has_tiles || slices.size() == (first.is_frame ? frames : 1), "frames are slices");
    for (std::size_t i = 0; i < slices.size(); ++i) {
        const FileHeader& slice = slices[i];
        const auto place = static_cast<std::int64_t>(i);
        fuzz::require(slice.part.first == (has_tiles ? 0 : place) &&
                          slice.part.tile == (has_tiles ? place : 0) &&
                          slice.part.is_frame == first.is_frame,
                      "slices come in their order");
        fuzz::require(!slice.part.is_frame || slice.frames.size() == 1, "a slice is one frame");
        fuzz::require(slice.slices_of_file == nullptr, "a slice knows nothing of the others");
        fuzz::require(&find_slice(slices, slice.part) == &slice, "a slice is found again");
        check_times(slice.times);
        check_ranges(slice, size);
    }
    for (const std::size_t i : {std::size_t{0}, slices.size() - 1}) {
        check_record(slices[i]); // all would take long
    }
}

void check_division(const Source& source, ByteSpan file, bool reads_foreign) {
    HeaderOptions options{
        .texts = kTexts, .reads_voi = true, .reads_slices = true, .reads_foreign = reads_foreign};
    const Outcome whole = outcome_of(source, options);
    options.skip_tables = true;
    const Outcome scanned = outcome_of(source, options);
    fuzz::require(scanned.error == whole.error, "a scan sees the slices that a load sees");
    for (const Outcome& outcome : {whole, scanned}) {
        if (!outcome.error.empty()) {
            continue;
        }
        std::vector<FileHeader> slices;
        if (!fuzz::error_of([&] { slices = divide(outcome.header); })) {
            check_slices(slices, outcome.header.frames.size(), readable_size(outcome.header, file));
        }
    }
}

void check(const FileHeader& header, ByteSpan file) {
    check_tables(header);
    check_ranges(header, readable_size(header, file));
    if (fuzz::error_of([&] { check_decodable(header); })) {
        return;
    }
    const PixelFormat format = pixel_format_of(header);
    fuzz::require(header.frames.size() == header.number_of_frames(), "each frame has its place");
    fuzz::require(format.high_bit < format.bits_allocated &&
                      format.bits_stored <= format.high_bit + 1 && format.rows <= limits::kMaxRows,
                  "decoders may rely on the pixel format");
    if (!header.transfer_syntax.is_encapsulated()) {
        const std::uint64_t needed = (uncompressed_bits(format) + 7) / 8;
        fuzz::require(header.frames.bytes(0) == needed, "native frames fit");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteSpan bytes = std::as_bytes(std::span{data, size});
    const std::string& path = file_of(bytes);
    const Outcome in_memory = outcome_of({.path = path, .bytes = bytes});
    const Outcome in_file = outcome_of({.path = path, .bytes = {}});
    fuzz::require(in_memory.error == in_file.error, "memory and file give the same error");
    const Outcome scanned =
        outcome_of({.path = path, .bytes = bytes}, {.texts = kTexts, .skip_tables = true});
    fuzz::require(scanned.error == in_memory.error &&
                      scanned.header.has_modality_lut == in_memory.header.has_modality_lut &&
                      scanned.header.has_real_world_maps == in_memory.header.has_real_world_maps,
                  "a scan sees what a load sees");
    Outcome shown = outcome_of(
        {.path = path, .bytes = bytes},
        {.texts = kTexts, .skip_tables = true, .reads_voi = true, .reads_quantity = true});
    if (shown.error.empty()) {
        check_voi(shown.header);
        check_quantity(shown.header);
    }
    // A bit of the preamble, which says nothing.
    check_division({.path = path, .bytes = {}}, bytes, size > 0 && (data[0] & 1U) != 0);
    if (in_memory.error.empty()) {
        check(in_memory.header, bytes);
        check(in_file.header, bytes);
        fuzz::require(in_memory.header.texts == in_file.header.texts &&
                          in_memory.header.rows == in_file.header.rows &&
                          in_memory.header.frames.size() == in_file.header.frames.size(),
                      "memory and file give the same header");
    }
    return 0;
}
