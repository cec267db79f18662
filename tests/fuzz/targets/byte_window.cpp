// The window that a header is read through, over a file: the same bytes as in memory.
// Covers: header/byte_window.cpp

#include "header/byte_window.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <sys/mman.h>
#include <unistd.h>

using namespace torchdicom;

namespace {

/// A file in memory under a name, of so many bytes that are all alike for their neighbours only.
class FileOfBytes {
  public:
    FileOfBytes() : descriptor_{::memfd_create("fuzz", MFD_CLOEXEC)}, content_(65'536) {
        for (std::size_t i = 0; i < content_.size(); ++i) {
            content_[i] = static_cast<std::byte>((i * 2'654'435'761U) >> 13U);
        }
    }
    void resize(std::size_t size) {
        const std::size_t kept = std::min(size, size_);
        const ByteSpan rest = content().subspan(kept, size - kept);
        const bool is_written =
            ::ftruncate(descriptor_, static_cast<off_t>(kept)) == 0 &&
            ::pwrite(descriptor_, rest.data(), rest.size(), static_cast<off_t>(kept)) ==
                static_cast<ssize_t>(rest.size());
        fuzz::require(is_written, "the file can be written");
        size_ = size;
    }
    [[nodiscard]] std::string path() const {
        return "/proc/self/fd/" + std::to_string(descriptor_);
    }
    [[nodiscard]] ByteSpan content() const { return content_; }

  private:
    int descriptor_;
    std::size_t size_ = 0;
    std::vector<std::byte> content_;
};

/// Reads at the places that the input names. The file may shrink on the way, to `later` bytes.
void read_all(fuzz::Input& input, FileOfBytes& source, std::size_t later) {
    LoadStats stats;
    const File file{source.path(), stats};
    const std::uint64_t size = file.identity().size;
    ByteWindow window{file};
    fuzz::require(window.size() == size, "the window is as large as the file");
    while (!input.rest().empty()) {
        const bool is_peek = input.flag();
        const std::uint64_t offset = input.two_bytes();
        const std::size_t count = is_peek ? input.byte() % 13 : input.two_bytes();
        if (is_peek && count == 0) {
            source.resize(std::min<std::size_t>(later, size));
            continue;
        }
        const ByteSpan bytes = is_peek ? window.peek(offset, count) : window.at(offset, count);
        fuzz::require(offset + count <= size && bytes.size() == count, "reads end with the file");
        fuzz::require(as_text(bytes) == as_text(source.content().subspan(offset, count)),
                      "the window shows what is in the file");
    }
    const FetchedBytes fetched = window.take();
    fuzz::require(as_text(fetched.part(fetched.offset, size)) == as_text(fetched.bytes),
                  "what was fetched can be taken");
    fuzz::require(fetched.part(fetched.offset + fetched.bytes.size(), 1).empty(),
                  "there is nothing behind it");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static FileOfBytes source;
    fuzz::Input input{data, size};
    source.resize(input.two_bytes());
    const std::size_t later = input.two_bytes();
    static_cast<void>(fuzz::error_of([&] { read_all(input, source, later); }));
    return 0;
}
