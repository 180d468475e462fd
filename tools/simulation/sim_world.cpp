#include "tools/simulation/sim_world.hpp"

#include <algorithm>
#include <utility>

#include "net/store_thread.hpp"
#include "storage/keys.hpp"

namespace inos::sim {

// Small steps and many passes, so that writes go on between the steps.
constexpr InspectionOptions kInspection{
    .step_bytes = 4'096, .first_after_ms = 2'000, .pass_every_ms = 20'000, .again_ms = 5'000};

// ---- store --------------------------------------------------------------------------------------

void SlowStore::commit(Transaction transaction, std::function<void(Result<Committed>)> done) {
    take(CommitMessage{std::move(transaction), std::move(done)});
}

void SlowStore::run(std::function<void(Replica&)> work, std::function<void()> done) {
    take(WorkMessage{std::move(work), std::move(done)});
}

void SlowStore::take(Message message) {
    inbox_.push_back(std::move(message));
    if (inbox_.size() > 1) return;  // the thread is about to look
    auto const begin = [this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) handle();
    };
    network_.after(delay_ms_, begin, node_);
}

void SlowStore::handle() {
    std::deque<Message> batch;
    batch.swap(inbox_);
    while (!batch.empty()) {
        if (std::holds_alternative<CommitMessage>(batch.front())) {
            commit_group(batch);
            continue;
        }
        auto message = std::get<WorkMessage>(std::move(batch.front()));
        batch.pop_front();
        message.work(replica_);
        answer(std::move(message.done));
    }
}

void SlowStore::commit_group(std::deque<Message>& batch) {
    std::vector<Transaction> group;
    std::vector<std::function<void(Result<Committed>)>> done;
    while (!batch.empty() && group.size() < kGroupTransactionsMax) {
        auto* const message = std::get_if<CommitMessage>(&batch.front());
        if (!message) break;
        group.push_back(std::move(message->transaction));
        done.push_back(std::move(message->done));
        batch.pop_front();
    }
    if (group.size() > 1) ++groups_;
    auto results = replica_.commit(group);
    INOS_ASSERT(results.size() == group.size());
    answer([done = std::move(done), results = std::move(results)] {
        for (std::size_t i = 0; i < done.size(); ++i)
            done[i](results[i]);
    });
}

void SlowStore::answer(std::function<void()> done) {
    auto const heard = [alive = std::weak_ptr(alive_), done = std::move(done)] {
        if (!alive.expired()) done();
    };
    network_.after(delay_ms_, heard, node_);
}

// ---- node ---------------------------------------------------------------------------------------

SimNode::SimNode(SimNetwork& network, SimOptions const& options, std::string name, SiteKeys keys)
    : network_(network),
      options_(options),
      name_(std::move(name)),
      keys_(std::move(keys)),
      engine_(std::make_unique<FaultEngine>(std::make_unique<MemoryEngine>())) {
    directory_.inode = 1;
    directory_.machine = name_;
    directory_.boot = "1";
}

SimNode::~SimNode() {
    crash();
}

Result<void> SimNode::keep(SpaceGrant const& grant) {
    WriteBatch batch;
    for (auto const& bytes : grant.statements)
        put_statement(batch, kSimSpace, bytes);
    ContinuityRecord continuity;
    continuity.marks = directory_;
    batch.put(Family::meta, inos::keys::meta_kind(kSimSpace, 'm'), continuity.encode());
    INOS_CHECK(engine_->write(batch, Durability::synced));
    grant_ = grant;
    for (auto const& url : grant.peers)
        remember(url);
    return {};
}

void SimNode::start() {
    engine_->heal();
    value_of(try_start());
}

Result<void> SimNode::try_start() {
    INOS_ASSERT(grant_ && !running() && !paused());
    engine_->reopen();
    auto opened = open();
    if (opened && engine_->dead()) opened = fail(Errc::io, "the machine has lost power");
    if (!opened) crash();
    return opened;
}

