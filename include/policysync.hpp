// PolicySync for C++17: the C interface with owners, strings and exceptions. It only converts; policysync.h documents the
// functions.
#ifndef POLICYSYNC_HPP
#define POLICYSYNC_HPP

#include "policysync.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace policysync {

using Bytes32 = std::array<std::uint8_t, 32>;

/// Reads the time from the replica's clock, or from the machine's where the replica was opened without one.
inline constexpr std::uint64_t now = POLICYSYNC_NOW;

enum class Format : std::uint32_t { json = POLICYSYNC_JSON, binary = POLICYSYNC_BINARY };

enum class Verdict : std::int32_t { admit = POLICYSYNC_ADMIT, reject = POLICYSYNC_REJECT, abort = POLICYSYNC_ABORT };

/// The failure of a call.
class Error : public std::runtime_error {
public:
    Error(policysync_status status, const policysync_error &error)
        : std::runtime_error(std::string(policysync_status_name(status)) + ": " + error.message),
          status_(status), index_(error.op_index) {}

    policysync_status status() const noexcept { return status_; }

    /// Returns the index of the element of an array that is at fault, or POLICYSYNC_NO_INDEX.
    std::uint64_t index() const noexcept { return index_; }

private:
    policysync_status status_;
    std::uint64_t index_;
};

/// Views the bytes of a C view.
inline std::string_view view(const policysync_bytes &bytes) noexcept {
    return {static_cast<const char *>(bytes.data), bytes.len};
}

/// Makes a C view of a text.
inline policysync_bytes bytes(std::string_view text) noexcept { return {text.data(), text.size()}; }

enum class Durability : std::uint32_t {
    full = POLICYSYNC_DURABILITY_FULL,
    process_only = POLICYSYNC_DURABILITY_PROCESS_ONLY
};

/// The names of a field.
struct Field {
    std::string_view entity, entity_id, path;
};

enum class Type : std::uint32_t {
    null = POLICYSYNC_TYPE_NULL,
    boolean = POLICYSYNC_TYPE_BOOL,
    integer = POLICYSYNC_TYPE_INTEGER,
    number = POLICYSYNC_TYPE_DOUBLE,
    text = POLICYSYNC_TYPE_TEXT,
    array = POLICYSYNC_TYPE_ARRAY,
    object = POLICYSYNC_TYPE_OBJECT
};

/// The value of a field.
struct Value {
    std::string path;
    Type type;
    /// Canonical JSON.
    std::string json;
    /// The string without quotes and escapes, if the value is one.
    std::string text;
    /// The integer, if the value is one; 1 for true.
    std::int64_t integer;
    /// The number, if the value is an integer or another number.
    double number;
};

/// A part of a sorted list of names.
struct Page {
    std::string_view prefix{}, after{};
    /// 0 for all.
    std::uint64_t max_count = 0;
};

namespace detail {

/// Calls a function and throws its failure.
template <typename Call> policysync_status call(Call &&function) {
    policysync_error error = POLICYSYNC_ERROR_INIT;
    const policysync_status status = std::forward<Call>(function)(&error);
    if (status < 0) {
        throw Error(status, error);
    }
    return status;
}

struct Buffer : policysync_buffer {
    Buffer() noexcept : policysync_buffer POLICYSYNC_BUFFER_INIT {}
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;
    ~Buffer() { policysync_buffer_dispose(this); }
    std::string text() const { return {reinterpret_cast<const char *>(data), len}; }
};

/// Returns the text that a function writes into a buffer.
template <typename Call> std::string text(Call &&function) {
    Buffer buffer;
    call([&](policysync_error *error) { return function(&buffer, error); });
    return buffer.text();
}

/// Returns the text that a function writes into a buffer, if it finds one.
template <typename Call> std::optional<std::string> optional_text(Call &&function) {
    Buffer buffer;
    const auto status = call([&](policysync_error *error) { return function(&buffer, error); });
    return status == POLICYSYNC_OK ? std::optional<std::string>(buffer.text()) : std::nullopt;
}

inline policysync_field field(const Field &field) noexcept {
    return {bytes(field.entity), bytes(field.entity_id), bytes(field.path)};
}

template <auto Free> struct Deleter {
    template <typename T> void operator()(T *handle) const noexcept { Free(handle); }
};

using GuardFunction = std::function<Verdict(const policysync_op &)>;
using ClockFunction = std::function<std::uint64_t()>;
using ObserverFunction = std::function<void()>;
using WriterFunction = std::function<void(std::string_view)>;
using ReaderFunction = std::function<size_t(char *, size_t)>;

// No exception may cross the boundary: each of these catches all.
extern "C" {
inline policysync_status policysync_detail_check(void *ctx, const policysync_op *ops, size_t stride, size_t count,
                                                 std::int32_t *verdicts) noexcept {
    try {
        const auto &guard = *static_cast<GuardFunction *>(ctx);
        for (size_t n = 0; n < count; n++) {
            const void *op = reinterpret_cast<const char *>(ops) + n * stride;
            verdicts[n] = static_cast<std::int32_t>(guard(*static_cast<const policysync_op *>(op)));
        }
        return POLICYSYNC_OK;
    } catch (...) {
        return POLICYSYNC_ERR_CALLBACK;
    }
}
inline policysync_status policysync_detail_now(void *ctx, std::uint64_t *out_ms) noexcept {
    try {
        *out_ms = (*static_cast<ClockFunction *>(ctx))();
        return POLICYSYNC_OK;
    } catch (...) {
        return POLICYSYNC_ERR_CALLBACK;
    }
}
inline void policysync_detail_changed(void *ctx) noexcept {
    try {
        (*static_cast<ObserverFunction *>(ctx))();
    } catch (...) {
    }
}
inline policysync_status policysync_detail_write(void *ctx, const std::uint8_t *data, size_t len) noexcept {
    try {
        (*static_cast<WriterFunction *>(ctx))({reinterpret_cast<const char *>(data), len});
        return POLICYSYNC_OK;
    } catch (...) {
        return POLICYSYNC_ERR_CALLBACK;
    }
}
inline policysync_status policysync_detail_read(void *ctx, std::uint8_t *out, size_t capacity,
                                                size_t *out_len) noexcept {
    try {
        *out_len = (*static_cast<ReaderFunction *>(ctx))(reinterpret_cast<char *>(out), capacity);
        return POLICYSYNC_OK;
    } catch (...) {
        return POLICYSYNC_ERR_CALLBACK;
    }
}
inline void policysync_detail_destroy_guard(void *ctx) noexcept { delete static_cast<GuardFunction *>(ctx); }
inline void policysync_detail_destroy_clock(void *ctx) noexcept { delete static_cast<ClockFunction *>(ctx); }
inline void policysync_detail_destroy_observer(void *ctx) noexcept { delete static_cast<ObserverFunction *>(ctx); }
}

} // namespace detail

