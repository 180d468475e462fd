// Measurements in the text format of Prometheus, version 0.0.4: families with HELP and TYPE,
// samples with escaped labels. Pure.
//
//   MetricsText text;
//   text.gauge("inos_records", "Visible records.");
//   text.sample({{"collection", "customers"}}, 7);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inos {

class MetricsText {
public:
    using Labels = std::vector<std::pair<std::string_view, std::string>>;

    // Begins a family; the samples that follow are its.
    void gauge(std::string_view name, std::string_view help) { begin(name, help, "gauge"); }
    void counter(std::string_view name, std::string_view help) { begin(name, help, "counter"); }
    // One set of labels must not come twice in a family.
    void sample(Labels const& labels, std::uint64_t value) {
        sample(labels, std::to_string(value));
    }
    void sample(Labels const& labels, std::int64_t value) { sample(labels, std::to_string(value)); }
    void seconds(Labels const& labels, std::int64_t ms);  // in seconds, with three decimals

    std::string const& text() const { return text_; }

private:
    void begin(std::string_view name, std::string_view help, std::string_view type);
    void sample(Labels const& labels, std::string const& value);

    std::string name_;
    std::string text_;
};

}  // namespace inos
