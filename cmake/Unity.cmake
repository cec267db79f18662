# The files of one folder are compiled as one where that is what takes the time: for clang-tidy and
# the sanitizers, which so read headers once. Releases do without, and so find a file that uses what
# it does not include. AddressSanitizer sees the order in which folders are initialised, not that of
# the files of one.
foreach(source IN LISTS core_sources bind_sources)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    # In a file of another name than this clang-tidy's analyser would take them for headers, and not
    # follow what their functions do.
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "UnifiedSource_${folder}")
endforeach()
# One text, with another macro in each file.
file(GLOB kernels CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/cpp/rescale/kernels_*.cpp")
set_source_files_properties(${kernels} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
foreach(target IN ITEMS torchdicom_core _ext)
    if(TARGET ${target})
        set_target_properties(
            ${target}
            PROPERTIES
                UNITY_BUILD ON
                UNITY_BUILD_MODE GROUP
                UNITY_BUILD_CODE_BEFORE_INCLUDE
                    "// NOLINTNEXTLINE(bugprone-suspicious-include): sources are joined here"
        )
    endif()
endforeach()
