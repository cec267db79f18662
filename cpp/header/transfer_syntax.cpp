#include "header/transfer_syntax.hpp"

#include "base/error.hpp"
#include "header/tags.hpp"

#include <algorithm>
#include <array>

namespace torchdicom {

namespace {

using enum Encoding;

// PS3.6 Table A-1, with the retired syntaxes that files still carry. The order is that of the UIDs'
// components as numbers.
constexpr std::array kTransferSyntaxes{
    TransferSyntax{"1.2.840.10008.1.2", "Implicit VR Little Endian", native_little},
    TransferSyntax{"1.2.840.10008.1.2.1", "Explicit VR Little Endian", native_little},
    TransferSyntax{"1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian",
                   encapsulated_uncompressed},
    TransferSyntax{"1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", native_little,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.2", "Explicit VR Big Endian", native_big},
    TransferSyntax{"1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", jpeg, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)", jpeg, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 and 5)", unsupported, false,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.4.53", "JPEG Spectral Selection (Process 6 and 8)", jpeg,
                   false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.54", "JPEG Spectral Selection (Process 7 and 9)",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.55", "JPEG Full Progression (Process 10 and 12)", jpeg,
                   false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.56", "JPEG Full Progression (Process 11 and 13)",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)", jpeg_lossless},
    TransferSyntax{"1.2.840.10008.1.2.4.58", "JPEG Lossless (Process 15)", unsupported},
    TransferSyntax{"1.2.840.10008.1.2.4.70", "JPEG Lossless (Process 14, Selection Value 1)",
                   jpeg_lossless},
    TransferSyntax{"1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", jpeg_ls},
    TransferSyntax{"1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", jpeg_ls, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.90", "JPEG 2000 (Lossless Only)", jpeg_2000},
    TransferSyntax{"1.2.840.10008.1.2.4.91", "JPEG 2000", jpeg_2000, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component (Lossless Only)",
                   jpeg_2000},
    TransferSyntax{"1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component", jpeg_2000, false,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.4.94", "JPIP Referenced", unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", unsupported, true, true},
    TransferSyntax{"1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", unsupported, false,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.4.100.1", "Fragmentable MPEG2 Main Profile / Main Level",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", unsupported, false,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.4.101.1", "Fragmentable MPEG2 Main Profile / High Level",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.102.1",
                   "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", unsupported, false,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.4.103",
                   "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", unsupported, false,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.4.103.1",
                   "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 (2D)",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.104.1",
                   "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 (2D)", unsupported,
                   false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 (3D)",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.105.1",
                   "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 (3D)", unsupported,
                   false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2",
                   unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.106.1",
                   "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", unsupported,
                   false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", unsupported,
                   false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", unsupported,
                   false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.110", "JPEG XL Lossless", jpeg_xl},
    TransferSyntax{"1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", jpeg_xl, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.112", "JPEG XL", jpeg_xl, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 (Lossless Only)", htj2k},
    TransferSyntax{"1.2.840.10008.1.2.4.202",
                   "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)", htj2k},
    TransferSyntax{"1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", htj2k, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", unsupported, false, true},
    TransferSyntax{"1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", unsupported, true,
                   true},
    TransferSyntax{"1.2.840.10008.1.2.5", "RLE Lossless", rle},
    TransferSyntax{"1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", deflated_frame},
};

std::string_view advice_for(const TransferSyntax& syntax) {
    // PS3.5 A.4.5 to A.4.9: in these the whole Pixel Data is one video stream, not frames.
    for (const std::string_view video : {"MPEG", "HEVC"}) {
        if (syntax.name.find(video) != std::string_view::npos) {
            return "extract the video stream and decode it with a video library such as FFmpeg";
        }
    }
    if (syntax.name.starts_with("JPIP")) {
        return "its pixels are on a server and not in the file: fetch the object from the archive "
               "in another transfer syntax";
    }
    return "convert the file to Explicit VR Little Endian or to another syntax that codecs() lists";
}

} // namespace

bool has_end_marker(Encoding encoding) noexcept {
    switch (encoding) {
    case Encoding::jpeg:
    case Encoding::jpeg_lossless:
    case Encoding::jpeg_ls:
    case Encoding::jpeg_2000:
    case Encoding::htj2k:
        return true;
    default:
        return false;
    }
}

std::span<const TransferSyntax> transfer_syntaxes() noexcept { return kTransferSyntaxes; }

std::optional<TransferSyntax> find_transfer_syntax(std::string_view uid) noexcept {
    const auto* const row =
        std::find_if(kTransferSyntaxes.begin(), kTransferSyntaxes.end(),
                     [uid](const TransferSyntax& syntax) { return syntax.uid == uid; });
    if (row == kTransferSyntaxes.end()) {
        return std::nullopt;
    }
    return *row;
}

void require_decodable(const TransferSyntax& syntax, std::string_view uid) {
    if (syntax.encoding == Encoding::unsupported) {
        const std::string name = syntax.name.empty() ? "" : " (" + std::string{syntax.name} + ")";
        fail(ErrorCode::unsupported_transfer_syntax,
             "The transfer syntax " + std::string{uid} + name + " has no decoder here; " +
                 std::string{advice_for(syntax)},
             Place{.element = element_name(tags::TransferSyntaxUID)});
    }
}

} // namespace torchdicom