/// A key pair with the actor that it signs for. Never changes; copies share one key. Any thread.
class Key {
public:
    static Key generate(std::string_view actor) {
        policysync_key *key = nullptr;
        detail::call([&](auto *error) { return policysync_key_generate(actor.data(), actor.size(), &key, error); });
        return Key(key);
    }

    static Key from_seed(std::string_view actor, const Bytes32 &seed, std::string_view kid = {}) {
        policysync_key *key = nullptr;
        detail::call([&](auto *error) {
            return policysync_key_from_seed(actor.data(), actor.size(), kid.data(), kid.size(), seed.data(), &key,
                                            error);
        });
        return Key(key);
    }

    Bytes32 public_key() const {
        Bytes32 bytes{};
        detail::call([&](auto *error) { return policysync_key_public(get(), bytes.data(), error); });
        return bytes;
    }

    /// Returns the whole secret. Wipe your copy.
    Bytes32 expose_seed() const {
        Bytes32 bytes{};
        detail::call([&](auto *error) { return policysync_key_expose_seed(get(), bytes.data(), error); });
        return bytes;
    }

    /// Returns the public key, its actor and its kid as one line of text.
    std::string public_text() const {
        return detail::text([&](auto *out, auto *error) { return policysync_key_public_text(get(), out, error); });
    }

    /// Encrypts the seed with a passphrase, as text. The cost of a guess is 3 passes over 256 MiB, or the one given.
    std::string wrap_seed(std::string_view passphrase, std::uint32_t passes = 0, std::uint32_t memory_kib = 0) const {
        return detail::text([&](auto *out, auto *error) {
            return policysync_key_wrap_seed(get(), passphrase.data(), passphrase.size(), passes, memory_kib, out, error);
        });
    }

    /// Returns the whole secret as groups that can be written on paper. Wipe your copy.
    std::string expose_paper() const {
        std::array<char, POLICYSYNC_PAPER_SIZE> paper{};
        detail::call([&](auto *error) {
            return policysync_key_expose_paper(get(), reinterpret_cast<std::uint8_t *>(paper.data()), error);
        });
        std::string text = paper.data();
        // Through a volatile pointer, so that the compiler keeps it.
        std::fill_n(static_cast<volatile char *>(paper.data()), paper.size(), '\0');
        return text;
    }

    std::string actor() const { return policysync_key_actor(get()); }
    std::string kid() const { return policysync_key_kid(get()); }
    policysync_key *get() const noexcept { return handle_.get(); }

private:
    explicit Key(policysync_key *key) : handle_(key, detail::Deleter<policysync_key_free>()) {}
    std::shared_ptr<policysync_key> handle_;
};

/// Decrypts a seed, for Key::from_seed. Throws POLICYSYNC_ERR_PASSPHRASE if the passphrase is wrong. Wipe your copy.
inline Bytes32 unwrap_seed(std::string_view text, std::string_view passphrase) {
    Bytes32 seed{};
    detail::call([&](auto *error) {
        return policysync_seed_unwrap(text.data(), text.size(), passphrase.data(), passphrase.size(), seed.data(), error);
    });
    return seed;
}

/// Reads a seed from paper, for Key::from_seed. Wipe your copy.
inline Bytes32 seed_from_paper(std::string_view text) {
    Bytes32 seed{};
    detail::call(
        [&](auto *error) { return policysync_seed_from_paper(text.data(), text.size(), seed.data(), error); });
    return seed;
}

/// A public key with its actor and kid.
struct PublicKey {
    std::string actor, kid;
    Bytes32 bytes;

    /// Reads the text of Key::public_text.
    static PublicKey from_text(std::string_view text) {
        detail::Buffer actor, kid;
        Bytes32 bytes{};
        detail::call([&](auto *error) {
            return policysync_public_key_from_text(text.data(), text.size(), &actor, &kid, bytes.data(), error);
        });
        return {actor.text(), kid.text(), bytes};
    }
};

/// The result of a check of a store, with the findings as JSON.
struct StoreCheck {
    policysync_store_report report{sizeof(policysync_store_report), 0, 0, 0};
    std::string findings;
};

/// The options of a replica. They own their values, so that arguments may be temporary. Each setter works on a variable
/// and on a temporary object alike. Several replicas may be opened with the same options; each gets copies of the
/// callbacks.
class Options {
public:
    Options &write_as(Key key) { return key_ = std::move(key), *this; }
    Options &space(std::string_view name) { return space_ = name, *this; }
    Options &max_drift_ms(std::uint64_t ms) { return max_drift_ms_ = ms, *this; }
    Options &threads(std::uint32_t count) { return threads_ = count, *this; }
    Options &any_label() { return flags_ |= POLICYSYNC_ANY_LABEL, *this; }
    Options &dangerously_accept_unverified() { return flags_ |= POLICYSYNC_DANGEROUSLY_UNVERIFIED, *this; }
    /// Registers a key from the start. An empty kid is derived from the key.
    Options &know(std::string_view actor, const Bytes32 &public_key, std::string_view kid = {}) {
        keys_.push_back({std::string(actor), std::string(kid), public_key});
        return *this;
    }
    /// Registers the keys of a registry in text form from the start, instead of those of an earlier call.
    Options &know_text(std::string_view registry) { return keys_text_ = registry, *this; }
    /// Keeps the replica in a file.
    Options &path(std::string_view path) { return path_ = path, *this; }
    Options &opened_at_ms(std::uint64_t now_ms) { return now_ms_ = now_ms, *this; }
    Options &durability(Durability durability) { return durability_ = durability, *this; }
    Options &seal_key(const Bytes32 &key) { return seal_key_ = key, *this; }
    Options &at_least(const policysync_digest &digest) { return at_least_ = digest, *this; }
    Options &guard(detail::GuardFunction function) { return guard_ = std::move(function), *this; }
    Options &clock(detail::ClockFunction function) { return clock_ = std::move(function), *this; }
    Options &observer(detail::ObserverFunction function) { return observer_ = std::move(function), *this; }

private:
    friend class Replica;
    friend StoreCheck verify_store(const Options &options);
    friend StoreCheck salvage_store(const Options &options, std::string_view to);

    struct KnownKey {
        std::string actor, kid;
        Bytes32 public_key;
    };

    /// Calls `function` with the struct of C, which views these options.
    template <typename Call> auto lend(Call &&function) const {
        std::vector<policysync_public_key> keys;
        for (const KnownKey &key : keys_) {
            policysync_public_key known{bytes(key.actor), bytes(key.kid), {}};
            std::copy(key.public_key.begin(), key.public_key.end(), std::begin(known.public_key));
            keys.push_back(known);
        }
        policysync_replica_options options{};
        detail::call([&](auto *) { return policysync_replica_options_init(&options, sizeof options); });
        options.flags = flags_;
        options.max_drift_ms = max_drift_ms_;
        options.threads = threads_;
        options.key = key_ ? key_->get() : nullptr;
        options.space = bytes(space_);
        options.keys = keys.data();
        options.keys_stride = sizeof(policysync_public_key);
        options.keys_count = keys.size();
        options.keys_text = bytes(keys_text_);
        options.path = bytes(path_);
        options.now_ms = now_ms_;
        options.durability = static_cast<std::uint32_t>(durability_);
        options.seal_key = seal_key_ ? seal_key_->data() : nullptr;
        options.at_least = at_least_ ? &*at_least_ : nullptr;
        return std::forward<Call>(function)(options);
    }

