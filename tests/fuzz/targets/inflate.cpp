// What stands around libdeflate: sizes that nobody wrote down, and limits.
// Covers: header/inflate.cpp

#include "fuzz.hpp"
#include "header/file_header.hpp"

#include <vector>

using namespace torchdicom;

namespace {

std::optional<UninitializedBytes> inflate(ByteSpan deflated, std::uint64_t limit) {
    UninitializedBytes inflated;
    const auto error = fuzz::error_of([&] { inflated = inflate_data_set(deflated, 0, limit); });
    return error ? std::nullopt : std::optional{inflated};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint64_t limit = input.two_bytes();
    const auto inflated = inflate(input.rest(), limit);
    if (!inflated) {
        return 0;
    }
    fuzz::require(inflated->size() <= limit, "the limit holds");
    // The size of the last data set is where the next one starts, and must not show.
    const auto again = inflate(input.rest(), limit);
    fuzz::require(inflated == again, "a data set inflates to the same bytes each time");
    std::vector<std::byte> padded(input.rest().begin(), input.rest().end());
    padded.resize(padded.size() + 2);
    fuzz::require(inflated == inflate(padded, limit), "padding behind the stream changes nothing");
    return 0;
}
