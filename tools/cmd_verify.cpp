// inos verify: whether all sites hold the same. The last line and the exit status are for scripts.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

constexpr std::size_t kRootShown = 12;
constexpr std::size_t kNotesShown = 50;

// "2 agree" is no news; the others are named with what is the matter.
std::string summary(Array const& peers, std::size_t agreeing) {
    std::string text = "verify: " + std::to_string(agreeing) + " of " +
                       std::to_string(peers.size() + 1) + " sites agree;";
    char const* separator = " ";
    for (auto const& peer : peers) {
        std::string const state = text_of(peer, "state");
        if (state == "agrees") continue;
        text += separator + clean_text(text_of(peer, "name")) + " " +
                (state == "differs" || state.empty() ? state : "is " + state);
        separator = ", ";
    }
    return text;
}

void print_notes(Terminal& terminal, Array const& notes, char const* what) {
    for (std::size_t i = 0; i < notes.size() && i < kNotesShown; ++i) {
        std::string const collection = clean_text(text_of(notes[i], "collection"));
        std::string const id = clean_text(text_of(notes[i], "id"));
        terminal.out << what << ' ';
        if (!collection.empty())
            terminal.out << collection << ' ' << (id.empty() ? "(an erased record)" : id) << ": ";
        terminal.out << clean_text(text_of(notes[i], "what")) << '\n';
    }
    if (notes.size() > kNotesShown)
        terminal.out << what << " and " << notes.size() - kNotesShown << " more (see --json)\n";
}

// What was looked at and put right. False: something is wrong still.
bool print_repair(Terminal& terminal, Value const& repair) {
    auto const& repaired = array_of(repair, "repaired");
    auto const& left = array_of(repair, "left");
    print_notes(terminal, repaired, "repaired");
    print_notes(terminal, left, "damaged ");
    auto const& log = array_of(repair, "log");
    for (Value const& words : log)
        terminal.out << "damaged  " << clean_text(cell_text(&words)) << '\n';
    terminal.out << "repair: looked at " << cell_text(repair.find("looked"))
                 << " records, repaired " << cell_text(repair.find("repaired_count"))
                 << ", could not repair " << cell_text(repair.find("left_count")) << '\n';
    return left.empty() && log.empty();
}

Result<int> verify(Context& context, bool repair) {
    INOS_TRY(auto client, Client::open(context));
    std::string const body = repair ? R"({"repair":true})" : "{}";
    INOS_TRY(auto const report, client->call({"POST", "/v1/verify", {}, {}, body}));
    auto const& peers = array_of(report, "peers");
    bool const agree = bool_of(report, "agree");
    auto const* repaired = report.find("repair");
    if (context.json) {
        bool const whole = !repaired || (array_of(*repaired, "left").empty() &&
                                         array_of(*repaired, "log").empty());
        print_json_line(context, report);
        return agree && whole ? kExitDone : kExitFailed;
    }
    bool const whole = !repaired || print_repair(context.terminal, *repaired);
    Table table({"site", "state", "behind", "ahead", "root"});
    table.add({"this one", "", "", "", text_of(report, "root").substr(0, kRootShown)});
    std::size_t agreeing = 1;
    for (auto const& peer : peers) {
        if (text_of(peer, "state") == "agrees") ++agreeing;
        table.add({text_of(peer, "name"),
                   text_of(peer, "state"),
                   cell_text(peer.find("behind")),
                   cell_text(peer.find("ahead")),
                   text_of(peer, "root").substr(0, kRootShown)});
    }
    auto& terminal = context.terminal;
    table.print(terminal);
    if (!client->node_is_running() && !peers.empty()) {
        terminal.err << "inos: no node is running here, so the other sites were not asked\n";
    }
    if (agree) {
        std::string const sites = std::to_string(peers.size() + 1);
        terminal.out << terminal.green("verify: all " + sites + " sites agree") << '\n';
        return whole ? kExitDone : kExitFailed;
    }
    terminal.out << terminal.red(summary(peers, agreeing)) << '\n';
    return kExitFailed;
}

}  // namespace

void add_verify(CommandLine& line) {
    auto repair = std::make_shared<bool>(false);
    line.add("verify", "Check that all sites hold the same records")
        .flag("--repair", *repair, "look at every record, and put right what is wrong")
        .note(
            "Compares the roots, keyed sums over every record: equal roots mean equal records. "
            "Exit status 0\n"
            "when all sites of the space agree, 1 when one differs, is behind or cannot be asked.\n"
            "--repair also reads every record and the whole log of this site: a record that is "
            "not what\n"
            "the log says is built again from it, and those that differ from a peer's are brought "
            "together.\n"
            "Status 1 also when something stays damaged.")
        .example("inos verify", "ends with: verify: all 3 sites agree")
        .example("inos verify --repair", "after an alarm, or when a disk has failed")
        .example("inos verify --json", "for scripts")
        .body([repair](Context& context) { return verify(context, *repair); });
}

}  // namespace inos
