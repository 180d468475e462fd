#include "net/finding_words.hpp"

#include "net/api_format.hpp"

namespace inos {
namespace {

std::string counted_text(std::uint64_t count, char const* one, char const* many) {
    return count == 1 ? std::string(one) : std::to_string(count) + " " + many;
}

// The marks of an erased record have no key that anybody could read.
std::string record_text(Finding const& finding) {
    bool const marks = !finding.key.empty() && finding.key.front() == '\1';
    return (marks ? "the mark of an erased record" : "the record \"" + finding.key + "\"") +
           " of \"" + finding.collection + "\"";
}

std::string index_text(Finding const& finding) {
    if (finding.fields.empty()) return "an index that no schema asks for";
    std::string fields;
    for (std::string const& field : finding.fields)
        fields += (fields.empty() ? "" : ", ") + field;
    return "the index of " + fields + " in \"" + finding.collection + "\"";
}

// "entry 7 of "kiel" and 3 more"
std::string entry_text(Finding const& finding, Membership const& membership) {
    std::string text = "entry " + std::to_string(finding.seq) + " of \"" +
                       site_name(membership, finding.actor) + "\"";
    if (finding.count > 1) text += " and " + std::to_string(finding.count - 1) + " more";
    return text;
}

std::string what_text(Finding const& finding, Membership const& membership) {
    switch (finding.kind) {
        case FindingKind::record_damaged:
            return record_text(finding) + " is damaged: it is not what was stored";
        case FindingKind::record_key:
            return counted_text(finding.count, "a row", "rows") +
                   " among the records can be no record's";
        case FindingKind::record_erased:
            return record_text(finding) + " was erased and is here again";
        case FindingKind::mark_unproven:
            return record_text(finding) + " is here without the proof of its erasure";
        case FindingKind::index_row_lacks:
            return "the indexes do not show what " + record_text(finding) + " is";
        case FindingKind::index_row_extra:
            return "the indexes show what " + record_text(finding) + " is not";
        case FindingKind::index_lacks:
            return index_text(finding) + " lacks " +
                   counted_text(finding.count, "a record", "records");
        case FindingKind::index_extra:
            return index_text(finding) + " holds " +
                   counted_text(finding.count, "an entry", "entries") + " of no record's values";
        case FindingKind::sums:
            return "the records of \"" + finding.collection +
                   "\" do not add up to their sums: some were lost, or there are too many";
        case FindingKind::sums_row:
            return "the stored sums of \"" + finding.collection + "\" are not those in use";
        case FindingKind::unreadable:
            return counted_text(finding.count, "a block", "blocks") + " of the database (" +
                   family_name(finding.family) + ") cannot be read from the disk";
        case FindingKind::entry_missing:
            return "the log lacks " + entry_text(finding, membership);
        case FindingKind::entry_unreadable:
            return "the log is damaged: it does not show " + entry_text(finding, membership);
        case FindingKind::entry_chain:
            return entry_text(finding, membership) + " in the log is not what its author wrote";
        case FindingKind::entry_deps:
            return entry_text(finding, membership) + " in the log names entries that are not here";
        case FindingKind::entry_links:
            return "the history of a record leads nowhere from " + entry_text(finding, membership);
        case FindingKind::entry_stray:
            return entry_text(finding, membership) +
                   " is in the log, and the site does not know to hold it";
        case FindingKind::entry_row:
            return "what is kept beside " + entry_text(finding, membership) +
                   " is missing or cannot be read";
        case FindingKind::signature:
            return "the signature of " + entry_text(finding, membership) +
                   " is missing or not its author's";
        case FindingKind::meta:
            return counted_text(finding.count, "a note", "notes") + " of the database (kind " +
                   finding.key + ") cannot be read, or is not what is in use";
        case FindingKind::format:
            return "the database has a format of another version of the program";
    }
    return "something is damaged";
}

std::string todo_text(Remedy remedy) {
    switch (remedy) {
        case Remedy::itself:
            return "The site puts it right by itself, with its peers where its own log cannot "
                   "tell; if it is still shown in an hour, run: inos verify --repair";
        case Remedy::repair:
            return "Run: inos verify --repair";
        case Remedy::restart:
            return "Stop the node, start it again with inos run, and run: inos doctor --full";
        case Remedy::replace:
            return "What the records say is not concerned, but this site cannot pass its log on; "
                   "make the site anew from another one: inos invite there, and here "
                   "inos join CODE --data NEWDIR";
        case Remedy::upgrade:
            return "Install the version of inos that wrote it, or a newer one";
    }
    return {};
}

}  // namespace

FindingWords finding_words(Finding const& finding, Membership const& membership) {
    return {what_text(finding, membership), todo_text(finding.remedy)};
}

char const* finding_name(FindingKind kind) {
    static constexpr char const* kNames[kFindingKinds] = {
        "record_damaged",  "record_key",    "record_erased",    "mark_unproven", "index_row_lacks",
        "index_row_extra", "index_lacks",   "index_extra",      "sums",          "sums_row",
        "unreadable",      "entry_missing", "entry_unreadable", "entry_chain",   "entry_deps",
        "entry_links",     "entry_stray",   "entry_row",        "signature",     "meta",
        "format"};
    return kNames[static_cast<std::size_t>(kind)];
}

char const* remedy_name(Remedy remedy) {
    switch (remedy) {
        case Remedy::itself:
            return "itself";
        case Remedy::repair:
            return "repair";
        case Remedy::restart:
            return "restart";
        case Remedy::replace:
            return "replace";
        case Remedy::upgrade:
            return "upgrade";
    }
    return "";
}

char const* phase_name(IntegrityPhase phase) {
    switch (phase) {
        case IntegrityPhase::records:
            return "records";
        case IntegrityPhase::index:
            return "indexes";
        case IntegrityPhase::log:
            return "log";
        case IntegrityPhase::meta:
            return "notes";
        case IntegrityPhase::done:
            return "done";
    }
    return "";
}

}  // namespace inos
