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

/// Passes rows on after a look at the bits that the header does not count: of the pixels that are
/// wanted alone, so that it does not depend on the codec which frames are refused.
class CheckedRows final : public RowSink {
  public:
    CheckedRows(const CodestreamInfo& info, const DecodeRequest& request, RowSink& rows)
        : info_{&info}, request_{&request}, rows_{&rows} {}

    void start(const DecodedArea& area) override {
        given_ = area.window;
        wanted_ = reduced(request_->window, area.reduced);
        next_row_ = given_.y0;
        rows_->start(area);
    }

    [[nodiscard]] bool put(ByteSpan rows) override {
        const PixelFormat& format = request_->format;
        const std::size_t pixel_bytes = format.samples_per_pixel * format.bytes_per_sample();
        const std::size_t row_bytes = given_.columns() * pixel_bytes;
        const RowRange given{.first = next_row_, .end = next_row_ + rows.size() / row_bytes};
        const RowRange wanted = rows_in(wanted_, given);
        const ByteSpan seen =
            rows.subspan((wanted.first - given.first) * row_bytes, wanted.size() * row_bytes);
        next_row_ = given.end;
        const std::size_t x0 = std::clamp(wanted_.x0, given_.x0, given_.x1);
        const std::size_t x1 = std::clamp(wanted_.x1, x0, given_.x1);
        if (x1 - x0 == given_.columns()) {
            check_unused_bits(seen, *info_, format);
            return rows_->put(rows);
        }
        for (std::size_t at = 0; at < seen.size(); at += row_bytes) {
            const ByteSpan row = seen.subspan(at, row_bytes);
            check_unused_bits(row.subspan((x0 - given_.x0) * pixel_bytes, (x1 - x0) * pixel_bytes),
                              *info_, format);
        }
        return rows_->put(rows);
    }

  private:
    const CodestreamInfo* info_;
    const DecodeRequest* request_;
    RowSink* rows_;
    Window given_{};
    Window wanted_{};
    std::size_t next_row_ = 0;
};

} // namespace

void decode_frame(ByteSpan codestream, const DecodeRequest& request, RowSink& rows) {
    require_decodable(request.syntax, request.syntax.uid);
    check_expansion(codestream, request.format);
    const Codestream stream = check_codestream(codestream, request.syntax.encoding, request.format);
    const Codec& codec = choose_codec(request, stream.info);
    if (!may_exceed_high_bit(stream.info, request.format)) {
        codec.decode(stream, request, rows);
        return;
    }
    CheckedRows checked{stream.info, request, rows};
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
