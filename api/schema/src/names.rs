//! Names of types that stay the same when a type gets a new identity.
//!
//! A type with an identity of its own is compiled in a module named after its epoch, as in
//! `core_arena::__0123456789abcdef::Health`. Everything that outlives a build, from snapshots to the
//! slots of kept values, calls the type `core_arena::Health`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The length in bytes of `__`, 16 hex digits and `::`.
const SEGMENT: usize = 20;

/// True if a module named after an epoch, and `::`, begin at `at`.
const fn is_segment(name: &[u8], at: usize) -> bool {
    if at + SEGMENT > name.len() || name[at] != b'_' || name[at + 1] != b'_' {
        return false;
    }
    // Not the end of a longer name.
    if at > 0 && (name[at - 1].is_ascii_alphanumeric() || name[at - 1] == b'_') {
        return false;
    }
    let mut i = at + 2;
    while i < at + SEGMENT - 2 {
        if !matches!(name[i], b'0'..=b'9' | b'a'..=b'f') {
            return false;
        }
        i += 1;
    }
    name[i] == b':' && name[i + 1] == b':'
}

/// The length in bytes of `name` without the modules that are named after epochs.
pub const fn stable_len(name: &str) -> usize {
    let bytes = name.as_bytes();
    let (mut len, mut i) = (0, 0);
    while i < bytes.len() {
        if is_segment(bytes, i) {
            i += SEGMENT;
        } else {
            (len, i) = (len + 1, i + 1);
        }
    }
    len
}

/// `name` without the modules that are named after epochs. `N` must be its [`stable_len`].
pub const fn stable_bytes<const N: usize>(name: &str) -> [u8; N] {
    let bytes = name.as_bytes();
    let mut stable = [0; N];
    let (mut len, mut i) = (0, 0);
    while i < bytes.len() {
        if is_segment(bytes, i) {
            i += SEGMENT;
        } else {
            stable[len] = bytes[i];
            (len, i) = (len + 1, i + 1);
        }
    }
    stable
}

/// The text of [`stable_bytes`].
pub const fn stable_text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Only whole ASCII segments were left out of a text.
        Err(_) => unreachable!(),
    }
}

/// The name without the modules that are named after epochs.
pub fn stable_name(name: &str) -> Cow<'_, str> {
    if !may_have_segment(name) {
        return Cow::Borrowed(name);
    }
    let mut stable = String::with_capacity(name.len());
    let (mut begin, mut i) = (0, 0);
    while i < name.len() {
        if is_segment(name.as_bytes(), i) {
            stable.push_str(&name[begin..i]);
            i += SEGMENT;
            begin = i;
        } else {
            i += 1;
        }
    }
    stable.push_str(&name[begin..]);
    Cow::Owned(stable)
}

/// The epochs that modules in the name are named after.
pub fn epochs_in(name: &str) -> impl Iterator<Item = &str> {
    let found = name.match_indices("__").filter(|(at, _)| is_segment(name.as_bytes(), *at));
    found.map(|(at, _)| &name[at + 2..at + SEGMENT - 2])
}

fn may_have_segment(name: &str) -> bool {
    epochs_in(name).next().is_some()
}

/// `std::any::type_name` without the modules that are named after epochs.
pub fn type_name<T: ?Sized>() -> &'static str {
    let name = std::any::type_name::<T>();
    if !may_have_segment(name) {
        return name;
    }
    /// Each name is leaked once.
    static NAMES: Mutex<Option<HashMap<&'static str, &'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names
        .get_or_insert_default()
        .entry(name)
        .or_insert_with(|| Box::leak(stable_name(name).into_owned().into_boxed_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "core_a::__0123456789abcdef::Health";

    mod __0123456789abcdef {
        pub struct Wall;
    }

    #[test]
    fn modules_named_after_epochs_are_left_out() {
        const LEN: usize = stable_len(NAME);
        const BYTES: [u8; LEN] = stable_bytes(NAME);
        assert_eq!(stable_text(&BYTES), "core_a::Health");
        assert_eq!(stable_name(NAME), "core_a::Health");
        assert_eq!(epochs_in(NAME).collect::<Vec<_>>(), ["0123456789abcdef"]);

        let nested = format!("bevy_ecs::Messages<({NAME}, b::c::__fedcba9876543210::Ä<{NAME}>)>");
        let stable = "bevy_ecs::Messages<(core_a::Health, b::c::Ä<core_a::Health>)>";
        assert_eq!(stable_name(&nested), stable);
        assert_eq!(epochs_in(&nested).count(), 3);
    }

    #[test]
    fn other_names_stay() {
        for name in [
            "",
            "core_a::Health",
            "core_a::__0123456789abcde::Health",
            "core_a::__0123456789ABCDEF::Health",
            "core_a::x__0123456789abcdef::Health",
            "core_a::___0123456789abcdef::Health",
            "core_a::__0123456789abcdef",
            "core_a::__0123456789abcdef:",
        ] {
            assert_eq!(stable_name(name), name);
            assert_eq!(stable_len(name), name.len());
            assert_eq!(epochs_in(name).count(), 0);
        }
    }

    #[test]
    fn a_types_name_is_stable() {
        let name = type_name::<Vec<__0123456789abcdef::Wall>>();
        assert_eq!(name, "alloc::vec::Vec<playground_schema::names::tests::Wall>");
        assert!(std::ptr::eq(name, type_name::<Vec<__0123456789abcdef::Wall>>()));
        assert_eq!(type_name::<Option<u8>>(), std::any::type_name::<Option<u8>>());
    }
}
