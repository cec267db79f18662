// decode/jpeg_lossless: damaged and odd streams, each with its error.
#include "lossless_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

using namespace torchdicom;
using namespace torchdicom::test;
using namespace torchdicom::test::lossless;

namespace {

constexpr auto kInvalid = ErrorCode::invalid_codestream;

} // namespace

TEST_CASE("entropy-coded data that ends early is an error at every byte") {
    const LosslessImage image = image_of();
    const StreamWriter whole = encoded(image);
    const std::size_t data = LosslessEncoder{image, {}}.scan(0, 1).size();
    CHECK(decode(whole.span()).samples == image.samples);
    for (std::size_t cut = 1; cut <= data; ++cut) {
        CAPTURE(cut);
        StreamWriter shortened;
        for (const std::byte byte : whole.without_last(2 + cut)) {
            shortened.u8(std::to_integer<std::uint32_t>(byte));
        }
        CHECK(failure(shortened.u16(0xFFD9)) == kInvalid);
    }
}

TEST_CASE("bytes behind the last sample are padding") {
    const LosslessImage image = image_of();
    const StreamWriter whole = encoded(image);
    StreamWriter longer;
    for (const std::byte byte : whole.without_last(2)) {
        longer.u8(std::to_integer<std::uint32_t>(byte));
    }
    longer.raw({0x12, 0xFF, 0x00, 0x34}).u16(0xFFD0).u16(0xFFD9);
    CHECK(decode(longer.span()).samples == image.samples);
}

TEST_CASE("tables that are no Huffman tables, or are not there") {
    CHECK(decode(Parts{}.stream().span()).samples == std::vector<std::uint32_t>(24, 0x8000));
    CHECK(failure(Parts{.data = StreamWriter{}.raw({0x80, 0, 0, 0, 0, 0, 0, 0})}.stream()) ==
          kInvalid);                                                            // no code starts so
    CHECK(failure(Parts{.table = {}}.stream()) == kInvalid);                    // none
    CHECK(failure(Parts{.table = Parts::dht(1, {0, 1})}.stream()) == kInvalid); // another
    CHECK(failure(Parts{.table = Parts::dht(0x10, {0, 1})}.stream()) == kInvalid); // of class AC
    CHECK(failure(Parts{.table = Parts::dht(4, {0, 1})}.stream()) == kInvalid);
    CHECK(failure(Parts{.scan = StreamWriter{}.raw({1, 1, 0x40, 1, 0, 0})}.stream()) == kInvalid);
    CHECK(failure(Parts{.table = Parts::dht(0, {3})}.stream()) == kInvalid); // two of one bit
    CHECK(failure(Parts{.table = Parts::dht(0, {1, 1, 3})}.stream()) == kInvalid);
    CHECK(failure(Parts{.table = Parts::dht(0, {0, 1}, 17)}.stream()) == kInvalid); // category 17
    CHECK(failure(Parts{.table = Parts::dht(0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 2})}.stream()) ==
          kInvalid);                                                                 // 257 codes
    CHECK(failure(Parts{.table = StreamWriter{}.raw({0, 1})}.stream()) == kInvalid); // cut off
    CHECK(failure(Parts{.table = StreamWriter{}}.stream()) == kInvalid);
}

TEST_CASE("a code of ones alone is read, and tables that no scan uses are not judged") {
    Parts parts{.table = Parts::dht(0, {2})}; // 0 and 1 of the categories 0 and 1
    parts.table.append(Parts::dht(2, {3}));
    // 22 differences of 0, 1 0 for -1, 1 1 for +1 and six ones: the last byte is stuffed.
    parts.data = StreamWriter{}.raw({0x00, 0x00, 0x02, 0xFF, 0x00});
    std::vector<std::uint32_t> expected(24, 0x8000);
    expected[22] = 0x7FFF;
    CHECK(decode(parts.stream().span()).samples == expected);
}

TEST_CASE("restart intervals are whole rows, and their markers count") {
    const LosslessImage image = image_of();
    const StreamWriter stream = encoded(image, {.restart_rows = 2});
    const auto marker = [](std::uint32_t value) { return StreamWriter{}.u16(value); };
    CHECK(decode(stream.span()).samples == image.samples);
    CHECK(failure(with(stream, marker(0xFFD0), marker(0xFFD1))) == kInvalid);
    CHECK(failure(with(stream, marker(0xFFD1), marker(0xFFD0))) == kInvalid);
    CHECK(failure(with(stream, marker(0xFFD1), marker(0xFFD7))) == kInvalid);

    const auto interval = [](std::uint32_t pixels) {
        return StreamWriter{}.u16(0xFFDD).u16(4).u16(pixels);
    };
    for (const std::uint32_t pixels : {1U, 2U, 7U, 9U}) {
        CHECK(failure(with(stream, interval(8), interval(pixels))) == kInvalid);
    }
    CHECK(failure(with(stream, interval(8), interval(4))) == kInvalid);  // too few markers
    CHECK(failure(with(stream, interval(8), interval(12))) == kInvalid); // data ends at a marker
    CHECK(failure(with(stream, interval(8), interval(0))) == kInvalid);
    CHECK(failure(with(stream, StreamWriter{}.u16(0xFFDD).u16(4), // DRI of three bytes
                       StreamWriter{}.u16(0xFFDD).u16(3))) == kInvalid);

    StreamWriter first_only; // cut before RST0
    for (std::size_t i = 0; i + 1 < stream.size() && stream.span()[i + 1] != std::byte{0xD0}; ++i) {
        first_only.u8(std::to_integer<std::uint32_t>(stream.span()[i]));
    }
    CHECK(failure(first_only.u16(0xFFD9)) == kInvalid);
}