    policysync_replica *open() const {
        return lend([&](policysync_replica_options &options) {
            auto guard_copy = copy(guard_);
            auto clock_copy = copy(clock_);
            auto observer_copy = copy(observer_);
            const policysync_guard guard{sizeof guard, 0, guard_copy.get(), detail::policysync_detail_check,
                                         detail::policysync_detail_destroy_guard};
            const policysync_clock clock{sizeof clock, 0, clock_copy.get(), detail::policysync_detail_now,
                                         detail::policysync_detail_destroy_clock};
            const policysync_observer observer{sizeof observer, 0, observer_copy.get(),
                                               detail::policysync_detail_changed,
                                               detail::policysync_detail_destroy_observer};
            options.guard = guard_copy ? &guard : nullptr;
            options.clock = clock_copy ? &clock : nullptr;
            options.observer = observer_copy ? &observer : nullptr;
            // From here on the library owns them, even if the call fails.
            (void)guard_copy.release();
            (void)clock_copy.release();
            (void)observer_copy.release();
            policysync_replica *replica = nullptr;
            detail::call([&](auto *error) { return policysync_replica_open(&options, &replica, error); });
            return replica;
        });
    }

    template <typename Function> static std::unique_ptr<Function> copy(const Function &function) {
        return function ? std::make_unique<Function>(function) : nullptr;
    }

    std::uint32_t flags_ = 0, threads_ = 0;
    std::uint64_t max_drift_ms_ = 0, now_ms_ = 0;
    Durability durability_ = Durability::full;
    std::optional<Key> key_;
    std::string space_, path_, keys_text_;
    std::vector<KnownKey> keys_;
    std::optional<Bytes32> seal_key_;
    std::optional<policysync_digest> at_least_;
    detail::GuardFunction guard_;
    detail::ClockFunction clock_;
    detail::ObserverFunction observer_;
};

/// Checks a file that no replica has open.
inline StoreCheck verify_store(const Options &options) {
    StoreCheck check;
    check.findings = detail::text([&](auto *out, auto *error) {
        return options.lend([&](const policysync_replica_options &lent) {
            return policysync_store_verify(&lent, &check.report, out, error);
        });
    });
    return check;
}

/// Writes the operations of a damaged file that verify into a new one.
inline StoreCheck salvage_store(const Options &options, std::string_view to) {
    StoreCheck check;
    check.findings = detail::text([&](auto *out, auto *error) {
        return options.lend([&](const policysync_replica_options &lent) {
            return policysync_store_salvage(&lent, to.data(), to.size(), &check.report, out, error);
        });
    });
    return check;
}

/// One copy of the data. Any thread.
class Replica {
public:
    Replica() : Replica(Options()) {}
    explicit Replica(const Options &options) : handle_(options.open()) {}

    void register_key(std::string_view actor, const Bytes32 &public_key, std::string_view kid = {}) {
        detail::call([&](auto *error) {
            return policysync_replica_register_key(get(), actor.data(), actor.size(), kid.data(), kid.size(),
                                                   public_key.data(), error);
        });
    }

    /// Registers every key of a registry in text form: all of them or none.
    void register_text(std::string_view registry) {
        detail::call([&](auto *error) {
            return policysync_replica_register_text(get(), registry.data(), registry.size(), error);
        });
    }

    /// Returns the registered keys as text, one a line.
    std::string keys_text() const {
        return detail::text([&](auto *out, auto *error) { return policysync_replica_keys_text(get(), out, error); });
    }

    std::string keys() const {
        return detail::text([&](auto *out, auto *error) { return policysync_replica_keys(get(), out, error); });
    }

    /// Sets a field to a JSON value and returns the signed operation.
    std::string set(const Field &field, std::string_view json, std::uint64_t now_ms = now,
                    Format format = Format::json) {
        return written(field, format, [&](auto *names, auto form, auto *out, auto *error) {
            return policysync_replica_set(get(), now_ms, names, json.data(), json.size(), form, out, error);
        });
    }

    std::string set_text(const Field &field, std::string_view text, std::uint64_t now_ms = now,
                         Format format = Format::json) {
        return written(field, format, [&](auto *names, auto form, auto *out, auto *error) {
            return policysync_replica_set_text(get(), now_ms, names, text.data(), text.size(), form, out, error);
        });
    }

    std::string set_integer(const Field &field, std::int64_t value, std::uint64_t now_ms = now,
                            Format format = Format::json) {
        return written(field, format, [&](auto *names, auto form, auto *out, auto *error) {
            return policysync_replica_set_integer(get(), now_ms, names, value, form, out, error);
        });
    }

    std::string set_double(const Field &field, double value, std::uint64_t now_ms = now,
                           Format format = Format::json) {
        return written(field, format, [&](auto *names, auto form, auto *out, auto *error) {
            return policysync_replica_set_double(get(), now_ms, names, value, form, out, error);
        });
    }

    std::string set_bool(const Field &field, bool value, std::uint64_t now_ms = now,
                         Format format = Format::json) {
        return written(field, format, [&](auto *names, auto form, auto *out, auto *error) {
            return policysync_replica_set_bool(get(), now_ms, names, value ? 1 : 0, form, out, error);
        });
    }

    /// Sets a field to bytes, which become a string in base64url.
    std::string set_bytes(const Field &field, std::string_view data, std::uint64_t now_ms = now,
                          Format format = Format::json) {
        return written(field, format, [&](auto *names, auto form, auto *out, auto *error) {
            return policysync_replica_set_bytes(get(), now_ms, names, data.data(), data.size(), form, out, error);
        });
    }

    /// Deletes a field and returns the signed operation.
    std::string remove(const Field &field, std::uint64_t now_ms = now, Format format = Format::json) {
        return written(field, format, [&](auto *names, auto form, auto *out, auto *error) {
            return policysync_replica_delete(get(), now_ms, names, form, out, error);
        });
    }

    /// Deletes all fields of an entity in one transaction, and returns the signed operations as export_since does.
    std::string remove_entity(std::string_view entity, std::string_view entity_id, std::uint64_t now_ms = now,
                              Format format = Format::json) {
        return detail::text([&](auto *out, auto *error) {
            return policysync_replica_delete_entity(get(), now_ms, entity.data(), entity.size(), entity_id.data(),
                                                    entity_id.size(), static_cast<std::uint32_t>(format), out,
                                                    error);
        });
    }

    /// Ingests one operation; throws when it is refused.
    policysync_outcome ingest(std::string_view op, std::uint64_t now_ms = now) {
        policysync_outcome outcome{};
        detail::call([&](auto *error) {
            return policysync_replica_ingest(get(), now_ms, op.data(), op.size(), &outcome, sizeof outcome, error);
        });
        return outcome;
    }

