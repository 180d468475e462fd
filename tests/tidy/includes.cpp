#include <algorithm>
#include <array>
#include <optional>

#include "tests/tidy/checks.hpp"

namespace inos::tidy {
namespace {

// tools -> net -> storage -> crdt and tools -> adapters -> storage: what each folder may include.
struct Box {
    std::string_view name;
    std::vector<std::string_view> may_include;
};

std::vector<Box> const kBoxes = {
    {"crdt", {"crdt"}},
    {"storage", {"storage", "crdt"}},
    {"net", {"net", "storage", "crdt"}},
    {"adapters", {"adapters", "storage", "crdt"}},
    {"tools", {"tools", "net", "adapters", "storage", "crdt"}},
    {"tests", {"tests", "tools", "net", "adapters", "storage", "crdt"}},
};

// The libraries of net/, lowest first: a file includes files of its own library and of lower ones.
constexpr std::array<std::string_view, 3> kNetLayers = {"wire", "sync", "net"};

constexpr std::array<std::string_view, 4> kBeastFiles = {
    "net/ws_transport.cpp", "net/http_server.cpp", "adapters/http/client.cpp", "net/boost_src.cpp"};

std::string_view first_folder(std::string_view path) {
    return path.substr(0, path.find('/'));
}

Box const* box_of(std::string_view path) {
    auto const found = std::ranges::find(kBoxes, first_folder(path), &Box::name);
    return found == kBoxes.end() ? nullptr : &*found;
}

std::optional<std::size_t> net_layer(Tree const& tree, std::string const& path) {
    for (std::size_t i = 0; i < kNetLayers.size(); ++i) {
        auto const library = tree.libraries.find(std::string(kNetLayers[i]));
        if (library != tree.libraries.end() && library->second.contains(path)) return i;
    }
    return std::nullopt;
}

bool is_std_header(std::string_view path) {
    return path.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
}

bool is_capnp(std::string_view path) {
    return path.starts_with("capnp/") || path.starts_with("kj/") || path.ends_with(".capnp.h");
}

// A header made from a Cap'n Proto schema exists where its schema exists.
bool exists(Tree const& tree, std::string const& path) {
    return tree.has(path) ||
           (path.ends_with(".capnp.h") && tree.has(path.substr(0, path.size() - 2)));
}

class IncludeCheck {
public:
    IncludeCheck(Tree const& tree, SourceFile const& file, Findings& findings)
        : tree_(tree), file_(file), findings_(findings) {}

    void run(Include const& include) {
        if (include.is_quoted) {
            own(include);
        } else {
            third_party(include);
        }
        bool const is_beast = include.path.starts_with("boost/beast");
        if (is_beast && std::ranges::find(kBeastFiles, file_.path) == kBeastFiles.end()) {
            add(include, "beast", "Boost.Beast is slow to compile and belongs to four files only");
        }
        if (is_capnp(include.path) && !file_.is_under("net/wire/")) {
            add(include, "capnp", "capnp and kj headers belong under net/wire/ only");
        }
    }

private:
    void add(Include const& include, std::string check, std::string message) {
        findings_.push_back({file_.path,
                             include.line,
                             std::move(check),
                             "\"" + include.path + "\": " + std::move(message)});
    }

    void own(Include const& include) {
        if (!exists(tree_, include.path)) {
            add(include, "include-missing", "no such file from the root of the tree");
            return;
        }
        Box const* box = box_of(file_.path);
        std::string_view const target = first_folder(include.path);
        if (box != nullptr &&
            std::ranges::find(box->may_include, target) == box->may_include.end()) {
            add(include,
                "include-direction",
                std::string(box->name) + " must not know " + std::string(target));
        }
        if (file_.is_under("tests/tidy/") && !include.path.starts_with("tests/tidy/")) {
            add(include, "include-direction", "the tidy program uses the standard library only");
        }
        auto const from = net_layer(tree_, file_.path);
        auto const to = net_layer(tree_, include.path);
        if (from && to && *to > *from) {
            add(include,
                "include-direction",
                "inos_" + std::string(kNetLayers[*from]) + " must not know inos_" +
                    std::string(kNetLayers[*to]));
        }
    }

    void third_party(Include const& include) {
        if (box_of(include.path) != nullptr && tree_.has(include.path)) {
            add(include, "include-form", "files of this tree are included in quotes");
        }
        bool const is_std_only = file_.is_under("crdt/") || file_.is_under("tests/tidy/");
        if (is_std_only && !is_std_header(include.path)) {
            add(include, "std-only", "only the standard library is used here");
        }
        if (include.path.starts_with("boost/") && net_layer(tree_, file_.path) == 1) {
            add(include, "boost", "inos_sync does without Boost");
        }
    }

    Tree const& tree_;
    SourceFile const& file_;
    Findings& findings_;
};

}  // namespace

Findings check_includes(Tree const& tree) {
    Findings findings;
    for (SourceFile const& file : tree.files) {
        for (Include const& include : file.includes) {
            IncludeCheck(tree, file, findings).run(include);
        }
    }
    return findings;
}

}  // namespace inos::tidy
