// What no policy settles: objects that this version recognises and does not load as slices.

#include "header/pixel_format.hpp"
#include "series/judge.hpp"
#include "series/kind.hpp"

namespace torchdicom {

namespace {

void refuse_foreign(const FileHeader& header) {
    const auto [what, tag] = foreign_object(header);
    if (!what.empty()) {
        fail(ErrorCode::not_a_volume,
             "The file holds " + std::string{what} +
                 ", which is no volume of slices. torchdicom.decode takes the frames of a file "
                 "without geometry",
             header.place_of(tag));
    }
}

void refuse_what_is_no_slice(const FileHeader& header) {
    if (header.number_of_frames() > 1 && kind_of(header) != Kind::cine) {
        fail(ErrorCode::unsupported_multi_frame,
             "The file has " + std::to_string(header.number_of_frames()) +
                 " frames, and such files are not loaded as volumes yet. Take its frames with "
                 "torchdicom.decode",
             header.place_of(tags::NumberOfFrames));
    }
    if (has_image_type(header, "MOSAIC") && !header.part.is_frame) {
        fail(ErrorCode::unsupported_mosaic,
             "A Siemens mosaic holds many slices in one image, and this one does not say how many: "
             "its CSA header (0029,xx10) and (0019,xx0A) are missing, or do not fit its size. Take "
             "the image with torchdicom.decode",
             header.place_of(tags::ImageType));
    }
}

} // namespace

std::optional<Defect> refusal_of(const std::vector<FileHeader>& slices) {
    for (const FileHeader& slice : slices) {
        try {
            refuse_foreign(slice);
            refuse_what_is_no_slice(slice);
            check_decodable(slice);
        } catch (const Error& error) {
            return Defect{.code = error.code(),
                          .message = error.message(),
                          .files = {slice.path},
                          .place = error.place(),
                          .is_refusal = true};
        }
    }
    return std::nullopt;
}

} // namespace torchdicom
