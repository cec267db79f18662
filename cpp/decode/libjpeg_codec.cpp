#include "decode/libjpeg_codec.hpp"

#include "decode/jpeg_colour.hpp"
#include "decode/native_rows.hpp"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio> // jpeglib.h uses FILE without a declaration of it
#include <cstring>
#include <string>

#include <jerror.h>
#include <jpeglib.h>

namespace torchdicom {

namespace {

constexpr std::uint32_t kMostHalvings = 3;

// A progressive image of ten scans is common; one of hundreds costs a pass over the frame each.
constexpr std::uint32_t kMostScans = 200;

/// All that the library works on. No member needs a destructor: errors jump over them.
struct Session {
    jpeg_decompress_struct image{};
    jpeg_error_mgr errors{};
    std::jmp_buf escape{};
    std::array<char, JMSG_LENGTH_MAX> message{};
    std::array<JSAMPROW, 16> row_pointers{};
    ByteSpan codestream{};
    bool is_ycc = false;
    std::uint32_t reduced = 0;
    std::size_t memory_limit = 0;
    JDIMENSION wanted = 0; ///< rows to skip or to read in one step
    JDIMENSION got = 0;    ///< rows that the step read
};

using Step = void (*)(Session& session);

Session& session_of(j_common_ptr image) noexcept {
    return *static_cast<Session*>(image->client_data);
}

[[noreturn]] void leave(j_common_ptr image) {
    Session& session = session_of(image);
    image->err->format_message(image, session.message.data());
    // NOLINTNEXTLINE(modernize-avoid-setjmp-longjmp,cert-err52-cpp): no exception may pass through
    // C
    std::longjmp(session.escape, 1);
}

/// A warning says that the library makes up what is missing, but for those about segments that no
/// sample depends on.
void warn(j_common_ptr image, int level) {
    const int code = image->err->msg_code;
    const bool is_harmless = code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
    if (level < 0 && !is_harmless) {
        leave(image);
    }
}

void say_nothing(j_common_ptr /*image*/) {}

/// Runs one step; false where the library gave up. Neither this function nor a step has an object
/// with a destructor.
[[nodiscard]] bool succeeds(Session& session, Step step) {
    // NOLINTNEXTLINE(modernize-avoid-setjmp-longjmp,cert-err52-cpp): no exception may pass through
    // C
    if (setjmp(session.escape) != 0) {
        return false;
    }
    step(session);
    return true;
}

void start(Session& session) {
    jpeg_decompress_struct& image = session.image;
    jpeg_create_decompress(&image);
    image.client_data = &session;
    image.mem->max_memory_to_use = static_cast<long>(session.memory_limit);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): unsigned char may alias any byte
    jpeg_mem_src(&image, reinterpret_cast<const unsigned char*>(session.codestream.data()),
                 session.codestream.size());
    jpeg_read_header(&image, TRUE);
    if (image.num_components == 3) {
        image.jpeg_color_space = session.is_ycc ? JCS_YCbCr : JCS_RGB;
        image.out_color_space = JCS_RGB;
    } else {
        image.jpeg_color_space = JCS_GRAYSCALE;
        image.out_color_space = JCS_GRAYSCALE;
    }
    image.scale_num = 1;
    image.scale_denom = 1U << session.reduced;
    jpeg_start_decompress(&image);
}

void skip(Session& session) { jpeg_skip_scanlines(&session.image, session.wanted); }

void read(Session& session) {
    session.got = 0;
    while (session.got < session.wanted) {
        session.got +=
            jpeg_read_scanlines(&session.image, session.row_pointers.data() + session.got,
                                session.wanted - session.got);
    }
}

/// A frame that is being decoded; gives the library's memory back.
class Decompressor {
  public:
    Decompressor(const Codestream& stream, const DecodeRequest& request) {
        session_.image.err = jpeg_std_error(&session_.errors);
        session_.image.client_data = &session_;
        session_.errors.error_exit = leave;
        session_.errors.emit_message = warn;
        session_.errors.output_message = say_nothing;
        session_.codestream = stream.bytes;
        session_.is_ycc = is_ycc(stream.info, request.format);
        session_.reduced = std::min(request.reduce, kMostHalvings);
        // Progressive frames keep 16-bit coefficients of whole blocks; rows and columns were
        // compared with the header before.
        session_.memory_limit = (std::size_t{64} << 20U) + 8 * request.format.samples_per_frame();
    }
    Decompressor(const Decompressor&) = delete;
    Decompressor(Decompressor&&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;
    Decompressor& operator=(Decompressor&&) = delete;
    ~Decompressor() { jpeg_destroy_decompress(&session_.image); }

    void run(Step step) {
        if (!succeeds(session_, step)) {
            fail_invalid("libjpeg-turbo could not decode the JPEG frame (" +
                         std::string{session_.message.data()} + ")");
        }
    }

    /// Reads `count` rows, at most as many as there are pointers, each `row_bytes` long.
    void read_rows(MutableByteSpan into, std::size_t count, std::size_t row_bytes) {
        for (std::size_t i = 0; i < count; ++i) {
            // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as above
            session_.row_pointers.at(i) =
                reinterpret_cast<JSAMPROW>(into.subspan(i * row_bytes, row_bytes).data());
        }
        session_.wanted = static_cast<JDIMENSION>(count);
        run(read);
    }

    void skip_rows(std::size_t count) {
        if (count > 0) {
            session_.wanted = static_cast<JDIMENSION>(count);
            run(skip);
        }
    }

    [[nodiscard]] Session& session() noexcept { return session_; }

  private:
    Session session_;
};

/// Samples of 8 bits in cells that have more.
template <typename Cell> void widen(ByteSpan samples, MutableByteSpan cells) noexcept {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto value = std::to_integer<Cell>(samples[i]);
        std::memcpy(cells.subspan(i * sizeof(Cell), sizeof(Cell)).data(), &value, sizeof value);
    }
}

MutableByteSpan as_cells(MutableByteSpan samples, std::size_t width) {
    if (width == sizeof(std::uint8_t)) {
        return samples;
    }
    const MutableByteSpan cells = decode_scratch(Scratch::frame, samples.size() * width);
    if (width == sizeof(std::uint16_t)) {
        widen<std::uint16_t>(samples, cells);
    } else {
        widen<std::uint32_t>(samples, cells);
    }
    return cells;
}

std::size_t halve(std::size_t size, std::uint32_t times) noexcept {
    return (size + (std::size_t{1} << times) - 1) >> times;
}

/// The library was told to give what the header says, and its own reading of the frame header is
/// what sizes its rows: the two are compared once more before memory is handed to it.
void check_output(const Session& session, const Window& window, const PixelFormat& format) {
    const jpeg_decompress_struct& image = session.image;
    const auto components = static_cast<std::uint32_t>(image.output_components);
    if (image.output_width != window.x1 || image.output_height < window.y1 ||
        components != format.samples_per_pixel) {
        fail_mismatch("libjpeg-turbo reads the frame as " + std::to_string(image.output_height) +
                      " rows of " + std::to_string(image.output_width) + " pixels with " +
                      std::to_string(components) + " components");
    }
}

} // namespace

