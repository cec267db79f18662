// Lossy JPEG streams of blocks that are flat: one DC coefficient each, so that every sample is
// known without a transform.
#pragma once

#include "stream_writer.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace torchdicom::test {

/// Blocks row by row; one value for each component of a block.
struct FlatJpeg {
    std::vector<std::vector<std::uint32_t>> blocks{{200}};
    std::uint32_t rows = 8;
    std::uint32_t columns = 8;
    std::uint32_t precision = 8; ///< or 12
    std::uint32_t sof = 0xFFC0;  ///< FFC2: one scan of the DC coefficients
    std::string_view ids = "\1\2\3";
    std::optional<std::uint32_t> adobe{};      ///< transform of an Adobe segment
    std::optional<std::uint32_t> jfif{};       ///< version of a JFIF segment
    std::optional<std::size_t> lacks_table{};  ///< 0: quantisation, 1: Huffman
    std::uint32_t scans = 1;                   ///< so many of the same
    std::uint32_t restart_interval = 0;        ///< blocks
    std::optional<std::size_t> cut_data{};     ///< bytes of the scan that are left
    std::optional<std::uint32_t> first_byte{}; ///< of the scan, instead of its own

    [[nodiscard]] std::size_t components() const { return blocks.front().size(); }

    [[nodiscard]] StreamWriter stream() const {
        StreamWriter bytes;
        bytes.u16(0xFFD8);
        if (jfif) {
            bytes.segment(0xFFE0,
                          StreamWriter{}.text("JFIF").raw({0, *jfif, 2, 0, 0, 1, 0, 1, 0, 0}));
        }
        if (adobe) {
            bytes.segment(0xFFEE,
                          StreamWriter{}.text("Adobe").raw({0, 100, 0, 0, 0, 0}).u8(*adobe));
        }
        add_tables(bytes);
        add_frame_header(bytes);
        for (std::uint32_t scan = 0; scan < scans; ++scan) {
            add_scan(bytes);
        }
        return bytes.u16(0xFFD9);
    }

  private:
    /// Steps of 8, so that a DC coefficient is the value less the centre. DC categories 0 to 12
    /// have codes of four bits; the one AC code, "0", is the end of a block.
    void add_tables(StreamWriter& bytes) const {
        if (lacks_table != 0) {
            StreamWriter steps;
            steps.u8(0);
            for (int i = 0; i < 64; ++i) {
                steps.u8(8);
            }
            bytes.segment(0xFFDB, steps);
        }
        if (lacks_table != 1) {
            StreamWriter codes;
            codes.raw({0x00, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
            codes.raw({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
            codes.raw({0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
            bytes.segment(0xFFC4, codes);
        }
        if (restart_interval != 0) {
            bytes.segment(0xFFDD, StreamWriter{}.u16(restart_interval));
        }
    }

    void add_frame_header(StreamWriter& bytes) const {
        StreamWriter body;
        body.u8(precision).u16(rows).u16(columns).u8(static_cast<std::uint32_t>(components()));
        for (std::size_t i = 0; i < components(); ++i) {
            body.u8(static_cast<std::uint8_t>(ids[i])).u8(0x11).u8(0);
        }
        bytes.segment(sof, body);
    }

    void add_scan(StreamWriter& bytes) const {
        StreamWriter body;
        body.u8(static_cast<std::uint32_t>(components()));
        for (std::size_t i = 0; i < components(); ++i) {
            body.u8(static_cast<std::uint8_t>(ids[i])).u8(0);
        }
        bytes.segment(0xFFDA, body.raw({0, is_progressive() ? 0U : 63U, 0}));
        StreamWriter data = entropy_coded();
        const ByteSpan kept = data.span().first(cut_data.value_or(data.size()));
        for (std::size_t i = 0; i < kept.size(); ++i) {
            const auto byte = std::to_integer<std::uint32_t>(kept[i]);
            bytes.u8(i == 0 ? first_byte.value_or(byte) : byte);
        }
    }

    [[nodiscard]] bool is_progressive() const { return sof == 0xFFC2; }

    [[nodiscard]] StreamWriter entropy_coded() const {
        StreamWriter data;
        std::vector<int> before(components(), 0);
        std::uint32_t done = 0;
        std::vector<bool> bits;
        for (const std::vector<std::uint32_t>& block : blocks) {
            if (restart_interval != 0 && done != 0 && done % restart_interval == 0) {
                flush(data, bits);
                data.u16(0xFFD0 + (done / restart_interval - 1) % 8);
                before.assign(components(), 0);
            }
            for (std::size_t i = 0; i < block.size(); ++i) {
                const int value = static_cast<int>(block[i]) - (precision == 8 ? 128 : 2048);
                add_block(bits, value - before[i]);
                before[i] = value;
            }
            ++done;
        }
        flush(data, bits);
        return data;
    }

    /// ISO 10918-1 F.1.2.1.
    void add_block(std::vector<bool>& bits, int difference) const {
        const auto size = static_cast<std::uint32_t>(difference < 0 ? -difference : difference);
        const auto category = static_cast<std::uint32_t>(std::bit_width(size));
        add_bits(bits, category, 4);
        const int extra = difference < 0 ? difference - 1 : difference;
        add_bits(bits, static_cast<std::uint32_t>(extra), category);
        if (!is_progressive()) {
            add_bits(bits, 0, 1);
        }
    }

    static void add_bits(std::vector<bool>& bits, std::uint32_t value, std::uint32_t count) {
        for (std::uint32_t i = count; i > 0; --i) {
            bits.push_back(((value >> (i - 1)) & 1U) != 0);
        }
    }

    /// Ones fill the last byte (F.1.2.3); a zero is stuffed behind FF.
    static void flush(StreamWriter& data, std::vector<bool>& bits) {
        while (bits.size() % 8 != 0) {
            bits.push_back(true);
        }
        for (std::size_t at = 0; at < bits.size(); at += 8) {
            std::uint32_t byte = 0;
            for (std::size_t i = 0; i < 8; ++i) {
                byte = byte << 1U | (bits[at + i] ? 1U : 0U);
            }
            data.u8(byte);
            if (byte == 0xFF) {
                data.u8(0);
            }
        }
        bits.clear();
    }
};

} // namespace torchdicom::test
