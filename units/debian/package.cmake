# Three Debian packages, by CPack: `cmake --workflow --preset package` builds the programs and leaves
# build/package/*.deb. Two such builds of one source under one umask, in whatever directory, give
# the same bytes: times are those of the changelog, or of SOURCE_DATE_EPOCH.
#
#   aierased     the daemon, its units, policies and pages
#   aierase      the command line, completion, and the pages that an auditor needs
#   aierase-doc  how it is built, and why
set(debian ${CMAKE_CURRENT_LIST_DIR})
set(staged ${PROJECT_BINARY_DIR}/debian)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${debian}/changelog)

file(STRINGS ${debian}/changelog first LIMIT_COUNT 1)
if(NOT first MATCHES "^aierase \\(${PROJECT_VERSION}\\) ")
  message(FATAL_ERROR "units/debian/changelog begins with another version than ${PROJECT_VERSION}")
endif()
file(STRINGS ${debian}/changelog signature REGEX "^ -- " LIMIT_COUNT 1)
string(REGEX REPLACE "^ -- (.*>)  (.*)$" "\\1" maintainer "${signature}")
set(moment "${CMAKE_MATCH_2}")

# Pages and changelogs lie compressed in a package; gzip -n writes no time into them.
function(aierase_compressed file result)
  get_filename_component(name ${file} NAME)
  set(made ${PROJECT_BINARY_DIR}/compressed/${name}.gz)
  add_custom_command(OUTPUT ${made} DEPENDS ${file} VERBATIM
    COMMAND sh -c "mkdir -p \"$(dirname \"$2\")\" && gzip -9n <\"$1\" >\"$2\"" sh ${file} ${made})
  set(${result} ${made} PARENT_SCOPE)
endfunction()

aierase_compressed(${debian}/changelog changelog)
add_custom_target(package_changelog ALL DEPENDS ${changelog})
foreach(package aierased aierase aierase-doc)
  install(FILES ${changelog} ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
          COMPONENT ${package} EXCLUDE_FROM_ALL)
  if(EXISTS ${debian}/${package}.lintian-overrides)
    install(FILES ${debian}/${package}.lintian-overrides RENAME ${package} COMPONENT ${package}
            DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides EXCLUDE_FROM_ALL)
  endif()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_NAME aierase)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL aierased aierase aierase-doc)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/stage.cmake)
set(AIERASE_MOMENT "${moment}")
configure_file(${debian}/times.cmake.in ${staged}/times.cmake @ONLY)
set(CPACK_PROJECT_CONFIG_FILE ${staged}/times.cmake)

set(CPACK_DEBIAN_AIERASED_PACKAGE_NAME aierased)
set(CPACK_DEBIAN_AIERASED_DESCRIPTION "end-of-life authority for AI models
The daemon keeps model weights and training-data keys in an encrypted store.
When a model must go it destroys the key, so that no old copy of the store
brings the model back, and hands out a signed certificate that a stranger
checks offline.
.
Nothing is enabled by installing it: the bus starts the daemon for the first
who calls, and \"systemctl enable --now aierase-enforce.timer\" turns the
nightly run on.")
set(CPACK_DEBIAN_AIERASED_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_AIERASED_PACKAGE_DEPENDS
    "aierase (= ${PROJECT_VERSION}), default-dbus-system-bus | dbus-system-bus, polkitd, systemd (>= 252), debconf (>= 0.5) | debconf-2.0")
set(CPACK_DEBIAN_AIERASED_PACKAGE_RECOMMENDS "systemd-timesyncd | time-daemon")
set(CPACK_DEBIAN_AIERASED_PACKAGE_CONTROL_EXTRA
    "${debian}/postinst;${debian}/prerm;${debian}/postrm;${debian}/templates;${debian}/conffiles")

set(CPACK_DEBIAN_AIERASE_PACKAGE_NAME aierase)
set(CPACK_DEBIAN_AIERASE_DESCRIPTION "command line of aierased, and verifier of its certificates
Imports models into the store of aierased, retires, approves and validates,
and tells the state of everything. \"aierase verify\" checks certificates
without daemon and network, so that an auditor needs this package alone.")
set(CPACK_DEBIAN_AIERASE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_AIERASE_PACKAGE_RECOMMENDS "fuse3")
set(CPACK_DEBIAN_AIERASE_PACKAGE_SUGGESTS "aierased, openssh-client")

set(CPACK_DEBIAN_AIERASE-DOC_PACKAGE_NAME aierase-doc)
set(CPACK_DEBIAN_AIERASE-DOC_DESCRIPTION "architecture and decisions of aierase
How aierased is built, why it is built so, what each setting of its units is
for, and its interfaces on the bus as XML.")
set(CPACK_DEBIAN_AIERASE-DOC_PACKAGE_SECTION doc)
set(CPACK_DEBIAN_AIERASE-DOC_PACKAGE_ARCHITECTURE all)
include(CPack)
