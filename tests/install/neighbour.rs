//! Another Rust library in the same program, with its own standard library.

/// Computes the length of `"neighbour"` by using a heap, a thread and, where panics unwind, a panic.
#[unsafe(no_mangle)]
pub extern "C" fn neighbour() -> usize {
    let text = std::thread::spawn(|| "neigh".to_owned() + "bour").join().unwrap_or_default();
    if cfg!(panic = "unwind") {
        std::panic::set_hook(Box::new(|_| ()));
        assert!(std::panic::catch_unwind(|| panic!("on purpose")).is_err());
    }
    text.len()
}
