//! Compares the time of a conversion with encoding and decoding by serde. Prints, asserts nothing.
//! `cargo run --release -p playground_schema --example speed`

use std::hint::black_box;
use std::time::Instant;

use playground_derive::Persist;
use playground_schema::{Definition, Options, Persist, Resolution};
use serde::{Deserialize, Serialize};

mod old {
    use super::*;

    #[derive(Serialize, Deserialize, Persist, Clone)]
    #[persist(crate = playground_schema)]
    pub struct Body {
        pub speed: f32,
        pub heading: f32,
        pub hits: u32,
    }

    #[derive(Serialize, Deserialize, Persist, Clone)]
    #[persist(crate = playground_schema)]
    pub struct Fighter {
        pub name: String,
        pub body: Body,
        pub path: Vec<(f32, f32)>,
        pub target: Option<u64>,
    }
}

mod new {
    use super::*;

    #[derive(Serialize, Deserialize, Persist, Clone)]
    #[persist(crate = playground_schema)]
    pub struct Body {
        pub speed: f32,
        pub heading: f32,
        pub hits: u32,
        pub mass: f32,
    }

    #[derive(Serialize, Deserialize, Persist, Clone)]
    #[persist(crate = playground_schema)]
    pub struct Wide {
        pub speed: f64,
        pub heading: f32,
        pub hits: u64,
    }

    #[derive(Serialize, Deserialize, Persist, Clone)]
    #[persist(crate = playground_schema)]
    pub struct Reordered {
        pub hits: u32,
        pub speed: f32,
        pub heading: f32,
    }

    #[derive(Serialize, Deserialize, Persist, Clone)]
    #[persist(crate = playground_schema)]
    pub struct Fighter {
        pub name: String,
        pub body: Body,
        pub path: Vec<(f32, f32)>,
        pub target: Option<u64>,
    }
}

const COUNT: usize = 1_000_000;
const ROUNDS: usize = 5;

fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e9 / COUNT as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

fn compare<Old, New>(what: &str, value: impl Fn(usize) -> Old)
where
    Old: Persist + Serialize + for<'de> Deserialize<'de>,
    New: Persist,
{
    let config = bincode::config::standard();
    let values: Vec<Old> = (0..COUNT).map(value).collect();
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for value in &values {
        bincode::serde::encode_into_std_write(value, &mut bytes, config).unwrap();
        ends.push(bytes.len());
    }
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let encode = best(|| {
        out.clear();
        for value in &values {
            bincode::serde::encode_into_std_write(value, &mut out, config).unwrap();
        }
        black_box(&out);
    });
    let decode = best(|| {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (value, read) = bincode::serde::decode_from_slice::<Old, _>(rest, config).unwrap();
            black_box(value);
            rest = &rest[read..];
        }
    });
    let copy = best(|| {
        out.clear();
        let mut start = 0;
        for end in &ends {
            out.extend_from_slice(&bytes[start..*end]);
            start = *end;
        }
        black_box(&out);
    });
    let options = Options::default();
    let mut resolution = Resolution::new(&Definition::of(Old::REF), New::REF, options).unwrap();
    let convert = best(|| {
        out.clear();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            resolution.convert(&mut rest, &mut out, &mut |entity| Ok(entity)).unwrap();
        }
        black_box(&out);
    });
    let many = best(|| {
        out.clear();
        let mut rest = bytes.as_slice();
        resolution.convert_many(COUNT, &mut rest, &mut out, &mut |entity| Ok(entity)).unwrap();
        black_box(&out);
    });
    println!(
        "{what:<28} convert {convert:6.1} ns/value, many {many:6.1}; bincode encode {encode:6.1} + decode \
         {decode:6.1}; copy {copy:5.1}; convert is {:.2} of encode + decode, many {:.2}",
        convert / (encode + decode),
        many / (encode + decode)
    );
}

fn main() {
    let body = |i: usize| old::Body { speed: i as f32, heading: 0.5, hits: i as u32 };
    compare::<old::Body, old::Body>("3 fields, the same", body);
    compare::<old::Body, new::Body>("3 fields, one added", body);
    compare::<old::Body, new::Wide>("3 fields, two widened", body);
    compare::<old::Body, new::Reordered>("3 fields, reordered", body);
    compare::<old::Fighter, new::Fighter>("text, list, nested, option", |i| old::Fighter {
        name: format!("fighter {i}"),
        body: body(i),
        path: vec![(1.0, 2.0); i % 8],
        target: (i % 2 == 0).then_some(i as u64),
    });
}
