// The C interface used from the JVM: opens a replica, sets, reads, and is called back as a guard.
import com.sun.jna.Callback
import com.sun.jna.Library
import com.sun.jna.Memory
import com.sun.jna.Native
import com.sun.jna.NativeLong
import com.sun.jna.Pointer
import com.sun.jna.Structure
import com.sun.jna.Structure.FieldOrder
import com.sun.jna.ptr.PointerByReference

const val OK = 0
const val ERR_DENIED = -120
const val ADMIT = 1
const val REJECT = 2
const val JSON = 1
const val NOW = -1L
const val ABI = 2

// size_t is as wide as long on every Unix.
fun size(bytes: Int) = NativeLong(bytes.toLong())

@FieldOrder("data", "len")
open class Bytes() : Structure() {
    @JvmField var data: Pointer? = null
    @JvmField var len = size(0)

    constructor(text: String) : this() {
        val bytes = text.toByteArray()
        data = Memory(bytes.size.toLong()).apply { write(0, bytes, 0, bytes.size) }
        len = size(bytes.size)
    }

    constructor(at: Pointer) : this() {
        useMemory(at)
        read()
    }

    fun text() = data?.getByteArray(0, len.toInt())?.decodeToString() ?: ""
}

@FieldOrder("entity", "entityId", "path")
class Field(entity: String, entityId: String, path: String) : Structure() {
    @JvmField var entity = Bytes(entity)
    @JvmField var entityId = Bytes(entityId)
    @JvmField var path = Bytes(path)
}

@FieldOrder("data", "len", "capacity")
class Buffer : Structure() {
    @JvmField var data: Pointer? = null
    @JvmField var len = size(0)
    @JvmField var capacity = size(0)

    fun text() = data?.getByteArray(0, len.toInt())?.decodeToString() ?: ""
}

@FieldOrder("structSize", "status", "opIndex", "message")
class Failure : Structure() {
    @JvmField var structSize = 0
    @JvmField var status = 0
    @JvmField var opIndex = 0L
    @JvmField var message = ByteArray(240)

    init {
        structSize = size()
    }

    fun text() = Native.toString(message, "UTF-8")
}

@FieldOrder("structSize", "kind", "t", "c", "scheme", "hash", "proof", "actor", "kid", "entity")
class Op(at: Pointer) : Structure(at) {
    @JvmField var structSize = 0
    @JvmField var kind = 0
    @JvmField var t = 0L
    @JvmField var c = 0
    @JvmField var scheme = 0
    @JvmField var hash = ByteArray(32)
    @JvmField var proof = Bytes()
    @JvmField var actor = Bytes()
    @JvmField var kid = Bytes()
    @JvmField var entity = Bytes()
}

fun interface Check : Callback {
    fun invoke(ctx: Pointer?, ops: Pointer, stride: NativeLong, count: NativeLong, verdicts: Pointer): Int
}

fun interface Destroy : Callback {
    fun invoke(ctx: Pointer?)
}

@FieldOrder("structSize", "reserved", "ctx", "check", "destroy")
class Guard(@JvmField var check: Check, @JvmField var destroy: Destroy) : Structure() {
    @JvmField var structSize = 0
    @JvmField var reserved = 0
    @JvmField var ctx: Pointer? = null
}

// The options before files existed: struct_size ends before the later members.
@FieldOrder(
    "structSize", "flags", "maxDriftMs", "threads", "reserved", "key", "space", "guard", "clock", "observer",
)
class Options : Structure() {
    @JvmField var structSize = 0
    @JvmField var flags = 0
    @JvmField var maxDriftMs = 0L
    @JvmField var threads = 0
    @JvmField var reserved = 0
    @JvmField var key: Pointer? = null
    @JvmField var space = Bytes()
    @JvmField var guard: Pointer? = null
    @JvmField var clock: Pointer? = null
    @JvmField var observer: Pointer? = null
}

@Suppress("FunctionName")
interface PolicySync : Library {
    fun policysync_abi_version(): Int
    fun policysync_status_name(status: Int): String
    fun policysync_buffer_dispose(buffer: Buffer)
    fun policysync_key_generate(actor: ByteArray, actorLen: NativeLong, out: PointerByReference, err: Failure): Int
    fun policysync_key_free(key: Pointer?)
    fun policysync_replica_options_init(out: Options, structSize: Int): Int
    fun policysync_replica_open(options: Options, out: PointerByReference, err: Failure): Int
    fun policysync_replica_free(replica: Pointer?)
    fun policysync_replica_set(
        replica: Pointer, nowMs: Long, field: Field, value: ByteArray, valueLen: NativeLong, format: Int,
        out: Buffer?, err: Failure,
    ): Int
    fun policysync_replica_get(replica: Pointer, field: Field, out: Buffer, err: Failure): Int
}

fun main() {
    val library = Native.load("policysync", PolicySync::class.java)
    check(library.policysync_abi_version() == ABI)
    val failure = Failure()
    fun expect(status: Int, expected: Int = OK) = check(status == expected) {
        "${library.policysync_status_name(status)}: ${failure.text()}"
    }

    val actors = mutableListOf<String>()
    var destroyed = 0
    val guard = Guard(
        { _, ops, stride, count, verdicts ->
            for (n in 0 until count.toLong()) {
                val op = Op(ops.share(n * stride.toLong())).apply { read() }
                actors += op.actor.text()
                verdicts.setInt(4 * n, if (op.entity.text() == "Task") ADMIT else REJECT)
            }
            OK
        },
        { destroyed += 1 },
    )
    guard.structSize = guard.size()
    guard.write()

    val key = PointerByReference()
    expect(library.policysync_key_generate("alice".toByteArray(), size(5), key, failure))
    val options = Options()
    expect(library.policysync_replica_options_init(options, options.size()))
    options.key = key.value
    options.guard = guard.pointer
    val opened = PointerByReference()
    expect(library.policysync_replica_open(options, opened, failure))
    val replica = opened.value

    val title = Field("Task", "t1", "title")
    val json = "\"Grüße\"".toByteArray()
    val op = Buffer()
    val value = Buffer()
    expect(library.policysync_replica_set(replica, NOW, title, json, size(json.size), JSON, op, failure))
    check("\"actor\":\"alice\"" in op.text()) { op.text() }
    expect(library.policysync_replica_get(replica, title, value, failure))
    check(value.text() == "\"Grüße\"") { value.text() }

    val salary = Field("Salary", "mine", "sum")
    expect(library.policysync_replica_set(replica, NOW, salary, json, size(json.size), JSON, null, failure), ERR_DENIED)
    check(failure.status == ERR_DENIED && failure.text().isNotEmpty())
    check(actors == listOf("alice", "alice")) { actors }

    library.policysync_buffer_dispose(op)
    library.policysync_buffer_dispose(value)
    library.policysync_key_free(key.value)
    check(destroyed == 0)
    library.policysync_replica_free(replica)
    check(destroyed == 1) { destroyed }
    println("The program in Kotlin passed; the guard was asked ${actors.size} times: ${failure.text()}")
}
