// Backup files: the parser whatever pieces come, contents, chunks, and files with right hashes
// around any rows.
#include "crdt/bytes.hpp"
#include "storage/backup.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

struct Seen {
    std::string frames;
    bool failed = false;
};

Seen parse(std::string_view bytes, std::size_t step) {
    Seen seen;
    BackupParser parser;
    while (!bytes.empty() && !seen.failed) {
        std::string_view const piece = bytes.substr(0, step);
        bytes.remove_prefix(piece.size());
        seen.failed = !parser.feed(piece, [&](BackupFrame const& frame) -> Result<void> {
            seen.frames += frame_bytes(frame);
            auto const content = part_content(frame, nullptr);
            if (content && frame.kind == 'f') (void)read_file_content(*content);
            return {};
        });
    }
    if (!seen.failed && !parser.finish()) seen.frames += "unfinished";
    return seen;
}

void check_contents(std::string_view bytes) {
    auto const contents = BackupContents::decode(bytes);
    if (contents) fuzz::expect(contents->encode() == bytes, "contents are read as they are made");
}

void check_rows(std::string_view bytes) {
    std::string again = bytes.empty() ? std::string() : std::string(1, bytes[0]);
    auto const read = each_row(bytes, [&](Family, std::string_view key, std::string_view value) {
        put_blob(again, key);
        put_blob(again, value);
    });
    if (read) fuzz::expect(again == bytes, "rows are read as they are made");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    fuzz::Input in(fuzz::view(data, size));
    switch (in.below(4)) {
        case 0: {
            std::size_t const step = 1 + in.below(200);
            std::string const bytes = std::string(kBackupMagic) + std::string(in.rest());
            Seen const pieces = parse(bytes, step), whole = parse(bytes, bytes.size());
            fuzz::expect(pieces.failed == whole.failed, "pieces come to the same as the whole");
            if (!whole.failed)
                fuzz::expect(pieces.frames == whole.frames, "pieces come to the same frames");
            break;
        }
        case 1:
            check_contents(in.rest());
            break;
        case 2:
            check_rows(in.rest());
            break;
        default: {
            char const kind = "arfc"[in.below(4)];
            auto const frame = part_frame(kind, in.rest(), nullptr);
            auto const content = part_content(frame, nullptr);
            fuzz::expect(content && *content == in.rest(), "a part is read as it is made");
        }
    }
    return 0;
}
