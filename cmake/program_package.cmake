# The program as a Debian package and as a tarball: component `program`, and `service` or `tarball`.
#
#   cmake --preset release && cmake --build --preset release -t inos inos_pages
#   cpack --config build/release/CPackConfig.cmake -G DEB -B DIRECTORY        (or -G TGZ)
#
# docs/operations.md says what the package does where it is installed.
include(GNUInstallDirs)

set(packaging ${PROJECT_SOURCE_DIR}/tools/packaging)
set(pages ${PROJECT_BINARY_DIR}/pages)

# SOURCE_DATE_EPOCH, if it is set, is what these are of.
string(TIMESTAMP INOS_PACKAGE_DAY "%Y-%m-%d" UTC)
string(TIMESTAMP INOS_CHANGELOG_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)

# Manual, completions and /etc/inos/inos.toml come from the program's own tables.
add_custom_command(OUTPUT ${pages}/written
    COMMAND ${CMAKE_COMMAND} -E make_directory ${pages}
    COMMAND inos_write_pages ${pages} ${INOS_PACKAGE_DAY}
    COMMAND ${CMAKE_COMMAND} -E touch ${pages}/written
    DEPENDS inos_write_pages
    COMMENT "Writing the manual and the completions")
add_custom_target(inos_pages ALL DEPENDS ${pages}/written)

set(INOS_PACKAGE_CONTACT "The Inosculate maintainers <maintainers@inosculate.example>"
    CACHE STRING "Maintainer named in packages")
set(CPACK_PACKAGE_CONTACT ${INOS_PACKAGE_CONTACT})
configure_file(${packaging}/debian/changelog.in ${PROJECT_BINARY_DIR}/package/changelog @ONLY)

install(TARGETS inos COMPONENT program)
install(FILES ${pages}/inos.1 DESTINATION ${CMAKE_INSTALL_DATADIR}/man/man1 COMPONENT program)
install(FILES ${pages}/inos.toml.5 DESTINATION ${CMAKE_INSTALL_DATADIR}/man/man5
    COMPONENT program)
install(FILES ${pages}/inos.bash RENAME inos
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
install(FILES ${pages}/_inos DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
    COMPONENT program)
install(FILES ${pages}/inos.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
    COMPONENT program)
file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.md)
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/inosculate COMPONENT program)
install(FILES ${packaging}/Containerfile
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/inosculate/examples COMPONENT program)

# The tarball's alone.
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/inosculate COMPONENT tarball)

# Debian's alone.
install(FILES ${packaging}/inos@.service DESTINATION lib/systemd/system COMPONENT service)
install(FILES ${pages}/inos.toml DESTINATION /etc/inos COMPONENT service)
install(FILES ${packaging}/debian/copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/inosculate COMPONENT service)
install(FILES ${packaging}/debian/lintian-overrides RENAME inosculate
    DESTINATION share/lintian/overrides COMPONENT service)
# Policy wants these compressed, without a time in them.
install(CODE "
    set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share\")
    file(COPY \"${PROJECT_BINARY_DIR}/package/changelog\" DESTINATION \"\${root}/doc/inosculate\")
    execute_process(COMMAND gzip -9nf
        \"\${root}/doc/inosculate/changelog\" \"\${root}/man/man1/inos.1\"
        \"\${root}/man/man5/inos.toml.5\" COMMAND_ERROR_IS_FATAL ANY)"
    COMPONENT service)

set(CPACK_PACKAGE_NAME inosculate)
set(CPACK_PACKAGE_VENDOR Inosculate)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "peer-to-peer replicated record store")
set(CPACK_PACKAGE_DESCRIPTION
"Every site of a business runs one node, writes to it with or without a
network, and all sites come to hold the same records. Concurrent changes of
one field are both kept until somebody has decided, peers exchange encrypted
and signed changes, and there is no primary.
.
This package has the program inos, which is node and command line in one, and
the systemd unit inos@.service, which runs a site.")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/cpack_generator.cmake)
set(CPACK_COMPONENTS_ALL program service)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What the maintainer scripts use; CPack puts the libraries behind it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, debconf (>= 0.5) | debconf-2.0, init-system-helpers")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${packaging}/debian/postinst ${packaging}/debian/prerm ${packaging}/debian/postrm
    ${packaging}/debian/templates ${packaging}/debian/conffiles)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
