// A whole file: from the prefix to the frames, in memory and through a file descriptor.
// Covers: header/read_header.cpp header/attributes.cpp header/pixel_format.cpp
// Covers: header/quantity_reader.cpp plan/suv.cpp plan/suv_time.cpp
// Covers: header/table_reader.cpp header/lookup_table.cpp header/real_world_map.cpp

#include "fuzz.hpp"
#include "header/file_header.hpp"
#include "header/pixel_format.hpp"
#include "header/tables.hpp"
#include "plan/suv.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <sys/mman.h>
#include <unistd.h>

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

Outcome outcome_of(const Source& source, bool skip_tables = false, bool reads_voi = false) {
    Outcome outcome;
    LoadStats stats;
    const auto read = [&] {
        outcome.header = read_header(source,
                                     {.texts = kTexts,
                                      .keep_fetched = true,
                                      .skip_tables = skip_tables,
                                      .reads_voi = reads_voi,
                                      .reads_quantity = reads_voi},
                                     stats);
    };
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
    fuzz::require(header.voi.has_value(), "what was asked for is there");
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

void check(const FileHeader& header, ByteSpan file) {
    check_tables(header);
    for (std::size_t i = 0; i < header.frames.size(); ++i) {
        for (const ByteRange& range : header.frames.ranges(i)) {
            const std::uint64_t size = readable_size(header, file);
            fuzz::require(range.offset <= size && range.length <= size - range.offset,
                          "frames are inside the file");
        }
    }
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
    const Outcome scanned = outcome_of({.path = path, .bytes = bytes}, true);
    fuzz::require(scanned.error == in_memory.error &&
                      scanned.header.has_modality_lut == in_memory.header.has_modality_lut &&
                      scanned.header.has_real_world_maps == in_memory.header.has_real_world_maps,
                  "a scan sees what a load sees");
    Outcome shown = outcome_of({.path = path, .bytes = bytes}, true, true);
    if (shown.error.empty()) {
        check_voi(shown.header);
        check_quantity(shown.header);
    }
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
