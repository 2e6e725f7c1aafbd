#!/usr/bin/env python3.11
"""Writes hostile/documents.txt: operations of PolicySync that break exactly one rule each, and operations at the
boundaries that must be accepted. Independent of the Rust code: own RFC 8785 writer, Ed25519 by PyNaCl (libsodium).

    python3.11 make_hostile.py [--full] OUT_DIR [reference-v1.json]

--full adds some 420 further spellings (about 960 KB in all). With the second path the writer is first checked against the 300 payloads of the reference.
"""
import base64, hashlib, json, os, re, sys, unicodedata
from nacl import bindings as sodium

# ---------------------------------------------------------------- canonical JSON (RFC 8785)

class Lit:
    """A literal spelled `doc` in the document and `canon` in the signed text."""
    def __init__(self, doc, canon=None):
        self.doc = doc if isinstance(doc, bytes) else doc.encode()
        self.canon = self.doc if canon is None else canon if isinstance(canon, bytes) else canon.encode()

UNDEFINED = Lit(b"undefined")
SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}

def string(s):
    out = []
    for ch in s:
        o = ord(ch)
        if o in SHORT: out.append(SHORT[o])
        elif o < 32 or 0xD800 <= o <= 0xDFFF: out.append("\\u%04x" % o)   # a lone surrogate as V8 writes it
        else: out.append(ch)
    return ('"' + "".join(out) + '"').encode()

def number(x):
    if isinstance(x, int):
        if abs(x) <= 2**53 - 1: return str(x)
        x = float(x)
    if x == 0: return "0"
    if x < 0: return "-" + number(-x)
    m = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:e([+-]\d+))?", repr(x))      # repr: shortest digits, nearest to x
    whole, frac, exp = m[1], m[2] or "", int(m[3] or 0)
    digits = whole + frac
    n = len(whole) + exp                                                # the value is 0.digits * 10^n
    stripped = digits.lstrip("0")
    n -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    k = len(digits)
    if k <= n <= 21: return digits + "0" * (n - k)
    if 0 < n <= 21: return digits[:n] + "." + digits[n:]
    if -6 < n <= 0: return "0." + "0" * -n + digits
    e = ("+" if n > 0 else "-") + str(abs(n - 1))
    return digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + e

def write(v, canon):
    """canon: sorted names and canonical literals; else the document as it stands."""
    if isinstance(v, Lit): return v.canon if canon else v.doc
    if v is None: return b"null"
    if v is True: return b"true"
    if v is False: return b"false"
    if isinstance(v, str): return string(v)
    if isinstance(v, (int, float)): return number(v).encode()
    if isinstance(v, list): return b"[" + b",".join(write(x, canon) for x in v) + b"]"
    items = list(v.items())
    if canon: items.sort(key=lambda kv: kv[0].encode("utf-16-be", "surrogatepass"))
    return b"{" + b",".join(string(k) + b":" + write(x, canon) for k, x in items) + b"}"

# ---------------------------------------------------------------- keys

L = 2**252 + 27742317777372353535851937790883648493

class Key:
    def __init__(self, label, actor, kid=None, registered=True):
        self.label, self.actor, self.registered = label, actor, registered
        self.seed = hashlib.sha256(b"policysync/hostile/seed/" + label.encode()).digest()
        self.public, self.secret = sodium.crypto_sign_seed_keypair(self.seed)
        self.derived = kid is None
        self.kid = kid or derive(self.public)
    def sign(self, text): return sodium.crypto_sign(text, self.secret)[:64]
    def scalar(self):
        h = bytearray(hashlib.sha512(self.seed).digest()[:32]); h[0] &= 248; h[31] &= 127; h[31] |= 64
        return int.from_bytes(h, "little")
    def sign_with(self, text, r, R):
        k = int.from_bytes(hashlib.sha512(R + self.public + text).digest(), "little") % L
        return R + ((r + k * self.scalar()) % L).to_bytes(32, "little")

def derive(public):
    return base64.urlsafe_b64encode(hashlib.sha256(b"policysync/kid" + public).digest()[:16]).rstrip(b"=").decode()

T0 = 1760000000000
TAIL = len(f":{T0}:1")
KEYS = {k.label: k for k in [
    Key("alice", "alice"), Key("alice2", "alice"), Key("alice3", "alice", "k" * 1024),
    Key("bob", "bob"), Key("bob2", "bob", "carol-laptop"), Key("carol", "carol", "carol-laptop"),
    Key("dave", "team:dave"), Key("quote", 'quo"te\\back'), Key("smile", "\U0001F600smile"), Key("cafe", "caf\u00e9"),
    Key("long1008", "L" * (1024 - TAIL)), Key("long1009", "L" * (1025 - TAIL)),
    Key("mallory", "mallory", registered=False)]}

# ---------------------------------------------------------------- records

RECORDS, NAMES = [], set()
BASE = dict(entity="Task", entityId="t1", path="title", kind="lww_set", value="Hello")
LIMIT = 1 << 20

def js(v):
    if isinstance(v, str): return v
    if isinstance(v, Lit): return v.canon.decode()
    if isinstance(v, dict): return "[object Object]"
    if isinstance(v, list): return ""
    return write(v, True).decode()

def rep(old, new, at=None):
    """An edit that replaces one unique piece of the document's bytes."""
    old, new = (x if isinstance(x, bytes) else x.encode() for x in (old, new))
    def edit(doc):
        assert doc.count(old) == 1, (old, doc)
        return doc.replace(old, new)
    return edit

def b64(b): return base64.b64encode(b).decode()

def build(*, top=None, ts=None, drop=(), signer="alice", kid=None, sig=None, text=None, order=None, edit=None,
          bytes_of=None, signature=None, spell=None):
    key = KEYS[signer]
    op = {"id": None, "actor": key.actor, "ts": None} | BASE
    op |= {k: v for k, v in (top or {}).items()}
    stamp = {"t": T0, "c": 1, "a": op["actor"]} | (ts or {})
    for d in drop:
        if d.startswith("ts."): del stamp[d[3:]]
    if "ts" not in (top or {}): op["ts"] = stamp
    if "id" not in (top or {}):
        op["id"] = f"{js(op['actor'])}:{js(stamp.get('t', T0))}:{js(stamp.get('c', 1))}"
    for d in drop:
        if "." not in d and d != "sig": del op[d]
    signed = write(op | {"sig": UNDEFINED}, True)
    if text: signed = text(signed, op) if callable(text) else text
    raw = signature(signed, key) if signature else key.sign(signed)
    s = {"kid": kid or key.kid, "alg": "ed25519", "bytes": (bytes_of or b64)(raw)} | (sig or {})
    for d in drop:
        if d.startswith("sig."): del s[d[4:]]
    doc = dict(op)
    if "sig" not in drop: doc["sig"] = s
    if "sig" in (top or {}): doc["sig"] = top["sig"]; signed = write({k: v for k, v in op.items() if k != "sig"} | {"sig": UNDEFINED}, True)
    if order: doc = {k: doc[k] for k in order}
    out = write(doc, False)
    if edit: out = edit(out)
    return out, signed

