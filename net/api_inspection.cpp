#include "net/api_inspection.hpp"

#include "net/api_format.hpp"
#include "net/finding_words.hpp"

namespace inos {
namespace {

Value pass_value(InspectionStatus::Pass const& pass) {
    Inspected const& seen = pass.seen;
    return Value(Object{{"began", Value(utc_text(pass.began_ms))},
                        {"ended", Value(utc_text(pass.ended_ms))},
                        {"full", Value(pass.full)},
                        {"whole", Value(seen.whole)},
                        {"sums_compared", Value(seen.sums_compared)},
                        {"records", number_value(seen.records)},
                        {"index_rows", number_value(seen.index_rows)},
                        {"entries", number_value(seen.entries)},
                        {"signatures", number_value(seen.signatures)},
                        {"notes", number_value(seen.meta_rows)},
                        {"bytes", number_value(seen.bytes)},
                        {"found", number_value(seen.findings.size())}});
}

}  // namespace

Value inspection_value(InspectionStatus const& status) {
    bool const now = status.under_way;
    return Value(Object{{"under_way", Value(now)},
                        {"full", Value(status.full)},
                        {"phase", now ? Value(phase_name(status.seen.phase)) : Value()},
                        {"done", number_value(now ? status.seen.done() : 0)},
                        {"of", number_value(now ? status.seen.of : 0)},
                        {"began", now ? Value(utc_text(status.began_ms)) : Value()},
                        {"passes", number_value(status.passes)},
                        {"findings", number_value(status.findings.size())},
                        {"obstacle", Value(status.obstacle)},
                        {"last", status.last ? pass_value(*status.last) : Value()}});
}

Value damage_value(InspectionStatus const& status, Membership const& membership) {
    Array all;
    for (Finding const& finding : status.findings) {
        auto words = finding_words(finding, membership);
        bool const marks = !finding.key.empty() && finding.key.front() == '\1';
        bool const entry = finding.family == Family::log;
        bool const record = finding.family == Family::records && !marks;
        all.push_back(Value(Object{
            {"kind", Value(finding_name(finding.kind))},
            {"remedy", Value(remedy_name(finding.remedy))},
            {"what", Value(std::move(words.what))},
            {"do", Value(std::move(words.todo))},
            {"collection", Value(finding.collection)},
            {"id", Value(record && !finding.collection.empty() ? finding.key : std::string())},
            {"site", Value(entry ? site_name(membership, finding.actor) : std::string())},
            {"entry", entry ? number_value(finding.seq) : Value()},
            {"count", number_value(finding.count)}}));
    }
    return Value(std::move(all));
}

}  // namespace inos
