//! Schemas of `std`'s types, as serde and bincode encode them.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8,
    NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize, Wrapping,
};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize,
};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, SystemTime};

use super::schema::{Field, Number, Persist, Schema, Shape, Variant};
use super::type_name::{Argument, TypeName};

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
    Box<str>, "Box<str>", Shape::Str;
    Cow<'static, str>, "Cow<str>", Shape::Str;
    PathBuf, "PathBuf", Shape::Str;
    NonZeroU8, "NonZeroU8", Shape::Number(Number::U8);
    NonZeroU16, "NonZeroU16", Shape::Number(Number::U16);
    NonZeroU32, "NonZeroU32", Shape::Number(Number::U32);
    NonZeroU64, "NonZeroU64", Shape::Number(Number::U64);
    NonZeroU128, "NonZeroU128", Shape::Number(Number::U128);
    NonZeroUsize, "NonZeroUsize", Shape::Number(Number::U64);
    NonZeroI8, "NonZeroI8", Shape::Number(Number::I8);
    NonZeroI16, "NonZeroI16", Shape::Number(Number::I16);
    NonZeroI32, "NonZeroI32", Shape::Number(Number::I32);
    NonZeroI64, "NonZeroI64", Shape::Number(Number::I64);
    NonZeroI128, "NonZeroI128", Shape::Number(Number::I128);
    NonZeroIsize, "NonZeroIsize", Shape::Number(Number::I64);
    AtomicBool, "AtomicBool", Shape::Bool;
    AtomicU8, "AtomicU8", Shape::Number(Number::U8);
    AtomicU16, "AtomicU16", Shape::Number(Number::U16);
    AtomicU32, "AtomicU32", Shape::Number(Number::U32);
    AtomicU64, "AtomicU64", Shape::Number(Number::U64);
    AtomicUsize, "AtomicUsize", Shape::Number(Number::U64);
    AtomicI8, "AtomicI8", Shape::Number(Number::I8);
    AtomicI16, "AtomicI16", Shape::Number(Number::I16);
    AtomicI32, "AtomicI32", Shape::Number(Number::I32);
    AtomicI64, "AtomicI64", Shape::Number(Number::I64);
    AtomicIsize, "AtomicIsize", Shape::Number(Number::I64);
    SystemTime, "SystemTime", Shape::Struct(&[
        Field::plain("secs_since_epoch", u64::REF),
        Field::plain("nanos_since_epoch", u32::REF),
    ]);
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
            const NAME: &'static str = const {
                &TypeName::new($name, &[$(Argument::Type($inner::NAME)),*])
            }
            .as_str();
            const SCHEMA: Schema = Schema::plain::<Self>($name, Shape::$shape($($inner::REF),*));
        }
    )*};
}

containers! {
    Option<T>, "Option", Option, [T], [T];
    Box<T>, "Box", Boxed, [T], [T];
    Vec<T>, "Vec", Seq, [T], [T];
    Box<[T]>, "Box<[]>", Seq, [T], [T];
    VecDeque<T>, "VecDeque", Seq, [T], [T];
    LinkedList<T>, "LinkedList", Seq, [T], [T];
    BinaryHeap<T>, "BinaryHeap", Seq, [T], [T];
    Cell<T>, "Cell", Boxed, [T], [T];
    RefCell<T>, "RefCell", Boxed, [T], [T];
    Mutex<T>, "Mutex", Boxed, [T], [T];
    RwLock<T>, "RwLock", Boxed, [T], [T];
    Reverse<T>, "Reverse", Boxed, [T], [T];
    Wrapping<T>, "Wrapping", Boxed, [T], [T];
    BTreeSet<T>, "BTreeSet", Seq, [T], [T];
    HashSet<T, S>, "HashSet", Seq, [T, S], [T];
    BTreeMap<K, V>, "BTreeMap", Map, [K, V], [K, V];
    HashMap<K, V, S>, "HashMap", Map, [K, V, S], [K, V];
}

