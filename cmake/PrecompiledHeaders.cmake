# Headers that most files include are read once for a target: a fifth to a third of the time that it
# takes to compile. Releases of the core do without, and so find a file that uses what it does not
# include; their objects come from a cache of the compiler, which cannot keep such headers apart.
set(
    standard_headers
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
)
if(TORCHDICOM_TESTS)
    target_precompile_headers(torchdicom_tests PRIVATE ${standard_headers} <doctest/doctest.h>)
    # It has another doctest.h, with the definitions.
    set_source_files_properties(tests/cpp/main.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endif()
if(TORCHDICOM_SANITIZE)
    target_precompile_headers(torchdicom_core PRIVATE ${standard_headers})
endif()
if(TORCHDICOM_SANITIZE AND TORCHDICOM_PYTHON)
    target_precompile_headers(_ext PRIVATE ${standard_headers} <pybind11/pybind11.h>)
endif()
