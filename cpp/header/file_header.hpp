// Everything that the later stages know about one file.
#pragma once

#include "base/boxed.hpp"
#include "base/file.hpp"
#include "base/limits.hpp"
#include "discover/discover.hpp"
#include "header/byte_window.hpp"
#include "header/element_reader.hpp"
#include "header/frame_table.hpp"
#include "header/lookup_table.hpp"
#include "header/multi_frame.hpp"
#include "header/quantity.hpp"
#include "header/tags.hpp"
#include "header/times.hpp"
#include "header/transfer_syntax.hpp"
#include "header/voi.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace torchdicom {

/// The element that holds the pixels.
struct PixelElement {
    Element element;
    std::uint64_t data_set_end = 0; ///< size of the file, or of the inflated data set
};

/// A malformed table: an error for who uses it (header/tables.hpp), and none for a scan.
struct TableFault {
    /// ModalityLUTSequence, the red palette's descriptor, RealWorldValueMappingSequence,
    /// VOILUTSequence.
    Tag tag = 0;
    Error error;
};

/// Which part of its file a header is of, where that holds several slices (header/divide.hpp).
struct FramePart {
    bool is_frame = false;       ///< of one frame; else of all of them
    std::int64_t first = 0;      ///< that frame, 0-based in the file
    std::int64_t tile = 0;       ///< of a mosaic, row by row
    std::int64_t frame_rows = 0; ///< size of the frame that the tile is cut from; 0: no tile
    std::int64_t frame_columns = 0;

    friend auto operator<=>(const FramePart&, const FramePart&) = default;
};

/// The part of a larger object that a file is (PS3.3 C.7.6.16.2.2.4).
struct Concatenation {
    std::string uid{};
    std::optional<double> total{};
};

/// Attributes under their keywords; empty or no value where the file has none.
struct FileHeader {
    std::string path;
    std::optional<ByteSpan> memory; ///< set where the source is memory and not a file
    FileIdentity identity;
    ElementSyntax element_syntax;
    TransferSyntax transfer_syntax; ///< encoding unsupported where the UID is not in the table
    std::string transfer_syntax_uid;

    std::string specific_character_set;
    std::string image_type; ///< all values, with backslashes
    std::string sop_class_uid;
    std::string sop_instance_uid;
    std::string series_instance_uid;
    std::string modality;
    std::string series_description; ///< for the message that lists series; may identify a person
    std::string echo_numbers;
    std::string receive_coil_name;
    std::string photometric_interpretation;
    std::string rescale_type;
    std::string units;
    std::string stack; ///< what tells stacks of one file apart

    FramePart part;
    SliceTimes times;
    Concatenation concatenation;

    std::optional<std::int32_t> instance_number;
    std::optional<std::int32_t> number_of_frames_given;
    std::optional<std::uint32_t> rows;
    std::optional<std::uint32_t> columns;
    std::optional<std::uint32_t> samples_per_pixel;
    std::optional<std::uint32_t> planar_configuration;
    std::optional<std::uint32_t> bits_allocated;
    std::optional<std::uint32_t> bits_stored;
    std::optional<std::uint32_t> high_bit;
    std::optional<std::uint32_t> pixel_representation;
    /// The 16 bits as they stand; pixel_representation says whether they have a sign.
    std::optional<std::uint32_t> pixel_padding_value;
    std::optional<std::uint32_t> pixel_padding_range_limit;

    std::optional<std::array<double, 3>> image_position_patient;
    std::optional<std::array<double, 6>> image_orientation_patient;
    std::optional<std::array<double, 2>> pixel_spacing;
    std::optional<std::array<double, 2>> imager_pixel_spacing;
    std::optional<double> slice_thickness;
    std::optional<double> spacing_between_slices;
    std::optional<double> rescale_slope;
    std::optional<double> rescale_intercept;
    std::optional<double> echo_time;
    std::optional<double> repetition_time;
    std::optional<double> flip_angle;
    std::optional<double> frame_time; ///< milliseconds between frames
    /// Milliseconds since the frame before, may be empty; of one frame those since the first.
    std::vector<double> frame_time_vector;

