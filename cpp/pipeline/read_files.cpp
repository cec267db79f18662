#include "pipeline/read_files.hpp"

#include "header/divide.hpp"
#include "series/kind.hpp"

#include <algorithm>
#include <iterator>
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

/// Leaves out those that were not read, which have no path. Headers are read where they stay, since
/// to move thousands of them costs fresh pages.
void erase_absent(std::vector<FileHeader>& headers) {
    std::erase_if(headers, [](const FileHeader& header) { return header.path.empty(); });
}

/// The slices of all files in order, of each file a single one or several.
std::vector<FileHeader> joined(std::vector<FileHeader> single,
                               std::vector<std::vector<FileHeader>> several) {
    if (std::ranges::any_of(several, [](const auto& slices) { return !slices.empty(); })) {
        std::vector<FileHeader> all;
        for (std::size_t i = 0; i < single.size(); ++i) {
            all.push_back(std::move(single[i]));
            std::ranges::move(several[i], std::back_inserter(all));
        }
        single = std::move(all);
    }
    erase_absent(single);
    return single;
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

std::vector<FileHeader> slices_of(FileHeader header) {
    if (!foreign_object(header).first.empty()) {
        return {std::move(header)};
    }
    return divide(std::move(header));
}

void complete_headers(std::span<FileHeader* const> slices, LoadStats& stats) {
    std::vector<FileHeader*> wanted;
    std::ranges::copy_if(slices, std::back_inserter(wanted),
                         [](const FileHeader* one) { return !one->has_tables; });
    if (wanted.empty()) {
        return;
    }
    FileHeader& first = *wanted.front();
    const bool is_deflated = first.transfer_syntax.is_deflated; // then inflate it only once
    FileHeader whole = read_again(
        first, {.texts = {}, .keep_fetched = is_deflated, .reads_slices = first.part.is_frame},
        stats);
    std::vector<FileHeader> again;
    if (first.part.is_frame) {
        again = divide(std::move(whole));
    } else {
        again.push_back(std::move(whole));
    }
    for (FileHeader* const header : wanted) {
        FileHeader& known = first.part.is_frame ? find_slice(again, header->part) : again.front();
        header->modality_lut = std::move(known.modality_lut);
        header->palette = std::move(known.palette);
        header->real_world_maps = std::move(known.real_world_maps);
        header->table_faults = std::move(known.table_faults);
        header->has_tables = true;
        if (is_deflated && !header->fetched) {
            header->fetched = known.fetched;
        }
    }
}

void complete_header(FileHeader& header, LoadStats& stats) {
    FileHeader* const one = &header;
    complete_headers(std::span{&one, 1}, stats);
}

void read_voi(FileHeader& header, LoadStats& stats) {
    if (header.voi) {
        return;
    }
    FileHeader again = read_again(
        header,
        {.texts = {}, .skip_tables = true, .reads_voi = true, .reads_slices = header.part.is_frame},
        stats);
    if (header.part.is_frame) {
        std::vector<FileHeader> of_file = divide(std::move(again));
        again = std::move(find_slice(of_file, header.part));
    }
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
    std::vector<FileHeader> headers(sources.size());
    parallel_for(sources.size(), parallel, [&](std::size_t i) {
        if (std::optional<FileHeader> header = read_if_dicom(sources[i], options, stats)) {
            headers[i] = *std::move(header);
        }
    });
    erase_absent(headers);
    if (headers.empty()) {
        fail_no_dicom(sources, 0);
    }
    return headers;
}

Images read_images(const std::vector<Source>& sources, const HeaderOptions& options,
                   const Policy& policy, const ParallelOptions& parallel, LoadStats& stats) {
    std::vector<FileHeader> single(sources.size());
    std::vector<std::vector<FileHeader>> several(sources.size());
    std::vector<std::optional<Defect>> dropped(sources.size());
    parallel_for(sources.size(), parallel, [&](std::size_t i) {
        try {
            if (std::optional<FileHeader> header = read_if_dicom(sources[i], options, stats)) {
                require_pixels_of_image(*header);
                std::vector<FileHeader> slices = slices_of(*std::move(header));
                if (slices.size() == 1) {
                    single[i] = std::move(slices.front());
                } else {
                    several[i] = std::move(slices);
                }
            }
        } catch (const Error& error) {
            if (is_about_content(error)) {
                dropped[i] = defect_if_dropped(error, policy);
            }
            if (!dropped[i]) {
                throw;
            }
        }
    });
    Images images{.headers = joined(std::move(single), std::move(several)),
                  .dropped = present(std::move(dropped))};
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
