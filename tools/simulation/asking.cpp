#include "tools/simulation/asking.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "storage/duplicates.hpp"
#include "storage/schema_document.hpp"

namespace inos::sim {
namespace {

std::string name_of(Asked const& asked) {
    return "t" + std::to_string(asked.number);
}

// A write that changes the record whatever it was before, because its value is new.
bool changes_for_sure(Write const& write) {
    std::string const& collection = write.name.collection;
    if (collection == kOrders || collection == kPairs || collection == kTotals ||
        collection == kStock || collection == kFields)
        return true;
    bool const fresh_value =
        collection == kLoose || collection == kStrict || collection == kPersons;
    return fresh_value && (write.kind == Write::Kind::put || write.kind == Write::Kind::patch);
}

// Reasons that a node may have to refuse a write to this collection, besides its own state.
bool may_be_refused(Write const& write, Errc code) {
    std::string const& collection = write.name.collection;
    if (collection == kTyped)
        return code == Errc::invalid || code == Errc::rights || code == Errc::too_large;
    if (collection == kTwins || collection == kAliasCollection)
        return code == Errc::invalid || code == Errc::conflict || code == Errc::not_found;
    if (collection == kPersons) return code == Errc::gone && write.kind != Write::Kind::erase;
    if (collection == kStock) {
        auto const* amount = find_member(*write.fields.front().value.as<Object>(), "$inc");
        return code == Errc::rights && *amount->as<std::int64_t>() < 0;
    }
    bool const decides = write.kind == Write::Kind::resolve || write.kind == Write::Kind::revive;
    return decides && code == Errc::invalid;
}

}  // namespace

void Asking::begin(SimNode& founder) {
    set_schema(founder, people_.first_schema());
    ask(founder, [](Asked& asked) { People::fill_stock(asked); });
}

// Mostly somebody who will be heard; sometimes one who has not caught up or may not write.
SimNode* Asking::somebody() {
    std::vector<SimNode*> all, ready;
    for (auto const& node : run_.world->nodes()) {
        if (!can_ask(*node)) continue;
        all.push_back(node.get());
        bool const takes = node->replica().caught_up() && !node->replica().failed();
        if (takes && node->may_write()) ready.push_back(node.get());
    }
    if (all.empty()) return nullptr;
    bool const any = ready.empty() || run_.tape.chance(6);
    return run_.tape.pick(any ? all : ready);
}

void Asking::at(SimNode& node) {
    ask(node, [this](Asked& asked) { people_.ask(asked); });
    run_.world->find_power_losses();
}

void Asking::crowd() {
    for (std::size_t n = people_.crowd(); n > 0; --n) {
        SimNode* const node = somebody();
        if (!node) return;
        if (run_.tape.chance(8))
            merge_records(*node);
        else
            ask(*node, [this](Asked& asked) { people_.ask(asked); });
        run_.world->find_power_losses();
    }
}

void Asking::ask(SimNode& node, std::function<void(Asked&)> const& fill) {
    Asked& asked = run_.ledger.ask();
    asked.node = node.name();
    asked.actor = node.replica().actor();
    asked.may_write = node.may_write();
    asked.caught_up = node.replica().caught_up();
    fill(asked);
    name_version(node, asked);
    submit(node, asked);
}

// Two records of `twins` become one, or are parted again; before that they have to exist.
void Asking::merge_records(SimNode& node) {
    static constexpr std::array kKeys = {"a", "b", "c"};
    std::string const into = run_.tape.pick(kKeys), from = run_.tape.pick(kKeys);
    std::vector<Write> writes;
    if (into == from) {
        Object fields{{"name", Value(into)}};
        set_member(fields, from, Value(true));
        writes.push_back({Write::Kind::put, {kTwins, into}, std::move(fields), {}});
    } else {
        FaultEngine::Undisturbed const guard(node.engine());
        if (auto merge = plan_merge(node.replica(), kTwins, into, from); merge)
            writes = std::move(merge->writes);
        else if (auto parted = plan_unmerge(node.replica(), kTwins, into, from); parted)
            writes = *std::move(parted);
    }
    if (writes.empty()) return;
    ask(node, [&](Asked& asked) {
        asked.source = People::source_of(asked.number);
        asked.writes = std::move(writes);
    });
}

// Some name the version that they have read, now or long ago.
void Asking::name_version(SimNode& node, Asked& asked) {
    if (asked.writes.size() != 1 || !run_.tape.chance(15)) return;
    Write& write = asked.writes.front();
    bool const plain = write.kind == Write::Kind::put || write.kind == Write::Kind::patch ||
                       write.kind == Write::Kind::delete_;
    if (!plain || write.name.collection == kTwins || write.name.collection == kAliasCollection)
        return;
    FaultEngine::Undisturbed const guard(node.engine());
    auto const view = node.replica().get(write.name);
    if (!view || !*view) return;
    std::string const now = (*view)->version;
    versions_.push_back(now);
    write.if_match = run_.tape.chance(50) ? now : run_.tape.pick(versions_);
    asked.fits_version = *write.if_match == now;
}

void Asking::submit(SimNode& node, Asked& asked) {
    std::string text = "commit " + name_of(asked);
    for (Write const& write : asked.writes)
        text += " " + write.name.collection + "/" + write.name.key;
    run_.journal.note(node.name(), text);
    auto answer = [this, &node, number = asked.number](Result<Committed> const& result) {
        answered(node, run_.ledger.at(number), result);
    };
    node.submit({asked.source, asked.writes}, std::move(answer));
}

void Asking::answered(SimNode& node, Asked& asked, Result<Committed> const& result) {
    if (result) return done(node, asked, *result);
    Errc const code = result.error().code;
    bool const unknown = code == Errc::io || code == Errc::no_space || code == Errc::corruption;
    if (!unknown) {
        asked.outcome = Outcome::refused;
        ++run_.faults[Fault::refused];
        judge_refusal(asked, result.error());
    }
    if (code == Errc::rights) ++run_.faults[Fault::rights_lacking];
    if (code == Errc::conflict) ++run_.faults[Fault::refused_version];
    if (code == Errc::forbidden) ++run_.faults[Fault::refused_to_reader];
    run_.journal.note(asked.node, name_of(asked) + " failed: " + result.error().message);
}

void Asking::done(SimNode& node, Asked& asked, Committed const& committed) {
    asked.outcome = Outcome::acknowledged;
    asked.dot = committed.dot;
    if (asked.dot && asked.dot->actor != std::exchange(asked.actor, asked.dot->actor))
        ++run_.faults[Fault::another_actor];
    std::string const name = name_of(asked);
    if (!asked.may_write && !rights_change())
        run_.wrong("I11: " + name + " was done at a site that may not write");
    if (!asked.caught_up && !node.replica().caught_up())
        run_.wrong("I1: " + name + " was done at a site that has not caught up");
    bool const direct = run_.swarm.options.store_delay_ms == 0;
    if (direct && asked.fits_version == false)
        run_.wrong("I1: " + name + " was done on another version than it named");
    if (asked.dot && !node.replica().vector().covers(*asked.dot))
        run_.wrong("I8: " + name + " was done, and its node does not hold its entry");
    if (asked.dot && asked.writes.size() > 1) ++run_.faults[Fault::transaction];
    for (std::size_t i = 0; i < asked.writes.size(); ++i) {
        Write const& write = asked.writes[i];
        bool const changed = committed.writes[i].changed;
        if (changes_for_sure(write) && (!changed || !asked.dot))
            run_.wrong("I1: " + name + " was acknowledged, and nothing was done to " +
                       write.name.collection + "/" + write.name.key);
        if (!changed) continue;
        if (write.name.collection == kAliasCollection) ++run_.faults[Fault::merge_records];
        switch (write.kind) {
            case Write::Kind::delete_:
                ++run_.faults[Fault::delete_record];
                break;
            case Write::Kind::erase:
                ++run_.faults[Fault::erase_record];
                break;
            case Write::Kind::resolve:
                ++run_.faults[Fault::resolve];
                break;
            case Write::Kind::cover:
                ++run_.faults[Fault::cover];
                break;
            case Write::Kind::revive:
                ++run_.faults[Fault::revive];
                break;
            default:
                break;
        }
    }
    std::string const seq = asked.dot ? std::to_string(asked.dot->seq) : "no entry";
    run_.journal.note(asked.node, name + " is done: " + seq);
}

// Admins decide about members in this run: what a site may do can change until it answers.
bool Asking::rights_change() const {
    return run_.swarm.has(Action::role) || run_.swarm.has(Action::retire);
}

void Asking::judge_refusal(Asked const& asked, Error const& error) {
    bool const direct = run_.swarm.options.store_delay_ms == 0;
    bool good = false;
    switch (error.code) {
        case Errc::forbidden:
            good = !asked.may_write || rights_change();
            break;
        case Errc::unavailable:
            good = !asked.caught_up || rights_change() ||
                   error.message.find("new actors within a day") != std::string::npos;
            break;
        default:
            good = std::any_of(asked.writes.begin(), asked.writes.end(), [&](Write const& write) {
                if (error.code == Errc::conflict && write.if_match)
                    return !direct || asked.fits_version != true;
                return may_be_refused(write, error.code);
            });
    }
    if (!good)
        run_.wrong("I1: " + name_of(asked) + " was refused without reason: " + error.message);
}

// ---- schema -------------------------------------------------------------------------------------

void Asking::change_schema(SimNode& admin) {
    if (can_ask(admin)) set_schema(admin, people_.other_schema());
}

void Asking::set_schema(SimNode& node, Object const& document) {
    auto writes = schema_writes(document, node.replica().schema_documents());
    if (writes.empty()) return;
    run_.journal.note(node.name(), "schema");
    node.submit({"admin", std::move(writes)}, [this](Result<Committed> const& result) {
        if (result && result->dot) ++run_.faults[Fault::schema_change];
    });
}

}  // namespace inos::sim
