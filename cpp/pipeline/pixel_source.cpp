#include "pipeline/pixel_source.hpp"

#include <algorithm>

namespace torchdicom {

void PixelSource::fail_changed() const {
    const bool is_of_index = header_->identity.inode == 0; // an index keeps none
    fail(ErrorCode::file_changed,
         is_of_index ? "The file is not the one that was scanned: it has changed since. Refresh "
                       "the index, and load again"
                     : "The file changed while it was being loaded. Wait until nobody writes to "
                       "it, and load again",
         Place{.path = header_->path});
}

PixelSource::PixelSource(const FileHeader& header, LoadStats& stats) : header_{&header} {
    const bool is_deflated = header.transfer_syntax.is_deflated;
    if (is_deflated && !header.fetched) {
        FileHeader again = read_header({.path = header.path, .bytes = header.memory},
                                       {.texts = {}, .keep_fetched = true}, stats);
        if (!header.memory && again.identity != header.identity) {
            fail_changed();
        }
        inflated_ = std::move(again.fetched);
        return;
    }
    if (header.memory || is_deflated) {
        return;
    }
    file_.emplace(header.path, stats);
    if (file_->identity() != header.identity) {
        fail_changed();
    }
}

void PixelSource::require_unchanged() const {
    if (file_ && file_->current_identity() != header_->identity) {
        fail_changed();
    }
}

void PixelSource::read(std::uint64_t offset, MutableByteSpan into) const {
    const bool in_memory = header_->memory && !header_->transfer_syntax.is_deflated;
    if (in_memory &&
        (offset > header_->memory->size() || into.size() > header_->memory->size() - offset)) {
        fail_changed();
    }
    const FetchedBytes* const fetched = (inflated_ ? inflated_ : header_->fetched).get();
    ByteSpan kept;
    if (in_memory) {
        kept = header_->memory->subspan(offset, into.size());
    } else if (fetched != nullptr) {
        kept = fetched->part(offset, into.size());
    }
    std::ranges::copy(kept, into.begin());
    const MutableByteSpan rest = into.subspan(kept.size());
    if (!rest.empty() && (!file_ || file_->read_at(offset + kept.size(), rest) != rest.size())) {
        fail_changed();
    }
}

} // namespace torchdicom
