#include "net/wire/codec.hpp"

#include "net/wire/kj_compat.hpp"
// The order matters: kj_compat.hpp comes before all other Cap'n Proto headers.
#include <algorithm>
#include <cstring>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include "crdt/value.hpp"
#include "net/wire/messages.capnp.h"

namespace inos::wire {
namespace {

capnp::Data::Reader as_data(std::string_view bytes) {
    return {reinterpret_cast<kj::byte const*>(bytes.data()), bytes.size()};
}

template <std::size_t N>
capnp::Data::Reader as_data(std::array<std::uint8_t, N> const& bytes) {
    return {bytes.data(), bytes.size()};
}

// A whole text, also one with a NUL in it.
capnp::Text::Reader as_text(std::string const& text) {
    return {text.c_str(), text.size()};
}

std::string text(capnp::Data::Reader bytes) {
    return {reinterpret_cast<char const*>(bytes.begin()), bytes.size()};
}

struct Malformed {
    char const* what;
};

std::array<std::uint8_t, 16> sixteen(capnp::Data::Reader bytes) {
    if (bytes.size() != 16) throw Malformed{"an identifier or digest has a wrong length"};
    std::array<std::uint8_t, 16> out;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

void within(std::size_t count, std::size_t limit, char const* what) {
    if (count > limit) throw Malformed{what};
}

void put(schema::Message::Builder out, Hello const& hello) {
    auto builder = out.initHello();
    builder.setVersionMin(hello.version_min);
    builder.setVersionMax(hello.version_max);
    builder.setNowMs(hello.now_ms);
    builder.setFeatures(hello.features);
    auto spaces = builder.initSpaces(static_cast<unsigned>(hello.spaces.size()));
    for (unsigned i = 0; i < spaces.size(); ++i) {
        spaces[i].setId(as_data(hello.spaces[i].id));
        spaces[i].setVector(as_data(hello.spaces[i].vector));
        spaces[i].setRoot(as_data(hello.spaces[i].root));
        spaces[i].setMembership(as_data(hello.spaces[i].membership));
        spaces[i].setAcknowledgements(as_data(hello.spaces[i].acknowledgements));
    }
}

void put(schema::Message::Builder out, Statements const& message) {
    auto builder = out.initStatements();
    builder.setSpace(as_data(message.space));
    auto list = builder.initStatements(static_cast<unsigned>(message.statements.size()));
    for (unsigned i = 0; i < list.size(); ++i)
        list.set(i, as_data(message.statements[i]));
}

void put(schema::Message::Builder out, Vector const& message) {
    auto builder = out.initVector();
    builder.setSpace(as_data(message.space));
    builder.setBytes(as_data(message.bytes));
    builder.setChains(as_data(message.chains));
}

void put(schema::Message::Builder out, Batch const& message) {
    auto builder = out.initBatch();
    builder.setSpace(as_data(message.space));
    builder.setKeyId(message.key_id);
    auto runs = builder.initRuns(static_cast<unsigned>(message.runs.size()));
    for (unsigned i = 0; i < runs.size(); ++i) {
        runs[i].setActor(message.runs[i].actor.value);
        runs[i].setFirst(message.runs[i].first);
        runs[i].setCount(message.runs[i].count);
    }
    builder.setSealed(as_data(message.sealed));
}

void put(schema::Message::Builder out, Ack const& message) {
    auto builder = out.initAck();
    builder.setSpace(as_data(message.space));
    builder.setChanged(as_data(message.changed));
    builder.setVector(as_data(message.vector));
    builder.setRoot(as_data(message.root));
}

void put(schema::Message::Builder out, Probe const&) {
    out.setProbe();
}

void put(schema::Message::Builder out, Refusal const& message) {
    auto builder = out.initRefusal();
    builder.setMessage(as_text(message.message));
    if (message.statements.empty()) return;
    auto list = builder.initStatements(static_cast<unsigned>(message.statements.size()));
    for (unsigned i = 0; i < list.size(); ++i)
        list.set(i, as_data(message.statements[i]));
}

void put(schema::Message::Builder out, PairGrant const& message) {
    auto builder = out.initPairGrant();
    builder.setGenesis(as_data(message.genesis));
    builder.setSpaceKey(as_data(message.space_key));
    builder.setDigestKey(as_data(message.digest_key));
    builder.setActor(message.actor.value);
    auto list = builder.initStatements(static_cast<unsigned>(message.statements.size()));
    for (unsigned i = 0; i < list.size(); ++i)
        list.set(i, as_data(message.statements[i]));
    auto addresses = builder.initAddresses(static_cast<unsigned>(message.addresses.size()));
    for (unsigned i = 0; i < addresses.size(); ++i)
        addresses.set(i, as_text(message.addresses[i]));
    auto later = builder.initLaterKeys(static_cast<unsigned>(message.later_keys.size()));
    for (unsigned i = 0; i < later.size(); ++i) {
        later[i].setEpoch(message.later_keys[i].first);
        later[i].setKey(as_data(message.later_keys[i].second));
    }
}

void put(schema::Message::Builder out, Acknowledgements const& message) {
    auto builder = out.initAcknowledgements();
    builder.setSpace(as_data(message.space));
    auto list =
        builder.initAcknowledgements(static_cast<unsigned>(message.acknowledgements.size()));
    for (unsigned i = 0; i < list.size(); ++i)
        list.set(i, as_data(message.acknowledgements[i]));
}

void put(schema::Message::Builder out, PairDone const&) {
    out.setPairDone();
}

void put(schema::Message::Builder out, RightsRequest const& message) {
    auto builder = out.initRightsRequest();
    builder.setSpace(as_data(message.space));
    builder.setCollection(as_text(message.collection));
    builder.setKey(as_text(message.key));
    builder.setField(as_text(message.field));
    builder.setAmount(message.amount);
    builder.setAheadOfNeed(message.ahead_of_need);
    builder.setActor(message.actor.value);
}

void put(schema::Message::Builder out, Fork const& message) {
    auto builder = out.initFork();
    builder.setSpace(as_data(message.space));
    builder.setActor(message.actor.value);
    builder.setSeq(message.seq);
    builder.setHead(message.head.seq);
    builder.setChain(as_data(crypto::view(message.head.chain)));
    builder.setSignature(as_data(crypto::view(message.head.signature)));
}

void put(schema::Message::Builder out, RepairAsk const& message) {
    auto builder = out.initRepairAsk();
    builder.setSpace(as_data(message.space));
    builder.setFrom(as_data(message.range.from));
    builder.setTo(as_data(message.range.to));
    auto keys = builder.initKeys(static_cast<unsigned>(message.keys.size()));
    for (unsigned i = 0; i < keys.size(); ++i)
        keys.set(i, as_data(message.keys[i]));
    builder.setVector(as_data(message.vector));
    builder.setRoot(as_data(message.root));
}

void put(schema::Message::Builder out, RepairAnswer const& message) {
    auto builder = out.initRepairAnswer();
    RangeSummary const& summary = message.summary;
    builder.setSpace(as_data(message.space));
    builder.setVector(as_data(message.vector));
    builder.setWaits(!message.ready);
    builder.setFrom(as_data(summary.range.from));
    builder.setTo(as_data(summary.range.to));
    auto parts = builder.initParts(static_cast<unsigned>(summary.parts.size()));
    for (unsigned i = 0; i < parts.size(); ++i) {
        parts[i].setEnd(as_data(summary.parts[i].end));
        parts[i].setSum(as_data(summary.parts[i].sum.bytes()));
        parts[i].setRecords(summary.parts[i].records);
    }
    auto items = builder.initItems(static_cast<unsigned>(summary.items.size()));
    for (unsigned i = 0; i < items.size(); ++i) {
        items[i].setKey(as_data(summary.items[i].key));
        items[i].setDigest(as_data(summary.items[i].digest.bytes()));
        items[i].setClass(static_cast<std::uint8_t>(summary.items[i].digest_class));
    }
    auto states = builder.initStates(static_cast<unsigned>(message.states.size()));
    for (unsigned i = 0; i < states.size(); ++i) {
        states[i].setKey(as_data(message.states[i].key));
        states[i].setStanding(static_cast<std::uint8_t>(message.states[i].standing));
        states[i].setRecord(as_data(message.states[i].record));
    }
}

void put(schema::Message::Builder out, StateOffer const& message) {
    out.setStateOffer(as_data(message.space));
}

void put(schema::Message::Builder out, Room const& message) {
    auto builder = out.initRoom();
    builder.setSpace(as_data(message.space));
    builder.setRoom(message.room);
}

void put(schema::Message::Builder out, StateAsk const& message) {
    auto builder = out.initStateAsk();
    builder.setSpace(as_data(message.space));
    builder.setId(as_data(message.id));
    builder.setAfter(as_data(message.after));
    builder.setHeads(as_data(message.heads));
}

void put(schema::Message::Builder out, StatePart const& message) {
    auto builder = out.initStatePart();
    builder.setSpace(as_data(message.space));
    builder.setId(as_data(message.id));
    builder.setAfter(as_data(message.after));
    builder.setKeyId(message.key_id);
    builder.setSealed(as_data(message.sealed));
}

Hello get(schema::Hello::Reader in) {
    Hello hello;
    hello.version_min = in.getVersionMin();
    hello.version_max = in.getVersionMax();
    hello.now_ms = in.getNowMs();
    hello.features = in.getFeatures();
    within(in.getSpaces().size(), kSpacesMax, "too many spaces in a hello");
    for (auto const space : in.getSpaces())
        hello.spaces.push_back({sixteen(space.getId()),
                                sixteen(space.getVector()),
                                sixteen(space.getRoot()),
                                sixteen(space.getMembership()),
                                sixteen(space.getAcknowledgements())});
    return hello;
}

std::vector<std::string> get(capnp::List<capnp::Data>::Reader list) {
    within(list.size(), kStatementsMax, "too many statements or acknowledgements in one message");
    std::vector<std::string> out;
    std::size_t bytes = 0;
    for (auto const item : list) {
        bytes += item.size();
        within(bytes, kMessageBytesMax, "parts are longer than the message that holds them");
        out.push_back(text(item));
    }
    return out;
}

Batch get(schema::Batch::Reader in) {
    Batch batch;
    batch.space = sixteen(in.getSpace());
    batch.key_id = in.getKeyId();
    within(in.getRuns().size(), kRunsMax, "too many runs in a batch");
    for (auto const run : in.getRuns())
        batch.runs.push_back({ActorId{run.getActor()}, run.getFirst(), run.getCount()});
    batch.sealed = text(in.getSealed());
    return batch;
}

PairGrant get(schema::PairGrant::Reader in) {
    PairGrant grant;
    grant.genesis = text(in.getGenesis());
    grant.space_key = text(in.getSpaceKey());
    grant.digest_key = text(in.getDigestKey());
    if (grant.space_key.size() != 32 || grant.digest_key.size() != 32)
        throw Malformed{"a key has a wrong length"};
    grant.actor = ActorId{in.getActor()};
    grant.statements = get(in.getStatements());
    within(in.getAddresses().size(), kAddressesMax, "too many addresses in a grant");
    for (auto const address : in.getAddresses()) {
        within(address.size(), kTextBytesMax, "an address is too long");
        grant.addresses.emplace_back(address.cStr(), address.size());
    }
    within(in.getLaterKeys().size(), kKeysMax, "too many keys in a grant");
    for (auto const key : in.getLaterKeys()) {
        if (key.getKey().size() != 32) throw Malformed{"a key has a wrong length"};
        grant.later_keys.emplace_back(key.getEpoch(), text(key.getKey()));
    }
    return grant;
}

std::string name(capnp::Text::Reader in) {
    within(in.size(), kNameBytesMax, "a name in a request is too long");
    return {in.cStr(), in.size()};
}

RightsRequest get(schema::RightsRequest::Reader in) {
    return {sixteen(in.getSpace()),
            name(in.getCollection()),
            name(in.getKey()),
            name(in.getField()),
            in.getAmount(),
            in.getAheadOfNeed(),
            ActorId{in.getActor()}};
}

Fork get(schema::Fork::Reader in) {
    Fork fork{sixteen(in.getSpace()), ActorId{in.getActor()}, in.getSeq(), {}};
    fork.head.seq = in.getHead();
    bool const is_whole = in.getChain().size() == fork.head.chain.size() &&
                          in.getSignature().size() == fork.head.signature.size();
    if (!is_whole) throw Malformed{"a hash or a signature has a wrong length"};
    std::copy(in.getChain().begin(), in.getChain().end(), fork.head.chain.begin());
    std::copy(in.getSignature().begin(), in.getSignature().end(), fork.head.signature.begin());
    return fork;
}

std::string record_key(capnp::Data::Reader in) {
    within(in.size(), kRecordKeyBytesMax, "the key of a record is too long");
    return text(in);
}

RepairAsk get(schema::RepairAsk::Reader in) {
    RepairAsk ask{sixteen(in.getSpace()),
                  {record_key(in.getFrom()), record_key(in.getTo())},
                  {},
                  sixteen(in.getVector()),
                  sixteen(in.getRoot())};
    within(in.getKeys().size(), kStateKeysMax, "too many records are asked for");
    for (auto const key : in.getKeys())
        ask.keys.push_back(record_key(key));
    return ask;
}

RepairAnswer get(schema::RepairAnswer::Reader in) {
    RepairAnswer answer;
    answer.space = sixteen(in.getSpace());
    answer.vector = sixteen(in.getVector());
    answer.ready = !in.getWaits();
    answer.summary.range = {record_key(in.getFrom()), record_key(in.getTo())};
    within(in.getParts().size(), kRangePartsMax + 1, "too many parts of a range");
    for (auto const part : in.getParts())
        answer.summary.parts.push_back({record_key(part.getEnd()),
                                        Digest128::from(sixteen(part.getSum())),
                                        part.getRecords()});
    within(in.getItems().size(), kRangeItemsMax, "too many records of a range");
    for (auto const item : in.getItems()) {
        within(item.getClass(),
               static_cast<std::size_t>(kDigestClassMax),
               "a record counts in no way that is known");
        answer.summary.items.push_back({record_key(item.getKey()),
                                        Digest128::from(sixteen(item.getDigest())),
                                        static_cast<DigestClass>(item.getClass())});
    }
    within(in.getStates().size(), kStateKeysMax, "too many states of records");
    std::size_t bytes = 0;
    for (auto const state : in.getStates()) {
        within(state.getStanding(),
               static_cast<std::size_t>(kStandingMax),
               "a state of a record is worth nothing that is known");
        bytes += state.getRecord().size();
        within(bytes, kMessageBytesMax, "parts are longer than the message that holds them");
        answer.states.push_back({record_key(state.getKey()),
                                 static_cast<Standing>(state.getStanding()),
                                 text(state.getRecord())});
    }
    return answer;
}

Message get(schema::Message::Reader in) {
    switch (in.which()) {
        case schema::Message::HELLO:
            return get(in.getHello());
        case schema::Message::STATEMENTS: {
            auto const message = in.getStatements();
            return Statements{sixteen(message.getSpace()), get(message.getStatements())};
        }
        case schema::Message::ACKNOWLEDGEMENTS: {
            auto const message = in.getAcknowledgements();
            return Acknowledgements{sixteen(message.getSpace()),
                                    get(message.getAcknowledgements())};
        }
        case schema::Message::VECTOR:
            return Vector{sixteen(in.getVector().getSpace()),
                          text(in.getVector().getBytes()),
                          text(in.getVector().getChains())};
        case schema::Message::BATCH:
            return get(in.getBatch());
        case schema::Message::ACK: {
            auto const ack = in.getAck();
            return Ack{sixteen(ack.getSpace()),
                       text(ack.getChanged()),
                       sixteen(ack.getVector()),
                       sixteen(ack.getRoot())};
        }
        case schema::Message::PROBE:
            return Probe{};
        case schema::Message::REFUSAL: {
            auto const refusal = in.getRefusal();
            auto const message = refusal.getMessage();
            within(message.size(), kTextBytesMax, "a refusal is too long");
            return Refusal{std::string(message.cStr(), message.size()),
                           get(refusal.getStatements())};
        }
        case schema::Message::PAIR_GRANT:
            return get(in.getPairGrant());
        case schema::Message::PAIR_DONE:
            return PairDone{};
        case schema::Message::RIGHTS_REQUEST:
            return get(in.getRightsRequest());
        case schema::Message::FORK:
            return get(in.getFork());
        case schema::Message::REPAIR_ASK:
            return get(in.getRepairAsk());
        case schema::Message::REPAIR_ANSWER:
            return get(in.getRepairAnswer());
        case schema::Message::ROOM:
            return Room{sixteen(in.getRoom().getSpace()), in.getRoom().getRoom()};
        case schema::Message::STATE_OFFER:
            return StateOffer{sixteen(in.getStateOffer())};
        case schema::Message::STATE_ASK: {
            auto const ask = in.getStateAsk();
            return StateAsk{sixteen(ask.getSpace()),
                            sixteen(ask.getId()),
                            text(ask.getAfter()),
                            text(ask.getHeads())};
        }
        case schema::Message::STATE_PART: {
            auto const part = in.getStatePart();
            return StatePart{sixteen(part.getSpace()),
                             sixteen(part.getId()),
                             text(part.getAfter()),
                             part.getKeyId(),
                             text(part.getSealed())};
        }
    }
    throw Malformed{"a kind of message that this version does not know"};
}

}  // namespace

std::string encode(Message const& message) {
    capnp::MallocMessageBuilder builder;
    auto const root = builder.initRoot<schema::Message>();
    std::visit([&](auto const& m) { put(root, m); }, message);
    auto const words = capnp::messageToFlatArray(builder);
    auto const bytes = words.asBytes();
    return {reinterpret_cast<char const*>(bytes.begin()), bytes.size()};
}

Result<Message> decode(std::string_view bytes) {
    auto const refuse = [](std::string const& why) {
        return fail(Errc::protocol, "the peer sent a message that cannot be read: " + why);
    };
    if (bytes.size() > kMessageBytesMax) return refuse("it is too long");
    if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0)
        return refuse("its length is odd");
    // The reader wants aligned words.
    auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
    std::memcpy(words.begin(), bytes.data(), bytes.size());
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 4 * words.size() + 64;
    options.nestingLimit = 16;
    try {
        capnp::FlatArrayMessageReader reader(words, options);
        if (reader.getEnd() != words.end()) return refuse("bytes are left over");
        return get(reader.getRoot<schema::Message>());
    } catch (Malformed const& malformed) {
        return refuse(malformed.what);
    } catch (kj::Exception const& exception) {
        return refuse(exception.getDescription().cStr());
    }
}

}  // namespace inos::wire
