#include "series/kind.hpp"

#include "header/sop_classes.hpp"
#include "header/values.hpp"

#include <algorithm>
#include <array>

namespace torchdicom {

namespace {

constexpr std::string_view kSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";

/// PS3.5 A.4.5 to A.4.9: .100 to .108, each also in a fragmentable form with .1 behind.
bool is_video(std::string_view uid) noexcept {
    constexpr std::string_view kStart = "1.2.840.10008.1.2.4.10";
    if (!uid.starts_with(kStart) || uid.size() == kStart.size()) {
        return false;
    }
    const char digit = uid[kStart.size()];
    const std::string_view rest = uid.substr(kStart.size() + 1);
    return digit >= '0' && digit <= '8' && (rest.empty() || rest == ".1");
}

/// Modalities whose images are slices, even where a file says too little about its place.
bool is_tomographic(std::string_view modality) noexcept {
    constexpr std::array<std::string_view, 4> kModalities{"CT", "MR", "PT", "NM"};
    return std::ranges::find(kModalities, modality) != kModalities.end();
}

/// What one frame of several is. Projections of nuclear medicine are no slices.
Kind kind_of_frame(const FileHeader& header, bool is_slice) {
    const bool is_projection = header.modality == "NM" &&
                               nth_value(header.image_type, 2).find("RECON") == std::string::npos;
    if (has_place(header) || (is_slice && !is_projection)) {
        return Kind::volume;
    }
    return header.number_of_frames_given.value_or(1) > 1 ? Kind::cine : Kind::image;
}

} // namespace

std::pair<std::string_view, Tag> foreign_object(const FileHeader& header) noexcept {
    for (const auto& [uid, what] : kForeignClasses) {
        if (header.sop_class_uid == uid) {
            return {what, tags::SOPClassUID};
        }
    }
    if (is_video(header.transfer_syntax_uid)) {
        return {"a video", tags::TransferSyntaxUID};
    }
    return {};
}

Kind kind_of(const FileHeader& header) {
    if (!foreign_object(header).first.empty()) {
        return Kind::other;
    }
    if (has_image_type(header, "LOCALIZER")) {
        return Kind::localizer;
    }
    if (header.modality == "RTDOSE") {
        return Kind::dose;
    }
    const bool is_slice = is_tomographic(header.modality);
    if (header.part.is_frame) {
        return kind_of_frame(header, is_slice);
    }
    if (header.number_of_frames() > 1) {
        const bool is_cine =
            !header.functional_groups && !header.image_position_patient && !is_slice;
        return is_cine ? Kind::cine : Kind::volume;
    }
    const bool may_lie_anywhere = !is_slice || header.sop_class_uid == kSecondaryCapture;
    return may_lie_anywhere && !has_place(header) ? Kind::image : Kind::volume;
}

std::string_view name_of(Kind kind) noexcept {
    constexpr std::array<std::string_view, 6> kNames{"volume", "image",     "cine",
                                                     "dose",   "localizer", "other"};
    return kNames[static_cast<std::size_t>(kind)];
}

} // namespace torchdicom