Result<void> SimNode::open() {
    ReplicaOptions options{kSimSpace,
                           grant_->actor,
                           keys_.identity,
                           grant_->keys.digest,
                           options_.durability,
                           directory_};
    options.keys = KeyRing(grant_->keys);
    options.sealing = keys_.sealing;
    options.state_entries_min = options_.state_entries_min;
    options.state_write_bytes = options_.state_write_bytes;
    Membership membership(grant_->genesis);
    INOS_TRY(replica_, Replica::open(*engine_, clock_, std::move(membership), std::move(options)));
    INOS_CHECK(renew_marker());
    INOS_TRY(auto invites, load_invites(*replica_));
    if (options_.store_delay_ms == 0)
        inner_store_ = std::make_unique<DirectStore>(*replica_);
    else
        inner_store_ = std::make_unique<SlowStore>(
            *replica_, network_, name_, options_.store_delay_ms, groups_);
    store_ = std::make_unique<WatchedStore>(*inner_store_);
    transport_ = network_.transport(name_);
    PeerManager::Options peer_options{keys_, name_, grant_->keys, urls_};
    peers_ = std::make_unique<PeerManager>(
        std::move(peer_options),
        *store_,
        *transport_,
        clock_,
        std::make_shared<LocalState const>(local_state(*replica_)),
        std::move(invites),
        [this](std::string_view event, std::string const& text) { log(event, text); });
    store_->on_commit([this] { peers_->refresh(); });
    upkeep_ = std::make_unique<Upkeep>(
        Upkeep::Options{options_.acknowledge_every_ms, options_.log_retention_ms, kInspection},
        *store_,
        clock_,
        [this](std::function<void(Result<void>)> const& done) {
            std::atomic<bool> never = false;
            done(engine_->scrub(never));
        },
        [this] { peers_->refresh(); },
        [this](std::string_view event, std::string const& text) { log(event, text); });
    store_->on_rights([this](RightsNeed const& need) { peers_->need_rights(need); });
    auto const address =
        value_of(transport_->listen(name_, 7711, [this](std::shared_ptr<Connection> connection) {
            peers_->accept(std::move(connection));
        }));
    peers_->listening_on({address});
    return {};
}

void SimNode::stop() {
    if (!running()) return;
    peers_->stop();
    transport_->stop();
    if (!replica_->failed()) (void)renew_marker();
    crash();
}

// As open_site() does, with a file of which there is nothing but its marks.
Result<void> SimNode::renew_marker() {
    DirectoryMarks next = directory_;
    for (std::size_t i = 0; i < 8; ++i)
        next.nonce[i] = static_cast<std::uint8_t>(next.changed_ns >> (8 * i));
    ++next.changed_ns;
    INOS_CHECK(replica_->expect_marker(next.nonce));
    directory_ = next;
    return replica_->record_marks(directory_);
}

Contents SimNode::copy() {
    FaultEngine::Undisturbed const guard(*engine_);
    return contents(*engine_);
}

void SimNode::put_back(Contents const& copy) {
    INOS_ASSERT(!running());
    engine_->replace(copy);
    ++directory_.inode;
}

void SimNode::crash() {
    transport_.reset();  // no callback comes afterwards
    upkeep_.reset();
    peers_.reset();
    store_.reset();
    inner_store_.reset();
    replica_.reset();
    under_way_ = std::make_shared<std::size_t>(0);
}

void SimNode::lose_power(std::size_t kept) {
    crash();
    engine_->heal();
    engine_->lose_unsynced(kept);
    directory_.boot = std::to_string(++boots_);
    clock_.boot();
}

void SimNode::lose_power_at(std::size_t n,
                            FaultEngine::Counted counted,
                            FaultEngine::Outcome outcome) {
    engine_->die_at(n, counted, outcome, [this] { network_.silence(name_); });
}

void SimNode::log(std::string_view event, std::string const& text) {
    log_.push_back(std::string(event) + " " + text);
    if (on_log_) on_log_(log_.back());
}

void SimNode::remember(std::string const& url) {
    if (std::find(urls_.begin(), urls_.end(), url) == urls_.end()) urls_.push_back(url);
}

void SimNode::forget_certificates_but(std::size_t count) {
    INOS_ASSERT(!running() && count <= grant_->statements.size());
    WriteBatch batch;
    auto const kind = inos::keys::meta_kind(kSimSpace, 'c');
    for (auto const& [key, value] : contents(*engine_, Family::meta)) {
        auto const end = grant_->statements.begin() + static_cast<std::ptrdiff_t>(count);
        bool const keeps = std::find(grant_->statements.begin(), end, value) != end;
        if (key.second.starts_with(kind) && !keeps) batch.remove(Family::meta, key.second);
    }
    value_of(engine_->write(batch, Durability::synced));
}

void SimNode::learn(std::string const& certificate) {
    value_of(replica_->add_statements({certificate}));
    peers_->refresh();
}

void SimNode::tick() {
    if (!running() || paused()) return;
    peers_->tick();
    upkeep_->tick();
}

void SimNode::commit(std::vector<Write> writes, std::function<void(Result<Committed>)> done) {
    submit({"test", std::move(writes)}, std::move(done));
}

