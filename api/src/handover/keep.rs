//! A `Local` that survives a swap.

use std::alloc::Layout;
use std::any::Any;
use std::ops::{Deref, DerefMut};

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::{Handover, Inherited};
use crate::codec;
use crate::schema::{Definition, Options, Persist, Resolution, Schema};

/// The bounds of a [`Keep`]'s value.
pub trait Kept: Default + Persist + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Default + Persist + Serialize + DeserializeOwned + Send + Sync + 'static> Kept for T {}

/// A value, and the function that encodes it for a successor whose type has another epoch.
pub struct HandedOver {
    value: Box<dyn Any + Send>,
    schema: &'static Schema,
    encode: fn(&dyn Any) -> Option<Vec<u8>>,
}

/// A kept value.
#[derive(Debug, Default)]
pub struct Value<T>(T);

impl<T: Kept> Handover for Value<T> {
    type HandedOver = HandedOver;

    fn hand_over(self) -> Option<HandedOver> {
        let encode = |value: &dyn Any| {
            let mut bytes = Vec::new();
            codec::encode_into(value.downcast_ref::<T>()?, &mut bytes).ok()?;
            Some(bytes)
        };
        Some(HandedOver { value: Box::new(self.0), schema: T::REF, encode })
    }

    fn take_over(from: HandedOver) -> Option<Self> {
        let HandedOver { value, schema, encode } = from;
        // The value knows the layout that the old code gave it.
        let is_same = Layout::for_value(&*value) == Layout::new::<T>();
        let value = if is_same { value.downcast::<T>() } else { Err(value) };
        match value {
            Ok(value) => Some(Self(*value)),
            // Another epoch. A value that cannot be converted starts from its default.
            Err(value) => {
                let options = Options { allow_drop: true };
                let mut to = Resolution::new(&Definition::of(schema), T::REF, options).ok()?;
                let (bytes, mut converted) = (encode(&*value)?, Vec::new());
                to.convert(&mut bytes.as_slice(), &mut converted, &mut Ok).ok()?;
                codec::decode(&converted).ok().map(Self)
            }
        }
    }
}

/// A [`Local`] that survives a swap of its system. It starts from `T::default()`, and is converted
/// by its schema if the swap changes its type.
#[derive(SystemParam)]
pub struct Keep<'s, T: Kept> {
    inherited: Local<'s, Inherited<Value<T>>>,
}

impl<T: Kept> Deref for Keep<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inherited.get().0
    }
}

impl<T: Kept> DerefMut for Keep<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inherited.get_mut().0
    }
}
