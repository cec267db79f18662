// A whole file: from the prefix to the frames, in memory and through a file descriptor.
// Covers: header/read_header.cpp header/attributes.cpp header/pixel_format.cpp

#include "fuzz.hpp"
#include "header/file_header.hpp"
#include "header/pixel_format.hpp"

#include <array>
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

Outcome outcome_of(const Source& source) {
    Outcome outcome;
    LoadStats stats;
    const auto read = [&] {
        outcome.header = read_header(source, {.texts = kTexts, .keep_fetched = true}, stats);
    };
    if (const auto error = fuzz::error_of(read)) {
        outcome.error = error->what();
    }
    return outcome;
}

/// Where frames may lie: the file, or what it inflates to.
std::uint64_t readable_size(const FileHeader& header, ByteSpan file) {
    return header.transfer_syntax.is_deflated ? header.fetched.bytes.size() : file.size();
}

void check(const FileHeader& header, ByteSpan file) {
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
        fuzz::require(header.frames.bytes(0) == format.bytes_per_frame(), "native frames fit");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteSpan bytes = std::as_bytes(std::span{data, size});
    const std::string& path = file_of(bytes);
    const Outcome in_memory = outcome_of({.path = path, .bytes = bytes});
    const Outcome in_file = outcome_of({.path = path, .bytes = {}});
    fuzz::require(in_memory.error == in_file.error, "memory and file give the same error");
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