def shrink(data):
    """The recipe `pad` for data with one long run of up to six bytes, else None."""
    if len(data) < 900: return None
    for unit in range(1, 7):
        runs = [m for m in re.finditer(rb"(.{%d})\1{%d,}" % (unit, 199 // unit), data, re.S)]
        if len(runs) == 1: break
    else: return None
    m = runs[0]
    return pad(data[:m.start()], m[1], (m.end() - m.start()) // unit, data[m.end():])

hexed = lambda b: b.hex() or "-"
def pad(prefix, fill, count, suffix): return f"pad {hexed(prefix)} {hexed(fill)} {count} {hexed(suffix)}"
def nest(prefix, open_, count, middle, close, suffix):
    return f"nest {hexed(prefix)} {hexed(open_)} {count} {hexed(middle)} {hexed(close)} {hexed(suffix)}"

# Left out of the file unless --full is given, to keep it under 600 KiB: further spellings of what the rest already shows.
EXTRA = re.compile("|".join(r"""
utf8_(overlong_slash_2|overlong_slash_4|overlong_euro|f5|fe|truncated_2|truncated_4|windows_1252_quote|in_entityId|in_path)
syntax_(utf16be|cut_first_name|cut_in_actor|cut_in_t|cut_after_member|cut_last_two_braces|cut_last_in_sig_bytes|close_only|quote_only|word|minus_infinity|inf|double_zero|leading_zero_fraction|octal|binary|no_fraction_exponent)
syntax_(minus_no_integer|no_exponent_sign|fraction_exponent|minus_space|bigint|suffix|two_points|comma_decimal_point|full_width_digit|null_upper|false_upper|none|null_long|backquotes|triple_quotes|curly_quotes)
syntax_(escape_u_brace|escape_u_upper|escape_u_space|escape_a|escape_v|escape_e|escape_octal|escape_upper_n|escape_space|escape_non_ascii|escape_u_full_width|string_concatenation|string_plus|unquoted_value)
syntax_(array_only_comma|array_leading_comma|array_colon|array_semicolon|array_unclosed|object_leading_comma|object_two_colons|object_equals|object_name_only|object_single_quoted_name|object_null_name|object_array_name|object_spread)
syntax_(hash_comment|line_comment|space_line_separator|space_vertical_tab|space_delete|space_next_line|space_in_number|space_in_literal|function|parentheses|top_leading_comma|top_no_colon|top_unquoted_name|top_line_comment|top_parentheses|top_nul_first)
syntax_(top_record_separator|ts_hex|ts_trailing_comma|ts_point|ts_bigint|arabic_digit|underscore|two_minus|object_no_value|array_two_commas)
trailing_(bracket|null|block_comment|form_feed|vertical_tab|line_separator|line_then_number|semicolon|string|delete|ctrl_z|record_separator)
control_(01|08|0d|1b)_in_value
duplicate_(entity|entity_id|path|sig_equal|in_value_first|in_value_solidus|in_value_many|actor_escaped_second|ts_a_escaped|in_value_empty_name)
surrogate_(high_last|low_last|pair_low|high_then_short_escape|high_high_low|in_entityId|in_path)
deep_(66_arrays|129_arrays|20000_arrays|65_mixed_object_inside|65_after_siblings)
integer_(9007199254740995|9223372036854775808|18446744073709551616|1000000000000000000001|340282366920938463463374607431768211456|123456789012345678|99999999999999999999|10000000000000001)
overflow_(2e308|0.00001e400|123.456Eplus_400|minus_1.79.*|1e309)
underflow_(0.1eminus_400|123456789eminus_999|t|1eminus_324)
minus_zero_(0.000|nested_0.000|0Eplus_5|nested_0Eplus_5|nested_0e400|0.0eminus_10|nested_0.0eminus_10|t_0.0|t_0e0)
document_(true|number)
type_.*_(array_of_string|zero|false)
type_(ts_as_array|ts_as_text|sig_bytes_as_node_buffer|ts_t_iso_date)
unknown_member_(prototype|to_string|all_upper_case|trailing_space|leading_space|entity_id|entityid|hash|version|cyrillic|full_width|zero_width|sig2|signature|comment|dot_path|number_name|null)
unknown_member_(ts_constructor|ts_empty_name|ts_long_name|ts_actor|sig_constructor|sig_jwk|sig_nested_sig|sig_empty_name|sig_null|sig_actor)
kind_(01|03|04|06|07|09|10|11|14|16|18|20|21|22|23|24)
delete_with_(true|array_of_null|string_null|number)
(entity|entity_id|space|kid)_(line_feed)|(entity_id|space|kid|actor)_delete|entity_u(0001|000d|0090)
ts_a_(prefix|longer|nonregistered|cyrillic|colon_part|kid)
t_(minus_large|2_64|1e_plus_21|min_double|almost_0)
c_(2_32_plus_1|2_53|1e_plus_300|minus_2_31|minus_2_53|min_double|tiny)
id_(other_t|t_leading_zero|plus|t_exponent_plus|leading_space|dashes|trailing_colon|full_width_colon|full_width_digit|only_actor|hex_c|zero_width|grouped|minus|colon_part|no_actor)
alg_(03|05|08|09|12|14|15|16|18|19|20|21)
sig_bytes_(url_alphabet_one_character|percent_encoded|three_padding|padding_bits_2|padding_bits_4|padding_only|hex_upper|66_bytes|1_byte|double_base64|trailing_space|line_broken|full_width|data_url|prefix|85_padded|quoted|0x_hex|imap_alphabet|huge|96_bytes_key_appended)
space_(prefix|trailing_slash|zero_width|null_text_on_none|undefined_text_on_none|default_on_none)
kid_(lower|prefix|hex|actor_name|reference_style|first|star|proto|path|sql)|actor_(zero_width|unaccented|colon_rest|colon_other|full_width|astral_only)
sig_(s_plus_(3|4|7|8)_l|flip_(7|100|263|400|503|509|510)|ff|reversed|r_zero|s_zero|by_carol)
text_(sig_empty|sig_quoted|sig_last|document_undefined|bom|nul|hash_hex|sha512|empty|utf16|id|value|base64|names_case_insensitive|number_1e21_no_plus|number_python_1e_5|html_escaped|astral_escaped|line_separator_escaped)
tampered_(value_case|value_space|value_extra_member|value_array_order|value_false_null|entity_id|kind_to_set)
accept_(number_minus_2_53|number_2_53_plus_2|path_1024|t_upper_exponent|t_many_zeros|c_exponent_zeros|c_fraction|value_true|value_false|value_empty_array|depth_64_objects|any_label_still_default|order_sig_first)
deep_128_arrays|minus_zero_0e400|utf8_utf16be_with_mark|trailing_second_operation_line|type_sig_bytes_as_index_object|space_1024_other_last|syntax_top_xssi_prefix|surrogate_high_high|sig_bytes_space_for_plus|kid_other_alphabet
sig_halves_swapped|sig_public_key_as_signature|duplicate_in_value_escape_spellings|id_uuid|unknown_member_ts_upper_case|entity_bidi_first|text_pretty|syntax_top_nbsp_first|sig_flip_255
""".split()))

def record(name, rule, expect, comment, doc, signed=None, space="-", labels=None, recipe=None, signed_recipe=None):
    assert name not in NAMES, name
    assert comment.isascii() and "\n" not in comment and comment, comment
    NAMES.add(name)
    lines = [f"name: {name}", f"rule: design {rule}", f"expect: {expect}", f"space: {space}"]
    if labels: lines.append(f"labels: {labels}")
    recipe = recipe or shrink(doc)
    lines.append(f"document-recipe: {recipe}" if recipe else f"document-hex: {hexed(doc)}")
    if expect in ("appended", "held"):
        lines.append("op-hash: " + hashlib.sha256(signed).hexdigest())
        signed_recipe = signed_recipe or shrink(signed)
        lines.append(f"signed-text-recipe: {signed_recipe}" if signed_recipe else f"signed-text-hex: {signed.hex()}")
    lines.append(f"comment: {comment}")
    RECORDS.append((expect, "\n".join(lines)))

def add(name, rule, expect, comment, *, space="-", labels=None, **kw):
    doc, signed = build(**kw)
    record(name, rule, expect, comment, doc, signed, space, labels)

def bad(name, rule, why, comment, **kw): add(name, rule, "malformed/" + why, comment, **kw)
def no(name, rule, why, comment, **kw): add(name, rule, "refused/" + why, comment, **kw)
def ok(name, rule, comment, expect="appended", **kw): add(name, rule, expect, comment, **kw)

def value(doc, canon=None): return {"value": Lit(doc, canon)}

# ---------------------------------------------------------------- the documents

def accepting():
    r = "2, the operation"
    ok("accept_plain", r, "the plain operation that most others are made from")
    ok("accept_bob", r, "another actor, derived kid", signer="bob")
    ok("accept_second_key_of_actor", "5, keys", "alice's second key with its own kid", signer="alice2")
    ok("accept_foreign_kid", "5, keys", "a foreign kid, registered", signer="carol")
    ok("accept_same_kid_other_actor", "5, keys", "kid carol-laptop is registered for bob too, with another key", signer="bob2")
    ok("accept_actor_with_colon", "2, identifiers", "id is team:dave:t:c", signer="dave")
    ok("accept_actor_quote_backslash", "2, identifiers", "quotation mark and backslash in the actor", signer="quote")
    ok("accept_actor_astral", "2, identifiers", "U+1F600 in the actor", signer="smile")
    ok("accept_actor_astral_escaped", "2, the same operation", "the same as accept_actor_astral, written as escaped surrogate pairs", signer="smile",
       edit=lambda d: d.replace("\U0001F600".encode(), b"\\uD83d\\uDe00"))
    ok("accept_actor_nfc", "2, identifiers", "composed e acute in the actor", signer="cafe")
    ok("accept_delete", r, "lww_delete with null", top={"kind": "lww_delete", "value": None})
    ok("accept_set_null", r, "null is a value like any other", top={"value": None})
    for n, v in [("empty_object", {}), ("empty_string", ""), ("empty_array", []), ("false", False), ("true", True), ("zero", 0),
                 ("empty_member_name", {"": 1}), ("array_of_null", [None])]:
        ok("accept_value_" + n, r, "a value like any other", top={"value": v})
    ok("accept_value_looks_like_an_operation", r, "the members' names inside the value mean nothing",
       top={"value": {"actor": "bob", "sig": None, "ts": {"t": -1}, "kind": "none", "extra": "x"}})
    ok("accept_value_proto_members", r, "__proto__ and constructor are names like any other inside the value",
       top={"value": {"__proto__": {"admin": True}, "constructor": 1, "toString": None, "hasOwnProperty": 0}})
    ok("accept_value_names_differ_in_case_and_form", r, "a, A, composed and decomposed e acute: no duplicates",
       top={"value": {"a": 1, "A": 2, "\u00e9": 3, "e\u0301": 4, "a ": 5}})
    ok("accept_value_same_name_at_two_levels", r, "one name at several levels is no duplicate", top={"value": {"a": {"a": [{"a": 1}, {"a": 2}]}}})
    ok("accept_value_bidi", "2, identifiers", "bidirectional controls are allowed inside the value, names included",
       top={"value": {"\u202e": "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}})
    ok("accept_value_controls_escaped", "2, identifiers", "control characters are allowed inside the value: U+0000 to U+001F escaped, U+007F to U+009F raw",
       top={"value": {"\x00": "".join(map(chr, list(range(32)) + list(range(0x7F, 0xA0))))}})
    ok("accept_value_noncharacters", "2, identifiers", "U+FFFE, U+FFFF, U+10FFFF, U+FEFF, U+2028, U+E000 raw inside the value",
       top={"value": "\ufffe\uffff\U0010ffff\ufeff\u2028\u2029\ue000\ufdd0\ufffd"})
    ok("accept_names_sort_by_utf16", "2, numbers", "U+1F600 sorts before U+FB33 (UTF-16 code units), unlike UTF-8",
       top={"value": {"\ufb33": 1, "\U0001F600": 2, "\r": 3, "1": 4, "\u20ac": 5, "\u0080": 6, "\u00f6": 7}})
    ok("accept_names_prefix_order", "2, numbers", "a shorter name sorts before its continuation",
       top={"value": {"ab": 1, "a": 2, "": 3, "a\x00": 4, "aB": 5, "_": 6, "10": 7, "9": 8}})
    # spelling variants: one operation
    r = "2, the same operation"
    same = "the same operation as accept_plain: "
    ok("accept_white_space", r, same + "white space of all four kinds between all tokens",
       edit=lambda d: b" \t\r\n" + re.sub(rb'("(?:[^"\\]|\\.)*"|[{}:,]|[^\s"{}:,]+)', rb" \t\1\r\n", d))
    ok("accept_trailing_newline", r, same + "line feed at the end", edit=lambda d: d + b"\n")
    members = ["id", "actor", "ts", "entity", "entityId", "path", "kind", "value", "sig"]
    ok("accept_order_reversed", r, same + "members in reverse", order=members[::-1])
    ok("accept_order_canonical", r, same + "members sorted", order=sorted(members))
    ok("accept_order_sig_first", r, same + "sig first", order=["sig"] + members[:-1])
    ok("accept_order_inside_ts_and_sig", r, same + "members of ts and sig reordered",
       edit=lambda d: re.sub(rb'"sig":\{("kid":"[^"]*"),("alg":"[^"]*"),("bytes":"[^"]*")\}', rb'"sig":{\3,\1,\2}',
                             rep(b'{"t":1760000000000,"c":1,"a":"alice"}', b'{"a":"alice","t":1760000000000,"c":1}')(d)))
    def escape_all(d):
        return re.sub(rb'"((?:[^"\\])*)"', lambda m: b'"' + b"".join(b"\\u%04x" % c for c in m[1]) + b'"', d)
    ok("accept_every_character_escaped", r, same + "every character of every string, names included, as a \\u escape", edit=escape_all)
    ok("accept_escapes_upper_case", r, same + "escapes with upper-case hex digits in names and values",
       edit=lambda d: d.replace(b"alice", b"a\\u006Cice").replace(b"Hello", b"Hell\\u006F").replace(b'"kind"', b'"k\\u0069nd"'))
    ok("accept_kind_escaped", r, same + "kind spelled lww\\u005fset", edit=rep(b"lww_set", b"lww\\u005fset"))
    ok("accept_alg_escaped", r, same + "alg spelled with an escape", edit=rep(b'"ed25519"', b'"ed\\u00325519"'))
    ok("accept_sig_bytes_escaped", r, same + "the padding of sig.bytes written as escapes", edit=rep(b'=="', b'\\u003d\\u003D"'))
    ok("accept_solidus_escaped", r, "\\/ is / (path a/b/c)", top={"path": "a/b/c"}, edit=rep(b"a/b/c", b"a\\/b\\/c"))
    for n, t in [("1760000000000.0", "point_zero"), ("1.76e12", "exponent"), ("176E+10", "upper_exponent"), ("17600000000000e-1", "negative_exponent"),
                 ("1760000000000.00000", "many_zeros")]:
        ok("accept_t_" + t, r, same + f"t spelled {n}", ts={"t": Lit(n, str(T0))})
    for n, t in [("1.0", "point_zero"), ("1e0", "exponent"), ("1E+00", "exponent_zeros"), ("10e-1", "negative_exponent"), ("0.1e1", "fraction")]:
        ok("accept_c_" + t, r, same + f"c spelled {n}", ts={"c": Lit(n, "1")})
    # numbers
    r = "2, numbers"
    ok("accept_number_2_53", r, "9007199254740992 beyond 2^53-1 but its own canonical text", top=value("9007199254740992"))
    ok("accept_number_minus_2_53", r, "-9007199254740992, the same", top=value("-9007199254740992"))
    ok("accept_number_2_53_plus_2", r, "9007199254740994, the same", top=value("9007199254740994"))
    ok("accept_number_1e20_spelled_out", r, "100000000000000000000, the same", top=value("100000000000000000000"))
    ok("accept_number_2_64_shortest", r, "18446744073709552000, the shortest digits of 2^64", top=value("18446744073709552000"))
    ok("accept_number_largest_integer_text", r, "999999999999999900000, the greatest that ECMAScript writes without exponent", top=value("999999999999999900000"))
    ok("accept_number_safe_limits", r, "plus and minus 2^53-1", top=value("[9007199254740991,-9007199254740991]"))
    ok("accept_number_1e_plus_21", r, "1e+21 is canonical", top=value("1e+21"))
    ok("accept_number_max", r, "the greatest double, and a literal just under the overflow threshold",
       top=value("[1.7976931348623157e+308,1.7976931348623158e308,-1.7976931348623157e308]",
                 "[1.7976931348623157e+308,1.7976931348623157e+308,-1.7976931348623157e+308]"))
    ok("accept_number_min", r, "the least double, and literals that round up to it",
       top=value("[5e-324,4.9e-324,2.4703282292062328e-324,-5e-324,2.2250738585072011e-308]",
                 "[5e-324,5e-324,5e-324,-5e-324,2.225073858507201e-308]"))
    ok("accept_number_zero_spellings", r, "zero has no sign and no exponent: no underflow, no overflow",
       top=value("[0,0.0,0e0,0E+5,0e400,0.000e-400,0e99999999999999999999]", "[0,0,0,0,0,0,0]"))
    ok("accept_number_spellings", r, "numbers in other spellings", top=value("[1.0,1e0,1E2,1.50,100e-2,-1.0,1e15,0.1e-5,1e-7,123456789e-3]",
       "[1,1,100,1.5,1,-1,1000000000000000,0.000001,1e-7,123456.789]"))
    ok("accept_number_rounding", r, "literals that need correct rounding",
       top=value("[1.0000000000000001,0.1000000000000000055511151231257827021181583404541015625,9007199254740991.4,8.5,"
                 "1.00000000000000011102230246251565404236316680908203125,1.00000000000000011102230246251565404236316680908203126,"
                 "2.2250738585072012e-308,6.631236846766476e-316,333333333.33333329,4.35,0.000035689]",
                 "[1,0.1,9007199254740991,8.5,1,1.0000000000000002,2.2250738585072014e-308,6.63123685e-316,333333333.3333333,4.35,0.000035689]"))
    ok("accept_number_long_literal", r, "1 with 300 decimals of zero: literal length is not limited by design", top=value("1." + "0" * 300, "1"))
    # time and counter
    r = "2 and 4, ts"
    ok("accept_t_zero", r, "t = 0, c = 0", ts={"t": 0, "c": 0})
    ok("accept_c_max", r, "c = 2^32-2", ts={"c": 2**32 - 2})
    ok("accept_c_2_31", r, "c = 2^31", ts={"c": 2**31})
    ok("accept_t_at_drift", "4, future timestamps", "t = now + max drift, exactly", ts={"t": 1760000700000})
    ok("held_t_beyond_drift", "4, future timestamps", "t = now + max drift + 1", "held", ts={"t": 1760000700001})
    ok("held_t_max", "4, future timestamps", "t = 2^53-1", "held", ts={"t": 2**53 - 1})
    ok("held_t_and_c_max", "4, future timestamps", "t = 2^53-1, c = 2^32-2", "held", ts={"t": 2**53 - 1, "c": 2**32 - 2})
    ok("held_t_max_spelled", "4, future timestamps", "t = 9007199254740991.0", "held", ts={"t": Lit("9007199254740991.0", "9007199254740991")})
    ok("held_t_max_exponent", "4, future timestamps", "t = 9.007199254740991e15", "held", ts={"t": Lit("9.007199254740991e15", "9007199254740991")})
    ok("held_delete", "4, future timestamps", "a delete from the future", "held", top={"kind": "lww_delete", "value": None}, ts={"t": 1770000000000})
    # identifiers
    r = "2, identifiers"
    for m in ("entity", "entityId", "path"):
        ok(f"accept_{m}_1024", r, f"{m} of 1024 bytes", top={m: "x" * 1024})
    ok("accept_path_1024_three_byte", r, "path of 341 three-byte characters and one letter: 1024 bytes", top={"path": "\u20ac" * 341 + "x"})
    ok("accept_entity_1024_astral", r, "entity of 256 four-byte characters: 1024 bytes, 512 UTF-16 units", top={"entity": "\U0001F600" * 256})
    ok("accept_entity_1024_escaped", r, "1024 bytes after unescaping, 6144 before", top={"entity": "x" * 1024}, edit=rep(b"x" * 1024, b"\\u0078" * 1024))
    ok("accept_id_1024", r, "actor of 1008 bytes: id has exactly 1024", signer="long1008")
    ok("accept_kid_1024", r, "kid of 1024 bytes", signer="alice3")
    ok("accept_space_1024", r, "space of 1024 bytes", top={"space": "s" * 1024}, space="s" * 1024)
    ok("accept_identifiers_one_byte", r, "identifiers of one byte", top={"entity": "x", "entityId": "0", "path": "/"})
    ok("accept_identifiers_space_only", r, "a lone space character is no control", top={"entity": " ", "entityId": "  ", "path": " x "})
    ok("accept_identifier_neighbours", r, "neighbours of the refused ranges: U+0020 U+007E U+00A0 U+061B U+061D U+200B U+200C U+200D U+2010 U+2029 U+202F U+2065 U+206A",
       top={"entity": "\u0020\u007e\u00a0\u061b\u061d", "entityId": "\u200b\u200c\u200d\u2010", "path": "\u2028\u2029\u202f\u2065\u206a"})
    ok("accept_identifier_odd_characters", r, "soft hyphen, BOM character, tag, noncharacter, private use, last code point: not refused by design",
       top={"entity": "\u00ad\ufeff", "entityId": "\U000e0001\uffff\ue000", "path": "\U0010ffff"})
    ok("accept_identifier_decomposed", r, "decomposed and composed forms are kept as they are", top={"entity": "e\u0301", "entityId": "\u00e9", "path": "\u212b"})
    ok("accept_identifier_dots", r, "paths are opaque", top={"entity": "..", "path": "//../a//", "entityId": "__proto__"})
    # depth
    r = "2, value nesting"
    ok("accept_depth_64_arrays", r, "64 arrays, the innermost empty", top=value("[" * 64 + "]" * 64))
    ok("accept_depth_64_arrays_scalar", r, "64 arrays, a number inside (a scalar adds no level)", top=value("[" * 64 + "1" + "]" * 64))
    ok("accept_depth_64_objects", r, "64 objects, the innermost empty", top=value('{"a":' * 63 + "{}" + "}" * 63))
    ok("accept_depth_64_objects_scalar", r, "64 objects, null inside", top=value('{"a":' * 64 + "null" + "}" * 64))
    ok("accept_depth_64_mixed", r, "32 times object in array", top=value('[{"a":' * 32 + "0" + "}]" * 32))
    ok("accept_depth_64_twice", r, "two branches of 64 side by side: depth is not a count of brackets",
       top=value("[" + ",".join(["[" * 63 + "]" * 63] * 2) + "]"))
    ok("accept_brackets_in_string", r, "80 brackets inside a string are no nesting", top={"value": "[{" * 40})
    # space
    r = "2, space"
    ok("accept_space", r, "an operation of the replica's own space", top={"space": "notes"}, space="notes")
    ok("accept_space_delete", r, "delete in a space", top={"space": "notes", "kind": "lww_delete", "value": None}, space="notes")
    ok("accept_space_member_last", r, "space written after sig", top={"space": "notes"}, space="notes",
       order=["id", "actor", "ts", "entity", "entityId", "path", "kind", "value", "sig", "space"])
    ok("accept_space_escaped", r, "space spelled with an escape", top={"space": "notes"}, space="notes", edit=rep(b'"space":"notes"', b'"sp\\u0061ce":"n\\u006ftes"'))
    # labels
    ok("accept_any_label", "2, id", "the README's alice:1, with the option that takes any label", top={"id": "alice:1"}, labels="any")
    ok("accept_any_label_1024", "2, id", "a label of 1024 bytes, with that option", top={"id": "i" * 1024}, labels="any")
    ok("accept_any_label_still_default", "2, id", "the default label, with that option", labels="any")
    # signature
    r64 = 0x1234567890abcdef1234567890abcdef1234567890abcdef
    ok("accept_signature_other_nonce", "2, op hash", "a second valid signature (other nonce) of accept_plain: the same op hash",
       signature=lambda text, key: key.sign_with(text, r64, sodium.crypto_scalarmult_ed25519_base_noclamp(r64.to_bytes(32, "little"))))

def text_level():
    r = "2, JSON text"
    # UTF-8
    lossy = "the signature covers U+FFFD in its place"
    for n, raw, canon, c in [
        ("overlong_nul", b"\xc0\x80", "\\u0000", "the signature covers U+0000"),
        ("overlong_slash_2", b"\xc0\xaf", "/", "the signature covers /"),
        ("overlong_slash_3", b"\xe0\x80\xaf", "/", "the signature covers /"),
        ("overlong_slash_4", b"\xf0\x80\x80\xaf", "/", "the signature covers /"),
        ("overlong_letter", b"\xc1\xa1", "a", "the signature covers a"),
        ("overlong_quote", b"\xc0\xa2", "\\\"", "the signature covers the quotation mark"),
        ("overlong_euro", b"\xf0\x82\x82\xac", "\u20ac", "the signature covers U+20AC"),
        ("cesu8_pair", b"\xed\xa0\xbd\xed\xb8\x80", "\U0001F600", "CESU-8, the signature covers U+1F600"),
        ("surrogate_high", b"\xed\xa0\x80", "\\ud800", "the signature covers \\ud800 as V8 writes it"),
        ("surrogate_low", b"\xed\xbf\xbf", "\\udfff", "the signature covers \\udfff as V8 writes it"),
        ("beyond_10ffff", b"\xf4\x90\x80\x80", "\ufffd", lossy), ("f5", b"\xf5\x80\x80\x80", "\ufffd", lossy),
        ("five_bytes", b"\xf8\x88\x80\x80\x80", "\ufffd", lossy), ("fe", b"\xfe", "\ufffd", lossy), ("ff", b"\xff", "\ufffd", lossy),
        ("lone_continuation", b"\x80", "\ufffd", lossy), ("truncated_2", b"\xc3", "\ufffd", lossy), ("truncated_3", b"\xe2\x82", "\ufffd", lossy),
        ("truncated_4", b"\xf0\x9f\x98", "\ufffd", lossy), ("latin1", b"caf\xe9", "caf\u00e9", "Latin-1, the signature covers U+00E9"),
        ("windows_1252_quote", b"\x93x\x94", "\u201cx\u201d", "Windows-1252, the signature covers U+201C and U+201D")]:
        bad("utf8_" + n, r, "invalid-utf8", f"bytes {raw.hex()} in the value; {c}",
            top=value(b'"' + raw + b'"', b'"' + canon.encode() + b'"'))
    bad("utf8_raw_bytes_signed", r, "invalid-utf8", "byte ff in the value; the signature covers the byte as it is", top=value(b'"\xff"'))
    bad("utf8_in_name", r, "invalid-utf8", "byte ff in a name inside the value; the signature covers U+FFFD", top=value(b'{"\xff":1}', '{"\ufffd":1}'))
    for m in ("entity", "entityId", "path"):
        bad("utf8_in_" + m, r, "invalid-utf8", f"byte ff in {m}; the signature covers U+FFFD", top={m: Lit(b'"x\xff"', '"x\ufffd"')})
    bad("utf8_in_kid", r, "invalid-utf8", "byte ff after the kid", edit=rep(KEYS["alice"].kid.encode(), KEYS["alice"].kid.encode() + b"\xff"))
    bad("utf8_utf16le_with_mark", r, "invalid-utf8", "the whole text as UTF-16LE with its mark ff fe (not UTF-8)", edit=lambda d: b"\xff\xfe" + d.decode().encode("utf-16-le"))
    bad("utf8_utf16be_with_mark", r, "invalid-utf8", "the whole text as UTF-16BE with its mark fe ff (not UTF-8)", edit=lambda d: b"\xfe\xff" + d.decode().encode("utf-16-be"))
    bad("syntax_utf16le", r, "syntax", "UTF-16LE without mark: valid UTF-8 with NUL between the characters", edit=lambda d: d.decode().encode("utf-16-le"))
    bad("syntax_utf16be", r, "syntax", "UTF-16BE without mark: begins with NUL", edit=lambda d: d.decode().encode("utf-16-be"))
    bad("bom", r, "byte-order-mark", "ef bb bf before the text", edit=lambda d: b"\xef\xbb\xbf" + d)
    bad("bom_twice", r, "byte-order-mark", "two of them", edit=lambda d: b"\xef\xbb\xbf" * 2 + d)
    bad("bom_white_space", r, "byte-order-mark", "ef bb bf, then white space", edit=lambda d: b"\xef\xbb\xbf \n" + d)
    # trailing
    for n, tail in [("letter", b"x"), ("brace", b"}"), ("bracket", b"]"), ("comma", b","), ("nul", b"\0"), ("null", b"null"), ("comment", b" // end"),
                    ("block_comment", b"/**/"), ("nbsp", b"\xc2\xa0"), ("form_feed", b"\x0c"), ("vertical_tab", b"\x0b"), ("bom", b"\xef\xbb\xbf"),
                    ("line_separator", b"\xe2\x80\xa8"), ("empty_object", b"{}"), ("line_then_number", b"\n1"), ("semicolon", b";"), ("string", b'""'), ("delete", b"\x7f"),
                    ("ctrl_z", b"\x1a"), ("record_separator", b"\x1e")]:
        bad("trailing_" + n, r, "trailing-bytes", f"after the operation: bytes {tail.hex()}", edit=lambda d: d + tail)
    bad("trailing_second_operation", r, "trailing-bytes", "the operation twice", edit=lambda d: d + d)
    bad("trailing_second_operation_line", r, "trailing-bytes", "the operation twice, one a line", edit=lambda d: d + b"\n" + d + b"\n")
    # control characters
    for o in (0, 1, 8, 9, 10, 13, 0x1b, 0x1f):
        bad(f"control_{o:02x}_in_value", r, "control-character", f"raw byte {o:02x} in the value; the signature covers it escaped",
            top=value(b'"a' + bytes([o]) + b'b"', string("a" + chr(o) + "b")))
    bad("control_in_name", r, "control-character", "raw tab in a name inside the value", top=value(b'{"a\tb":1}', string("a\tb").join([b"{", b":1}"])))
    bad("control_in_nested_value", r, "control-character", "raw line feed deep in the value", top=value(b'[[{"a":["\n"]}]]', b'[[{"a":["\\n"]}]]'))
    # syntax
    for n, cut in [("open_brace", 1), ("first_name", 4), ("first_colon", 5), ("in_id", 12), ("after_member", 29), ("after_comma", 30), ("in_actor", 42), ("in_t", 60), ("in_ts", 70)]:
        bad("syntax_cut_" + n, r, "syntax", f"only the first {cut} bytes", edit=lambda d: d[:cut])
    for n, cut in [("brace", 1), ("two_braces", 2), ("quote_and_braces", 3), ("in_sig_bytes", 40), ("before_sig", 130)]:
        bad("syntax_cut_last_" + n, r, "syntax", f"without the last {cut} bytes", edit=lambda d: d[:-cut])
    def cut_at(mark): return lambda d: d[:d.index(mark) + len(mark)]
    bad("syntax_cut_after_value_colon", r, "syntax", "cut after \"value\":", edit=cut_at(b'"value":'))
    bad("syntax_cut_in_escape", r, "syntax", "cut inside an escape", top=value(b'"\\u00e9"', '"\u00e9"'), edit=cut_at(b"\\u00e"))
    bad("syntax_cut_after_backslash", r, "syntax", "cut after a backslash", top=value(b'"\\n"'), edit=cut_at(b'"value":"\\'))
    bad("syntax_cut_in_null", r, "syntax", "cut inside null", top={"value": None}, edit=cut_at(b'"value":nul'))
    bad("syntax_cut_in_number", r, "syntax", "cut after 1e", top=value("1e5", "100000"), edit=cut_at(b'"value":1e'))
    for n, whole in [("empty", b""), ("white_space_only", b" \n\t\r"), ("nul_only", b"\0"), ("close_only", b"}"), ("quote_only", b'"'), ("word", b"hello")]:
        record("syntax_" + n, r, "malformed/syntax", "the whole document is this", whole)
    for n, lit, canon in [
        ("nan", "NaN", "null"), ("infinity", "Infinity", "null"), ("minus_infinity", "-Infinity", "null"), ("inf", "inf", "null"), ("undefined", "undefined", "undefined"),
        ("leading_zero", "01", "1"), ("double_zero", "00", "0"), ("leading_zero_fraction", "00.5", "0.5"),
        ("plus", "+1", "1"), ("hex", "0x10", "16"), ("octal", "0o17", "15"), ("binary", "0b1", "1"), ("no_fraction", "1.", "1"), ("no_fraction_exponent", "1.e3", "1000"),
        ("no_integer", ".5", "0.5"), ("minus_no_integer", "-.5", "-0.5"), ("no_exponent", "1e", "1"), ("no_exponent_sign", "1e+", "1"), ("fraction_exponent", "1e0.5", "1"),
        ("two_minus", "--1", "1"), ("minus_space", "- 1", "-1"), ("underscore", "1_000", "1000"), ("bigint", "1n", "1"), ("suffix", "1f", "1"), ("two_points", "1.2.3", "1.2"),
        ("comma_decimal_point", "1,5", "1.5"), ("minus_alone", "-", "0"), ("full_width_digit", "\uff11", "1"), ("arabic_digit", "\u0661", "1"),
        ("true_upper", "True", "true"), ("null_upper", "NULL", "null"), ("false_upper", "FALSE", "false"), ("none", "None", "null"), ("null_short", "nul", "null"), ("null_long", "nulll", "null"),
        ("single_quotes", "'Hello'", '"Hello"'), ("backquotes", "`Hello`", '"Hello"'), ("unquoted_value", "Hello", '"Hello"'), ("triple_quotes", '"""Hello"""', '"Hello"'),
        ("curly_quotes", "\u201cHello\u201d", '"Hello"'), ("no_value", "", "null"),
        ("escape_x", '"\\x41"', '"A"'), ("escape_u_short", '"\\u41"', '"A"'), ("escape_u_brace", '"\\u{41}"', '"A"'), ("escape_u_upper", '"\\U00000041"', '"A"'),
        ("escape_u_not_hex", '"\\u00g1"', '"A"'), ("escape_u_plus", '"\\u+041"', '"A"'), ("escape_u_space", '"\\u 041"', '"A"'), ("escape_quote", '"\\\'"', '"\'"'),
        ("escape_zero", '"\\0"', '"\\u0000"'), ("escape_a", '"\\a"', '"\\u0007"'), ("escape_v", '"\\v"', '"\\u000b"'), ("escape_e", '"\\e"', '"\\u001b"'), ("escape_octal", '"\\101"', '"A"'),
        ("escape_upper_n", '"\\N"', '"N"'), ("escape_space", '"\\ "', '" "'), ("escape_non_ascii", '"\\\u00e9"', '"\u00e9"'), ("escape_u_full_width", '"\\u\uff10\uff10\uff14\uff11"', '"A"'),
        ("string_concatenation", '"Hel" "lo"', '"Hello"'), ("string_plus", '"Hel"+"lo"', '"Hello"'),
        ("array_trailing_comma", "[1,]", "[1]"), ("array_leading_comma", "[,1]", "[1]"), ("array_two_commas", "[1,,2]", "[1,2]"), ("array_only_comma", "[,]", "[]"), ("array_no_comma", "[1 2]", "[1,2]"),
        ("array_colon", "[1:2]", "[1,2]"), ("array_semicolon", "[1;2]", "[1,2]"), ("array_closed_by_brace", "[1}", "[1]"), ("array_unclosed", "[1", "[1]"),
        ("object_trailing_comma", '{"a":1,}', '{"a":1}'), ("object_leading_comma", '{,"a":1}', '{"a":1}'), ("object_no_colon", '{"a" 1}', '{"a":1}'), ("object_two_colons", '{"a"::1}', '{"a":1}'),
        ("object_equals", '{"a"=1}', '{"a":1}'), ("object_no_comma", '{"a":1 "b":2}', '{"a":1,"b":2}'), ("object_no_value", '{"a":}', '{"a":null}'), ("object_name_only", '{"a"}', '{"a":null}'),
        ("object_unquoted_name", "{a:1}", '{"a":1}'), ("object_single_quoted_name", "{'a':1}", '{"a":1}'), ("object_number_name", "{1:1}", '{"1":1}'), ("object_null_name", "{null:1}", '{"null":1}'),
        ("object_array_name", "{[]:1}", '{"":1}'), ("object_closed_by_bracket", '{"a":1]', '{"a":1}'), ("object_spread", "{...x}", "{}"),
        ("block_comment", '/* c */"Hello"', '"Hello"'), ("line_comment", '// c\n"Hello"', '"Hello"'), ("hash_comment", '# c\n"Hello"', '"Hello"'), ("block_comment_in_array", "[1/**/,2]", "[1,2]"),
        ("space_nbsp", '\u00a0"Hello"', '"Hello"'), ("space_line_separator", '\u2028"Hello"', '"Hello"'), ("space_form_feed", '\x0c"Hello"', '"Hello"'), ("space_vertical_tab", '\x0b"Hello"', '"Hello"'),
        ("space_nul", '\x00"Hello"', '"Hello"'), ("space_bom", '\ufeff"Hello"', '"Hello"'), ("space_delete", '\x7f"Hello"', '"Hello"'), ("space_next_line", '\x85"Hello"', '"Hello"'),
        ("space_in_number", "1 000", "1000"), ("space_in_literal", "nu ll", "null"), ("function", "Date(0)", "{}"), ("parentheses", '("Hello")', '"Hello"')]:
        bad("syntax_" + n, r, "syntax", "the value is spelled in a way that is not JSON; the signature covers what a lax reader would see", top=value(lit, canon))
    for n, e, c in [
        ("top_trailing_comma", lambda d: d[:-1] + b",}", "comma before the last brace"), ("top_leading_comma", lambda d: b"{," + d[1:], "comma after the first brace"),
        ("top_two_commas", rep(b',"kind"', b',,"kind"'), "two commas"), ("top_no_comma", rep(b',"kind"', b' "kind"'), "no comma"), ("top_no_colon", rep(b'"kind":', b'"kind" '), "no colon"),
        ("top_single_quotes", lambda d: d.replace(b'"', b"'"), "single quotes throughout"), ("top_unquoted_name", rep(b'"kind":', b"kind:"), "name without quotes"),
        ("top_comment_first", lambda d: b"/* op */" + d, "comment before the operation"), ("top_line_comment", lambda d: b"// op\n" + d, "line comment before the operation"),
        ("top_nbsp_first", lambda d: b"\xc2\xa0" + d, "U+00A0 before the operation"), ("top_nul_first", lambda d: b"\0" + d, "NUL before the operation"),
        ("top_xssi_prefix", lambda d: b")]}',\n" + d, "the prefix against script inclusion"), ("top_parentheses", lambda d: b"(" + d + b")", "in parentheses"),
        ("top_record_separator", lambda d: b"\x1e" + d + b"\n", "RFC 7464 text sequence"), ("ts_leading_zero", rep(b'"c":1,', b'"c":01,'), "c spelled 01"),
        ("ts_hex", rep(b'"c":1,', b'"c":0x1,'), "c spelled 0x1"), ("ts_plus", rep(b'"t":17', b'"t":+17'), "t spelled with +"), ("ts_trailing_comma", rep(b'"a":"alice"}', b'"a":"alice",}'), "comma before the end of ts"),
        ("sig_trailing_comma", lambda d: d[:-2] + b",}}", "comma before the end of sig"), ("ts_point", rep(b'"c":1,', b'"c":1.,'), "c spelled 1."), ("ts_bigint", rep(b'"c":1,', b'"c":1n,'), "c spelled 1n")]:
        bad("syntax_" + n, r, "syntax", c, edit=e)
    _, signed = build()
    record("syntax_signed_text_itself", r, "malformed/syntax", "the signed text sent as the document: \"sig\":undefined is not JSON", signed)
    # duplicates
    for n, e, c in [
        ("actor_last_wins", rep(b'"actor":"alice",', b'"actor":"bob","actor":"alice",'), "a last-wins reader sees the signed one"),
        ("actor_first_wins", rep(b'"actor":"alice",', b'"actor":"alice","actor":"bob",'), "a first-wins reader sees the signed one"),
        ("actor_equal", rep(b'"actor":"alice",', b'"actor":"alice","actor":"alice",'), "both equal"),
        ("actor_escaped", rep(b'"actor":"alice",', b'"\\u0061ctor":"bob","actor":"alice",'), "equal after unescaping"),
        ("actor_escaped_second", rep(b'"actor":"alice",', b'"actor":"alice","act\\u006Fr":"alice",'), "equal after unescaping, equal values"),
        ("value", rep(b'"value":"Hello"', b'"value":"Evil","value":"Hello"'), "two values"),
        ("value_far_apart", lambda d: b'{"value":"Evil",' + d[1:], "two values, far apart"), ("id", lambda d: b'{"id":"bob:1:1",' + d[1:], "two ids"),
        ("kind", rep(b'"kind":"lww_set"', b'"kind":"lww_delete","kind":"lww_set"'), "two kinds"), ("entity", rep(b'"entity":"Task"', b'"entity":"User","entity":"Task"'), "two entities"),
        ("entity_id", rep(b'"entityId":"t1"', b'"entityId":"t2","entityId":"t1"'), "two entityIds"), ("path", rep(b'"path":"title"', b'"path":"role","path":"title"'), "two paths"),
        ("ts", rep(b'"ts":{', b'"ts":{"t":0,"c":0,"a":"alice"},"ts":{'), "two ts"), ("sig", rep(b'"sig":{', b'"sig":{"kid":"k","alg":"ed25519","bytes":"' + b"A" * 86 + b'=="},"sig":{'), "two sigs"),
        ("sig_equal", lambda d: d[:-1] + d[d.index(b',"sig"'):], "two equal sigs"),
        ("ts_t", rep(b'"t":1760000000000', b'"t":9,"t":1760000000000'), "two t"), ("ts_c", rep(b'"c":1', b'"c":0,"c":1'), "two c"), ("ts_a", rep(b'"a":"alice"', b'"a":"bob","a":"alice"'), "two a"),
        ("ts_a_escaped", rep(b'"a":"alice"', b'"\\u0061":"bob","a":"alice"'), "two a, one escaped"), ("sig_kid", rep(b'"kid":', b'"kid":"x","kid":'), "two kids"),
        ("sig_alg", rep(b'"alg":', b'"alg":"ed25519","alg":'), "two algs"), ("sig_bytes", rep(b'"bytes":', b'"bytes":"' + b"A" * 86 + b'==","bytes":'), "two bytes")]:
        bad("duplicate_" + n, r, "duplicate-member", c, edit=e)
    bad("duplicate_space", r, "duplicate-member", "two spaces", top={"space": "notes"}, space="notes", edit=rep(b'"space":"notes"', b'"space":"other","space":"notes"'))
    for n, lit, canon, c in [
        ("in_value", '{"a":1,"a":2}', '{"a":2}', "last wins"), ("in_value_first", '{"a":1,"a":2}', '{"a":1}', "first wins"), ("in_value_equal", '{"a":1,"a":1}', '{"a":1}', "both equal"),
        ("in_value_deep", '[[[{"x":[{"k":null,"b":0,"k":null}]}]]]', '[[[{"x":[{"b":0,"k":null}]}]]]', "deep in the value"),
        ("in_value_escaped", '{"\\u00e9":1,"\u00e9":2}', '{"\u00e9":2}', "one of them escaped"), ("in_value_escape_spellings", '{"\\n":1,"\\u000a":2}', '{"\\n":2}', "\\n and \\u000a"),
        ("in_value_solidus", '{"a/b":1,"a\\/b":2}', '{"a/b":2}', "/ and \\/"), ("in_value_astral", '{"\U0001F600":1,"\\uD83D\\uDE00":2}', '{"\U0001F600":2}', "raw and as surrogate pair"),
        ("in_value_empty_name", '{"":1,"":2}', '{"":2}', "the empty name"), ("in_value_proto", '{"__proto__":1,"__proto__":2}', '{"__proto__":2}', "__proto__ twice"),
        ("in_value_many", "{" + ",".join(f'"k{i}":{i}' for i in range(40)) + ',"k7":7}', None, "the 41st equals the 8th")]:
        if canon is None: canon = write({f"k{i}": i for i in range(40)}, True)
        bad("duplicate_" + n, r, "duplicate-member", f"{c}; the signature covers what is then seen", top=value(lit, canon))
    bad("duplicate_in_value_at_depth_64", r, "duplicate-member", "in the innermost of 64 levels", top=value("[" * 63 + '{"a":0,"a":0}' + "]" * 63, "[" * 63 + '{"a":0}' + "]" * 63))
    # lone surrogates
    for n, lit, canon in [
        ("high", "\\ud800", "\ud800"), ("high_last", "\\uDBFF", "\udbff"), ("low", "\\udc00", "\udc00"), ("low_last", "\\uDFFF", "\udfff"), ("reversed", "\\ude00\\ud83d", "\ude00\ud83d"),
        ("high_high", "\\ud83d\\ud83d", "\ud83d\ud83d"), ("high_high_low", "\\ud83d\\ud83d\\ude00", "\ud83d\U0001F600"), ("pair_low", "\\ud83d\\ude00\\ude00", "\U0001F600\ude00"),
        ("high_then_letter", "\\ud800A", "\ud800A"), ("high_then_escape", "\\ud800\\u0041", "\ud800A"), ("high_then_short_escape", "\\ud800\\n", "\ud800\n"),
        ("high_then_backslash", "\\ud83d\\\\ude00", "\ud83d\\ude00"), ("high_at_end", "abc\\ud83d", "abc\ud83d"), ("high_then_raw_astral", "\\ud83d\U0001F600", "\ud83d\U0001F600")]:
        bad("surrogate_" + n, r, "lone-surrogate", "in the value; the signature covers it as V8 writes it", top=value(f'"{lit}"', string(canon)))
    bad("surrogate_in_name", r, "lone-surrogate", "in a name inside the value", top=value('{"\\ud800":1}', '{"\\ud800":1}'))
    bad("surrogate_in_name_deep", r, "lone-surrogate", "in a name deep in the value", top=value('[{"a":{"x\\udfff":1}}]', '[{"a":{"x\\udfff":1}}]'))
    for m in ("entity", "entityId", "path"):
        bad("surrogate_in_" + m, r, "lone-surrogate", f"in {m}", top={m: "x\ud800"})
    bad("surrogate_in_actor", r, "lone-surrogate", "in actor, ts.a and id (no key can be registered for it)", top={"actor": "alice\udc00"})
    bad("surrogate_in_space", r, "lone-surrogate", "in space (no replica can be opened with it)", top={"space": "notes\ud800"}, space="notes")
    bad("surrogate_in_kid", r, "lone-surrogate", "in kid (no key can be registered for it)", kid="x\ud800")
    bad("surrogate_in_id", r, "lone-surrogate", "in id, with the option that takes any label", top={"id": "\udfff"}, labels="any")
    # depth
    r = "2, value nesting"
    for n, lit in [("65_arrays", "[" * 65 + "]" * 65), ("65_arrays_scalar", "[" * 65 + "1" + "]" * 65), ("65_objects", '{"a":' * 64 + "{}" + "}" * 64), ("65_objects_scalar", '{"a":' * 65 + "0" + "}" * 65),
                   ("65_mixed", '[{"a":' * 32 + "[]" + "}]" * 32), ("65_mixed_object_inside", '{"a":[' * 32 + "{}" + "]}" * 32), ("65_second_branch", "[[],0," + "[" * 64 + "]" * 64 + "]"),
                   ("65_after_siblings", "[" + "[[]]," * 20 + "[" * 64 + "]" * 64 + "]"), ("66_arrays", "[" * 66 + "]" * 66), ("128_arrays", "[" * 128 + "]" * 128), ("129_arrays", "[" * 129 + "]" * 129)]:
        bad("deep_" + n, r, "too-deep", "nesting of the value over 64", top=value(lit))
    bad("deep_65_value_first", r, "too-deep", "65 arrays, value the first member", top=value("[" * 65 + "]" * 65), order=["value", "sig", "id", "actor", "ts", "entity", "entityId", "path", "kind"])
    for n, o, m, c, count in [("20000_arrays", b"[", b"", b"]", 20000), ("500000_arrays", b"[", b"", b"]", 500000), ("100000_objects", b'{"a":', b"0", b"}", 100000), ("10000_mixed", b'[{"":', b"null", b"}]", 10000)]:
        doc, signed = build(top=value(o * count + m + c * count))
        at = doc.index(b'"value":') + 8; tail = at + len(o) * count + len(m) + len(c) * count
        record("deep_" + n, r, "malformed/too-deep", "very deep, closed and signed", doc, recipe=nest(doc[:at], o, count, m, c, doc[tail:]))
    # numbers
    r = "2, numbers"
    for lit, canon in [("9007199254740993", "9007199254740992"), ("-9007199254740993", "-9007199254740992"), ("9007199254740995", "9007199254740996"), ("100000000000000000001", "100000000000000000000"),
                       ("9223372036854775807", "9223372036854776000"), ("-9223372036854775808", "-9223372036854776000"), ("9223372036854775808", "9223372036854776000"), ("18446744073709551615", "18446744073709552000"),
                       ("18446744073709551616", "18446744073709552000"), ("1000000000000000000000", "1e+21"), ("1000000000000000000001", "1e+21"), ("340282366920938463463374607431768211456", "3.402823669209385e+38"),
                       ("123456789012345678", "123456789012345680"), ("99999999999999999999", "100000000000000000000"), ("10000000000000001", "10000000000000000"),
                       ("1" + "0" * 300, "1e+300")]:
        n = lit if len(lit) < 45 else f"1_and_{len(lit) - 1}_zeros"
        bad("integer_" + n.replace("-", "minus_"), r, "unsafe-integer", "integer literal beyond 2^53-1, not its own canonical text; the signature covers the rounded one", top=value(lit, canon))
    bad("integer_in_array", r, "unsafe-integer", "inside an array", top=value("[0,[9007199254740993]]", "[0,[9007199254740992]]"))
    bad("integer_in_object", r, "unsafe-integer", "inside an object", top=value('{"a":{"b":9007199254740993}}', '{"a":{"b":9007199254740992}}'))
    for lit in ("1e400", "-1e400", "1e309", "1.7976931348623159e308", "-1.7976931348623159e308", "2e308", "1e99999999999999999999", "0.00001e400", "123.456E+400"):
        bad("overflow_" + lit.replace("-", "minus_").replace("+", "plus_"), r, "number-overflow", "the signature covers null, which JSON.stringify writes for Infinity", top=value(lit, "null"))
    bad("overflow_nested", r, "number-overflow", "deep in the value", top=value('{"a":[1e400]}', '{"a":[null]}'))
    for lit in ("1e-400", "1e-324", "2.4703282292062327e-324", "0.1e-400", "1e-99999999999999999999", "123456789e-999", "0." + "0" * 330 + "1"):
        bad("underflow_" + (lit if len(lit) < 40 else "330_zeros").replace("-", "minus_"), r, "number-underflow", "a non-zero literal that rounds to zero; the signature covers 0", top=value(lit, "0"))
    bad("underflow_nested", r, "number-underflow", "deep in the value", top=value('[[{"a":1e-400}]]', '[[{"a":0}]]'))
    for lit in ("-0", "-0.0", "-0e0", "-0.000", "-0E+5", "-0e400", "-0.0e-10"):
        bad("minus_zero_" + lit[1:].replace("+", "plus_").replace("-", "minus_"), r, "negative-zero", f"{lit}; the signature covers 0", top=value(lit, "0"))
        bad("minus_zero_nested_" + lit[1:].replace("+", "plus_").replace("-", "minus_"), r, "negative-zero", f"{lit} inside the value; the signature covers 0", top=value('{"a":[1,%s]}' % lit, '{"a":[1,0]}'))
    for lit in ("-0", "-0.0", "-0e0"):
        bad("minus_zero_c_" + lit[1:], r, "negative-zero", f"ts.c is {lit}", ts={"c": Lit(lit, "0")})
        bad("minus_zero_t_" + lit[1:], r, "negative-zero", f"ts.t is {lit}", ts={"t": Lit(lit, "0")})
    bad("integer_c", r, "unsafe-integer", "ts.c is 18446744073709551616 (the number rule comes before the range of c)", ts={"c": Lit("18446744073709551616", "18446744073709552000")})
    bad("integer_t", r, "unsafe-integer", "ts.t is 9007199254740993 (the number rule comes before the range of t)", ts={"t": Lit("9007199254740993", "9007199254740992")})
    bad("overflow_t", r, "number-overflow", "ts.t is 1e400", ts={"t": Lit("1e400", "null")})
    bad("overflow_c", r, "number-overflow", "ts.c is 1e400", ts={"c": Lit("1e400", "null")})
    bad("underflow_c", r, "number-underflow", "ts.c is 1e-400", ts={"c": Lit("1e-400", "0")})
    bad("underflow_t", r, "number-underflow", "ts.t is 1e-400", ts={"t": Lit("1e-400", "0")})

def shape():
    r = "2, members"
    for n, doc in [("null", b"null"), ("true", b"true"), ("number", b"1"), ("string", b'"alice"'), ("empty_array", b"[]")]:
        record("document_" + n, r, "malformed/wrong-type", "the document is no object", doc)
    bad("document_in_array", r, "wrong-type", "the operation inside an array", edit=lambda d: b"[" + d + b"]")
    bad("document_as_string", r, "wrong-type", "the operation as a JSON string", edit=lambda d: string(d.decode()))
    for m in ("id", "actor", "ts", "entity", "entityId", "path", "kind", "value"):
        bad("missing_" + m, r, "missing-member", f"no {m}; signed without it", drop=(m,))
    bad("missing_value_of_delete", r, "missing-member", "a delete without value", top={"kind": "lww_delete"}, drop=("value",))
    for m in ("t", "c", "a"): bad("missing_ts_" + m, r, "missing-member", f"no ts.{m}; signed without it", drop=("ts." + m,))
    for m in ("kid", "alg", "bytes"): bad("missing_sig_" + m, r, "missing-member", f"no sig.{m}", drop=("sig." + m,))
    bad("missing_ts_all", r, "missing-member", "ts is {}", top={"ts": {}})
    bad("missing_sig_all", r, "missing-member", "sig is {}", edit=lambda d: d[:d.index(b'"sig":')] + b'"sig":{}}')
    bad("unsigned", r, "unsigned", "no sig member", drop=("sig",))
    bad("unsigned_null", r, "unsigned", "sig is null", edit=lambda d: d[:d.index(b'"sig":')] + b'"sig":null}')
    bad("unsigned_null_first", r, "unsigned", "sig is null, the first member", edit=lambda d: b'{"sig":null,' + d[1:d.index(b',"sig":')] + b"}")
    bad("unsigned_delete", r, "unsigned", "a delete without sig", top={"kind": "lww_delete", "value": None}, drop=("sig",))
    bad("unsigned_in_space", r, "unsigned", "no sig member, in a space", top={"space": "notes"}, space="notes", drop=("sig",))
    sorts = [("null", None), ("true", True), ("false", False), ("number", 7), ("string", "7"), ("array", []), ("object", {}), ("array_of_string", ["alice"]), ("zero", 0)]
    for m in ("id", "entity", "entityId", "path", "kind"):
        for n, v in sorts:
            if n in ("string", "zero", "false"): continue
            bad(f"type_{m}_{n}", r, "wrong-type", f"{m} is of type {n}", top={m: v})
    for n, v in sorts:
        if n != "string": bad(f"type_actor_{n}", r, "wrong-type", f"actor is of type {n} (and ts.a is the same)", top={"actor": v})
        if n != "string": bad(f"type_ts_a_{n}", r, "wrong-type", f"ts.a is of type {n}", ts={"a": v}, top={"id": f"alice:{T0}:1"})
        if n != "object": bad(f"type_ts_{n}", r, "wrong-type", f"ts is of type {n}", top={"ts": v})
        if n not in ("object", "null"): bad(f"type_sig_{n}", r, "wrong-type", f"sig is of type {n}", edit=lambda d: d[:d.index(b'"sig":')] + b'"sig":' + write(v, False) + b"}")
        if n != "string": bad(f"type_space_{n}", r, "wrong-type", f"space is of type {n}", top={"space": v})
        for m in ("kid", "alg", "bytes"):
            if n not in ("string", "zero"): bad(f"type_sig_{m}_{n}", r, "wrong-type", f"sig.{m} is of type {n}", sig={m: v})
        for m in ("t", "c"):
            if n not in ("number", "zero", "string"): bad(f"type_ts_{m}_{n}", r, "wrong-type", f"ts.{m} is of type {n}", ts={m: v}, top={"id": f"alice:{T0}:1"})
    bad("type_ts_t_string", r, "wrong-type", "ts.t is the string of digits", ts={"t": str(T0)})
    bad("type_ts_c_string", r, "wrong-type", "ts.c is the string 1", ts={"c": "1"})
    bad("type_ts_t_iso_date", r, "wrong-type", "ts.t is an ISO date", ts={"t": "2025-10-09T08:53:20Z"}, top={"id": f"alice:{T0}:1"})
    bad("type_ts_as_text", r, "wrong-type", "ts is its own JSON text", top={"ts": f'{{"t":{T0},"c":1,"a":"alice"}}'})
    bad("type_ts_as_array", r, "wrong-type", "ts is [t,c,a]", top={"ts": [T0, 1, "alice"]})
    bad("type_sig_bytes_as_numbers", r, "wrong-type", "sig.bytes is the array of 64 numbers", bytes_of=list)
    bad("type_sig_bytes_as_index_object", r, "wrong-type", "sig.bytes is {\"0\":..}, as JSON.stringify writes a Uint8Array", bytes_of=lambda b: {str(i): x for i, x in enumerate(b)})
    bad("type_sig_bytes_as_node_buffer", r, "wrong-type", "sig.bytes is {\"type\":\"Buffer\",..}", bytes_of=lambda b: {"type": "Buffer", "data": list(b)})
    bad("type_sig_as_base64", r, "wrong-type", "sig is the bare base64 text", edit=lambda d: re.sub(rb'"sig":\{.*"bytes":("[^"]*")\}\}$', rb'"sig":\1}', d))
    bad("type_sig_in_array", r, "wrong-type", "sig is an array of one signature", edit=lambda d: d[:d.index(b'"sig":') + 6] + b"[" + d[d.index(b'"sig":') + 6:-1] + b"]}")
    # unknown members
    for n, name, v in [("extra", "extra", "x"), ("null", "extra", None), ("proto", "__proto__", {"admin": True}), ("constructor", "constructor", {}), ("prototype", "prototype", None), ("to_string", "toString", 1),
                       ("empty_name", "", 0), ("upper_case", "Actor", "alice"), ("all_upper_case", "VALUE", 1), ("trailing_space", "actor ", "alice"), ("leading_space", " value", 1), ("entityid", "entityid", "t1"),
                       ("entity_id", "entity_id", "t1"), ("seq", "seq", 1), ("prev", "prev", None), ("hash", "hash", ""), ("version", "v", 1), ("cyrillic", "v\u0430lue", "x"), ("nul", "value\x00", "x"),
                       ("full_width", "\uff56alue", "x"), ("zero_width", "va\u200blue", 1), ("sig2", "sig2", {}), ("signature", "signature", "x"), ("comment", "$comment", "x"), ("dot_path", "ts.t", 1), ("number_name", "0", 1), ("bidi", "\u202e", 1)]:
        bad("unknown_member_" + n, r, "unknown-member", "an unknown member at the top, signed with the rest", top={name: v})
    bad("unknown_member_after_sig", r, "unknown-member", "an unknown member after sig, outside the signature", edit=lambda d: d[:-1] + b',"extra":1}')
    bad("unknown_member_first", r, "unknown-member", "an unknown member first, outside the signature", edit=lambda d: b'{"__proto__":null,' + d[1:])
    bad("unknown_member_escaped", r, "unknown-member", "its name escaped", top={"xtra": 1}, edit=rep(b'"xtra"', b'"\\u0078tra"'))
    for n, name, v in [("extra", "n", 0), ("proto", "__proto__", {}), ("constructor", "constructor", None), ("upper_case", "T", T0), ("empty_name", "", 1), ("long_name", "time", T0), ("actor", "actor", "alice")]:
        bad("unknown_member_ts_" + n, r, "unknown-member", "an unknown member in ts, signed with the rest", ts={name: v})
    for n, name, v in [("extra", "x", 1), ("proto", "__proto__", {}), ("constructor", "constructor", {}), ("public_key", "publicKey", b64(KEYS["alice"].public)), ("jwk", "jwk", {}), ("nested_sig", "sig", {}), ("upper_case", "Alg", "none"),
                       ("empty_name", "", ""), ("null", "crit", None), ("actor", "actor", "alice")]:
        bad("unknown_member_sig_" + n, r, "unknown-member", "an unknown member in sig (sig is outside the signed text)", sig={name: v})
    # kind
    r = "2, kind"
    for i, k in enumerate(["LWW_SET", "Lww_set", "lww_set ", " lww_set", "lww_set\n", "lww_set\x00", "lww-set", "lwwset", "lww_sets", "lww_se", "set", "delete", "delete_everything", "__proto__", "constructor", "", "lww_set,lww_delete",
                           "lww_\u200bset", "\uff4cww_set", "lww_s\u0435t", "LWW_DELETE", "lww_delete ", "lww_remove", "counter_add", "null", "lww\\u005fset"]):
        v = None if "DEL" in k or "delete " in k else "Hello"
        bad(f"kind_{i:02d}", r, "unknown-kind", "kind is " + json.dumps(k), top={"kind": k, "value": v})
    for n, v in [("string", "x"), ("empty_string", ""), ("zero", 0), ("false", False), ("true", True), ("empty_object", {}), ("empty_array", []), ("array_of_null", [None]), ("string_null", "null"), ("number", 1.5)]:
        bad("delete_with_" + n, r, "delete-with-value", "lww_delete with a value that is not null", top={"kind": "lww_delete", "value": v})
    # identifiers
    r = "2, identifiers"
    noreg = " (no key can be registered for it, so it would be unknown too)"
    def identifier(m, n, why, text, note=""):
        name = f"{m}_{n}".replace("entityId", "entity_id")
        c = f"{m} {note}"
        if m == "actor": bad(name, r, why, c + ", so ts.a and id too" + noreg, top={"actor": text})
        elif m == "kid": bad(name, r, why, c + noreg, kid=text) if text else bad(name, r, why, c + noreg, sig={"kid": text})
        elif m == "space": bad(name, r, why, c + " (no replica can be opened with it, so it would be wrong too)", top={"space": text}, space="notes")
        elif m == "id": bad(name, r, why, c + ", with the option that takes any label", top={"id": text}, labels="any")
        else: bad(name, r, why, c, top={m: text})
    all_ids = ("id", "actor", "entity", "entityId", "path", "space", "kid")
    for m in all_ids:
        identifier(m, "empty", "identifier-empty", "", "is empty")
        identifier(m, "1025", "identifier-too-long", "x" * 1025, "has 1025 bytes")
        identifier(m, "nul", "identifier-control", "x\x00y", "holds U+0000, escaped")
        identifier(m, "line_feed", "identifier-control", "x\n", "ends in a line feed, escaped")
        identifier(m, "delete", "identifier-control", "x\x7fy", "holds U+007F")
        identifier(m, "next_line", "identifier-control", "x\x85", "ends in U+0085")
        identifier(m, "override", "identifier-bidi", "x\u202ey", "holds U+202E")
    for o in (1, 9, 13, 0x1b, 0x1f, 0x80, 0x90, 0x9f): identifier("entity", f"u{o:04x}", "identifier-control", "a" + chr(o) + "b", f"holds U+{o:04X}")
    identifier("path", "only_nul", "identifier-control", "\x00", "is U+0000 alone")
    bad("path_delete_escaped", r, "identifier-control", "path holds \\u007f, escaped", top={"path": "x\x7f"}, edit=rep(b"x\x7f", b"x\\u007F"))
    for o in [0x061c, 0x200e, 0x200f] + list(range(0x202a, 0x202f)) + list(range(0x2066, 0x206a)):
        m = "entityId" if o % 2 else "path"
        identifier(m, f"u{o:04x}", "identifier-bidi", "a" + chr(o) + "b", f"holds U+{o:04X}")
    bad("entity_bidi_escaped", r, "identifier-bidi", "entity holds \\u2066, escaped", top={"entity": "x\u2066"}, edit=rep("x\u2066", b"x\\u2066"))
    bad("entity_bidi_first", r, "identifier-bidi", "entity begins with U+200F", top={"entity": "\u200fTask"})
    bad("path_1025_two_byte", r, "identifier-too-long", "path of 513 two-byte characters less one byte: 1025 bytes, 513 characters", top={"path": "\u00e9" * 512 + "x"})
    bad("path_1025_three_byte", r, "identifier-too-long", "path of 1025 bytes in 343 characters", top={"path": "\u20ac" * 341 + "xy"})
    bad("entity_1028_astral", r, "identifier-too-long", "entity of 257 four-byte characters: 1028 bytes, 514 UTF-16 units", top={"entity": "\U0001F600" * 257})
    bad("entity_70000", r, "identifier-too-long", "entity of 70000 bytes (over 16 bits)", top={"entity": "x" * 70000})
    bad("id_1025_right", r, "identifier-too-long", "actor of 1009 bytes is allowed and registered, the right id has 1025", signer="long1009")
    # ts
    r = "2, ts"
    for n, key, a in [("other_actor", "alice", "bob"), ("upper_case", "alice", "Alice"), ("trailing_space", "alice", "alice "), ("prefix", "alice", "alic"), ("longer", "alice", "alice2"), ("nonregistered", "alice", "mallory"),
                      ("ffff", "alice", "\uffff\uffff"), ("decomposed", "cafe", "cafe\u0301"), ("cyrillic", "alice", "\u0430lice"), ("zero_width", "alice", "ali\u200bce"), ("colon_part", "dave", "team"), ("kid", "carol", "carol-laptop")]:
        bad("ts_a_" + n, r, "timestamp-actor", "ts.a is " + json.dumps(a) + ", not the actor", ts={"a": a}, signer=key)
    for n, lit, c in [("minus_1", "-1", "-1"), ("minus_large", "-1760000000000", None), ("half", "0.5", None), ("fraction", "1760000000000.5", None), ("small_fraction", "1760000000000.0002", "1760000000000.0002"), ("2_53", "9007199254740992", None),
                      ("2_64", "18446744073709552000", None), ("1e20", "100000000000000000000", None), ("1e_plus_21", "1e+21", None), ("max_double", "1.7976931348623157e+308", None), ("min_double", "5e-324", None), ("almost_0", "-1e-7", None)]:
        bad("t_" + n, r, "time-out-of-range", f"ts.t is {lit}", ts={"t": Lit(lit, c)})
    for n, lit in [("minus_1", "-1"), ("half", "0.5"), ("fraction", "1.5"), ("2_32_minus_1", "4294967295"), ("2_32", "4294967296"), ("2_32_plus_1", "4294967297"), ("2_53_minus_1", "9007199254740991"), ("2_53", "9007199254740992"),
                   ("1e20", "100000000000000000000"), ("1e_plus_300", "1e+300"), ("tiny", "1e-7"), ("minus_2_31", "-2147483648"), ("minus_2_53", "-9007199254740991"), ("min_double", "5e-324")]:
        bad("c_" + n, r, "counter-out-of-range", f"ts.c is {lit}", ts={"c": Lit(lit)})
    # id
    r = "2, id"
    for n, i in [("readme", "alice:1"), ("other_actor", f"bob:{T0}:1"), ("other_c", f"alice:{T0}:2"), ("other_t", f"alice:{T0 + 1}:1"), ("swapped", f"alice:1:{T0}"), ("no_c", f"alice:{T0}"), ("t_leading_zero", f"alice:0{T0}:1"),
                 ("c_leading_zero", f"alice:{T0}:01"), ("plus", f"alice:{T0}:+1"), ("c_fraction", f"alice:{T0}:1.0"), ("t_exponent", "alice:1.76e12:1"), ("t_exponent_plus", "alice:1.76e+12:1"), ("trailing_space", f"alice:{T0}:1 "),
                 ("leading_space", f" alice:{T0}:1"), ("upper_case", f"Alice:{T0}:1"), ("dashes", f"alice-{T0}-1"), ("trailing_colon", f"alice:{T0}:1:"), ("full_width_colon", f"alice\uff1a{T0}:1"), ("full_width_digit", f"alice:{T0}:\uff11"),
                 ("no_actor", f":{T0}:1"), ("only_actor", "alice"), ("uuid", "6f1c1f0e-58a1-4d5e-9f5d-1f1b2f8f6f0a"), ("hex_c", f"alice:{T0}:0x1"), ("zero_width", f"alice\u200b:{T0}:1"), ("grouped", "alice:1,760,000,000,000:1"), ("minus", f"alice:{T0}:-1")]:
        bad("id_" + n, r, "id-mismatch", "id is " + json.dumps(i), top={"id": i})
    bad("id_decomposed", r, "id-mismatch", "the actor composed, the id decomposed", signer="cafe", top={"id": f"cafe\u0301:{T0}:1"})
    bad("id_json_quoted_actor", r, "id-mismatch", "the actor in the id with its quotation mark and backslash escaped twice", signer="quote", top={"id": f'quo\\"te\\\\back:{T0}:1'})
    bad("id_colon_part", r, "id-mismatch", "the actor in the id cut at its colon", signer="dave", top={"id": f"team:{T0}:1"})
    bad("id_large_c_exponent", r, "id-mismatch", "c = 2^32-2, the id spells it 4.294967294e9", ts={"c": 2**32 - 2}, top={"id": f"alice:{T0}:4.294967294e9"})
    # sig
    r = "2, sig"
    for i, a in enumerate(["Ed25519", "ED25519", "none", "None", "ed25519ph", "ed25519ctx", "ES256", "EdDSA", "HS256", "ed448", "", "ed25519 ", " ed25519", "ed25519\x00", "ed25519\n", "ed2551", "ed255199", "\u0435d25519", "ed\uff1225519", "ed25519,none", "__proto__", "null"]):
        bad(f"alg_{i:02d}", r, "unknown-algorithm", "alg is " + json.dumps(a) + "; the signature itself is right", sig={"alg": a})
    def c_with(test):
        c = 1
        while True:
            s = b64(KEYS["alice"].sign(build(ts={"c": c})[1]))
            if test(s): return c
            c += 1
    def enc(n, f, comment, **kw):
        bad("sig_bytes_" + n, r, "signature-encoding", comment, bytes_of=lambda raw: f(b64(raw), raw), **kw)
    both = c_with(lambda s: "+" in s and "/" in s)
    enc("url_alphabet", lambda s, b: s.replace("+", "-").replace("/", "_"), "URL alphabet, with padding", ts={"c": both})
    enc("url_alphabet_no_padding", lambda s, b: s.replace("+", "-").replace("/", "_")[:86], "URL alphabet, no padding", ts={"c": both})
    enc("url_alphabet_one_character", lambda s, b: s.replace("+", "-"), "only - for +", ts={"c": both})
    enc("space_for_plus", lambda s, b: s.replace("+", " "), "a space for +, as a form decoder leaves", ts={"c": both})
    enc("percent_encoded", lambda s, b: s.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"), "percent encoded", ts={"c": both})
    enc("no_padding", lambda s, b: s[:86], "no padding"); enc("one_padding", lambda s, b: s[:87], "one = only"); enc("three_padding", lambda s, b: s + "=", "three =")
    enc("double_padding", lambda s, b: s + "==", "four =")
    alpha = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for bits in (1, 2, 4, 8, 15):
        enc(f"padding_bits_{bits}", lambda s, b: s[:85] + alpha[alpha.index(s[85]) | bits] + "==", f"unused bits of the last character set to {bits}")
    enc("empty", lambda s, b: "", "the empty string"); enc("padding_only", lambda s, b: "==", "only padding"); enc("hex", lambda s, b: b.hex(), "hexadecimal"); enc("hex_upper", lambda s, b: b.hex().upper(), "hexadecimal, upper case")
    enc("63_bytes", lambda s, b: b64(b[:63]), "63 bytes"); enc("65_bytes", lambda s, b: b64(b + b"\0"), "65 bytes, the last zero"); enc("66_bytes", lambda s, b: b64(b + b"\0\0"), "66 bytes"); enc("32_bytes", lambda s, b: b64(b[:32]), "R alone")
    enc("1_byte", lambda s, b: b64(b[:1]), "one byte"); enc("128_bytes", lambda s, b: b64(b + b), "the signature twice in one string"); enc("with_message", lambda s, b: b64(b + b"message"), "as crypto_sign returns it: signature and message")
    enc("96_bytes_key_appended", lambda s, b: b64(b + KEYS["alice"].public), "with the public key appended"); enc("double_base64", lambda s, b: b64(s.encode()), "base64 of base64")
    enc("leading_space", lambda s, b: " " + s, "a space before"); enc("trailing_space", lambda s, b: s + " ", "a space after"); enc("trailing_line_feed", lambda s, b: s + "\n", "a line feed after"); enc("line_broken", lambda s, b: s[:64] + "\r\n" + s[64:], "MIME line break after 64")
    enc("inner_space", lambda s, b: s[:40] + " " + s[40:], "a space inside"); enc("inner_padding", lambda s, b: b64(b[:31]) + b64(b[31:]), "two base64 texts joined, padding inside"); enc("trailing_nul", lambda s, b: s + "\0", "NUL after")
    enc("non_ascii", lambda s, b: "\u00e9" + s[1:], "a letter outside ASCII"); enc("full_width", lambda s, b: chr(ord("A") + 0xfee0) + s[1:], "a full-width letter"); enc("data_url", lambda s, b: "data:;base64," + s, "a data URL")
    enc("prefix", lambda s, b: "ed25519:" + s, "with a prefix"); enc("85_characters", lambda s, b: s[:85], "85 characters"); enc("85_padded", lambda s, b: s[:85] + "===", "85 characters and ==="); enc("quoted", lambda s, b: '"' + s + '"', "in quotation marks")
    enc("0x_hex", lambda s, b: "0x" + b.hex(), "hexadecimal with 0x"); enc("imap_alphabet", lambda s, b: s.replace("/", ","), "the alphabet of RFC 3501", ts={"c": both}); enc("bang", lambda s, b: s[:10] + "!" + s[11:], "a character outside the alphabet")
    enc("huge", lambda s, b: "A" * 4000, "4000 characters")

def refusals():
    r = "2, space"
    for n, opspace, replica in [("op_has_one_replica_none", "notes", "-"), ("op_none_replica_has_one", None, "notes"), ("other", "tasks", "notes"), ("upper_case", "Notes", "notes"), ("prefix", "note", "notes"), ("longer", "notes2", "notes"),
                                ("trailing_space", "notes ", "notes"), ("trailing_slash", "notes/", "notes"), ("zero_width", "notes\u200b", "notes"), ("cyrillic", "n\u043etes", "notes"), ("dash_on_none", "-", "-"), ("null_text_on_none", "null", "-"),
                                ("undefined_text_on_none", "undefined", "-"), ("default_on_none", "default", "-"), ("1024_other_last", "s" * 1023 + "t", "s" * 1024), ("held_in_other_space", "tasks", "notes")]:
        no("space_" + n, r, "wrong-space", f"the operation's space is {json.dumps(opspace) if opspace and len(opspace) < 50 else 'absent' if not opspace else 'of 1024 bytes'}; valid signature", top={"space": opspace} if opspace else None, space=replica,
           ts={"t": 1770000000000} if n.startswith("held") else None)
    no("space_delete_elsewhere", r, "wrong-space", "a delete for another space", top={"space": "tasks", "kind": "lww_delete", "value": None}, space="notes")
    r = "5, keys"
    al, bo, ca, ma = KEYS["alice"], KEYS["bob"], KEYS["carol"], KEYS["mallory"]
    no("key_unregistered_actor", r, "unknown-key", "mallory, right in every way, not registered", signer="mallory")
    no("key_unregistered_key_of_actor", r, "unknown-key", "actor alice, mallory's key and kid", signer="mallory", top={"actor": "alice"})
    no("key_of_bob_for_alice", r, "unknown-key", "actor alice, signed by bob under bob's kid", signer="bob", top={"actor": "alice"})
    no("key_of_alice_for_bob", r, "unknown-key", "actor bob, signed by alice under alice's kid", signer="alice", top={"actor": "bob"})
    no("key_of_carol_for_alice", r, "unknown-key", "actor alice, signed by carol under carol-laptop", signer="carol", top={"actor": "alice"})
    no("key_kid_of_bob_signed_by_alice", r, "unknown-key", "actor alice, alice's signature, bob's kid", kid=bo.kid)
    no("key_kid_of_mallory_signed_by_alice", r, "unknown-key", "actor alice, alice's signature, mallory's kid", kid=ma.kid)
    no("key_mallory_with_kid_of_alice", r, "unknown-key", "actor mallory, mallory's signature, alice's kid", signer="mallory", kid=al.kid)
    no("key_second_key_of_alice_for_bob", r, "unknown-key", "actor bob, alice's second key and kid", signer="alice2", top={"actor": "bob"})
    for n, kid in [("unknown", "nope"), ("padded", al.kid + "=="), ("upper", al.kid.upper()), ("lower", al.kid.lower()), ("trailing_space", al.kid + " "), ("prefix", al.kid[:-1]), ("other_alphabet", al.kid.translate(str.maketrans("-_+/", "+/-_")) if set(al.kid) & set("-_") else al.kid + "="),
                   ("hex", hashlib.sha256(b"policysync/kid" + al.public).hexdigest()[:32]), ("public_key", al.public.hex()), ("actor_name", "alice"), ("reference_style", "kid_alice_129784"), ("no_label", base64.urlsafe_b64encode(hashlib.sha256(al.public).digest()[:16]).rstrip(b"=").decode()),
                   ("first", "0"), ("star", "*"), ("proto", "__proto__"), ("path", "../alice/" + al.kid), ("sql", "' OR '1'='1")]:
        no("kid_" + n, r, "unknown-key", "actor alice, alice's valid signature, another kid", kid=kid)
    no("kid_foreign_upper_case", r, "unknown-key", "carol's kid spelled Carol-Laptop", signer="carol", kid="Carol-Laptop")
    for n, key, actor in [("upper_case", "alice", "Alice"), ("trailing_space", "alice", "alice "), ("zero_width", "alice", "ali\u200bce"), ("cyrillic", "alice", "\u0430lice"), ("decomposed", "cafe", "cafe\u0301"), ("unaccented", "cafe", "cafe"), ("colon_part", "dave", "team"),
                          ("colon_rest", "dave", "dave"), ("colon_other", "dave", "team/dave"), ("unescaped", "quote", "quote\\back"), ("full_width", "bob", "\uff42\uff4f\uff42"), ("astral_only", "smile", "\U0001F600")]:
        no("actor_" + n, r, "unknown-key", "an actor that only looks like the owner of the key: " + json.dumps(actor), signer=key, top={"actor": actor})
    d = KEYS["dave"]
    no("actor_kid_joined", r, "unknown-key", "actor team, kid dave:<kid>: joined by : it would be dave's entry", signer="dave", top={"actor": "team"}, kid="dave:" + d.kid)
    no("actor_kid_joined_plain", r, "unknown-key", "actor team:, kid dave<kid>: joined without separator it would be dave's entry", signer="dave", top={"actor": "team:"}, kid="dave" + d.kid)
    r = "2, signature verdict"
    def sgn(n, comment, f, **kw): no("sig_" + n, r, "bad-signature", comment, signature=f, **kw)
    def plusL(k):
        return lambda text, key: (lambda s: s[:32] + (int.from_bytes(s[32:], "little") + k * L).to_bytes(32, "little"))(key.sign(text))
    for k in (1, 2, 3, 4, 7, 8, 14): sgn(f"s_plus_{k}_l", f"S + {k}L", plusL(k))
    def flip(bit): return lambda text, key: (lambda s: bytes(x ^ (1 << bit % 8 if i == bit // 8 else 0) for i, x in enumerate(s)))(key.sign(text))
    for bit in (0, 7, 100, 255, 256, 263, 400, 503, 508, 509, 510, 511): sgn(f"flip_{bit}", f"bit {bit} of the signature turned over", flip(bit))
    ident = b"\1" + bytes(31)
    sgn("zero", "64 zero bytes", lambda t, k: bytes(64)); sgn("ff", "64 bytes ff", lambda t, k: b"\xff" * 64); sgn("identity", "R the neutral element, S zero", lambda t, k: ident + bytes(32))
    sgn("zero_nonce", "R the neutral element, S = k*a: the equation holds, R has small order", lambda t, k: k.sign_with(t, 0, ident))
    torsion = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")
    def mixed(t, k):
        r0 = 0x77777777; R = sodium.crypto_core_ed25519_add(sodium.crypto_scalarmult_ed25519_base_noclamp(r0.to_bytes(32, "little")), torsion)
        return k.sign_with(t, r0, R)
    sgn("r_with_torsion", "R plus a point of order 8: only a cofactored verifier accepts", mixed)
    sgn("r_order_8", "R of order 8, S = k*a: only a cofactored verifier accepts", lambda t, k: k.sign_with(t, 0, torsion))
    sgn("halves_swapped", "S before R", lambda t, k: k.sign(t)[32:] + k.sign(t)[:32]); sgn("reversed", "the bytes reversed", lambda t, k: k.sign(t)[::-1]); sgn("r_zero", "R zero", lambda t, k: bytes(32) + k.sign(t)[32:]); sgn("s_zero", "S zero", lambda t, k: k.sign(t)[:32] + bytes(32))
    sgn("s_negated", "L - S", lambda t, k: k.sign(t)[:32] + (L - int.from_bytes(k.sign(t)[32:], "little")).to_bytes(32, "little")); sgn("public_key_as_signature", "the public key twice", lambda t, k: k.public * 2)
    for n, who in [("mallory", "mallory"), ("bob", "bob"), ("second_key", "alice2"), ("carol", "carol")]:
        sgn("by_" + n, f"actor alice, alice's kid, signed by the key {who}", lambda t, k: KEYS[who].sign(t))
    no("sig_first_key_under_second_kid", r, "bad-signature", "alice's first key under her second kid (kid is outside the signed text)", kid=KEYS["alice2"].kid)
    no("sig_carol_under_bobs_same_kid", r, "bad-signature", "actor bob, kid carol-laptop (registered for bob with another key), signed by carol", signer="carol", top={"actor": "bob"})
    no("sig_bob_under_carols_same_kid", r, "bad-signature", "actor carol, kid carol-laptop, signed by bob's key of the same kid", signer="bob2", top={"actor": "carol"})
    # the wrong text was signed
    def over(n, comment, f, **kw): no("text_" + n, "2, signed text", "bad-signature", "signed over " + comment, text=f, **kw)
    nosig = lambda s: s.replace(b',"sig":undefined', b"")
    over("without_sig", "canonical JSON without \"sig\":undefined", lambda s, op: nosig(s)); over("sig_null", "\"sig\":null in its place", lambda s, op: s.replace(b":undefined", b":null")); over("sig_empty", "\"sig\":{} in its place", lambda s, op: s.replace(b":undefined", b":{}"))
    over("sig_quoted", "\"sig\":\"undefined\"", lambda s, op: s.replace(b":undefined", b':"undefined"')); over("sig_last", "the text with \"sig\":undefined at the end", lambda s, op: nosig(s)[:-1] + b',"sig":undefined}')
    over("document", "the JSON text of the document without sig, as sent", lambda s, op: write(op, False)); over("document_undefined", "the members as sent, with \"sig\":undefined at the end", lambda s, op: write(op | {"sig": UNDEFINED}, False))
    over("pretty", "an indented text", lambda s, op: s.replace(b",", b", ").replace(b":", b": ")); over("line_feed", "the text and a line feed", lambda s, op: s + b"\n"); over("bom", "the text after a byte order mark", lambda s, op: b"\xef\xbb\xbf" + s)
    over("nul", "the text and a NUL", lambda s, op: s + b"\0"); over("hash", "the op hash instead of the text", lambda s, op: hashlib.sha256(s).digest()); over("hash_hex", "the op hash in hexadecimal", lambda s, op: hashlib.sha256(s).hexdigest().encode())
    over("sha512", "the SHA-512 of the text (pre-hashed without its prefix)", lambda s, op: hashlib.sha512(s).digest()); over("ed25519ph", "the message of Ed25519ph", lambda s, op: b"SigEd25519 no Ed25519 collisions\x01\x00" + hashlib.sha512(s).digest())
    over("ed25519ctx", "the text with the prefix of Ed25519ctx", lambda s, op: b"SigEd25519 no Ed25519 collisions\x00\x0apolicysync" + s); over("domain", "a domain prefix and the text", lambda s, op: b"PolicySync/op/v1\0" + s); over("empty", "nothing", lambda s, op: b" "[:0])
    over("utf16", "the text in UTF-16LE", lambda s, op: s.decode().encode("utf-16-le")); over("id", "the id alone", lambda s, op: op["id"].encode()); over("value", "the value alone", lambda s, op: write(op["value"], True)); over("base64", "the base64 of the text", lambda s, op: base64.b64encode(s))
    sub = lambda a, b: (lambda s, op: (s.replace(a, b) if s.count(a) == 1 else 1 / 0))
    over("names_by_utf8", "names sorted by UTF-8 bytes", sub('"\U0001F600":2,"\ufb33":1'.encode(), '"\ufb33":1,"\U0001F600":2'.encode()), top={"value": {"\ufb33": 1, "\U0001F600": 2}})
    over("names_unsorted", "value's names as sent", sub(b'"a":2,"b":1', b'"b":1,"a":2'), top={"value": {"b": 1, "a": 2}}); over("names_case_insensitive", "names sorted without case", sub(b'"B":1,"a":2', b'"a":2,"B":1'), top={"value": {"B": 1, "a": 2}})
    over("number_as_spelled", "the number as spelled, 1.0", sub(b'"value":1}', b'"value":1.0}'), top=value("1.0", "1")); over("number_1e21", "1000000000000000000000 for 1e+21", sub(b"1e+21", b"1000000000000000000000"), top=value("1e+21")); over("number_1e21_no_plus", "1e21 for 1e+21", sub(b"1e+21", b"1e21"), top=value("1e+21"))
    over("number_python_1e16", "1e+16 for 10000000000000000", sub(b"10000000000000000", b"1e+16"), top=value("10000000000000000")); over("number_python_1e_5", "1e-05 for 0.00001", sub(b"0.00001", b"1e-05"), top=value("0.00001")); over("number_17_digits", "0.10000000000000001 for 0.1", sub(b"0.1}", b"0.10000000000000001}"), top=value("0.1"))
    over("number_t_float", "t as 1760000000000.0", sub(b'"t":1760000000000}', b'"t":1760000000000.0}')); over("ascii_only", "U+00E9 escaped", sub("\u00e9".encode(), b"\\u00e9"), top={"value": "\u00e9"}); over("delete_escaped", "U+007F escaped", sub(b"\x7f", b"\\u007f"), top={"value": "\x7f"})
    over("solidus_escaped", "/ escaped", sub(b"a/b", b"a\\/b"), top={"value": "a/b"}); over("backspace_long", "\\u0008 for \\b", sub(b"\\b", b"\\u0008"), top={"value": "\b"}); over("hex_upper", "\\u001F for \\u001f", sub(b"\\u001f", b"\\u001F"), top={"value": "\x1f"}); over("line_separator_escaped", "U+2028 escaped", sub("\u2028".encode(), b"\\u2028"), top={"value": "\u2028"})
    over("html_escaped", "< as \\u003c, as Go writes it", sub(b'"<"', b'"\\u003c"'), top={"value": "<"}); over("composed", "the value normalized to NFC", sub("e\u0301".encode(), "\u00e9".encode()), top={"value": "e\u0301"}); over("astral_escaped", "U+1F600 as escaped surrogates", sub("\U0001F600".encode(), b"\\ud83d\\ude00"), top={"value": "\U0001F600"})
    # changed after signing
    def tampered(n, comment, *edits, **kw):
        def e(d):
            for a, b in edits: d = rep(a, b)(d)
            return d
        no("tampered_" + n, r, "bad-signature", comment + " after signing", edit=e, **kw)
    tampered("value", "value changed", (b'"Hello"', b'"Hellp"')); tampered("value_null", "value set to null", (b'"value":"Hello"', b'"value":null')); tampered("value_type", "value 1 turned into \"1\"", (b'"value":1', b'"value":"1"'), top={"value": 1})
    tampered("value_case", "value's case changed", (b'"Hello"', b'"hello"')); tampered("value_space", "a space added to the value", (b'"Hello"', b'"Hello "')); tampered("value_ulp", "the number one unit off", (b"0.1,", b"0.10000000000000002,"), top={"value": 0.1})
    tampered("value_extra_member", "a member added to the value", (b'{"a":1}', b'{"a":1,"b":2}'), top={"value": {"a": 1}}); tampered("value_array_order", "array elements swapped", (b"[1,2]", b"[2,1]"), top={"value": [1, 2]}); tampered("value_false_null", "false turned into null", (b"false", b"null"), top={"value": False})
    tampered("entity", "entity changed", (b'"Task"', b'"User"')); tampered("entity_id", "entityId changed", (b'"t1"', b'"t2"')); tampered("path", "path changed", (b'"title"', b'"role"')); tampered("boundary", "entity and entityId joined differently", (b'"Task"', b'"Tas"'), (b'"t1"', b'"kt1"'))
    tampered("t", "t and id changed", (b":1760000000000,", b":1760000000001,"), (b":1760000000000:", b":1760000000001:")); tampered("c", "c and id changed", (b'"c":1', b'"c":2'), (b"000:1", b"000:2")); tampered("held", "t and id moved into the future", (b":1760000000000,", b":1770000000000,"), (b":1760000000000:", b":1770000000000:"))
    tampered("kind_to_delete", "lww_set null turned into lww_delete", (b"lww_set", b"lww_delete"), top={"value": None}); tampered("kind_to_set", "lww_delete turned into lww_set", (b"lww_delete", b"lww_set"), top={"kind": "lww_delete", "value": None})
    tampered("actor", "actor, ts.a, id and kid changed from alice to bob", (f'"id":"alice:{T0}', f'"id":"bob:{T0}'), ('"actor":"alice"', '"actor":"bob"'), ('"a":"alice"', '"a":"bob"'), (al.kid, bo.kid))
    no("tampered_label", r, "bad-signature", "another label after signing, with the option that takes any label", edit=rep(b'"id":"alice:1760000000000:1"', b'"id":"alice:1"'), labels="any")
    no("tampered_space_removed", r, "bad-signature", "signed for the space notes, the member taken away", top={"space": "notes"}, edit=rep(b'"space":"notes",', b"")); no("tampered_space_added", r, "bad-signature", "signed without space, the member added", edit=rep(b'"value"', b'"space":"notes","value"'), space="notes")
    no("tampered_space_changed", r, "bad-signature", "signed for the space tasks, replayed into notes", top={"space": "tasks"}, edit=rep(b'"space":"tasks"', b'"space":"notes"'), space="notes")
    other = KEYS["alice"].sign(build(ts={"c": 2})[1])
    sgn("of_other_operation", "alice's valid signature of her operation with c = 2", lambda t, k: other); sgn("of_empty_value", "alice's valid signature of the same with an empty value", lambda t, k: k.sign(build(top={"value": ""})[1]))

def large():
    r = "2, size"
    alice = KEYS["alice"]
    B64 = 88
    def big(name, expect, comment, *, fill, count, extra=b"", canon_fill=None, canon_extra=None, wrap=(b'"', b'"'), edit_prefix=b"", edit_suffix=b"", member="value"):
        """A document whose `value` is wrap[0] + fill*count + extra + wrap[1]."""
        body = wrap[0] + fill * count + extra + wrap[1]
        canon = wrap[0] + (canon_fill if canon_fill is not None else fill) * count + (extra if canon_extra is None else canon_extra) + wrap[1]
        doc, signed = build(top=value(body, canon))
        doc = edit_prefix + doc + edit_suffix
        at = doc.index(b'"value":' + wrap[0]) + 8 + len(wrap[0])
        cf = canon_fill if canon_fill is not None else fill
        sat = signed.index(b'"value":' + wrap[0]) + 8 + len(wrap[0])
        record(name, r, expect, comment, doc, signed, recipe=pad(doc[:at], fill, count, doc[at + len(fill) * count:]),
               signed_recipe=pad(signed[:sat], cf, count, signed[sat + len(cf) * count:]))
        return doc, signed
    empty, _ = build(top=value('""'))
    room = LIMIT - len(empty)
    d, _ = big("accept_size_limit", "appended", "JSON text of exactly 1048576 bytes, in canonical length too", fill=b"x", count=room); assert len(d) == LIMIT
    d, _ = big("size_limit_plus_1", "malformed/too-large", "1048577 bytes", fill=b"x", count=room + 1); assert len(d) == LIMIT + 1
    big("size_2_mib", "malformed/too-large", "2 MiB of value", fill=b"x", count=2 * LIMIT)
    d, _ = big("size_two_byte_characters", "malformed/too-large", "1048577 or 1048578 bytes in half as many characters", fill="\u00e9".encode(), count=room // 2 + 1); assert LIMIT < len(d) <= LIMIT + 2
    d, _ = big("accept_size_two_byte_characters", "appended", "two-byte characters up to the limit", fill="\u00e9".encode(), count=room // 2, extra=b"x" * (room % 2)); assert len(d) == LIMIT
    # white space: the arriving text counts
    plain, signed = build()
    for n, where in [("trailing", 1), ("leading", 0)]:
        for over, expect in [(0, "appended"), (1, "malformed/too-large")]:
            count = LIMIT - len(plain) + over
            rec = pad(plain, b" ", count, b"") if where else pad(b"", b" ", count, plain)
            name = f"{'accept_' if not over else ''}size_{n}_white_space{'_plus_1' if over else ''}"
            record(name, r, expect, f"the plain operation and {n} spaces: {LIMIT + over} bytes", plain + b" " * count, signed, recipe=rec)
    # escapes: 1 MiB arriving, a sixth canonical
    d, _ = big("accept_size_escapes", "appended", "escapes up to the limit of the arriving text, the canonical text is a sixth", fill=b"\\u0078", count=room // 6, extra=b"x" * (room % 6), canon_fill=b"x"); assert len(d) == LIMIT
    d, _ = big("size_escapes_plus_1", "malformed/too-large", "the same, one byte over; the canonical text is a sixth", fill=b"\\u0078", count=room // 6, extra=b"x" * (room % 6 + 1), canon_fill=b"x"); assert len(d) == LIMIT + 1
    # numbers that grow: 1e15 -> 1000000000000000
    lit, canon = b"1e15,", b"1000000000000000,"
    base, _ = build(top=value("[0]"))
    room = LIMIT - len(base)                          # canonical JSON (with sig) has the length of the document with canonical literals
    count, rest = divmod(room, len(canon))
    last = b"1" + b"0" * rest if rest < 15 else b"1" + b"0" * 15
    assert rest < 15
    d, s = big("accept_size_canonical_grows", "appended", "1e15 grows to 16 digits: canonical JSON with sig has exactly 1048576 bytes, the arriving text less", fill=lit, count=count, extra=last, canon_fill=canon, wrap=(b"[", b"]"))
    assert len(s) - len(b"undefined") + len(sig_json()) == LIMIT, len(s)
    d, s = big("size_canonical_grows_plus_1", "malformed/too-large", "the same with 1048577 bytes in canonical form with sig; the signed text is below the limit", fill=lit, count=count, extra=last + b"0", canon_fill=canon, wrap=(b"[", b"]"))
    assert len(s) - len(b"undefined") + len(sig_json()) == LIMIT + 1 and len(d) < LIMIT
    d, s = big("size_canonical_grows_far", "malformed/too-large", "arrives with less than 1 MiB, the canonical and the signed text have over 3 MiB", fill=lit, count=200000, extra=b"0", canon_fill=canon, wrap=(b"[", b"]"))
    assert len(d) < LIMIT < len(s)
    d, s = big("size_signed_text_grows_plus_1", "malformed/too-large", "the signed text has 1048577 bytes, the arriving text less",
               fill=lit, count=(n := divmod(LIMIT + 1 - (len(build(top=value("[0]"))[1])), len(canon)))[0], extra=b"1" + b"0" * n[1] if n[1] < 15 else 1 / 0, canon_fill=canon, wrap=(b"[", b"]"))
    assert len(s) == LIMIT + 1 and len(d) < LIMIT

def sig_json():
    return write({"alg": "ed25519", "bytes": "A" * 88, "kid": KEYS["alice"].kid}, True)

# ---------------------------------------------------------------- output

HEADER = """\
# Hostile and boundary documents for PolicySync: one JSON text each, with the verdict that a replica must give.
# Made by make_hostile.py (Python 3.11, PyNaCl {nacl}, own RFC 8785 writer that reproduces the 300 payloads of reference-v1.json),
# independent of the Rust code. Do not edit: run the generator. {n} documents, {a} of them accepting.
#
# Every document goes to a fresh replica with the keys below. Its clock reads 1760000100000 ms, max drift 600000 ms.
# Each refused document breaks one rule. Where a signed text is definable without that rule, the signature over it is valid.
# Where an identifier that names a key or a space is itself bad, it cannot be registered: there malformed/* must come before refused/*.
# integer_c and integer_t are also out of range (unavoidable): the number rule of JSON comes first.
#
# Records are separated by one empty line, one member a line, the name up to the first ": ".
#   name, rule (of design.md), expect, comment
#   space               the replica's space, or - for a replica without one
#   labels: any         (rare) the replica is opened with the option that takes any label as id; absent: the id must be actor:t:c
#   document-hex        the exact bytes of the JSON text (- for no byte at all)
#   document-recipe     instead of document-hex; its arguments are hex (- for nothing) and a decimal count:
#     pad PREFIX FILL COUNT SUFFIX                  = PREFIX, COUNT times FILL, SUFFIX
#     nest PREFIX OPEN COUNT MIDDLE CLOSE SUFFIX    = PREFIX, COUNT times OPEN, MIDDLE, COUNT times CLOSE, SUFFIX
#   op-hash, signed-text-hex or signed-text-recipe  for accepted documents
#
# Keys. seed = SHA-256("policysync/hostile/seed/" + label); a kid is derived (base64url of the first 16 bytes of
# SHA-256("policysync/kid" + public key), no padding) or foreign. mallory is NOT registered.
# key: label | registered | derived or foreign | actor hex | kid hex | seed hex | public key hex | actor and kid as JSON
"""

def main():
    args = [a for a in sys.argv[1:] if a != "--full"]
    out = args[0] if args else "hostile"
    if len(args) > 1:
        ops = json.load(open(args[1], encoding="utf-8"))["ops"]
        for o in ops:
            text = write(o["op"] | {"sig": UNDEFINED}, True)
            assert text == o["payload"].encode() and hashlib.sha256(text).hexdigest() == o["payloadSha256"], o
        print(f"canonical writer: {len(ops)} of {len(ops)} reference payloads reproduced")
    accepting(); large(); text_level(); shape(); refusals()
    import nacl
    if "--full" not in sys.argv: RECORDS[:] = [x for x in RECORDS if not EXTRA.fullmatch(re.match("name: (.*)", x[1])[1])]
    lines = [HEADER.format(nacl=nacl.__version__, n=len(RECORDS), a=sum(e in ("appended", "held") for e, _ in RECORDS))]
    brief = lambda s: json.dumps(s) if len(s) < 60 else f"({len(s)} times {s[0]})"
    for k in KEYS.values():
        lines.append(f"# key: {k.label} | {'registered' if k.registered else 'unregistered'} | {'derived' if k.derived else 'foreign'} | {k.actor.encode().hex()} | {k.kid.encode().hex()} | {k.seed.hex()} | {k.public.hex()} | {brief(k.actor)} {brief(k.kid)}\n")
    os.makedirs(out, exist_ok=True)
    text = "".join(lines) + "\n" + "\n\n".join(t for _, t in RECORDS) + "\n"
    with open(os.path.join(out, "documents.txt"), "w", encoding="ascii", newline="\n") as f: f.write(text)
    counts = {}
    for e, _ in RECORDS: counts[e] = counts.get(e, 0) + 1
    for e in sorted(counts): print(f"{counts[e]:5} {e}")
    print(f"{len(RECORDS):5} documents, {len(text)} bytes")

if __name__ == "__main__":
    main()
