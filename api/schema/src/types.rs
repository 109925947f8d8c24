//! Schemas of `std`'s types, as serde and bincode encode them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::marker::PhantomData;
use std::time::Duration;

use super::schema::{Field, Number, Persist, Schema, Shape};

macro_rules! leaves {
    ($($type:ty, $name:literal, $shape:expr;)*) => {$(
        impl Persist for $type {
            const NAME: &'static str = $name;
            const SCHEMA: Schema = Schema::plain::<Self>($name, $shape);
        }
    )*};
}

leaves! {
    (), "()", Shape::Unit;
    bool, "bool", Shape::Bool;
    u8, "u8", Shape::Number(Number::U8);
    u16, "u16", Shape::Number(Number::U16);
    u32, "u32", Shape::Number(Number::U32);
    u64, "u64", Shape::Number(Number::U64);
    u128, "u128", Shape::Number(Number::U128);
    usize, "usize", Shape::Number(Number::U64);
    i8, "i8", Shape::Number(Number::I8);
    i16, "i16", Shape::Number(Number::I16);
    i32, "i32", Shape::Number(Number::I32);
    i64, "i64", Shape::Number(Number::I64);
    i128, "i128", Shape::Number(Number::I128);
    isize, "isize", Shape::Number(Number::I64);
    f32, "f32", Shape::Number(Number::F32);
    f64, "f64", Shape::Number(Number::F64);
    char, "char", Shape::Char;
    String, "String", Shape::Str;
    Duration, "Duration", Shape::Struct(&[
        Field::plain("secs", u64::REF),
        Field::plain("nanos", u32::REF),
    ]);
}

macro_rules! containers {
    ($($type:ty, $name:literal, $shape:ident, [$($param:ident),*], [$($inner:ident),*];)*) => {$(
        impl<$($param),*> Persist for $type
        where
            $($inner: Persist),*
        {
            const NAME: &'static str = $name;
            const SCHEMA: Schema = Schema::plain::<Self>($name, Shape::$shape($($inner::REF),*));
        }
    )*};
}

containers! {
    Option<T>, "Option", Option, [T], [T];
    Box<T>, "Box", Boxed, [T], [T];
    Vec<T>, "Vec", Seq, [T], [T];
    VecDeque<T>, "VecDeque", Seq, [T], [T];
    BTreeSet<T>, "BTreeSet", Seq, [T], [T];
    HashSet<T, S>, "HashSet", Seq, [T, S], [T];
    BTreeMap<K, V>, "BTreeMap", Map, [K, V], [K, V];
    HashMap<K, V, S>, "HashMap", Map, [K, V, S], [K, V];
}

impl<T: ?Sized> Persist for PhantomData<T> {
    const NAME: &'static str = "PhantomData";
    const SCHEMA: Schema = Schema::plain::<Self>("PhantomData", Shape::Unit);
}

impl<T: Persist, const N: usize> Persist for [T; N] {
    const NAME: &'static str = "array";
    const SCHEMA: Schema = Schema::plain::<Self>("array", Shape::Array(T::REF, N));
}

macro_rules! tuples {
    ($(($($param:ident $index:tt),*);)*) => {$(
        impl<$($param: Persist),*> Persist for ($($param,)*) {
            const NAME: &'static str = "tuple";
            const SCHEMA: Schema = Schema::plain::<Self>("tuple", Shape::Tuple(const {
                &[$(Field {
                    offset: Some(std::mem::offset_of!(Self, $index)),
                    ..Field::plain(stringify!($index), $param::REF)
                }),*]
            }));
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}

/// Replaces `T` within the schema of `T` itself, which would be infinite otherwise. The derive uses
/// it for fields marked `#[persist(recursive)]`.
pub struct Recursive<T>(T);

impl<T: Persist> Persist for Recursive<T> {
    const NAME: &'static str = T::NAME;
    const SCHEMA: Schema = Schema::plain::<T>(T::NAME, Shape::Recursive(T::NAME));
}
