# Headers that most files of the tests include are read once: a fifth to a third of the time that
# they take to compile.
target_precompile_headers(
    torchdicom_tests
    PRIVATE
        <algorithm>
        <array>
        <bit>
        <cmath>
        <cstdint>
        <cstring>
        <functional>
        <limits>
        <map>
        <memory>
        <numeric>
        <optional>
        <span>
        <stdexcept>
        <string>
        <string_view>
        <tuple>
        <utility>
        <vector>
        <doctest/doctest.h>
)
# It has another doctest.h, with the definitions.
set_source_files_properties(tests/cpp/main.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
