// What a file says about quantities that are no modality values: standardised uptake values of PET
// (PS3.3 C.8.9.1, C.8.9.2), and Philips' values in floating point. It is read when it is asked for,
// and kept by no index: a patient's weight is nobody's business.
#pragma once

#include "base/error.hpp"
#include "header/tags.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace torchdicom {

struct Quantity {
    using Texts = std::vector<std::pair<Tag, std::string>>;

    Texts texts{};                     ///< trimmed; an empty one counts as absent
    Texts dose{};                      ///< of the first radiopharmaceutical
    std::size_t doses = 0;             ///< how many there are
    std::optional<Error> dose_fault{}; ///< where their sequence is malformed
    std::string ge_scan_time{};        ///< (0009,xx0D) of GEMS_PETD_01
    std::string philips_suv_factor{};  ///< (7053,xx00) of Philips PET Private Group
    /// (2005,xx0E) of Philips MR Imaging DD 001; NaN where it is no number.
    std::optional<double> philips_scale_slope{};
    /// The same of each frame of an enhanced file, in a sequence (2005,xx0F) of Philips MR Imaging
    /// DD 005 in its functional groups; empty where there are none.
    std::vector<std::optional<double>> philips_frame_scale_slopes{};
    std::optional<double> philips_shared_scale_slope{}; ///< of the group of all frames
};

namespace tags {

inline constexpr Tag SuvSeriesDate = 0x0008'0021;
inline constexpr Tag SuvAcquisitionDate = 0x0008'0022;
inline constexpr Tag SuvSeriesTime = 0x0008'0031;
inline constexpr Tag SuvAcquisitionTime = 0x0008'0032;
inline constexpr Tag SuvTimezoneOffset = 0x0008'0201;
inline constexpr Tag SuvPatientWeight = 0x0010'1030;
inline constexpr Tag SuvStartTime = 0x0018'1072;
inline constexpr Tag SuvTotalDose = 0x0018'1074;
inline constexpr Tag SuvHalfLife = 0x0018'1075;
inline constexpr Tag SuvStartDateTime = 0x0018'1078;
inline constexpr Tag SuvDecayCorrectionDateTime = 0x0018'9701;
inline constexpr Tag SuvDecayCorrected = 0x0018'9758;
inline constexpr Tag SuvAttenuationCorrected = 0x0018'9759;
inline constexpr Tag SuvCorrectedImage = 0x0028'0051;
inline constexpr Tag SuvRadiopharmaceuticals = 0x0054'0016;
inline constexpr Tag SuvType = 0x0054'1006;
inline constexpr Tag SuvDecayCorrection = 0x0054'1102;

} // namespace tags

} // namespace torchdicom
