// libjpeg-turbo in C++'s terms: errors and warnings are exceptions, memory is given back. The only
// header that includes jpeglib.h.
#pragma once

#include "decode/codec.hpp"

#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio> // jpeglib.h uses FILE without a declaration of it

#include <jpeglib.h>

namespace torchdicom {

/// All that the library works on. No member needs a destructor: errors jump over them.
struct JpegSession {
    jpeg_decompress_struct image{};
    jpeg_error_mgr errors{};
    std::jmp_buf escape{};
    std::array<char, JMSG_LENGTH_MAX> message{};
    std::array<JSAMPROW, 16> row_pointers{};
    ByteSpan codestream{};
    bool is_ycc = false;
    std::uint32_t reduced = 0;
    std::size_t memory_limit = 0;
    JDIMENSION wanted = 0; ///< rows to skip or to read in one step, or the row of blocks
    JDIMENSION got = 0;    ///< rows that the step read
    jvirt_barray_ptr* coefficients = nullptr;
    JBLOCKROW blocks = nullptr; ///< the row of blocks that the step found
};

/// What is done with a session between two looks at its result: calls of the library, and no object
/// that has a destructor.
using JpegStep = void (*)(JpegSession& session);

/// A frame that is being decoded.
class JpegDecompressor {
  public:
    JpegDecompressor(const Codestream& stream, const PixelFormat& format);
    JpegDecompressor(const JpegDecompressor&) = delete;
    JpegDecompressor(JpegDecompressor&&) = delete;
    JpegDecompressor& operator=(const JpegDecompressor&) = delete;
    JpegDecompressor& operator=(JpegDecompressor&&) = delete;
    ~JpegDecompressor();

    /// Throws invalid_codestream, with what the library says, where it gives up or warns that it
    /// makes up what is missing.
    void run(JpegStep step);

    [[nodiscard]] JpegSession& session() noexcept { return session_; }

  private:
    JpegSession session_;
};

/// The first step: the frame header is read.
void read_jpeg_header(JpegSession& session);

/// Frames of 8 bits, for libjpeg_codec.cpp.
void decode_jpeg_8_bits(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

/// Gray frames of 12 bits: the library reads the coefficients, which are no different, and the
/// samples are made from them here.
void decode_jpeg_12_bits(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

} // namespace torchdicom
