#include "adapters/mapping/mapping_keys.hpp"

namespace inos {

std::vector<MappingKey> const& mapping_keys() {
    static std::vector<MappingKey> const keys{
        {"", "format", "required"},
        {"", "system", "none"},
        {"", "lookup", "none"},
        {"", "binding", "none"},

        {"system", "kind", "required"},
        {"system", "base_url", "none"},
        {"system", "api_version", "none"},
        {"system", "owner_site", "required"},
        {"system", "source", "its name"},
        {"system", "echo_tag", "none"},
        {"system", "auth", "none"},
        {"system", "rate", "none"},
        {"system", "retry", "none"},
        {"system", "driver", "none"},

        {"system.rate", "per_second", "none"},
        {"system.rate", "burst", "1"},
        {"system.rate", "concurrent", "2"},
        {"system.rate", "daily_share", "none"},
        {"system.rate", "reserve", "0.1"},
        {"system.rate", "cost_reserve", "0"},

        {"system.retry", "first", "\"500ms\""},
        {"system.retry", "factor", "2.0"},
        {"system.retry", "max", "\"60s\""},
        {"system.retry", "jitter", "1.0"},
        {"system.retry", "attempts", "8"},
        {"system.retry", "give_up", "\"24h\""},

        {"binding", "name", "required"},
        {"binding", "system", "required"},
        {"binding", "collection", "required"},
        {"binding", "object", "required"},
        {"binding", "mode", "\"bidirectional\""},
        {"binding", "key", "required"},
        {"binding", "version", "none"},
        {"binding", "external_id", "none"},
        {"binding", "record_id", "\"fresh\""},
        {"binding", "aggregate", "none"},
        {"binding", "locations", "none"},
        {"binding", "trigger", "none"},
        {"binding", "initial", "none"},
        {"binding", "deletes", "none"},
        {"binding", "errors", "none"},
        {"binding", "map", "required"},
        {"binding", "driver", "none"},

        {"binding.aggregate", "by", "required"},

        {"binding.trigger", "type", "required"},
        {"binding.trigger", "what", "\"delta\""},
        {"binding.trigger", "every", "none"},
        {"binding.trigger", "at", "none"},
        {"binding.trigger", "cursor", "none"},
        {"binding.trigger", "tie", "none"},
        {"binding.trigger", "overlap", "none"},
        {"binding.trigger", "topics", "[]"},
        {"binding.trigger", "channel", "none"},
        {"binding.trigger", "payload", "\"refetch\""},
        {"binding.trigger", "driver", "none"},

        {"binding.initial", "match", "[]"},
        {"binding.initial", "ambiguous", "\"review\""},
        {"binding.initial", "unmatched_external", "\"review\""},
        {"binding.initial", "unmatched_record", "\"review\""},
        {"binding.initial", "differing", "\"fill-empty\""},
        {"binding.initial.differing", "default", "\"fill-empty\""},

        {"binding.deletes", "in", "\"unlink\""},
        {"binding.deletes", "out", "\"ignore\""},
        {"binding.deletes", "archive", "none"},
        {"binding.deletes", "archive_in", "none"},
        {"binding.deletes", "merge", "\"review\""},
        {"binding.deletes", "redact", "\"review\""},
        {"binding.deletes", "guard", "none"},
        {"binding.deletes.archive", "path", "required"},
        {"binding.deletes.archive", "value", "none"},
        {"binding.deletes.archive", "append", "none"},
        {"binding.deletes.guard", "max", "20"},
        {"binding.deletes.guard", "share", "0.02"},
        {"binding.deletes.guard", "per", "\"1h\""},

        {"binding.errors", "dead_letter", "true"},
        {"binding.errors", "quarantine_after", "5"},
        {"binding.errors", "flips", "5"},
        {"binding.errors", "flips_per", "\"10m\""},

        {"binding.map", "record", "required"},
        {"binding.map", "external", "required"},
        {"binding.map", "dir", "the mode"},
        {"binding.map", "in", "[]"},
        {"binding.map", "out", "[]"},
        {"binding.map", "also", "none"},
        {"binding.map", "canon", "[]"},
        {"binding.map", "too_long", "\"reject\""},
        {"binding.map", "max", "none"},
        {"binding.map", "write", "none"},
        {"binding.map", "default", "none"},
        {"binding.map", "when", "none"},
        {"binding.map", "driver", "none"},
        {"binding.map.also", "in", "[]"},
        {"binding.map.also", "out", "[]"},
    };
    return keys;
}

std::vector<std::string> mapping_key_names(std::string_view table) {
    std::vector<std::string> names;
    for (MappingKey const& key : mapping_keys())
        if (key.table == table) names.push_back(key.name);
    return names;
}

}  // namespace inos
