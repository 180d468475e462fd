// What an inspection finds of damage that was planted, where it says that it lies, and what becomes
// of it; and that it finds nothing where nothing is wrong.
#include "storage/integrity.hpp"

#include <gmock/gmock.h>

#include "tests/storage/repair_fixture.hpp"

namespace inos {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Inspected inspect(Site& site, std::size_t budget = 300) {
    Inspector inspector(*site);
    for (int steps = 0; !value_of(inspector.step(budget)); ++steps)
        if (steps > 10'000)
            throw std::logic_error("an inspection does not end, in phase " +
                                   std::to_string(static_cast<int>(inspector.inspected().phase)) +
                                   " after " + std::to_string(inspector.inspected().entries) +
                                   " entries");
    return inspector.inspected();
}

std::vector<FindingKind> kinds(Inspected const& seen) {
    std::vector<FindingKind> all;
    for (Finding const& finding : seen.findings)
        all.push_back(finding.kind);
    return all;
}

void remove(Site& site, Family family, std::string const& key) {
    ASSERT_TRUE(raw(site, family, key).has_value()) << "there is something to lose";
    put_raw(site, family, key, std::nullopt);
}

// A shop with an index of cities, a void entry, an erased record and signatures.
struct Office : Shop {
    Office() {
        space[0].set_schema(R"({"c": {"index": ["city"]}})");
        space[1].put("c", "dan", object_of(R"({"name": "Dan", "city": "Ulm"})"));
        space[0].put("c", "eve", object_of(R"({"name": "Eve"})"));
        space.converge();
        space[1].erase_for_good("c", "eve");
        space.converge();
        expect_indexed(site());
    }
    Inspected look(std::size_t budget = 300) { return inspect(site(), budget); }
    void expect_nothing() {
        auto const seen = look();
        EXPECT_THAT(kinds(seen), IsEmpty());
        EXPECT_TRUE(seen.whole);
        EXPECT_TRUE(seen.sums_compared);
    }
    // Keys of the rows of that kind.
    std::vector<std::string> rows(Family family, char kind) {
        std::vector<std::string> keys;
        for (auto const& [key, value] : contents(*site().engine, family))
            if (key.second.size() > 4 && key.second[4] == kind) keys.push_back(key.second);
        return keys;
    }
    std::string entry(std::size_t author, Seq seq) {
        return keys::log(1, {space[author].actor(), seq});
    }
};

TEST(Integrity, nothing_is_found_where_nothing_is_wrong_however_long_the_steps_are) {
    for (std::size_t const budget : {1u, 300u, 5'000u, 1u << 20}) {
        Office office;
        auto const seen = office.look(budget);
        EXPECT_THAT(kinds(seen), IsEmpty());
        EXPECT_TRUE(seen.whole);
        EXPECT_TRUE(seen.sums_compared);
        EXPECT_EQ(seen.records, contents(*office.site().engine, Family::records).size());
        EXPECT_EQ(seen.entries,
                  office.site()->vector().at(office.space[0].actor()) +
                      office.site()->vector().at(office.space[1].actor()));
        EXPECT_GT(seen.signatures, 0u);
        EXPECT_GT(seen.index_rows, 0u);
        EXPECT_GT(seen.meta_rows, 0u);
    }
}

TEST(Integrity, nothing_is_found_in_a_log_that_was_cut) {
    Office office;
    office.space.acknowledge();
    cut(office.site(), office.space[1].actor(), 1);
    office.expect_nothing();
}

// ---- records ------------------------------------------------------------------------------------

TEST(Integrity, D20_a_changed_record_is_found_named_and_waits_for_its_repair) {
    Office office;
    flip(office.site(), Family::records, record_key("ann"));
    auto const seen = office.look();
    ASSERT_THAT(kinds(seen), ElementsAre(FindingKind::record_damaged));
    EXPECT_EQ(seen.findings[0].collection, "c");
    EXPECT_EQ(seen.findings[0].key, "ann");
    EXPECT_EQ(seen.findings[0].remedy, Remedy::itself);
    EXPECT_FALSE(seen.sums_compared) << "the repair sums";
    EXPECT_THAT(office.site()->damaged_records(), ElementsAre(shared_key("ann")));
    Inspector inspector(*office.site());
    EXPECT_THAT(value_of(inspector.still_there(seen.findings)), SizeIs(1));
    EXPECT_EQ(mend(office.site()).mended, 1u);
    EXPECT_THAT(value_of(inspector.still_there(seen.findings)), IsEmpty());
    office.expect_nothing();
}

TEST(Integrity, D20_a_lost_record_shows_in_the_sums_and_comes_back) {
    Office office;
    remove(office.site(), Family::records, record_key("dan"));
    auto const seen = office.look();
    // Its entry in the index of cities is nobody's, too.
    ASSERT_THAT(kinds(seen), ElementsAre(FindingKind::index_extra, FindingKind::sums));
    EXPECT_EQ(seen.findings[1].collection, "c");
    EXPECT_FALSE(office.site()->damaged_records().empty()) << "somebody has to look";
    mend(office.site());
    EXPECT_EQ(office.site().field("c", "dan", "name"), Value("Dan"));
    office.expect_nothing();
}

TEST(Integrity, a_row_that_no_record_can_have_is_named) {
    Office office;
    put_raw(office.site(), Family::records, keys::space_begin(1) + "nothing", std::string("x"));
    EXPECT_THAT(kinds(office.look()), ElementsAre(FindingKind::record_key));
}

TEST(Integrity, what_was_erased_and_is_here_again_is_found) {
    Office office;
    auto& site = office.site();
    auto const value = *raw(site, Family::records, record_key("ann"));
    auto const ann = value_of(StoredRecord::decode(value, {"c", "ann"}));
    std::string const again =
        StoredRecord::encode(record_digest(office.space.digest_key(), "c", "eve", ann.record),
                             ann.digest_class,
                             ann.last,
                             ann.record);
    put_raw(site, Family::records, record_key("eve"), again);
    auto const seen = office.look();
    ASSERT_THAT(kinds(seen), ElementsAre(FindingKind::record_erased));
    EXPECT_EQ(seen.findings[0].key, "eve");
    mend(site);
    EXPECT_FALSE(raw(site, Family::records, record_key("eve")).has_value());
}

TEST(Integrity, a_block_of_records_that_cannot_be_read_is_named_and_the_rest_is_looked_at) {
    Office office;
    office.site().engine->make_unreadable(Family::records, record_key("ann"));
    flip(office.site(), Family::records, record_key("x", "d"));
    auto const seen = office.look();
    EXPECT_FALSE(seen.whole);
    EXPECT_THAT(kinds(seen), ElementsAre(FindingKind::record_damaged, FindingKind::unreadable));
    EXPECT_EQ(seen.findings[0].collection, "d");
    EXPECT_EQ(seen.findings[1].family, Family::records);
}

// ---- sums and indexes ---------------------------------------------------------------------------

TEST(Integrity, D25_sums_that_are_not_those_of_the_records_are_found_and_made_again) {
    Office office;
    auto const key = keys::digest(1, "c");
    CollectionSums sums;
    ASSERT_TRUE(CollectionSums::decode(*raw(office.site(), Family::digests, key), sums));
    sums.add(DigestClass::unmarked, kNotComparable);
    put_raw(office.site(), Family::digests, key, sums.encode());
    auto const unlike = office.look();
    EXPECT_THAT(kinds(unlike), ElementsAre(FindingKind::sums_row)) << "not what is in use";
    office.site().reopen();
    EXPECT_THAT(kinds(office.look()), ElementsAre(FindingKind::sums));
    mend(office.site());
    office.expect_nothing();
    EXPECT_EQ(office.site()->root(), office.space[1]->root());
}

TEST(Integrity, D29_rows_that_show_too_little_or_too_much_of_a_record_are_put_right) {
    Office office;
    auto const rows = office.rows(Family::index, 'd');
    ASSERT_FALSE(rows.empty());
    remove(office.site(), Family::index, rows[0]);
    put_raw(office.site(), Family::index, keys::index_record(1, 'o', "c", "ann"), "");
    put_raw(office.site(), Family::index, keys::conflict(1, "c", "nobody"), "");
    auto const seen = office.look();
    EXPECT_THAT(kinds(seen),
                ElementsAre(FindingKind::index_row_lacks,
                            FindingKind::index_row_lacks,
                            FindingKind::index_row_extra));
    EXPECT_FALSE(raw(office.site(), Family::index, keys::conflict(1, "c", "nobody")).has_value());
    EXPECT_EQ(mend(office.site()).mended, 2u);
    EXPECT_TRUE(raw(office.site(), Family::index, rows[0]).has_value());
    EXPECT_FALSE(
        raw(office.site(), Family::index, keys::index_record(1, 'o', "c", "ann")).has_value());
    office.expect_nothing();
}

TEST(Integrity, D29_a_secondary_index_that_is_wrong_is_built_again) {
    for (bool const lost : {true, false}) {
        Office office;
        auto const rows = office.rows(Family::index, 's');
        ASSERT_FALSE(rows.empty());
        if (lost)
            remove(office.site(), Family::index, rows[0]);
        else
            put_raw(office.site(), Family::index, rows[0] + "x", "");
        auto const seen = office.look();
        ASSERT_THAT(kinds(seen),
                    ElementsAre(lost ? FindingKind::index_lacks : FindingKind::index_extra));
        EXPECT_EQ(seen.findings[0].collection, "c");
        EXPECT_THAT(seen.findings[0].fields, ElementsAre("city"));
        EXPECT_FALSE(office.site()->index_status().at(0).ready) << "no query uses it";
        expect_indexed(office.site());
        office.expect_nothing();
    }
}

// ---- the log ------------------------------------------------------------------------------------

struct LogDamage {
    char const* what;
    FindingKind kind;
    std::function<void(Office&)> plant;
    Seq seq;
};

TEST(Integrity, D20_the_log_is_what_its_authors_chained_and_signed) {
    std::vector<LogDamage> const damages{
        {"a bit of an entry",
         FindingKind::entry_chain,
         [](Office& o) { flip(o.site(), Family::log, o.entry(1, 2)); },
         2},
        {"an entry is lost",
         FindingKind::entry_missing,
         [](Office& o) { put_raw(o.site(), Family::log, o.entry(1, 2), std::nullopt); },
         2},
        {"an entry is no entry",
         FindingKind::entry_unreadable,
         [](Office& o) { put_raw(o.site(), Family::log, o.entry(1, 2), "\x7f"); },
         2},
        {"a block cannot be read",
         FindingKind::entry_unreadable,
         [](Office& o) { o.site().engine->make_unreadable(Family::log, o.entry(1, 2)); },
         2},
        {"an entry too many",
         FindingKind::entry_stray,
         [](Office& o) { put_raw(o.site(), Family::log, o.entry(1, 999), "x"); },
         0},
        {"an entry of nobody",
         FindingKind::entry_stray,
         [](Office& o) {
             put_raw(o.site(), Family::log, keys::log(1, {ActorId{3}, 1}), "x");
         },
         1},
    };
    for (LogDamage const& damage : damages) {
        SCOPED_TRACE(damage.what);
        Office office;
        damage.plant(office);
        auto const seen = office.look();
        auto const found =
            std::find_if(seen.findings.begin(), seen.findings.end(), [&](Finding const& finding) {
                return finding.kind == damage.kind;
            });
        ASSERT_NE(found, seen.findings.end());
        EXPECT_EQ(found->count, 1u);
        EXPECT_EQ(found->family, Family::log);
        if (damage.seq > 1) {
            EXPECT_EQ(found->actor, office.space[1].actor());
            EXPECT_EQ(found->seq, damage.seq);
        }
    }
}

TEST(Integrity, D20_a_signature_that_is_lost_or_not_its_authors_is_found) {
    for (bool const lost : {true, false}) {
        Office office;
        auto& site = office.site();
        std::string last;
        for (auto const& [key, value] : contents(*site.engine, Family::log))
            if (key.second.size() == keys::signature(1, {}).size() &&
                key.second.starts_with(office.entry(1, 0).substr(0, 12)))
                last = key.second;
        ASSERT_FALSE(last.empty());
        if (lost)
            remove(site, Family::log, last);
        else
            flip(site, Family::log, last);
        auto const seen = office.look();
        ASSERT_THAT(kinds(seen), ElementsAre(FindingKind::signature));
        EXPECT_EQ(seen.findings[0].actor, office.space[1].actor());
        EXPECT_EQ(seen.findings[0].remedy, Remedy::replace);
    }
}

TEST(Integrity, a_history_that_leads_nowhere_is_found) {
    Office office;
    auto& site = office.site();
    ActorId const author = office.space[1].actor();
    std::string const key = office.entry(1, 2);  // a change of "ann", whom the other one wrote
    std::string const value = *raw(site, Family::log, key);
    auto stored = *StoredEntry::decode(value, author);
    ASSERT_THAT(stored.links, SizeIs(1));
    stored.links[0] = {author, 1};  // "cid"
    put_raw(site, Family::log, key, stored.encode(author));
    auto const seen = office.look();
    ASSERT_THAT(kinds(seen), ElementsAre(FindingKind::entry_links));
    EXPECT_EQ(seen.findings[0].seq, 2u);
    stored.links[0] = {author, 500};
    put_raw(site, Family::log, key, stored.encode(author));
    EXPECT_THAT(kinds(office.look()), ElementsAre(FindingKind::entry_links));
    check(site);
    office.expect_nothing();
}

TEST(Integrity, what_is_kept_beside_entries_is_looked_at) {
    Office office;
    for (Seq i = 0; i < 2 * kDepsEvery; ++i)
        office.space[1].put(
            "many", std::to_string(i % 5), {{"n", Value(static_cast<std::int64_t>(i))}});
    office.space.converge();
    office.expect_nothing();
    std::string const row = keys::deps(1, {office.space[1].actor(), kDepsEvery});
    remove(office.site(), Family::index, row);
    auto const seen = office.look();
    ASSERT_THAT(kinds(seen), ElementsAre(FindingKind::entry_row));
    EXPECT_EQ(seen.findings[0].seq, kDepsEvery);
}

// ---- notes --------------------------------------------------------------------------------------

TEST(Integrity, notes_that_cannot_be_read_or_are_not_what_is_in_use_are_found) {
    for (char const kind : {'a', 'c', 'e', 'k'}) {
        SCOPED_TRACE(kind);
        Office office;
        office.space.acknowledge();
        auto const rows = office.rows(Family::meta, kind);
        if (rows.empty()) continue;
        std::string value = *raw(office.site(), Family::meta, rows[0]);
        value.resize(value.size() - 1);
        put_raw(office.site(), Family::meta, rows[0], value);
        auto const seen = office.look();
        ASSERT_THAT(kinds(seen), ElementsAre(FindingKind::meta));
        EXPECT_EQ(seen.findings[0].key, std::string(1, kind));
    }
    Office office;
    put_raw(office.site(), Family::meta, keys::directory("format"), std::string("0"));
    EXPECT_THAT(kinds(office.look()), ElementsAre(FindingKind::format));
}

// ---- while others write -------------------------------------------------------------------------

TEST(Integrity, a_pass_goes_on_through_writes_and_begins_again_with_a_new_state) {
    Office office;
    Inspector inspector(*office.site());
    for (int n = 0; n < 400; ++n) {
        if (value_of(inspector.step(1))) {
            EXPECT_THAT(kinds(inspector.inspected()), IsEmpty());
            EXPECT_TRUE(inspector.inspected().sums_compared);
        }
        std::string const key = std::to_string(n % 7);
        if (n % 3 == 0) office.site().put("c", key, {{"city", Value("c" + key)}});
        if (n % 5 == 0) office.site().erase("c", key);
        if (n % 11 == 0) office.site().erase_for_good("z" + key, key);
    }
}

TEST(Integrity, sums_are_not_compared_while_a_repair_sums) {
    Office office;
    RecordRepair repair(*office.site());
    while (!value_of(repair.step(50))) {
        auto const seen = inspect(office.site(), 100);
        EXPECT_THAT(kinds(seen), IsEmpty());
    }
    office.expect_nothing();
}

TEST(Integrity, a_disk_that_does_not_answer_is_asked_again_at_the_same_place) {
    Office office;
    Inspector inspector(*office.site());
    std::size_t failures = 0;
    bool over = false;
    for (int n = 0; !over && n < 10'000; ++n) {
        auto& engine = *office.site().engine;
        engine.die_at(1 + n % 23, FaultEngine::Counted::calls, FaultEngine::Outcome::lost, {});
        auto const step = inspector.step(200);
        engine.heal();
        failures += step ? 0 : 1;
        over = step && *step;
    }
    EXPECT_TRUE(over);
    EXPECT_GT(failures, 3u);
    EXPECT_THAT(kinds(inspector.inspected()), IsEmpty());
    EXPECT_TRUE(inspector.inspected().sums_compared);
}

}  // namespace
}  // namespace inos
