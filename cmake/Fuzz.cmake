# One program for each file of tests/fuzz/targets, which ctest has replay its corpus and findings.
# With TORCHDICOM_FUZZ libFuzzer drives it, and the core tells which of its lines were reached.
set(fuzz_dir "${CMAKE_CURRENT_SOURCE_DIR}/tests/fuzz")
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${fuzz_dir}/targets/*.cpp")
if(TORCHDICOM_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR NOT TORCHDICOM_SANITIZE MATCHES "address")
        message(FATAL_ERROR "TORCHDICOM_FUZZ needs clang, and address in TORCHDICOM_SANITIZE")
    endif()
    add_library(fuzz_main INTERFACE)
    set(coverage -fprofile-instr-generate -fcoverage-mapping -fsanitize=fuzzer-no-link)
    target_compile_options(torchdicom_core PRIVATE ${coverage})
    # Whatever the core is linked into needs what it counts with.
    target_link_options(torchdicom_core INTERFACE -fprofile-instr-generate)
    target_compile_options(fuzz_main INTERFACE ${coverage} -O1) # runs three times as many inputs
    target_link_options(fuzz_main INTERFACE -fsanitize=fuzzer)
    set(replay -runs=0)
else()
    add_library(fuzz_main OBJECT "${fuzz_dir}/replay.cpp")
    target_link_libraries(fuzz_main PRIVATE torchdicom_core)
    set(replay "")
endif()
add_custom_target(fuzz_targets)
foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM name)
    add_executable(fuzz_${name} "${source}")
    add_dependencies(fuzz_targets fuzz_${name})
    target_link_libraries(fuzz_${name} PRIVATE torchdicom_core fuzz_main)
    target_include_directories(fuzz_${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/tests/cpp")
    add_test(
        NAME "fuzz replay ${name}"
        COMMAND
            fuzz_${name} ${replay} "${fuzz_dir}/corpus/${name}" "${fuzz_dir}/findings/${name}"
    )
endforeach()
