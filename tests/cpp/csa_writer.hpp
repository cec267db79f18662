// Writes CSA headers, in which Siemens keeps what the slices of a mosaic are.
#pragma once

#include "data_set_writer.hpp"

#include <string>
#include <utility>
#include <vector>

namespace torchdicom::test {

/// Names, each with its texts.
using CsaTags = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// A header of the second format; an empty item stands behind those of each tag.
inline Bytes csa_of(const CsaTags& tags) {
    DataSetWriter writer;
    writer.raw(std::as_bytes(std::span{"SV10", 4})).number(0x0102'0304, 4);
    writer.number(tags.size(), 4).number(77, 4);
    for (auto [name, texts] : tags) {
        name.resize(64);
        writer.raw(std::as_bytes(std::span{name})).number(texts.size(), 4);
        writer.raw(std::as_bytes(std::span{"FD\0", 4})).number(3, 4);
        writer.number(texts.size() + 1, 4).number(77, 4);
        texts.emplace_back();
        for (std::string& text : texts) {
            const std::size_t length = text.empty() ? 0 : text.size() + 1;
            writer.number(length, 4).number(length, 4).number(77, 4).number(length, 4);
            text.resize((length + 3) / 4 * 4);
            writer.raw(std::as_bytes(std::span{text}));
        }
    }
    return writer.bytes();
}

} // namespace torchdicom::test