    /// The first found of the attributes that move rescale or geometry elsewhere.
    std::optional<Tag> functional_groups;
    /// What the slices of a file with several have of their own; the options ask for it.
    std::shared_ptr<MultiFrame> slices_of_file;
    bool has_modality_lut = false;    ///< ModalityLUTSequence has an item
    bool has_real_world_maps = false; ///< so has RealWorldValueMappingSequence
    bool has_tables = false; ///< the three below were read; an index and a scan leave them out
    Boxed<LookupTable> modality_lut;           ///< first item of ModalityLUTSequence
    Boxed<Palette> palette;                    ///< of PALETTE COLOR
    std::vector<RealWorldMap> real_world_maps; ///< of the data set, else shared by all frames
    std::vector<TableFault> table_faults;      ///< those that are there and malformed
    Boxed<Voi> voi;                            ///< where the options ask for it
    std::shared_ptr<const Quantity> quantity;  ///< the same
    std::optional<double> suv_factor; ///< from modality values to SUV: of a whole series, plan/suv
    std::vector<std::string> notes;   ///< what is odd and harms nothing, a sentence each

    std::optional<PixelElement> pixels; ///< PixelData, or its float and double forms
    FrameTable frames;
    std::vector<std::uint64_t> extended_offsets; ///< (7FE0,0001), empty where absent
    std::vector<std::uint64_t> extended_lengths; ///< (7FE0,0002)

    std::shared_ptr<const FetchedBytes> fetched;    ///< pixel bytes that came along; or nothing
    std::vector<std::pair<Tag, std::string>> texts; ///< the raw values of the tags asked for

    /// The place that errors about one of the attributes name.
    [[nodiscard]] Place place_of(Tag tag) const {
        return {.path = path, .element = element_name(tag)};
    }
    [[nodiscard]] std::size_t number_of_frames() const noexcept {
        return part.is_frame ? 1 : static_cast<std::size_t>(number_of_frames_given.value_or(1));
    }
};

struct HeaderOptions {
    std::span<const Tag> texts;  ///< ascending: raw values to keep, for the metadata
    bool keep_fetched = false;   ///< keep the pixel bytes that were read along, for a load
    bool skip_tables = false;    ///< note that lookup tables are there, and read none
    bool reads_voi = false;      ///< read how the values are to be displayed, too
    bool reads_quantity = false; ///< read what SUV and the like are made of, too
    bool reads_slices = false;   ///< read what each slice has of its own, in a file with several
    bool reads_foreign = false;  ///< and in one that is no image of a volume, such as a SEG
};

/// Reads one header: no pixel byte is asked for. Throws ParseError and LimitError with the path.
[[nodiscard]] FileHeader read_header(const Source& source, const HeaderOptions& options,
                                     LoadStats& stats);

/// The same of a file that is open.
[[nodiscard]] FileHeader read_header(const File& file, const HeaderOptions& options,
                                     LoadStats& stats);

// The steps of read_header, each in its own file.

/// Reads the elements from `offset` on up to the pixel data.
void read_attributes(ByteWindow& window, std::uint64_t offset, const HeaderOptions& options,
                     FileHeader& header);

/// Fills header.frames from the pixel data's place, or from its offset tables and fragments.
void read_frame_table(ByteWindow& window, FileHeader& header);

/// The same for encapsulated pixel data.
void add_encapsulated_frames(ByteWindow& window, FileHeader& header);

/// A whole deflated data set (PS3.5 A.5), inflated to at most `limit` bytes; `offset` is its place
/// in the file. Throws invalid_deflate, limit_ratio.
[[nodiscard]] UninitializedBytes inflate_data_set(ByteSpan deflated, std::uint64_t offset,
                                                  std::uint64_t limit = limits::kMaxInflatedBytes);

} // namespace torchdicom
