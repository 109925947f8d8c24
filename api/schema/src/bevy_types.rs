//! Schemas of Bevy's types, as serde and bincode encode them.

use std::mem::offset_of;

use bevy::color::{Color, Hsla, Hsva, Hwba, Laba, Lcha, LinearRgba, Oklaba, Oklcha, Srgba, Xyza};
use bevy::ecs::entity::{Entity, EntityHashMap, EntityHashSet, EntityIndexMap, EntityIndexSet};
use bevy::ecs::hierarchy::ChildOf;
use bevy::ecs::name::Name;
use bevy::math::{
    Affine2, Affine3A, BVec2, BVec3, BVec4, CompassOctant, CompassQuadrant, DMat2, DMat3, DMat4,
    DQuat, DVec2, DVec3, DVec4, Dir2, Dir3, Dir3A, Dir4, I8Vec2, I8Vec3, I8Vec4, I16Vec2, I16Vec3,
    I16Vec4, I64Vec2, I64Vec3, I64Vec4, IRect, IVec2, IVec3, IVec4, Isometry2d, Isometry3d, Mat2,
    Mat3, Mat3A, Mat4, Quat, Ray2d, Ray3d, Rect, Rot2, U8Vec2, U8Vec3, U8Vec4, U16Vec2, U16Vec3,
    U16Vec4, U64Vec2, U64Vec3, U64Vec4, URect, UVec2, UVec3, UVec4, Vec2, Vec3, Vec3A, Vec4,
};
use bevy::platform::collections::{HashMap, HashSet};
use bevy::time::{Stopwatch, Timer, TimerMode};
use bevy::transform::components::{GlobalTransform, Transform};

use super::schema::{Field, Persist, Schema, Shape, Variant};
use super::type_name::{Argument, TypeName};

/// Vectors and matrices are encoded as tuples of their numbers.
macro_rules! numbers {
    ($($type:ty, $name:literal, $number:ty, [$($index:literal)*];)*) => {$(
        impl Persist for $type {
            const NAME: &'static str = concat!("glam::", $name);
            const SCHEMA: Schema = Schema::plain::<Self>(Self::NAME, Shape::Tuple(const {
                &[$(Field::plain($index, <$number>::REF)),*]
            }));
        }
    )*};
}

