#include "decode/libjpeg_session.hpp"

#include <string>

#include <jerror.h>

namespace torchdicom {

namespace {

JpegSession& session_of(j_common_ptr image) noexcept {
    return *static_cast<JpegSession*>(image->client_data);
}

[[noreturn]] void leave(j_common_ptr image) {
    JpegSession& session = session_of(image);
    image->err->format_message(image, session.message.data());
    // NOLINTNEXTLINE(*-avoid-setjmp-longjmp,*-array-to-pointer-decay): C passes no exceptions on
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
[[nodiscard]] bool succeeds(JpegSession& session, JpegStep step) {
    // NOLINTNEXTLINE(*-avoid-setjmp-longjmp,*-array-to-pointer-decay): C passes no exceptions on
    if (setjmp(session.escape) != 0) {
        return false;
    }
    step(session);
    return true;
}

} // namespace

void read_jpeg_header(JpegSession& session) {
    jpeg_decompress_struct& image = session.image;
    jpeg_create_decompress(&image);
    image.client_data = &session;
    image.mem->max_memory_to_use = static_cast<long>(session.memory_limit);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): unsigned char may alias any byte
    jpeg_mem_src(&image, reinterpret_cast<const unsigned char*>(session.codestream.data()),
                 session.codestream.size());
    jpeg_read_header(&image, TRUE);
}

JpegDecompressor::JpegDecompressor(const Codestream& stream, const PixelFormat& format) {
    session_.image.err = jpeg_std_error(&session_.errors);
    session_.image.client_data = &session_;
    session_.errors.error_exit = leave;
    session_.errors.emit_message = warn;
    session_.errors.output_message = say_nothing;
    session_.codestream = stream.bytes;
    // Progressive frames keep 16-bit coefficients of whole blocks; rows and columns were compared
    // with the header before.
    session_.memory_limit = (std::size_t{64} << 20U) + 8 * format.samples_per_frame();
}

JpegDecompressor::~JpegDecompressor() { jpeg_destroy_decompress(&session_.image); }

void JpegDecompressor::run(JpegStep step) {
    if (!succeeds(session_, step)) {
        fail_invalid("libjpeg-turbo could not decode the JPEG frame (" +
                     std::string{session_.message.data()} + ")");
    }
}

} // namespace torchdicom
