#include "header/byte_window.hpp"

#include <algorithm>
#include <utility>

namespace torchdicom {

namespace {

// Measured on clinical series: data sets are 2 to 8 KiB before the pixel data; 16 KiB costs no more
// to read than 4, since four system calls are most of the time.
constexpr std::size_t kReadAhead = 16'384;

// The headers of a series are alike: a thread reads the next file as far as it needed the last one,
// and a little more, instead of pixels that it would have to keep for the load.
constexpr std::size_t kSlack = 512;
std::size_t& usual_read() {
    thread_local std::size_t bytes = kReadAhead;
    return bytes;
}

[[noreturn]] void fail_truncated(std::uint64_t offset, std::size_t count, std::uint64_t size) {
    fail(ErrorCode::truncated_header,
         "The file ends inside the header: " + std::to_string(count) + " bytes are needed, " +
             std::to_string(size > offset ? size - offset : 0) +
             " are left. Fetch the file again or leave it out",
         Place{.offset = offset});
}

} // namespace

ByteSpan FetchedBytes::part(std::uint64_t start, std::uint64_t count) const noexcept {
    if (start < offset || start >= offset + bytes.size()) {
        return {};
    }
    const ByteSpan tail = ByteSpan{bytes}.subspan(start - offset);
    return tail.first(std::min<std::uint64_t>(count, tail.size()));
}

ByteSpan ByteWindow::look(std::uint64_t offset, std::size_t count) {
    if (offset > size_ || count > size_ - offset) {
        fail_truncated(offset, count, size_);
    }
    if (file_ == nullptr) {
        return memory_.subspan(offset, count);
    }
    fetch(offset, count);
    return at(offset, count);
}

ByteSpan ByteWindow::peek(std::uint64_t offset, std::size_t count) {
    if (file_ == nullptr || holds(offset, count) || offset > size_ || count > size_ - offset) {
        return at(offset, count);
    }
    const MutableByteSpan into = std::span{peeked_}.first(count);
    const ByteSpan kept = fetched_.part(offset, count);
    std::ranges::copy(kept, into.begin());
    if (file_->read_at(offset + kept.size(), into.subspan(kept.size())) != count - kept.size()) {
        fail_truncated(offset, count, size_);
    }
    return into;
}

void ByteWindow::fetch(std::uint64_t offset, std::size_t count) {
    // Keep what is there of the wanted range, so that no byte is read twice.
    const ByteSpan kept = fetched_.part(offset, count);
    const std::size_t ahead = offset == 0 ? usual_read() : kReadAhead;
    UninitializedBytes bytes(std::min<std::uint64_t>(std::max(count, ahead), size_ - offset));
    std::ranges::copy(kept, bytes.begin());
    const std::size_t read =
        file_->read_at(offset + kept.size(), MutableByteSpan{bytes}.subspan(kept.size()));
    bytes.resize(kept.size() + read);
    if (bytes.size() < count) { // the file shrank since it was opened
        fail_truncated(offset, count, offset + bytes.size());
    }
    fetched_ = FetchedBytes{.offset = offset, .bytes = std::move(bytes)};
}

ByteWindow::~ByteWindow() {
    if (file_ != nullptr) {
        usual_read() = std::min<std::uint64_t>(needed_ + kSlack, kReadAhead);
    }
}

FetchedBytes ByteWindow::take() noexcept { return std::exchange(fetched_, {}); }

} // namespace torchdicom
