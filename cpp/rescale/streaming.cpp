#include "rescale/streaming.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace torchdicom {

void stream_copy(const std::byte* from, std::size_t count, std::byte* to) noexcept {
#ifdef __SSE2__
    constexpr std::size_t kLine = sizeof(__m128i);
    const std::size_t before = (kLine - std::bit_cast<std::uintptr_t>(to) % kLine) % kLine;
    const std::size_t head = std::min(before, count);
    std::memcpy(to, from, head);
    std::size_t done = head;
    for (; done + kLine <= count; done += kLine) {
        __m128i line;
        std::memcpy(&line, from + done, kLine);
        // NOLINTNEXTLINE(*-reinterpret-cast): what the intrinsic takes; aligned above
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + done), line);
    }
    std::memcpy(to + done, from + done, count - done);
#else
    std::memcpy(to, from, count);
#endif
}

void finish_streaming() noexcept {
#ifdef __SSE2__
    _mm_sfence(); // other threads see the stores before the join that follows
#endif
}

} // namespace torchdicom
