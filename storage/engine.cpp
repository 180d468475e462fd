#include "storage/engine.hpp"

namespace inos {

char const* family_name(Family family) {
    switch (family) {
        case Family::records:
            return "records";
        case Family::log:
            return "log";
        case Family::index:
            return "index";
        case Family::digests:
            return "digests";
        case Family::journal:
            return "journal";
        case Family::meta:
            return "meta";
        case Family::staging:
            return "staging";
    }
    return "unknown";
}

}  // namespace inos
