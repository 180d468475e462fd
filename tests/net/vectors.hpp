// Reads the test vectors below tests/vectors. A file or field that is missing throws, which fails
// the test that asked for it.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <boost/json.hpp>

#include "storage/crypto/crypto.hpp"

namespace inos::test {

inline boost::json::value read_vectors(std::string const& name) {
    std::ifstream in(std::string(INOS_TEST_VECTORS) + "/" + name, std::ios::binary);
    if (!in) throw std::runtime_error("there is no vector file " + name);
    return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

inline std::string hex_field(boost::json::object const& object, char const* name) {
    auto const bytes = crypto::unhex(object.at(name).as_string());
    if (!bytes) throw std::runtime_error(std::string("no hexadecimal digits in ") + name);
    return *bytes;
}

}  // namespace inos::test
