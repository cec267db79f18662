#include "decode/decoder.hpp"

#include "base/deflate.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <string>

namespace torchdicom {

namespace {

/// A few bytes that ask for a giant image are a decompression bomb, or an image of one colour.
void check_expansion(ByteSpan codestream, const PixelFormat& format) {
    const std::uint64_t by_ratio = codestream.size() * limits::kMaxCodestreamRatio;
    if (format.bytes_per_frame() > std::max(by_ratio, limits::kFreeExpansion)) {
        fail(ErrorCode::limit_ratio,
             "A frame of " + std::to_string(format.bytes_per_frame()) + " bytes is said to be in " +
                 std::to_string(codestream.size()) +
                 " compressed ones, which is beyond any image; leave the file out");
    }
}

[[noreturn]] void fail_without_codec(const DecodeRequest& request, bool is_read) {
    if (!request.codec.empty()) {
        fail(ErrorCode::unsupported_transfer_syntax,
             "The codec " + std::string{request.codec} + " does not read this frame of " +
                 std::string{request.syntax.name} +
                 "; codecs() lists the names for each transfer syntax, and None takes the first");
    }
    if (!is_read) {
        fail(ErrorCode::internal_error,
             std::string{request.syntax.name} + " has no frames to decode");
    }
    fail(ErrorCode::decoder_failed, "None of the codecs that read " +
                                        std::string{request.syntax.name} +
                                        " reads this frame, for its bits, components or JFIF and "
                                        "Adobe segments; convert the file to an "
                                        "uncompressed transfer syntax");
}

/// The codec that the request names, or the first that reads the frame.
const Codec& choose_codec(const DecodeRequest& request, const CodestreamInfo& info) {
    bool is_read = false;
    for (const Codec& codec : all_codecs()) {
        const bool is_wanted = request.codec.empty() || request.codec == codec.name;
        if (is_wanted && codec.reads(request.syntax)) {
            is_read = true;
            if (codec.takes(info, request.format)) {
                return codec;
            }
        }
    }
    fail_without_codec(request, is_read);
}

/// Passes rows on after a look at the bits that the header does not count.
class CheckedRows final : public RowSink {
  public:
    CheckedRows(const CodestreamInfo& info, const PixelFormat& format, RowSink& rows)
        : info_{&info}, format_{&format}, rows_{&rows} {}

    void start(const DecodedArea& area) override { rows_->start(area); }
    [[nodiscard]] bool put(ByteSpan rows) override {
        check_unused_bits(rows, *info_, *format_);
        return rows_->put(rows);
    }

  private:
    const CodestreamInfo* info_;
    const PixelFormat* format_;
    RowSink* rows_;
};

} // namespace

void decode_frame(ByteSpan codestream, const DecodeRequest& request, RowSink& rows) {
    require_decodable(request.syntax, request.syntax.uid);
    check_expansion(codestream, request.format);
    const Codestream stream = check_codestream(codestream, request.syntax.encoding, request.format);
    const Codec& codec = choose_codec(request, stream.info);
    CheckedRows checked{stream.info, request.format, rows};
    codec.decode(stream, request, checked);
}

std::vector<CodecRow> codec_table() {
    std::vector<CodecRow> rows;
    for (const TransferSyntax& syntax : transfer_syntaxes()) {
        CodecRow row{syntax.uid, syntax.name, "torchdicom", TORCHDICOM_VERSION, {}};
        for (const Codec& codec : all_codecs()) {
            if (codec.reads(syntax)) {
                row.codecs.push_back(codec.name);
            }
            if (codec.reads(syntax) && row.codecs.size() == 1) {
                row.library = codec.library;
                row.version = codec.version();
            }
        }
        if (syntax.encoding == Encoding::unsupported) {
            row.library.clear();
            row.version.clear();
        } else if (syntax.is_deflated) {
            row.library = "libdeflate + torchdicom";
            row.version = libdeflate_version();
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<std::string_view> codec_names() {
    std::vector<std::string_view> names;
    for (const Codec& codec : all_codecs()) {
        if (std::ranges::find(names, codec.name) == names.end()) {
            names.push_back(codec.name);
        }
    }
    return names;
}

} // namespace torchdicom
