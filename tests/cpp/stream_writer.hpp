// Builds codestreams segment by segment, so that each malformed one is a few readable lines.
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace torchdicom::test {

/// Bytes that grow; numbers are big endian as in JPEG unless the name says otherwise.
class StreamWriter {
  public:
    StreamWriter& u8(std::uint32_t value) {
        bytes_.push_back(static_cast<std::byte>(value & 0xFFU));
        return *this;
    }
    StreamWriter& u16(std::uint32_t value) { return u8(value >> 8U).u8(value); }
    StreamWriter& u32(std::uint32_t value) { return u16(value >> 16U).u16(value); }
    StreamWriter& u32_little(std::uint32_t value) { return u32(byte_swap(value)); }
    StreamWriter& raw(std::initializer_list<std::uint32_t> values) {
        for (const std::uint32_t value : values) {
            u8(value);
        }
        return *this;
    }
    StreamWriter& text(std::string_view characters) {
        for (const char character : characters) {
            u8(static_cast<std::uint8_t>(character));
        }
        return *this;
    }
    StreamWriter& append(const StreamWriter& other) {
        bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
        return *this;
    }
    /// A marker segment: marker, length of what follows the marker, body.
    StreamWriter& segment(std::uint32_t marker, const StreamWriter& body) {
        return u16(marker).u16(static_cast<std::uint32_t>(body.size() + 2)).append(body);
    }

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] ByteSpan span() const { return bytes_; }
    /// All but the last `count` bytes.
    [[nodiscard]] ByteSpan without_last(std::size_t count) const {
        return span().first(bytes_.size() - count);
    }

  private:
    std::vector<std::byte> bytes_;
};

/// The code of the `Error` that `call` throws, or nothing where it throws none.
template <typename Call> [[nodiscard]] std::optional<ErrorCode> code_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

} // namespace torchdicom::test