void SimNode::submit(Transaction transaction, std::function<void(Result<Committed>)> done) {
    ++*under_way_;
    auto answered = [this, done = std::move(done), count = under_way_](Result<Committed> result) {
        --*count;
        if (engine_->dead()) return;  // nobody hears the answer any more
        if (done) return done(std::move(result));
        value_of(std::move(result));
    };
    store_->commit(std::move(transaction), std::move(answered));
}

void SimNode::put(std::string collection, std::string key, std::string_view json) {
    commit({{Write::Kind::put, {std::move(collection), std::move(key)}, object_of(json), {}}});
}

void SimNode::patch(std::string collection, std::string key, std::string_view json) {
    commit({{Write::Kind::patch, {std::move(collection), std::move(key)}, object_of(json), {}}});
}

Value SimNode::field(std::string collection, std::string key, std::string_view name) const {
    auto const view = value_of(replica_->get({std::move(collection), std::move(key)}));
    auto const* value = view ? find_member(view->fields, name) : nullptr;
    return value ? *value : Value();
}

std::size_t SimNode::logged(std::string_view event) const {
    return static_cast<std::size_t>(std::count_if(
        log_.begin(), log_.end(), [&](auto const& line) { return line.starts_with(event); }));
}

std::optional<PeerStatus> SimNode::peer(std::string const& name) const {
    for (PeerStatus& status : peers_->peers())
        if (status.name == name) return std::move(status);
    return std::nullopt;
}

bool SimNode::connected_with(std::string const& name) const {
    if (!running()) return false;
    auto const status = peer(name);
    return status && status->state == "connected";
}

// ---- world --------------------------------------------------------------------------------------

SimWorld::SimWorld(SimOptions const& options)
    : options_(options),
      randomness_(options.seed ^ 0x5eed),
      network_(options.seed ^ 0x6e6574),
      tape_(Tape::seeded(options.seed)) {
    crypto::init();
    space_keys_ = {random_secret(tape_), random_secret(tape_)};
    network_.on_time([this](std::uint64_t now_ms) {
        for (auto const& node : nodes_)
            node->clock().advance(now_ms - clocks_ms_);
        clocks_ms_ = now_ms;
    });
}

SimWorld::~SimWorld() {
    pairings_.clear();
    nodes_.clear();
}

SimNode& SimWorld::add_node(std::string const& name) {
    nodes_.push_back(std::make_unique<SimNode>(network_, options_, name, random_site_keys(tape_)));
    SimNode& node = *nodes_.back();
    node.engine().share(archive_);
    node.clock().advance(network_.now_ms());
    // Nodes do not tick in step.
    network_.after(tape_.below(kTickMs), [this, &node] { tick(node); });
    return node;
}

void SimWorld::tick(SimNode& node) {
    node.tick();
    network_.after(kTickMs, [this, &node] { tick(node); });
}

SimNode& SimWorld::found(std::string const& name) {
    INOS_ASSERT(nodes_.empty());
    SimNode& node = add_node(name);
    genesis_.name = "test";
    genesis_.founder = node.keys().identity.public_key;
    for (auto& byte : genesis_.nonce)
        byte = static_cast<std::uint8_t>(tape_.word() >> 24);
    Certificate const certificate = certificate_for(node, Role::admin);
    value_of(node.keep({genesis_,
                        space_keys_,
                        certificate.actor,
                        {issue(certificate, node.keys().identity)},
                        {}}));
    node.start();
    return node;
}

SimNode& SimWorld::member(std::string const& name, Role role, bool known, SimNode* issuer) {
    SimNode& node = add_node(name);
    if (!issuer) issuer = nodes_.front().get();
    Certificate certificate = certificate_for(node, role);
    certificate.issuer_vv = issuer->replica().vector();
    std::string const bytes = issue(certificate, issuer->keys().identity);
    auto certificates = issuer->replica().membership().all_bytes();
    certificates.push_back(bytes);
    for (auto const& other : nodes_)
        if (other->running() && (known || other.get() == issuer)) other->learn(bytes);
    value_of(node.keep({genesis_, space_keys_, certificate.actor, std::move(certificates), {}}));
    node.start();
    return node;
}

SimNode& SimWorld::stranger(std::string const& name) {
    return add_node(name);
}

Certificate SimWorld::certificate_for(SimNode const& node, Role role) {
    Certificate certificate;
    certificate.space = genesis_.id();
    certificate.actor = ActorId{tape_.word64() | 1};
    certificate.site = node.keys().identity.public_key;
    certificate.channel = node.keys().channel.public_key;
    certificate.sealing = node.keys().sealing.public_key;
    certificate.name = node.name();
    certificate.role = role;
    certificate.issuer = genesis_.founder;
    return certificate;
}

