// The API's backup: the bytes of a file as storage/backup.hpp draws it, made while they are sent.
#include <utility>

#include "net/api.hpp"
#include "net/api_format.hpp"
#include "net/http_stream.hpp"
#include "storage/backup.hpp"
#include "storage/site_directory.hpp"

namespace inos {

namespace {

BackupContents about(Replica& replica, std::uint64_t now_ms) {
    Membership const& membership = replica.membership();
    BackupContents about;
    about.format = directory_format();
    about.space = membership.space();
    about.space_name = membership.genesis().name;
    about.actor = replica.actor();
    if (auto const* own = membership.by_actor(replica.actor())) {
        about.site = own->site;
        about.site_name = own->name;
    }
    about.taken_ms = now_ms;
    about.records = replica.record_count();
    for (auto const& [actor, seq] : replica.vector().items())
        about.entries += seq - replica.log_starts().of(actor);
    return about;
}

}  // namespace

// One that is under way. It holds a view of the database, so there is one at a time.
struct Api::Backup {
    std::shared_ptr<HttpStream> stream = std::make_shared<HttpStream>();
    std::shared_ptr<BackupReader> reader;
    std::uint64_t since_ms = 0;
    bool begun = false;    // something was sent
    bool reading = false;  // the store was asked
    bool pumping = false;

    void end(Error const& error) {
        if (!begun) stream->write(kBackupMagic);
        stream->write(frame_bytes({'e', error.message}));
        stream->end();
    }
};

void Api::get_backup(CallPtr call) {
    if (!call->request.from_socket && call->request.role != "admin")
        return send(call,
                    api_error(403,
                              "forbidden",
                              "a backup is everything that the site holds; it is given over the "
                              "node's socket, or to a token of the role admin"));
    if (backup_)
        return send(call,
                    api_error(409, "conflict", "a backup is being made; wait until it is done"));
    auto const backup = backup_ = std::make_shared<Backup>();
    backup->since_ms = clock_.monotonic_ms();
    std::weak_ptr<Backup> const weak = backup;
    backup->stream->on_room([this, weak] {
        if (auto const alive = weak.lock()) pump(alive);
    });
    backup->stream->on_close([this, weak] {
        if (weak.lock() == backup_) backup_.reset();
    });
    std::uint64_t const now_ms = clock_.now_ms();
    store_.query(
        [now_ms](Replica& replica) -> Result<std::shared_ptr<BackupReader>> {
            // The rest of a write that failed half way would be missing, for good.
            if (replica.failed())
                return fail(Errc::unavailable,
                            "a write to the disk has failed, and what was half done is put right "
                            "when the node starts again; a backup can be made then");
            // Without a signature nobody but this very site could pass on what it wrote last.
            INOS_CHECK(replica.sign_own_log());
            return std::make_shared<BackupReader>(replica.engine(), about(replica, now_ms));
        },
        [this, call, backup](Result<std::shared_ptr<BackupReader>> reader) {
            if (!reader) {
                if (backup == backup_) backup_.reset();
                return send(call, api_error(reader.error()));
            }
            backup->reader = *std::move(reader);
            HttpResponse response;
            response.headers["Content-Type"] = "application/octet-stream";
            response.stream = backup->stream;
            send(call, std::move(response));
            pump(backup);
        });
}

// A store that answers at once must not make this recursive: hence the loop.
void Api::pump(std::shared_ptr<Backup> const& backup) {
    if (!backup->reader || std::exchange(backup->pumping, true)) return;
    while (backup->stream->has_room() && !backup->reading) {
        backup->reading = true;
        store_.query([reader = backup->reader](Replica&) { return reader->next(); },
                     [this, backup](Result<std::string> bytes) {
                         backup->reading = false;
                         if (!bytes) backup->end(bytes.error());
                         if (bytes) {
                             backup->begun = true;
                             backup->stream->write(*bytes);
                         }
                         if (bytes && backup->reader->done()) end_backup(backup);
                         pump(backup);
                     });
    }
    backup->pumping = false;
    if (backup->stream->ended() && backup == backup_) backup_.reset();
}

// All of it is sent: that the site was backed up is noted for `inos doctor`.
void Api::end_backup(std::shared_ptr<Backup> const& backup) {
    backup->stream->end();
    store_.query(
        [now_ms = clock_.now_ms()](Replica& replica) -> Result<void> {
            if (replica.failed()) return {};
            return note_backup(replica.engine(), now_ms);
        },
        [](Result<void> const&) {});  // without the note the next backup is asked for earlier
}

void Api::make_way() {
    changes_.make_way();
    if (backup_ && clock_.monotonic_ms() >= backup_->since_ms + kBackupViewMs)
        std::exchange(backup_, nullptr)
            ->end(Error{Errc::unavailable,
                        "the node takes erased data off its disk and cannot keep what this backup "
                        "reads from any longer; take it again, and read faster",
                        {}});
}

}  // namespace inos
