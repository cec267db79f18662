#include "rescale/rescale.hpp"

#include "rescale/streaming.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

namespace torchdicom {

namespace {

// Cells a block: the block's output stays in the first-level cache on its way past it.
constexpr std::size_t kBlockCells = 2'048;
constexpr std::size_t kMaxOutputBytes = 8;

double largest_stored(const PixelFormat& format) noexcept {
    return std::ldexp(1.0, static_cast<int>(format.bits_stored)) - (format.is_signed ? 0.0 : 1.0);
}

bool is_whole(double value) noexcept { return std::trunc(value) == value; }

/// What printf makes of those that are no numbers differs, "-nan" among them.
std::string in_words(double value) {
    if (std::isnan(value)) {
        return "NaN, which is not a number,";
    }
    if (std::isinf(value)) {
        return value < 0 ? "minus infinity" : "infinity";
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.17g", value);
    return text.data();
}

bool is_float(const PixelFormat& format) noexcept {
    return format.sample_type != SampleType::integer;
}

bool is_same_type(const PixelFormat& format, DType dtype) noexcept {
    if (is_float(format)) {
        return dtype == (format.bits_per_cell() == 32 ? DType::float32 : DType::float64);
    }
    switch (dtype) {
    case DType::uint8:
        return format.bits_per_cell() == 8 && !format.is_signed;
    case DType::int8:
        return format.bits_per_cell() == 8 && format.is_signed;
    case DType::uint16:
        return format.bits_per_cell() == 16 && !format.is_signed;
    case DType::int16:
        return format.bits_per_cell() == 16 && format.is_signed;
    case DType::int32:
        return format.bits_per_cell() == 32 && format.is_signed;
    default:
        return false;
    }
}

/// The cheapest arithmetic that is provably the same as the one in double.
Arithmetic choose(const PixelFormat& format, const Rescale& rescale, DType dtype) noexcept {
    const double slope = rescale.slope;
    const double intercept = rescale.intercept;
    if (rescale.is_scaled()) {
        return Arithmetic::scaled_float64;
    }
    const bool is_identity = slope == 1.0 && intercept == 0.0;
    const bool all_bits = format.bits_stored == format.bits_per_cell();
    if (is_identity && (all_bits || is_float(format)) && is_same_type(format, dtype)) {
        return Arithmetic::copy;
    }
    if (is_float(format)) {
        return is_integer(dtype) ? Arithmetic::checked_float64 : Arithmetic::float64;
    }
    const bool is_exact = is_whole(slope) && is_whole(intercept);
    const double bound = std::abs(slope) * largest_stored(format) + std::abs(intercept);
    if (is_integer(dtype)) {
        const bool fits = is_exact && bound < 2147483648.0; // and so do slope and intercept
        return fits ? Arithmetic::int32 : Arithmetic::checked_float64;
    }
    const bool fits = is_exact && bound <= 16777216.0; // 2^24: all integers up to it are floats
    return fits && dtype != DType::float64 ? Arithmetic::float32 : Arithmetic::float64;
}

KernelChoice choice(const PixelFormat& format, Arithmetic arithmetic, DType dtype) noexcept {
    return {.bits_per_cell = format.bits_per_cell(),
            .is_signed = format.is_signed,
            .arithmetic = arithmetic,
            .dtype = dtype,
            .is_float = is_float(format)};
}

/// Adding 0 to a number turns -0.0 into 0.0; adding -0.0 changes none.
Rescale harmless(const Rescale& rescale, const PixelFormat& format) noexcept {
    const bool is_identity = rescale.slope == 1.0 && rescale.intercept == 0.0;
    Rescale adds_nothing = rescale;
    adds_nothing.intercept = -0.0;
    return is_float(format) && is_identity ? adds_nothing : rescale;
}

struct Range {
    double lowest;
    double highest;
};

Range range_of(DType dtype) noexcept {
    switch (dtype) {
    case DType::uint8:
        return {0, 255};
    case DType::int8:
        return {-128, 127};
    case DType::int16:
        return {-32768, 32767};
    case DType::uint16:
        return {0, 65535};
    case DType::int32:
        return {-2147483648.0, 2147483647.0};
    // The largest double below 2^63: 2^63 - 1 itself is not one.
    case DType::int64:
        return {-9223372036854775808.0, 9223372036854774784.0};
    default:
        return {0, 0};
    }
}

} // namespace

Converter::Converter(const PixelFormat& format, const Rescale& rescale, DType dtype)
    : format_{format}, dtype_{dtype}, arithmetic_{choose(format, rescale, dtype)},
      kernel_{find_kernel(choice(format, arithmetic_, dtype))},
      to_double_{find_kernel(choice(format, Arithmetic::float64, DType::float64))} {
    if (rescale.is_scaled() && is_integer(dtype)) {
        fail(ErrorCode::internal_error, "Integers for what is scaled");
    }
    const Range range = range_of(dtype);
    parameters_ = KernelParameters{.shift_left = is_float(format) ? 0 : 31 - format.high_bit,
                                   .shift_right = is_float(format) ? 0 : 32 - format.bits_stored,
                                   .rescale = harmless(rescale, format),
                                   .lowest = range.lowest,
                                   .highest = range.highest};
}

void Converter::convert_block(const std::byte* cells, std::size_t count, std::byte* output) const {
    if (!kernel_(cells, count, parameters_, output)) {
        fail_overflow(cells, count);
    }
}

void Converter::convert(ByteSpan cells, MutableByteSpan output, bool stream) const {
    const std::size_t cell_bytes = format_.bytes_per_sample();
    const std::size_t output_bytes = size_of(dtype_);
    const std::size_t count = cells.size() / cell_bytes;
    if (output.size() != count * output_bytes) {
        fail(ErrorCode::internal_error, "Cells and output differ in number");
    }
    if (!stream) {
        convert_block(cells.data(), count, output.data());
        return;
    }
    if (arithmetic_ == Arithmetic::copy) {
        stream_copy(cells.data(), output.size(), output.data());
        finish_streaming();
        return;
    }
    // NOLINTNEXTLINE(*-member-init): filled block by block; zeroing it first would cost as much
    alignas(64) std::array<std::byte, kBlockCells * kMaxOutputBytes> block;
    for (std::size_t done = 0; done < count; done += kBlockCells) {
        const std::size_t cells_now = std::min(kBlockCells, count - done);
        convert_block(cells.subspan(done * cell_bytes).data(), cells_now, block.data());
        stream_copy(block.data(), cells_now * output_bytes,
                    output.subspan(done * output_bytes).data());
    }
    finish_streaming();
}

void Converter::fail_overflow(const std::byte* cells, std::size_t count) const {
    std::array<double, kBlockCells> values{};
    for (std::size_t done = 0; done < count; done += kBlockCells) {
        const std::size_t now = std::min(kBlockCells, count - done);
        static_cast<void>(to_double_(cells + done * format_.bytes_per_sample(), now, parameters_,
                                     std::as_writable_bytes(std::span{values}).data()));
        for (std::size_t i = 0; i < now; ++i) {
            if (!(values[i] >= parameters_.lowest && values[i] <= parameters_.highest &&
                  is_whole(values[i]))) {
                fail(ErrorCode::value_overflow,
                     "The value " + in_words(values[i]) + " does not fit the dtype");
            }
        }
    }
    fail(ErrorCode::internal_error, "A value did not fit, and is not to be found");
}

void swap_cells(MutableByteSpan cells, std::size_t group_bytes) noexcept {
    const auto swap_as = [&cells]<typename Cell>(Cell /*type*/) {
        for (std::size_t at = 0; at + sizeof(Cell) <= cells.size(); at += sizeof(Cell)) {
            Cell value{};
            std::memcpy(&value, cells.data() + at, sizeof(Cell));
            value = byte_swap(value);
            std::memcpy(cells.data() + at, &value, sizeof(Cell));
        }
    };
    if (group_bytes == sizeof(std::uint16_t)) {
        swap_as(std::uint16_t{});
    } else if (group_bytes == sizeof(std::uint32_t)) {
        swap_as(std::uint32_t{});
    } else if (group_bytes == sizeof(std::uint64_t)) {
        swap_as(std::uint64_t{});
    }
}

} // namespace torchdicom
