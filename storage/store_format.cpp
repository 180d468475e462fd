#include "storage/store_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "crdt/bytes.hpp"
#include "storage/keys.hpp"

namespace inos {
namespace {

constexpr std::size_t kStepsMax = 100'000'000;  // of one upgrade; each of them writes

// Where an upgrade is: "FROM POSITION".
std::string progress_key() {
    return keys::directory("upgrade");
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    auto const read = std::from_chars(text.data(), text.data() + text.size(), number);
    bool const whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    return whole && number > 0 ? std::optional(number) : std::nullopt;
}

Result<std::uint64_t> stored_format(Engine const& engine, std::string const& where) {
    INOS_TRY(auto const text, engine.get(Family::meta, keys::directory("format")));
    auto const number = text ? number_of(*text) : std::nullopt;
    if (number) return *number;
    return fail(Errc::corruption,
                "the database in \"" + where + "\" does not say which format it has" +
                    (text ? ", but \"" + text->substr(0, 32) + "\"" : "") +
                    "; restore a backup, or make the site join anew");
}

// What an upgrade that was interrupted has come to.
Result<std::string> begun_position(Engine const& engine, std::uint64_t from) {
    INOS_TRY(auto const row, engine.get(Family::meta, progress_key()));
    if (!row) return std::string();
    std::size_t const space = std::min(row->find(' '), row->size());
    if (number_of(row->substr(0, space)) != from || space == row->size())
        return fail(Errc::corruption,
                    "the database is in the middle of an upgrade that its format does not name");
    return row->substr(space + 1);
}

Result<void> upgrade(Engine& engine, StoreUpgrade const& upgrade) {
    INOS_TRY(std::string position, begun_position(engine, upgrade.from));
    for (std::size_t steps = 0; steps < kStepsMax; ++steps) {
        WriteBatch batch;
        INOS_TRY(bool const done, upgrade.step(engine, position, batch));
        if (done) {
            batch.put(Family::meta, keys::directory("format"), std::to_string(upgrade.from + 1));
            batch.remove(Family::meta, progress_key());
        } else {
            batch.put(Family::meta, progress_key(), std::to_string(upgrade.from) + " " + position);
        }
        INOS_CHECK(engine.write(batch, Durability::synced));
        if (done) return {};
    }
    return fail(Errc::internal, std::string("the upgrade does not end: ") + upgrade.what);
}

constexpr std::array kVersionedRows{
    VersionedRow{Family::digests, 0, 1, "the sums of a collection"},
    VersionedRow{Family::index, 't', 1, "a secondary index"},
    VersionedRow{Family::meta, 'a', 1, "the state of an actor"},
    VersionedRow{Family::meta, 'b', 1, "the start of an actor's log"},
    VersionedRow{Family::meta, 'e', 1, "the proof of an erasure"},
    VersionedRow{Family::meta, 'f', 1, "the evidence of a fork"},
    VersionedRow{Family::meta, 'i', 1, "an invitation"},
    VersionedRow{Family::meta, 'm', 1, "what tells the directory from its copies"},
    VersionedRow{Family::meta, 'r', 1, "a remembered request"},
    VersionedRow{Family::meta, 'w', 1, "the change feed's generation"},
};

}  // namespace

Error newer_version(std::string const& what, std::uint64_t found, std::uint64_t reads) {
    return Error{Errc::unsupported,
                 what + " has format version " + std::to_string(found) +
                     ", and this program reads up to " + std::to_string(reads) +
                     ": a newer one wrote it, and nothing was changed; run that one again, or "
                     "restore a backup from before the upgrade",
                 {}};
}

Error newer_record(RecordName const& name, std::string_view row) {
    return newer_version("the stored record \"" + name.key + "\" of \"" + name.collection + "\"",
                         static_cast<std::uint8_t>(row.front()),
                         kRecordVersion);
}

Error newer_entry(Dot dot, std::string_view row) {
    return newer_version("entry " + std::to_string(dot.seq) + " of an actor in the log",
                         static_cast<std::uint8_t>(row.front()),
                         kLogVersion);
}

std::optional<Error> newer_text(std::string_view text,
                                std::string_view magic,
                                std::uint64_t reads,
                                std::string const& what) {
    if (!text.starts_with(magic)) return std::nullopt;
    text.remove_prefix(magic.size());
    std::size_t const digits = std::min(text.find_first_not_of("0123456789"), text.size());
    auto const found = number_of(text.substr(0, digits));
    return found && *found > reads ? std::optional(newer_version(what, *found, reads))
                                   : std::nullopt;
}

std::span<StoreUpgrade const> store_upgrades() {
    return {};
}

std::span<VersionedRow const> versioned_rows() {
    return kVersionedRows;
}

Result<std::vector<std::string>> upgrade_store(Engine& engine,
                                               std::string const& where,
                                               std::span<StoreUpgrade const> upgrades,
                                               std::uint64_t format) {
    std::vector<std::string> done;
    INOS_TRY(std::uint64_t now, stored_format(engine, where));
    if (now > format)
        return tl::unexpected<Error>(
            newer_version("the database in \"" + where + "\"", now, format));
    for (; now < format; ++now) {
        auto const next = std::find_if(upgrades.begin(), upgrades.end(), [now](auto const& known) {
            return known.from == now;
        });
        if (next == upgrades.end())
            return fail(Errc::unsupported,
                        "the database in \"" + where + "\" has format version " +
                            std::to_string(now) + ", and this program upgrades from " +
                            std::to_string(upgrades.empty() ? format : upgrades.front().from) +
                            " on; open it once with a program in between");
        INOS_CHECK(upgrade(engine, *next));
        done.push_back("format " + std::to_string(now + 1) + ": " + next->what);
    }
    return done;
}

Result<void> refuse_newer_rows(Engine const& engine, std::uint32_t space) {
    for (VersionedRow const& kind : kVersionedRows) {
        std::string from = keys::space_begin(space), to = keys::space_end(space);
        if (kind.kind != 0) {
            from = keys::meta_kind(space, kind.kind);
            to = keys::meta_kind(space, static_cast<char>(kind.kind + 1));
        }
        auto cursor = engine.scan(kind.family, from, to);
        for (; cursor->valid(); cursor->next()) {
            Reader in(cursor->value());
            std::uint8_t const version = in.byte();
            if (in.ok() && is_newer_version(version, kind.reads))
                return tl::unexpected<Error>(newer_version(kind.what, version, kind.reads));
        }
        // What cannot be read is for those who need it to say.
        auto const status = cursor->status();
        if (!status && status.error().code != Errc::corruption) return status;
    }
    return {};
}

}  // namespace inos
