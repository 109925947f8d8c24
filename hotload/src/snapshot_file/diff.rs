//! Compares a snapshot with the world.

use bevy::prelude::*;
use playground_api::persist;
use playground_api::schema::{Definition, TypeChange, Value, decode};

use super::SaveError;
use super::format::{Saved, SavedStore, SavedType};
use super::world::{HOST, Source, successor_source};

/// Describes the differences between a snapshot and the world, one line each.
///
/// # Errors
///
/// When a value cannot be encoded.
pub fn lines(
    world: &mut World,
    saved: &Saved,
    sources: &[Source],
) -> Result<Vec<String>, SaveError> {
    let mut lines = Vec::new();
    let along = |saved: &SavedType| {
        saved.module == HOST || saved.definition.name.starts_with(persist::BEVY_PREFIX)
    };
    for saved in saved.types.iter().filter(|saved| !along(saved)) {
        let (name, then) = (&saved.definition.name, saved.entities.len());
        let Some(source) = successor_source(saved, sources) else {
            lines.push(format!("{name}: {then} saved, but no running module persists the type"));
            continue;
        };
        let now = Definition::of(source.record.schema);
        let change = TypeChange::between(&saved.definition, &now);
        lines.extend(change.entries.iter().map(|entry| format!("{name}.{entry}")));
        let column = source.record.encode(world).map_err(SaveError::Encode)?;
        let count = column.entities.len();
        if saved.store.is_on_entities() || saved.store == SavedStore::Messages {
            if then != count {
                lines.push(format!("{}: {then} saved, {count} now", source.record.label()));
            }
            continue;
        }
        let value = |bytes: &[u8], definition: &Definition| -> Option<Value> {
            (!bytes.is_empty()).then(|| decode(bytes, definition).ok()).flatten()
        };
        let (before, after) = (value(&saved.values, &saved.definition), value(&column.bytes, &now));
        compare(&source.record.label(), before.as_ref(), after.as_ref(), &mut lines);
    }
    Ok(lines)
}

/// Adds a line for each part of a value that differs.
fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, lines: &mut Vec<String>) {
    if before == after {
        return;
    }
    if let (Some(Value::Struct(before)), Some(Value::Struct(after))) = (before, after) {
        let of = |fields: &[(String, Value)], name: &str| {
            fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
        };
        for (name, value) in after {
            let path = format!("{path}.{name}");
            compare(&path, of(before, name).as_ref(), Some(value), lines);
        }
        for (name, value) in before.iter().filter(|(name, _)| of(after, name).is_none()) {
            compare(&format!("{path}.{name}"), Some(value), None, lines);
        }
        return;
    }
    let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), ToString::to_string);
    lines.push(format!("{path}: {} saved, {} now", text(before), text(after)));
}
