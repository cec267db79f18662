// From the first byte of a file to its FileHeader (PS3.10 chapter 7).

#include "base/limits.hpp"
#include "header/file_header.hpp"
#include "header/values.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

constexpr std::uint64_t kPreamble = 128;
constexpr std::string_view kPrefix = "DICM";
constexpr std::size_t kFirstElement = 8;

constexpr std::string_view kImplicitLittle = "1.2.840.10008.1.2";
constexpr std::string_view kExplicitLittle = "1.2.840.10008.1.2.1";
constexpr std::string_view kExplicitBig = "1.2.840.10008.1.2.2";

[[noreturn]] void fail_not_dicom() {
    fail(ErrorCode::not_dicom,
         "This is not a DICOM file: it has no DICM prefix and does not start with a data element. "
         "Leave it out");
}

bool has_prefix(ByteWindow& window, std::uint64_t offset) {
    return window.size() >= offset + kPrefix.size() &&
           as_text(window.at(offset, kPrefix.size())) == kPrefix;
}

bool has_known_vr(ByteSpan element) noexcept {
    return is_known_vr({static_cast<char>(element[4]), static_cast<char>(element[5])});
}

/// Where the meta group or the data set starts. Files without preamble, or with nothing but a data
/// set, exist; their first element must then look like one.
std::uint64_t find_start(ByteWindow& window) {
    if (window.size() < kFirstElement) {
        fail_not_dicom();
    }
    // From the start of the file, so that the prefix is then there too and no byte is read twice.
    static_cast<void>(window.at(0, kFirstElement));
    if (has_prefix(window, kPreamble)) {
        return kPreamble + kPrefix.size();
    }
    if (has_prefix(window, 0)) {
        return kPrefix.size();
    }
    const ByteSpan first = window.at(0, kFirstElement);
    const auto group = load_number<std::uint16_t>(first, 0, std::endian::little);
    const auto length = load_number<std::uint32_t>(first, 4, std::endian::little);
    const bool is_group = group == 0x0002 || group == 0x0008 || group == 0x0800;
    const bool is_implicit = group != 0x0800 && length < window.size();
    if (!is_group || (!has_known_vr(first) && !is_implicit)) {
        fail_not_dicom();
    }
    return 0;
}

/// What the first element of a data set shows of its syntax.
ElementSyntax judge_syntax(ByteSpan first) noexcept {
    const auto group = load_number<std::uint16_t>(first, 0, std::endian::little);
    // 0008 read in the wrong byte order is 0800, and no data set starts that late.
    const bool is_big = group >= 0x0100 && (group & 0xFFU) == 0;
    return {.order = is_big ? std::endian::big : std::endian::little,
            .is_explicit = has_known_vr(first)};
}

std::string_view uid_of(ElementSyntax syntax) noexcept {
    if (syntax.order == std::endian::big) {
        return kExplicitBig;
    }
    return syntax.is_explicit ? kExplicitLittle : kImplicitLittle;
}

/// Reads group 0002 (always explicit little endian) and returns where the data set starts.
std::uint64_t read_meta_group(ByteWindow& window, std::uint64_t offset, FileHeader& header) {
    constexpr std::size_t kTag = 4;
    const auto in_meta_group = [&window](std::uint64_t at) {
        return window.size() - at >= kFirstElement &&
               load_number<std::uint16_t>(window.at(at, kTag), 0, std::endian::little) == 0x0002;
    };
    if (!in_meta_group(offset)) {
        return offset;
    }
    // PS3.10 7.1 has it explicit; a few writers made it implicit, and the VR's place tells.
    ElementReader reader{window, judge_syntax(window.at(offset, kFirstElement)), offset};
    // By group and not by FileMetaInformationGroupLength, which is often wrong.
    while (in_meta_group(reader.position())) {
        const Element element = reader.next();
        if (element.tag == tags::TransferSyntaxUID) {
            header.transfer_syntax_uid = trimmed(as_text(reader.value(element)));
        }
        reader.skip(element);
    }
    return reader.position();
}

void settle_syntax(ByteWindow& window, std::uint64_t offset, FileHeader& header) {
    const bool can_judge = window.size() - offset >= kFirstElement;
    const ElementSyntax seen =
        can_judge ? judge_syntax(window.at(offset, kFirstElement)) : ElementSyntax{};
    if (header.transfer_syntax_uid.empty()) {
        header.transfer_syntax_uid = uid_of(seen);
    }
    const std::string_view uid = header.transfer_syntax_uid;
    const bool is_big = uid == kExplicitBig;
    header.element_syntax = {
        .order = is_big ? std::endian::big : std::endian::little,
        // Some writers name one of the two little endian syntaxes and write the other.
        .is_explicit = is_big || (can_judge ? seen.is_explicit : uid != kImplicitLittle)};
    if (const auto known = find_transfer_syntax(uid)) {
        header.transfer_syntax = *known;
    } else {
        header.transfer_syntax =
            TransferSyntax{.uid = {}, .name = {}, .encoding = Encoding::unsupported};
    }
}

void read_data_set(ByteWindow& window, std::uint64_t offset, const HeaderOptions& options,
                   FileHeader& header) {
    settle_syntax(window, offset, header);
    read_attributes(window, offset, options, header);
    read_frame_table(window, header);
}

/// Inflates the whole data set. What it holds is kept for the load, so that it is inflated once.
void read_deflated(ByteWindow& window, std::uint64_t offset, const HeaderOptions& options,
                   FileHeader& header) {
    const std::uint64_t length = window.size() - offset;
    UninitializedBytes inflated = inflate_data_set(window.at(offset, length), offset);
    ByteWindow inside{ByteSpan{inflated}};
    read_data_set(inside, 0, options, header);
    if (options.keep_fetched) {
        header.fetched = std::make_shared<const FetchedBytes>(
            FetchedBytes{.offset = 0, .bytes = std::move(inflated)});
    }
}

void read_parts(ByteWindow& window, const HeaderOptions& options, FileHeader& header) {
    header.texts.reserve(options.texts.size());
    const std::uint64_t offset = read_meta_group(window, find_start(window), header);
    const auto syntax = find_transfer_syntax(header.transfer_syntax_uid);
    if (syntax && syntax->is_deflated) {
        read_deflated(window, offset, options, header);
        return;
    }
    read_data_set(window, offset, options, header);
    if (options.keep_fetched) {
        header.fetched = std::make_shared<const FetchedBytes>(window.take());
    }
}

void read_from(ByteWindow& window, const HeaderOptions& options, FileHeader& header,
               LoadStats& stats) {
    stats.files.fetch_add(1, std::memory_order_relaxed);
    try {
        read_parts(window, options, header);
    } catch (const Error& error) {
        throw error.located({.path = header.path});
    }
}

} // namespace

FileHeader read_header(const Source& source, const HeaderOptions& options, LoadStats& stats) {
    if (!source.bytes) {
        return read_header(File{source.path, stats}, options, stats);
    }
    FileHeader header;
    header.path = source.path;
    header.memory = source.bytes;
    ByteWindow window{*source.bytes};
    read_from(window, options, header, stats);
    return header;
}

FileHeader read_header(const File& file, const HeaderOptions& options, LoadStats& stats) {
    FileHeader header;
    header.path = file.path();
    header.identity = file.identity();
    ByteWindow window{file};
    read_from(window, options, header, stats);
    return header;
}

} // namespace torchdicom
