// The byte ranges of encapsulated frames, from fragments and offset tables (PS3.5 A.4, PS3.3
// C.7.6.3.1.8).

#include "header/file_header.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace torchdicom {

namespace {

constexpr std::size_t kItemHeader = 8;

/// A fragment, and where its item starts: that is what offset tables point at.
struct Fragment {
    std::uint64_t item_offset = 0;
    ByteRange range;
};

[[noreturn]] void fail_fragments(std::string message, std::uint64_t offset) {
    fail(ErrorCode::invalid_fragments, std::move(message) + ". The file is corrupt",
         Place{.element = element_name(tags::PixelData), .offset = offset});
}

[[noreturn]] void fail_cut_off(std::uint64_t offset) {
    fail(ErrorCode::truncated_pixels,
         "The file ends inside the encapsulated pixel data. Fetch it again or leave it out",
         Place{.element = element_name(tags::PixelData), .offset = offset});
}

/// Reads item headers one by one; their contents stay unread.
class FragmentReader {
  public:
    FragmentReader(ByteWindow& window, const FileHeader& header)
        : window_{window}, order_{header.element_syntax.order},
          position_{header.pixels->element.value_offset} {}

    /// The next item, or nothing at the sequence's end.
    std::optional<Fragment> next() {
        if (position_ == window_.size()) {
            return std::nullopt; // no delimiter, but all items are whole
        }
        if (window_.size() - position_ < kItemHeader) {
            fail_cut_off(position_);
        }
        const ByteSpan header = window_.peek(position_, kItemHeader);
        const Tag group = load_number<std::uint16_t>(header, 0, order_);
        const Tag tag = (group << 16U) | load_number<std::uint16_t>(header, 2, order_);
        const std::uint64_t length = load_number<std::uint32_t>(header, 4, order_);
        if (tag == tags::SequenceDelimitationItem) {
            return std::nullopt;
        }
        if (tag != tags::Item || length == 0xFFFF'FFFF) {
            fail_fragments("No item of the encapsulated pixel data stands here", position_);
        }
        const Fragment fragment{.item_offset = position_,
                                .range = {position_ + kItemHeader, length}};
        if (length > window_.size() - fragment.range.offset) {
            fail_cut_off(position_);
        }
        position_ = fragment.range.offset + length;
        return fragment;
    }

  private:
    ByteWindow& window_;
    std::endian order_;
    std::uint64_t position_;
};

[[noreturn]] void fail_table(const FileHeader& header, const std::string& what) {
    fail(ErrorCode::invalid_offset_table, "The offset table " + what + ". The file is corrupt",
         header.pixels->element.place());
}

/// The basic offset table as 64-bit numbers; empty where the file has none.
std::vector<std::uint64_t> read_basic_table(ByteWindow& window, const FileHeader& header,
                                            const ByteRange& item) {
    constexpr std::uint64_t kEntry = sizeof(std::uint32_t);
    if (item.length == 0) {
        return {};
    }
    if (item.length != header.number_of_frames() * kEntry) {
        fail_table(header, "has " + std::to_string(item.length) + " bytes where " +
                               std::to_string(header.number_of_frames()) + " frames need 4 each");
    }
    const ByteSpan bytes = window.at(item.offset, item.length);
    std::vector<std::uint64_t> offsets(header.number_of_frames());
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        offsets[i] = load_number<std::uint32_t>(bytes, i * kEntry, header.element_syntax.order);
    }
    return offsets;
}

/// Frames start where the table says; each takes the fragments up to the next one's start.
void add_frames_at(const std::vector<std::uint64_t>& offsets,
                   const std::vector<Fragment>& fragments, FileHeader& header) {
    if (offsets.size() != header.number_of_frames()) {
        fail_table(header, "has " + std::to_string(offsets.size()) + " entries for " +
                               std::to_string(header.number_of_frames()) + " frames");
    }
    const std::uint64_t base = fragments.front().item_offset;
    std::size_t frame = 0;
    for (const Fragment& fragment : fragments) {
        if (frame < offsets.size() && fragment.item_offset - base == offsets[frame]) {
            if (frame > 0) {
                header.frames.end_frame();
            }
            ++frame;
        }
        if (frame == 0) {
            break; // the first entry is not 0: found below
        }
        header.frames.add_fragment(fragment.range);
    }
    if (frame != offsets.size()) {
        fail_table(header, "does not point at a fragment for frame " + std::to_string(frame) +
                               ", or is not ascending");
    }
    header.frames.end_frame();
}

