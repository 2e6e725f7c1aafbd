// Runs scenarios against the C++ interface: tests/conformance/README.md describes them. The arguments are their files.
#include "policysync.hpp"

#include "json.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace policysync;
using Fault = std::runtime_error;

/// Returns the name of a status as scenarios write it: lower case, without prefixes.
std::string word(policysync_status status) {
    std::string name = policysync_status_name(status);
    for (const std::string_view prefix : {"POLICYSYNC_", "ERR_"}) {
        if (name.compare(0, prefix.size(), prefix) == 0) {
            name.erase(0, prefix.size());
        }
    }
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

Bytes32 bytes32(std::string_view hex) {
    Bytes32 out{};
    if (hex.size() != 64) {
        throw Fault("64 hexadecimal digits are needed");
    }
    for (std::size_t n = 0; n < 32; n++) {
        const std::string digits(hex.substr(2 * n, 2));
        out[n] = static_cast<std::uint8_t>(std::strtoul(digits.c_str(), nullptr, 16));
    }
    return out;
}

std::string hex(const std::uint8_t (&bytes)[32]) {
    std::string out;
    for (const std::uint8_t byte : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(byte));
        out += digits;
    }
    return out;
}

std::uint64_t total(const policysync_refusals &refused) {
    return refused.malformed + refused.unknown_key + refused.bad_signature + refused.denied + refused.other_space +
           refused.other;
}

/// A step, whose members must all be read.
class Step {
public:
    explicit Step(const json::Value &step) : step_(step) {}

    const json::Value *get(std::string_view name) const {
        read_.emplace(name);
        return step_.find(name);
    }
    bool has(std::string_view name) const { return step_.find(name) != nullptr; }
    const json::Value &need(std::string_view name) const {
        const json::Value *value = get(name);
        return value != nullptr ? *value : throw Fault("member " + std::string(name) + " is missing");
    }
    std::string text(std::string_view name) const { return need(name).text; }
    std::uint64_t number(std::string_view name) const { return static_cast<std::uint64_t>(need(name).number); }
    std::vector<std::string> texts(std::string_view name) const {
        std::vector<std::string> texts;
        for (const json::Value &item : need(name).items) {
            texts.push_back(item.text);
        }
        return texts;
    }
    /// Returns three names as views of the step.
    Field field(std::string_view name) const {
        const auto &items = need(name).items;
        return items.size() == 3 ? Field{items[0].text, items[1].text, items[2].text}
                                 : throw Fault("an entity, an id and a path are needed");
    }

    void expect(std::string_view name, const json::Value &found) const {
        const json::Value *expected = get(name);
        if (expected != nullptr && !json::equal(*expected, found)) {
            throw Fault(std::string(name) + ": expected " + expected->raw + ", found " +
                        (found.kind == json::Kind::text ? found.text : std::to_string(found.number)));
        }
    }
    void expect(std::string_view name, const std::string &found) const { expect(name, json::of_text(found)); }
    void expect(std::string_view name, std::uint64_t found) const { expect(name, json::of_number(found)); }

    void end() const {
        for (const auto &[name, value] : step_.members) {
            if (read_.count(name) == 0) {
                throw Fault("unknown member " + name);
            }
        }
    }

private:
    const json::Value &step_;
    mutable std::set<std::string, std::less<>> read_;
};

