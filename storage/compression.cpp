#include "storage/compression.hpp"

#include <zstd.h>

namespace inos {
namespace {

constexpr int kLevel = 3;

}  // namespace

std::string compress(std::string_view content) {
    std::string out(ZSTD_compressBound(content.size()), '\0');
    std::size_t const size =
        ZSTD_compress(out.data(), out.size(), content.data(), content.size(), kLevel);
    INOS_ASSERT(!ZSTD_isError(size));
    out.resize(size);
    return out;
}

Result<std::string> decompress(std::string_view bytes, std::size_t bytes_max) {
    auto const size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    bool const known = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
    if (!known || size > bytes_max)
        return fail(Errc::protocol, "compressed content declares no size or one over the limit");
    std::string out(static_cast<std::size_t>(size), '\0');
    std::size_t const got = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(got) || got != out.size())
        return fail(Errc::protocol, "compressed content does not decompress to what it declares");
    return out;
}

}  // namespace inos
