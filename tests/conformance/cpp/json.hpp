// A small reader of JSON for the scenarios, which are well-formed.
#ifndef CONFORMANCE_JSON_HPP
#define CONFORMANCE_JSON_HPP

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace json {

enum class Kind { null, boolean, number, text, array, object };

struct Value {
    Kind kind = Kind::null;
    bool truth = false;
    double number = 0;
    std::string text;
    /// The elements of an array.
    std::vector<Value> items;
    /// The members of an object, in their order.
    std::vector<std::pair<std::string, Value>> members;
    /// The value as it was written.
    std::string raw;

    const Value *find(std::string_view name) const {
        for (const auto &[key, value] : members) {
            if (key == name) {
                return &value;
            }
        }
        return nullptr;
    }
};

inline Value of_text(std::string text) {
    Value value;
    value.kind = Kind::text;
    value.text = std::move(text);
    return value;
}

inline Value of_number(std::uint64_t number) {
    Value value;
    value.kind = Kind::number;
    value.number = static_cast<double>(number);
    return value;
}

inline Value of_texts(const std::vector<std::string> &texts) {
    Value value;
    value.kind = Kind::array;
    for (const std::string &text : texts) {
        value.items.push_back(of_text(text));
    }
    return value;
}

/// Returns true if two values are equal, whatever the order of members.
inline bool equal(const Value &a, const Value &b) {
    if (a.kind != b.kind || a.truth != b.truth || a.text != b.text || a.items.size() != b.items.size() ||
        a.members.size() != b.members.size() || a.number < b.number || a.number > b.number) {
        return false;
    }
    for (std::size_t n = 0; n < a.items.size(); n++) {
        if (!equal(a.items[n], b.items[n])) {
            return false;
        }
    }
    for (const auto &[name, value] : a.members) {
        const Value *other = b.find(name);
        if (other == nullptr || !equal(value, *other)) {
            return false;
        }
    }
    return true;
}

class Reader {
public:
    explicit Reader(std::string_view json) : json_(json) {}

    Value whole() {
        Value value = read();
        skip();
        if (at_ != json_.size()) {
            fail();
        }
        return value;
    }

private:
    [[noreturn]] void fail() const { throw std::runtime_error("no JSON at byte " + std::to_string(at_)); }

    void skip() {
        while (at_ < json_.size() && std::string_view(" \t\r\n").find(json_[at_]) != std::string_view::npos) {
            at_++;
        }
    }

    bool eat(std::string_view expected) {
        skip();
        const bool is_there = json_.substr(at_, expected.size()) == expected;
        at_ += is_there ? expected.size() : 0;
        return is_there;
    }

    void need(std::string_view expected) {
        if (!eat(expected)) {
            fail();
        }
    }

    Value read() {
        skip();
        const std::size_t start = at_;
        Value value;
        if (eat("{")) {
            value.kind = Kind::object;
            while (!eat("}")) {
                if (!value.members.empty()) {
                    need(",");
                }
                need("\"");
                std::string name = string();
                need(":");
                value.members.emplace_back(std::move(name), read());
            }
        } else if (eat("[")) {
            value.kind = Kind::array;
            while (!eat("]")) {
                if (!value.items.empty()) {
                    need(",");
                }
                value.items.push_back(read());
            }
        } else if (eat("\"")) {
            value.kind = Kind::text;
            value.text = string();
        } else if (eat("true") || eat("false")) {
            value.kind = Kind::boolean;
            value.truth = json_[start] == 't';
        } else if (!eat("null")) {
            value.kind = Kind::number;
            const std::string digits(json_.substr(at_, json_.find_first_not_of("+-.0123456789eE", at_) - at_));
            value.number = std::strtod(digits.c_str(), nullptr);
            at_ += digits.size();
            if (digits.empty()) {
                fail();
            }
        }
        value.raw = json_.substr(start, at_ - start);
        return value;
    }

    char next() {
        if (at_ == json_.size()) {
            fail();
        }
        return json_[at_++];
    }

    /// Reads a string after its opening quote.
    std::string string() {
        std::string text;
        for (char c = next(); c != '"'; c = next()) {
            if (c != '\\') {
                text += c;
                continue;
            }
            static constexpr std::string_view names = "bfnrt", characters = "\b\f\n\r\t";
            const char escape = next();
            const std::size_t at = names.find(escape);
            if (escape == 'u') {
                unicode(text);
            } else {
                text += at == std::string_view::npos ? escape : characters[at];
            }
        }
        return text;
    }

    std::uint32_t unit() {
        const std::string digits(json_.substr(at_, 4));
        at_ += digits.size();
        return static_cast<std::uint32_t>(std::strtoul(digits.c_str(), nullptr, 16));
    }

    void unicode(std::string &text) {
        std::uint32_t code = unit();
        if (code >= 0xd800 && code < 0xdc00) {
            need("\\u");
            code = 0x10000 + ((code - 0xd800) << 10) + (unit() - 0xdc00);
        }
        const auto push = [&](std::uint32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
        if (code < 0x80) {
            push(code);
        } else if (code < 0x800) {
            push(0xc0 | code >> 6);
            push(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            push(0xe0 | code >> 12);
            push(0x80 | (code >> 6 & 0x3f));
            push(0x80 | (code & 0x3f));
        } else {
            push(0xf0 | code >> 18);
            push(0x80 | (code >> 12 & 0x3f));
            push(0x80 | (code >> 6 & 0x3f));
            push(0x80 | (code & 0x3f));
        }
    }

    std::string_view json_;
    std::size_t at_ = 0;
};

inline Value parse(std::string_view json) { return Reader(json).whole(); }

} // namespace json

#endif