class World {
public:
    explicit World(const json::Value &scenario) {
        std::string name = (std::filesystem::temp_directory_path() / "policysync-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) {
            throw Fault("there is no temporary folder");
        }
        folder_ = name;
        if (const json::Value *actors = scenario.find("actors")) {
            for (const auto &[actor, seed] : actors->members) {
                seeds_[actor] = bytes32(seed.text);
            }
        }
    }
    World(const World &) = delete;
    World &operator=(const World &) = delete;
    ~World() {
        replicas_.clear();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    void run(const Step &step) {
        using Verb = void (World::*)(const Step &);
        static const std::vector<std::pair<std::string_view, Verb>> verbs = {
            {"open", &World::open},
            {"close", &World::close},
            {"register", &World::register_key},
            {"key_text", &World::key_text},
            {"paper", &World::paper},
            {"set", &World::set},
            {"delete", &World::remove},
            {"delete_entity", &World::remove_entity},
            {"ingest", &World::ingest},
            {"get", &World::get},
            {"entity", &World::entity},
            {"entities", &World::entities},
            {"kinds", &World::kinds},
            {"count_entities", &World::count_entities},
            {"fields", &World::fields},
            {"poll", &World::poll},
            {"clock_ahead", &World::clock_ahead},
            {"reset_clock", &World::reset_clock},
            {"explain", &World::explain},
            {"history", &World::history},
            {"log", &World::log},
            {"same", &World::same},
            {"session", &World::session},
            {"export", &World::export_log},
            {"import", &World::import_log},
            {"back_up", &World::back_up},
            {"copy", &World::copy},
        };
        const auto verb =
            std::find_if(verbs.begin(), verbs.end(), [&](const auto &one) { return step.has(one.first); });
        if (verb == verbs.end()) {
            throw Fault("unknown step");
        }
        (this->*verb->second)(step);
    }

private:
    /// Returns an actor's key. Its seed goes through each of its texts first.
    Key key(const std::string &actor) const {
        const auto seed = seeds_.find(actor);
        if (seed == seeds_.end()) {
            throw Fault(actor + " is not one of the actors");
        }
        const Key key = Key::from_seed(actor, seed->second);
        const bool is_kept = unwrap_seed(key.wrap_seed("passphrase", 1, 8), "passphrase") == seed->second &&
                             seed_from_paper(key.expose_paper()) == key.expose_seed() &&
                             PublicKey::from_text(key.public_text()).bytes == key.public_key();
        return is_kept ? key : throw Fault("a text of the key holds another key");
    }

    Replica &replica(const std::string &name) {
        const auto found = replicas_.find(name);
        return found != replicas_.end() ? found->second : throw Fault(name + " is not open");
    }

    /// Makes a call whose failure the step may expect.
    template <typename Call> static void attempt(const Step &step, Call &&call) {
        try {
            call();
            step.expect("error", json::Value());
        } catch (const Error &error) {
            if (step.get("error") == nullptr) {
                throw;
            }
            step.expect("error", word(error.status()));
        }
    }

    std::string file(const std::string &name) const { return (folder_ / name).string(); }

    const std::string &saved(const std::string &name) const {
        const auto found = saved_.find(name);
        return found != saved_.end() ? found->second : throw Fault(name + " was not saved");
    }

    void open(const Step &step) {
        Options options;
        if (step.has("as")) {
            options.write_as(key(step.text("as")));
        }
        if (step.has("keys")) {
            std::string registry;
            for (const std::string &actor : step.texts("keys")) {
                registry += key(actor).public_text() + "\n";
            }
            options.know_text(registry);
        }
        if (step.has("space")) {
            options.space(step.text("space"));
        }
        if (step.has("max_drift")) {
            options.max_drift_ms(step.number("max_drift"));
        }
        if (step.has("labels") && step.text("labels") == "any") {
            options.any_label();
        }
        if (step.has("deny_entity")) {
            options.guard([denied = step.text("deny_entity")](const policysync_op &op) {
                return view(op.entity) == denied ? Verdict::reject : Verdict::admit;
            });
        }
        if (step.has("unverified") && step.need("unverified").truth) {
            options.dangerously_accept_unverified();
        }
        if (step.has("file")) {
            options.path(file(step.text("file"))).opened_at_ms(step.number("at"));
        }
        if (step.has("seal")) {
            options.seal_key(bytes32(step.text("seal")));
        }
        const std::string name = step.text("open");
        attempt(step, [&] {
            Replica replica(options);
            replicas_.erase(name);
            replicas_.emplace(name, std::move(replica));
        });
    }

    void close(const Step &step) {
        replica(step.text("close"));
        replicas_.erase(step.text("close"));
    }

    void register_key(const Step &step) {
        const Key known = key(step.text("register"));
        Replica &on = replica(step.text("on"));
        on.register_key(known.actor(), known.public_key());
        // The same key again, as text, changes nothing.
        const std::string keys = on.keys_text();
        on.register_text(known.public_text());
        if (on.keys_text() != keys) {
            throw Fault("a key is registered twice");
        }
    }

    void key_text(const Step &step) { step.expect("text", key(step.text("key_text")).public_text()); }

    void paper(const Step &step) { step.expect("text", key(step.text("paper")).expose_paper()); }

    void set(const Step &step) {
        attempt(step, [&] { set_value(step); });
    }

    void set_value(const Step &step) {
        Replica &on = replica(step.text("on"));
        const Field field = step.field("set");
        const std::uint64_t at = step.number("at");
        const json::Value &value = step.need("value");
        switch (value.kind) {
        case json::Kind::text:
            return written(step, on.set_text(field, value.text, at));
        case json::Kind::boolean:
            return written(step, on.set_bool(field, value.truth, at));
        case json::Kind::number:
            if (value.raw.find_first_of(".eE") == std::string::npos) {
                return written(step, on.set_integer(field, std::strtoll(value.raw.c_str(), nullptr, 10), at));
            }
            return written(step, on.set_double(field, value.number, at));
        case json::Kind::null:
        case json::Kind::array:
        case json::Kind::object:
            return written(step, on.set(field, value.raw, at));
        }
    }

    void remove(const Step &step) {
        Replica &on = replica(step.text("on"));
        attempt(step, [&] { written(step, on.remove(step.field("delete"), step.number("at"))); });
    }

    void written(const Step &step, const std::string &op) {
        step.expect("id", json::parse(op).find("id")->text);
        if (step.has("save")) {
            saved_[step.text("save")] = op;
        }
    }

    void remove_entity(const Step &step) {
        Replica &on = replica(step.text("on"));
        const std::vector<std::string> names = step.texts("delete_entity");
        std::istringstream ops(on.remove_entity(names.at(0), names.at(1), step.number("at")));
        std::vector<std::string> ids;
        for (std::string line; std::getline(ops, line);) {
            ids.push_back(json::parse(line).find("id")->text);
        }
        step.expect("ids", json::of_texts(ids));
    }

    void ingest(const Step &step) {
        std::string op = step.has("json") ? step.text("json") : saved(step.text("ingest"));
        step.get("ingest");
        if (step.has("alter")) {
            const std::vector<std::string> change = step.texts("alter");
            const std::string &from = change.at(0), &to = change.at(1);
            if (op.find(from) == std::string::npos) {
                throw Fault("the operation does not hold " + from);
            }
            for (std::size_t at = op.find(from); at != std::string::npos; at = op.find(from, at + to.size())) {
                op.replace(at, from.size(), to);
            }
        }
        step.need("outcome");
        policysync_status status = POLICYSYNC_OK;
        try {
            Replica &on = replica(step.text("on"));
            const policysync_outcome outcome = on.ingest(op, step.number("at"));
            status = outcome.status;
            Bytes32 hash{};
            std::copy(std::begin(outcome.hash), std::end(outcome.hash), hash.begin());
            if (!on.contains(hash) || !on.op(hash)) {
                throw Fault("the operation is not in the log");
            }
            if (status == POLICYSYNC_HELD) {
                step.expect("until", outcome.until_ms);
            }
        } catch (const Error &error) {
            status = error.status();
        }
        step.expect("outcome", word(status));
    }

    void get(const Step &step) {
        Replica &on = replica(step.text("on"));
        const Field field = step.field("get");
        const std::optional<std::string> found = on.get(field);
        step.need("value");
        if (!found) {
            return step.expect("value", std::string("(absent)"));
        }
        const json::Value value = json::parse(*found);
        step.expect("value", value);
        const bool is_integer = value.raw.find_first_of(".eE") == std::string::npos;
        const bool is_same = value.kind == json::Kind::text      ? on.get_text(field) == value.text
                             : value.kind == json::Kind::boolean ? on.get_bool(field) == value.truth
                             : value.kind != json::Kind::number  ? true
                             : is_integer ? on.get_integer(field) == std::strtoll(value.raw.c_str(), nullptr, 10)
                                          : on.get_double(field) == value.number;
        if (!is_same) {
            throw Fault("the typed value is another");
        }
    }

    void entity(const Step &step) {
        const std::vector<std::string> names = step.texts("entity");
        const auto found = replica(step.text("on")).entity(names.at(0), names.at(1));
        step.expect("json", found ? json::of_text(*found) : json::Value());
    }

    void entities(const Step &step) {
        const std::string prefix = step.has("prefix") ? step.text("prefix") : "";
        const std::string after = step.has("after") ? step.text("after") : "";
        const Page page{prefix, after, step.has("limit") ? step.number("limit") : 0};
        step.expect("ids", json::of_texts(replica(step.text("on")).entities(step.text("entities"), page)));
    }

    void kinds(const Step &step) { step.expect("names", json::of_texts(replica(step.text("kinds")).kinds())); }

    void count_entities(const Step &step) {
        const std::string prefix = step.has("prefix") ? step.text("prefix") : "";
        step.expect("count", replica(step.text("on")).count_entities(step.text("count_entities"), prefix));
    }

    void fields(const Step &step) {
        const Field prefix = step.field("fields");
        std::vector<std::string> paths;
        for (const Value &value : replica(step.text("on")).fields(prefix.entity, prefix.entity_id, prefix.path)) {
            paths.push_back(value.path);
        }
        step.expect("paths", json::of_texts(paths));
    }

    void poll(const Step &step) {
        const json::Value changes = json::parse(replica(step.text("poll")).poll(step.number("at")));
        json::Value changed;
        changed.kind = json::Kind::array;
        for (const json::Value &change : changes.items) {
            changed.items.push_back(json::of_texts(
                {change.find("entity")->text, change.find("entityId")->text, change.find("path")->text}));
        }
        step.expect("changed", changed);
    }

    static json::Value optional(const std::optional<std::uint64_t> &number) {
        return number ? json::of_number(*number) : json::Value();
    }

    void clock_ahead(const Step &step) {
        step.expect("by", optional(replica(step.text("clock_ahead")).clock_ahead(step.number("at"))));
    }

    void reset_clock(const Step &step) { replica(step.text("reset_clock")).reset_clock(step.number("at")); }

    static std::string id_of(const json::Value &version) { return version.find("op")->find("id")->text; }

    void explain(const Step &step) {
        const auto found = replica(step.text("on")).explain(step.field("explain"));
        if (!found) {
            return step.expect("winner", json::Value());
        }
        const json::Value explanation = json::parse(*found);
        step.expect("winner", id_of(*explanation.find("winner")));
        step.expect("rule", *explanation.find("rule"));
    }

    void history(const Step &step) {
        std::vector<std::string> ids;
        for (const json::Value &version :
             json::parse(replica(step.text("on")).history(step.field("history"))).items) {
            ids.push_back(id_of(version));
        }
        step.expect("ids", json::of_texts(ids));
    }

    void log(const Step &step) {
        const Replica &of = replica(step.text("log"));
        const policysync_digest digest = of.digest();
        std::uint64_t count = 0;
        for (Cursor cursor(of); cursor.next();) {
            count++;
        }
        step.expect("count", count);
        step.expect("held", of.held());
        step.expect("horizon", optional(of.horizon()));
        step.expect("next_due", optional(of.next_due()));
        step.expect("forks", json::parse(of.forks()).items.size());
        step.expect("digest", hex(digest.log));
        step.expect("state", hex(digest.state));
        if (digest.count != count || of.position() != count) {
            throw Fault("the log has two lengths");
        }
        const std::string position = Changes(of).position();
        if (position != of.state_position() || Changes(of, position).next()) {
            throw Fault("there are changes after the present position");
        }
    }

    void same(const Step &step) {
        std::optional<std::string> first;
        for (const std::string &name : step.texts("same")) {
            const policysync_digest digest = replica(name).digest();
            const std::string both = hex(digest.log) + " " + hex(digest.state);
            if (first.value_or(both) != both) {
                throw Fault(name + " differs");
            }
            first = both;
        }
    }

    void session(const Step &step) {
        const std::vector<std::string> sides = step.texts("session");
        Replica &initiator = replica(sides.at(0)), &answering = replica(sides.at(1));
        const std::uint64_t at = step.number("at");
        Session session;
        Responder responder(SyncOptions(), Bytes32{7});
        while (const auto request = session.next_message(initiator)) {
            session.receive(initiator, responder.respond(answering, *request, at), at);
        }
        const policysync_progress progress = session.progress();
        const auto result = session.result();
        std::string name = "no result";
        if (result) {
            const std::uint32_t state = result->result.state;
            name = state == POLICYSYNC_SESSION_CONVERGED          ? "converged"
                   : state == POLICYSYNC_SESSION_CONVERGED_EXCEPT ? "converged_except"
                   : state == POLICYSYNC_SESSION_NOT_CONVERGED    ? "not_converged"
                                                                  : "another result";
            step.expect("count", result->result.count);
        }
        const bool is_counted = name == "converged_except";
        step.expect("refused", total(is_counted ? result->result.refused : progress.refused));
        step.expect("refused_by_peer", total(is_counted ? result->result.refused_by_peer : progress.refused_by_peer));
        step.expect("received", progress.received);
        step.expect("sent", progress.sent);
        step.need("result");
        step.expect("result", name);
    }

    void export_log(const Step &step) {
        std::string bundle;
        const auto write = [&](std::string_view piece) { bundle += piece; };
        step.expect("count", replica(step.text("export")).export_bundle(write).ops);
        saved_[step.text("save")] = bundle;
    }

    void import_log(const Step &step) {
        std::string bundle = saved(step.text("import"));
        if (step.has("cut")) {
            bundle.resize(bundle.size() - std::min<std::size_t>(bundle.size(), step.number("cut")));
        }
        std::size_t from = 0;
        const auto read = [&](char *out, std::size_t capacity) {
            const std::size_t len = bundle.copy(out, capacity, from);
            from += len;
            return len;
        };
        attempt(step, [&] {
            const policysync_ingested ingested = replica(step.text("on")).import_bundle(read, step.number("at"));
            step.expect("received", ingested.received);
            step.expect("duplicates", ingested.duplicates);
            step.expect("refused", total(ingested.refused));
        });
    }

    void back_up(const Step &step) { replica(step.text("back_up")).back_up(file(step.text("to"))); }

    void copy(const Step &step) {
        std::filesystem::copy_file(file(step.text("copy")), file(step.text("to")));
    }

    std::filesystem::path folder_;
    std::map<std::string, Bytes32> seeds_;
    std::map<std::string, Replica> replicas_;
    /// Operations in JSON, and bundles.
    std::map<std::string, std::string> saved_;
};

void run(const std::string &file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const json::Value scenario = json::parse(text);
    World world(scenario);
    std::size_t number = 0;
    const json::Value *steps = scenario.find("steps");
    for (const json::Value &step : steps == nullptr ? throw Fault("there are no steps") : steps->items) {
        number++;
        try {
            const Step members(step);
            world.run(members);
            members.end();
        } catch (const std::exception &fault) {
            throw Fault("step " + std::to_string(number) + ": " + fault.what());
        }
    }
}

} // namespace

int main(int count, char **files) {
    int faults = 0;
    for (int n = 1; n < count; n++) {
        try {
            run(files[n]);
        } catch (const std::exception &fault) {
            std::printf("%s: %s\n", files[n], fault.what());
            faults++;
        }
    }
    std::printf("%d scenarios, %d faults\n", count - 1, faults);
    return faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
