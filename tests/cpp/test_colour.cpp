// rescale/colour, rescale/table, decode/unpack: samples as files and codecs have them, to planes.
#include "decode/unpack.hpp"
#include "rescale/colour.hpp"
#include "rescale/table.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

using namespace torchdicom;

namespace {

using Words = std::vector<std::uint16_t>;
using Octets = std::vector<std::uint8_t>;

template <typename T> ByteSpan bytes_of(const std::vector<T>& values) {
    return std::as_bytes(std::span{values});
}

template <typename T> MutableByteSpan writable(std::vector<T>& values) {
    return std::as_writable_bytes(std::span{values});
}

PixelFormat colour_of(std::uint32_t allocated, std::uint32_t stored, std::uint32_t high_bit) {
    return {.rows = 1,
            .columns = 2,
            .samples_per_pixel = 3,
            .bits_allocated = allocated,
            .bits_stored = stored,
            .high_bit = high_bit,
            .photometric = Photometric::ybr_full};
}

template <typename T> std::array<std::vector<T>, 3> planes_of(std::size_t count) {
    return {std::vector<T>(count), std::vector<T>(count), std::vector<T>(count)};
}

/// Red, green and blue of pixels of YBR.
template <typename T>
std::array<std::vector<T>, 3> rgb(const std::vector<T>& pixels, const PixelFormat& format) {
    auto planes = planes_of<T>(pixels.size() / 3);
    split_ybr(bytes_of(pixels), format,
              {writable(planes[0]), writable(planes[1]), writable(planes[2])});
    return planes;
}

PixelFormat gray(std::uint32_t allocated, std::uint32_t stored, bool is_signed) {
    return {.rows = 1,
            .columns = 1,
            .bits_allocated = allocated,
            .bits_stored = stored,
            .high_bit = stored - 1,
            .is_signed = is_signed};
}

} // namespace

TEST_CASE("samples side by side become planes, whatever their width") {
    auto planes = planes_of<std::uint16_t>(2);
    split_samples(bytes_of(Words{1, 2, 3, 4, 5, 6}), colour_of(16, 16, 15),
                  {writable(planes[0]), writable(planes[1]), writable(planes[2])});
    CHECK(planes[0] == Words{1, 4});
    CHECK(planes[1] == Words{2, 5});
    CHECK(planes[2] == Words{3, 6});
}

TEST_CASE("YBR_FULL becomes RGB by the numbers of PS3.3 C.7.6.3.1.2") {
    const PixelFormat format = colour_of(8, 8, 7);
    // Gray stays gray; then the three primaries, rounded, as any table of JFIF has them.
    CHECK(rgb(Octets{77, 128, 128, 255, 128, 128}, format)[1] == Octets{77, 255});
    const auto primaries =
        rgb(Octets{76, 85, 255, 150, 44, 21, 29, 255, 107}, format); // red, green, blue
    CHECK(primaries[0] == Octets{254, 0, 0});
    CHECK(primaries[1] == Octets{0, 255, 0});
    CHECK(primaries[2] == Octets{0, 1, 254});
    // Beyond both ends: 0 + 1.402 * 127 = 178.05, 0 - 0.714 * 127 < 0, 255 + 1.772 * 127 > 255.
    const auto clipped = rgb(Octets{0, 128, 255, 255, 255, 128}, format);
    CHECK(clipped[0] == Octets{178, 255});
    CHECK(clipped[1] == Octets{0, 211}); // 255 - 0.344136 * 127 = 211.29
    CHECK(clipped[2] == Octets{0, 255});
}

TEST_CASE("YBR of 12 bits has its zero of chroma at 2048, below bits that are no value") {
    const PixelFormat format = colour_of(16, 12, 13);
    const auto planes = rgb(Words{1000 << 2 | 0x8003, 2048 << 2, 3048 << 2 | 1}, format);
    CHECK(planes[0] == Words{2402}); // 1000 + 1402
    CHECK(planes[1] == Words{286});  // 1000 - 714.136
    CHECK(planes[2] == Words{1000});
    const PixelFormat plane = plane_format(format, true);
    CHECK(plane.high_bit == 11);
    CHECK(plane.samples_per_pixel == 1);
}

TEST_CASE("values below a table are its first entry, those above its last") {
    const PixelFormat format = gray(16, 12, true);
    const Words table{10, 20, 30};
    const Words cells{0x0FFE, 0x0FFF, 0, 1, 2, 0x07FF, 0x0800}; // -2 -1 0 1 2 2047 -2048
    Words found(cells.size());
    StoredLookup{format}.look_up(bytes_of(cells), -1, std::span{table}, writable(found));
    CHECK(found == Words{10, 10, 20, 30, 30, 30, 10});
    const std::vector<double> doubles{0.5, -1.5};
    std::vector<double> values(cells.size());
    StoredLookup{format}.look_up(bytes_of(cells), 0, std::span{doubles}, writable(values));
    CHECK(values == std::vector<double>{0.5, 0.5, 0.5, -1.5, -1.5, -1.5, 0.5});
}

TEST_CASE("single bits are unpacked from the lowest on, from any bit") {
    const Octets packed{0b1010'0110, 0b0000'0011};
    Octets cells(7);
    unpack_bits(bytes_of(packed), 0, writable(cells));
    CHECK(cells == Octets{0, 1, 1, 0, 0, 1, 0});
    unpack_bits(bytes_of(packed), 5, writable(cells));
    CHECK(cells == Octets{1, 0, 1, 1, 1, 0, 0});
}

TEST_CASE("12 bits follow each other from the lowest on") {
    const Octets packed{0xBC, 0x3A, 0x12, 0xEF, 0x0D};
    Words cells(3);
    unpack_12_bits(bytes_of(packed), 0, writable(cells));
    CHECK(cells == Words{0xABC, 0x123, 0xDEF});
    cells.resize(2);
    unpack_12_bits(bytes_of(packed), 4, writable(cells));
    CHECK(cells == Words{0x3AB, 0xF12});
}

TEST_CASE("two pixels share the chroma of 4:2:2, and planes are put side by side") {
    Octets cells(12);
    unpack_422(bytes_of(Octets{1, 2, 3, 4, 5, 6, 7, 8}), 1, writable(cells));
    CHECK(cells == Octets{1, 3, 4, 2, 3, 4, 5, 7, 8, 6, 7, 8});
    Words samples(6);
    const Words red{1, 2};
    const Words green{3, 4};
    const Words blue{5, 6};
    interleave({bytes_of(red), bytes_of(green), bytes_of(blue)}, 2, writable(samples));
    CHECK(samples == Words{1, 3, 5, 2, 4, 6});
}
