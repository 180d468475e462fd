# What two sites say to each other inside the channel (docs/protocol.md). One Message per channel
# message. Byte strings that are drawn elsewhere are opaque here: entries, statements, version
# vectors. Ordinals are never reused; a reader ignores fields that it does not know, and a message
# kind that it does not know ends the session with words.
@0xd3a1c7a9f0b45e21;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("inos::wire::schema");

struct Message {
  union {
    hello        @0 :Hello;
    statements   @1 :Statements;    # of the membership log
    vector       @2 :Vector;
    batch        @3 :Batch;
    ack          @4 :Ack;
    probe        @5 :Void;       # asks for an ack that names everything
    refusal      @6 :Refusal;    # why the sender ends the session
    pairGrant    @7 :PairGrant;
    pairDone     @8 :Void;       # the joiner holds the grant durably
    rightsRequest @9 :RightsRequest;
    acknowledgements @10 :Acknowledgements;
    fork         @11 :Fork;
    repairAsk    @12 :RepairAsk;
    repairAnswer @13 :RepairAnswer;
    stateOffer   @14 :Data;      # space; the receiver lacks entries that the sender has cut
    stateAsk     @15 :StateAsk;
    statePart    @16 :StatePart;
    room         @17 :Room;
  }
}

struct Hello {
  versionMin @0 :UInt16;
  versionMax @1 :UInt16;
  nowMs      @2 :UInt64;         # the sender's wall clock, milliseconds since the Unix epoch
  spaces     @3 :List(Space);
  features   @4 :UInt32;         # bits: 0 answers repairAsk, 1 knows room

  struct Space {
    id         @0 :Data;         # 16 bytes
    vector     @1 :Data;         # 16 bytes: BLAKE2b-128 of the encoded version vector and chains
    root       @2 :Data;         # 16 bytes
    membership @3 :Data;         # 16 bytes: digest of the membership log
    acknowledgements @4 :Data;   # 16 bytes: digest of the set of acknowledgements
  }
}

struct Statements {
  space        @0 :Data;
  statements   @1 :List(Data);
}

# What members have said that they hold durably (storage/acknowledgements.hpp), each signed by its
# site. Passed on to whoever may lack them.
struct Acknowledgements {
  space            @0 :Data;
  acknowledgements @1 :List(Data);
}

struct Vector {
  space @0 :Data;
  bytes @1 :Data;                # version vector, whole or positional (net/wire/vector_codec.hpp)
  chains @2 :Data;               # 8 bytes of the chain at each of its entries, ascending by actor
}

# Two sites hold different entries under one number of an actor: what the sender holds of it. The
# receiver answers with its side.
struct Fork {
  space     @0 :Data;
  actor     @1 :UInt64;
  seq       @2 :UInt64;          # an entry that differs
  head      @3 :UInt64;          # the sender's last entry of the actor, as its author signed it
  chain     @4 :Data;            # 32 bytes
  signature @5 :Data;            # 64 bytes
}

# Asks which records the receiver holds, as sums over ranges of their keys, or what it holds under
# some keys (storage/record_ranges.hpp, storage/record_repair.hpp). One at a time. A key is
# collection | 00 | key.
struct RepairAsk {
  space @0 :Data;
  from  @1 :Data;                # the range's first key, and the one behind its last; no end: all
  to    @2 :Data;
  keys  @3 :List(Data);          # if there are any: what is held under these, no range
  vector @4 :Data;               # 16 bytes: digest of the sender's version vector and chains
  root  @5 :Data;                # 16 bytes: its root
}

struct RepairAnswer {
  space  @0 :Data;
  vector @1 :Data;               # 16 bytes: digest of the sender's version vector and chains
  from   @2 :Data;               # what this is about: it may end before what was asked for
  to     @3 :Data;
  parts  @4 :List(Part);         # many records: sums over parts of the range
  items  @5 :List(Item);         # or few: one by one
  states @6 :List(State);        # what is held under the keys, the first ones of them
  waits  @7 :Bool;               # nothing is answered: the vectors differ, or the roots do not

  struct Part {
    end     @0 :Data;
    sum     @1 :Data;            # 16 bytes
    records @2 :UInt64;
  }
  struct Item {
    key    @0 :Data;
    digest @1 :Data;             # 16 bytes
    class  @2 :UInt8;            # DigestClass
  }
  struct State {
    key      @0 :Data;
    standing @1 :UInt8;          # Standing
    record   @2 :Data;           # crdt/record.hpp; empty: none
  }
}

# Asks for the sender's whole state, part after part (storage/state_transfer.hpp).
struct StateAsk {
  space @0 :Data;
  id    @1 :Data;                # 16 bytes: the snapshot; zeros: any, from its beginning
  after @2 :Data;                # the last name that is held; empty: none
  heads @3 :Data;                # what the asking site holds of each actor
}

struct StatePart {
  space  @0 :Data;
  id     @1 :Data;               # 16 bytes
  after  @2 :Data;               # behind what it comes
  keyId  @3 :UInt64;
  sealed @4 :Data;               # zstd of the part, sealed with the space key
}

struct Batch {
  space  @0 :Data;
  keyId  @1 :UInt64;             # of the key that seals (storage/statement.hpp)
  runs   @2 :List(Run);          # in clear, so that a relay knows what it holds
  sealed @3 :Data;               # zstd of the entries and signed heads, sealed with the space key

  struct Run {
    actor @0 :UInt64;
    first @1 :UInt64;
    count @2 :UInt32;
  }
}

struct Ack {
  space   @0 :Data;
  changed @1 :Data;              # version vector of what is durable: heads that moved
  vector  @2 :Data;              # 16 bytes: digest of all of it
  root    @3 :Data;              # 16 bytes
}

# Whether the sender's disk has room for entries and states of others. Until it says so, there is;
# while there is not it says so again and again, so that the receiver waits.
struct Room {
  space @0 :Data;
  room  @1 :Bool;
}

struct Refusal {
  message    @0 :Text;
  statements @1 :List(Data);     # of the membership log: why the receiver is no member any more
}

# Asks the receiver to pass on rights of a bounded counter. There is no answer: what is granted
# comes as an entry.
struct RightsRequest {
  space       @0 :Data;
  collection  @1 :Text;
  key         @2 :Text;
  field       @3 :Text;
  amount      @4 :UInt64;
  aheadOfNeed @5 :Bool;          # nothing waits for it: keep what you may need yourself
  actor       @6 :UInt64;        # that is to get them, one of the sender's
}

struct PairGrant {
  genesis      @0 :Data;
  spaceKey     @1 :Data;         # 32 bytes: the founding key
  digestKey    @2 :Data;         # 32 bytes
  actor        @3 :UInt64;
  statements   @4 :List(Data);
  addresses    @5 :List(Text);
  laterKeys    @6 :List(Key);    # of later epochs

  struct Key {
    epoch @0 :UInt64;
    key   @1 :Data;              # 32 bytes
  }
}
