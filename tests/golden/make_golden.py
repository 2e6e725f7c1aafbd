#!/usr/bin/env python3
"""Writes the golden files beside it. Independent of the Rust code: canonical texts are spelt out here, Ed25519 is the
`cryptography` package's, the binary layout is packed with struct.

    python3 make_golden.py
"""
import base64, hashlib, os, struct
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = os.path.dirname(os.path.abspath(__file__))

# name, comment, actor, t, c, entity, entityId, path, kind, value (canonical), label, space
OPS = [
    ("set", "A plain set: no label, no space.",
     "alice", 1760000000000, 1, "Task", "t1", "title", "lww_set", '"Hello world"', None, None),
    ("delete", "A delete: kind 2, and the value is null.",
     "alice", 1760000000001, 0, "Task", "t1", "title", "lww_delete", "null", None, None),
    ("space", "A set in a space: the space's tag is 1.",
     "bob", 1760000000000, 256, "Task", "t1", "done", "lww_set", "true", None, "home"),
    ("label", "A set with a label of its own: the label's tag is 1.",
     "alice", 1, 2, "Task", "t1", "title", "lww_set", '{"a":[1,2.5],"b":{}}', "alice:1", None),
    ("limits", "The greatest timestamp, a label and a space.",
     "alice", 2**53 - 1, 2**32 - 2, "E", "i", "p", "lww_set", "-1e-7", "x", "s"),
    ("escapes", "Escapes and astral characters; identifiers are UTF-8 without escapes, the value is JSON text.",
     "\U0001F600", 0, 0, "\u00c9mile", 'i"\\d', "a/b~c", "lww_set",
     '"\\u0000\\b\\n\\"\\\\/\u00e9\u2028\U0001F600\ufb33"', None, None),
    ("long", "A value of more than 255 bytes: lengths are eight bytes wide.",
     "alice", 1760000000000, 2, "Task", "t1", "notes", "lww_set", '"' + "0123456789abcdef" * 20 + '"', None, None),
    ("empty", "The smallest value there is, in an operation whose names are one byte each.",
     "a", 0, 1, "e", "i", "p", "lww_set", "0", None, None),
]

def string(text):
    """JSON of an identifier: it has no control characters."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

def members(op, sig):
    name, comment, actor, t, c, entity, entity_id, path, kind, value, label, space = op
    out = '{"actor":%s,"entity":%s,"entityId":%s,"id":%s,"kind":"%s","path":%s,"sig":%s' % (
        string(actor), string(entity), string(entity_id), string(label or "%s:%d:%d" % (actor, t, c)), kind,
        string(path), sig)
    if space is not None:
        out += ',"space":' + string(space)
    return out + ',"ts":{"a":%s,"c":%d,"t":%d},"value":%s}' % (string(actor), c, t, value)

def build(op):
    name, comment, actor, t, c, entity, entity_id, path, kind, value, label, space = op
    seed = hashlib.sha256(b"policysync/tests/" + actor.encode()).digest()
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kid = base64.urlsafe_b64encode(hashlib.sha256(b"policysync/kid" + public).digest()[:16]).decode().rstrip("=")
    text = members(op, "undefined").encode()
    signature = key.sign(text)
    json = members(op, '{"alg":"ed25519","bytes":"%s","kid":%s}' % (base64.b64encode(signature).decode(), string(kid)))

    lines = []
    def put(data, what):
        for at in range(0, max(len(data), 1), 32):
            part = data[at:at + 32].hex()
            lines.append("%s%s" % (part, "  # " + what if at == 0 else "") if part else "# " + what)
    def text_of(value, what):
        data = value.encode()
        put(struct.pack("<Q", len(data)), "%s: %d bytes follow" % (what, len(data)))
        put(data, what)
    def optional(value, what):
        put(b"\0" if value is None else b"\1", what + (": none" if value is None else ": there is one"))
        if value is not None:
            text_of(value, what)

    put(b"\1", "version of the binary form")
    put(signature, "signature, 64 bytes")
    put(b"\1", "algorithm: ed25519")
    put(b"\1" if kind == "lww_set" else b"\2", "kind: " + kind)
    put(struct.pack("<Q", t), "t = %d" % t)
    put(struct.pack("<I", c), "c = %d" % c)
    text_of(kid, "kid")
    text_of(actor, "actor")
    text_of(entity, "entity")
    text_of(entity_id, "entity id")
    text_of(path, "path")
    optional(label, "label")
    optional(space, "space")
    text_of(value, "value, canonical JSON")
    with open(os.path.join(HERE, name + ".txt"), "w", encoding="utf-8", newline="\n") as out:
        out.write("# %s\n#\n" % comment)
        out.write("# The binary form in hex, one member a line; integers little endian, texts UTF-8 behind a length of eight\n")
        out.write("# bytes, an optional member behind a tag of one byte. Made by make_golden.py; do not edit.\n")
        out.write("json: %s\n" % json)
        out.write("text: %s\n" % text.decode())
        out.write("hash: %s\n" % hashlib.sha256(text).hexdigest())
        out.write("binary:\n")
        out.write("\n".join(lines) + "\n")

for op in OPS:
    build(op)
