// GET /v1/backup: who may have it, one at a time, bounded memory, and what becomes of the rest.
#include "net/http_stream.hpp"
#include "storage/backup.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos {
namespace {

using ::testing::HasSubstr;

class ApiBackup : public test::ApiTest {
public:
    // Records of 4 KiB that no compression makes small.
    void fill(int records) {
        for (int i = 0; i < records; ++i) {
            std::string noise;
            while (noise.size() < 4'000)
                noise += crypto::hex(crypto::view(
                    crypto::hash32(std::to_string(i) + "/" + std::to_string(noise.size()))));
            json(201,
                 "PUT",
                 "/v1/collections/c/records/" + std::to_string(i),
                 "{\"v\":\"" + noise + "\"}");
        }
    }

    struct Came {
        std::size_t chunks = 0, rows = 0;
        std::optional<BackupContents> contents;
        std::string error;
    };
    static Came parse(std::string const& bytes) {
        Came came;
        BackupParser parser;
        EXPECT_TRUE(parser.feed(bytes, [&](BackupFrame const& frame) -> Result<void> {
            if (frame.kind == 'e') came.error = frame.body;
            if (frame.kind == 'e') return {};
            auto const content = part_content(frame, nullptr);
            EXPECT_TRUE(content);
            if (frame.kind == 'c') came.contents = BackupContents::decode(*content);
            if (frame.kind != 'r') return {};
            ++came.chunks;
            INOS_TRY(auto const rows, count_rows(*content));
            came.rows += rows;
            return {};
        }));
        EXPECT_TRUE(parser.finish());
        return came;
    }
    // Not more than the server's client takes is ever held.
    static std::string drain(HttpResponse const& response) {
        std::string bytes;
        while (!response.stream->ended() || response.stream->has_data()) {
            std::string const piece = response.stream->take();
            EXPECT_LT(piece.size(), 4 * kHttpStreamBytesMax);
            if (piece.empty()) break;
            bytes += piece;
        }
        return bytes;
    }
};

TEST_F(ApiBackup, is_of_the_moment_of_the_request_however_slowly_it_is_read) {
    fill(1'000);
    HttpResponse const response = send("GET", "/v1/backup");
    ASSERT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.at("Content-Type"), "application/octet-stream");
    json(201, "PUT", "/v1/collections/c/records/later", "{}");
    Came const came = parse(drain(response));
    ASSERT_TRUE(came.contents);
    EXPECT_EQ(came.contents->records, 1'000u);
    EXPECT_EQ(came.contents->entries, 1'000u);
    EXPECT_EQ(came.rows, 2'000u);
    EXPECT_EQ(came.contents->chunks.size(), came.chunks);
    EXPECT_EQ(came.contents->site_name, "site0");
}

TEST_F(ApiBackup, is_given_to_one_client_at_a_time_and_to_the_next_when_that_one_is_gone) {
    fill(1'000);
    HttpResponse const first = send("GET", "/v1/backup");
    ASSERT_EQ(first.status, 200);
    EXPECT_EQ(send("GET", "/v1/backup").status, 409);
    first.stream->close();
    HttpResponse const second = send("GET", "/v1/backup");
    ASSERT_EQ(second.status, 200);
    EXPECT_TRUE(parse(drain(second)).contents);
    EXPECT_EQ(send("GET", "/v1/backup").status, 200);
}

TEST_F(ApiBackup, D19_is_refused_while_something_is_half_written) {
    fill(1);
    space[0].engine->fail_write(1, sim::FaultEngine::Outcome::lost, Errc::no_space);
    EXPECT_EQ(send("PUT", "/v1/collections/c/records/x", "{}").status, 507);
    EXPECT_EQ(send("GET", "/v1/collections/c/records/0").status, 200);
    HttpResponse const refused = send("GET", "/v1/backup");
    EXPECT_EQ(refused.status, 503);
    EXPECT_THAT(refused.body, HasSubstr("starts again"));
    space[0].reopen();
}

TEST_F(ApiBackup, over_tcp_is_for_admins_only) {
    for (char const* role : {"", "reader", "writer"}) {
        HttpRequest made = request("GET", "/v1/backup");
        made.from_socket = false;
        made.role = role;
        EXPECT_EQ(send(std::move(made)).status, 403) << role;
    }
    HttpRequest made = request("GET", "/v1/backup");
    made.from_socket = false;
    made.role = "admin";
    EXPECT_EQ(send(std::move(made)).status, 200);
}

TEST_F(ApiBackup, that_takes_too_long_makes_way_for_what_has_to_leave_the_disk) {
    fill(1'000);
    HttpResponse const response = send("GET", "/v1/backup");
    ASSERT_EQ(response.status, 200);
    api.make_way();
    EXPECT_FALSE(response.stream->ended());
    space[0].clock.advance(kBackupViewMs);
    api.make_way();
    EXPECT_TRUE(response.stream->ended());
    Came const came = parse(drain(response));
    EXPECT_FALSE(came.contents);
    EXPECT_THAT(came.error, HasSubstr("take it again"));
}

}  // namespace
}  // namespace inos
