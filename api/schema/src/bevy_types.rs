//! Schemas of Bevy's types, as serde and bincode encode them.

use std::mem::offset_of;

use bevy::color::{Color, Hsla, Hsva, Hwba, Laba, Lcha, LinearRgba, Oklaba, Oklcha, Srgba, Xyza};
use bevy::ecs::entity::Entity;
use bevy::ecs::hierarchy::ChildOf;
use bevy::ecs::name::Name;
use bevy::math::{
    Affine2, Affine3A, DMat2, DMat3, DMat4, DQuat, DVec2, DVec3, DVec4, I64Vec2, I64Vec3, I64Vec4,
    IVec2, IVec3, IVec4, Mat2, Mat3, Mat3A, Mat4, Quat, Rect, Rot2, U64Vec2, U64Vec3, U64Vec4,
    URect, UVec2, UVec3, UVec4, Vec2, Vec3, Vec3A, Vec4,
};
use bevy::time::{Stopwatch, Timer, TimerMode};
use bevy::transform::components::{GlobalTransform, Transform};

use super::schema::{Field, Persist, Schema, Shape, Variant};

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

impl Persist for GlobalTransform {
    const NAME: &'static str = "bevy_transform::GlobalTransform";
    const SCHEMA: Schema = Schema::plain::<Self>(
        Self::NAME,
        Shape::TupleStruct(const { &[Field::plain("0", Affine3A::REF)] }),
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

impl Persist for TimerMode {
    const NAME: &'static str = "bevy_time::TimerMode";
    const SCHEMA: Schema = Schema::plain::<Self>(
        Self::NAME,
        Shape::Enum {
            variants: const {
                &[
                    Variant { name: "Once", aliases: &[], shape: Shape::UnitStruct },
                    Variant { name: "Repeating", aliases: &[], shape: Shape::UnitStruct },
                ]
            },
            fallback: None,
        },
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
        agrees(&Entity::from_bits(1 << 32 | 77));
        agrees(&Name::new("a name"));
        agrees(&ChildOf(Entity::from_bits(1 << 32 | 77)));
        let mut timer = Timer::from_seconds(0.3, TimerMode::Repeating);
        timer.tick(std::time::Duration::from_millis(700));
        agrees(&timer);
        agrees(&Stopwatch::new());
    }
}
