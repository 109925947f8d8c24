//! Layouts of the types that the world stores.

use std::alloc::Layout;
use std::any::TypeId;

use crate::schema::names::type_name;

/// A type that the world stores values of, as one build of its crate lays it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredType {
    pub type_id: TypeId,
    /// [`type_name`](crate::schema::names::type_name).
    pub name: &'static str,
    /// Size and alignment, in bytes.
    pub layout: Layout,
    /// Whether dropping a value runs code.
    pub needs_drop: bool,
}

impl StoredType {
    /// The type as this code lays it out.
    pub fn of<T: 'static>() -> Self {
        Self {
            type_id: TypeId::of::<T>(),
            name: type_name::<T>(),
            layout: Layout::new::<T>(),
            needs_drop: std::mem::needs_drop::<T>(),
        }
    }
}
