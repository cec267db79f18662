# Language, warnings, exact arithmetic, hardening and sanitizers, for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release)
endif()

add_library(torchdicom_options INTERFACE)

if(MSVC)
    # Rescaling rounds product and sum one after the other: no fused multiply-add.
    target_compile_options(torchdicom_options INTERFACE /fp:precise /W4)
    if(TORCHDICOM_WERROR)
        target_compile_options(torchdicom_options INTERFACE /WX)
    endif()
    return()
endif()

# Rescaling rounds product and sum one after the other: a contracted fused multiply-add would
# differ from the reference in the last bit.
target_compile_options(torchdicom_options INTERFACE -ffp-contract=off)
target_compile_options(
    torchdicom_options
    INTERFACE
        -Wall
        -Wextra
        -Wpedantic
        -Wconversion
        -Wsign-conversion
        -Wshadow
        -Wold-style-cast
        -Wnull-dereference
)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT TORCHDICOM_TIDY)
    # Clang and clang-tidy have it among -Wall, without the number.
    target_compile_options(torchdicom_options INTERFACE -Wunused-const-variable=1)
endif()
if(TORCHDICOM_WERROR)
    target_compile_options(torchdicom_options INTERFACE -Werror)
endif()

if(TORCHDICOM_SANITIZE)
    # Sanitizers and _FORTIFY_SOURCE check the same calls and hide each other's findings. What they
    # put between two steps makes GCC 12 take pointers of std::vector for null; builds without them
    # judge that warning.
    set(sanitize "-fsanitize=${TORCHDICOM_SANITIZE}" -fno-omit-frame-pointer)
    target_compile_options(
        torchdicom_options
        INTERFACE ${sanitize} -fno-sanitize-recover=all -Wno-null-dereference
    )
    target_link_options(torchdicom_options INTERFACE ${sanitize})
else()
    target_compile_options(
        torchdicom_options
        INTERFACE
            -fstack-protector-strong
            "$<$<CONFIG:Release>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>"
    )
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
        target_compile_options(torchdicom_options INTERFACE -fcf-protection=full)
    endif()
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
        target_compile_options(torchdicom_options INTERFACE -fstack-clash-protection)
        target_link_options(torchdicom_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
    endif()
endif()
# Not in a release: they make RLE, which indexes a span for every byte, about 15 % slower.
target_compile_definitions(
    torchdicom_options INTERFACE "$<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>"
)

if(TORCHDICOM_TIDY)
    # The pinned one of the virtual environment; checks and reasons are in .clang-tidy. As files of
    # one folder are compiled as one, misc-unused-using-decls and misc-unused-alias-decls find
    # nothing in them.
    find_program(
        CLANG_TIDY clang-tidy REQUIRED
        PATHS "${CMAKE_CURRENT_SOURCE_DIR}/.venv/bin"
        NO_DEFAULT_PATH
    )
    set(CMAKE_CXX_CLANG_TIDY "${CLANG_TIDY}" --quiet)
endif()
