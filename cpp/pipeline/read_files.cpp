#include "pipeline/read_files.hpp"

#include <optional>
#include <string>
#include <utility>

namespace torchdicom {

namespace {

/// Nothing for a file of a folder that is not DICOM: a folder may hold other files too, and one
/// that was named has to be DICOM.
std::optional<FileHeader> read_if_dicom(const Source& source, const HeaderOptions& options,
                                        LoadStats& stats) {
    try {
        return read_header(source, options, stats);
    } catch (const Error& error) {
        const bool may_pass = !source.is_named && error.code() == ErrorCode::not_dicom;
        if (!may_pass || is_lost_dicom(source, stats)) {
            throw;
        }
        return std::nullopt;
    }
}

/// Whether the error is about the content of one file, and not of the system or of ours.
bool is_about_content(const Error& error) noexcept {
    const ErrorKind kind = kind_of(error.code());
    return kind == ErrorKind::parse || kind == ErrorKind::limit;
}

/// Those that are there, in order.
template <typename T> std::vector<T> present(std::vector<std::optional<T>> values) {
    std::vector<T> result;
    result.reserve(values.size());
    for (std::optional<T>& value : values) {
        if (value) {
            result.push_back(std::move(*value));
        }
    }
    return result;
}

[[noreturn]] void fail_no_dicom(const std::vector<Source>& sources, std::size_t dropped) {
    std::string message = "None of the " + std::to_string(sources.size()) + " files is DICOM";
    if (dropped > 0) {
        message += " that can be read (" + std::to_string(dropped) + " were left out)";
    }
    fail(ErrorCode::no_dicom_files, message + ". Name the folder that has the DICOM files in it",
         Place{.path = sources.empty() ? std::string{} : sources.front().path});
}

/// Throws file_changed where the file is another one now.
FileHeader read_again(const FileHeader& header, const HeaderOptions& options, LoadStats& stats) {
    FileHeader again = read_header({.path = header.path, .bytes = header.memory}, options, stats);
    if (!header.memory) {
        require_known(again, header.identity);
    }
    return again;
}

} // namespace

void require_known(const FileHeader& header, const FileIdentity& known) {
    if (header.identity != known) {
        fail(ErrorCode::file_changed,
             "The file is not the one that was scanned: it has changed since. Refresh the index, "
             "and load again",
             Place{.path = header.path});
    }
}

void complete_header(FileHeader& header, LoadStats& stats) {
    if (header.has_tables) {
        return;
    }
    const bool is_deflated = header.transfer_syntax.is_deflated; // then inflate it only once
    FileHeader again = read_again(header, {.texts = {}, .keep_fetched = is_deflated}, stats);
    header.modality_lut = std::move(again.modality_lut);
    header.palette = std::move(again.palette);
    header.real_world_maps = std::move(again.real_world_maps);
    header.table_faults = std::move(again.table_faults);
    header.has_tables = true;
    if (is_deflated && header.fetched.bytes.empty()) {
        header.fetched = std::move(again.fetched);
    }
}

void read_voi(FileHeader& header, LoadStats& stats) {
    if (header.voi) {
        return;
    }
    FileHeader again =
        read_again(header, {.texts = {}, .skip_tables = true, .reads_voi = true}, stats);
    header.voi = std::move(again.voi);
    header.table_faults.insert(header.table_faults.end(), again.table_faults.begin(),
                               again.table_faults.end());
}

void read_quantity(FileHeader& header, LoadStats& stats) {
    if (header.quantity) {
        return;
    }
    FileHeader again =
        read_again(header, {.texts = {}, .skip_tables = true, .reads_quantity = true}, stats);
    header.quantity = std::move(again.quantity);
}

std::optional<Defect> defect_if_dropped(const Error& error, const Policy& policy) {
    Defect defect = left_out(error);
    if (policy.of(defect.code) != Action::drop) {
        return std::nullopt;
    }
    return defect;
}

std::vector<FileHeader> read_headers(const std::vector<Source>& sources,
                                     const HeaderOptions& options, const ParallelOptions& parallel,
                                     LoadStats& stats) {
    std::vector<std::optional<FileHeader>> read(sources.size());
    parallel_for(sources.size(), parallel,
                 [&](std::size_t i) { read[i] = read_if_dicom(sources[i], options, stats); });
    std::vector<FileHeader> headers = present(std::move(read));
    if (headers.empty()) {
        fail_no_dicom(sources, 0);
    }
    return headers;
}

Images read_images(const std::vector<Source>& sources, const HeaderOptions& options,
                   const Policy& policy, const ParallelOptions& parallel, LoadStats& stats) {
    std::vector<std::optional<FileHeader>> read(sources.size());
    std::vector<std::optional<Defect>> dropped(sources.size());
    parallel_for(sources.size(), parallel, [&](std::size_t i) {
        try {
            read[i] = read_if_dicom(sources[i], options, stats);
            if (read[i]) {
                require_pixels_of_image(*read[i]);
            }
        } catch (const Error& error) {
            if (is_about_content(error)) {
                dropped[i] = defect_if_dropped(error, policy);
            }
            if (!dropped[i]) {
                throw;
            }
            read[i].reset();
        }
    });
    Images images{.headers = present(std::move(read)), .dropped = present(std::move(dropped))};
    if (images.headers.empty()) {
        fail_no_dicom(sources, images.dropped.size());
    }
    const std::string first_path = images.headers.front().path;
    std::erase_if(images.headers, [](const FileHeader& header) { return !header.pixels; });
    if (images.headers.empty()) {
        fail(ErrorCode::no_images,
             "None of the DICOM files is an image (structure sets, reports and plans are none). "
             "Name the folder or the files of the images",
             Place{.path = first_path});
    }
    return images;
}

} // namespace torchdicom
