// decode/jpeg_lossless: damaged and odd streams, each with its error; windows and sinks that stop;
// both kinds of loops.
#include "decode/entropy_bytes.hpp"
#include "decode/jpeg_lossless_scan.hpp"
#include "decoded.hpp"
#include "lossless_encoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

using namespace torchdicom;
using test::code_of;
using test::LosslessImage;
using test::LosslessOptions;
using test::StreamWriter;

namespace {

constexpr auto kInvalid = ErrorCode::invalid_codestream;

/// 6 rows of 4 pixels, 16 bits: 100 * i.
LosslessImage image_of(std::uint32_t components = 1) {
    LosslessImage image{.rows = 6, .columns = 4, .components = components};
    for (std::uint32_t i = 0; i < 24 * components; ++i) {
        image.samples.push_back(100 * i);
    }
    return image;
}

PixelFormat format_of(std::uint32_t components = 1) {
    return {.rows = 6,
            .columns = 4,
            .samples_per_pixel = components,
            .bits_allocated = 16,
            .bits_stored = 16,
            .high_bit = 15};
}

struct Decoded {
    std::optional<ErrorCode> error;
    std::vector<std::uint32_t> samples;
};

Decoded decode(ByteSpan frame, std::uint32_t components = 1) {
    const PixelFormat format = format_of(components);
    std::vector<std::byte> bytes(format.bytes_per_frame());
    Decoded decoded;
    decoded.error = code_of([&] {
        test::decode_whole(frame, find_transfer_syntax("1.2.840.10008.1.2.4.57").value(), format,
                           bytes, "torchdicom");
    });
    std::vector<std::uint16_t> cells(format.samples_per_frame());
    std::memcpy(cells.data(), bytes.data(), bytes.size());
    decoded.samples.assign(cells.begin(), cells.end());
    return decoded;
}

std::optional<ErrorCode> failure(const StreamWriter& stream, std::uint32_t components = 1) {
    return decode(stream.span(), components).error;
}

StreamWriter encoded(const LosslessImage& image, const LosslessOptions& options = {}) {
    return test::LosslessEncoder{image, options}.stream();
}

/// The stream with the bytes `from` replaced, where they stand first, by as many others.
StreamWriter with(const StreamWriter& stream, const StreamWriter& from, const StreamWriter& to) {
    std::vector<std::byte> bytes(stream.span().begin(), stream.span().end());
    const auto at = std::search(bytes.begin(), bytes.end(), from.span().begin(), from.span().end());
    REQUIRE(at != bytes.end());
    StreamWriter changed;
    for (auto byte = bytes.begin(); byte != bytes.end(); ++byte) {
        const auto offset = byte - at;
        const bool is_new = offset >= 0 && offset < static_cast<std::ptrdiff_t>(to.size());
        changed.u8(std::to_integer<std::uint32_t>(
            is_new ? to.span()[static_cast<std::size_t>(offset)] : *byte));
    }
    return changed;
}

/// The parts of a stream, to be put together otherwise.
struct Parts {
    StreamWriter frame = StreamWriter{}.raw({16, 0, 6, 0, 4, 1, 1, 0x11, 0});
    StreamWriter table = dht(0, {0, 1, 1, 2}); // codes 00, 010, 0110 and 0111
    StreamWriter scan = StreamWriter{}.raw({1, 1, 0x00, 1, 0, 0});
    StreamWriter data = StreamWriter{}.raw({0, 0, 0, 0, 0, 0}); // 24 differences of 0