    /// Ingests many operations; a refusal is reported in the outcome of its operation.
    std::vector<policysync_outcome> ingest(const std::vector<policysync_bytes> &ops, std::uint64_t now_ms = now) {
        std::vector<policysync_outcome> outcomes(ops.size());
        detail::call([&](auto *error) {
            return policysync_replica_ingest_many(get(), now_ms, ops.data(), sizeof(policysync_bytes), ops.size(),
                                                  outcomes.data(), sizeof(policysync_outcome), error);
        });
        return outcomes;
    }

    std::optional<std::string> get(const Field &field) const {
        const policysync_field names = detail::field(field);
        return detail::optional_text(
            [&](auto *out, auto *error) { return policysync_replica_get(get(), &names, out, error); });
    }

    std::optional<std::string> entity(std::string_view entity, std::string_view entity_id) const {
        return detail::optional_text([&](auto *out, auto *error) {
            return policysync_replica_entity(get(), entity.data(), entity.size(), entity_id.data(), entity_id.size(),
                                             out, error);
        });
    }

    std::optional<std::string> get_text(const Field &field) const {
        const policysync_field names = detail::field(field);
        return detail::optional_text(
            [&](auto *out, auto *error) { return policysync_replica_get_text(get(), &names, out, error); });
    }

    std::optional<std::int64_t> get_integer(const Field &field) const {
        return typed<std::int64_t>(policysync_replica_get_integer, field);
    }

    std::optional<double> get_double(const Field &field) const {
        return typed<double>(policysync_replica_get_double, field);
    }

    std::optional<bool> get_bool(const Field &field) const {
        const auto truth = typed<std::int32_t>(policysync_replica_get_bool, field);
        return truth ? std::optional<bool>(*truth == 1) : std::nullopt;
    }

    std::optional<std::string> get_bytes(const Field &field) const {
        const policysync_field names = detail::field(field);
        return detail::optional_text(
            [&](auto *out, auto *error) { return policysync_replica_get_bytes(get(), &names, out, error); });
    }

    std::vector<std::string> kinds() const {
        return names([&](auto *list, auto *error) { return policysync_replica_kinds(get(), list, error); });
    }

    std::vector<std::string> entities(std::string_view entity, const Page &page = {}) const {
        policysync_page part = POLICYSYNC_PAGE_INIT;
        part.prefix = bytes(page.prefix);
        part.after = bytes(page.after);
        part.max_count = page.max_count;
        return names([&](auto *list, auto *error) {
            return policysync_replica_entities(get(), entity.data(), entity.size(), &part, list, error);
        });
    }

    std::uint64_t count_entities(std::string_view entity, std::string_view prefix = {}) const {
        std::uint64_t count = 0;
        detail::call([&](auto *error) {
            return policysync_replica_count_entities(get(), entity.data(), entity.size(), prefix.data(), prefix.size(),
                                                     &count, error);
        });
        return count;
    }

    /// Returns the fields of an entity whose path is the prefix or begins with it and a slash.
    std::vector<Value> fields(std::string_view entity, std::string_view entity_id,
                              std::string_view prefix = {}) const {
        std::vector<Value> values;
        each(
            [&](auto *list, auto *error) {
                return policysync_replica_fields(get(), entity.data(), entity.size(), entity_id.data(),
                                                 entity_id.size(), prefix.data(), prefix.size(), list, error);
            },
            [&](const policysync_item &item) {
                values.push_back({std::string(view(item.name)), static_cast<Type>(item.value_type),
                                  std::string(view(item.value)), std::string(view(item.text)), item.integer,
                                  item.number});
            });
        return values;
    }

    std::string history(const Field &field) const {
        const policysync_field names = detail::field(field);
        return detail::text(
            [&](auto *out, auto *error) { return policysync_replica_history(get(), &names, out, error); });
    }

    std::optional<std::string> explain(const Field &field) const {
        const policysync_field names = detail::field(field);
        return detail::optional_text(
            [&](auto *out, auto *error) { return policysync_replica_explain(get(), &names, out, error); });
    }

    std::string poll(std::uint64_t now_ms = now) {
        return detail::text([&](auto *out, auto *error) { return policysync_replica_poll(get(), now_ms, out, error); });
    }

    /// Returns the present position in the history of the merged state, for `Changes`.
    std::string state_position() const {
        return detail::text(
            [&](auto *out, auto *error) { return policysync_replica_state_position(get(), out, error); });
    }

    /// Returns a description of the replica for an error report: versions, options, counts, digests and the last
    /// failures; no keys, values or names.
    std::string report() const {
        return detail::text([&](auto *out, auto *error) { return policysync_replica_report(get(), out, error); });
    }

    std::string forks() const {
        return detail::text([&](auto *out, auto *error) { return policysync_replica_forks(get(), out, error); });
    }

    std::optional<std::string> op(const Bytes32 &hash, Format format = Format::json) const {
        return detail::optional_text([&](auto *out, auto *error) {
            return policysync_replica_op(get(), hash.data(), static_cast<std::uint32_t>(format), out, error);
        });
    }

    std::uint64_t held() const {
        std::uint64_t held = 0;
        detail::call([&](auto *error) { return policysync_replica_held(get(), &held, error); });
        return held;
    }

    std::optional<std::uint64_t> next_due() const {
        return optional<std::uint64_t>(policysync_replica_next_due);
    }

    std::optional<std::uint64_t> horizon() const { return optional<std::uint64_t>(policysync_replica_horizon); }

    /// Returns the time of the last call, if that is not between 2020 and 2100: perhaps seconds for milliseconds.
    std::optional<std::uint64_t> doubted_clock() const {
        return optional<std::uint64_t>(policysync_replica_doubted_clock);
    }

    /// Returns how far ahead of the wall clock the next write would be stamped, in milliseconds, if that is too far.
    std::optional<std::uint64_t> clock_ahead(std::uint64_t at = now) const {
        std::uint64_t by = 0;
        const auto status =
            detail::call([&](auto *error) { return policysync_replica_clock_ahead(get(), at, &by, error); });
        return status == POLICYSYNC_OK ? std::optional<std::uint64_t>(by) : std::nullopt;
    }

    /// Declares that an earlier wall clock was ahead.
    void reset_clock(std::uint64_t at = now) {
        detail::call([&](auto *error) { return policysync_replica_reset_clock(get(), at, error); });
    }

    std::optional<policysync_hlc> clock() const { return optional<policysync_hlc>(policysync_replica_clock); }

    std::optional<std::string> actor() const {
        return detail::optional_text(
            [&](auto *out, auto *error) { return policysync_replica_actor(get(), out, error); });
    }

    bool contains(const Bytes32 &hash) const {
        return detail::call([&](auto *error) {
                   return policysync_replica_contains(get(), hash.data(), error);
               }) == POLICYSYNC_OK;
    }

