#include "pipeline/complete.hpp"

#include "plan/suv.hpp"

#include <map>
#include <set>
#include <string_view>

namespace torchdicom {

namespace {

/// Slices by the file that they are of: what they lack is read once.
std::vector<std::vector<FileHeader*>> by_file(Series& series, const std::set<std::size_t>& slices) {
    std::map<std::string_view, std::vector<FileHeader*>> of_path;
    for (const std::size_t slice : slices) {
        of_path[series.slices[slice].path].push_back(&series.slices[slice]);
    }
    std::vector<std::vector<FileHeader*>> files;
    files.reserve(of_path.size());
    for (auto& [path, of_file] : of_path) {
        files.push_back(std::move(of_file));
    }
    return files;
}

} // namespace

void complete_files(Series& series, const Picks& picks, const LoadRequest& request,
                    LoadStats& stats) {
    const bool is_suv = request.output.output == Output::suv;
    std::set<std::size_t> wanted; // a slice may be picked twice
    for (std::size_t i = 0; is_suv && i < series.slices.size(); ++i) {
        if (needs_tables(series.slices[i], request.output.output)) {
            wanted.insert(i); // whatever is picked, all have to be in one unit
        }
    }
    for (const auto& [slice, frame] : picks.frames) {
        const FileHeader& header = series.slices[slice];
        const bool is_deflated = header.transfer_syntax.is_deflated && header.part.is_frame;
        if (needs_tables(header, request.output.output) || (is_deflated && !header.fetched)) {
            wanted.insert(slice);
        }
    }
    const auto files = by_file(series, wanted);
    parallel_for(files.size(), request.parallel,
                 [&](std::size_t i) { complete_headers(files[i], stats); });
}

void complete_quantities(Series& series, const Picks& picks, const LoadRequest& request,
                         LoadStats& stats) {
    if (!needs_quantity(request.output.output)) {
        return;
    }
    const bool is_suv = request.output.output == Output::suv;
    std::set<std::size_t> wanted;
    for (const auto& [slice, frame] : picks.frames) {
        wanted.insert(slice);
    }
    for (std::size_t i = 0; is_suv && i < series.slices.size(); ++i) {
        wanted.insert(i);
    }
    const auto files = by_file(series, wanted);
    parallel_for(files.size(), request.parallel, [&](std::size_t i) {
        read_quantity(*files[i].front(), stats);
        for (FileHeader* const slice : files[i]) {
            slice->quantity = files[i].front()->quantity;
        }
    });
    if (is_suv) {
        settle_suv(series.slices);
    }
}

} // namespace torchdicom
