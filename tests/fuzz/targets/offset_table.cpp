// Where frames lie: native ones by arithmetic, encapsulated ones by fragments and offset tables.
// Covers: header/fragments.cpp header/frame_table.cpp

#include "fuzz.hpp"
#include "header/file_header.hpp"

using namespace torchdicom;

namespace {

std::vector<std::uint64_t> table_from(fuzz::Input& input, std::uint32_t entries) {
    std::vector<std::uint64_t> table;
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::uint64_t entry = input.two_bytes();
        table.push_back(entry == 0xFFFF ? ~std::uint64_t{0} : entry);
    }
    return table;
}

/// A header whose pixel data is the rest of the input.
FileHeader header_from(fuzz::Input& input) {
    constexpr std::uint32_t kHuge = 250; // so that one byte reaches the limits
    const auto attribute = [&input]() -> std::optional<std::uint32_t> {
        const std::uint32_t value = input.byte();
        return value == 255 ? std::nullopt : std::optional{value > kHuge ? 40'000U : value};
    };
    FileHeader header;
    const std::uint32_t flags = input.byte();
    header.transfer_syntax.encoding =
        (flags & 1U) != 0 ? Encoding::encapsulated_uncompressed : Encoding::native_little;
    if ((flags & 33U) == 33U) {
        header.transfer_syntax.encoding = Encoding::jpeg_2000; // its streams have an end marker
    }
    if ((flags & 2U) != 0) {
        header.element_syntax.order = std::endian::big;
    }
    header.photometric_interpretation = (flags & 4U) != 0 ? "YBR_FULL_422" : "MONOCHROME2";
    header.rows = attribute();
    header.columns = attribute();
    header.bits_allocated = attribute();
    header.samples_per_pixel = attribute();
    const auto frames = static_cast<std::int32_t>(input.byte());
    header.number_of_frames_given = frames == 255 ? 2'000'000 : frames == 254 ? -1 : frames;
    const std::uint32_t entries = input.byte() % 8;
    header.extended_offsets = table_from(input, entries);
    header.extended_lengths = table_from(input, (flags & 8U) != 0 ? entries : entries / 2);
    const Element pixels{.tag = tags::PixelData,
                         .has_undefined_length = (flags & 1U) != ((flags >> 4U) & 1U),
                         .length = input.two_bytes()};
    header.pixels = PixelElement{.element = pixels, .data_set_end = input.rest().size()};
    return header;
}

void check_ranges(const FileHeader& header, std::uint64_t size) {
    fuzz::require(header.frames.size() == header.number_of_frames(), "each frame has its place");
    const std::uint64_t shared = header.transfer_syntax.is_encapsulated() ? 0 : 1; // 1-bit pixels
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < header.frames.size(); ++i) {
        fuzz::require(!header.frames.ranges(i).empty(), "each frame has a fragment");
        for (const ByteRange& range : header.frames.ranges(i)) {
            fuzz::require(range.offset <= size && range.length <= size - range.offset,
                          "frames are inside the file");
            fuzz::require(range.offset + shared >= end, "frames do not overlap");
            end = range.offset + range.length;
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    FileHeader header = header_from(input);
    ByteWindow window{input.rest()};
    if (!fuzz::error_of([&] { read_frame_table(window, header); })) {
        check_ranges(header, window.size());
    }
    return 0;
}
