#include "pipeline/settle.hpp"

#include "decode/codec.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

/// Throws unsupported_transfer_syntax where the codec that was asked for does not read a file.
void require_codec(const Plan& plan, std::span<const FileHeader> headers) {
    if (plan.codec.empty()) {
        return;
    }
    for (const FrameTask& task : plan.tasks) {
        const FileHeader& header = headers[task.header];
        const bool is_read = std::ranges::any_of(all_codecs(), [&](const Codec& codec) {
            return codec.name == plan.codec && codec.reads(header.transfer_syntax);
        });
        if (!is_read) {
            fail(ErrorCode::unsupported_transfer_syntax,
                 "The codec " + plan.codec + " does not read the transfer syntax " +
                     header.transfer_syntax_uid + " (" + std::string{header.transfer_syntax.name} +
                     "). Leave codec= out",
                 header.place_of(tags::TransferSyntaxUID));
        }
    }
}

} // namespace

void settle_request(const LoadRequest& request, std::span<const FileHeader> headers, Plan& plan) {
    plan.window = window_of(request.region, slice_format(plan), request.reduce);
    plan.reduce = request.reduce;
    if (plan.has_tiles() && (plan.slice.rows % (std::size_t{1} << plan.reduce) != 0 ||
                             plan.slice.columns % (std::size_t{1} << plan.reduce) != 0)) {
        fail(ErrorCode::unsupported_mosaic,
             "The slices of this mosaic do not divide into blocks of 2^" +
                 std::to_string(plan.reduce) + " pixels. Load them with a smaller reduce",
             headers.front().place_of(tags::Rows));
    }
    plan.codec = request.codec;
    if (plan.reduce > 0 && plan.has_indices()) {
        fail(ErrorCode::unsupported_pixel_format,
             "Indices of a palette have no mean. Take the colours with output='modality', or the "
             "indices with reduce=0",
             headers.front().place_of(tags::PhotometricInterpretation));
    }
    require_codec(plan, headers);
}

} // namespace torchdicom
