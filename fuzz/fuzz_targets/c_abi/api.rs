//! The functions of include/policysync.h. The compiler warns of one that is not called. A test of the library checks
//! that every other one is in `not_called.txt` with a reason.

use std::ffi::{c_char, c_void};

use crate::layout::{
    Buffer, Bytes, COp, Callback, ClientOptions, Digest, Failure, Field, Options, Outcome, Page, Read,
    SyncOptions, Timestamp, Words, Write,
};

pub type Err = *mut Failure;
pub type Handle = *mut c_void;

unsafe extern "C" {
    pub fn policysync_status_name(status: i32) -> *const c_char;
    pub fn policysync_buffer_dispose(buffer: *mut Buffer);
    pub fn policysync_hlc_now(last: *const Timestamp, now_ms: u64, out: *mut Timestamp, err: Err) -> i32;
    pub fn policysync_key_from_seed(
        actor: *const c_void,
        actor_len: usize,
        kid: *const c_void,
        kid_len: usize,
        seed: *const u8,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_key_public(key: Handle, out32: *mut u8, err: Err) -> i32;
    pub fn policysync_key_expose_seed(key: Handle, out32: *mut u8, err: Err) -> i32;
    pub fn policysync_key_public_text(key: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_public_key_from_text(
        text: *const c_void,
        text_len: usize,
        actor: *mut Buffer,
        kid: *mut Buffer,
        out32: *mut u8,
        err: Err,
    ) -> i32;
    pub fn policysync_key_wrap_seed(
        key: Handle,
        passphrase: *const c_void,
        passphrase_len: usize,
        passes: u32,
        memory_kib: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_seed_unwrap(
        text: *const c_void,
        text_len: usize,
        passphrase: *const c_void,
        passphrase_len: usize,
        out32: *mut u8,
        err: Err,
    ) -> i32;
    pub fn policysync_key_expose_paper(key: Handle, out: *mut u8, err: Err) -> i32;
    pub fn policysync_seed_from_paper(text: *const c_void, text_len: usize, out32: *mut u8, err: Err) -> i32;
    pub fn policysync_key_actor(key: Handle) -> *const c_char;
    pub fn policysync_key_kid(key: Handle) -> *const c_char;
    pub fn policysync_key_free(key: Handle);
    pub fn policysync_replica_options_init(out: *mut Options, struct_size: u32) -> i32;
    pub fn policysync_replica_open(options: *const Options, out: *mut Handle, err: Err) -> i32;
    pub fn policysync_replica_free(replica: Handle);
    pub fn policysync_replica_register_key(
        replica: Handle,
        actor: *const c_void,
        actor_len: usize,
        kid: *const c_void,
        kid_len: usize,
        public_key: *const u8,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_register_text(
        replica: Handle,
        text: *const c_void,
        text_len: usize,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_keys_text(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_replica_keys(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_replica_set(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        value: *const c_void,
        value_len: usize,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_set_text(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        text: *const c_void,
        text_len: usize,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_set_integer(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        value: i64,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_set_double(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        value: f64,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_set_bool(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        value: i32,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_set_bytes(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        data: *const c_void,
        len: usize,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_delete_entity(
        replica: Handle,
        now_ms: u64,
        entity: *const c_void,
        entity_len: usize,
        entity_id: *const c_void,
        entity_id_len: usize,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_delete(
        replica: Handle,
        now_ms: u64,
        field: *const Field,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_ingest(
        replica: Handle,
        now_ms: u64,
        op: *const c_void,
        op_len: usize,
        outcome: *mut Outcome,
        outcome_size: usize,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_ingest_many(
        replica: Handle,
        now_ms: u64,
        ops: *const Bytes,
        ops_stride: usize,
        count: usize,
        outcomes: *mut Outcome,
        outcomes_stride: usize,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_get(replica: Handle, field: *const Field, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_replica_history(
        replica: Handle,
        field: *const Field,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_explain(
        replica: Handle,
        field: *const Field,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_entity(
        replica: Handle,
        entity: *const c_void,
        entity_len: usize,
        entity_id: *const c_void,
        entity_id_len: usize,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_kinds(replica: Handle, out: *mut Handle, err: Err) -> i32;
    pub fn policysync_replica_entities(
        replica: Handle,
        entity: *const c_void,
        entity_len: usize,
        page: *const Page,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_count_entities(
        replica: Handle,
        entity: *const c_void,
        entity_len: usize,
        prefix: *const c_void,
        prefix_len: usize,
        out: *mut u64,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_fields(
        replica: Handle,
        entity: *const c_void,
        entity_len: usize,
        entity_id: *const c_void,
        entity_id_len: usize,
        prefix: *const c_void,
        prefix_len: usize,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_list_next(list: Handle, out: Words, err: Err) -> i32;
    pub fn policysync_list_free(list: Handle);
    pub fn policysync_replica_get_text(
        replica: Handle,
        field: *const Field,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_get_integer(
        replica: Handle,
        field: *const Field,
        out: *mut i64,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_get_double(
        replica: Handle,
        field: *const Field,
        out: *mut f64,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_get_bool(replica: Handle, field: *const Field, out: *mut i32, err: Err) -> i32;
    pub fn policysync_replica_get_bytes(
        replica: Handle,
        field: *const Field,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_poll(replica: Handle, now_ms: u64, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_replica_op(
        replica: Handle,
        hash: *const u8,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_forks(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_replica_held(replica: Handle, out: *mut u64, err: Err) -> i32;
    pub fn policysync_replica_next_due(replica: Handle, out: *mut u64, err: Err) -> i32;
    pub fn policysync_replica_doubted_clock(replica: Handle, out: *mut u64, err: Err) -> i32;
    pub fn policysync_replica_clock_ahead(replica: Handle, now_ms: u64, out: *mut u64, err: Err) -> i32;
    pub fn policysync_replica_reset_clock(replica: Handle, now_ms: u64, err: Err) -> i32;
    pub fn policysync_replica_horizon(replica: Handle, out: *mut u64, err: Err) -> i32;
    pub fn policysync_replica_position(replica: Handle, out: *mut u64, err: Err) -> i32;
    pub fn policysync_replica_clock(replica: Handle, out: *mut Timestamp, err: Err) -> i32;
    pub fn policysync_replica_actor(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_replica_contains(replica: Handle, hash: *const u8, err: Err) -> i32;
    pub fn policysync_replica_has_changes(replica: Handle, err: Err) -> i32;
    pub fn policysync_replica_report(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_replica_digest(replica: Handle, out: *mut Digest, err: Err) -> i32;
    pub fn policysync_replica_export(
        replica: Handle,
        position: u64,
        max_count: u64,
        format: u32,
        out: *mut Buffer,
        next: *mut u64,
        err: Err,
    ) -> i32;
    pub fn policysync_cursor_open(replica: Handle, position: u64, out: *mut Handle, err: Err) -> i32;
    pub fn policysync_cursor_next(
        cursor: Handle,
        ops: *mut COp,
        stride: usize,
        capacity: usize,
        out_count: *mut usize,
        err: Err,
    ) -> i32;
    pub fn policysync_cursor_position(cursor: Handle, out: *mut u64, err: Err) -> i32;
    pub fn policysync_cursor_free(cursor: Handle);
    pub fn policysync_replica_state_position(replica: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_changes_open(
        replica: Handle,
        position: *const c_void,
        position_len: usize,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_changes_next(
        changes: Handle,
        ops: *mut COp,
        stride: usize,
        capacity: usize,
        out_count: *mut usize,
        err: Err,
    ) -> i32;
    pub fn policysync_changes_position(changes: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_changes_free(changes: Handle);
    pub fn policysync_op_sign(op: *const COp, key: Handle, format: u32, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_op_verify(
        op: *const c_void,
        op_len: usize,
        actor: *const c_void,
        actor_len: usize,
        kid: *const c_void,
        kid_len: usize,
        public_key: *const u8,
        err: Err,
    ) -> i32;
    pub fn policysync_op_hash(op: *const c_void, op_len: usize, out32: *mut u8, err: Err) -> i32;
    pub fn policysync_op_convert(
        op: *const c_void,
        op_len: usize,
        format: u32,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_sha256(data: *const c_void, len: usize, out32: *mut u8, err: Err) -> i32;
    pub fn policysync_version() -> *const c_char;
    pub fn policysync_version_number() -> u32;
    pub fn policysync_abi_version() -> u32;
    pub fn policysync_system_clock_ms() -> u64;
    pub fn policysync_key_generate(actor: *const c_void, actor_len: usize, out: *mut Handle, err: Err)
    -> i32;
    pub fn policysync_random32(out32: *mut u8, err: Err) -> i32;
    pub fn policysync_replica_release_store(replica: Handle, err: Err) -> i32;
    pub fn policysync_replica_reacquire_store(replica: Handle, now_ms: u64, count: *mut u64, err: Err)
    -> i32;
    pub fn policysync_replica_back_up(replica: Handle, path: *const c_void, path_len: usize, err: Err)
    -> i32;
    pub fn policysync_store_verify(
        options: *const Options,
        report: Words,
        findings: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_store_salvage(
        options: *const Options,
        to: *const c_void,
        to_len: usize,
        report: Words,
        findings: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_sync_options_init(out: *mut SyncOptions, struct_size: u32) -> i32;
    pub fn policysync_sync_alert(status: i32, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_resume_id(resume: Handle, out48: *mut u8, err: Err) -> i32;
    pub fn policysync_resume_free(resume: Handle);
    pub fn policysync_session_new(
        options: *const SyncOptions,
        nonce16: *const u8,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_session_next_message(
        session: Handle,
        replica: Handle,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_session_receive(
        session: Handle,
        replica: Handle,
        now_ms: u64,
        message: *const c_void,
        message_len: usize,
        progress: Words,
        err: Err,
    ) -> i32;
    pub fn policysync_session_progress(session: Handle, progress: Words, err: Err) -> i32;
    pub fn policysync_session_trace(session: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_session_result(session: Handle, result: Words, resume: *mut Handle, err: Err) -> i32;
    pub fn policysync_session_unknown_author(
        session: Handle,
        index: u64,
        actor: *mut Buffer,
        kid: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_session_cancel(session: Handle, err: Err) -> i32;
    pub fn policysync_session_free(session: Handle);
    pub fn policysync_responder_new(
        options: *const SyncOptions,
        secret32: *const u8,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_responder_respond(
        responder: Handle,
        replica: Handle,
        now_ms: u64,
        message: *const c_void,
        message_len: usize,
        out: *mut Buffer,
        ingested: Words,
        err: Err,
    ) -> i32;
    pub fn policysync_responder_free(responder: Handle);
    pub fn policysync_push_after(
        resume: Handle,
        options: *const SyncOptions,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_push_after_responder(
        responder: Handle,
        replica: Handle,
        id48: *const u8,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_push_next_message(push: Handle, replica: Handle, out: *mut Buffer, err: Err) -> i32;
    pub fn policysync_push_receive(
        push: Handle,
        replica: Handle,
        now_ms: u64,
        message: *const c_void,
        message_len: usize,
        ingested: Words,
        err: Err,
    ) -> i32;
    pub fn policysync_push_waiting(push: Handle, replica: Handle, out: *mut u64, err: Err) -> i32;
    pub fn policysync_push_free(push: Handle);
    pub fn policysync_replica_export_bundle(
        replica: Handle,
        position: u64,
        writer: *const Callback<Write>,
        exported: Words,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_export_bundle_of(
        replica: Handle,
        hashes: *const u8,
        count: usize,
        writer: *const Callback<Write>,
        exported: Words,
        err: Err,
    ) -> i32;
    pub fn policysync_replica_import_bundle(
        replica: Handle,
        now_ms: u64,
        reader: *const Callback<Read>,
        ingested: Words,
        err: Err,
    ) -> i32;
    pub fn policysync_resume_to_bytes(
        resume: Handle,
        replica: Handle,
        key32: *const u8,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_resume_from_bytes(
        bytes: *const c_void,
        bytes_len: usize,
        replica: Handle,
        key32: *const u8,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_responder_resume_to_bytes(
        responder: Handle,
        replica: Handle,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_responder_resume_from_bytes(
        responder: Handle,
        replica: Handle,
        bytes: *const c_void,
        bytes_len: usize,
        err: Err,
    ) -> i32;
    pub fn policysync_line_initiator_new(
        options: *const SyncOptions,
        seed32: *const u8,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_line_initiator_next_message(
        caller: Handle,
        replica: Handle,
        now_ms: u64,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_line_initiator_receive(
        caller: Handle,
        replica: Handle,
        now_ms: u64,
        message: *const c_void,
        message_len: usize,
        err: Err,
    ) -> i32;
    pub fn policysync_line_initiator_progress(caller: Handle, progress: Words, err: Err) -> i32;
    pub fn policysync_line_initiator_result(
        caller: Handle,
        result: Words,
        resume: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_line_initiator_is_pushing(caller: Handle, err: Err) -> i32;
    pub fn policysync_line_initiator_free(caller: Handle);
    pub fn policysync_line_responder_new(out: *mut Handle, err: Err) -> i32;
    pub fn policysync_line_responder_receive(
        answerer: Handle,
        responder: Handle,
        replica: Handle,
        now_ms: u64,
        message: *const c_void,
        message_len: usize,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_line_responder_next_message(
        answerer: Handle,
        replica: Handle,
        out: *mut Buffer,
        err: Err,
    ) -> i32;
    pub fn policysync_line_responder_free(answerer: Handle);
    pub fn policysync_client_options_init(out: *mut ClientOptions, struct_size: u32) -> i32;
    pub fn policysync_http_client_new(
        url: *const c_char,
        url_len: usize,
        options: *const ClientOptions,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_http_client_free(client: Handle);
    pub fn policysync_http_answer(
        responder: Handle,
        replica: Handle,
        now_ms: u64,
        method: *const c_char,
        method_len: usize,
        content_type: *const c_char,
        content_type_len: usize,
        body: *const c_void,
        body_len: usize,
        http_status: *mut u32,
        out: *mut Buffer,
        refused: Err,
        err: Err,
    ) -> i32;
    pub fn policysync_websocket_client_connect(
        url: *const c_char,
        url_len: usize,
        options: *const ClientOptions,
        sync: *const SyncOptions,
        out: *mut Handle,
        err: Err,
    ) -> i32;
    pub fn policysync_websocket_client_free(line: Handle);
}
