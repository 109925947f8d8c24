//! Finds defaults for `#[derive(Persist)]`; not for use by hand.

use std::marker::PhantomData;

use serde::{Serialize, Serializer};

use super::schema::WriteDefault;

pub use serde;

/// Detects in a constant whether a type implements `Default`: the inherent constant takes
/// precedence over the trait's if its bounds hold.
pub struct Probe<T>(PhantomData<T>);

impl<T: Default> Probe<T> {
    pub const MAKE: Option<fn() -> T> = Some(T::default);
}

/// The fallback for types without a default.
pub trait WithoutDefault<T> {
    const MAKE: Option<fn() -> T> = None;
}

impl<T> WithoutDefault<T> for Probe<T> {}

/// Detects in a constant whether a type implements `Default` and `Serialize`.
pub struct Written<T>(PhantomData<T>);

impl<T: Default + Serialize> Written<T> {
    /// Encodes the default.
    pub const WRITE: Option<WriteDefault> = Some(|out| write(&T::default(), out));
}

/// The fallback for types without a default.
pub trait WithoutWritten {
    const WRITE: Option<WriteDefault> = None;
}

impl<T> WithoutWritten for Written<T> {}

/// Appends the bincode of `value`.
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    bincode::serde::encode_into_std_write(value, out, bincode::config::standard())
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// A value that is serialized by a function of `#[serde(with)]`.
pub struct With<'a, T, F>(pub &'a T, pub F);

/// Appends the bincode of `value` as `W` serializes it.
pub fn write_with<T, W: WriteWith<T>>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    write(&With(value, PhantomData::<W>), out)
}

/// A function of `#[serde(with)]`, as a type.
pub trait WriteWith<T> {
    /// Calls the function.
    fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;
}

impl<T, W: WriteWith<T>> Serialize for With<'_, T, PhantomData<W>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        W::serialize(self.0, serializer)
    }
}
