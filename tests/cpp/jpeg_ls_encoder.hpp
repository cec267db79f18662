// A JPEG-LS encoder of the tests' own, from the text of ISO 14495-1: a sample at a time, no tables.
#pragma once

#include "stream_writer.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

namespace torchdicom::test {

/// What is written; zeros of the preset are the defaults.
struct JpegLsOptions {
    int precision = 8;
    int near = 0;
    int interleave = 0; ///< 0: a scan a component
    int maxval = 0;
    int t1 = 0;
    int t2 = 0;
    int t3 = 0;
    int reset = 0;
    int restart_interval = 0; ///< in rows
    int restart_bytes = 2;    ///< of the number in the DRI segment
    int point_transform = 0;  ///< samples are given without the bits that it cuts off
    int colour = 0;           ///< of HP's APP8 segment; samples are given as transformed
};

/// Bits with a zero behind each byte FF (A.1).
class JpegLsBitWriter {
  public:
    void bit(bool value) {
        open_ = open_ << 1U | static_cast<unsigned>(value);
        if (++count_ == width_) {
            flush();
        }
    }
    void bits(std::uint32_t value, int count) {
        for (int i = count - 1; i >= 0; --i) {
            bit((std::uint64_t{value} >> static_cast<unsigned>(i) & 1U) != 0);
        }
    }
    /// Zeros up to a whole byte; a last FF is followed by its zero.
    void finish() {
        while (count_ != 0) {
            bit(false);
        }
        if (width_ == 7) {
            bits(0, 7);
        }
    }
    StreamWriter bytes;

  private:
    void flush() {
        bytes.u8(open_);
        width_ = open_ == 0xFF ? 7 : 8;
        open_ = 0;
        count_ = 0;
    }
    unsigned open_ = 0;
    int count_ = 0;
    int width_ = 8;
};

/// One scan. `planes` are the scan's components, row by row; what near-lossless coding makes of
/// them is put in their place.
class JpegLsScanEncoder {
  public:
    using Plane = std::vector<int>;

    JpegLsScanEncoder(const JpegLsOptions& options, int columns, std::vector<Plane>& planes)
        : options_{options}, columns_{columns}, planes_{&planes} {
        const int full = (1 << options.precision) - 1;
        maxval_ = options.maxval != 0 ? options.maxval : full;
        near_ = options.near;
        range_ = (maxval_ + 2 * near_) / (2 * near_ + 1) + 1;
        const int bpp = std::max(2, log2_up(maxval_ + 1));
        qbpp_ = log2_up(range_);
        limit_ = 2 * (bpp + std::max(8, bpp));
        reset_ = options.reset != 0 ? options.reset : 64;
        set_thresholds();
    }

    StreamWriter encode() {
        const int rows = static_cast<int>(planes_->at(0).size()) / columns_;
        restart(0);
        int marker = 0;
        for (int y = 0; y < rows; ++y) {
            if (options_.restart_interval != 0 && y != 0 && y % options_.restart_interval == 0) {
                bits_.finish();
                StreamWriter before = bits_.bytes;
                bits_ = {};
                bits_.bytes = before.u8(0xFF).u8(0xD0U + static_cast<unsigned>(marker++ % 8));
                restart(y);
            }
            if (options_.interleave == 2) {
                encode_pixels(y);
            } else {
                for (std::size_t i = 0; i < planes_->size(); ++i) {
                    encode_row(i, y);
                }
            }
        }
        bits_.finish();
        return bits_.bytes;
    }

  private:
    struct Context {
        int a, b = 0, c = 0, n = 1, nn = 0;
    };

    static int log2_up(int value) {
        int bits = 0;
        while ((1 << bits) < value) {
            ++bits;
        }
        return bits;
    }

