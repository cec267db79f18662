// What a policy wants repaired of a stack of slices: which slices the repaired stack has, what each
// is made of, and where it lies. Everything in double, each operation rounded by itself.
#pragma once

#include "plan/finish.hpp"
#include "series/policy.hpp"
#include "series/series.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace torchdicom {

/// How far a slice lies from a stack that rises along the normal of the first one, in pixels of the
/// file.
struct InPlane {
    double y = 0; ///< down a column
    double x = 0; ///< along a row
};

/// One slice of a repaired stack.
struct RepairedSlice {
    std::size_t before = 0;         ///< the slice of the files that it is, or follows
    std::optional<double> weight{}; ///< of the slice behind that, where it is interpolated
    bool is_filled = false;         ///< no file has it, nor any neighbours that make it
    Vector3 position_mm{};          ///< of its first voxel in the stack as the files have it
    InPlane offset{};               ///< where the stack is straightened

    [[nodiscard]] bool is_made() const noexcept { return is_filled || weight; }
};

struct Repair {
    std::vector<RepairedSlice> slices;
    std::array<Vector3, 4> affine{}; ///< of these, columns as in Series, any shear still in it
    Vector3 normal{};                ///< of unit length
    bool is_even = false;            ///< whether the slices were resampled along the normal
    bool is_straight = false;        ///< whether they are to be shifted in their planes
    Place place{};                   ///< of the tilt, for errors

    /// Whether values are made of several others.
    [[nodiscard]] bool interpolates() const noexcept { return is_even || is_straight; }
};

/// What the policy repairs of the defects of a judged series; nothing where there is nothing to do.
///
/// Filled: a gap of k steps gets k - 1 slices, and the affine is that of first and last slice with
/// so many between. Resampled along the normal: the slices lie at first + k * step, up to the last
/// slice; within 1e-6 steps of a slice of the files they are that, else between two of them. Where
/// the gantry was tilted: each slice has its own offset from the first, by its position.
/// Throws limit_frames where that makes more slices than anything has.
[[nodiscard]] std::optional<Repair> repair_of(const Series& series, const Policy& policy);

/// Rows and columns around those of a slice, so that all slices of a straightened stack fit.
struct Canvas {
    std::size_t top = 0;
    std::size_t bottom = 0;
    std::size_t left = 0;
    std::size_t right = 0;
};

/// The offset in images that were halved so often; within 1e-6 pixels of a whole one it is whole.
[[nodiscard]] InPlane offset_of(const RepairedSlice& slice, std::uint32_t halvings) noexcept;

/// The canvas of a repair, in pixels that were halved so often, of images of so many; nothing
/// around them without a shift. Throws limit_rows and limit_columns.
[[nodiscard]] Canvas canvas_of(const Repair& repair, const Extent& image, std::uint32_t halvings);

/// The affine of the whole repaired stack in whole pixels: straightened, its step is along the
/// normal, and its origin the first voxel of the canvas.
[[nodiscard]] std::array<Vector3, 4> affine_of(const Repair& repair, const Canvas& canvas,
                                               std::uint32_t halvings) noexcept;

} // namespace torchdicom
