// What a codec is: a function that decodes one frame and hands its rows on while they are warm.
#pragma once

#include "base/bytes.hpp"
#include "decode/codestream.hpp"
#include "header/pixel_format.hpp"
#include "header/transfer_syntax.hpp"
#include "plan/window.hpp"

#include <span>
#include <string>
#include <string_view>

namespace torchdicom {

/// One frame, and what of it is wanted. Nobody but the caller needs the rest, so a codec that can
/// leave it undecoded does; one that cannot gives more, and says so to its sink.
struct DecodeRequest {
    TransferSyntax syntax{};
    PixelFormat format{};
    Window window{};          ///< of pixels at full resolution; edges are multiples of 2^reduce
    std::uint32_t reduce = 0; ///< how often rows and columns are to be halved
    std::string_view codec{}; ///< name of the codec to take; empty: the first choice
};

/// What the rows are that a codec hands over.
struct DecodedArea {
    Window window{};           ///< in pixels of the image after `reduced` halvings
    std::uint32_t reduced = 0; ///< halvings that the codec did, at most those asked for
    bool is_rgb = false;       ///< the codec turned YBR into RGB
};

/// Takes the rows of one frame in order, once each.
class RowSink {
  public:
    RowSink() = default;
    RowSink(const RowSink&) = delete;
    RowSink(RowSink&&) = delete;
    RowSink& operator=(const RowSink&) = delete;
    RowSink& operator=(RowSink&&) = delete;
    virtual ~RowSink() = default;

    /// Called once, before the first rows.
    virtual void start(const DecodedArea& area) = 0;

    /// One or more whole rows of the area, the next in order: cells of native endian, samples of a
    /// pixel side by side, bits as the codestream has them (not masked to BitsStored, signs
    /// extended to the cell where the codestream knows signs). False: no further row is wanted.
    [[nodiscard]] virtual bool put(ByteSpan rows) = 0;
};

/// Decodes a frame that `check_codestream` has passed. Throws DecodeError (invalid_codestream,
/// decoder_failed) without a path; safe to call from many threads, starts none of its own, keeps no
/// memory but scratch of its thread.
using DecodeFunction = void (*)(const Codestream& stream, const DecodeRequest& request,
                                RowSink& rows);

/// One row of the table of codecs.
struct Codec {
    std::string_view name;    ///< what `codec=` calls it
    std::string_view library; ///< what `codecs()` calls it
    std::string (*version)() = nullptr;
    bool (*reads)(const TransferSyntax& syntax) = nullptr;
    /// Whether it reads this very frame of a syntax that it reads.
    bool (*takes)(const CodestreamInfo& info, const PixelFormat& format) = nullptr;
    DecodeFunction decode = nullptr;
};

/// All codecs of this build, in order of preference.
[[nodiscard]] std::span<const Codec> all_codecs() noexcept;

/// Scratch memory of this thread for one decoder's whole frame or rows; the bytes are whatever they
/// were, and stay until the next call with the same slot.
enum class Scratch : std::uint8_t { frame, rows };
[[nodiscard]] MutableByteSpan decode_scratch(Scratch slot, std::size_t size);

/// The window of a whole image.
[[nodiscard]] Window whole_image(const PixelFormat& format) noexcept;

/// The rows of a window, all columns of them: what codecs give that cannot leave columns out.
[[nodiscard]] Window whole_rows(const Window& window, const PixelFormat& format) noexcept;

/// How much of a frame is worth handing on at once: it stays in the second-level cache.
inline constexpr std::size_t kBandBytes = std::size_t{64} << 10U;

/// How many rows a band has, at least one.
[[nodiscard]] std::size_t rows_of_band(std::size_t row_bytes,
                                       std::size_t band_bytes = kBandBytes) noexcept;

} // namespace torchdicom