    /// C.2.4.1.1.1
    void set_thresholds() {
        const auto clamp = [&](int i, int j) { return i > maxval_ || i < j ? j : i; };
        std::array<int, 3> basic{};
        if (maxval_ >= 128) {
            const int factor = (std::min(maxval_, 4095) + 128) / 256;
            basic = {factor + 2, factor * 4 + 3, factor * 17 + 4};
        } else {
            const int factor = 256 / (maxval_ + 1);
            basic = {std::max(2, 3 / factor), std::max(3, 7 / factor), std::max(4, 21 / factor)};
        }
        // The maximum is of the sum with NEAR, which is why it is here again for small ranges.
        if (maxval_ < 128) {
            const int factor = 256 / (maxval_ + 1);
            basic = {std::max(2, 3 / factor + 3 * near_), std::max(3, 7 / factor + 5 * near_),
                     std::max(4, 21 / factor + 7 * near_)};
        } else {
            basic = {basic[0] + 3 * near_, basic[1] + 5 * near_, basic[2] + 7 * near_};
        }
        t1_ = options_.t1 != 0 ? options_.t1 : clamp(basic[0], near_ + 1);
        t2_ = options_.t2 != 0 ? options_.t2 : clamp(basic[1], t1_);
        t3_ = options_.t3 != 0 ? options_.t3 : clamp(basic[2], t2_);
    }

    void restart(int y) {
        first_row_ = y;
        contexts_.assign(367, Context{std::max(2, (range_ + 32) / 64)});
        run_index_ = {};
    }

    /// Neighbours of A.2.1; above the first row of a restart interval are zeros.
    int at(std::size_t i, int y, int x) const {
        if (x < 0) {
            return y <= first_row_ ? 0 : (x + 1 == 0 ? at(i, y - 1, 0) : 0);
        }
        if (y < first_row_) {
            return 0;
        }
        return planes_->at(i)[static_cast<std::size_t>(y * columns_ + std::min(x, columns_ - 1))];
    }
    int& sample(std::size_t i, int y, int x) {
        return planes_->at(i)[static_cast<std::size_t>(y * columns_ + x)];
    }
    struct Neighbours {
        int a, b, c, d;
    };
    Neighbours neighbours(std::size_t i, int y, int x) const {
        return {x == 0 ? at(i, y - 1, 0) : at(i, y, x - 1), at(i, y - 1, x),
                x == 0 ? (y - 1 <= first_row_ - 1 ? 0 : at(i, y - 2, 0)) : at(i, y - 1, x - 1),
                at(i, y - 1, x + 1)};
    }

    /// A.3.3
    int region(int d) const {
        const int s = std::abs(d);
        const int q = s <= near_ ? 0 : (s < t1_ ? 1 : (s < t2_ ? 2 : (s < t3_ ? 3 : 4)));
        return d < 0 ? -q : q;
    }
    int context(const Neighbours& n) const {
        return 81 * region(n.d - n.b) + 9 * region(n.b - n.c) + region(n.c - n.a);
    }

    int quantise(int error) const {
        if (near_ != 0) {
            error =
                error > 0 ? (error + near_) / (2 * near_ + 1) : -(near_ - error) / (2 * near_ + 1);
        }
        if (error < 0) {
            error += range_;
        }
        return error >= (range_ + 1) / 2 ? error - range_ : error;
    }
    int rebuilt(int px, int error) const {
        int value = px + error * (2 * near_ + 1);
        if (value < -near_) {
            value += range_ * (2 * near_ + 1);
        } else if (value > maxval_ + near_) {
            value -= range_ * (2 * near_ + 1);
        }
        return std::clamp(value, 0, maxval_);
    }

    /// A.5.3
    void golomb(int code, int k, int limit) {
        const int zeros = code >> k;
        if (zeros < limit - qbpp_ - 1) {
            bits_.bits(0, zeros);
            bits_.bit(true);
            bits_.bits(static_cast<std::uint32_t>(code & ((1 << k) - 1)), k);
        } else {
            bits_.bits(0, limit - qbpp_ - 1);
            bits_.bit(true);
            bits_.bits(static_cast<std::uint32_t>(code - 1), qbpp_);
        }
    }

    static int golomb_k(int a, int n) {
        int k = 0;
        while ((static_cast<std::int64_t>(n) << k) < a) {
            ++k;
        }
        return k;
    }