    bool has_changes() const {
        return detail::call([&](auto *error) { return policysync_replica_has_changes(get(), error); }) ==
               POLICYSYNC_OK;
    }

    /// Copies the file, while it is open, into a new one.
    void back_up(std::string_view path) const {
        detail::call(
            [&](auto *error) { return policysync_replica_back_up(get(), path.data(), path.size(), error); });
    }

    /// Closes the file and releases its lock, until it is reacquired.
    void release_store() {
        detail::call([&](auto *error) { return policysync_replica_release_store(get(), error); });
    }

    /// Opens the file again and takes in what another process has appended meanwhile. Returns the number of operations.
    std::uint64_t reacquire_store(std::uint64_t now_ms = now) {
        std::uint64_t count = 0;
        detail::call([&](auto *error) { return policysync_replica_reacquire_store(get(), now_ms, &count, error); });
        return count;
    }

    std::uint64_t position() const {
        std::uint64_t position = 0;
        detail::call([&](auto *error) { return policysync_replica_position(get(), &position, error); });
        return position;
    }

    policysync_digest digest() const {
        policysync_digest digest{};
        digest.struct_size = sizeof digest;
        detail::call([&](auto *error) { return policysync_replica_digest(get(), &digest, error); });
        return digest;
    }

    /// Returns the operations since a position, and the position after them.
    std::pair<std::string, std::uint64_t> export_since(std::uint64_t position, Format format = Format::json,
                                                       std::uint64_t max_count = 0) const {
        std::uint64_t next = position;
        std::string ops = detail::text([&](auto *out, auto *error) {
            return policysync_replica_export(get(), position, max_count, static_cast<std::uint32_t>(format), out,
                                             &next, error);
        });
        return {std::move(ops), next};
    }

    /// Writes the operations since a position into a bundle, one piece after the other.
    policysync_exported export_bundle(const detail::WriterFunction &write, std::uint64_t position = 0) const {
        return exported(write, [&](auto *writer, auto *out, auto *error) {
            return policysync_replica_export_bundle(get(), position, writer, out, error);
        });
    }

    /// Writes the given operations into a bundle.
    policysync_exported export_bundle(const detail::WriterFunction &write, const std::vector<Bytes32> &hashes) const {
        const std::uint8_t *first = hashes.empty() ? nullptr : hashes.front().data();
        return exported(write, [&](auto *writer, auto *out, auto *error) {
            return policysync_replica_export_bundle_of(get(), first, hashes.size(), writer, out, error);
        });
    }

    /// Ingests a bundle. `read` fills a buffer of the given size and returns the number of bytes, 0 at the end.
    policysync_ingested import_bundle(const detail::ReaderFunction &read, std::uint64_t now_ms = now) {
        // Lent for the call, so there is nothing to destroy.
        detail::ReaderFunction function = read;
        const policysync_reader reader{sizeof reader, 0, &function, detail::policysync_detail_read, nullptr};
        policysync_ingested ingested{};
        ingested.struct_size = sizeof ingested;
        detail::call([&](auto *error) {
            return policysync_replica_import_bundle(get(), now_ms, &reader, &ingested, error);
        });
        return ingested;
    }

    policysync_replica *get() const noexcept { return handle_.get(); }

private:
    /// Calls a function that writes a field and returns the operation.
    template <typename Call> static std::string written(const Field &field, Format format, Call &&function) {
        const policysync_field names = detail::field(field);
        return detail::text([&](auto *out, auto *error) {
            return function(&names, static_cast<std::uint32_t>(format), out, error);
        });
    }

    template <typename T>
    std::optional<T> typed(policysync_status (*function)(policysync_replica *, const policysync_field *, T *,
                                                         policysync_error *),
                           const Field &field) const {
        const policysync_field names = detail::field(field);
        T value{};
        const auto status = detail::call([&](auto *error) { return function(get(), &names, &value, error); });
        return status == POLICYSYNC_OK ? std::optional<T>(value) : std::nullopt;
    }

    /// Calls a function that returns a list, and `visit` with each item.
    template <typename Query, typename Visit> static void each(Query &&query, Visit &&visit) {
        policysync_list *found = nullptr;
        detail::call([&](auto *error) { return query(&found, error); });
        const std::unique_ptr<policysync_list, detail::Deleter<policysync_list_free>> list(found);
        policysync_item item = POLICYSYNC_ITEM_INIT;
        while (detail::call([&](auto *error) { return policysync_list_next(list.get(), &item, error); }) ==
               POLICYSYNC_OK) {
            visit(item);
        }
    }

    template <typename Query> static std::vector<std::string> names(Query &&query) {
        std::vector<std::string> names;
        each(query, [&](const policysync_item &item) { names.emplace_back(view(item.name)); });
        return names;
    }

    template <typename Call>
    static policysync_exported exported(const detail::WriterFunction &write, Call &&function) {
        detail::WriterFunction lent = write;
        const policysync_writer writer{sizeof writer, 0, &lent, detail::policysync_detail_write, nullptr};
        policysync_exported out{};
        out.struct_size = sizeof out;
        detail::call([&](auto *error) { return function(&writer, &out, error); });
        return out;
    }

    template <typename T>
    std::optional<T> optional(policysync_status (*function)(policysync_replica *, T *, policysync_error *)) const {
        T value{};
        const auto status = detail::call([&](auto *error) { return function(get(), &value, error); });
        return status == POLICYSYNC_OK ? std::optional<T>(value) : std::nullopt;
    }

    std::unique_ptr<policysync_replica, detail::Deleter<policysync_replica_free>> handle_;
};

/// An iterator over the log. It may outlive its replica. One thread at a time.
class Cursor {
public:
    explicit Cursor(const Replica &replica, std::uint64_t position = 0) {
        policysync_cursor *cursor = nullptr;
        detail::call([&](auto *error) { return policysync_cursor_open(replica.get(), position, &cursor, error); });
        handle_.reset(cursor);
    }

    /// Returns the next operation, which lives until the next call; nothing at the end.
    std::optional<policysync_op> next() {
        policysync_op op{};
        size_t count = 0;
        const auto status = detail::call([&](auto *error) {
            return policysync_cursor_next(handle_.get(), &op, sizeof op, 1, &count, error);
        });
        return status == POLICYSYNC_OK ? std::optional<policysync_op>(op) : std::nullopt;
    }

    std::uint64_t position() const {
        std::uint64_t position = 0;
        detail::call([&](auto *error) { return policysync_cursor_position(handle_.get(), &position, error); });
        return position;
    }

private:
    std::unique_ptr<policysync_cursor, detail::Deleter<policysync_cursor_free>> handle_;
};

/// An iterator over the fields that have changed since a position, which can be kept across restarts. It may outlive its
/// replica. One thread at a time.
class Changes {
public:
    /// With an empty position it returns all fields.
    explicit Changes(const Replica &replica, std::string_view position = {}) {
        policysync_changes *changes = nullptr;
        detail::call([&](auto *error) {
            return policysync_changes_open(replica.get(), position.data(), position.size(), &changes, error);
        });
        handle_.reset(changes);
    }

