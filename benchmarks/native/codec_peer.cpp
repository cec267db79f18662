// The codec libraries as their own examples call them: one frame in memory to its samples. What a
// reader of DICOM adds to that is all that it could save. Every function returns null, or why not.

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

#include <jpeglib.h>
#include <openjpeg.h>

namespace {

struct JpegErrors {
    jpeg_error_mgr base;
    std::jmp_buf jump;
    char text[JMSG_LENGTH_MAX];
};

void jpeg_fails(j_common_ptr info) {
    auto* errors = reinterpret_cast<JpegErrors*>(info->err);
    info->err->format_message(info, errors->text);
    std::longjmp(errors->jump, 1);
}

void jpeg_is_silent(j_common_ptr /*info*/) {}

/// The codestream, and how far OpenJPEG has read it.
struct Source {
    const std::uint8_t* data;
    std::size_t size, at;
};

OPJ_SIZE_T read_some(void* to, OPJ_SIZE_T size, void* user) {
    auto* source = static_cast<Source*>(user);
    const std::size_t count = std::min<std::size_t>(size, source->size - source->at);
    std::memcpy(to, source->data + source->at, count);
    source->at += count;
    return count != 0 ? count : static_cast<OPJ_SIZE_T>(-1);
}

OPJ_OFF_T skip_some(OPJ_OFF_T size, void* user) {
    auto* source = static_cast<Source*>(user);
    const auto count = std::min<OPJ_OFF_T>(size, OPJ_OFF_T(source->size - source->at));
    source->at += static_cast<std::size_t>(count);
    return count;
}

OPJ_BOOL seek_to(OPJ_OFF_T at, void* user) {
    auto* source = static_cast<Source*>(user);
    source->at = static_cast<std::size_t>(at);
    return source->at <= source->size ? OPJ_TRUE : OPJ_FALSE;
}

// With AVX2 where the machine has it, which is all that valgrind knows.
#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
void to_cells(const OPJ_INT32* samples, std::int64_t count, std::int16_t* cells) {
    for (std::int64_t i = 0; i < count; ++i) {
        cells[i] = static_cast<std::int16_t>(samples[i]);
    }
}

} // namespace

extern "C" {

/// 8-bit gray JPEG to `rows` x `columns` bytes.
const char* jpeg_decode(const std::uint8_t* data, std::int64_t size, std::uint8_t* out,
                        std::int64_t rows, std::int64_t columns) {
    static thread_local JpegErrors errors;
    jpeg_decompress_struct info;
    info.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = jpeg_fails;
    errors.base.output_message = jpeg_is_silent;
    if (setjmp(errors.jump) != 0) {
        jpeg_destroy_decompress(&info);
        return errors.text;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, data, static_cast<unsigned long>(size));
    jpeg_read_header(&info, TRUE);
    jpeg_start_decompress(&info);
    if (info.output_height != rows || info.output_width != columns || info.output_components != 1) {
        jpeg_destroy_decompress(&info);
        return "the image has another size";
    }
    while (info.output_scanline < info.output_height) {
        JSAMPROW row = out + std::size_t{info.output_scanline} * info.output_width;
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    return nullptr;
}

/// Gray JPEG 2000, HT or not, to `rows` x `columns` cells of 16 bits, on this thread alone.
const char* openjpeg_decode(const std::uint8_t* data, std::int64_t size, std::int16_t* out,
                            std::int64_t rows, std::int64_t columns) {
    Source source{data, static_cast<std::size_t>(size), 0};
    const std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)> stream{
        opj_stream_create(std::min<std::size_t>(source.size, OPJ_J2K_STREAM_CHUNK_SIZE), OPJ_TRUE),
        opj_stream_destroy};
    const std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)> codec{
        opj_create_decompress(OPJ_CODEC_J2K), opj_destroy_codec};
    if (!stream || !codec) {
        return "OpenJPEG has no memory";
    }
    opj_stream_set_user_data(stream.get(), &source, nullptr);
    opj_stream_set_user_data_length(stream.get(), source.size);
    opj_stream_set_read_function(stream.get(), read_some);
    opj_stream_set_skip_function(stream.get(), skip_some);
    opj_stream_set_seek_function(stream.get(), seek_to);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    opj_image_t* read = nullptr;
    if (opj_setup_decoder(codec.get(), &parameters) == OPJ_FALSE ||
        opj_read_header(stream.get(), codec.get(), &read) == OPJ_FALSE) {
        return "OpenJPEG reads no header";
    }
    const std::unique_ptr<opj_image_t, void (*)(opj_image_t*)> image{read, opj_image_destroy};
    if (opj_decode(codec.get(), stream.get(), read) == OPJ_FALSE ||
        opj_end_decompress(codec.get(), stream.get()) == OPJ_FALSE) {
        return "OpenJPEG does not decode the frame";
    }
    const opj_image_comp_t& samples = read->comps[0];
    if (read->numcomps != 1 || samples.h != rows || samples.w != columns) {
        return "the image has another size";
    }
    to_cells(samples.data, rows * columns, out);
    return nullptr;
}

} // extern "C"
