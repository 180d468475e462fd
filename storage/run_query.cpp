#include "storage/run_query.hpp"

#include <algorithm>
#include <utility>

#include "storage/keys.hpp"

namespace inos {
namespace {

constexpr std::size_t kPageRecords = 100;  // read from the replica at a time

class Run {
public:
    Run(Replica const& replica, Query const& query, ShowRecord const& show)
        : replica_(replica), query_(query), show_(show), plan_(plan_of(replica, query)) {}

    Result<QueryEnd> run() {
        if (!query_.order.fields().empty()) {
            if (!query_.after.empty()) {
                INOS_TRY(from_, query_.order.from_token(query_.after));
            }
            INOS_CHECK(plan_.ordered ? in_order_of_index() : sorted());
            return end_;
        }
        if (!query_.after.empty()) from_ = OrderPlace{{}, query_.after};
        if (!plan_.index) {
            INOS_CHECK(all());
        } else if (plan_.ordered) {
            INOS_CHECK(in_order_of_index());
        } else {
            INOS_CHECK(by_id());
        }
        return end_;
    }

private:
    // ---- one record -----------------------------------------------------------------------------
    bool is_selected(RecordView const& record) const {
        return !query_.where || query_.where->selects(record.id, record.fields);
    }

    // The record under a key that an index has named, if it is selected.
    Result<std::optional<RecordView>> look(std::string const& key) {
        ++end_.looked_at;
        if (replica_.aliases().is_alias(query_.collection, key)) return std::optional<RecordView>();
        INOS_TRY(auto record, replica_.get({query_.collection, key}));
        if (record) end_.bytes += record->bytes;
        if (record && !is_selected(*record)) record.reset();
        return record;
    }

    // Shows it; false: no more fit into this answer.
    bool emit(RecordView& record) {
        return show_(record) && ++count_ < query_.limit && end_.bytes <= kQueryBytesMax;
    }

    bool too_many_passed() { return ++passed_ >= query_.looks_max || end_.bytes > kQueryBytesMax; }

    void go_on_behind(OrderPlace const& place) {
        end_.next = query_.order.fields().empty() ? place.id : Order::token(place);
    }

    // ---- without an index -----------------------------------------------------------------------
    // By id.
    Result<void> all() {
        std::optional<std::string> after = query_.after;
        do {
            std::size_t const page_size =
                query_.where ? kPageRecords : std::min(kPageRecords, query_.limit - count_);
            std::size_t const skip_max = query_.looks_max - passed_;
            INOS_TRY(auto page, replica_.list(query_.collection, *after, page_size, skip_max));
            passed_ += page.skipped;
            end_.looked_at += page.skipped + page.records.size();
            for (std::size_t i = 0; i < page.records.size(); ++i) {
                RecordView& record = page.records[i];
                end_.bytes += record.bytes;
                if (!is_selected(record)) {
                    ++passed_;
                    continue;
                }
                std::string const id = record.id;
                if (emit(record)) continue;
                if (i + 1 < page.records.size() || page.next) end_.next = id;
                return {};
            }
            after = std::move(page.next);
        } while (after && passed_ < query_.looks_max && end_.bytes <= kQueryBytesMax);
        end_.next = std::move(after);
        return {};
    }

    // ---- through the index ----------------------------------------------------------------------
    std::string entry_key(std::string_view values) const {
        std::string key = keys::secondary(replica_.space_number(), plan_.index->id);
        key += values;
        return key;
    }

    // Values and record of an entry.
    Result<std::pair<std::vector<std::string_view>, std::string>> read_entry(
        std::string_view key) const {
        std::string_view rest = key.substr(entry_key({}).size());
        auto values = index_components(rest, plan_.index->fields.size());
        if (!values) return fail(Errc::corruption, "an entry of a secondary index is malformed");
        for (std::string_view const value : *values)
            rest.remove_prefix(value.size());
        return std::pair(*std::move(values), std::string(rest));
    }

    // Calls `take` with the values and the record's key of each entry, until it answers false.
    template <class Take>
    Result<void> walk_entries(Take take) const {
        auto ranges = plan_.ranges;
        if (plan_.direction == Direction::descending) std::reverse(ranges.begin(), ranges.end());
        for (IndexRange const& range : ranges) {
            std::string first = entry_key(range.first), end = entry_key(range.end);
            if (auto const seek = plan_.ordered && from_ ? seek_key() : std::nullopt) {
                if (plan_.direction == Direction::ascending)
                    first = std::max(first, *seek + '\0');
                else
                    end = std::min(end, *seek);
            }
            if (first >= end) continue;
            auto cursor = replica_.engine().scan(Family::index, first, end, plan_.direction);
            for (; cursor->valid(); cursor->next()) {
                INOS_TRY(auto const entry, read_entry(cursor->key()));
                INOS_TRY(bool const more, take(entry.first, entry.second));
                if (!more) return {};
            }
            INOS_CHECK(cursor->status());
        }
        return {};
    }

