#include "decode/openjpeg_codec.hpp"

#include "base/cells.hpp"

#include <openjpeg.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace torchdicom {

namespace {

/// Codec and stream are one type to the compiler.
template <auto release> struct Release {
    template <typename Thing> void operator()(Thing* thing) const noexcept { release(thing); }
};
using CodecPointer = std::unique_ptr<opj_codec_t, Release<opj_destroy_codec>>;
using StreamPointer = std::unique_ptr<opj_stream_t, Release<opj_stream_destroy>>;
using ImagePointer = std::unique_ptr<opj_image_t, Release<opj_image_destroy>>;

/// The codestream as OpenJPEG reads it: where it is, and the first complaint about it.
struct Input {
    ByteSpan bytes;
    std::size_t at = 0;
    std::array<char, 160> complaint{};
};

Input& input_of(void* data) noexcept { return *static_cast<Input*>(data); }

constexpr OPJ_SIZE_T kEnd = ~OPJ_SIZE_T{0};

OPJ_SIZE_T read_bytes(void* buffer, OPJ_SIZE_T size, void* data) noexcept {
    Input& input = input_of(data);
    const std::size_t count = std::min<std::size_t>(size, input.bytes.size() - input.at);
    if (count == 0) {
        return kEnd;
    }
    std::memcpy(buffer, input.bytes.subspan(input.at, count).data(), count);
    input.at += count;
    return count;
}

OPJ_BOOL seek_byte(OPJ_OFF_T at, void* data) noexcept {
    Input& input = input_of(data);
    if (at < 0 || static_cast<std::size_t>(at) > input.bytes.size()) {
        return OPJ_FALSE;
    }
    input.at = static_cast<std::size_t>(at);
    return OPJ_TRUE;
}

OPJ_OFF_T skip_bytes(OPJ_OFF_T count, void* data) noexcept {
    const auto at = static_cast<OPJ_OFF_T>(input_of(data).at);
    return count >= 0 && seek_byte(at + count, data) == OPJ_TRUE ? count : -1;
}

void keep_complaint(const char* message, void* data) noexcept {
    std::array<char, 160>& kept = input_of(data).complaint;
    if (kept.front() == '\0') {
        std::snprintf(kept.data(), kept.size(), "%s", message);
    }
}

[[noreturn, gnu::cold]] void fail_decoder(const Input& input) {
    const std::string_view complaint{input.complaint.data()};
    const std::size_t end = complaint.find_last_not_of("\r\n .");
    fail(ErrorCode::decoder_failed,
         "OpenJPEG could not decode this frame (" +
             (end == std::string_view::npos ? "it gives no reason"
                                            : std::string{complaint.substr(0, end + 1)}) +
             "); the pixel data is damaged: get the file again from its source");
}

/// OpenJPEG reads what is larger than its buffer, the data of a tile, past the buffer.
StreamPointer make_stream(Input& input) {
    constexpr OPJ_SIZE_T kBuffer = 1024;
    StreamPointer stream{opj_stream_create(kBuffer, OPJ_TRUE)};
    if (stream) {
        opj_stream_set_read_function(stream.get(), read_bytes);
        opj_stream_set_skip_function(stream.get(), skip_bytes);
        opj_stream_set_seek_function(stream.get(), seek_byte);
        opj_stream_set_user_data(stream.get(), &input, nullptr);
        opj_stream_set_user_data_length(stream.get(), input.bytes.size());
    }
    return stream;
}

/// Strict, so that a stream that stops early is an error. Its own threads stay off: frames are
/// what is decoded in parallel.
CodecPointer make_codec(Input& input, std::uint32_t reduced) {
    CodecPointer codec{opj_create_decompress(OPJ_CODEC_J2K)};
    opj_dparameters_t parameters{};
    opj_set_default_decoder_parameters(&parameters);
    parameters.cp_reduce = reduced;
    if (!codec || opj_set_error_handler(codec.get(), keep_complaint, &input) == OPJ_FALSE ||
        opj_setup_decoder(codec.get(), &parameters) == OPJ_FALSE ||
        opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) == OPJ_FALSE) {
        fail_decoder(input);
    }
    return codec;
}

/// Left, top, right and bottom in the reference grid, where the image need not start at the origin;
/// nothing beyond the numbers that OpenJPEG takes.
std::optional<std::array<OPJ_INT32, 4>> grid_area(const opj_image_t& image, const Window& window) {
    constexpr std::uint64_t kMost = std::numeric_limits<OPJ_INT32>::max();
    if (image.x0 + std::uint64_t{window.x1} > kMost ||
        image.y0 + std::uint64_t{window.y1} > kMost) {
        return std::nullopt;
    }
    const auto on_grid = [](std::uint32_t offset, std::size_t edge) {
        return static_cast<OPJ_INT32>(offset + edge);
    };
    return std::array{on_grid(image.x0, window.x0), on_grid(image.y0, window.y0),
                      on_grid(image.x0, window.x1), on_grid(image.y0, window.y1)};
}

ImagePointer decode_image(Input& input, const Window& window, std::uint32_t reduced) {
    const auto stream = make_stream(input);
    const auto codec = make_codec(input, reduced);
    opj_image_t* header = nullptr;
    const bool is_read = stream && opj_read_header(stream.get(), codec.get(), &header) == OPJ_TRUE;
    ImagePointer image{header};
    if (!is_read || !image) {
        fail_decoder(input);
    }
    const auto area = grid_area(*image, window);
    if (!area ||
        opj_set_decode_area(codec.get(), image.get(), (*area)[0], (*area)[1], (*area)[2],
                            (*area)[3]) == OPJ_FALSE ||
        opj_decode(codec.get(), stream.get(), image.get()) == OPJ_FALSE) {
        fail_decoder(input);
    }
    return image;
}