/// One fragment a frame, with its length without the padding byte (PS3.3 C.7.6.3.1.9).
void add_extended_frames(const std::vector<Fragment>& fragments, FileHeader& header) {
    const std::size_t frames = header.number_of_frames();
    if (header.extended_lengths.size() != frames || fragments.size() != frames) {
        fail_table(header, "(extended) has " + std::to_string(header.extended_lengths.size()) +
                               " lengths and the data " + std::to_string(fragments.size()) +
                               " fragments for " + std::to_string(frames) + " frames");
    }
    std::vector<Fragment> cut = fragments;
    for (std::size_t i = 0; i < frames; ++i) {
        if (header.extended_lengths[i] > cut[i].range.length) {
            fail_table(header, "(extended) gives frame " + std::to_string(i) +
                                   " more bytes than its fragment has");
        }
        cut[i].range.length = header.extended_lengths[i];
    }
    add_frames_at(header.extended_offsets, cut, header);
}

/// Whether a codestream ends in this fragment, but for some bytes of padding.
bool ends_stream(ByteWindow& window, const ByteRange& range) {
    constexpr std::uint64_t kTail = 10; // one byte of padding is legal, and a few do occur
    const std::uint64_t count = std::min(range.length, kTail);
    const ByteSpan tail = window.peek(range.offset + range.length - count, count);
    constexpr std::array kMarker{std::byte{0xFF}, std::byte{0xD9}};
    return std::search(tail.begin(), tail.end(), kMarker.begin(), kMarker.end()) != tail.end();
}

/// Without an offset table, more fragments than frames: each frame goes on until its end marker.
/// False where that does not give the number of frames.
bool add_frames_by_marker(ByteWindow& window, const std::vector<Fragment>& fragments,
                          FileHeader& header) {
    std::vector<bool> is_last(fragments.size());
    for (std::size_t i = 0; i < fragments.size(); ++i) {
        is_last[i] = ends_stream(window, fragments[i].range);
    }
    is_last.back() = true; // with or without a marker: nothing follows
    const auto ends = std::count(is_last.begin(), is_last.end(), true);
    if (std::cmp_not_equal(ends, header.number_of_frames())) {
        return false;
    }
    for (std::size_t i = 0; i < fragments.size(); ++i) {
        header.frames.add_fragment(fragments[i].range);
        if (is_last[i]) {
            header.frames.end_frame();
        }
    }
    return true;
}

void add_frames_without_table(ByteWindow& window, const std::vector<Fragment>& fragments,
                              FileHeader& header) {
    const std::size_t frames = header.number_of_frames();
    if (frames != 1 && fragments.size() != frames) {
        if (fragments.size() > frames && has_end_marker(header.transfer_syntax.encoding) &&
            add_frames_by_marker(window, fragments, header)) {
            return;
        }
        fail(ErrorCode::frame_count_mismatch,
             "There are " + std::to_string(fragments.size()) +
                 " fragments and no offset table for " + std::to_string(frames) +
                 " frames. Correct the file or leave it out",
             header.pixels->element.place());
    }
    for (std::size_t i = 0; i < fragments.size(); ++i) {
        header.frames.add_fragment(fragments[i].range);
        if (frames != 1 || i + 1 == fragments.size()) {
            header.frames.end_frame();
        }
    }
}

} // namespace

void add_encapsulated_frames(ByteWindow& window, FileHeader& header) {
    const Element& element = header.pixels->element;
    FragmentReader reader{window, header};
    const std::optional<Fragment> table = reader.next();
    if (!table) {
        fail_fragments("There is no item for the basic offset table", element.value_offset);
    }
    // An extended table stands instead of the basic one (PS3.3 C.7.6.3.1.8), whatever is in that.
    const bool has_extended = !header.extended_offsets.empty();
    const std::vector<std::uint64_t> basic = has_extended
                                                 ? std::vector<std::uint64_t>{}
                                                 : read_basic_table(window, header, table->range);
    std::vector<Fragment> fragments;
    while (const std::optional<Fragment> fragment = reader.next()) {
        if (fragments.size() == limits::kMaxFragments) {
            fail(ErrorCode::limit_frames,
                 "The pixel data has more than " + std::to_string(limits::kMaxFragments) +
                     " fragments. The file is corrupt",
                 element.place());
        }
        fragments.push_back(*fragment);
    }
    if (fragments.empty()) {
        fail(ErrorCode::frame_count_mismatch,
             "The pixel data has no fragment. Correct the file or leave it out", element.place());
    }
    if (has_extended) {
        add_extended_frames(fragments, header);
    } else if (!basic.empty()) {
        add_frames_at(basic, fragments, header);
    } else {
        add_frames_without_table(window, fragments, header);
    }
}

} // namespace torchdicom