macro_rules! ranges {
    ($($type:ident;)*) => {$(
        impl<T: Persist> Persist for $type<T> {
            const NAME: &'static str = const {
                &TypeName::new(stringify!($type), &[Argument::Type(T::NAME)])
            }
            .as_str();
            const SCHEMA: Schema = Schema::plain::<Self>(stringify!($type), Shape::Struct(const {
                &[Field::plain("start", T::REF), Field::plain("end", T::REF)]
            }));
        }
    )*};
}

ranges! {
    Range;
    RangeInclusive;
}

impl<T: Persist, E: Persist> Persist for Result<T, E> {
    const NAME: &'static str =
        const { &TypeName::new("Result", &[Argument::Type(T::NAME), Argument::Type(E::NAME)]) }
            .as_str();
    const SCHEMA: Schema = Schema::plain::<Self>(
        "Result",
        Shape::Enum {
            variants: const {
                &[
                    Variant {
                        name: "Ok",
                        aliases: &[],
                        shape: Shape::TupleStruct(const { &[Field::plain("0", T::REF)] }),
                    },
                    Variant {
                        name: "Err",
                        aliases: &[],
                        shape: Shape::TupleStruct(const { &[Field::plain("0", E::REF)] }),
                    },
                ]
            },
            fallback: None,
        },
    );
}

impl<T: ?Sized> Persist for PhantomData<T> {
    const NAME: &'static str = "PhantomData";
    const SCHEMA: Schema = Schema::plain::<Self>("PhantomData", Shape::Unit);
}

impl<T: Persist, const N: usize> Persist for [T; N] {
    const NAME: &'static str =
        const { &TypeName::new("array", &[Argument::Type(T::NAME), Argument::Number(N as i128)]) }
            .as_str();
    const SCHEMA: Schema = Schema::plain::<Self>("array", Shape::Array(T::REF, N));
}

macro_rules! tuples {
    ($(($($param:ident $index:tt),*);)*) => {$(
        impl<$($param: Persist),*> Persist for ($($param,)*) {
            const NAME: &'static str = const {
                &TypeName::new("tuple", &[$(Argument::Type($param::NAME)),*])
            }
            .as_str();
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
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
}

/// Replaces `T` within the schema of `T` itself, which would be infinite otherwise. The derive uses
/// it for fields marked `#[persist(recursive)]`.
pub struct Recursive<T>(T);

impl<T: Persist> Persist for Recursive<T> {
    const NAME: &'static str = T::NAME;
    const SCHEMA: Schema = Schema::plain::<T>(T::NAME, Shape::Recursive(T::NAME));
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::verify;

    fn agrees<T: Persist + Serialize>(value: &T) {
        let bytes = bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap();
        verify(T::REF, &bytes).unwrap_or_else(|error| panic!("{}: {error}", T::NAME));
    }

    #[test]
    fn schemas_match_the_bytes_of_serde() {
        agrees(&Box::<str>::from("text"));
        agrees(&Cow::Borrowed("text"));
        agrees(&PathBuf::from("a/b"));
        agrees(&NonZeroU32::MAX);
        agrees(&NonZeroI128::MIN);
        agrees(&NonZeroUsize::MAX);
        agrees(&AtomicBool::new(true));
        agrees(&AtomicU64::new(1 << 40));
        agrees(&AtomicIsize::new(-700));
        agrees(&SystemTime::now());
        agrees(&Duration::from_millis(1700));
        agrees(&vec![700u16; 3].into_boxed_slice());
        agrees(&LinkedList::from([1u8, 2]));
        agrees(&BinaryHeap::from([3i32, -700]));
        agrees(&VecDeque::from([String::from("a")]));
        agrees(&HashMap::from([(1u8, "one".to_owned())]));
        agrees(&BTreeSet::from(['a']));
        agrees(&Cell::new(7u8));
        agrees(&RefCell::new(vec![7u8]));
        agrees(&Mutex::new(Some(7u8)));
        agrees(&RwLock::new(-7i64));
        agrees(&Reverse(7u8));
        agrees(&Wrapping(700u16));
        agrees(&(1u32..700));
        agrees(&(1u32..=700));
        agrees(&Ok::<u8, String>(7));
        agrees(&Err::<u8, String>("no".to_owned()));
        agrees(&(1u8, 2u8, 3u8, 4u8, 5u8, 6u8, 7u8, 8u8, 9u8, 10u8, 11u8, 700u16));
    }
}
