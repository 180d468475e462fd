#include "storage/digest.hpp"

#include <algorithm>

namespace inos {
namespace {

constexpr std::uint8_t kSumsVersion = 1;

}  // namespace

Digest128 Digest128::from(crypto::Hash16 const& bytes) {
    Reader in(crypto::view(bytes));
    Digest128 digest;
    digest.high_ = in.u64();
    digest.low_ = in.u64();
    return digest;
}

crypto::Hash16 Digest128::bytes() const {
    crypto::Hash16 out;
    for (std::size_t i = 0; i < 8; ++i) {
        out[i] = static_cast<std::uint8_t>(high_ >> (56 - 8 * i));
        out[8 + i] = static_cast<std::uint8_t>(low_ >> (56 - 8 * i));
    }
    return out;
}

Digest128 Digest128::not_comparable() {
    Digest128 digest;
    digest.high_ = digest.low_ = ~std::uint64_t{0};
    return digest;
}

std::string Digest128::text() const {
    return crypto::hex(crypto::view(bytes()));
}

Digest128& Digest128::operator+=(Digest128 const& other) {
    low_ += other.low_;
    high_ += other.high_ + (low_ < other.low_ ? 1 : 0);
    return *this;
}

Digest128& Digest128::operator-=(Digest128 const& other) {
    std::uint64_t const borrow = low_ < other.low_ ? 1 : 0;
    low_ -= other.low_;
    high_ -= other.high_ + borrow;
    return *this;
}

DigestClass digest_class(RecordState const& state) {
    if (state.erased) return DigestClass::hidden;
    if (!state.markers) {
        if (!state.uncovered) return DigestClass::none;
        return state.exists_cell ? DigestClass::unmarked : DigestClass::hidden;
    }
    if (!state.uncovered) return DigestClass::none;
    return state.exists_cell ? DigestClass::uncovered : DigestClass::hidden_uncovered;
}

Digest128 record_digest(crypto::Secret const& key,
                        std::string_view collection,
                        std::string_view record_key,
                        Record const& record) {
    std::string form = "inos digest 1";
    form.reserve(64 + record.cells().size() * 64);
    put_blob(form, collection);
    put_blob(form, record_key);
    auto const removed = removed_elements(record);
    auto skip = removed.begin();
    for (std::size_t i = 0; i < record.cells().size(); ++i) {
        while (skip != removed.end() && i >= skip->end)
            ++skip;
        if (skip != removed.end() && i >= skip->begin) continue;
        Cell const& cell = record[i];
        put_blob(form, cell.path);
        put_u64(form, cell.dot.actor.value);
        auto const run = is_run(cell.path) ? RunCell::decode(cell.payload) : std::nullopt;
        if (run) {
            put_zigzag(form, run->total);
            continue;
        }
        put_varint(form, cell.dot.seq);
        put_u64(form, cell.hlc.value);
        put_blob(form, cell.source);
        put_blob(form, cell.payload);
    }
    return Digest128::from(crypto::hash16(form, key.view()));
}

void CollectionSums::add(DigestClass which, Digest128 const& digest) {
    if (which == DigestClass::unmarked) {
        unmarked += digest;
        ++unmarked_records;
    } else if (which == DigestClass::uncovered) {
        uncovered += digest;
        ++uncovered_records;
    } else if (which == DigestClass::hidden) {
        unmarked += digest;
    } else if (which == DigestClass::hidden_uncovered) {
        uncovered += digest;
    }
}

void CollectionSums::subtract(DigestClass which, Digest128 const& digest) {
    if (which == DigestClass::unmarked) {
        unmarked -= digest;
        --unmarked_records;
    } else if (which == DigestClass::uncovered) {
        uncovered -= digest;
        --uncovered_records;
    } else if (which == DigestClass::hidden) {
        unmarked -= digest;
    } else if (which == DigestClass::hidden_uncovered) {
        uncovered -= digest;
    }
}

Digest128 CollectionSums::sum(DeletePolicy policy) const {
    Digest128 sum = unmarked;
    if (policy == DeletePolicy::update_wins) sum += uncovered;
    return sum;
}

std::uint64_t CollectionSums::records(DeletePolicy policy) const {
    return unmarked_records + (policy == DeletePolicy::update_wins ? uncovered_records : 0);
}

std::string CollectionSums::encode() const {
    std::string out;
    out += static_cast<char>(kSumsVersion);
    out += crypto::view(unmarked.bytes());
    out += crypto::view(uncovered.bytes());
    put_varint(out, unmarked_records);
    put_varint(out, uncovered_records);
    return out;
}

bool CollectionSums::decode(std::string_view bytes, CollectionSums& sums) {
    Reader in(bytes);
    if (in.byte() != kSumsVersion) return false;
    auto const digest = [&in] {
        crypto::Hash16 hash{};
        std::string_view const raw = in.take(hash.size());
        std::copy(raw.begin(), raw.end(), hash.begin());
        return Digest128::from(hash);
    };
    sums.unmarked = digest();
    sums.uncovered = digest();
    sums.unmarked_records = in.varint();
    sums.uncovered_records = in.varint();
    return in.finished();
}

}  // namespace inos
