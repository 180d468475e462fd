#include "tools/simulate/shrink.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace inos::simulate {
namespace {

// All that is smaller in one place.
std::vector<Object> simpler_objects(Object const& object, bool may_be_empty) {
    std::vector<Object> all;
    if (may_be_empty || object.size() > 1)
        for (std::size_t i = 0; i < object.size(); ++i) {
            Object without = object;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
            all.push_back(std::move(without));
        }
    for (std::size_t i = 0; i < object.size(); ++i)
        for (Value& value : simpler(object[i].value)) {
            all.push_back(object);
            all.back()[i].value = std::move(value);
        }
    return all;
}

std::vector<Value> simpler_numbers(std::int64_t number) {
    std::vector<Value> all;
    std::set<std::int64_t> seen{number};
    for (std::int64_t const one : {std::int64_t{0},
                                   number > 0 ? std::int64_t{1} : std::int64_t{-1},
                                   number / 2,
                                   number > 0 ? number - 1 : number + 1})
        if (number != 0 && seen.insert(one).second && !(one == 0 && number == 0))
            all.push_back(Value(one));
    return all;
}

std::vector<Value> simpler_texts(std::string const& text) {
    // Words of a workload are kept whole: a shorter one says nothing more to a reader.
    std::vector<Value> all;
    if (text.size() > 12) {
        std::size_t cut = text.size() / 2;
        while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80)
            --cut;
        all.push_back(Value(text.substr(0, cut)));
    }
    return all;
}

// What site `from` does, site `to` does instead.
Plan merged(Plan const& plan, std::size_t from, std::size_t to) {
    Plan out = plan;
    out.steps.clear();
    for (Step step : plan.steps) {
        if (step.kind != StepKind::meet && step.site == from) step.site = to;
        std::set<std::size_t> sites;
        for (std::size_t const site : step.sites)
            sites.insert(site == from ? to : site);
        step.sites.assign(sites.begin(), sites.end());
        if (step.kind != StepKind::meet || sites.size() > 1) out.steps.push_back(std::move(step));
    }
    return out;
}

// Without the last site, which does nothing any more.
Plan without_site(Plan const& plan, std::size_t gone) {
    Plan out = merged(plan, gone, gone);
    std::vector<Step> steps;
    for (Step& step : out.steps) {
        std::erase(step.sites, gone);
        if (step.kind == StepKind::meet && step.sites.size() < 2) continue;
        for (std::size_t& site : step.sites)
            site -= site > gone;
        step.site -= step.site > gone;
        steps.push_back(std::move(step));
    }
    out.steps = std::move(steps);
    --out.sites;
    return out;
}

std::vector<Step> simpler_forms(Step const& step) {
    std::vector<Step> all;
    auto const add = [&](auto const& change) {
        Step form = step;
        change(form);
        all.push_back(std::move(form));
    };
    if (step.cut_at > 0) add([](Step& form) { form.cut_at = 0; });
    if (step.sites.size() > 2)
        for (std::size_t i = step.sites.size(); i-- > 0;)
            add([i](Step& form) {
                form.sites.erase(form.sites.begin() + static_cast<std::ptrdiff_t>(i));
            });
    if (!step.source.empty()) add([](Step& form) { form.source.clear(); });
    for (std::size_t i = step.writes.size(); i-- > 0;) {
        if (step.writes.size() > 1)
            add([i](Step& form) {
                form.writes.erase(form.writes.begin() + static_cast<std::ptrdiff_t>(i));
            });
        Write const& write = step.writes[i];
        if (write.kind == Write::Kind::delete_) continue;
        if (write.kind == Write::Kind::put)
            add([i](Step& form) { form.writes[i].kind = Write::Kind::patch; });
        for (Object& fields : simpler_objects(write.fields, true))
            add([&, i](Step& form) { form.writes[i].fields = std::move(fields); });
    }
    return all;
}

bool acts(Plan const& plan, std::size_t site) {
    return std::any_of(plan.steps.begin(), plan.steps.end(), [site](Step const& step) {
        return step.kind != StepKind::meet && step.site == site;
    });
}

Plan without_steps(Plan plan, std::size_t begin, std::size_t end) {
    plan.steps.erase(plan.steps.begin() + static_cast<std::ptrdiff_t>(begin),
                     plan.steps.begin() + static_cast<std::ptrdiff_t>(end));
    return plan;
}

