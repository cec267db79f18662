// What the fuzz targets share: bytes that steer a target, and what counts as a finding.
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

/// What libFuzzer and the replay call; each target defines it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace torchdicom::fuzz {

/// Ends the process where an invariant does not hold, as the sanitizers do.
inline void require(bool holds, const char* invariant) {
    if (!holds) {
        static_cast<void>(std::fprintf(stderr, "broken invariant: %s\n", invariant));
        std::abort();
    }
}

/// The error that `call` throws, if any. Only `Error` may be thrown, and none that says that the
/// bug is ours; anything else ends the process.
template <typename Call> [[nodiscard]] std::optional<Error> error_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        require(kind_of(error.code()) != ErrorKind::internal, "no internal error");
        return error;
    }
    return std::nullopt;
}

/// The first bytes of an input choose options, the rest is what is parsed. Bytes that are not there
/// are zeros.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size)
        : left_{std::as_bytes(std::span{data, size})} {}

    [[nodiscard]] std::uint32_t byte() {
        if (left_.empty()) {
            return 0;
        }
        const auto value = std::to_integer<std::uint32_t>(left_[0]);
        left_ = left_.subspan(1);
        return value;
    }
    [[nodiscard]] std::uint32_t two_bytes() {
        const std::uint32_t low = byte();
        return low | (byte() << 8U);
    }
    [[nodiscard]] bool flag() { return (byte() & 1U) != 0; }
    [[nodiscard]] ByteSpan rest() const noexcept { return left_; }

  private:
    ByteSpan left_;
};

} // namespace torchdicom::fuzz
