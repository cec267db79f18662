// plan/suv and header/quantity: what SUV are made of, and what they are.
#include "plan/suv.hpp"

#include "data_set_writer.hpp"
#include "header/file_header.hpp"
#include "plan/suv_time.hpp"
#include "plan/values.hpp"
#include "rescale/rescale.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace torchdicom;
using test::code_of;
using test::DataSetWriter;

namespace {

Quantity::Texts half_life_texts() {
    return {{tags::SuvStartTime, "102000"},
            {tags::SuvTotalDose, "134217728"},
            {tags::SuvHalfLife, "6000"}};
}

/// 2^16 g and 2^27 Bq, half of which is left after 6000 s.
Quantity quantity() {
    return {.texts = {{tags::SuvSeriesDate, "20240310"},
                      {tags::SuvSeriesTime, "120000"},
                      {tags::SuvAcquisitionDate, "20240310"},
                      {tags::SuvAcquisitionTime, "120000"},
                      {tags::SuvPatientWeight, "65.536"},
                      {tags::SuvCorrectedImage, "ATTN\\DECY"},
                      {tags::Units, "BQML"},
                      {tags::SuvDecayCorrection, "START"}},
            .dose = half_life_texts()};
}

FileHeader header_of(Quantity quantity) {
    FileHeader header;
    header.path = "a";
    header.quantity = std::make_shared<const Quantity>(std::move(quantity));
    return header;
}

FileHeader read(const DataSetWriter& data) {
    const auto bytes = data.bytes();
    LoadStats stats;
    return read_header({.path = "b", .bytes = ByteSpan{bytes}},
                       {.texts = {}, .reads_quantity = true}, stats);
}

/// The attribute that is blamed.
std::string blamed(Quantity quantity) {
    std::array headers{header_of(std::move(quantity))};
    try {
        settle_suv(headers);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::suv_not_possible);
        return error.place().element;
    }
    return {};
}

} // namespace

TEST_CASE("dates, times and moments have one grammar") {
    CHECK(suv::days_of("19700101") == 0.0);
    CHECK(suv::days_of("1969.12.31") == -1.0);
    CHECK(suv::days_of("20240229") == 19'782.0);
    for (const char* wrong : {"", "20230229", "00000101", "2024", "2024-01-01", "20240101 "}) {
        CHECK_FALSE(suv::days_of(wrong));
    }
    CHECK(suv::seconds_of("10") == 36'000.0);
    CHECK(suv::seconds_of("1001") == 36'060.0);
    CHECK(suv::seconds_of("10:01:02.5") == 36'062.5);
    CHECK(suv::seconds_of("235960.000001") == 86'400.000001);
    for (const char* wrong : {"", "24", "1060", "100061", "10.5", "1000.5", "100000.",
                              "10:", "10:0000", "1000:00", "100000.1234567", "1", "100000x"}) {
        CHECK_FALSE(suv::seconds_of(wrong));
    }
    CHECK(suv::moment_of("1970010200", "") == 86'400.0);
    CHECK(suv::moment_of("19700101000001.5+0100", "+0100") == 1.5);
    CHECK_FALSE(suv::moment_of("19700101000001.5+0100", ""));
    CHECK_FALSE(suv::moment_of("19700101", ""));
    CHECK_FALSE(suv::moment_of("", ""));
}

TEST_CASE("the factor is grams over what is left of the dose") {
    std::array headers{header_of(quantity()), header_of(quantity())};
    settle_suv(headers);
    CHECK(headers[0].suv_factor == 0x1p-10);
    CHECK(headers[1].suv_factor == 0x1p-10);
    settle_suv({});
}

TEST_CASE("each attribute that is missing is named") {
    for (const auto& [tag, name] :
         {std::pair{tags::Units, "(0054,1001) Units"},
          std::pair{tags::SuvCorrectedImage, "(0028,0051) CorrectedImage"},
          std::pair{tags::SuvDecayCorrection, "(0054,1102) DecayCorrection"},
          std::pair{tags::SuvPatientWeight, "(0010,1030) PatientWeight"},
          std::pair{tags::SuvSeriesDate, "(0008,0021) SeriesDate"},
          std::pair{tags::SuvAcquisitionTime, "(0008,0032) AcquisitionTime"}}) {
        Quantity without = quantity();
        std::erase_if(without.texts, [tag = tag](const auto& one) { return one.first == tag; });
        CHECK(blamed(without) == name);
    }
    Quantity without = quantity();
    without.dose.clear();
    CHECK(blamed(without) == "(0018,1074) RadionuclideTotalDose");
    without.dose_fault = Error{ErrorCode::invalid_sequence, "", {}};
    std::array headers{header_of(without)};
    CHECK(code_of([&] { settle_suv(headers); }) == ErrorCode::invalid_sequence);
    FileHeader unread;
    CHECK(code_of([&] { settle_suv({&unread, 1}); }) == ErrorCode::internal_error);
}

TEST_CASE("slices that differ are no series of one patient") {
    Quantity other = quantity();
    other.dose[1].second = "2e8";
    std::array headers{header_of(quantity()), header_of(other)};
    headers[1].path = "b";
    try {
        settle_suv(headers);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.place().path == "b");
        CHECK(error.place().element == "(0018,1074) RadionuclideTotalDose");
    }
}

TEST_CASE("a header is read with its quantity only where it is asked for") {
    DataSetWriter data;
    data.text(0x0008'0031, "TM", "120000 ");
    data.text(0x0009'0010, "LO", "SOMEBODY").text(0x0009'0011, "LO", "GEMS_PETD_01");
    data.text(0x0009'100D, "DT", "1999").text(0x0009'110D, "DT", "20240310");
    data.text(0x0010'1030, "DS", "70");
    data.text(0x2005'0010, "LO", "Philips MR Imaging DD 001");
    data.head(0x2005'100E, "FL", 4).number(0x3E80'0000, 4);
    data.sequence(0x0054'0016).item().text(0x0018'1074, "DS", "1e8").end_item();
    data.item().text(0x0018'1074, "DS", "2e8").end_item().end_sequence();
    const FileHeader header = read(data);
    REQUIRE(header.quantity);
    const Quantity& found = *header.quantity;
    CHECK(found.ge_scan_time == "20240310");
    CHECK(found.philips_scale_slope == 0.25);
    CHECK(found.philips_suv_factor.empty());
    CHECK(found.texts ==
          Quantity::Texts{{tags::SuvSeriesTime, "120000"}, {tags::SuvPatientWeight, "70"}});
    CHECK(found.dose == Quantity::Texts{{tags::SuvTotalDose, "1e8"}});
    const auto bytes = data.bytes();
    LoadStats stats;
    CHECK_FALSE(read_header({.path = "b", .bytes = ByteSpan{bytes}}, {}, stats).quantity);
}

TEST_CASE("values that are scaled are no integers") {
    const PixelFormat format{.rows = 1, .columns = 1, .bits_allocated = 16, .bits_stored = 16};
    CHECK(code_of([&] { Converter{format, {.factor = 2}, DType::int16}; }) ==
          ErrorCode::internal_error);
    CHECK(code_of([&] { Converter{format, {.divisor = 2}, DType::int64}; }) ==
          ErrorCode::internal_error);
}
