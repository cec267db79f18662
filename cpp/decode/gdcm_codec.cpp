#include "decode/gdcm_codec.hpp"

#include "decode/jpeg_colour.hpp"
#include "decode/jpeg_process.hpp"
#include "decode/unpack.hpp"

#include <gdcmByteValue.h>
#include <gdcmDataElement.h>
#include <gdcmFragment.h>
#include <gdcmJPEG2000Codec.h>
#include <gdcmJPEGCodec.h>
#include <gdcmJPEGLSCodec.h>
#include <gdcmSequenceOfFragments.h>
#include <gdcmSmartPointer.h>
#include <gdcmTrace.h>
#include <gdcmVersion.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace torchdicom {

namespace {

/// GDCM's flags are unguarded globals and its default is to write to stderr.
void silence_gdcm_once() {
    static const bool silent = [] {
        gdcm::Trace::DebugOff();
        gdcm::Trace::WarningOff();
        gdcm::Trace::ErrorOff();
        return true;
    }();
    static_cast<void>(silent);
}

[[noreturn]] void fail_decoder(const TransferSyntax& syntax, std::string_view reason) {
    fail(ErrorCode::decoder_failed,
         "GDCM could not decode this " + std::string{syntax.name} + " frame (" +
             std::string{reason} +
             "); the pixel data is damaged: get the file again from its source");
}

/// GDCM multiplies sizes in 32 bits and allocates what is left of them.
void check_size(std::size_t bytes, std::string_view what) {
    constexpr std::size_t kMaxGdcmBytes = std::numeric_limits<std::int32_t>::max();
    if (bytes > kMaxGdcmBytes) {
        fail(ErrorCode::limit_output_bytes,
             "The " + std::string{what} + " has " + std::to_string(bytes) +
                 " bytes, and GDCM decodes at most " + std::to_string(kMaxGdcmBytes) +
                 "; convert the file to an uncompressed transfer syntax");
    }
}

/// Width of the samples that GDCM writes: it goes by the codestream's precision, not by
/// BitsAllocated.
std::size_t decoded_width(std::uint32_t precision) {
    if (precision <= 8) {
        return 1;
    }
    return precision <= 16 ? 2 : 4;
}

/// The pixel format as the codestream has it. Where the two differ GDCM changes its mind half-way:
/// it sizes buffers by the one and fills them by the other.
gdcm::PixelFormat gdcm_format(const CodestreamInfo& info, Encoding encoding) {
    std::size_t allocated = 8 * decoded_width(info.precision);
    // JPEGCodec picks one of three libraries, for 8, 12 and 16 bits, by BitsAllocated, and learns
    // from a failure (with a line on stderr) that it took the wrong one.
    const bool is_jpeg = encoding == Encoding::jpeg || encoding == Encoding::jpeg_lossless;
    if (is_jpeg && info.precision > 8 && info.precision <= 12) {
        allocated = 12;
    }
    const auto precision = static_cast<unsigned short>(info.precision);
    return gdcm::PixelFormat{static_cast<unsigned short>(info.components),
                             static_cast<unsigned short>(allocated), precision,
                             static_cast<unsigned short>(precision - 1),
                             static_cast<unsigned short>(info.is_signed ? 1 : 0)};
}

/// Told that colours are RGB, GDCM hands the components of JPEG and JPEG-LS over as they are coded;
/// JPEG 2000's colour transform it undoes.
gdcm::PhotometricInterpretation gdcm_photometric(const CodestreamInfo& info) {
    return info.components == 1 ? gdcm::PhotometricInterpretation::MONOCHROME2
                                : gdcm::PhotometricInterpretation::RGB;
}

std::unique_ptr<gdcm::ImageCodec> make_codec(Encoding encoding) {
    if (encoding == Encoding::jpeg_2000) {
        auto codec = std::make_unique<gdcm::JPEG2000Codec>();
        codec->SetNumberOfThreadsForDecompression(0); // its default is every CPU
        return codec;
    }
    if (encoding == Encoding::jpeg_ls) {
        return std::make_unique<gdcm::JPEGLSCodec>();
    }
    return std::make_unique<gdcm::JPEGCodec>();
}

gdcm::DataElement as_pixel_data(ByteSpan codestream) {
    const std::string_view text = as_text(codestream);
    gdcm::Fragment fragment;
    fragment.SetByteValue(text.data(), gdcm::VL{static_cast<std::uint32_t>(text.size())});
    const gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments =
        gdcm::SequenceOfFragments::New();
    fragments->AddFragment(fragment);
    gdcm::DataElement element{gdcm::Tag{0x7FE0, 0x0010}};
    element.SetVR(gdcm::VR::OB);
    element.SetValue(*fragments);
    return element;
}

/// Decodes into a buffer of GDCM's own, whose size is then known, unlike that of
/// `Bitmap::GetBuffer`.
void run_codec(const Codestream& stream, const TransferSyntax& syntax, gdcm::DataElement& decoded) {
    const std::unique_ptr<gdcm::ImageCodec> codec = make_codec(syntax.encoding);
    const std::array<unsigned int, 3> dimensions{stream.info.columns, stream.info.rows, 1};
    codec->SetNumberOfDimensions(3); // one frame, one fragment
    codec->SetDimensions(dimensions.data());
    codec->SetPlanarConfiguration(0);
    codec->SetPhotometricInterpretation(gdcm_photometric(stream.info));
    codec->SetPixelFormat(gdcm_format(stream.info, syntax.encoding)); // last: it copies the others
    if (!codec->Decode(as_pixel_data(stream.bytes), decoded)) {
        fail_decoder(syntax, "it gives no reason");
    }
    const unsigned int bits = codec->GetPixelFormat().GetBitsAllocated();
    if (bits != 8 * decoded_width(stream.info.precision)) {
        fail_decoder(syntax, "it decoded to " + std::to_string(bits) +
                                 " bits a sample where the codestream has " +
                                 std::to_string(stream.info.precision));
    }
}

/// GDCM reports failures by `false`, and by throwing gdcm::Exception or a text.
void run_codec_guarded(const Codestream& stream, const TransferSyntax& syntax,
                       gdcm::DataElement& decoded) {
    try {
        run_codec(stream, syntax, decoded);
    } catch (const Error&) {
        throw;
    } catch (const std::exception& error) {
        fail_decoder(syntax, error.what());
    } catch (...) { // texts and the like
        fail_decoder(syntax, "it gives no reason");
    }
}

/// Widening keeps the value: signed samples are extended by their sign.
template <typename From, typename To> void widen(const char* decoded, MutableByteSpan samples) {
    const std::size_t count = samples.size() / sizeof(To);
    for (std::size_t i = 0; i < count; ++i) {
        From narrow{};
        std::memcpy(&narrow, decoded + i * sizeof(From), sizeof(From));
        // NOLINTNEXTLINE(bugprone-signed-char-misuse): the sign is to be extended
        const auto wide = static_cast<To>(narrow);
        std::memcpy(samples.subspan(i * sizeof(To), sizeof(To)).data(), &wide, sizeof(To));
    }
}

void store(const char* decoded, std::size_t from, std::size_t to, bool is_signed,
           MutableByteSpan samples) {
    if (from == to) {
        std::memcpy(samples.data(), decoded, samples.size());
    } else if (from == 1 && to == 2) {
        is_signed ? widen<std::int8_t, std::int16_t>(decoded, samples)
                  : widen<std::uint8_t, std::uint16_t>(decoded, samples);
    } else if (from == 1 && to == 4) {
        is_signed ? widen<std::int8_t, std::int32_t>(decoded, samples)
                  : widen<std::uint8_t, std::uint32_t>(decoded, samples);
    } else { // 2 to 4: the check of the codestream has seen that its precision fits the cell
        is_signed ? widen<std::int16_t, std::int32_t>(decoded, samples)
                  : widen<std::uint16_t, std::uint32_t>(decoded, samples);
    }
}

/// Brings what GDCM gives for colour into the order and the colour space that sinks expect; true
/// where that is RGB whatever the header says.
bool settle_colour(const Codestream& stream, const DecodeRequest& request,
                   MutableByteSpan samples) {
    const std::size_t width = request.format.bytes_per_sample();
    const bool is_jpeg_ls = request.syntax.encoding == Encoding::jpeg_ls;
    if (is_jpeg_ls && stream.info.scans > 1) {
        // GDCM leaves JPEG-LS of a scan for each component in planes.
        const std::vector<std::byte> planes{samples.begin(), samples.end()};
        const std::size_t size = planes.size() / 3;
        const ByteSpan all{planes};
        interleave({all.first(size), all.subspan(size, size), all.subspan(2 * size)}, width,
                   samples);
    }
    if (request.syntax.encoding != Encoding::jpeg) {
        return stream.info.has_colour_transform;
    }
    if (is_ycc(stream.info, request.format)) {
        ycc_to_rgb(samples, width, stream.info.precision);
    }
    return true;
}

} // namespace

