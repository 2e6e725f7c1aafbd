//! A script of legal and illegal C calls: NULL for required pointers, wrong sizes, strides, formats and texts, calls
//! from callbacks, handles freed in any order, files damaged between two calls. The target checks that nothing panics,
//! that the header names every status and the error has it too, that outputs are written only on success, and that
//! every context is destroyed once.
#![no_main]
// Every declared function must be called.
#![deny(dead_code)]

mod api;
mod bundles;
mod callbacks;
mod cursors;
mod handles;
mod keys;
mod layout;
mod line;
mod network;
mod ops;
mod read;
mod replicas;
mod resumes;
mod script;
mod sessions;
mod stores;
mod told;
mod write;

use std::ffi::CStr;
use std::ptr::null_mut;

use libfuzzer_sys::fuzz_target;
use policysync_fuzz::Input;
// For its exported symbols.
use policysync as _;

use api::{
    Handle, policysync_abi_version, policysync_cursor_free, policysync_key_free,
    policysync_line_initiator_free, policysync_line_responder_free, policysync_push_free,
    policysync_replica_free, policysync_responder_free, policysync_resume_free, policysync_session_free,
    policysync_system_clock_ms, policysync_version, policysync_version_number,
};
use callbacks::{CALLED, CONTEXTS, FREED};
use handles::Handles;

/// The number of steps of a script.
const STEPS: usize = 64;

/// The objects of a script.
struct World {
    keys: Handles,
    replicas: Handles,
    cursors: Handles,
    sessions: Handles,
    responders: Handles,
    resumes: Handles,
    pushes: Handles,
    callers: Handles,
    answerers: Handles,
    /// Replicas in a file; some have been freed.
    in_files: Vec<Handle>,
    /// True if the library has the file store.
    files_touched: bool,
    /// Messages and bundles that were sent and not received yet.
    messages: Vec<Vec<u8>>,
}

fuzz_target!(init: versions(), |data: &[u8]| {
    let mut input = Input::new(data);
    let mut world = World::new();
    // Most scripts start with these objects, the others with none.
    if input.byte() % 4 != 3 {
        world.begin();
    }
    let mut left = STEPS;
    while !input.is_empty() && left > 0 {
        left -= 1;
        world.step(&mut input);
    }
    world.end(input.byte());
    assert_eq!(CONTEXTS.get(), 0, "contexts that were not destroyed, or twice");
});

fn versions() {
    // SAFETY: static text, and two numbers.
    unsafe {
        let version = CStr::from_ptr(policysync_version()).to_str().expect("UTF-8");
        let numbers: Vec<u32> = version.split('.').map(|number| number.parse().expect("a number")).collect();
        let number = numbers.iter().fold(0, |whole, part| whole * 1000 + part);
        assert_eq!(policysync_version_number(), number);
        assert_eq!(policysync_abi_version(), 2);
        assert!(policysync_system_clock_ms() < 1 << 53);
    }
}

impl World {
    fn new() -> Self {
        Self {
            keys: Handles::new(policysync_key_free),
            replicas: Handles::new(policysync_replica_free),
            cursors: Handles::new(policysync_cursor_free),
            sessions: Handles::new(policysync_session_free),
            responders: Handles::new(policysync_responder_free),
            resumes: Handles::new(policysync_resume_free),
            pushes: Handles::new(policysync_push_free),
            callers: Handles::new(policysync_line_initiator_free),
            answerers: Handles::new(policysync_line_responder_free),
            in_files: Vec::new(),
            files_touched: false,
            messages: Vec::new(),
        }
    }

    /// Picks the replica for the next call.
    fn replica(&self, input: &mut Input<'_>) -> Handle {
        let replica = self.replicas.pick(input);
        self.call_on(replica);
        replica
    }

    /// Remembers the replica of the next call, for callbacks.
    fn call_on(&self, replica: Handle) {
        CALLED.set(replica);
        FREED.set(false);
    }

    /// Removes handles that a callback freed.
    fn forget(&mut self) {
        let called = CALLED.replace(null_mut());
        if FREED.replace(false) {
            self.replicas.forget(called);
        }
    }

    /// Makes a key, and a replica that writes with it.
    fn begin(&mut self) {
        // SAFETY: no other code has the handles.
        unsafe {
            self.make_key(&mut Input::new(&[0, 1, 1]));
            self.open(&mut Input::new(&[0, 1]));
        }
        assert_eq!((self.keys.len(), self.replicas.len()), (1, 1));
    }

    fn step(&mut self, input: &mut Input<'_>) {
        // SAFETY: every call gets NULL or what the header requires, for as long as it requires; handles live in `self`
        // until they are freed, and are freed once.
        unsafe { self.call(input) }
        self.forget();
    }

    /// # Safety
    ///
    /// No other code has the handles.
    unsafe fn call(&mut self, input: &mut Input<'_>) {
        // SAFETY: by the contract of this function; the steps pass only live handles.
        unsafe {
            match input.below(64) {
                0 => self.make_key(input),
                1..4 => self.open(input),
                4 => self.ask_key(input),
                5 => self.keys.give_up(input),
                6 => self.replicas.give_up(input),
                7 => self.cursors.give_up(input),
                8..11 => self.write(input),
                11 => self.delete_entity(input),
                12..16 => self.ingest(input),
                16..18 => self.ingest_many(input),
                18 => self.register_key(input),
                19 => self.field(input),
                20 => self.entity(input),
                21 => self.poll(input),
                22 => self.lists(input),
                23 => self.numbers(input),
                24 => self.clock(input),
                25 => self.operation(input),
                26 => self.digest(input),
                27 => self.export(input),
                28 => self.query(input),
                29..31 => self.open_cursor(input),
                31..33 => self.walk(input),
                33 => self.kept(input),
                34 => self.position(input),
                35 => self.hlc(input),
                36 => self.sign(input),
                37 => self.verify(input),
                38 => self.convert(input),
                39 => self.hash(input),
                40 => match input.below(2) {
                    0 => self.generate_key(input),
                    _ => self.read_key_text(input),
                },
                41 => self.back_up(input),
                42..44 => self.check_store(input),
                44 => self.damage(input),
                45..47 => self.export_bundle(input),
                47..49 => self.import_bundle(input),
                49..51 => self.new_session(input),
                51..55 => self.session(input),
                55..57 => self.respond(input),
                57..59 => self.converse(input),
                59..62 => self.push(input),
                62 => self.line(input),
                _ => self.network(input),
            }
        }
    }

    /// Frees everything, in an order that the script chooses, and removes the files.
    fn end(mut self, order: u8) {
        if order & 1 == 1 {
            self.replicas.reverse();
            self.cursors.clear();
            self.pushes.clear();
        }
        self.replicas.clear();
        for handles in [
            &mut self.cursors,
            &mut self.keys,
            &mut self.pushes,
            &mut self.callers,
            &mut self.answerers,
            &mut self.sessions,
            &mut self.responders,
            &mut self.resumes,
        ] {
            handles.clear();
        }
        if self.files_touched {
            for file in std::fs::read_dir(script::directory()).expect("it is there") {
                std::fs::remove_file(file.expect("it is there").path()).expect("a file");
            }
        }
    }
}