void SimWorld::connect(SimNode& from, SimNode& to) {
    from.remember(to.address());
    value_of(from.peers().add_peer(to.address()));
}

void SimWorld::step(std::uint64_t ms) {
    std::uint64_t const until = network_.now_ms() + ms;
    while (next(until)) {
    }
}

bool SimWorld::next(std::uint64_t until_ms) {
    bool const more = network_.step(until_ms);
    find_power_losses();
    return more;
}

void SimWorld::find_power_losses() {
    if (!on_power_loss_) return;
    for (auto const& node : nodes_)
        if (node->lost_power()) on_power_loss_(*node);
}

std::vector<FaultEngine::Undisturbed> SimWorld::undisturbed() {
    std::vector<FaultEngine::Undisturbed> guards;
    for (auto const& node : nodes_)
        guards.emplace_back(node->engine());
    return guards;
}

bool SimWorld::run_until(std::function<bool()> const& condition, std::uint64_t bound_ms) {
    std::uint64_t const until = network_.now_ms() + bound_ms;
    while (!condition())
        if (!next(until)) return condition();
    return true;
}

bool SimWorld::all_equal() const {
    SimNode* first = nullptr;
    for (auto const& node : nodes_) {
        if (!node->running() || !belongs(*node)) continue;
        if (node->commits_under_way() > 0) return false;
        if (!first) first = node.get();
        Replica const& one = node->replica();
        Replica const& other = first->replica();
        if (one.vector() != other.vector() || one.root() != other.root()) return false;
        if (one.membership().digest() != other.membership().digest()) return false;
        if (one.keys()->sealing() != other.keys()->sealing()) return false;
    }
    return true;
}

bool SimWorld::belongs(SimNode const& node) const {
    if (!nodes_.front()->running()) return true;
    Membership const& known = nodes_.front()->replica().membership();
    SiteId const& site = node.keys().identity.public_key;
    auto const* member = known.by_site(site);
    // A relay gets no key of a later epoch, and in this version nothing that it cannot read.
    if (member && member->role == Role::relay)
        return nodes_.front()->replica().keys()->sealing().epoch == 0;
    return member || known.actors_of(site).empty();
}

bool SimWorld::converge(std::uint64_t bound_ms) {
    return run_until([this] { return all_equal(); }, bound_ms);
}

// ---- pairing ------------------------------------------------------------------------------------

InviteInfo SimWorld::invite(SimNode& inviter, InviteRequest request) {
    return value_of(try_invite(inviter, std::move(request)));
}

Result<InviteInfo> SimWorld::try_invite(SimNode& inviter, InviteRequest request) {
    // The answer may come when nobody waits for it any more.
    auto const info = std::make_shared<std::optional<Result<InviteInfo>>>();
    inviter.peers().invite(std::move(request),
                           [info](Result<InviteInfo> made) { *info = std::move(made); });
    run_until([&] { return info->has_value(); }, 1'000);
    if (!*info) return fail(Errc::unavailable, "no answer about an invitation");
    return **info;
}

std::shared_ptr<SimWorld::Pairing> SimWorld::begin_join(SimNode& node, std::string const& code) {
    auto pairing = std::make_shared<Pairing>();
    pairing->transport = network_.transport(node.name());
    pairing->joiner = std::make_shared<Joiner>(
        *pairing->transport,
        value_of(decode_pairing_code(code)),
        node.keys(),
        node.name(),
        [&node](SpaceGrant const& grant) { return node.keep(grant); },
        [weak = std::weak_ptr(pairing)](Result<Joiner::Joined> result) {
            if (auto const self = weak.lock()) self->outcome = std::move(result);
        });
    pairing->joiner->start();
    pairings_.push_back(pairing);
    return pairing;
}

bool SimWorld::end_join(SimNode& node, std::shared_ptr<Pairing> const& pairing) {
    std::erase(pairings_, pairing);
    pairing->joiner.reset();
    pairing->transport.reset();
    return node.is_member();
}

Result<Joiner::Joined> SimWorld::join(SimNode& node, std::string const& code) {
    auto const pairing = begin_join(node, code);
    bool const over = run_until([&] { return pairing->outcome.has_value(); }, 60'000);
    if (!over) throw std::logic_error("the joiner never answers");
    step(200);  // what it said last is on its way
    std::erase(pairings_, pairing);
    pairing->transport.reset();
    if (*pairing->outcome) node.start();
    return *std::move(pairing->outcome);
}

}  // namespace inos::sim
