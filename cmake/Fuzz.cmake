# One program for each file of tests/fuzz/targets: with libFuzzer in the preset "fuzz", everywhere
# else as a test that replays the corpus and the findings.
set(fuzz_dir "${CMAKE_CURRENT_SOURCE_DIR}/tests/fuzz")
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${fuzz_dir}/targets/*.cpp")
if(NOT TORCHDICOM_FUZZ)
    add_library(fuzz_replay OBJECT "${fuzz_dir}/replay.cpp")
    target_link_libraries(fuzz_replay PRIVATE torchdicom_core)
endif()
foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM name)
    add_executable(fuzz_${name} "${source}")
    target_link_libraries(fuzz_${name} PRIVATE torchdicom_core)
    target_include_directories(fuzz_${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/tests/cpp")
    if(TORCHDICOM_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_link_libraries(fuzz_${name} PRIVATE fuzz_replay)
        add_test(
            NAME "fuzz replay ${name}"
            COMMAND fuzz_${name} "${fuzz_dir}/corpus/${name}" "${fuzz_dir}/findings/${name}"
        )
    endif()
endforeach()
