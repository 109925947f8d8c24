//! Parses schemas from arbitrary bytes; a valid schema is displayed and is identical to itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use playground_schema::{Definition, TypeChange, decode, encode, same_layout};

/// The size of a comparison grows with both types; larger inputs show nothing new.
const BYTES_MAX: usize = 1 << 14;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > BYTES_MAX {
        return;
    }
    let all = match Definition::parse(bytes) {
        Ok(all) => all,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    for definition in &all {
        let _displayed = format!("{definition} {definition:?} {}", definition.holds_entities());
        assert!(same_layout(definition, definition));
        let change = TypeChange::between(definition, definition);
        assert!(change.identical, "{change}");
        if let Ok(value) = decode(bytes, definition) {
            let again = encode(&value, definition).expect("a value that was decoded");
            decode(&again, definition).expect("a value that was encoded");
        }
    }
    for pair in all.windows(2).take(4) {
        let change = TypeChange::between(&pair[0], &pair[1]);
        let _displayed = (change.to_string(), change.is_impossible(), change.undeclared_drops().count());
        assert_eq!(same_layout(&pair[0], &pair[1]), same_layout(&pair[1], &pair[0]));
    }
});
