// Builds data sets element by element, and files of them that die with the test.
#pragma once

#include "header/element_reader.hpp"
#include "header/tags.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace torchdicom::test {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::initializer_list<std::uint32_t> values) {
    Bytes bytes;
    for (const std::uint32_t value : values) {
        bytes.push_back(static_cast<std::byte>(value));
    }
    return bytes;
}

/// A data set that grows, in the syntax it was made for. Values are even in length unless raw.
class DataSetWriter {
  public:
    static constexpr std::uint32_t kUndefined = 0xFFFF'FFFF;

    explicit DataSetWriter(ElementSyntax syntax = {}) : syntax_{syntax} {}

    DataSetWriter& number(std::uint64_t value, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t at = syntax_.order == std::endian::little ? i : size - 1 - i;
            bytes_.push_back(static_cast<std::byte>((value >> (8 * at)) & 0xFFU));
        }
        return *this;
    }
    DataSetWriter& raw(ByteSpan value) {
        // Not insert(): GCC 12 sees an overflow in it that is none (-Warray-bounds).
        std::ranges::copy(value, std::back_inserter(bytes_));
        return *this;
    }
    /// Tag, VR and length; what follows is the caller's.
    DataSetWriter& head(Tag tag, std::string_view vr, std::uint32_t length) {
        number(tag >> 16U, 2).number(tag & 0xFFFFU, 2);
        if (!syntax_.is_explicit || (tag >> 16U) == 0xFFFE) {
            return number(length, 4);
        }
        raw(std::as_bytes(std::span{vr}));
        constexpr std::string_view kLong = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";
        const bool is_long = kLong.find(vr) != std::string_view::npos;
        return is_long ? number(0, 2).number(length, 4) : number(length, 2);
    }
    DataSetWriter& element(Tag tag, std::string_view vr, ByteSpan value) {
        return head(tag, vr, static_cast<std::uint32_t>(value.size())).raw(value);
    }
    DataSetWriter& text(Tag tag, std::string_view vr, std::string value) {
        value.resize((value.size() + 1) / 2 * 2, vr == "UI" ? '\0' : ' ');
        return element(tag, vr, std::as_bytes(std::span{value}));
    }
    DataSetWriter& us(Tag tag, std::uint32_t value) { return head(tag, "US", 2).number(value, 2); }
    DataSetWriter& sequence(Tag tag, std::string_view vr = "SQ") {
        return head(tag, vr, kUndefined);
    }
    DataSetWriter& item(std::uint32_t length = kUndefined) { return head(tags::Item, "", length); }
    DataSetWriter& item(ByteSpan value) {
        return item(static_cast<std::uint32_t>(value.size())).raw(value);
    }
    DataSetWriter& end_item() { return head(tags::ItemDelimitationItem, "", 0); }
    DataSetWriter& end_sequence() { return head(tags::SequenceDelimitationItem, "", 0); }

    /// Changes the syntax of what follows.
    DataSetWriter& switch_to(ElementSyntax syntax) {
        syntax_ = syntax;
        return *this;
    }

    [[nodiscard]] const Bytes& bytes() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  private:
    ElementSyntax syntax_;
    Bytes bytes_;
};

/// Preamble, prefix and group 0002 with this transfer syntax.
inline DataSetWriter file_start(const std::string& transfer_syntax) {
    DataSetWriter writer;
    writer.raw(Bytes(128)).raw(std::as_bytes(std::span{"DICM", 4}));
    return writer.text(tags::TransferSyntaxUID, "UI", transfer_syntax);
}

/// One image in explicit little endian; empty texts are left out.
struct Image {
    std::uint32_t rows = 2;
    std::uint32_t columns = 3;
    std::uint32_t bits = 16;
    std::string instance = "1.2.3";
    std::string frames{};
    std::string position = "0\\0\\0";
    std::string intercept = "-1000";
    std::string slope = "1";
    std::string transfer_syntax = "1.2.840.10008.1.2.1";
};

/// Everything before the pixel data.
inline DataSetWriter image_start(const Image& image) {
    DataSetWriter writer = file_start(image.transfer_syntax);
    const auto text = [&writer](Tag tag, std::string_view vr, const std::string& value) {
        if (!value.empty()) {
            writer.text(tag, vr, value);
        }
    };
    text(tags::SOPInstanceUID, "UI", image.instance);
    text(tags::Modality, "CS", "CT");
    text(tags::ImagePositionPatient, "DS", image.position);
    text(tags::ImageOrientationPatient, "DS", "1\\0\\0\\0\\1\\0");
    text(tags::NumberOfFrames, "IS", image.frames);
    writer.us(tags::Rows, image.rows).us(tags::Columns, image.columns);
    text(tags::PixelSpacing, "DS", "0.5\\0.5");
    writer.us(tags::BitsAllocated, image.bits).us(tags::PixelRepresentation, 0);
    text(tags::RescaleIntercept, "DS", image.intercept);
    text(tags::RescaleSlope, "DS", image.slope);
    return writer;
}

/// The whole file, its pixels these cells.
inline Bytes image_file(const Image& image, const std::vector<std::uint32_t>& cells) {
    DataSetWriter writer = image_start(image);
    const std::size_t cell_bytes = image.bits / 8;
    writer.head(tags::PixelData, "OW", static_cast<std::uint32_t>(cells.size() * cell_bytes));
    for (const std::uint32_t cell : cells) {
        writer.number(cell, cell_bytes);
    }
    return writer.bytes();
}

/// A folder of its own, removed with everything in it.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = std::filesystem::temp_directory_path() / "torchdicom-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error{"no temporary folder"};
        }
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return path_ / name; }

    /// Writes the file anew and gives its path.
    std::string write(const std::string& name, ByteSpan bytes) const {
        std::ofstream file{path(name), std::ios::binary | std::ios::trunc};
        const std::string_view text = as_text(bytes);
        file.write(text.data(), static_cast<std::streamsize>(text.size()));
        return path(name);
    }

  private:
    std::filesystem::path path_;
};

} // namespace torchdicom::test
