// Elements, sequences and undefined lengths in the three syntaxes.
// Covers: header/element_reader.cpp

#include "header/element_reader.hpp"
#include "fuzz.hpp"

using namespace torchdicom;

namespace {

/// Goes into sequences of undefined length, which end where passing over them ends too.
void walk_into(const Element& sequence, ElementReader& reader) {
    ElementReader passing = reader;
    const auto refusal = fuzz::error_of([&] { passing.skip(sequence); });
    static_cast<void>(reader.walk(sequence, [&](std::size_t /*item*/, const Element& element) {
        if (element.has_undefined_length) {
            walk_into(element, reader);
        } else if (element.length <= 64 && element.length % 4 != 0) {
            static_cast<void>(reader.value(element));
        }
    }));
    // Items with a length are not looked into where they are passed over.
    fuzz::require(refusal || passing.position() == reader.position(),
                  "a sequence that is read ends where one that is passed over does");
}

void walk(ByteSpan bytes, ElementSyntax syntax, bool reads_values, bool goes_into) {
    ByteWindow window{bytes};
    ElementReader reader{window, syntax, 0};
    while (!reader.at_end()) {
        const std::uint64_t start = reader.position();
        const Element element = reader.next();
        fuzz::require(element.offset == start, "an element starts where the last one ended");
        fuzz::require(element.value_offset >= start + 8 && element.value_offset <= window.size(),
                      "the element's header is inside the file");
        fuzz::require(reader.position() == element.value_offset, "next() stands at the value");
        fuzz::require(element.vr == std::array{'\0', '\0'} || is_known_vr(element.vr),
                      "a VR is one of the standard's, or not there");
        if (element.length > window.size() - element.value_offset) {
            fuzz::require(holds_pixels(element.tag), "only pixel data may be cut off");
            return;
        }
        if (reads_values && !goes_into && !element.has_undefined_length) {
            const ByteSpan value = reader.value(element, 64);
            fuzz::require(value.size() == element.length && value.size() <= 64,
                          "a value is as long as its element says");
        }
        if (goes_into && (element.has_undefined_length || element.vr == std::array{'S', 'Q'})) {
            walk_into(element, reader);
        } else {
            reader.skip(element);
        }
        fuzz::require(reader.position() >= element.value_offset + element.length &&
                          reader.position() <= window.size(),
                      "skip() goes forward and stays inside the file");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint32_t flags = input.byte();
    const ElementSyntax syntax{.order = (flags & 1U) != 0 ? std::endian::big : std::endian::little,
                               .is_explicit = (flags & 2U) == 0};
    static_cast<void>(
        fuzz::error_of([&] { walk(input.rest(), syntax, (flags & 4U) != 0, (flags & 8U) != 0); }));
    return 0;
}