void decode_with_gdcm(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const TransferSyntax& syntax = request.syntax;
    const PixelFormat& format = request.format;
    silence_gdcm_once();
    const std::size_t width = decoded_width(stream.info.precision);
    const std::size_t expected = format.samples_per_frame() * width;
    check_size(stream.bytes.size(), "codestream");
    check_size(expected, "frame");
    gdcm::DataElement decoded;
    run_codec_guarded(stream, syntax, decoded);
    const gdcm::ByteValue* const bytes = decoded.GetByteValue();
    const std::size_t size = bytes == nullptr ? 0 : std::size_t{bytes->GetLength()};
    if (size != expected && size != expected + expected % 2) { // GDCM pads to an even length
        fail_decoder(syntax, std::to_string(size) + " bytes came out where " +
                                 std::to_string(expected) + " were expected");
    }
    const MutableByteSpan samples = decode_scratch(Scratch::frame, format.bytes_per_frame());
    store(bytes->GetPointer(), width, format.bytes_per_sample(), stream.info.is_signed, samples);
    const bool is_rgb = format.samples_per_pixel == 3 && settle_colour(stream, request, samples);
    rows.start({.window = whole_image(format), .is_rgb = is_rgb});
    static_cast<void>(rows.put(samples));
}

bool gdcm_takes(const CodestreamInfo& info, const PixelFormat& format) noexcept {
    const bool has_odd_jfif = info.jfif_version.value_or(1) != 1;
    const bool has_odd_adobe = info.components == 3 && info.adobe_transform.value_or(0) > 1;
    // GDCM ends the process over lossless JPEG whose samples do not fill a byte.
    const bool is_narrow = info.process == kSof3 && info.precision < 8;
    // Of JPEG 2000, which has no process, GDCM gives the codestream's sign whatever the header's
    // is.
    const bool has_other_sign = info.process == 0 && info.is_signed != format.is_signed;
    return !has_odd_jfif && !has_odd_adobe && !has_other_sign && !is_narrow &&
           (info.components == 1 || info.components == 3);
}

std::string gdcm_version() { return gdcm::Version::GetVersion(); }

} // namespace torchdicom