    /// Returns the operation that determines the next field, which lives until the next call; nothing at the end. Its
    /// actor is empty if no operation on the field is merged any more.
    std::optional<policysync_op> next() {
        policysync_op op{};
        size_t count = 0;
        const auto status = detail::call([&](auto *error) {
            return policysync_changes_next(handle_.get(), &op, sizeof op, 1, &count, error);
        });
        return status == POLICYSYNC_OK ? std::optional<policysync_op>(op) : std::nullopt;
    }

    /// Returns the position after all of these changes.
    std::string position() const {
        return detail::text([&](auto *out, auto *error) {
            return policysync_changes_position(handle_.get(), out, error);
        });
    }

private:
    std::unique_ptr<policysync_changes, detail::Deleter<policysync_changes_free>> handle_;
};

/// Resumption data of a session. Never changes; copies share it. Any thread.
class Resume {
public:
    using Id = std::array<std::uint8_t, 48>;

    /// Returns the id by which both sides know the session.
    Id id() const {
        Id id{};
        detail::call([&](auto *error) { return policysync_resume_id(get(), id.data(), error); });
        return id;
    }

    /// Encodes the data, sealed with a secret key, to be stored beside the replica's file.
    std::string to_bytes(const Replica &replica, const Bytes32 &key) const {
        return detail::text([&](auto *out, auto *error) {
            return policysync_resume_to_bytes(get(), replica.get(), key.data(), out, error);
        });
    }

    /// Decodes data that was encoded for the same replica before it was opened again.
    static Resume from_bytes(std::string_view bytes, const Replica &replica, const Bytes32 &key) {
        policysync_resume *resume = nullptr;
        detail::call([&](auto *error) {
            return policysync_resume_from_bytes(bytes.data(), bytes.size(), replica.get(), key.data(), &resume, error);
        });
        return Resume(resume);
    }

    const policysync_resume *get() const noexcept { return handle_.get(); }

private:
    friend struct SyncResult;
    explicit Resume(policysync_resume *resume) : handle_(resume, detail::Deleter<policysync_resume_free>()) {}
    std::shared_ptr<policysync_resume> handle_;
};

/// The options of a session. They own their values; each setter works on a variable and on a temporary object alike.
class SyncOptions {
public:
    SyncOptions() {
        detail::call([&](auto *) { return policysync_sync_options_init(&options_, sizeof options_); });
    }
    SyncOptions &max_message_bytes(std::uint64_t bytes) { return options_.max_message_bytes = bytes, *this; }
    SyncOptions &resume(Resume resume) { return resume_ = std::move(resume), *this; }
    /// Returns the struct of C, valid as long as this object lives unchanged.
    policysync_sync_options get() const noexcept {
        policysync_sync_options options = options_;
        options.resume = resume_ ? resume_->get() : nullptr;
        return options;
    }

private:
    policysync_sync_options options_{};
    std::optional<Resume> resume_;
};

/// The result of a session.
struct SyncResult {
    policysync_sync_result result{};
    /// For the next session with this peer.
    std::optional<Resume> resume;
    bool converged() const noexcept { return result.state == POLICYSYNC_SESSION_CONVERGED; }

    /// Calls one of the functions that return a result; nothing before a session has ended.
    template <typename Call> static std::optional<SyncResult> of(Call &&function) {
        SyncResult out;
        out.result.struct_size = sizeof out.result;
        policysync_resume *resume = nullptr;
        const auto status = detail::call([&](auto *error) { return function(&out.result, &resume, error); });
        if (resume != nullptr) {
            out.resume = Resume(resume);
        }
        return status == POLICYSYNC_OK ? std::optional<SyncResult>(std::move(out)) : std::nullopt;
    }
};

/// An author whose key is not registered, by its own account.
struct UnknownAuthor {
    std::string actor;
    std::string kid;
};

/// A session, on the side that initiates it. Any thread.
class Session {
public:
    explicit Session(const SyncOptions &options = {}) {
        policysync_session *session = nullptr;
        const policysync_sync_options given = options.get();
        detail::call(
            [&](auto *error) { return policysync_session_new(&given, nullptr, &session, error); });
        handle_.reset(session);
    }

    /// Makes the next message for the peer; nothing when the session has ended.
    std::optional<std::string> next_message(const Replica &replica) {
        return detail::optional_text([&](auto *out, auto *error) {
            return policysync_session_next_message(get(), replica.get(), out, error);
        });
    }

    policysync_progress receive(Replica &replica, std::string_view message, std::uint64_t now_ms = now) {
        policysync_progress progress{};
        progress.struct_size = sizeof progress;
        detail::call([&](auto *error) {
            return policysync_session_receive(get(), replica.get(), now_ms, message.data(), message.size(), &progress,
                                              error);
        });
        return progress;
    }

    policysync_progress progress() const {
        policysync_progress progress{};
        progress.struct_size = sizeof progress;
        detail::call([&](auto *error) { return policysync_session_progress(get(), &progress, error); });
        return progress;
    }

    /// Returns the result; nothing before the session has ended.
    std::optional<SyncResult> result() const {
        return SyncResult::of([&](auto *out, auto *resume, auto *error) {
            return policysync_session_result(get(), out, resume, error);
        });
    }

    /// Returns what the session has asked, sent, received and refused, in counts, bytes and times, as text for an error
    /// report. It stays after a failure.
    std::string trace() const {
        return detail::text([&](auto *out, auto *error) { return policysync_session_trace(get(), out, error); });
    }

    /// Returns authors whose operations were left out or refused because their keys are not registered here, at most
    /// 32. Each claims to be that actor; nothing proves it.
    std::vector<UnknownAuthor> unknown_authors() const {
        std::vector<UnknownAuthor> authors;
        detail::Buffer actor, kid;
        while (detail::call([&](auto *error) {
                   return policysync_session_unknown_author(get(), authors.size(), &actor, &kid, error);
               }) == POLICYSYNC_OK) {
            authors.push_back({actor.text(), kid.text()});
        }
        return authors;
    }

    void cancel() {
        detail::call([&](auto *error) { return policysync_session_cancel(get(), error); });
    }

    policysync_session *get() const noexcept { return handle_.get(); }

private:
    std::unique_ptr<policysync_session, detail::Deleter<policysync_session_free>> handle_;
};

/// Answers sessions. Any thread.
class Responder {
public:
    explicit Responder(const SyncOptions &options = {}) : Responder(options, nullptr) {}
    /// Creates a responder with a secret, which processes that answer the same sessions share.
    Responder(const SyncOptions &options, const Bytes32 &secret) : Responder(options, secret.data()) {}

    std::string respond(Replica &replica, std::string_view message, std::uint64_t now_ms = now,
                        policysync_ingested *ingested = nullptr) {
        return detail::text([&](auto *out, auto *error) {
            return policysync_responder_respond(get(), replica.get(), now_ms, message.data(), message.size(), out,
                                                ingested, error);
        });
    }

