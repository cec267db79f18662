# clang-tidy looks at the files of one folder together: headers are read once for all of them, which
# is most of the time. They have to be joined in a file of this name, else its analyser takes them for
# headers, and does not follow what their functions do. Of all checks only misc-unused-using-decls
# sees less so.
find_program(
    CLANG_TIDY clang-tidy REQUIRED
    PATHS "${CMAKE_CURRENT_SOURCE_DIR}/.venv/bin" # the pinned one; .clang-tidy has checks and reasons
    NO_DEFAULT_PATH
)
foreach(source IN LISTS core_sources bind_sources)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "UnifiedSource_${folder}")
endforeach()
set_target_properties(
    torchdicom_core
    _ext
    PROPERTIES
        CXX_CLANG_TIDY "${CLANG_TIDY};--quiet"
        UNITY_BUILD ON
        UNITY_BUILD_MODE GROUP
        UNITY_BUILD_CODE_BEFORE_INCLUDE "// NOLINTNEXTLINE(bugprone-suspicious-include)"
)
