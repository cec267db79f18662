#include "header/csa.hpp"

#include "header/values.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string_view>
#include <vector>

namespace torchdicom {

namespace {

constexpr std::string_view kMark = "SV10";
constexpr std::size_t kStart = 16; // the mark, four unused bytes, the count of tags, four more
constexpr std::size_t kNameBytes = 64;
constexpr std::size_t kTagBytes = kNameBytes + 20; // multiplicity, VR, type, items, unused
constexpr std::size_t kItemsOffset = kNameBytes + 12;
constexpr std::size_t kItemBytes = 16;
constexpr std::size_t kLengthOffset = 4; // of the four numbers of an item
constexpr std::uint32_t kMostTags = 4'096;
constexpr std::uint32_t kMostItems = 4'096;

/// Walks the tags; stands still for good where the bytes end.
class CsaReader {
  public:
    explicit CsaReader(ByteSpan bytes) noexcept : bytes_{bytes} {}

    [[nodiscard]] bool has(std::size_t count) const noexcept {
        return count <= bytes_.size() - position_;
    }
    [[nodiscard]] std::uint32_t number(std::size_t offset) const noexcept {
        return load_number<std::uint32_t>(bytes_, position_ + offset, std::endian::little);
    }
    [[nodiscard]] std::string_view text(std::size_t offset, std::size_t count) const noexcept {
        const std::string_view all = as_text(bytes_.subspan(position_ + offset, count));
        return all.substr(0, std::min(all.find('\0'), all.size()));
    }
    void pass(std::size_t count) noexcept { position_ += std::min(count, rest()); }

  private:
    [[nodiscard]] std::size_t rest() const noexcept { return bytes_.size() - position_; }

    ByteSpan bytes_;
    std::size_t position_ = 0;
};

std::optional<double> number_of(std::string_view text) {
    try {
        const Element nowhere{};
        return parse_one_decimal(text, nowhere);
    } catch (const Error&) {
        return std::nullopt;
    }
}

/// The values of a tag: the items that are not empty.
std::vector<std::string_view> read_items(CsaReader& reader, std::uint32_t count) {
    constexpr std::size_t kAlign = 4;
    std::vector<std::string_view> items;
    for (std::uint32_t i = 0; i < count && reader.has(kItemBytes); ++i) {
        const std::size_t length = reader.number(kLengthOffset);
        reader.pass(kItemBytes);
        if (!reader.has(length)) {
            break;
        }
        if (const std::string_view text = trimmed(reader.text(0, length)); !text.empty()) {
            items.push_back(text);
        }
        reader.pass((length + kAlign - 1) / kAlign * kAlign);
    }
    return items;
}

std::optional<std::array<double, 3>> vector_of(const std::vector<std::string_view>& items) {
    std::array<double, 3> vector{};
    if (items.size() != vector.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < vector.size(); ++i) {
        const std::optional<double> part = number_of(items[i]);
        if (!part) {
            return std::nullopt;
        }
        vector.at(i) = *part;
    }
    return vector;
}

void take(std::string_view name, const std::vector<std::string_view>& items, Mosaic& mosaic,
          SliceTimes& times) {
    if (items.empty()) {
        return;
    }
    if (name == "NumberOfImagesInMosaic") {
        if (const auto count = number_of(items[0]); count && *count >= 1 && *count <= 65'536) {
            mosaic.images = static_cast<std::int64_t>(*count);
        }
    } else if (name == "SliceNormalVector") {
        mosaic.normal = vector_of(items);
    } else if (name == "MosaicRefAcqTimes") {
        for (const std::string_view item : items) {
            if (const auto time = number_of(item)) {
                mosaic.slice_times.push_back(*time);
            }
        }
    } else if (name == "B_value") {
        times.diffusion_b_value = number_of(items[0]);
    } else if (name == "DiffusionGradientDirection") {
        times.diffusion_gradient = vector_of(items);
    }
}

} // namespace

void read_csa(ByteSpan value, Mosaic& mosaic, SliceTimes& times) {
    if (value.size() < kStart || as_text(value.first(kMark.size())) != kMark) {
        return;
    }
    CsaReader reader{value};
    const std::uint32_t tags = std::min(reader.number(8), kMostTags);
    reader.pass(kStart);
    for (std::uint32_t i = 0; i < tags && reader.has(kTagBytes); ++i) {
        const std::string_view name = reader.text(0, kNameBytes);
        const std::uint32_t items = std::min(reader.number(kItemsOffset), kMostItems);
        reader.pass(kTagBytes);
        take(name, read_items(reader, items), mosaic, times);
    }
}

} // namespace torchdicom
