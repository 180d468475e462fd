# find_package(inosculate): the target inosculate::testing. What it is linked with is looked for
# here, by the names that its own build has used.
include(CMakeFindDependencyMacro)
enable_language(C)  # else Cap'n Proto's own file does not find libatomic
find_dependency(Threads)
find_dependency(Boost 1.81 COMPONENTS json url)
find_dependency(CapnProto)
find_dependency(tl-expected)
find_dependency(rapidcheck)
find_dependency(PkgConfig)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
include(${CMAKE_CURRENT_LIST_DIR}/inosculate-targets.cmake)