    /// Encodes the resumption data of a replica, to be stored beside its file.
    std::string resume_to_bytes(const Replica &replica) const {
        return detail::text([&](auto *out, auto *error) {
            return policysync_responder_resume_to_bytes(get(), replica.get(), out, error);
        });
    }

    /// Decodes data that a responder with the same secret encoded before the replica was opened again.
    void resume_from_bytes(const Replica &replica, std::string_view bytes) {
        detail::call([&](auto *error) {
            return policysync_responder_resume_from_bytes(get(), replica.get(), bytes.data(), bytes.size(), error);
        });
    }

    /// Makes the message for the initiator when answering has failed.
    static std::string refusal(const Error &failure) {
        return detail::text(
            [&](auto *out, auto *error) { return policysync_sync_alert(failure.status(), out, error); });
    }

    policysync_responder *get() const noexcept { return handle_.get(); }

private:
    Responder(const SyncOptions &options, const std::uint8_t *secret) {
        policysync_responder *responder = nullptr;
        const policysync_sync_options given = options.get();
        detail::call(
            [&](auto *error) { return policysync_responder_new(&given, secret, &responder, error); });
        handle_.reset(responder);
    }
    std::unique_ptr<policysync_responder, detail::Deleter<policysync_responder_free>> handle_;
};

/// A channel for new operations after a session. Any thread.
class Push {
public:
    /// Creates the channel on the side that initiated the session.
    explicit Push(const Resume &resume, const SyncOptions &options = {}) {
        policysync_push *push = nullptr;
        const policysync_sync_options given = options.get();
        detail::call([&](auto *error) { return policysync_push_after(resume.get(), &given, &push, error); });
        handle_.reset(push);
    }

    /// Creates the channel on the side that answered; nothing if that no longer knows the session.
    static std::optional<Push> after(const Responder &responder, const Replica &replica, const Resume::Id &id) {
        policysync_push *push = nullptr;
        const auto status = detail::call([&](auto *error) {
            return policysync_push_after_responder(responder.get(), replica.get(), id.data(), &push, error);
        });
        return status == POLICYSYNC_OK ? std::optional<Push>(Push(push)) : std::nullopt;
    }

    std::optional<std::string> next_message(const Replica &replica) {
        return detail::optional_text([&](auto *out, auto *error) {
            return policysync_push_next_message(get(), replica.get(), out, error);
        });
    }

    policysync_ingested receive(Replica &replica, std::string_view message, std::uint64_t now_ms = now) {
        policysync_ingested ingested{};
        ingested.struct_size = sizeof ingested;
        detail::call([&](auto *error) {
            return policysync_push_receive(get(), replica.get(), now_ms, message.data(), message.size(), &ingested, error);
        });
        return ingested;
    }

    std::uint64_t waiting(const Replica &replica) const {
        std::uint64_t waiting = 0;
        detail::call(
            [&](auto *error) { return policysync_push_waiting(get(), replica.get(), &waiting, error); });
        return waiting;
    }

    policysync_push *get() const noexcept { return handle_.get(); }

private:
    explicit Push(policysync_push *push) noexcept : handle_(push) {}
    std::unique_ptr<policysync_push, detail::Deleter<policysync_push_free>> handle_;
};

/// The calling side of a line. The application carries the messages, whole and in order. Any thread.
class LineInitiator {
public:
    explicit LineInitiator(const SyncOptions &options = {}) {
        policysync_line_initiator *caller = nullptr;
        const policysync_sync_options given = options.get();
        detail::call(
            [&](auto *error) { return policysync_line_initiator_new(&given, nullptr, &caller, error); });
        handle_.reset(caller);
    }

    /// Makes the next message for the other side; nothing if none is pending.
    std::optional<std::string> next_message(const Replica &replica, std::uint64_t now_ms = now) {
        return detail::optional_text([&](auto *out, auto *error) {
            return policysync_line_initiator_next_message(get(), replica.get(), now_ms, out, error);
        });
    }

    void receive(Replica &replica, std::string_view message, std::uint64_t now_ms = now) {
        detail::call([&](auto *error) {
            return policysync_line_initiator_receive(get(), replica.get(), now_ms, message.data(), message.size(), error);
        });
    }

    policysync_progress progress() const {
        policysync_progress progress{};
        progress.struct_size = sizeof progress;
        detail::call([&](auto *error) { return policysync_line_initiator_progress(get(), &progress, error); });
        return progress;
    }

    /// Returns the result of the last session of the line; nothing before one has ended.
    std::optional<SyncResult> result() const {
        return SyncResult::of([&](auto *out, auto *resume, auto *error) {
            return policysync_line_initiator_result(get(), out, resume, error);
        });
    }

    bool is_pushing() const {
        return detail::call([&](auto *error) { return policysync_line_initiator_is_pushing(get(), error); }) ==
               POLICYSYNC_OK;
    }

    policysync_line_initiator *get() const noexcept { return handle_.get(); }

private:
    std::unique_ptr<policysync_line_initiator, detail::Deleter<policysync_line_initiator_free>> handle_;
};

/// The answering side of a line, one for each line. Any thread.
class LineResponder {
public:
    LineResponder() {
        policysync_line_responder *answerer = nullptr;
        detail::call([&](auto *error) { return policysync_line_responder_new(&answerer, error); });
        handle_.reset(answerer);
    }

    /// Makes the answer to a message; nothing if it requires none. After an exception send `Responder::refusal` and
    /// close the line.
    std::optional<std::string> receive(Responder &responder, Replica &replica, std::string_view message,
                                       std::uint64_t now_ms = now) {
        return detail::optional_text([&](auto *out, auto *error) {
            return policysync_line_responder_receive(get(), responder.get(), replica.get(), now_ms, message.data(),
                                                    message.size(), out, error);
        });
    }

    /// Makes a message of operations that the caller does not have yet; nothing if there are none.
    std::optional<std::string> next_message(const Replica &replica) {
        return detail::optional_text([&](auto *out, auto *error) {
            return policysync_line_responder_next_message(get(), replica.get(), out, error);
        });
    }

    policysync_line_responder *get() const noexcept { return handle_.get(); }

private:
    std::unique_ptr<policysync_line_responder, detail::Deleter<policysync_line_responder_free>> handle_;
};