// Without one site: it is not needed, or another one does what it did.
std::vector<Plan> without_site_forms(Plan const& plan, std::size_t site) {
    std::vector<Plan> all;
    if (plan.sites <= kSitesMin) return all;
    if (!acts(plan, site)) all.push_back(without_site(plan, site));
    for (std::size_t other = 0; acts(plan, site) && other < plan.sites; ++other)
        if (other != site) all.push_back(without_site(merged(plan, site, other), site));
    return all;
}

class Shrinking {
public:
    Shrinking(Plan plan, std::function<bool(Plan const&)> const& fails, std::size_t tries_max)
        : best_(std::move(plan)), fails_(fails), tries_max_(tries_max) {}

    Shrunk run() {
        for (bool smaller = true; smaller && !used_up();) {
            smaller = fewer_steps();
            smaller = fewer_sites() || smaller;
            smaller = simpler_steps() || smaller;
        }
        return {best_, tries_, !used_up()};
    }

private:
    bool used_up() const { return tries_ >= tries_max_; }

    bool take(Plan candidate) {
        if (used_up()) return false;
        ++tries_;
        if (!fails_(candidate)) return false;
        best_ = std::move(candidate);
        return true;
    }

    // From the end, because what was made last depends on what came before it.
    bool fewer_steps() {
        bool smaller = false;
        for (std::size_t size = std::max<std::size_t>(best_.steps.size() / 2, 1); size > 0;
             size /= 2)
            for (std::size_t end = best_.steps.size(); end > 0 && !used_up();) {
                std::size_t const begin = end > size ? end - size : 0;
                smaller = take(without_steps(best_, begin, end)) || smaller;
                end = std::min(begin, best_.steps.size());
            }
        return smaller;
    }

    bool fewer_sites() {
        bool smaller = false;
        for (std::size_t site = best_.sites; site-- > 0 && !used_up();) {
            if (site >= best_.sites) continue;
            for (Plan& form : without_site_forms(best_, site)) {
                if (!take(std::move(form))) continue;
                smaller = true;
                break;
            }
        }
        return smaller;
    }

    // Replaces a step as long as one of its simpler forms still fails.
    bool simpler_steps() {
        bool smaller = false;
        for (std::size_t i = 0; i < best_.steps.size() && !used_up();) {
            bool found = false;
            for (Step& step : simpler_forms(best_.steps[i])) {
                Plan candidate = best_;
                candidate.steps[i] = std::move(step);
                if (!take(std::move(candidate))) continue;
                found = smaller = true;
                break;
            }
            if (!found) ++i;
        }
        return smaller;
    }

    Plan best_;
    std::function<bool(Plan const&)> const& fails_;
    std::size_t tries_max_, tries_ = 0;
};

}  // namespace

std::vector<Value> simpler(Value const& value) {
    if (auto const* number = value.as<std::int64_t>()) return simpler_numbers(*number);
    if (auto const* text = value.as<std::string>()) return simpler_texts(*text);
    std::vector<Value> all;
    if (auto const* object = value.as<Object>()) {
        for (Object& one : simpler_objects(*object, false))
            all.push_back(Value(std::move(one)));
    } else if (auto const* array = value.as<Array>()) {
        for (std::size_t i = 0; i < array->size(); ++i) {
            Array without = *array;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
            all.push_back(Value(std::move(without)));
        }
        for (std::size_t i = 0; i < array->size(); ++i)
            for (Value& one : simpler((*array)[i])) {
                Array changed = *array;
                changed[i] = std::move(one);
                all.push_back(Value(std::move(changed)));
            }
    }
    return all;
}

std::vector<Plan> smaller(Plan const& plan) {
    std::vector<Plan> all;
    for (std::size_t size = plan.steps.size(); size > 0; size /= 2)
        for (std::size_t end = plan.steps.size(); end > 0; end -= std::min(size, end))
            all.push_back(without_steps(plan, end > size ? end - size : 0, end));
    for (std::size_t site = plan.sites; site-- > 0;)
        for (Plan& form : without_site_forms(plan, site))
            all.push_back(std::move(form));
    for (std::size_t i = 0; i < plan.steps.size(); ++i)
        for (Step& step : simpler_forms(plan.steps[i])) {
            all.push_back(plan);
            all.back().steps[i] = std::move(step);
        }
    return all;
}

Shrunk shrink(Plan plan, std::function<bool(Plan const&)> const& fails, std::size_t tries_max) {
    return Shrinking(std::move(plan), fails, tries_max).run();
}

}  // namespace inos::simulate
