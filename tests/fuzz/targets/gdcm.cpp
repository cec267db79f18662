// Frames through GDCM, which is the first choice for colours of 12 bits and an opinion on the rest.
// Covers: decode/gdcm_codec.cpp

#include "decode/codestream.hpp"
#include "frame_input.hpp"
#include "sanitizers.hpp"

#include <array>
#include <optional>

#ifdef TORCHDICOM_ADDRESS_SANITIZER
#include <sanitizer/lsan_interface.h>
#endif

using namespace torchdicom;

namespace {

/// Of damaged JPEG-LS and JPEG 2000 GDCM keeps memory: only `codec="gdcm"` brings it there.
#ifdef TORCHDICOM_ADDRESS_SANITIZER
using NoLeakCheck = __lsan::ScopedDisabler;
#else
struct NoLeakCheck {};
#endif

struct Kind {
    Encoding encoding;
    std::string_view syntax;
};

constexpr std::array kKinds{Kind{Encoding::jpeg, "1.2.840.10008.1.2.4.51"},
                            Kind{Encoding::jpeg_lossless, "1.2.840.10008.1.2.4.57"},
                            Kind{Encoding::jpeg_ls, "1.2.840.10008.1.2.4.81"},
                            Kind{Encoding::jpeg_2000, "1.2.840.10008.1.2.4.91"}};

/// A format that agrees with the codestream; its samples may be wider than they need be.
std::optional<PixelFormat> format_for(const CodestreamInfo& info, std::uint32_t flags) {
    const std::uint32_t least = info.precision <= 8    ? 8U << (flags >> 3U & 1U)
                                : info.precision <= 16 ? 16U
                                                       : 32U;
    const std::uint32_t bits = (flags & 1U) != 0 ? 32U : least;
    PixelFormat format = test::format_of(info.rows, info.columns, bits, info.components);
    format.is_signed = info.is_signed != ((flags & 2U) != 0);
    if (info.components == 3 && (flags & 4U) != 0) {
        format.photometric = Photometric::ybr_full;
    }
    const bool is_small = info.rows <= 64 && info.columns <= 64 && info.precision <= 32;
    return is_small ? std::optional{format} : std::nullopt;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const Kind& kind = kKinds.at(input.byte() % kKinds.size());
    const std::uint32_t flags = input.byte();
    std::optional<PixelFormat> format;
    static_cast<void>(fuzz::error_of(
        [&] { format = format_for(find_codestream(input.rest(), kind.encoding).info, flags); }));
    if (format) {
        std::optional<NoLeakCheck> leaks;
        if (kind.encoding != Encoding::jpeg) {
            leaks.emplace();
        }
        const Window window{.y0 = 0, .y1 = 1, .x0 = 0, .x1 = format->columns};
        fuzz::check_rows(input.rest(), kind.syntax, *format, window, 0, "gdcm");
    }
    return 0;
}
