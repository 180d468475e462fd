// Rights of bounded counters between MiniReplicas.
#pragma once

#include "crdt/types/bounded_counter.hpp"
#include "tests/support/mini_replica.hpp"

namespace inos::test {

inline FieldRights rights_at(MiniReplica const& site,
                             RecordName const& name,
                             std::string_view field) {
    if (!site.exists(name)) return {};
    auto const rights =
        field_rights(site.record(name), path_name({}, field), site.schema(name).field(field));
    return rights.value_or(FieldRights());
}

// `from` passes rights on to `to`, or says why it does not.
inline std::optional<ChangeError> pass_rights(MiniReplica& from,
                                              RecordName const& name,
                                              std::string_view field,
                                              std::int64_t amount,
                                              ActorId to) {
    auto planned = plan_transfer(from.record(name),
                                 from.schema(name),
                                 name,
                                 field,
                                 amount,
                                 to,
                                 {from.actor(), from.vv().at(from.actor()) + 1});
    if (auto* error = std::get_if<ChangeError>(&planned)) return std::move(*error);
    from.commit_ops({*std::get<std::optional<Op>>(std::move(planned))});
    return std::nullopt;
}

}  // namespace inos::test