numbers! {
    Vec2, "Vec2", f32, ["0" "1"];
    Vec3, "Vec3", f32, ["0" "1" "2"];
    Vec3A, "Vec3A", f32, ["0" "1" "2"];
    Vec4, "Vec4", f32, ["0" "1" "2" "3"];
    Quat, "Quat", f32, ["0" "1" "2" "3"];
    Mat2, "Mat2", f32, ["0" "1" "2" "3"];
    Mat3, "Mat3", f32, ["0" "1" "2" "3" "4" "5" "6" "7" "8"];
    Mat3A, "Mat3A", f32, ["0" "1" "2" "3" "4" "5" "6" "7" "8"];
    Mat4, "Mat4", f32, ["0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "10" "11" "12" "13" "14" "15"];
    Affine2, "Affine2", f32, ["0" "1" "2" "3" "4" "5"];
    Affine3A, "Affine3A", f32, ["0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "10" "11"];
    DVec2, "DVec2", f64, ["0" "1"];
    DVec3, "DVec3", f64, ["0" "1" "2"];
    DVec4, "DVec4", f64, ["0" "1" "2" "3"];
    DQuat, "DQuat", f64, ["0" "1" "2" "3"];
    DMat2, "DMat2", f64, ["0" "1" "2" "3"];
    DMat3, "DMat3", f64, ["0" "1" "2" "3" "4" "5" "6" "7" "8"];
    DMat4, "DMat4", f64, ["0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "10" "11" "12" "13" "14" "15"];
    IVec2, "IVec2", i32, ["0" "1"];
    IVec3, "IVec3", i32, ["0" "1" "2"];
    IVec4, "IVec4", i32, ["0" "1" "2" "3"];
    UVec2, "UVec2", u32, ["0" "1"];
    UVec3, "UVec3", u32, ["0" "1" "2"];
    UVec4, "UVec4", u32, ["0" "1" "2" "3"];
    I64Vec2, "I64Vec2", i64, ["0" "1"];
    I64Vec3, "I64Vec3", i64, ["0" "1" "2"];
    I64Vec4, "I64Vec4", i64, ["0" "1" "2" "3"];
    U64Vec2, "U64Vec2", u64, ["0" "1"];
    U64Vec3, "U64Vec3", u64, ["0" "1" "2"];
    U64Vec4, "U64Vec4", u64, ["0" "1" "2" "3"];
    I8Vec2, "I8Vec2", i8, ["0" "1"];
    I8Vec3, "I8Vec3", i8, ["0" "1" "2"];
    I8Vec4, "I8Vec4", i8, ["0" "1" "2" "3"];
    U8Vec2, "U8Vec2", u8, ["0" "1"];
    U8Vec3, "U8Vec3", u8, ["0" "1" "2"];
    U8Vec4, "U8Vec4", u8, ["0" "1" "2" "3"];
    I16Vec2, "I16Vec2", i16, ["0" "1"];
    I16Vec3, "I16Vec3", i16, ["0" "1" "2"];
    I16Vec4, "I16Vec4", i16, ["0" "1" "2" "3"];
    U16Vec2, "U16Vec2", u16, ["0" "1"];
    U16Vec3, "U16Vec3", u16, ["0" "1" "2"];
    U16Vec4, "U16Vec4", u16, ["0" "1" "2" "3"];
    BVec2, "BVec2", bool, ["0" "1"];
    BVec3, "BVec3", bool, ["0" "1" "2"];
    BVec4, "BVec4", bool, ["0" "1" "2" "3"];
}

/// Bevy's collections, which are encoded like those of `std`.
macro_rules! collections {
    ($([$($param:ident),*] [$($inner:ident),*] $type:ty, $name:literal, $shape:expr;)*) => {$(
        impl<$($param),*> Persist for $type
        where
            $($inner: Persist),*
        {
            const NAME: &'static str = const {
                &TypeName::new($name, &[$(Argument::Type($inner::NAME)),*])
            }
            .as_str();
            const SCHEMA: Schema = Schema::plain::<Self>($name, $shape);
        }
    )*};
}

collections! {
    [K, V, S] [K, V] HashMap<K, V, S>, "HashMap", Shape::Map(K::REF, V::REF);
    [T, S] [T] HashSet<T, S>, "HashSet", Shape::Seq(T::REF);
    [V] [V] EntityHashMap<V>, "EntityHashMap", Shape::Map(Entity::REF, V::REF);
    [V] [V] EntityIndexMap<V>, "EntityIndexMap", Shape::Map(Entity::REF, V::REF);
    [] [] EntityHashSet, "EntityHashSet", Shape::Seq(Entity::REF);
    [] [] EntityIndexSet, "EntityIndexSet", Shape::Seq(Entity::REF);
}

/// Tuple structs of one private field.
macro_rules! newtypes {
    ($($type:ty, $name:literal, $of:ty;)*) => {$(
        impl Persist for $type {
            const NAME: &'static str = $name;
            const SCHEMA: Schema = Schema::plain::<Self>($name, Shape::TupleStruct(const {
                &[Field::plain("0", <$of>::REF)]
            }));
        }
    )*};
}

newtypes! {
    Dir2, "bevy_math::Dir2", Vec2;
    Dir3, "bevy_math::Dir3", Vec3;
    Dir3A, "bevy_math::Dir3A", Vec3A;
    Dir4, "bevy_math::Dir4", Vec4;
    GlobalTransform, "bevy_transform::GlobalTransform", Affine3A;
}

/// Enums of variants without fields, in their order.
macro_rules! enums {
    ($($type:ty, $name:literal, [$($variant:ident)*];)*) => {$(
        impl Persist for $type {
            const NAME: &'static str = $name;
            const SCHEMA: Schema = Schema::plain::<Self>($name, Shape::Enum {
                variants: const {
                    &[$(Variant {
                        name: stringify!($variant),
                        aliases: &[],
                        shape: Shape::UnitStruct,
                    }),*]
                },
                fallback: None,
            });
        }
    )*};
}

enums! {
    TimerMode, "bevy_time::TimerMode", [Once Repeating];
    CompassQuadrant, "bevy_math::CompassQuadrant", [North East South West];
    CompassOctant, "bevy_math::CompassOctant",
        [North NorthEast East SouthEast South SouthWest West NorthWest];
}

/// Structs by their public fields.
macro_rules! structs {
    ($($type:ty, $name:literal, { $($field:ident: $of:ty),* $(,)? };)*) => {$(
        impl Persist for $type {
            const NAME: &'static str = $name;
            const SCHEMA: Schema = Schema::plain::<Self>($name, Shape::Struct(const {
                &[$(Field {
                    offset: Some(offset_of!(Self, $field)),
                    ..Field::plain(stringify!($field), <$of>::REF)
                }),*]
            }));
        }
    )*};
}

structs! {
    Rect, "bevy_math::Rect", { min: Vec2, max: Vec2 };
    URect, "bevy_math::URect", { min: UVec2, max: UVec2 };
    IRect, "bevy_math::IRect", { min: IVec2, max: IVec2 };
    Isometry2d, "bevy_math::Isometry2d", { rotation: Rot2, translation: Vec2 };
    Isometry3d, "bevy_math::Isometry3d", { rotation: Quat, translation: Vec3A };
    Ray2d, "bevy_math::Ray2d", { origin: Vec2, direction: Dir2 };
    Ray3d, "bevy_math::Ray3d", { origin: Vec3, direction: Dir3 };
    Rot2, "bevy_math::Rot2", { cos: f32, sin: f32 };
    Transform, "bevy_transform::Transform", { translation: Vec3, rotation: Quat, scale: Vec3 };
    Srgba, "bevy_color::Srgba", { red: f32, green: f32, blue: f32, alpha: f32 };
    LinearRgba, "bevy_color::LinearRgba", { red: f32, green: f32, blue: f32, alpha: f32 };
    Hsla, "bevy_color::Hsla", { hue: f32, saturation: f32, lightness: f32, alpha: f32 };
    Hsva, "bevy_color::Hsva", { hue: f32, saturation: f32, value: f32, alpha: f32 };
    Hwba, "bevy_color::Hwba", { hue: f32, whiteness: f32, blackness: f32, alpha: f32 };
    Laba, "bevy_color::Laba", { lightness: f32, a: f32, b: f32, alpha: f32 };
    Lcha, "bevy_color::Lcha", { lightness: f32, chroma: f32, hue: f32, alpha: f32 };
    Oklaba, "bevy_color::Oklaba", { lightness: f32, a: f32, b: f32, alpha: f32 };
    Oklcha, "bevy_color::Oklcha", { lightness: f32, chroma: f32, hue: f32, alpha: f32 };
    Xyza, "bevy_color::Xyza", { x: f32, y: f32, z: f32, alpha: f32 };
}

macro_rules! variants {
    ($(($name:literal, $of:ty)),* $(,)?) => {
        &[$(Variant {
            name: $name,
            aliases: &[],
            shape: Shape::TupleStruct(const { &[Field::plain("0", <$of>::REF)] }),
        }),*]
    };
}

impl Persist for Color {
    const NAME: &'static str = "bevy_color::Color";
    const SCHEMA: Schema = Schema::plain::<Self>(
        Self::NAME,
        Shape::Enum {
            variants: const {
                variants![
                    ("Srgba", Srgba),
                    ("LinearRgba", LinearRgba),
                    ("Hsla", Hsla),
                    ("Hsva", Hsva),
                    ("Hwba", Hwba),
                    ("Laba", Laba),
                    ("Lcha", Lcha),
                    ("Oklaba", Oklaba),
                    ("Oklcha", Oklcha),
                    ("Xyza", Xyza),
                ]
            },
            fallback: None,
        },
    );
}

impl Persist for Entity {
    const NAME: &'static str = "bevy_ecs::Entity";
    const SCHEMA: Schema = Schema::plain::<Self>(Self::NAME, Shape::Entity);
}

impl Persist for Name {
    const NAME: &'static str = "bevy_ecs::Name";
    const SCHEMA: Schema = Schema::plain::<Self>(Self::NAME, Shape::Str);
}

impl Persist for ChildOf {
    const NAME: &'static str = "bevy_ecs::ChildOf";
    const SCHEMA: Schema = Schema::plain::<Self>(
        Self::NAME,
        Shape::TupleStruct(
            const { &[Field { offset: Some(offset_of!(Self, 0)), ..Field::plain("0", Entity::REF) }] },
        ),
    );
}

impl Persist for Stopwatch {
    const NAME: &'static str = "bevy_time::Stopwatch";
    const SCHEMA: Schema = Schema::plain::<Self>(
        Self::NAME,
        Shape::Struct(
            const {
                &[
                    Field::plain("elapsed", std::time::Duration::REF),
                    Field::plain("is_paused", bool::REF),
                ]
            },
        ),
    );
}

impl Persist for Timer {
    const NAME: &'static str = "bevy_time::Timer";
    const SCHEMA: Schema = Schema::plain::<Self>(
        Self::NAME,
        Shape::Struct(
            const {
                &[
                    Field::plain("stopwatch", Stopwatch::REF),
                    Field::plain("duration", std::time::Duration::REF),
                    Field::plain("mode", TimerMode::REF),
                    Field::plain("finished", bool::REF),
                    Field::plain("times_finished_this_tick", u32::REF),
                ]
            },
        ),
    );
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
        agrees(&Vec2::ONE);
        agrees(&Vec3::ONE);
        agrees(&Vec3A::ONE);
        agrees(&Vec4::ONE);
        agrees(&Quat::IDENTITY);
        agrees(&Mat2::IDENTITY);
        agrees(&Mat3::IDENTITY);
        agrees(&Mat3A::IDENTITY);
        agrees(&Mat4::IDENTITY);
        agrees(&Affine2::IDENTITY);
        agrees(&Affine3A::IDENTITY);
        agrees(&DVec2::ONE);
        agrees(&DVec3::ONE);
        agrees(&DVec4::ONE);
        agrees(&DQuat::IDENTITY);
        agrees(&DMat2::IDENTITY);
        agrees(&DMat3::IDENTITY);
        agrees(&DMat4::IDENTITY);
        agrees(&IVec2::splat(-700));
        agrees(&IVec3::splat(-700));
        agrees(&IVec4::splat(-700));
        agrees(&UVec2::splat(700));
        agrees(&UVec3::splat(700));
        agrees(&UVec4::splat(700));
        agrees(&I64Vec2::splat(i64::MIN));
        agrees(&I64Vec3::splat(i64::MIN));
        agrees(&I64Vec4::splat(i64::MIN));
        agrees(&U64Vec2::splat(u64::MAX));
        agrees(&U64Vec3::splat(u64::MAX));
        agrees(&U64Vec4::splat(u64::MAX));
        agrees(&Rect::new(0.0, 1.0, 2.0, 3.0));
        agrees(&URect::new(0, 1, 2, 3));
        agrees(&Rot2::IDENTITY);
        agrees(&Transform::from_xyz(1.0, 2.0, 3.0));
        agrees(&GlobalTransform::IDENTITY);
        for color in [
            Color::from(Srgba::RED),
            Color::from(LinearRgba::RED),
            Color::from(Hsla::from(Srgba::RED)),
            Color::from(Hsva::from(Srgba::RED)),
            Color::from(Hwba::from(Srgba::RED)),
            Color::from(Laba::from(Srgba::RED)),
            Color::from(Lcha::from(Srgba::RED)),
            Color::from(Oklaba::from(Srgba::RED)),
            Color::from(Oklcha::from(Srgba::RED)),
            Color::from(Xyza::from(Srgba::RED)),
        ] {
            agrees(&color);
        }
        agrees(&I8Vec4::splat(-7));
        agrees(&U8Vec3::splat(7));
        agrees(&I16Vec3::splat(-700));
        agrees(&U16Vec2::splat(700));
        agrees(&BVec4::new(true, false, true, false));
        agrees(&IRect::new(0, 1, 2, 3));
        agrees(&Dir2::Y);
        agrees(&Dir3::Y);
        agrees(&Dir3A::Y);
        agrees(&Dir4::Y);
        agrees(&Isometry2d::from_xy(1.0, 2.0));
        agrees(&Isometry3d::from_xyz(1.0, 2.0, 3.0));
        agrees(&Ray2d::new(Vec2::ONE, Dir2::X));
        agrees(&Ray3d::new(Vec3::ONE, Dir3::X));
        for quadrant in 0..4 {
            agrees(&CompassQuadrant::from_index(quadrant).unwrap());
        }
        for octant in 0..8 {
            agrees(&CompassOctant::from_index(octant).unwrap());
        }
        let entity = Entity::from_bits(1 << 32 | 77);
        agrees(&HashMap::from([(7u8, "seven".to_owned())]));
        agrees(&HashSet::from([700u16]));
        agrees(&EntityHashMap::from([(entity, 7u8)]));
        agrees(&EntityHashSet::from([entity]));
        agrees(&[(entity, 7u8)].into_iter().collect::<EntityIndexMap<u8>>());
        agrees(&[entity].into_iter().collect::<EntityIndexSet>());
        assert!(crate::Definition::of(EntityHashSet::REF).holds_entities());
        assert!(crate::Definition::of(EntityIndexMap::<u8>::REF).holds_entities());
        agrees(&Entity::from_bits(1 << 32 | 77));
        agrees(&Name::new("a name"));
        agrees(&ChildOf(Entity::from_bits(1 << 32 | 77)));
        let mut timer = Timer::from_seconds(0.3, TimerMode::Repeating);
        timer.tick(std::time::Duration::from_millis(700));
        agrees(&timer);
        agrees(&Stopwatch::new());
    }
}