/// Decoded components, and how their numbers become cells: (number & bits ^ sign) - sign.
struct Planes {
    std::array<const OPJ_INT32*, 3> samples{};
    std::size_t components = 0;
    std::uint32_t bits = ~0U; ///< that are the number's
    std::uint32_t sign = 0;   ///< the bit of them that is the sign
};

Planes planes_of(const opj_image_t& image, const Input& input, const CodestreamInfo& info,
                 const PixelFormat& format, const Window& window) {
    Planes planes{.components = info.components};
    // As pydicom has it: what was coded with the other sign has the right bits.
    if (info.is_signed != format.is_signed) {
        planes.bits >>= 32 - info.precision;
        planes.sign = format.is_signed ? 1U << (info.precision - 1) : 0;
    }
    if (image.numcomps != info.components || info.components > planes.samples.size()) {
        fail_decoder(input);
    }
    for (std::size_t i = 0; i < planes.components; ++i) {
        const opj_image_comp_t& component = image.comps[i];
        if (component.data == nullptr || component.w != window.columns() ||
            component.h != window.rows()) {
            fail_decoder(input);
        }
        planes.samples.at(i) = component.data;
    }
    return planes;
}

template <typename Cell, std::size_t kComponents>
void fill_cells(const Planes& planes, std::size_t first, MutableByteSpan cells) {
    const std::size_t pixels = cells.size() / (kComponents * sizeof(Cell));
    std::array<const OPJ_INT32*, kComponents> from{};
    for (std::size_t c = 0; c < kComponents; ++c) {
        from[c] = planes.samples[c] + first;
    }
    const std::uint32_t bits = planes.bits;
    const std::uint32_t sign = planes.sign;
    // NOLINTNEXTLINE(*-reinterpret-cast): scratch of the allocator's alignment
    auto* const to = reinterpret_cast<Cell*>(cells.data());
    if (bits == ~0U && sign == 0) { // nearly always, and half the work
        for (std::size_t i = 0; i < pixels; ++i) {
            for (std::size_t c = 0; c < kComponents; ++c) {
                to[i * kComponents + c] = static_cast<Cell>(from[c][i]);
            }
        }
        return;
    }
    for (std::size_t i = 0; i < pixels; ++i) {
        for (std::size_t c = 0; c < kComponents; ++c) {
            const auto number = static_cast<std::uint32_t>(from[c][i]);
            to[i * kComponents + c] = static_cast<Cell>(((number & bits) ^ sign) - sign);
        }
    }
}

using InterleaveFunction = void (*)(const Planes&, std::size_t, MutableByteSpan);

template <std::size_t kComponents> InterleaveFunction interleave_function(std::size_t cell_bytes) {
    return with_cell(cell_bytes, []<typename Cell>(Cell /*type*/) -> InterleaveFunction {
        return fill_cells<Cell, kComponents>;
    });
}

/// A few rows at a time, which are warm when the sink has them.
void put_rows(const Planes& planes, const Window& window, std::size_t cell_bytes, RowSink& rows) {
    const std::size_t row_bytes = window.columns() * planes.components * cell_bytes;
    const std::size_t rows_at_once = rows_of_band(row_bytes);
    const InterleaveFunction fill = planes.components == 3 ? interleave_function<3>(cell_bytes)
                                                           : interleave_function<1>(cell_bytes);
    for (std::size_t row = 0; row < window.rows(); row += rows_at_once) {
        const std::size_t now = std::min(rows_at_once, window.rows() - row);
        const MutableByteSpan cells = decode_scratch(Scratch::rows, now * row_bytes);
        fill(planes, row * window.columns(), cells);
        if (!rows.put(cells)) {
            return;
        }
    }
}

/// What the codec's colours are: only YBR_FULL without a transform is left to convert.
bool gives_rgb(const CodestreamInfo& info, Photometric photometric) noexcept {
    const bool is_ybr_full =
        photometric == Photometric::ybr_full || photometric == Photometric::ybr_full_422;
    return info.components == 3 && (info.has_colour_transform || !is_ybr_full);
}

} // namespace

void decode_with_openjpeg(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const CodestreamInfo& info = stream.info;
    if (info.components != 1 && info.components != 3) {
        fail_mismatch("The codestream has " + std::to_string(info.components) +
                      " components, and an image has 1 or 3");
    }
    Input input{.bytes = stream.bytes};
    const std::uint32_t reduced = std::min(request.reduce, info.levels);
    // OpenJPEG 2.5.0 decodes parts of an image wrong where they have HT blocks.
    const Window wanted = info.has_ht_blocks ? whole_image(request.format) : request.window;
    const Window window = torchdicom::reduced(wanted, reduced);
    const auto image = decode_image(input, wanted, reduced);
    const Planes planes = planes_of(*image, input, info, request.format, window);
    rows.start({.window = window,
                .reduced = reduced,
                .is_rgb = gives_rgb(info, request.format.photometric)});
    put_rows(planes, window, request.format.bytes_per_sample(), rows);
}

std::string openjpeg_version() { return opj_version(); }

} // namespace torchdicom
