// The C++ wrapper: owners, exceptions, callbacks.
#include "policysync.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);  \
            std::abort();                                                         \
        }                                                                         \
    } while (0)

using namespace policysync;

namespace {

constexpr std::uint64_t at = 1760000000000;

template <typename Call> policysync_status status_of(Call &&call) {
    try {
        call();
        return POLICYSYNC_OK;
    } catch (const Error &error) {
        CHECK(std::string(error.what()).find(policysync_status_name(error.status())) == 0);
        return error.status();
    }
}

void test_everything() {
    const Key key = Key::from_seed("alice", Bytes32{}, "phone");
    CHECK(key.actor() == "alice" && key.kid() == "phone" && key.expose_seed() == Bytes32{});
    Replica alice(Options().write_as(key).space("home").max_drift_ms(1000).threads(1));
    const Field title{"Task", "t1", "title"};
    const std::string first = alice.set(title, "1", at);
    const std::string second = alice.set(title, "2", at, Format::binary);
    CHECK(second[0] == 1 && alice.get(title) == "2" && alice.entity("Task", "t1") == "{\"title\":2}");
    CHECK(alice.entities("Task") == std::vector<std::string>{"t1"} && alice.fields("Task", "t1").at(0).json == "2");
    CHECK(alice.history(title).find("superseded") != std::string::npos);
    CHECK(alice.explain(title).value().find("counter") != std::string::npos);
    CHECK(alice.poll(at).find("title") != std::string::npos && alice.forks() == "[]" && alice.held() == 0);
    CHECK(alice.keys().find("phone") != std::string::npos && alice.position() == 2);

    Replica bob(Options().space("home"));
    bob.register_key("alice", key.public_key(), "phone");
    const auto outcomes = bob.ingest({bytes(first), bytes(second), bytes("{}")}, at);
    CHECK(outcomes[0].status == POLICYSYNC_OK && outcomes[2].status == POLICYSYNC_ERR_MALFORMED);
    CHECK(bob.digest().count == 2 && bob.export_since(1).second == 2);
    Bytes32 hash{};
    std::copy(std::begin(outcomes[0].hash), std::end(outcomes[0].hash), hash.begin());
    CHECK(bob.op(hash) == first && !bob.op(Bytes32{}));
    alice.remove(title, at);
    CHECK(!alice.get(title) && !alice.entity("Task", "t1"));

    Cursor cursor(alice);
    Changes changes(alice);
    const std::string position = changes.position();
    const auto change = changes.next();
    CHECK(change && view(change->path) == "title" && change->kind == POLICYSYNC_DELETE && !changes.next());
    CHECK(position == alice.state_position() && !Changes(alice, position).next());
    CHECK(status_of([&] { Changes(alice, "no position"); }) == POLICYSYNC_ERR_MALFORMED);
    {
        const Replica gone = std::move(alice);
    }
    int seen = 0;
    while (const auto op = cursor.next()) {
        CHECK(view(op->actor) == "alice");
        seen++;
    }
    CHECK(seen == 3 && cursor.position() == 3);
    CHECK(status_of([&] { bob.set(title, "1", at); }) == POLICYSYNC_ERR_READ_ONLY);
    CHECK(status_of([&] { bob.ingest("{}", at); }) == POLICYSYNC_ERR_MALFORMED);
    CHECK(status_of([] { (void)Key::generate(""); }) == POLICYSYNC_ERR_IDENTIFIER);
}

void test_keys() {
    const Key key = Key::from_seed("Alice's phone", Bytes32{7}, "k 1");
    const PublicKey read = PublicKey::from_text(key.public_text());
    CHECK(read.actor == "Alice's phone" && read.kid == "k 1" && read.bytes == key.public_key());
    CHECK(status_of([] { (void)PublicKey::from_text("alice"); }) == POLICYSYNC_ERR_KEY_TEXT);
    const std::string wrapped = key.wrap_seed("correct horse", 1, 8);
    CHECK(unwrap_seed(wrapped, "correct horse") == key.expose_seed());
    CHECK(status_of([&] { (void)unwrap_seed(wrapped, "wrong"); }) == POLICYSYNC_ERR_PASSPHRASE);
    CHECK(key.expose_paper().size() == 74 && seed_from_paper(key.expose_paper()) == key.expose_seed());
    CHECK(status_of([] { (void)seed_from_paper("ABCD"); }) == POLICYSYNC_ERR_KEY_TEXT);

    Replica first(Options().write_as(key));
    first.register_text("# a comment\n" + Key::generate("bob").public_text());
    Options options;
    options.know_text(first.keys_text());
    CHECK(Replica(options).keys_text() == first.keys_text() && first.keys_text().find(" bob\n") != std::string::npos);
    CHECK(status_of([&] { first.register_text("bob"); }) == POLICYSYNC_ERR_KEY_TEXT);
}

void test_values() {
    Replica alice(Options().write_as(Key::generate("alice")));
    const auto field = [](std::string_view path) { return Field{"Task", "t1", path}; };
    const std::string bytes("\xff\0\xfe", 3);
    CHECK(alice.set_text(field("a"), "x\"y", at).find(R"("value":"x\"y")") != std::string::npos);
    CHECK(alice.set_integer(field("b"), -5, at, Format::binary)[0] == 1);
    alice.set_double(field("c"), 0.5, at);
    alice.set_bool(field("d"), true, at);
    alice.set_bytes(field("e"), bytes, at);
    CHECK(alice.get_text(field("a")) == "x\"y" && alice.get_integer(field("b")) == -5);
    CHECK(alice.get_double(field("c")) == 0.5 && alice.get_bool(field("d")) == true);
    CHECK(alice.get_bytes(field("e")) == bytes && alice.get(field("e")) == "\"_wD-\"");
    CHECK(!alice.get_text(field("z")) && !alice.get_integer(field("z")) && !alice.get_bool(field("z")));
    CHECK(status_of([&] { alice.get_text(field("b")); }) == POLICYSYNC_ERR_TYPE);
    CHECK(status_of([&] { alice.set(field("a"), "no quotes", at); }) == POLICYSYNC_ERR_VALUE);

    const std::vector<Value> fields = alice.fields("Task", "t1");
    CHECK(fields.size() == 5 && fields[0].type == Type::text && fields[0].text == "x\"y" && fields[0].path == "a");
    CHECK(fields[1].type == Type::integer && fields[1].integer == -5 && fields[2].type == Type::number);
    CHECK(fields[2].number == 0.5 && fields[3].type == Type::boolean && fields[3].json == "true");
    for (const char *id : {"t2", "t3", "u1"}) {
        alice.set_text({"Task", id, "title"}, "x", at);
    }
    alice.set_text({"Note", "n", "text"}, "x", at);
    using Names = std::vector<std::string>;
    CHECK((alice.kinds() == Names{"Note", "Task"}) && alice.count_entities("Task") == 4);
    CHECK((alice.entities("Task", {"t", "t1", 1}) == Names{"t2"}) && alice.count_entities("Task", "t") == 3);
    CHECK(alice.remove_entity("Task", "t1", at).find("lww_delete") != std::string::npos);
    CHECK(alice.remove_entity("Task", "t1", at).empty() && (alice.entities("Task") == Names{"t2", "t3", "u1"}));
}

void test_callbacks() {
    const Key key = Key::generate("alice");
    const Field title{"Task", "t1", "title"};
    const auto owned = std::make_shared<int>(0);
    bool fail = false;
    int changes = 0;
    {
        Replica alice(Options()
                          .write_as(key)
                          .guard([owned, &fail](const policysync_op &) {
                              if (fail) {
                                  throw 7;
                              }
                              return Verdict::admit;
                          })
                          .clock([owned] { return at; })
                          .observer([owned, &changes] {
                              changes++;
                              throw 8;
                          }));
        CHECK(owned.use_count() == 4);
        alice.set(title, "1");
        CHECK(changes == 1);
        fail = true;
        CHECK(status_of([&] { alice.set(title, "2"); }) == POLICYSYNC_ERR_CALLBACK);
        CHECK(alice.get(title) == "1");
    }
    CHECK(owned.use_count() == 1);
    CHECK(status_of([&] { Replica(Options().space("\n").clock([owned] { return at; })); }) ==
          POLICYSYNC_ERR_IDENTIFIER);
    CHECK(owned.use_count() == 1);
}

/// A text that is not in the small buffer of a string, so that a view of a temporary one is seen by the sanitizer.
std::string long_text(const std::string &end) { return std::string(100, 'x') + end; }

void test_options_keep_their_values() {
    Options options;
    options.know("nobody", Key::from_seed("nobody", Bytes32{9}).public_key());
    const std::vector<Key> keys = {Key::from_seed(long_text("a"), Bytes32{1}), Key::from_seed("b", Bytes32{2})};
    for (const Key &key : keys) {
        options = std::move(options).know(key.actor(), key.public_key(), long_text("kid"));
    }
    options = options.space(long_text("space")).write_as(Key::generate(long_text("me")));
    options.guard([text = long_text("guard")](const policysync_op &) {
        return text == long_text("guard") ? Verdict::admit : Verdict::reject;
    });
    Replica first(options), second(options);
    for (Replica *replica : {&first, &second}) {
        const std::string known = replica->keys();
        for (const std::string &part : {long_text("a"), long_text("kid"), long_text("me"), std::string("nobody")}) {
            CHECK(known.find(part) != std::string::npos);
        }
        CHECK(replica->actor() == long_text("me"));
        CHECK(replica->set({"Task", "t1", "title"}, "1", at).find(long_text("space")) != std::string::npos);
    }
    // Both replicas write with the same key.
    CHECK(first.ingest(second.set({"Task", "t1", "title"}, "2", at), at).status == POLICYSYNC_OK);

    CHECK(status_of([] { Replica(Options().path("/nowhere/" + long_text("file"))); }) == POLICYSYNC_ERR_IO);
    Options sealed = Options().seal_key(Bytes32{5}).path("/nowhere/" + long_text("file"));
    CHECK(status_of([&] { verify_store(sealed); }) == POLICYSYNC_ERR_IO);
    CHECK(status_of([&] { salvage_store(sealed.opened_at_ms(at), "/nowhere/" + long_text("to")); }) ==
          POLICYSYNC_ERR_IO);

    // Resumption data outlives its variable in the options.
    Replica alice(Options().write_as(keys[0])), bob(Options().know(keys[0].actor(), keys[0].public_key()));
    const Key kept = keys[0];
    Responder responder;
    SyncOptions sync;
    for (int round = 0; round < 2; round++) {
        alice.set({"Task", std::to_string(round), "title"}, "1", at);
        Session session(sync);
        while (const auto message = session.next_message(alice)) {
            session.receive(alice, responder.respond(bob, *message, at), at);
        }
        SyncResult result = session.result().value();
        sync = std::move(sync).max_message_bytes(4 << 20).resume(*result.resume);
    }
    const SyncOptions copy = sync;
    sync = SyncOptions();
    Session again(copy);
    while (const auto message = again.next_message(alice)) {
        again.receive(alice, responder.respond(bob, *message, at), at);
    }
    CHECK(again.result()->converged() && bob.position() == 2);

    ClientOptions client;
    for (int n = 0; n < 3; n++) {
        client = std::move(client).header("x-" + std::to_string(n), long_text("value"));
    }
    client.bearer_token(long_text("token")).trust(long_text("no certificate"));
    client.connect_timeout_ms(1).progress_timeout_ms(2).answer_timeout_ms(3).overall_timeout_ms(4);
    client.retry_ms(5).wait_ms(6).ping_after_ms(7).silence_ms(8).proxy("http://" + long_text("proxy"));
    const auto status = status_of([&] { HttpClient("http://127.0.0.1:1/", client); });
    CHECK(status == POLICYSYNC_ERR_ARGUMENT || status == POLICYSYNC_ERR_UNSUPPORTED);
    ClientOptions headers = ClientOptions().header("x", long_text("\n"));
    const auto refused = status_of([&] { HttpClient("http://127.0.0.1:1/", headers); });
    CHECK(refused == POLICYSYNC_ERR_ARGUMENT || refused == POLICYSYNC_ERR_UNSUPPORTED);
}

void test_files() {
    const std::string folder = "/tmp/policysync-XXXXXX";
    std::vector<char> name(folder.begin(), folder.end());
    name.push_back('\0');
    CHECK(mkdtemp(name.data()) != nullptr);
    const std::string path = std::string(name.data()) + "/a", copy = path + "-copy", saved = path + "-saved";
    const Key key = Key::from_seed("alice", Bytes32{});
    const Field title{"Task", "t1", "title"};
    const Bytes32 seal{7};
    {
        Replica alice(Options().write_as(key).path(path).opened_at_ms(at).seal_key(seal).durability(
            Durability::process_only));
        CHECK(!alice.clock() && alice.actor() == "alice" && alice.horizon() == at + 600000 && !alice.has_changes());
        alice.set(title, "1", at);
        CHECK(alice.clock()->t == at && alice.has_changes() && !alice.next_due() && !alice.contains(Bytes32{}));
        alice.back_up(copy);
        CHECK(status_of([&] { alice.back_up(copy); }) == POLICYSYNC_ERR_EXISTS);
        CHECK(status_of([&] { Replica(Options().path(path)); }) == POLICYSYNC_ERR_OPEN_HERE);
        CHECK(alice.doubted_clock() == std::nullopt);
        alice.release_store();
        CHECK(status_of([&] { alice.get(title); }) == POLICYSYNC_ERR_RELEASED);
        CHECK(alice.reacquire_store(at) == 0 && alice.get(title));
    }
    CHECK(status_of([&] { Replica(Options().path(path)); }) == POLICYSYNC_ERR_UNKNOWN_KEY);
    CHECK(Replica(Options().path(path).seal_key(seal)).get(title) == "1");
    const policysync_digest digest =
        Replica(Options().path(copy).know("alice", key.public_key()).opened_at_ms(at)).digest();
    CHECK(Replica(Options().write_as(key).path(path).at_least(digest)).position() == 1);
    Options demanding = Options().write_as(key).path(std::string(path));
    {
        policysync_digest more = digest;
        more.count = 1000;
        demanding.at_least(more);
    }
    CHECK(status_of([&] { Replica replica(demanding); }) == POLICYSYNC_ERR_ROLLED_BACK);
    const StoreCheck check = verify_store(Options().path(path).seal_key(seal));
    CHECK(check.report.seal == POLICYSYNC_SEAL_FITS && check.report.operations == 1 && check.findings == "[]");
    CHECK(salvage_store(Options().path(path).know("alice", key.public_key()), saved).report.operations == 1);
    for (const std::string &file : {path, copy, saved}) {
        CHECK(std::remove(file.c_str()) == 0);
    }
    CHECK(std::remove(name.data()) == 0);
}

void test_sync() {
    const Key alices = Key::generate("alice");
    const Key bobs = Key::generate("bob");
    Replica alice(Options().write_as(alices).know("bob", bobs.public_key()));
    Replica bob(Options().write_as(bobs).know("alice", alices.public_key()));
    alice.set({"Task", "t1", "title"}, "1", at);
    bob.set({"Task", "t2", "title"}, "2", at);

    const Bytes32 secret = random32();
    Responder responder(SyncOptions(), secret);
    Session session(SyncOptions().max_message_bytes(4 << 20));
    CHECK(!session.result());
    while (const auto message = session.next_message(alice)) {
        session.receive(alice, responder.respond(bob, *message, at), at);
    }
    const SyncResult result = session.result().value();
    CHECK(result.converged() && result.result.count == 2 && session.progress().received == 1);
    CHECK(alice.digest().count == 2 && bob.get({"Task", "t1", "title"}) == "1");

    CHECK(session.unknown_authors().empty() && session.trace().find("sessions 1, steps ") == 0);
    CHECK(alice.report().find("\noperations: 2\n") != std::string::npos);

    // A session names the authors that it does not know.
    const Key strangers = Key::generate("stranger");
    Replica stranger(Options().write_as(strangers)), nobody;
    stranger.set({"Task", "t1", "title"}, "1", at);
    Responder of_stranger;
    Session asking;
    while (const auto message = asking.next_message(nobody)) {
        asking.receive(nobody, of_stranger.respond(stranger, *message, at), at);
    }
    const auto unknown = asking.unknown_authors();
    CHECK(unknown.size() == 1 && unknown[0].actor == "stranger" && unknown[0].kid == strangers.kid());

    Push from_alice(*result.resume);
    std::optional<Push> from_bob = Push::after(responder, bob, result.resume->id());
    CHECK(from_bob && !Push::after(responder, bob, Resume::Id{}));
    bob.set({"Task", "t3", "title"}, "3", at);
    CHECK(from_bob->waiting(bob) >= 1 && !from_alice.next_message(alice));
    CHECK(from_alice.receive(alice, from_bob->next_message(bob).value(), at).received == 1);

    const std::string kept = result.resume->to_bytes(alice, secret);
    const Resume again = Resume::from_bytes(kept, alice, secret);
    CHECK(again.id() == result.resume->id() && again.to_bytes(alice, secret) == kept);
    CHECK(status_of([&] { Resume::from_bytes(kept, alice, random32()); }) == POLICYSYNC_ERR_DAMAGED);
    Responder second(SyncOptions(), secret);
    second.resume_from_bytes(bob, responder.resume_to_bytes(bob));
    CHECK(second.resume_to_bytes(bob) == responder.resume_to_bytes(bob));
    CHECK(status_of([&] { second.resume_from_bytes(bob, kept); }) == POLICYSYNC_ERR_MALFORMED);

    Session next(SyncOptions().resume(again));
    (void)next.next_message(alice);
    try {
        responder.respond(bob, "?", at);
        CHECK(false);
    } catch (const Error &error) {
        const std::string refusal = Responder::refusal(error);
        CHECK(status_of([&] { next.receive(alice, refusal, at); }) == POLICYSYNC_ERR_REFUSED);
    }
    CHECK(next.result()->result.state == POLICYSYNC_SESSION_FAILED && !next.result()->resume);
    next.cancel();

    std::string file;
    CHECK(alice.export_bundle([&](std::string_view piece) { file += piece; }).ops == 3);
    Replica carol(Options().know("alice", alices.public_key()).know("bob", bobs.public_key()));
    size_t from = 0;
    const auto read = [&](char *out, size_t capacity) {
        const size_t len = file.copy(out, capacity, from);
        from += len;
        return len;
    };
    CHECK(carol.import_bundle(read, at).received == 3);
    CHECK(carol.export_bundle([](std::string_view) {}, std::vector<Bytes32>()).ops == 0);
    CHECK(status_of([&] { carol.export_bundle([](std::string_view) { throw 7; }); }) == POLICYSYNC_ERR_CALLBACK);
    CHECK(status_of([&] { carol.import_bundle([](char *, size_t) -> size_t { throw 7; }); }) ==
          POLICYSYNC_ERR_CALLBACK);
}

void test_networks() {
    const Key alices = Key::generate("alice");
    const Key bobs = Key::generate("bob");
    Replica alice(Options().write_as(alices).know("bob", bobs.public_key()));
    Replica bob(Options().write_as(bobs).know("alice", alices.public_key()));
    alice.set({"Task", "t1", "title"}, "1", at);

    Responder responder;
    LineInitiator caller;
    LineResponder answerer;
    const auto carry = [&] {
        while (const auto message = caller.next_message(alice, at)) {
            if (const auto answer = answerer.receive(responder, bob, *message, at)) {
                caller.receive(alice, *answer, at);
            }
        }
        while (const auto message = answerer.next_message(bob)) {
            caller.receive(alice, *message, at);
        }
    };
    CHECK(!caller.result() && !caller.is_pushing());
    carry();
    CHECK(caller.is_pushing() && caller.result()->converged() && caller.result()->resume);
    CHECK(caller.progress().sent == 1 && bob.digest().count == 1);
    bob.set({"Task", "t2", "title"}, "2", at);
    carry();
    CHECK(alice.digest().count == 2);

    // A library without the feature supports nothing more.
    if (status_of([&] { HttpClient("http://a/"); }) == POLICYSYNC_ERR_UNSUPPORTED ||
        status_of([&] { WebSocketClient("ws://"); }) == POLICYSYNC_ERR_UNSUPPORTED) {
        return;
    }
    const HttpAnswer answer = http_answer(responder, bob, "GET", "", "", at);
    CHECK(answer.status == 405 && answer.body.size() == 2 && answer.refused == "the method is not POST");

    // No server listens on this port.
    ClientOptions options;
    options.bearer_token("abc").header("x-tenant", "blue").connect_timeout_ms(5000).retry_ms(1);
    HttpClient client("http://127.0.0.1:1/", options);
    Session session;
    CHECK(status_of([&] { client.sync(session, alice); }) == POLICYSYNC_ERR_CONNECTION);
    CHECK(status_of([&] { client.exchange("x"); }) == POLICYSYNC_ERR_CONNECTION);
    CHECK(status_of([&] { HttpClient("http://no-such-host.invalid/", options).exchange("x"); }) == POLICYSYNC_ERR_HOST);
    CHECK(status_of([&] { WebSocketClient("ws://no-such-host.invalid/", options); }) == POLICYSYNC_ERR_HOST);
    CHECK(status_of([&] { WebSocketClient("ws://127.0.0.1:1/", options); }) == POLICYSYNC_ERR_CONNECTION);
    CHECK(status_of([&] { WebSocketClient("http://a/", options); }) == POLICYSYNC_ERR_ARGUMENT);
    options.trust_only("no certificate");
    const auto status = status_of([&] { HttpClient("http://127.0.0.1:1/", options); });
    CHECK(status == POLICYSYNC_ERR_ARGUMENT || status == POLICYSYNC_ERR_UNSUPPORTED);

    const char *relay = std::getenv("POLICYSYNC_TEST_RELAY");
    if (relay == nullptr) {
        return;
    }
    const std::string address = std::string(relay) + "/sync";
    ClientOptions with_token;
    with_token.bearer_token("relay-token").wait_ms(5);
    HttpClient to_relay("http://" + address, with_token);
    Session with_relay;
    to_relay.sync(with_relay, alice);
    CHECK(with_relay.result()->converged());
    WebSocketClient line("ws://" + address, with_token);
    for (int n = 0; n < 4000 && !line.is_pushing(); n++) {
        line.work(bob);
        line.wait();
    }
    CHECK(line.result()->converged() && line.progress().state == POLICYSYNC_SESSION_CONVERGED);
    line.close();
    auto heard = WebSocketClient::Heard::nothing;
    for (int n = 0; n < 1000 && heard == WebSocketClient::Heard::nothing; n++) {
        heard = line.wait();
    }
    CHECK(heard == WebSocketClient::Heard::closed);
    std::puts("with a relay");
}

} // namespace

int main() {
    test_everything();
    test_keys();
    test_values();
    test_callbacks();
    test_options_keep_their_values();
    test_files();
    test_sync();
    test_networks();
    std::puts("the wrapper passed");
}
