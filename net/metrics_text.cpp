#include "net/metrics_text.hpp"

namespace inos {
namespace {

// In a label's value, a quote is escaped too.
std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (char const c : text) {
        if (c == '\n')
            out += "\\n";
        else if (c == '\\' || (quotes && c == '"'))
            out += {'\\', c};
        else
            out += c;
    }
    return out;
}

}  // namespace

void MetricsText::begin(std::string_view name, std::string_view help, std::string_view type) {
    name_ = name;
    text_ += "# HELP " + name_ + " " + escaped(help, false) + "\n";
    text_ += "# TYPE " + name_ + " " + std::string(type) + "\n";
}

void MetricsText::sample(Labels const& labels, std::string const& value) {
    text_ += name_;
    for (auto const& [name, label] : labels) {
        text_ += &name == &labels.front().first ? '{' : ',';
        text_ += std::string(name) + "=\"" + escaped(label, true) + '"';
    }
    text_ += (labels.empty() ? " " : "} ") + value + "\n";
}

void MetricsText::seconds(Labels const& labels, std::int64_t ms) {
    std::uint64_t const size =
        ms < 0 ? 0 - static_cast<std::uint64_t>(ms) : static_cast<std::uint64_t>(ms);
    std::string const thousandths = std::to_string(1'000 + size % 1'000).substr(1);
    sample(labels, (ms < 0 ? "-" : "") + std::to_string(size / 1'000) + "." + thousandths);
}

}  // namespace inos