    static StreamWriter dht(std::uint32_t id, std::vector<std::uint32_t> counts,
                            std::uint32_t category = 0) {
        StreamWriter body = StreamWriter{}.u8(id);
        counts.resize(16);
        std::uint32_t total = 0;
        for (const std::uint32_t count : counts) {
            body.u8(count);
            total += count;
        }
        for (std::uint32_t i = 0; i < total; ++i) {
            body.u8(category + i);
        }
        return body;
    }
    [[nodiscard]] StreamWriter stream() const {
        StreamWriter out;
        out.u16(0xFFD8).segment(0xFFC3, frame);
        if (table.size() > 0) {
            out.segment(0xFFC4, table);
        }
        return out.segment(0xFFDA, scan).append(data).u16(0xFFD9);
    }
};

/// Stops after so many rows.
class FewRows final : public RowSink {
  public:
    explicit FewRows(std::size_t rows) : wanted_{rows} {}
    void start(const DecodedArea& area) override { area_ = area; }
    [[nodiscard]] bool put(ByteSpan rows) override {
        ++puts_;
        bytes_.insert(bytes_.end(), rows.begin(), rows.end());
        return puts_ < wanted_;
    }
    [[nodiscard]] std::size_t puts() const { return puts_; }
    [[nodiscard]] const DecodedArea& area() const { return area_; }
    [[nodiscard]] std::uint16_t sample(std::size_t i) const {
        return load_number<std::uint16_t>(bytes_, 2 * i, std::endian::native);
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  private:
    std::size_t wanted_;
    std::size_t puts_ = 0;
    DecodedArea area_;
    std::vector<std::byte> bytes_;
};

DecodeRequest request_for(const PixelFormat& format, Window window) {
    return {.syntax = find_transfer_syntax("1.2.840.10008.1.2.4.57").value(),
            .format = format,
            .window = window,
            .codec = "torchdicom"};
}

} // namespace

TEST_CASE("entropy-coded data that ends early is an error at every byte") {
    const LosslessImage image = image_of();
    const StreamWriter whole = encoded(image);
    const std::size_t data = test::LosslessEncoder{image, {}}.scan(0, 1).size();
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
    const LosslessOptions same{.codes = test::even_codes(), .other_codes = test::even_codes()};
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

TEST_CASE("rows below the window are not decoded, and rows above it are not handed on") {
    for (const bool is_interleaved : {true, false}) {
        const LosslessImage image = image_of(3);
        const StreamWriter whole = encoded(image, {.is_interleaved = is_interleaved});
        const PixelFormat format = format_of(3);
        const Window window{.y0 = 2, .y1 = 5, .x0 = 1, .x1 = 3};
        FewRows rows{100};
        decode_frame(whole.span(), request_for(format, window), rows);
        CHECK(rows.area().window == Window{.y0 = 2, .y1 = 5, .x0 = 0, .x1 = 4});
        CHECK(rows.size() == std::size_t{3} * 4 * 3 * 2);
        CHECK(rows.sample(0) == image.at(2, 0, 0));
        CHECK(rows.sample(35) == image.at(4, 3, 2));
    }
    Parts parts{.data = StreamWriter{}.raw({0, 0, 0, 0xC0, 0, 0})}; // row 3: no code
    FewRows rows{100};
    decode_frame(parts.stream().span(), request_for(format_of(), {.y0 = 1, .y1 = 3, .x1 = 4}),
                 rows);
    CHECK(rows.size() == std::size_t{2} * 4 * 2);
    CHECK(failure(parts.stream()) == kInvalid);
}

TEST_CASE("a sink that wants no more stops the decoder") {
    LosslessImage image{.rows = 1000, .columns = 100, .samples = {}};
    image.samples.assign(100'000, 77);
    std::vector<std::byte> bytes;
    const StreamWriter whole = encoded(image);
    PixelFormat format = format_of();
    format.rows = 1000;
    format.columns = 100;
    FewRows rows{2};
    decode_frame(whole.span(), request_for(format, whole_image(format)), rows);
    CHECK(rows.puts() == 2);
    CHECK(rows.size() < 200'000);
    CHECK(rows.sample(rows.size() / 2 - 1) == 77);
}

TEST_CASE("both kinds of loops decode every predictor and number of components") {
    for (const bool use_bmi2 : {false, has_bmi2()}) {
        for (const bool is_dense : {false, true}) {
            for (std::size_t predictor = 1; predictor <= 7; ++predictor) {
                for (std::uint32_t components = 1; components <= 4; ++components) {
                    const LosslessImage image = image_of(components);
                    const LosslessOptions options{.predictor =
                                                      static_cast<std::uint32_t>(predictor)};
                    const StreamWriter data =
                        test::LosslessEncoder{image, options}.scan(0, components);
                    const HuffmanTable first{test::spec_of(options.codes)};
                    const HuffmanTable other{test::spec_of(options.other_codes)};
                    std::vector<std::uint32_t> samples;
                    const std::size_t size = decode_lossless_scan(
                        {.rows = 6,
                         .columns = 4,
                         .precision = 16,
                         .loop = {predictor, components, is_dense, use_bmi2},
                         .tables = {&first, &other, &other, &other},
                         .bytes = data.span()},
                        6, [&](ByteSpan rows, std::size_t) {
                            for (std::size_t at = 0; at < rows.size(); at += 2) {
                                samples.push_back(
                                    load_number<std::uint16_t>(rows, at, std::endian::native));
                            }
                            return true;
                        });
                    CHECK(size == data.size());
                    CHECK(samples == image.samples);
                }
            }
        }
    }
}

TEST_CASE("bytes are unstuffed across pieces, and a scan may end without a marker") {
    constexpr std::size_t kMargin = 32;
    std::vector<std::byte> buffer(EntropyBytes::buffer_size(kMargin));
    StreamWriter scan;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        scan.u8(0xFF).u8(0).u8(i);
        if ((i & 0xFFU) == 0xFF) {
            scan.u8(0);
        }
    }
    EntropyBytes entropy{scan.span(), buffer, kMargin};
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        entropy.prepare();
        const ByteSpan next = entropy.bytes().subspan(entropy.bit() / 8, kMargin);
        REQUIRE(std::to_integer<std::uint32_t>(next[0]) == 0xFF);
        REQUIRE(std::to_integer<std::uint32_t>(next[1]) == (i & 0xFFU));
        REQUIRE(entropy.advance(entropy.bit() + 16));
    }
    entropy.prepare();
    const ByteSpan behind = entropy.bytes().subspan(entropy.bit() / 8, kMargin);
    CHECK(std::all_of(behind.begin(), behind.end(), [](std::byte b) { return b == std::byte{0}; }));
    CHECK_FALSE(entropy.advance(entropy.bit() + 1));
    CHECK(code_of([&] { entropy.next_interval(0); }) == kInvalid);
    CHECK(entropy.find_end() == scan.size());

    EntropyBytes nothing{ByteSpan{}, buffer, kMargin};
    nothing.prepare();
    CHECK_FALSE(nothing.advance(1));
    CHECK(nothing.find_end() == 0);
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
