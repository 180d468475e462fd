# What `find_package(inosculate)` finds after `cmake --install BUILD --prefix DIR --component
# testing`: the target inosculate::testing with all that it is made of. docs/simulate.md says how to
# use it, docs/examples/property-test does.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set_target_properties(inos_boost PROPERTIES EXPORT_NAME boost)
set_target_properties(rocksdb_shared PROPERTIES EXPORT_NAME rocksdb)
install(TARGETS inos_boost rocksdb_shared EXPORT inosculate
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/inosculate COMPONENT testing)
install(
    TARGETS inos_crdt inos_storage inos_wire inos_sync inos_net inos_schema_file inos_simulation
        inos_simulate inos_testing
    EXPORT inosculate
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/inosculate COMPONENT testing
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/inosculate COMPONENT testing)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/inosculate)
install(EXPORT inosculate FILE inosculate-targets.cmake NAMESPACE inosculate::
    DESTINATION ${package} COMPONENT testing)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/inosculate-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(
    FILES ${PROJECT_SOURCE_DIR}/cmake/inosculate-config.cmake
        ${PROJECT_BINARY_DIR}/inosculate-config-version.cmake
    DESTINATION ${package} COMPONENT testing)
