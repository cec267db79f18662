# What the core, the extension and the tests need from the system.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libdeflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(libjpeg REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(openjpeg REQUIRED IMPORTED_TARGET libopenjp2)
pkg_check_modules(libjxl REQUIRED IMPORTED_TARGET libjxl)

# Not find_package(GDCM): its targets file drags in every library and tool of GDCM and warns about
# each one that the -dev package alone does not install.
find_path(GDCM_INCLUDE_DIR gdcmImage.h PATH_SUFFIXES gdcm-3.2 gdcm-3.0 REQUIRED)
add_library(torchdicom_gdcm INTERFACE)
target_include_directories(torchdicom_gdcm SYSTEM INTERFACE "${GDCM_INCLUDE_DIR}")
foreach(name IN ITEMS gdcmMSFF gdcmDSED gdcmDICT gdcmCommon)
    find_library(${name}_LIBRARY ${name} REQUIRED)
    target_link_libraries(torchdicom_gdcm INTERFACE "${${name}_LIBRARY}")
endforeach()
message(STATUS "GDCM: ${gdcmMSFF_LIBRARY}")
foreach(name IN ITEMS libdeflate libjpeg openjpeg libjxl)
    message(STATUS "${name}: ${${name}_VERSION}")
endforeach()

if(TORCHDICOM_TESTS)
    find_package(doctest CONFIG REQUIRED)
endif()

if(TORCHDICOM_PYTHON)
    find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
    execute_process(
        COMMAND "${Python_EXECUTABLE}" -m pybind11 --cmakedir
        OUTPUT_VARIABLE pybind11_cmake_dir
        OUTPUT_STRIP_TRAILING_WHITESPACE
        COMMAND_ERROR_IS_FATAL ANY
    )
    find_package(pybind11 3 CONFIG REQUIRED HINTS "${pybind11_cmake_dir}")
endif()
