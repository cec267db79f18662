#include "rescale/finish.hpp"

#include "base/cells.hpp"
#include "rescale/finish_kernel.hpp"
#include "rescale/streaming.hpp"
#include "rescale/table.hpp"
#include "rescale/voi.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace torchdicom {

namespace {

constexpr std::size_t kBlockValues = 1'024; // they stay in the first-level cache

/// The one number of all channels, or that of this one.
double number_of(const std::vector<double>& numbers, std::size_t channel) {
    return numbers.size() == 1 ? numbers.front() : numbers.at(channel);
}

template <typename Cell, typename Value>
void copy_results(const std::byte* cells, std::size_t count, const std::byte* results,
                  std::byte* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        Cell cell{};
        std::memcpy(&cell, cells + i * sizeof(Cell), sizeof(Cell));
        std::memcpy(output + i * sizeof(Value), results + cell * sizeof(Value), sizeof(Value));
    }
}

template <typename Cell>
void copy_results(const std::byte* cells, std::size_t count, const std::byte* results,
                  std::size_t value_bytes, std::byte* output) noexcept {
    switch (value_bytes) {
    case sizeof(std::uint16_t):
        return copy_results<Cell, std::uint16_t>(cells, count, results, output);
    case sizeof(std::uint32_t):
        return copy_results<Cell, std::uint32_t>(cells, count, results, output);
    default:
        return copy_results<Cell, std::uint64_t>(cells, count, results, output);
    }
}

} // namespace

void finish_values(const Finish& finish, std::span<double> values) noexcept {
    if (finish.window) {
        apply_window(*finish.window, values);
    } else if (finish.clip) {
        apply_clip(*finish.clip, values);
    }
    if (finish.inverts) {
        for (double& value : values) {
            value = 1 - value;
        }
    }
}

ValueFinish::ValueFinish(const Finish& finish, std::size_t channel, DType dtype)
    : normalises_{!finish.mean.empty()}, value_bytes_{size_of(dtype)},
      narrow_{entry_format(PixelFormat{}, true), Rescale{}, dtype} {
    if (normalises_) {
        mean_ = number_of(finish.mean, channel);
        std_ = number_of(finish.std, channel);
    }
}

void ValueFinish::put(std::span<const double> values, MutableByteSpan output, bool stream) const {
    if (!normalises_) {
        narrow_.convert(std::as_bytes(values), output, stream);
        return;
    }
    const FinishKernels& kernels = finish_kernels();
    std::array<double, kBlockValues> block; // NOLINT(*-member-init): filled below
    for (std::size_t done = 0; done < values.size(); done += kBlockValues) {
        const std::size_t count = std::min(kBlockValues, values.size() - done);
        kernels.subtract_and_divide(mean_, std_, values.subspan(done).data(), count, block.data());
        narrow_.convert(std::as_bytes(std::span{block}.first(count)),
                        output.subspan(done * value_bytes_, count * value_bytes_), stream);
    }
}

std::size_t FinishTable::entries_of(const PixelFormat& format) noexcept {
    const bool is_short =
        format.sample_type == SampleType::integer && format.bytes_per_sample() <= 2;
    return is_short ? std::size_t{1} << format.bits_per_cell() : 0;
}

FinishTable::FinishTable(const PixelFormat& format, const Rescale& rescale, const Finish& finish,
                         std::size_t channel, DType dtype)
    : cell_bytes_{format.bytes_per_sample()}, value_bytes_{size_of(dtype)},
      results_(entries_of(format) * value_bytes_) {
    const Converter to_double{format, rescale, DType::float64};
    const ValueFinish own{finish, channel, dtype};
    std::array<std::uint16_t, kBlockValues> cells{};
    std::array<double, kBlockValues> values{};
    const std::size_t entries = entries_of(format);
    for (std::size_t done = 0; done < entries; done += kBlockValues) {
        const std::size_t count = std::min(kBlockValues, entries - done);
        const MutableByteSpan bytes =
            std::as_writable_bytes(std::span{cells}).first(count * cell_bytes_);
        with_cell(cell_bytes_, [&]<typename Cell>(Cell /*type*/) {
            for (std::size_t i = 0; i < count; ++i) {
                store_cell(bytes, i, static_cast<Cell>(done + i));
            }
        });
        const std::span<double> block = std::span{values}.first(count);
        to_double.convert(bytes, std::as_writable_bytes(block), false);
        finish_values(finish, block);
        own.put(block, MutableByteSpan{results_}.subspan(done * value_bytes_, count * value_bytes_),
                false);
    }
}

void FinishTable::look_up(ByteSpan cells, MutableByteSpan output, bool stream) const {
    const std::size_t count = cells.size() / cell_bytes_;
    if (output.size() != count * value_bytes_) {
        fail(ErrorCode::internal_error, "Cells and output differ in number");
    }
    const auto copy = [this](const std::byte* from, std::size_t now, std::byte* to) {
        if (cell_bytes_ == sizeof(std::uint8_t)) {
            copy_results<std::uint8_t>(from, now, results_.data(), value_bytes_, to);
        } else {
            copy_results<std::uint16_t>(from, now, results_.data(), value_bytes_, to);
        }
    };
    if (!stream) {
        copy(cells.data(), count, output.data());
        return;
    }
    // NOLINTNEXTLINE(*-member-init): filled block by block
    alignas(64) std::array<std::byte, kBlockValues * sizeof(double)> block;
    for (std::size_t done = 0; done < count; done += kBlockValues) {
        const std::size_t now = std::min(kBlockValues, count - done);
        copy(cells.subspan(done * cell_bytes_).data(), now, block.data());
        stream_copy(block.data(), now * value_bytes_, output.subspan(done * value_bytes_).data());
    }
    finish_streaming();
}

} // namespace torchdicom
