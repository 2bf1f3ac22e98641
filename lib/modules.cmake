# The floors of the house. aierase_module() declares one folder of lib/ as the static library
# aierase::<module>; its DEPS list is the truth about who may include whom, and the test
# lint.floors compares every #include line with it.

add_library(aierase_options INTERFACE)
target_include_directories(aierase_options INTERFACE ${PROJECT_SOURCE_DIR}/lib)
target_compile_options(aierase_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
  -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 at -O3 reports overlapping copies in std::string's operator+ that do not exist.
  target_compile_options(aierase_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A joined file counts as a header to GCC, and what is private to one of its parts as shared.
  target_compile_options(aierase_options INTERFACE -Wno-subobject-linkage)
endif()
if(AIERASE_WERROR)
  target_compile_options(aierase_options INTERFACE -Werror)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(aierase_options INTERFACE _FORTIFY_SOURCE=2)
endif()
if(AIERASE_SANITIZE)
  target_compile_options(aierase_options INTERFACE -fsanitize=${AIERASE_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(aierase_options INTERFACE -fsanitize=${AIERASE_SANITIZE})
endif()
if(AIERASE_FUZZ)
  target_compile_options(aierase_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_options(aierase_options INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)

define_property(GLOBAL PROPERTY AIERASE_FLOORS BRIEF_DOCS "module=dependencies, for lint.floors")

# aierase_module(<module> SOURCES <files...> [DEPS <modules...>] [LINK <libraries...>])
function(aierase_module module)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LINK" ${ARGN})
  add_library(aierase_${module} STATIC ${ARG_SOURCES})
  add_library(aierase::${module} ALIAS aierase_${module})
  list(TRANSFORM ARG_DEPS PREPEND aierase:: OUTPUT_VARIABLE deps)
  target_link_libraries(aierase_${module} PUBLIC aierase_options ${deps} PRIVATE ${ARG_LINK})
  string(REPLACE ";" "," deps_text "${ARG_DEPS}")
  set_property(GLOBAL APPEND PROPERTY AIERASE_FLOORS "lib/${module}=${deps_text}")
endfunction()

# aierase_program(<name> FOLDER <folder> SOURCES <files...> DEPS <modules...> [LINK <libraries...>])
function(aierase_program name)
  cmake_parse_arguments(ARG "" "FOLDER" "SOURCES;DEPS;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  # The interfaces of the bus have methods of the same names, so their files are never joined.
  set(methods ${ARG_SOURCES})
  list(FILTER methods INCLUDE REGEX "_methods\\.cpp$")
  set_source_files_properties(${methods} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  list(TRANSFORM ARG_DEPS PREPEND aierase:: OUTPUT_VARIABLE deps)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE aierase_options ${deps} ${ARG_LINK})
  target_link_options(${name} PRIVATE -Wl,--build-id)  # --version and certificates name it
  string(REPLACE ";" "," deps_text "${ARG_DEPS}")
  set_property(GLOBAL APPEND PROPERTY AIERASE_FLOORS "${ARG_FOLDER}=${deps_text}")
endfunction()
