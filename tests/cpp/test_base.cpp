// base/: bounds-checked reading, checked arithmetic, the table of error codes and how errors read.
#include "base/bytes.hpp"
#include "base/checked.hpp"
#include "base/error.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>

using namespace torchdicom;
using test::code_of;
using test::StreamWriter;

TEST_CASE("ByteReader reads numbers in the byte order it was given") {
    const StreamWriter bytes = StreamWriter{}.raw({1, 2, 3, 4, 5, 6, 7, 8, 9});
    ByteReader little{bytes.span(), std::endian::little, ErrorCode::truncated_header};
    CHECK(little.read<std::uint8_t>() == 1);
    CHECK(little.read<std::uint16_t>() == 0x0302);
    CHECK(little.read<std::uint32_t>() == 0x07060504);
    CHECK(little.position() == 7);
    CHECK(little.remaining() == 2);

    ByteReader big{bytes.span(), std::endian::big, ErrorCode::truncated_header};
    CHECK(big.read<std::uint64_t>() == 0x0102030405060708);
    CHECK(big.take(1)[0] == std::byte{9});
}

TEST_CASE("ByteReader throws its code at the offset where the bytes ran out") {
    const StreamWriter bytes = StreamWriter{}.raw({1, 2, 3});
    ByteReader reader{bytes.span(), std::endian::little, ErrorCode::truncated_pixels, 100};
    reader.skip(2);
    try {
        static_cast<void>(reader.read<std::uint16_t>());
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::truncated_pixels);
        CHECK(error.place().offset == 102);
        CHECK(error.message() == "2 more bytes are needed and 1 are left");
    }
    CHECK(reader.position() == 2);
    CHECK(code_of([&] { reader.skip(2); }) == ErrorCode::truncated_pixels);
    // The sum of position and count would wrap.
    CHECK(code_of([&] {
              static_cast<void>(reader.take(std::numeric_limits<std::size_t>::max()));
          }) == ErrorCode::truncated_pixels);
}

TEST_CASE("checked arithmetic gives the result or LimitError") {
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    CHECK(checked_mul<std::uint64_t>(1U << 31U, 2, "size") == std::uint64_t{1} << 32U);
    CHECK(checked_add<std::uint64_t>(kMax - 1, 1, "size") == kMax);
    CHECK(checked_product<std::uint64_t>({2, 3, 7}, "size") == 42);
    CHECK(checked_product<std::uint64_t>({}, "size") == 1);
    CHECK(code_of([] { static_cast<void>(checked_mul(kMax, std::uint64_t{2}, "size")); }) ==
          ErrorCode::limit_output_bytes);
    CHECK(code_of([] { static_cast<void>(checked_add(kMax, std::uint64_t{1}, "size")); }) ==
          ErrorCode::limit_output_bytes);
    CHECK(code_of([] {
              static_cast<void>(checked_product<std::uint64_t>({kMax, 1, 2}, "size"));
          }) == ErrorCode::limit_output_bytes);
}

TEST_CASE("every error code has a name of its own and a kind") {
    std::set<std::string_view> names;
    const auto count = static_cast<std::size_t>(ErrorCode::internal_error) + 1;
    for (std::size_t i = 0; i < count; ++i) {
        names.insert(code_name(static_cast<ErrorCode>(i)));
    }
    CHECK(names.size() == count);
    CHECK(names.count("") == 0);
    CHECK(code_name(ErrorCode::codestream_mismatch) == "codestream_mismatch");
    CHECK(kind_of(ErrorCode::not_dicom) == ErrorKind::parse);
    CHECK(kind_of(ErrorCode::integer_dtype) == ErrorKind::unsupported);
    CHECK(kind_of(ErrorCode::decoder_failed) == ErrorKind::decode);
    CHECK(kind_of(ErrorCode::missing_slices) == ErrorKind::series);
    CHECK(kind_of(ErrorCode::value_overflow) == ErrorKind::limit);
    CHECK(kind_of(ErrorCode::os_error) == ErrorKind::os);
    CHECK(kind_of(ErrorCode::internal_error) == ErrorKind::internal);
}

TEST_CASE("an error reads as sentence, code and the parts of the place that are known") {
    const auto text = [](Place place) {
        return std::string{Error{ErrorCode::invalid_vr, "No such VR", std::move(place)}.what()};
    };
    CHECK(text({}) == "No such VR [invalid_vr]");
    CHECK(text({.path = "a.dcm"}) == "No such VR [invalid_vr] - at a.dcm");
    CHECK(text({.path = "a.dcm", .element = "(0028,0010)", .offset = 7}) ==
          "No such VR [invalid_vr] - at (0028,0010), byte 7 of a.dcm");
    CHECK(text({.path = "a.dcm", .offset = 0}) == "No such VR [invalid_vr] - at byte 0 of a.dcm");
}

TEST_CASE("located fills in what is unknown of the place and keeps what is known") {
    const Error unknown{ErrorCode::invalid_vr, "No such VR", Place{.offset = 7}};
    const Error named = unknown.located({.path = "a.dcm", .element = "(7FE0,0010)", .offset = 9});
    CHECK(named.place().path == "a.dcm");
    CHECK(named.place().element == "(7FE0,0010)");
    CHECK(named.place().offset == 7);
    CHECK(named.code() == ErrorCode::invalid_vr);
    CHECK(named.located({.path = "b.dcm"}).place().path == "a.dcm");
}

TEST_CASE("fail_errno keeps errno for Python and its text for people") {
    try {
        fail_errno(ENOENT, "open", "gone.dcm");
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::os_error);
        CHECK(error.system_errno() == ENOENT);
        CHECK(error.place().path == "gone.dcm");
        CHECK(error.message() == "open: No such file or directory");
    }
}