    void regular(std::size_t i, int y, int x, int q) {
        const Neighbours n = neighbours(i, y, x);
        const int sign = q < 0 ? -1 : 1;
        Context& context = contexts_[static_cast<std::size_t>(std::abs(q))];
        int px = n.a + n.b - n.c;
        if (n.c >= std::max(n.a, n.b)) {
            px = std::min(n.a, n.b);
        } else if (n.c <= std::min(n.a, n.b)) {
            px = std::max(n.a, n.b);
        }
        px = std::clamp(px + sign * context.c, 0, maxval_);
        const int error = quantise(sign * (sample(i, y, x) - px));
        sample(i, y, x) = rebuilt(px, sign * error);
        const int k = golomb_k(context.a, context.n);
        int code = error >= 0 ? 2 * error : -2 * error - 1;
        if (near_ == 0 && k == 0 && 2 * context.b <= -context.n) {
            code = error >= 0 ? 2 * error + 1 : -2 * (error + 1);
        }
        golomb(code, k, limit_);
        context.b += error * (2 * near_ + 1);
        context.a += std::abs(error);
        if (context.n == reset_) {
            context.a >>= 1;
            context.b = context.b >= 0 ? context.b >> 1 : -((1 - context.b) >> 1);
            context.n >>= 1;
        }
        ++context.n;
        if (context.b <= -context.n) {
            context.b += context.n;
            context.c = std::max(context.c - 1, -128);
            context.b = std::max(context.b, 1 - context.n);
        } else if (context.b > 0) {
            context.b -= context.n;
            context.c = std::min(context.c + 1, 127);
            context.b = std::min(context.b, 0);
        }
    }

