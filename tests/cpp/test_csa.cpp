// header/csa: what Siemens says of a mosaic is read, and a damaged header as far as it reaches.
#include "csa_writer.hpp"
#include "header/csa.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Bytes;
using test::csa_of;

namespace {

using Direction = std::array<double, 3>;

struct Found {
    Mosaic mosaic;
    SliceTimes times;
};

/// From a copy that ends where the bytes end, so that sanitizers see what is read behind them.
Found read(ByteSpan bytes) {
    const auto copy = std::make_unique<std::byte[]>(bytes.size());
    std::ranges::copy(bytes, copy.get());
    Found found;
    read_csa({copy.get(), bytes.size()}, found.mosaic, found.times);
    return found;
}

Bytes whole() {
    return csa_of({{"NumberOfImagesInMosaic", {"3"}},
                   {"EchoLinePosition", {"7"}},
                   {"SliceNormalVector", {"0.0", "-0.6", "0.8"}},
                   {"MosaicRefAcqTimes", {"0.0", "30.5", "61"}},
                   {"B_value", {"1000"}},
                   {"DiffusionGradientDirection", {"1", "0", "-0.5"}}});
}

std::optional<std::int64_t> images(const std::string& text) {
    return read(csa_of({{"NumberOfImagesInMosaic", {text}}})).mosaic.images;
}

} // namespace

TEST_CASE("a CSA header says how many slices there are, where and when") {
    const auto [mosaic, times] = read(whole());
    CHECK(mosaic.images == 3);
    CHECK(mosaic.normal == Direction{0, -0.6, 0.8});
    CHECK(mosaic.slice_times == std::vector<double>{0, 30.5, 61});
    CHECK(mosaic.private_times.empty());
    CHECK(times.diffusion_b_value == 1000);
    CHECK(times.diffusion_gradient == Direction{1, 0, -0.5});
    CHECK_FALSE(times.slice_time);
}

TEST_CASE("a CSA header that is cut off says what stands before the cut") {
    const Bytes bytes = whole();
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        CAPTURE(size);
        const auto [mosaic, times] = read(ByteSpan{bytes}.first(size));
        // 16 bytes, then 84 of the tag and 16 of its first item, whose text has two.
        CHECK(mosaic.images.has_value() == (size >= 118));
        CHECK((!mosaic.normal || *mosaic.normal == Direction{0, -0.6, 0.8}));
        CHECK(mosaic.slice_times.size() <= 3);
        CHECK(times.diffusion_b_value.value_or(1000) == 1000);
    }
}

TEST_CASE("counts and lengths beyond the end of a CSA header lead nowhere") {
    const Bytes bytes = csa_of({{"B_value", {"1000"}}, {"NumberOfImagesInMosaic", {"3"}}});
    const auto with = [&bytes](std::size_t place, std::uint32_t number) {
        Bytes changed = bytes;
        const Bytes written = test::DataSetWriter{}.number(number, 4).bytes();
        std::ranges::copy(written, changed.begin() + static_cast<std::ptrdiff_t>(place));
        return read(changed);
    };
    constexpr std::uint32_t kHuge = 0xFFFF'FFFF;
    for (const std::uint32_t huge : {kHuge, 0x7FFF'FFFFU, 0xFFFF'FFFDU}) {
        CAPTURE(huge);
        CHECK(with(8, huge).mosaic.images == 3);                    // tags
        CHECK(with(16 + 76, huge).times.diffusion_b_value == 1000); // items of the first
        CHECK_FALSE(with(100 + 4, huge).times.diffusion_b_value);   // length of its first
    }
    CHECK_FALSE(with(8, 1).mosaic.images);
    CHECK_FALSE(with(8, 0).times.diffusion_b_value);
    CHECK_FALSE(with(0, 0x3031'5654).mosaic.images); // "SV10" it is no more
}

TEST_CASE("values of a CSA header that are none are absent") {
    CHECK(images("12") == 12);
    CHECK(images(" 65536 ") == 65'536);
    for (const char* text : {"0", "-1", "65537", "1e300", "x", "nan", ""}) {
        CAPTURE(text);
        CHECK_FALSE(images(text));
    }
    const auto vector = [](const std::vector<std::string>& texts) {
        return read(csa_of({{"SliceNormalVector", texts}})).mosaic.normal;
    };
    CHECK_FALSE(vector({"0", "1"}));
    CHECK_FALSE(vector({"0", "0", "1", "0"}));
    CHECK_FALSE(vector({"0", "x", "1"}));
    CHECK_FALSE(read(csa_of({{"B_value", {"high"}}})).times.diffusion_b_value);
}
