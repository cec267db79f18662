#include "decode/jpeg_ls_rows.hpp"

#include "base/cpu.hpp"

#include "decode/jpeg_ls_codes.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

// There shifts by a variable and leading zeros are one instruction each, and vectors twice as wide.
#ifdef TORCHDICOM_X86_KERNELS
#define TORCHDICOM_BMI gnu::target("avx2,bmi,bmi2,lzcnt")
#endif

namespace torchdicom {

namespace {

// NOLINTBEGIN(bugprone-signed-bitwise): signs are shifted into masks, which C++20 defines
/// J of A.2.1: a run of 2^J samples is one bit.
constexpr std::array<std::uint8_t, 32> kRunOrder{0, 0, 0, 0, 1,  1,  1,  1,  2,  2, 2,
                                                 2, 3, 3, 3, 3,  4,  4,  5,  5,  6, 6,
                                                 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// In what follows, comparisons become numbers: a compiler that made branches of them would have the
// processor guess at noise.

[[gnu::always_inline]] inline std::int32_t lower(std::int32_t a, std::int32_t b) noexcept {
    return a < b ? a : b;
}

[[gnu::always_inline]] inline std::int32_t higher(std::int32_t a, std::int32_t b) noexcept {
    return a < b ? b : a;
}

/// A.4.1: the middle one of three.
[[gnu::always_inline]] inline std::int32_t predict(std::int32_t a, std::int32_t b,
                                                   std::int32_t c) noexcept {
    const std::int32_t low = lower(a, b);
    const std::int32_t high = higher(a, b);
    return lower(higher(a + b - c, low), high);
}

/// A.6 and A.4.5: the sample from its prediction and its error, whose signs have been merged.
template <bool kMasked>
[[gnu::always_inline]] inline std::int32_t
rebuild(const JpegLsCoding& coding, std::int32_t prediction, std::int32_t error) noexcept {
    if constexpr (kMasked) {
        return (prediction + error) & coding.maxval;
    } else {
        std::int32_t value = prediction + error * coding.step;
        if (value < -coding.near) {
            value += coding.range * coding.step;
        } else if (value > coding.maxval + coding.near) {
            value -= coding.range * coding.step;
        }
        return std::clamp(value, 0, coding.maxval);
    }
}

/// A.6: A, B, C and N of a context, and what follows from them.
template <bool kMasked>
[[gnu::always_inline]] inline void update(JpegLsContexts& contexts, std::size_t q,
                                          std::int32_t error, const JpegLsCoding& coding) noexcept {
    const std::int32_t step = kMasked ? 1 : coding.step;
    std::uint32_t a = contexts.a[q] + static_cast<std::uint32_t>(std::abs(error));
    std::int32_t b = contexts.b[q] + error * step;
    std::int32_t n = contexts.n[q];
    if (n == coding.reset) [[unlikely]] {
        a >>= 1U;
        b >>= 1U;
        n >>= 1U;
    }
    ++n;
    const std::int32_t turn = static_cast<std::int32_t>(b > 0) - static_cast<std::int32_t>(b <= -n);
    b = lower(higher(b - turn * n, 1 - n), 0);
    const std::int32_t c = contexts.c[q] + turn;
    if (c == static_cast<std::int8_t>(c)) [[likely]] {
        contexts.c[q] = c;
    }
    const auto k = static_cast<std::int32_t>(golomb_parameter(a, n));
    contexts.a[q] = a;
    contexts.b[q] = b;
    contexts.n[q] = n;
    // A.5.2: below 0 where k is 0, coding is lossless, and 2 * B is -N or less.
    const std::int32_t complements = step == 1 ? (k - 1) & (2 * b + n - 1) : 0;
    contexts.code[q] = k | (complements & std::numeric_limits<std::int32_t>::min());
}

/// A.4 to A.6: a sample in context `q`, whose sign (0 or -1) says which way round it is coded.
template <bool kMasked>
[[gnu::always_inline]] inline std::int32_t
regular_sample(JpegLsContexts& contexts, const JpegLsCoding& coding, JpegLsCursor& cursor,
               std::size_t q, std::int32_t sign, std::int32_t prediction) {
    const std::int32_t bias = (contexts.c[q] ^ sign) - sign;
    prediction = lower(higher(prediction + bias, 0), coding.maxval);
    const std::int32_t how = contexts.code[q];
    const std::uint32_t code =
        read_jpeg_ls_code(cursor, static_cast<std::uint32_t>(how),
                          coding.limit - coding.code_bits - 1, coding.code_bits);
    // Even codes are errors of 0 and more, odd ones their complements.
    const std::int32_t error = static_cast<std::int32_t>(code >> 1U) ^
                               (-static_cast<std::int32_t>(code & 1U) ^ (how >> 31U));
    const std::int32_t sample = rebuild<kMasked>(coding, prediction, (error ^ sign) - sign);
    update<kMasked>(contexts, q, error, coding);
    return sample;
}

/// A.7.1: the number of samples of a run, at most `room`.
std::size_t read_run(JpegLsCursor& cursor, std::uint32_t& run_index, std::size_t room) {
    std::size_t run = 0;
    while (run < room) {
        const std::uint32_t order = kRunOrder[run_index];
        if (cursor.take(1) == 0) {
            run += cursor.take(order);
            if (run >= room) {
                fail_jpeg_ls_code(cursor, "behind a run that goes beyond its row");
            }
            return run;
        }
        const std::size_t block = std::size_t{1} << order;
        if (block > room - run) {
            return room;
        }
        run += block;
        run_index = std::min(run_index + 1, 31U);
    }
    return run;
}

/// A.7.2: the error of the sample that ends a run.
std::int32_t interruption_error(JpegLsState& state, std::uint32_t type, std::uint32_t run_index) {
    const JpegLsCoding& coding = state.coding;
    JpegLsRunContext& context = state.run_contexts[type];
    const auto count = static_cast<std::uint32_t>(context.n);
    const std::uint32_t k =
        golomb_parameter(type == 0 ? context.a : context.a + count / 2, context.n);
    const std::uint32_t escape = coding.limit - kRunOrder[run_index] - 1 - coding.code_bits - 1;
    const std::uint32_t code = read_jpeg_ls_code(state.cursor, k, escape, coding.code_bits);
    const std::uint32_t doubled = code + type;
    const bool map = (doubled & 1U) != 0;
    const auto size = static_cast<std::int32_t>((doubled + 1) / 2);
    const bool prefers_negative = k != 0 || 2 * context.negative >= context.n;
    const std::int32_t error = prefers_negative == map ? -size : size;
    context.a += (code + 1 - type) / 2;
    context.negative += static_cast<std::int32_t>(error < 0);
    if (context.n == coding.reset) {
        context.a >>= 1U;
        context.n >>= 1U;
        context.negative >>= 1U;
    }
    ++context.n;
    return error;
}

/// The sample that ends a run, by its neighbours to the left and above (A.7.2).
template <bool kMasked>
std::uint16_t interruption_sample(JpegLsState& state, std::int32_t a, std::int32_t b,
                                  std::uint32_t type, std::uint32_t run_index) {
    const std::int32_t error = interruption_error(state, type, run_index);
    const bool is_turned = type == 0 && a > b;
    return static_cast<std::uint16_t>(
        rebuild<kMasked>(state.coding, type == 0 ? b : a, is_turned ? -error : error));
}

/// A run from `x` on and the sample that ends it; the next x.
template <bool kMasked>
[[gnu::noinline]] std::size_t decode_run(JpegLsState& state, JpegLsRow row, std::size_t x,
                                         std::size_t component) {
    const std::size_t end = row.current.size() - 1;
    std::uint32_t& run_index = state.run_index[component];
    const std::uint16_t left = row.current[x - 1];
    const std::size_t run = read_run(state.cursor, run_index, end - x);
    std::ranges::fill(row.current.subspan(x, run), left);
    x += run;
    if (x == end) {
        return x;
    }
    const std::int32_t difference = left - row.above[x];
    const auto type = static_cast<std::uint32_t>(std::abs(difference) <= state.coding.near);
    row.current[x] = interruption_sample<kMasked>(state, left, row.above[x], type, run_index);
    run_index -= static_cast<std::uint32_t>(run_index > 0);
    return x + 1;
}

/// A.3: all of a row's contexts, as far as the row above knows them.
[[gnu::always_inline]] inline void prepare_row(const JpegLsRow& row, const JpegLsCoding& coding,
                                               std::int32_t table_size) noexcept {
    const std::size_t end = row.above.size() - 1;
    const auto [t1, t2, t3] = coding.thresholds;
    const std::int32_t near = coding.near;
    const std::uint16_t* const above = row.above.data();
    std::int16_t* const regions = row.regions.data();
    for (std::size_t x = 0; x < end; ++x) {
        const std::int32_t gradient = above[x + 1] - above[x];
        const std::int32_t size = std::abs(gradient);
        const std::int32_t region =
            static_cast<std::int32_t>(size > near) + static_cast<std::int32_t>(size >= t1) +
            static_cast<std::int32_t>(size >= t2) + static_cast<std::int32_t>(size >= t3);
        regions[x] = static_cast<std::int16_t>(gradient < 0 ? -region : region);
    }
    std::uint16_t* const starts = row.starts.data();
    std::int32_t* const turns = row.turns.data();
    for (std::size_t x = 1; x < end; ++x) {
        const std::int32_t upper = 9 * (9 * regions[x] + regions[x - 1]);
        starts[x] = static_cast<std::uint16_t>(std::abs(upper));
        const std::int32_t turn = upper > 0 ? table_size : 0;
        turns[x] = above[x - 1] + (upper < 0 ? -table_size : turn);
    }
}

template <bool kMasked>
[[gnu::always_inline]] inline void row_of(JpegLsState& state, JpegLsRow row,
                                          std::size_t component) {
    const JpegLsCoding coding = state.coding;
    prepare_row(row, coding, state.gradients->size());
    const std::int8_t* const third = state.gradients->middle();
    const std::size_t end = row.current.size() - 1;
    JpegLsCursor cursor = state.cursor;
    std::int32_t a = row.current[0];
    std::size_t x = 1;
    while (x < end) {
        const std::int32_t turn = row.turns[x] - a;
        const auto q = static_cast<std::size_t>(row.starts[x] + third[turn]);
        if (q == 0) {
            state.cursor = cursor;
            x = decode_run<kMasked>(state, row, x, component);
            cursor = state.cursor;
            a = row.current[x - 1];
            continue;
        }
        const std::int32_t prediction = predict(a, row.above[x], row.above[x - 1]);
        a = regular_sample<kMasked>(state.contexts, coding, cursor, q, turn >> 31U, prediction);
        row.current[x] = static_cast<std::uint16_t>(a);
        ++x;
    }
    state.cursor = cursor;
}

/// A run of whole pixels: it ends where one component does, and then each has an error, in the
/// first of the two contexts (B.3).
template <bool kMasked>
[[gnu::noinline]] std::size_t decode_pixel_run(JpegLsState& state, std::span<const JpegLsRow> rows,
                                               std::size_t x) {
    const std::size_t end = rows[0].current.size() - 1;
    std::uint32_t& run_index = state.run_index[0];
    const std::size_t run = read_run(state.cursor, run_index, end - x);
    for (const JpegLsRow& row : rows) {
        std::ranges::fill(row.current.subspan(x, run), row.current[x - 1]);
    }
    x += run;
    if (x == end) {
        return x;
    }
    for (const JpegLsRow& row : rows) {
        row.current[x] =
            interruption_sample<kMasked>(state, row.current[x - 1], row.above[x], 0, run_index);
    }
    run_index -= static_cast<std::uint32_t>(run_index > 0);
    return x + 1;
}

template <bool kMasked>
[[gnu::always_inline]] inline void samples_of(JpegLsState& state, std::span<const JpegLsRow> rows) {
    const JpegLsCoding coding = state.coding;
    for (const JpegLsRow& row : rows) {
        prepare_row(row, coding, state.gradients->size());
    }
    const std::int8_t* const third = state.gradients->middle();
    const std::size_t end = rows[0].current.size() - 1;
    std::array<std::int32_t, 4> turns{};
    std::array<std::int32_t, 4> contexts{};
    std::size_t x = 1;
    while (x < end) {
        std::int32_t any = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            turns[i] = rows[i].turns[x] - rows[i].current[x - 1];
            contexts[i] = rows[i].starts[x] + third[turns[i]];
            any |= contexts[i];
        }
        if (any == 0) {
            x = decode_pixel_run<kMasked>(state, rows, x);
            continue;
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const JpegLsRow& row = rows[i];
            // A context of flat gradients, which is a run elsewhere, has no sign.
            const std::int32_t sign = contexts[i] == 0 ? 0 : turns[i] >> 31U;
            const std::int32_t prediction =
                predict(row.current[x - 1], row.above[x], row.above[x - 1]);
            row.current[x] = static_cast<std::uint16_t>(
                regular_sample<kMasked>(state.contexts, coding, state.cursor,
                                        static_cast<std::size_t>(contexts[i]), sign, prediction));
        }
        ++x;
    }
}

#ifdef TORCHDICOM_BMI
bool has_bmi() noexcept {
    const CpuFeatures& features = cpu_features();
    return features.has_avx2 && features.has_bit_counts && features.has_bmi2;
}

template <bool kMasked>
[[TORCHDICOM_BMI]] void row_with_bmi(JpegLsState& state, JpegLsRow row, std::size_t component) {
    row_of<kMasked>(state, row, component);
}

template <bool kMasked>
[[TORCHDICOM_BMI]] void samples_with_bmi(JpegLsState& state, std::span<const JpegLsRow> rows) {
    samples_of<kMasked>(state, rows);
}
#endif

template <bool kMasked> void decode_row(JpegLsState& state, JpegLsRow row, std::size_t component) {
#ifdef TORCHDICOM_BMI
    if (has_bmi()) {
        row_with_bmi<kMasked>(state, row, component);
        return;
    }
#endif
    row_of<kMasked>(state, row, component);
}

template <bool kMasked> void decode_samples(JpegLsState& state, std::span<const JpegLsRow> rows) {
#ifdef TORCHDICOM_BMI
    if (has_bmi()) {
        samples_with_bmi<kMasked>(state, rows);
        return;
    }
#endif
    samples_of<kMasked>(state, rows);
}

// NOLINTEND(bugprone-signed-bitwise)

/// A.2.1: samples beyond the right end are like the last one, those beyond the left end like the
/// one above.
void extend(JpegLsRow row) noexcept {
    row.above.back() = row.above[row.above.size() - 2];
    row.current.front() = row.above[1];
}

} // namespace

void decode_jpeg_ls_row(JpegLsState& state, JpegLsRow row, std::size_t component) {
    extend(row);
    state.coding.is_masked() ? decode_row<true>(state, row, component)
                             : decode_row<false>(state, row, component);
}

void decode_jpeg_ls_samples(JpegLsState& state, std::span<const JpegLsRow> rows) {
    for (const JpegLsRow& row : rows) {
        extend(row);
    }
    state.coding.is_masked() ? decode_samples<true>(state, rows)
                             : decode_samples<false>(state, rows);
}

} // namespace torchdicom
