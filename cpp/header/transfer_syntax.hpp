// The transfer syntaxes of PS3.6 Annex A that this build knows by name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace torchdicom {

/// How the bytes of a frame are encoded; each value is one decoder's job.
enum class Encoding : std::uint8_t {
    native_little,
    native_big,
    encapsulated_uncompressed,
    deflated_frame, ///< each frame is a deflate stream of its own (PS3.5 A.4.13)
    rle,
    jpeg,          ///< baseline, extended and the retired lossy processes
    jpeg_lossless, ///< process 14, with any or the first predictor
    jpeg_ls,
    jpeg_2000,
    htj2k,
    jpeg_xl,
    unsupported,
};

struct TransferSyntax {
    std::string_view uid;
    std::string_view name;
    Encoding encoding = Encoding::unsupported;
    bool is_deflated = false; ///< the whole data set is a deflate stream (PS3.5 A.5)
    bool is_lossy = false;    ///< may be lossy; the syntaxes that allow both count as lossy

    [[nodiscard]] bool is_encapsulated() const noexcept {
        return encoding != Encoding::native_little && encoding != Encoding::native_big;
    }
};

/// Whether streams of this encoding are marker segments from SOI or SOC to the marker FFD9: EOI in
/// JPEG and JPEG-LS, EOC in JPEG 2000. It stands nowhere else in what is entropy-coded.
[[nodiscard]] bool has_end_marker(Encoding encoding) noexcept;

/// All rows of the table, in the order of their UIDs.
[[nodiscard]] std::span<const TransferSyntax> transfer_syntaxes() noexcept;

/// The row of `uid`, or nothing for a UID that is not in the table.
[[nodiscard]] std::optional<TransferSyntax> find_transfer_syntax(std::string_view uid) noexcept;

/// Throws unsupported_transfer_syntax, saying what to do, where this build has no decoder for the
/// syntax; `uid` is what the file names, which a syntax that is not in the table does not have.
void require_decodable(const TransferSyntax& syntax, std::string_view uid);

} // namespace torchdicom
