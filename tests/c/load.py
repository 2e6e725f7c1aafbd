# The shared library used from Python, with a guard in Python.
import ctypes
import json
import sys
from ctypes import (CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int32, c_size_t, c_uint8, c_uint32, c_uint64,
                    c_void_p, sizeof, string_at)

library = ctypes.CDLL(sys.argv[1])


class Bytes(Structure):
    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class Buffer(Structure):
    _fields_ = [("data", c_void_p), ("len", c_size_t), ("capacity", c_size_t)]


class Field(Structure):
    _fields_ = [("entity", Bytes), ("entity_id", Bytes), ("path", Bytes)]


CHECK = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t, c_size_t, POINTER(c_int32))
DESTROY = CFUNCTYPE(None, c_void_p)


class Guard(Structure):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("ctx", c_void_p), ("check", CHECK),
                ("destroy", DESTROY)]


class Options(Structure):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("max_drift_ms", c_uint64), ("threads", c_uint32),
                ("reserved", c_uint32), ("key", c_void_p), ("space", Bytes), ("guard", POINTER(Guard)),
                ("clock", c_void_p), ("observer", c_void_p)]


class Error(Structure):
    _fields_ = [("struct_size", c_uint32), ("status", c_int32), ("op_index", c_uint64), ("message", c_uint8 * 240)]


def text(value):
    data = value.encode()
    return Bytes(data, len(data))


asked = []
destroyed = []


@CHECK
def check(ctx, ops, stride, count, verdicts):
    asked.append(count)
    for n in range(count):
        verdicts[n] = 1
    return 0


@DESTROY
def destroy(ctx):
    destroyed.append(ctx)


error = Error(sizeof(Error))
key, replica = c_void_p(), c_void_p()
assert library.policysync_key_generate(b"alice", c_size_t(5), byref(key), byref(error)) == 0
guard = Guard(sizeof(Guard), 0, 7, check, destroy)
options = Options(sizeof(Options), key=key, guard=ctypes.pointer(guard))
assert library.policysync_replica_open(byref(options), byref(replica), byref(error)) == 0, bytes(error.message)
field = Field(text("Task"), text("t1"), text("title"))
op, value = Buffer(), Buffer()
status = library.policysync_replica_set(replica, c_uint64(1_760_000_000_000), byref(field), b'"Milk"', c_size_t(6),
                                        c_uint32(1), byref(op), byref(error))
assert status == 0, bytes(error.message)
assert json.loads(string_at(op.data, op.len))["actor"] == "alice"
assert library.policysync_replica_get(replica, byref(field), byref(value), None) == 0
assert string_at(value.data, value.len) == b'"Milk"'
library.policysync_buffer_dispose(byref(op))
library.policysync_buffer_dispose(byref(value))
library.policysync_key_free(key)
library.policysync_replica_free(replica)
assert asked == [1] and destroyed == [7]
