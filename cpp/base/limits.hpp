// Named limits on what a file may ask for. Each raises LimitError (or the parser's own error).
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchdicom::limits {

// US holds 65,535, and that very value is what a header overwritten with ones shows. Film scanners
// and slide overviews stay below half of it.
inline constexpr std::uint32_t kMaxRows = 32'768;
inline constexpr std::uint32_t kMaxColumns = 32'768;

// Cine and slide files reach some 100,000 frames; NumberOfFrames is text, so a corrupt one can say
// 2^31 and make us reserve tables for it.
inline constexpr std::uint64_t kMaxFrames = 1'000'000;

// Enhanced and structured objects nest about 8 deep; each level costs stack.
inline constexpr std::size_t kMaxSequenceDepth = 32;

// The longest attribute we keep is a multi-valued text; LT ends at 10,240 characters.
inline constexpr std::uint64_t kMaxElementLength = 65'536;

// 16 GiB: above any clinical volume as float32, below what brings a workstation down. A caller who
// hands in a buffer (`out=`) has chosen the size, so that is not limited.
inline constexpr std::uint64_t kMaxOutputBytes = std::uint64_t{16} << 30U;

// Bytes out for bytes in, against decompression bombs. Only empty images come near these ratios,
// and those are covered by what is free: a 16-bit image of 4096x8192.
inline constexpr std::uint64_t kFreeExpansion = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t kMaxDeflateRatio = 100;
inline constexpr std::uint64_t kMaxCodestreamRatio = 1'000;
inline constexpr std::uint64_t kMaxInflatedBytes = std::uint64_t{4} << 30U;

// A fragment takes 8 bytes in the file and 40 in our tables; a frame has one, seldom a few.
inline constexpr std::size_t kMaxFragments = 2'000'000;

// Idle output memory that the pool keeps: six CT series of 300 slices as float32.
inline constexpr std::size_t kMaxPooledBytes = std::size_t{2} << 30U;

} // namespace torchdicom::limits
