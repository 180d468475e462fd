# Read by cpack for each kind of package.
if(CPACK_GENERATOR STREQUAL "DEB")
    # /etc and the systemd unit have places of their own.
    set(CPACK_SET_DESTDIR ON)
    set(CPACK_INSTALL_PREFIX /usr)
else()
    # A tarball goes anywhere.
    set(CPACK_COMPONENTS_ALL program tarball)
endif()
