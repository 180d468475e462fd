#include "net/words.hpp"

#include <array>

namespace inos {
namespace {

// clang-format off
constexpr std::array<std::string_view, 256> kWords{
    "actor", "adult", "agent", "alarm", "album", "amber", "angle", "ankle", "apple", "april",
    "arrow", "artist", "atlas", "autumn", "azure", "bacon", "badge", "baker", "bamboo", "banjo",
    "barrel", "basket", "beetle", "bell", "berry", "bishop", "bonus", "border", "bottle", "bowl",
    "brick", "bronze", "bubble", "bunny", "butter", "cabin", "cactus", "candle", "carpet",
    "castle", "cello", "chalk", "cherry", "cinder", "circle", "citrus", "clock", "cobra",
    "coffee", "comet", "copper", "coral", "cotton", "cousin", "crab", "crown", "cube", "dance",
    "delta", "denim", "desert", "dimple", "dinner", "doctor", "dragon", "duck", "dune", "eagle",
    "earth", "easel", "echo", "elbow", "ember", "engine", "fabric", "farmer", "fence", "fiddle",
    "finger", "fjord", "flag", "flower", "forest", "fossil", "fox", "frost", "fruit", "funnel",
    "galaxy", "garden", "gate", "ginger", "glass", "globe", "goat", "goblet", "gold", "gorge",
    "gospel", "grape", "harbor", "hawk", "hedge", "heron", "hill", "hippo", "honey", "horse",
    "hotel", "hunter", "idol", "igloo", "image", "index", "insect", "iron", "island", "jacket",
    "jaguar", "jelly", "jewel", "jigsaw", "joker", "judge", "jumbo", "jungle", "karma", "kayak",
    "kettle", "kiosk", "kitten", "knight", "ladder", "lagoon", "lake", "lamp", "lava", "lemon",
    "lily", "linen", "lizard", "lotus", "lyric", "magnet", "maple", "marble", "meadow", "melon",
    "milk", "mimosa", "mirror", "mitten", "moon", "mosaic", "mother", "mud", "muffin", "napkin",
    "needle", "nest", "nickel", "night", "noble", "north", "nurse", "nutmeg", "oak", "oasis",
    "ocean", "olive", "onion", "opera", "orbit", "orchid", "otter", "owl", "oyster", "paddle",
    "paper", "parrot", "peach", "pebble", "pencil", "pepper", "piano", "pigeon", "pillow",
    "pirate", "planet", "plum", "pond", "poppy", "potato", "prince", "puzzle", "quartz", "queen",
    "radio", "raft", "rain", "raven", "rhythm", "ribbon", "ring", "river", "robin", "rocket",
    "rose", "saddle", "salmon", "sand", "saturn", "scarf", "sea", "shadow", "silver", "skate",
    "sled", "smoke", "snow", "soap", "solar", "spider", "spoon", "square", "stone", "sugar",
    "summer", "swan", "table", "temple", "tiger", "tomato", "tower", "train", "tulip", "tunnel",
    "uncle", "valley", "velvet", "vessel", "violin", "vortex", "waffle", "walnut", "water",
    "whale", "willow", "winter", "wizard", "wolf", "yacht", "yellow", "yogurt", "zigzag",
    "zipper",
};
// clang-format on
static_assert(!kWords.back().empty());

}  // namespace

std::string_view word_of_byte(std::uint8_t byte) {
    return kWords[byte];
}

}  // namespace inos
