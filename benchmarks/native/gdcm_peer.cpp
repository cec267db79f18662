// GDCM as a C++ programmer uses it: Directory and IPPSorter for the order, an ImageReader for each
// file, GetBuffer for its stored values. The loop to float32 is our own, since gdcm::Rescaler is a
// pass of its own through double. Every function returns null, or why it could not.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gdcmDirectory.h>
#include <gdcmIPPSorter.h>
#include <gdcmImageReader.h>
#include <gdcmScanner.h>
#include <gdcmTrace.h>

namespace {

constexpr double kSpacingTolerance = 1e-3;
constexpr char kValueEnd = '\x1f';
constexpr char kFileEnd = '\x1e';

/// What an image takes, for the caller's memory.
struct Shape {
    std::int64_t frames, rows, columns, bytes_per_cell, is_signed;
};

thread_local std::string last_text;

/// The text of what `work` throws, or null. GDCM writes no line on the terminal.
template <typename Work> const char* text_of_error(const Work& work) noexcept {
    try {
        gdcm::Trace::WarningOff();
        gdcm::Trace::ErrorOff();
        work();
        return nullptr;
    } catch (const std::exception& error) {
        last_text = error.what();
    } catch (...) {
        last_text = "GDCM threw what is no std::exception";
    }
    return last_text.c_str();
}

void read(gdcm::ImageReader& reader, const std::string& path) {
    reader.SetFileName(path.c_str());
    if (!reader.Read()) {
        throw std::runtime_error(
            "GDCM does not read " + path + " (" +
            reader.GetFile().GetHeader().GetDataSetTransferSyntax().GetString() + ")");
    }
}

Shape shape_of(const gdcm::Image& image) {
    const gdcm::PixelFormat format = image.GetPixelFormat();
    if (format.GetSamplesPerPixel() != 1 || format.GetBitsAllocated() > 16) {
        throw std::runtime_error("this is not one sample of up to 16 bits a pixel");
    }
    const unsigned int* size = image.GetDimensions();
    const bool is_stack = image.GetNumberOfDimensions() == 3;
    return {is_stack ? size[2] : 1, size[1], size[0], format.GetBitsAllocated() / 8,
            format.GetPixelRepresentation()};
}

void get_buffer(const gdcm::Image& image, char* to, std::size_t bytes, const std::string& path) {
    if (image.GetBufferLength() != bytes) {
        throw std::runtime_error(path + " has " + std::to_string(image.GetBufferLength()) +
                                 " bytes of pixels where " + std::to_string(bytes) +
                                 " are expected");
    }
    if (!image.GetBuffer(to)) {
        throw std::runtime_error("GDCM does not decode " + path);
    }
}

template <typename Cell>
void rescale(const std::vector<char>& from, float* to, double slope, double intercept) {
    const auto* cells = reinterpret_cast<const Cell*>(from.data());
    for (std::size_t at = 0; at < from.size() / sizeof(Cell); ++at) {
        to[at] = static_cast<float>(cells[at] * slope + intercept);
    }
}

void load_slice(const std::string& path, std::vector<char>& scratch, float* to, std::size_t cells) {
    gdcm::ImageReader reader;
    read(reader, path);
    const gdcm::Image& image = reader.GetImage();
    const Shape shape = shape_of(image);
    scratch.resize(cells * static_cast<std::size_t>(shape.bytes_per_cell));
    get_buffer(image, scratch.data(), scratch.size(), path);
    const double slope = image.GetSlope();
    const double intercept = image.GetIntercept();
    if (shape.bytes_per_cell == 1) {
        shape.is_signed != 0 ? rescale<std::int8_t>(scratch, to, slope, intercept)
                             : rescale<std::uint8_t>(scratch, to, slope, intercept);
    } else {
        shape.is_signed != 0 ? rescale<std::int16_t>(scratch, to, slope, intercept)
                             : rescale<std::uint16_t>(scratch, to, slope, intercept);
    }
}

std::vector<std::string> sorted_files(const char* folder) {
    gdcm::Directory directory;
    directory.Load(folder, true);
    gdcm::IPPSorter sorter;
    sorter.SetComputeZSpacing(true);
    sorter.SetZSpacingTolerance(kSpacingTolerance);
    if (!sorter.Sort(directory.GetFilenames())) {
        throw std::runtime_error(std::string{"gdcm::IPPSorter finds no order in "} + folder);
    }
    return sorter.GetFilenames();
}

/// An atomic counter hands out the slices; the calling thread works too.
void load_all(const std::vector<std::string>& files, int threads, float* out, std::size_t cells) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr error;
    const auto work = [&] {
        std::vector<char> scratch;
        try {
            for (std::size_t at = next++; at < files.size(); at = next++) {
                load_slice(files[at], scratch, out + at * cells, cells);
            }
        } catch (...) {
            const std::lock_guard lock{mutex};
            error = std::current_exception();
            next = files.size();
        }
    };
    {
        std::vector<std::jthread> others;
        for (int k = 1; k < threads; ++k) {
            others.emplace_back(work);
        }
        work();
    }
    if (error) {
        std::rethrow_exception(error);
    }
}

} // namespace

