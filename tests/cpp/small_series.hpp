// Small series in memory, and what loads of them give.
#pragma once

#include "data_set_writer.hpp"
#include "pipeline/load.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace torchdicom::test {

using Floats = std::vector<float>;
using Cells = std::vector<std::uint32_t>;

inline Source memory(const Bytes& bytes, const std::string& name = "a") {
    return {.path = name, .bytes = bytes};
}

inline LoadRequest request_for(std::vector<Source> sources) {
    LoadRequest request;
    request.sources = std::move(sources);
    return request;
}

inline LoadedSeries load(const LoadRequest& request) {
    LoadStats stats;
    return load_series(request, stats);
}

inline Floats floats_of(const Buffer& buffer) {
    Floats values(buffer.bytes().size() / sizeof(float));
    std::ranges::copy(buffer.bytes(), std::as_writable_bytes(std::span{values}).begin());
    return values;
}

inline std::vector<int> mask_of(const LoadedSeries& loaded) {
    std::vector<int> values;
    for (const std::byte value : loaded.mask.bytes()) {
        values.push_back(std::to_integer<int>(value));
    }
    return values;
}

inline Cells counted(std::size_t count) {
    Cells cells(count);
    std::iota(cells.begin(), cells.end(), 0U);
    return cells;
}

inline Image image_at(int z, std::uint32_t rows, std::uint32_t columns) {
    Image image{.rows = rows, .columns = columns, .intercept = "0"};
    image.instance = "1.2." + std::to_string(z);
    image.position = "0\\0\\" + std::to_string(z);
    return image;
}

/// Slices of one pixel at 0, 3, 6 ..., which hold 0, 1, 2 ...
inline std::vector<Bytes> stack(std::uint32_t count) {
    std::vector<Bytes> files;
    for (std::uint32_t i = 0; i < count; ++i) {
        files.push_back(image_file(image_at(static_cast<int>(3 * i), 1, 1), {i}));
    }
    return files;
}

/// Named "<bytes 0>", "<bytes 1>" ...
inline std::vector<Source> sources_of(const std::vector<Bytes>& files) {
    std::vector<Source> sources;
    for (const Bytes& bytes : files) {
        sources.push_back(memory(bytes, "<bytes " + std::to_string(sources.size()) + ">"));
    }
    return sources;
}

/// An image whose one frame is one fragment.
inline Bytes encapsulated(Image image, const std::string& syntax, ByteSpan frame) {
    image.transfer_syntax = syntax;
    DataSetWriter writer = image_start(image);
    writer.sequence(tags::PixelData, "OB").item(ByteSpan{}).item(frame).end_sequence();
    return writer.bytes();
}

} // namespace torchdicom::test