TEST_CASE("every component is coded once") {
    const LosslessImage image = image_of(3);
    const StreamWriter stream = encoded(image, {.is_interleaved = false});
    const auto scan_of = [](std::uint32_t id, std::uint32_t table) {
        return StreamWriter{}.raw({0xFF, 0xDA, 0, 8, 1, id, table});
    };
    CHECK(decode(stream.span(), 3).samples == image.samples);
    CHECK(failure(with(stream, scan_of(2, 0x10), scan_of(1, 0x10)), 3) == kInvalid);
    // The others of the stream as a segment of a comment.
    const StreamWriter comment = StreamWriter{}.raw({0xFF, 0xFE, 0, 8});
    StreamWriter two;
    const auto third = scan_of(3, 0x10);
    const auto end = std::search(stream.span().begin(), stream.span().end(), third.span().begin(),
                                 third.span().end());
    for (auto byte = stream.span().begin(); byte != end; ++byte) {
        two.u8(std::to_integer<std::uint32_t>(*byte));
    }
    CHECK(failure(two.append(comment).raw({0, 0, 0, 0, 0, 0}).u16(0xFFD9), 3) == kInvalid);
}

TEST_CASE("components that all have one id are taken in their order") {
    const LosslessImage image = image_of(3);
    StreamWriter stream = encoded(image);
    for (const std::uint32_t id : {2U, 3U}) {
        stream = with(stream, StreamWriter{}.raw({id, 0x11, 0}), StreamWriter{}.raw({1, 0x11, 0}));
    }
    stream = with(stream, StreamWriter{}.raw({3, 1, 0x00, 2, 0x10, 3, 0x10}),
                  StreamWriter{}.raw({3, 1, 0x00, 1, 0x10, 1, 0x10}));
    CHECK(decode(stream.span(), 3).samples == image.samples);
}

TEST_CASE("components in another order than the frame's go to their places") {
    const LosslessImage image = image_of(3);
    LosslessImage turned = image;
    for (std::size_t i = 0; i < image.samples.size(); i += 3) {
        turned.samples[i] = image.samples[i + 2];
        turned.samples[i + 2] = image.samples[i];
    }
    const LosslessOptions same{.codes = even_codes(), .other_codes = even_codes()};
    const StreamWriter stream =
        with(encoded(turned, same), StreamWriter{}.raw({3, 1, 0x00, 2, 0x10, 3, 0x10}),
             StreamWriter{}.raw({3, 3, 0x00, 2, 0x10, 1, 0x10}));
    CHECK(decode(stream.span(), 3).samples == image.samples);
}

TEST_CASE("sampling factors matter between components only") {
    const LosslessImage gray = image_of();
    CHECK(decode(encoded(gray, {.sampling = 0x21}).span()).samples == gray.samples);
    const LosslessImage colour = image_of(3);
    const StreamWriter apart = encoded(colour, {.is_interleaved = false, .sampling = 0x22});
    CHECK(decode(apart.span(), 3).samples == colour.samples);
    CHECK(failure(encoded(colour, {.sampling = 0x22}), 3) == ErrorCode::decoder_failed);
    const StreamWriter subsampled =
        with(encoded(colour), StreamWriter{}.raw({2, 0x11, 0}), StreamWriter{}.raw({2, 0x21, 0}));
    CHECK(failure(subsampled, 3) == ErrorCode::decoder_failed);
}

TEST_CASE("a damaged stream gives its error or some image, never anything else") {
    std::mt19937 engine{7};
    const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
    for (const std::uint32_t components : {1U, 3U}) {
        const LosslessImage image = image_of(components);
        for (int i = 0; i < 3000; ++i) {
            const StreamWriter stream = encoded(image, {.predictor = random() % 7 + 1,
                                                        .restart_rows = random() % 3,
                                                        .is_interleaved = random() % 2 == 0});
            std::vector<std::byte> bytes(stream.span().begin(), stream.span().end());
            for (std::uint32_t changes = random() % 4 + 1; changes > 0; --changes) {
                bytes.at(random() % bytes.size()) = static_cast<std::byte>(random());
            }
            const auto error = decode(bytes, components).error;
            const bool is_expected = !error || kind_of(*error) == ErrorKind::decode;
            CHECK(is_expected);
        }
    }
}
