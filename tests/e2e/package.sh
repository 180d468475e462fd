#!/usr/bin/env bash
# The package for other projects: installed, found by find_package(), and the example of a property
# test built with it and run; and the same example taking the tree as a part of itself, as far as
# CMake's own part goes.
#
#   package.sh BUILD SOURCE WORK CXX_FLAGS
#
# The work directory is the same every time, so that the compiler's cache knows the paths.
set -euo pipefail
build=$1 source=$2 work=$3 flags=$4
example=$source/docs/examples/property-test
launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

rm -rf "$work"
mkdir -p "$work"
echo '-- install'
CMAKE_INSTALL_MODE=ABS_SYMLINK \
    cmake --install "$build" --prefix "$work/prefix" --component testing >"$work/install.log"
echo '-- find_package()'
cmake -S "$example" -B "$work/installed" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_CXX_FLAGS="$flags" "${launcher[@]}"
cmake --build "$work/installed"
RC_PARAMS='max_success=10 seed=1' ctest --test-dir "$work/installed" --output-on-failure
echo '-- a rule that breaks is told'
sed 's/"bounded-counter", min = 0/"counter"/' "$example/shop.toml" >"$work/shop.toml"
cp "$example/CMakeLists.txt" "$example/shop_test.cpp" "$work"
cmake -S "$work" -B "$work/installed-broken" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_CXX_FLAGS="$flags" "${launcher[@]}" >/dev/null
cmake --build "$work/installed-broken"
if RC_PARAMS='max_success=60 seed=1' "$work/installed-broken/shop_test" >"$work/out" 2>&1; then
    cat "$work/out"
    echo 'FAILED: a plain counter went under 0 in no execution' >&2
    exit 1
fi
grep -q 'stock >= 0 is false for products/' "$work/out" || { cat "$work/out"; exit 1; }
echo '-- add_subdirectory()'
cmake -S "$example" -B "$work/part" -G Ninja -DINOSCULATE_SOURCE="$source" >"$work/part.log"
rm -rf "$work"