    static int order(int index) {
        constexpr std::array<int, 32> kJ{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                         4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        return kJ[static_cast<std::size_t>(index)];
    }

    /// A.7.1
    void run_length(int length, bool reaches_end, int& index) {
        while (length >= (1 << order(index))) {
            bits_.bit(true);
            length -= 1 << order(index);
            index = std::min(index + 1, 31);
        }
        if (!reaches_end) {
            bits_.bit(false);
            bits_.bits(static_cast<std::uint32_t>(length), order(index));
        } else if (length > 0) {
            bits_.bit(true);
        }
    }

    /// A.7.2
    void interruption(std::size_t i, int y, int x, int type, int index) {
        const Neighbours n = neighbours(i, y, x);
        const int px = type == 1 ? n.a : n.b;
        const int sign = type == 0 && n.a > n.b ? -1 : 1;
        const int error = quantise(sign * (sample(i, y, x) - px));
        sample(i, y, x) = rebuilt(px, sign * error);
        Context& context = contexts_[static_cast<std::size_t>(365 + type)];
        const int k = golomb_k(type == 0 ? context.a : context.a + (context.n >> 1), context.n);
        const bool map = (k == 0 && error > 0 && 2 * context.nn < context.n) ||
                         (error < 0 && (k != 0 || 2 * context.nn >= context.n));
        const int code = 2 * std::abs(error) - type - static_cast<int>(map);
        golomb(code, k, limit_ - order(index) - 1);
        context.nn += static_cast<int>(error < 0);
        context.a += (code + 1 - type) >> 1;
        if (context.n == reset_) {
            context.a >>= 1;
            context.n >>= 1;
            context.nn >>= 1;
        }
        ++context.n;
    }

    void encode_row(std::size_t i, int y) {
        for (int x = 0; x < columns_;) {
            const int q = context(neighbours(i, y, x));
            if (q != 0) {
                regular(i, y, x++, q);
                continue;
            }
            const int left = neighbours(i, y, x).a;
            const int start = x;
            while (x < columns_ && std::abs(sample(i, y, x) - left) <= near_) {
                sample(i, y, x++) = left;
            }
            run_length(x - start, x == columns_, run_index_[i]);
            if (x < columns_) {
                const Neighbours n = neighbours(i, y, x);
                interruption(i, y, x++, static_cast<int>(std::abs(n.a - n.b) <= near_),
                             run_index_[i]);
                run_index_[i] = std::max(run_index_[i] - 1, 0);
            }
        }
    }

    void encode_pixels(int y) {
        const std::size_t count = planes_->size();
        for (int x = 0; x < columns_;) {
            bool is_run = true;
            std::array<int, 4> q{};
            std::array<int, 4> left{};
            for (std::size_t i = 0; i < count; ++i) {
                const Neighbours n = neighbours(i, y, x);
                q[i] = context(n);
                left[i] = n.a;
                is_run = is_run && q[i] == 0;
            }
            if (!is_run) {
                for (std::size_t i = 0; i < count; ++i) {
                    regular(i, y, x, q[i]);
                }
                ++x;
                continue;
            }
            const int start = x;
            const auto goes_on = [&] {
                for (std::size_t i = 0; i < count; ++i) {
                    if (std::abs(sample(i, y, x) - left[i]) > near_) {
                        return false;
                    }
                }
                return true;
            };
            while (x < columns_ && goes_on()) {
                for (std::size_t i = 0; i < count; ++i) {
                    sample(i, y, x) = left[i];
                }
                ++x;
            }
            run_length(x - start, x == columns_, run_index_[0]);
            if (x < columns_) {
                for (std::size_t i = 0; i < count; ++i) {
                    interruption(i, y, x, 0, run_index_[0]);
                }
                ++x;
                run_index_[0] = std::max(run_index_[0] - 1, 0);
            }
        }
    }

    JpegLsOptions options_;
    int columns_;
    std::vector<Plane>* planes_;
    JpegLsBitWriter bits_;
    std::vector<Context> contexts_;
    std::array<int, 4> run_index_{};
    int first_row_ = 0;
    int maxval_ = 0, near_ = 0, range_ = 0, qbpp_ = 0, limit_ = 0, reset_ = 0;
    int t1_ = 0, t2_ = 0, t3_ = 0;
};

/// A codestream of `planes`, one a component; afterwards they are what it decodes to, without point
/// transform and colour transform.
inline StreamWriter encode_jpeg_ls(std::vector<std::vector<int>>& planes, int columns,
                                   const JpegLsOptions& options) {
    const auto u32 = [](auto value) { return static_cast<std::uint32_t>(value); };
    const std::size_t rows = planes.at(0).size() / static_cast<std::size_t>(columns);
    StreamWriter stream = StreamWriter{}.u16(0xFFD8);
    if (options.colour != 0) {
        stream.segment(0xFFE8, StreamWriter{}.text("mrfx").u8(u32(options.colour)));
    }
    StreamWriter sof = StreamWriter{}.u8(u32(options.precision)).u16(u32(rows)).u16(u32(columns));
    sof.u8(u32(planes.size()));
    for (std::size_t i = 0; i < planes.size(); ++i) {
        sof.u8(u32(i + 1)).u8(0x11).u8(0);
    }
    stream.segment(0xFFF7, sof);
    if ((options.maxval | options.t1 | options.t2 | options.t3 | options.reset) != 0) {
        StreamWriter lse = StreamWriter{}.u8(1);
        for (const int value :
             {options.maxval, options.t1, options.t2, options.t3, options.reset}) {
            lse.u16(u32(value));
        }
        stream.segment(0xFFF8, lse);
    }
    if (options.restart_interval != 0) {
        StreamWriter dri;
        for (int i = options.restart_bytes - 1; i >= 0; --i) {
            dri.u8(i < 4 ? u32(options.restart_interval) >> (8U * u32(i)) : 0U);
        }
        stream.segment(0xFFDD, dri);
    }
    const bool is_separate = options.interleave == 0;
    for (std::size_t s = 0; s < (is_separate ? planes.size() : 1); ++s) {
        std::vector<std::vector<int>> own =
            is_separate ? std::vector<std::vector<int>>{planes[s]} : planes;
        StreamWriter sos = StreamWriter{}.u8(u32(own.size()));
        for (std::size_t i = 0; i < own.size(); ++i) {
            sos.u8(u32(is_separate ? s + 1 : i + 1)).u8(0);
        }
        sos.u8(u32(options.near)).u8(u32(options.interleave)).u8(u32(options.point_transform));
        stream.segment(0xFFDA, sos);
        stream.append(JpegLsScanEncoder{options, columns, own}.encode());
        for (std::size_t i = 0; i < own.size(); ++i) {
            planes[is_separate ? s : i] = own[i];
        }
    }
    return stream.u16(0xFFD9);
}

} // namespace torchdicom::test
