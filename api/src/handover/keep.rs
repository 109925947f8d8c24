//! A `Local` that survives.

use std::any::Any;
use std::ops::{Deref, DerefMut};

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::{Carried, Handover};
use crate::codec;
use crate::schema::{Definition, Options, Persist, Resolution, Schema};

/// What a [`Keep`] holds.
pub trait Kept: Default + Persist + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Default + Persist + Serialize + DeserializeOwned + Send + Sync + 'static> Kept for T {}

/// A value as it was left, and how it is written for a successor of another epoch.
pub struct Left {
    value: Box<dyn Any + Send>,
    schema: &'static Schema,
    encode: fn(&dyn Any) -> Option<Vec<u8>>,
}

/// A kept value.
#[derive(Debug, Default)]
pub struct Value<T>(T);

impl<T: Kept> Handover for Value<T> {
    type Left = Left;

    fn leave(self) -> Option<Left> {
        let encode = |value: &dyn Any| {
            let mut bytes = Vec::new();
            codec::encode_into(value.downcast_ref::<T>()?, &mut bytes).ok()?;
            Some(bytes)
        };
        Some(Left { value: Box::new(self.0), schema: T::REF, encode })
    }

    fn take_over(left: Left) -> Option<Self> {
        let Left { value, schema, encode } = left;
        match value.downcast::<T>() {
            Ok(value) => Some(Self(*value)),
            // Of another epoch. What cannot be converted starts anew: it is nobody's state.
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

/// A [`Local`] that survives a swap of its system, also into another form of its type. Starts from
/// `T::default()`.
#[derive(SystemParam)]
pub struct Keep<'s, T: Kept> {
    carried: Local<'s, Carried<Value<T>>>,
}

impl<T: Kept> Deref for Keep<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.carried.get().0
    }
}

impl<T: Kept> DerefMut for Keep<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.carried.get_mut().0
    }
}