extern "C" {

/// Shape of the volume that the folder's files make; `frames` is the number of slices.
const char* gdcm_series_shape(const char* folder, Shape* shape) {
    return text_of_error([&] {
        const std::vector<std::string> files = sorted_files(folder);
        gdcm::ImageReader reader;
        read(reader, files.at(0));
        *shape = shape_of(reader.GetImage());
        shape->frames = static_cast<std::int64_t>(files.size());
    });
}

/// The whole work: find, sort, read, decode, rescale. `count` floats are the volume.
const char* gdcm_series_load(const char* folder, int threads, float* out, std::int64_t count) {
    return text_of_error([&] {
        const std::vector<std::string> files = sorted_files(folder);
        if (files.empty() || static_cast<std::size_t>(count) % files.size() != 0) {
            throw std::runtime_error(std::string{"the files have changed in "} + folder);
        }
        load_all(files, threads, out, static_cast<std::size_t>(count) / files.size());
    });
}

/// Shape of one file's image.
const char* gdcm_image_shape(const char* path, Shape* shape) {
    return text_of_error([&] {
        gdcm::ImageReader reader;
        read(reader, path);
        *shape = shape_of(reader.GetImage());
    });
}

/// Stored values of all frames of one file.
const char* gdcm_image_load(const char* path, char* out, std::int64_t bytes) {
    return text_of_error([&] {
        gdcm::ImageReader reader;
        read(reader, path);
        get_buffer(reader.GetImage(), out, static_cast<std::size_t>(bytes), path);
    });
}

/// Values of `tag_count` tags (group << 16 | element) in each file, as text: after each value U+1F,
/// after each file U+1E. `found` is valid until the next call on this thread.
const char* gdcm_scan(const char* const* paths, std::int64_t path_count, const std::uint32_t* tags,
                      std::int64_t tag_count, const char** found) {
    return text_of_error([&] {
        thread_local std::string text;
        const std::vector<std::string> files(paths, paths + path_count);
        gdcm::Scanner scanner;
        for (std::int64_t k = 0; k < tag_count; ++k) {
            scanner.AddTag(gdcm::Tag(tags[k]));
        }
        if (!scanner.Scan(files)) {
            throw std::runtime_error("gdcm::Scanner fails");
        }
        text.clear();
        for (const std::string& file : files) {
            if (!scanner.IsKey(file.c_str())) {
                throw std::runtime_error("gdcm::Scanner does not read " + file);
            }
            for (std::int64_t k = 0; k < tag_count; ++k) {
                const char* value = scanner.GetValue(file.c_str(), gdcm::Tag(tags[k]));
                text += value == nullptr ? "" : value;
                text += kValueEnd;
            }
            text += kFileEnd;
        }
        *found = text.c_str();
    });
}

} // extern "C"