    // The entry at which the page before ended.
    std::optional<std::string> seek_key() const {
        std::string values;
        auto const& fields = query_.order.fields();
        std::string_view fixed = plan_.ranges.empty() ? std::string_view() : plan_.ranges[0].first;
        auto const components = index_components(fixed, plan_.fixed);
        if (!components) return std::nullopt;
        for (std::string_view const value : *components)
            values += value;
        for (std::size_t i = plan_.fixed; i < plan_.index->fields.size(); ++i) {
            auto const field = std::find_if(fields.begin(), fields.end(), [&](OrderField const& f) {
                return f.path == plan_.index->fields[i];
            });
            values += from_->values[static_cast<std::size_t>(field - fields.begin())];
        }
        return entry_key(values) + from_->id;
    }

    // Of an entry, in an order that the index gives.
    OrderPlace place_of(std::vector<std::string_view> const& values, std::string const& key) const {
        OrderPlace place{{}, key};
        for (OrderField const& field : query_.order.fields()) {
            auto const& fields = plan_.index->fields;
            auto const at = std::find(fields.begin(), fields.end(), field.path) - fields.begin();
            place.values.emplace_back(values[static_cast<std::size_t>(at)]);
        }
        return place;
    }

    Result<void> in_order_of_index() {
        std::optional<OrderPlace> last;  // set: the answer is full
        return walk_entries([&](auto const& values, std::string const& key) -> Result<bool> {
            if (last) {
                go_on_behind(*last);
                return false;
            }
            INOS_TRY(auto record, look(key));
            bool const full = record ? !emit(*record) : too_many_passed();
            if (full) last = place_of(values, key);
            return true;
        });
    }

    // Only the ids have to be in order, so it is enough to collect these, if they are not too many.
    Result<void> by_id() {
        std::vector<std::string> found;
        std::size_t seen = 0;
        INOS_CHECK(walk_entries([&](auto const&, std::string const& key) -> Result<bool> {
            if (query_.after < key) found.push_back(key);
            return ++seen <= query_.sort_max;
        }));
        if (seen > query_.sort_max) return all();
        std::sort(found.begin(), found.end());
        for (std::string const& key : found) {
            INOS_TRY(auto record, look(key));
            if (record ? emit(*record) : !too_many_passed()) continue;
            if (key != found.back()) end_.next = key;
            break;
        }
        return {};
    }

    // ---- sorted here ----------------------------------------------------------------------------
    Result<void> sorted() {
        std::vector<OrderPlace> places;
        auto const take = [&](RecordView const& record) -> Result<bool> {
            if (!is_selected(record)) return true;
            OrderPlace place = query_.order.place(record.id, record.fields);
            if (!from_ || query_.order.before(*from_, place)) places.push_back(std::move(place));
            return true;
        };
        INOS_CHECK(plan_.index ? each_of_index(take) : each_of_collection(take));
        std::sort(places.begin(), places.end(), [this](OrderPlace const& a, OrderPlace const& b) {
            return query_.order.before(a, b);
        });
        for (OrderPlace const& place : places) {
            INOS_TRY(auto record, replica_.get({query_.collection, place.id}));
            if (!record || emit(*record)) continue;
            if (&place != &places.back()) go_on_behind(place);
            break;
        }
        return {};
    }

    template <class Take>
    Result<void> each_of_index(Take take) {
        return walk_entries([&](auto const&, std::string const& key) -> Result<bool> {
            if (end_.looked_at == query_.sort_max || end_.bytes > kQueryBytesMax)
                return tl::unexpected(too_many());
            INOS_TRY(auto const record, look(key));
            return record ? take(*record) : true;
        });
    }

    template <class Take>
    Result<void> each_of_collection(Take take) {
        std::optional<std::string> after = "";
        while (after) {
            INOS_TRY(auto page,
                     replica_.list(query_.collection, *after, kPageRecords, kPageRecords));
            end_.looked_at += page.skipped + page.records.size();
            for (RecordView const& record : page.records)
                end_.bytes += record.bytes;
            if (end_.looked_at > query_.sort_max || end_.bytes > kQueryBytesMax)
                return tl::unexpected(too_many());
            for (RecordView const& record : page.records) {
                INOS_CHECK(take(record));
            }
            after = std::move(page.next);
        }
        return {};
    }

    Error too_many() const {
        auto const fields = helpful_index(query_.where ? &*query_.where : nullptr, query_.order);
        return Error{
            Errc::too_large,
            "\"" + query_.collection + "\" has more than " + std::to_string(query_.sort_max) +
                " records, or " + std::to_string(kQueryBytesMax >> 20) +
                " MiB of them, to be put in order; " +
                (fields.empty()
                     ? std::string("no index gives this order")
                     : "an index in its schema would help, such as " + index_line(fields)) +
                ", and so would a narrower \"where\"",
            "order"};
    }

    Replica const& replica_;
    Query const& query_;
    ShowRecord const& show_;
    QueryPlan const plan_;
    std::optional<OrderPlace> from_;  // what is shown comes behind this
    std::size_t count_ = 0, passed_ = 0;
    QueryEnd end_;
};

}  // namespace

QueryPlan plan_of(Replica const& replica, Query const& query) {
    return plan_query(query.where ? &*query.where : nullptr,
                      query.order,
                      replica.ready_indexes(query.collection));
}

Result<QueryEnd> run_query(Replica const& replica, Query const& query, ShowRecord const& show) {
    return Run(replica, query, show).run();
}

}  // namespace inos