/// The options of a client of HTTP or WebSocket. They own their values; each setter works on a variable and on a
/// temporary object alike. The time limits are described at the members of policysync_client_options.
class ClientOptions {
public:
    ClientOptions() {
        detail::call([&](auto *) { return policysync_client_options_init(&options_, sizeof options_); });
    }
    ClientOptions &bearer_token(std::string_view token) { return bearer_token_ = token, *this; }
    ClientOptions &header(std::string_view name, std::string_view value) {
        headers_.emplace_back(name, value);
        return *this;
    }
    /// Trusts these authorities in addition to those that Mozilla trusts: PEM or DER.
    ClientOptions &trust(std::string_view certificates) {
        options_.flags &= ~std::uint32_t{POLICYSYNC_TRUST_NO_OTHERS};
        return trusted_ = certificates, *this;
    }
    /// Trusts these authorities and no others.
    ClientOptions &trust_only(std::string_view certificates) {
        trust(certificates);
        return options_.flags |= POLICYSYNC_TRUST_NO_OTHERS, *this;
    }
    /// Connects through an HTTP proxy: `http://[user:password@]host[:port]`.
    ClientOptions &proxy(std::string_view url) { return proxy_ = url, *this; }
    ClientOptions &connect_timeout_ms(std::uint64_t ms) { return options_.connect_timeout_ms = ms, *this; }
    ClientOptions &progress_timeout_ms(std::uint64_t ms) { return options_.progress_timeout_ms = ms, *this; }
    ClientOptions &answer_timeout_ms(std::uint64_t ms) { return options_.answer_timeout_ms = ms, *this; }
    ClientOptions &overall_timeout_ms(std::uint64_t ms) { return options_.overall_timeout_ms = ms, *this; }
    ClientOptions &retry_ms(std::uint64_t ms) { return options_.retry_ms = ms, *this; }
    ClientOptions &wait_ms(std::uint64_t ms) { return options_.wait_ms = ms, *this; }
    ClientOptions &ping_after_ms(std::uint64_t ms) { return options_.ping_after_ms = ms, *this; }
    ClientOptions &silence_ms(std::uint64_t ms) { return options_.silence_ms = ms, *this; }

private:
    friend class HttpClient;
    friend class WebSocketClient;

    /// Calls `function` with the struct of C, which views these options.
    template <typename Call> auto lend(Call &&function) const {
        std::vector<policysync_header> headers;
        for (const auto &[name, value] : headers_) {
            headers.push_back({bytes(name), bytes(value)});
        }
        policysync_client_options options = options_;
        options.bearer_token = bytes(bearer_token_);
        options.trusted = bytes(trusted_);
        options.proxy = bytes(proxy_);
        options.headers = headers.data();
        options.headers_stride = sizeof(policysync_header);
        options.headers_count = headers.size();
        return std::forward<Call>(function)(&options);
    }

    policysync_client_options options_{};
    std::string bearer_token_, trusted_, proxy_;
    std::vector<std::pair<std::string, std::string>> headers_;
};

/// Synchronizes with a server over HTTP. Any thread.
class HttpClient {
public:
    explicit HttpClient(std::string_view url, const ClientOptions &options = {}) {
        policysync_http_client *client = nullptr;
        detail::call([&](auto *error) {
            return options.lend([&](const policysync_client_options *lent) {
                return policysync_http_client_new(url.data(), url.size(), lent, &client, error);
            });
        });
        handle_.reset(client);
    }

    /// Runs a session to its end. Other threads may read its progress, cancel it, and use the replica meanwhile.
    void sync(Session &session, Replica &replica, std::uint64_t now_ms = now) {
        detail::call([&](auto *error) {
            return policysync_http_client_sync(get(), session.get(), replica.get(), now_ms, error);
        });
    }

    /// Sends one message and returns the answer.
    std::string exchange(std::string_view message, size_t max_bytes = 0) {
        return detail::text([&](auto *out, auto *error) {
            return policysync_http_client_exchange(get(), message.data(), message.size(), max_bytes, out, error);
        });
    }

    policysync_http_client *get() const noexcept { return handle_.get(); }

private:
    std::unique_ptr<policysync_http_client, detail::Deleter<policysync_http_client_free>> handle_;
};

/// The answer to an HTTP request.
struct HttpAnswer {
    std::uint32_t status = 0;
    /// The body, of the type POLICYSYNC_HTTP_CONTENT_TYPE whatever the status.
    std::string body;
    /// The reason for a status other than 200; for the server's own log.
    std::string refused;
};

/// Answers an HTTP request, in any server.
inline HttpAnswer http_answer(Responder &responder, Replica &replica, std::string_view method,
                              std::string_view content_type, std::string_view body, std::uint64_t now_ms = now) {
    HttpAnswer answer;
    policysync_error refused = POLICYSYNC_ERROR_INIT;
    answer.body = detail::text([&](auto *out, auto *error) {
        return policysync_http_answer(responder.get(), replica.get(), now_ms, method.data(), method.size(),
                                      content_type.data(), content_type.size(), body.data(), body.size(),
                                      &answer.status, out, &refused, error);
    });
    answer.refused = refused.message;
    return answer;
}

/// A WebSocket to a server. Call wait and work in turn. One thread at a time.
class WebSocketClient {
public:
    enum class Heard { nothing, message, closed };

    explicit WebSocketClient(std::string_view url, const ClientOptions &options = {}, const SyncOptions &sync = {}) {
        policysync_websocket_client *line = nullptr;
        const policysync_sync_options given = sync.get();
        detail::call([&](auto *error) {
            return options.lend([&](const policysync_client_options *lent) {
                return policysync_websocket_client_connect(url.data(), url.size(), lent, &given, &line, error);
            });
        });
        handle_.reset(line);
    }

    Heard wait(std::uint64_t now_ms = now) {
        const auto status =
            detail::call([&](auto *error) { return policysync_websocket_client_wait(get(), now_ms, error); });
        return status == POLICYSYNC_OK     ? Heard::message
               : status == POLICYSYNC_DONE ? Heard::closed
                                           : Heard::nothing;
    }

    /// Returns true if a message was processed.
    bool work(Replica &replica, std::uint64_t now_ms = now) {
        return detail::call([&](auto *error) {
                   return policysync_websocket_client_work(get(), replica.get(), now_ms, error);
               }) == POLICYSYNC_OK;
    }

    policysync_progress progress() const {
        policysync_progress progress{};
        progress.struct_size = sizeof progress;
        detail::call([&](auto *error) { return policysync_websocket_client_progress(get(), &progress, error); });
        return progress;
    }

    /// Returns the result of the last session of the line; nothing before one has ended.
    std::optional<SyncResult> result() const {
        return SyncResult::of([&](auto *out, auto *resume, auto *error) {
            return policysync_websocket_client_result(get(), out, resume, error);
        });
    }

    bool is_pushing() const {
        return detail::call([&](auto *error) { return policysync_websocket_client_is_pushing(get(), error); }) ==
               POLICYSYNC_OK;
    }

    void close() {
        detail::call([&](auto *error) { return policysync_websocket_client_close(get(), error); });
    }

    policysync_websocket_client *get() const noexcept { return handle_.get(); }

private:
    std::unique_ptr<policysync_websocket_client, detail::Deleter<policysync_websocket_client_free>> handle_;
};

/// Returns 32 random bytes from the system.
inline Bytes32 random32() {
    Bytes32 bytes{};
    detail::call([&](auto *error) { return policysync_random32(bytes.data(), error); });
    return bytes;
}

} // namespace policysync

#endif
