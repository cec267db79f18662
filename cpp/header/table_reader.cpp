#include "header/table_reader.hpp"

#include "header/tables.hpp"
#include "header/values.hpp"

#include <algorithm>
#include <utility>

namespace torchdicom {

namespace detail {

namespace {

// A table has at most 65,536 entries of two bytes; segments that take more are of no use.
constexpr std::uint64_t kMaxTableBytes = 262'144;

RawValue raw_value(const Element& element, ElementReader& reader) {
    const ByteSpan bytes = reader.value(element, kMaxTableBytes);
    return {.element = element, .order = reader.order(), .bytes = {bytes.begin(), bytes.end()}};
}

bool is_signed(const FileHeader& header) noexcept {
    return header.pixel_representation.value_or(0) == 1;
}

/// Runs `read`; where what it reads is malformed, the header gets the error and not the caller.
template <typename Read> bool keep_fault(Tag tag, FileHeader& header, const Read& read) {
    try {
        read();
        return true;
    } catch (const Error& error) {
        const ErrorKind kind = kind_of(error.code());
        if (kind != ErrorKind::parse && kind != ErrorKind::limit) {
            throw;
        }
        const Place place{.path = header.path, .element = element_name(tag)};
        header.table_faults.push_back({.tag = tag, .error = error.located(place)});
        return false;
    }
}

/// What the first item of a sequence of lookup tables has.
struct RawTable {
    RawValue descriptor;
    RawValue data;
    std::string type;
};

RawTable read_first_table(const Element& sequence, ElementReader& reader) {
    std::optional<RawValue> descriptor;
    std::optional<RawValue> data;
    std::string type;
    static_cast<void>(reader.walk(sequence, [&](std::size_t item, const Element& element) {
        if (item != 0) {
            return; // PS3.3 C.11.1 has only one; of those of C.11.2 the first is taken
        }
        if (element.tag == tags::LUTDescriptor) {
            descriptor = raw_value(element, reader);
        } else if (element.tag == tags::LUTData) {
            data = raw_value(element, reader);
        } else if (element.tag == tags::ModalityLUTType) {
            type = trimmed(as_text(reader.value(element)));
        }
    }));
    if (!descriptor || !data) {
        fail(ErrorCode::missing_element,
             "The lookup table lacks this attribute. Correct the file, or take the values with "
             "output='stored'",
             Place{.element = element_name(descriptor ? tags::LUTData : tags::LUTDescriptor)});
    }
    return {
        .descriptor = *std::move(descriptor), .data = *std::move(data), .type = std::move(type)};
}

LookupTable read_modality_lut(const Element& sequence, ElementReader& reader, bool has_sign) {
    RawTable raw = read_first_table(sequence, reader);
    LookupTable table = make_table(raw.descriptor, raw.data, has_sign);
    table.type = std::move(raw.type);
    return table;
}

LookupTable read_voi_lut(const Element& sequence, ElementReader& reader) {
    const RawTable raw = read_first_table(sequence, reader);
    const bool has_sign = raw.descriptor.element.vr == std::array{'S', 'S'};
    return make_table(raw.descriptor, raw.data, has_sign, true);
}

/// Passes over a sequence; whether it has an item.
bool has_items(const Element& sequence, ElementReader& reader) {
    reader.skip(sequence);
    constexpr std::uint64_t kDelimiter = 8;
    const std::uint64_t length = reader.position() - sequence.value_offset;
    return length > (sequence.has_undefined_length ? kDelimiter : 0);
}

} // namespace

void TableReader::read(const Element& element, ElementReader& reader, const HeaderOptions& options,
                       FileHeader& header) {
    switch (element.tag) {
    case tags::ModalityLUTSequence:
    case tags::RealWorldValueMappingSequence: {
        ElementReader ahead = reader;
        bool& is_there = element.tag == tags::ModalityLUTSequence ? header.has_modality_lut
                                                                  : header.has_real_world_maps;
        is_there = has_items(element, ahead);
        if (is_there && !options.skip_tables) {
            read_sequence(element, reader, header);
        } else {
            reader = ahead;
        }
        return;
    }
    case tags::VOILUTSequence:
        if (options.reads_voi) {
            read_voi_sequence(element, reader, header);
        }
        return;
    case tags::RedPaletteColorLookupTableDescriptor:
    case tags::GreenPaletteColorLookupTableDescriptor:
    case tags::BluePaletteColorLookupTableDescriptor:
    case tags::RedPaletteColorLookupTableData:
    case tags::GreenPaletteColorLookupTableData:
    case tags::BluePaletteColorLookupTableData:
    case tags::SegmentedRedPaletteColorLookupTableData:
    case tags::SegmentedGreenPaletteColorLookupTableData:
    case tags::SegmentedBluePaletteColorLookupTableData:
        // Gray images have palettes too, which are for display alone (PS3.3 C.7.6.19).
        if (!options.skip_tables && !element.has_undefined_length &&
            header.photometric_interpretation == "PALETTE COLOR") {
            keep_fault(tags::RedPaletteColorLookupTableDescriptor, header,
                       [&] { palette_.push_back(raw_value(element, reader)); });
        }
        return;
    default:
        return;
    }
}

void TableReader::read_sequence(const Element& element, ElementReader& reader, FileHeader& header) {
    ElementReader inside = reader; // what is wrong inside must not lead astray what follows
    const bool is_whole = keep_fault(element.tag, header, [&] {
        if (element.tag == tags::ModalityLUTSequence) {
            header.modality_lut = read_modality_lut(element, inside, is_signed(header));
            return;
        }
        static_cast<void>(inside.walk(element, [&](std::size_t item, const Element& inner) {
            add_map_element(item, inner, inside, is_signed(header), maps_);
        }));
    });
    if (is_whole) {
        reader = inside;
    }
}

void TableReader::read_voi_sequence(const Element& element, ElementReader& reader,
                                    FileHeader& header) {
    ElementReader ahead = reader;
    if (has_items(element, ahead)) {
        keep_fault(element.tag, header, [&] { header.voi->table = read_voi_lut(element, reader); });
    }
    reader = ahead;
}

const RawValue* TableReader::find(Tag tag) const noexcept {
    const auto found = std::find_if(palette_.begin(), palette_.end(), [tag](const RawValue& value) {
        return value.element.tag == tag;
    });
    return found == palette_.end() ? nullptr : &*found;
}

LookupTable TableReader::channel(std::uint32_t number, const FileHeader& header) const {
    const RawValue* const descriptor = find(tags::RedPaletteColorLookupTableDescriptor + number);
    const RawValue* const data = find(tags::RedPaletteColorLookupTableData + number);
    const RawValue* const segments = find(tags::SegmentedRedPaletteColorLookupTableData + number);
    if (descriptor == nullptr || (data == nullptr && segments == nullptr)) {
        const Tag missing = descriptor == nullptr ? tags::RedPaletteColorLookupTableDescriptor
                                                  : tags::RedPaletteColorLookupTableData;
        fail(ErrorCode::missing_element,
             "The image has indices into a palette and lacks this part of it. Correct the file, or "
             "take the indices with output='stored'",
             Place{.element = element_name(missing + number)});
    }
    return data != nullptr ? make_table(*descriptor, *data, is_signed(header))
                           : make_segmented_table(*descriptor, *segments, is_signed(header));
}

void TableReader::finish_palette(FileHeader& header) const {
    keep_fault(tags::RedPaletteColorLookupTableDescriptor, header, [&] {
        header.palette = Palette{
            .red = channel(0, header), .green = channel(1, header), .blue = channel(2, header)};
    });
}

void TableReader::finish(FileHeader& header) {
    header.has_tables = true;
    if (header.photometric_interpretation == "PALETTE COLOR") {
        finish_palette(header);
    }
    const bool is_float = header.pixels && header.pixels->element.tag != tags::PixelData;
    keep_fault(tags::RealWorldValueMappingSequence, header, [&] {
        for (RawMap& raw : maps_) {
            header.real_world_maps.push_back(settle_map(std::move(raw), is_float));
        }
    });
}

} // namespace detail

namespace {

/// Throws the error of the table, if it has one.
void require_sound(const FileHeader& header, Tag tag) {
    const auto fault = std::ranges::find(header.table_faults, tag, &TableFault::tag);
    if (fault != header.table_faults.end()) {
        throw fault->error.located({});
    }
}

template <typename Table>
const Table& require_table(const Boxed<Table>& table, const FileHeader& header, Tag tag) {
    require_sound(header, tag);
    if (!table) {
        fail(ErrorCode::missing_element,
             "The file lacks this table. Correct the file, or take the values with "
             "output='stored'",
             header.place_of(tag));
    }
    return *table;
}

} // namespace

const LookupTable& modality_lut_of(const FileHeader& header) {
    return require_table(header.modality_lut, header, tags::ModalityLUTSequence);
}

const Palette& palette_of(const FileHeader& header) {
    return require_table(header.palette, header, tags::RedPaletteColorLookupTableDescriptor);
}

const Voi& voi_of(const FileHeader& header) {
    require_sound(header, tags::VOILUTSequence);
    if (!header.voi) {
        fail(ErrorCode::internal_error, "The header was read without what displays its values");
    }
    return *header.voi;
}

std::span<const RealWorldMap> real_world_maps_of(const FileHeader& header) {
    require_sound(header, tags::RealWorldValueMappingSequence);
    return header.real_world_maps;
}

} // namespace torchdicom