void decode_with_libjpeg(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const PixelFormat& format = request.format;
    if (stream.info.scans > kMostScans) {
        fail_invalid("The JPEG frame has " + std::to_string(stream.info.scans) +
                     " scans, and no encoder makes more than " + std::to_string(kMostScans));
    }
    Decompressor decompressor{stream, request};
    decompressor.run(start);
    const std::uint32_t reduced = decompressor.session().reduced;
    const Window window{.y0 = request.window.y0 >> reduced,
                        .y1 = halve(request.window.y1, reduced),
                        .x0 = 0,
                        .x1 = halve(format.columns, reduced)};
    check_output(decompressor.session(), window, format);
    rows.start({.window = window, .reduced = reduced, .is_rgb = format.samples_per_pixel == 3});
    decompressor.skip_rows(window.y0);
    const std::size_t row_bytes = window.x1 * format.samples_per_pixel;
    const std::size_t band = decompressor.session().row_pointers.size();
    const MutableByteSpan samples = decode_scratch(Scratch::rows, band * row_bytes);
    bool wants_more = true;
    for (std::size_t y = window.y0; y < window.y1 && wants_more; y += band) {
        const std::size_t count = std::min(band, window.y1 - y);
        decompressor.read_rows(samples, count, row_bytes);
        wants_more =
            rows.put(as_cells(samples.first(count * row_bytes), format.bytes_per_sample()));
    }
}

bool libjpeg_takes(const CodestreamInfo& info, const PixelFormat& /*format*/) noexcept {
    return info.precision == 8 && (info.components == 1 || info.components == 3);
}

std::string libjpeg_version() {
    constexpr int kNumber = LIBJPEG_TURBO_VERSION_NUMBER;
    return std::to_string(kNumber / 1'000'000) + "." + std::to_string(kNumber / 1'000 % 1'000) +
           "." + std::to_string(kNumber % 1'000);
}

} // namespace torchdicom
