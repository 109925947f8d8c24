//! Statics that hold state.

use super::*;

#[test]
fn statics_with_state_are_found() {
    let lib = "\
use std::sync::{Mutex, OnceLock};
pub static NAMES: [&str; 1] = [\"Mutex\"];
static COUNT: std::sync::atomic::AtomicU32 = AtomicU32::new(0);
static mut RAW: u8 = 0;
type Shared = Mutex<Vec<u8>>;
struct Pool { inner: Shared }
// static POOL: in a comment
static POOL: Option<Pool> = None;
static CALL: fn(&Mutex<u8>) = call;
thread_local! { static SEEN: Cell<u8> = Cell::new(0); }
fn body() {
    static ONCE: OnceLock<u8> = OnceLock::new();
    let name: &'static str = stringify!(Mutex);
}
macro_rules! hidden { () => { static mut HIDDEN: u8 = 0; static CELL: RwLock<u8> = new(); } }
#[cfg(test)]
mod tests { static LOCK: Mutex<()> = Mutex::new(()); }
";
    let more = "static COUNT: &'static u8 = &0;\nmod a { static COUNT: Mutex<u8> = M; }";
    let mut found = refused_statics(&sources(lib, more));
    found.sort();
    let found: Vec<_> = found
        .iter()
        .map(|(path, line, reason)| {
            let reason = reason.split(',').next().unwrap();
            format!("{}:{line} {reason}", path.display())
        })
        .collect();
    assert_eq!(
        found,
        [
            "src/lib.rs:3 static `COUNT` holds state in a `AtomicU32`",
            "src/lib.rs:4 `static mut RAW` holds state",
            "src/lib.rs:8 static `POOL` holds state in a `Pool`",
            "src/lib.rs:10 `thread_local!` holds state",
            "src/lib.rs:12 static `ONCE` holds state in a `OnceLock`",
            "src/lib.rs:15 `static mut HIDDEN` holds state",
            "src/lib.rs:15 static `CELL` holds state in a `RwLock`",
            "src/more.rs:2 static `COUNT` holds state in a `Mutex`",
        ]
    );
    assert_eq!(refused_statics(&sources(LIB, MORE)), []);
}
