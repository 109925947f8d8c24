//! Edits that touch no type: everything in the world stays, also what nobody persists.

use playground_tests::Scene;

use crate::EXTRA;

const SOURCE: &str = r#"//! A plugin with types that nobody persists.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! { kind: Plugins, requires: { core_scene: "^0.1" }, persist: [Extra], build: build }

const COLOR: f32 = 0.5;

#[derive(Resource, Debug, Default, Persist, Serialize, Deserialize)]
pub struct Extra {
    pub runs: u64,
}

#[derive(Component)]
struct Marker;

#[derive(Component, Default)]
struct Label(String);

#[derive(Resource, Default)]
struct Index(Vec<Entity>);

#[derive(Message)]
struct Noted(u32);

mod shades {
    pub fn dark(color: f32) -> f32 {
        color / 2.0
    }
}

fn build(module: &mut ModuleApp) {
    module
        .init_resource::<Extra>()
        .init_resource::<Index>()
        .add_message::<Noted>()
        .add_systems(Update, label)
        .add_console_command("mark", "spawns", mark)
        .add_console_command("report", "what is there", report);
}

fn mark(In(_): In<Vec<String>>, mut commands: Commands, mut index: ResMut<Index>) -> String {
    for _ in 0..3 {
        index.0.push(commands.spawn((Marker, Label::default())).id());
    }
    "marked".to_owned()
}

fn label(mut labels: Query<&mut Label, With<Marker>>) {
    for mut label in &mut labels {
        label.0 = shown(COLOR);
    }
}

fn shown(color: f32) -> String {
    format!("{:.2}", shades::dark(color))
}

fn report(In(_): In<Vec<String>>, labels: Query<(Entity, &Label), With<Marker>>, index: Res<Index>) -> String {
    let found = labels.iter().filter(|(entity, _)| index.0.contains(entity)).count();
    let labels: Vec<&str> = labels.iter().map(|(_, label)| label.0.as_str()).collect();
    format!("indexed={found} labels={}", labels.join(","))
}
"#;

/// Edits, one on top of the other, and what the plugin reports afterwards.
const EDITS: &[(&str, &[(&str, &str)], &str)] = &[
    ("a constant", &[("COLOR: f32 = 0.5", "COLOR: f32 = 0.8")], "0.40"),
    (
        "a new constant",
        &[
            ("const COLOR", "const WIDTH: f32 = 3.0;\nconst COLOR"),
            ("shown(COLOR)", "shown(WIDTH)"),
        ],
        "1.50",
    ),
    (
        "a new function",
        &[
            ("fn shown", "fn light(color: f32) -> f32 {\n    color * 2.0\n}\n\nfn shown"),
            ("shown(WIDTH)", "shown(light(WIDTH))"),
        ],
        "3.00",
    ),
    (
        "a signature",
        &[
            ("fn shown(color: f32)", "fn shown(color: f32, more: f32)"),
            ("dark(color)", "dark(color + more)"),
            ("shown(light(WIDTH))", "shown(light(WIDTH), 1.0)"),
        ],
        "3.50",
    ),
    (
        "a parameter of a system",
        &[
            ("With<Marker>>) {\n    for mut", "With<Marker>>, index: Res<Index>) {\n    for mut"),
            (", 1.0)", ", index.0.len() as f32)"),
        ],
        "4.50",
    ),
    (
        "a new system",
        &[
            (
                "fn mark",
                "fn shout(mut labels: Query<&mut Label>) {\n    labels.iter_mut().for_each(|mut label| label.0 += \"!\");\n}\n\nfn mark",
            ),
            ("(Update, label)", "(Update, (label, shout).chain())"),
        ],
        "4.50!",
    ),
    ("a run condition", &[(", shout).chain()", ", shout.run_if(|| false)).chain()")], "4.50"),
    (
        "a system that goes",
        &[
            ("(label, shout.run_if(|| false)).chain()", "label"),
            ("fn shout", "#[allow(dead_code)]\nfn shout"),
        ],
        "4.50",
    ),
    (
        "an import",
        &[
            ("use playground_api", "use std::f32::consts::PI;\n\nuse playground_api"),
            ("index.0.len() as f32", "PI"),
        ],
        "4.57",
    ),
    (
        "a module",
        &[
            ("mod shades {", "mod lights {\n    pub const ONE: f32 = 1.0;\n}\n\nmod shades {"),
            (", PI)", ", PI * lights::ONE - PI)"),
        ],
        "3.00",
    ),
    (
        "an inherent impl",
        &[
            (
                "#[derive(Component, Default)]",
                "impl Marker {\n    fn weight() -> f32 {\n        9.0\n    }\n}\n\n#[derive(Component, Default)]",
            ),
            ("PI * lights::ONE - PI", "Marker::weight()"),
        ],
        "7.50",
    ),
    (
        "an observer",
        &[
            (
                ".add_systems(Update, label)",
                ".add_systems(Update, label)\n        .add_observer(on_label)",
            ),
            ("fn mark", "fn on_label(_: On<Add, Label>) {}\n\nfn mark"),
        ],
        "7.50",
    ),
];

#[test]
fn edits_that_touch_no_type_keep_what_nobody_persists() {
    let mut scene = Scene::demo();
    scene.write(EXTRA, SOURCE);
    scene.wait_for("swapped", "plugins_extra");
    scene.console("mark");
    scene.frames(2);
    let report = scene.console("report");
    assert!(report.contains("indexed=3 labels=0.25,0.25,0.25"), "{report}");
    let drops = |scene: &Scene| {
        scene.log().iter().filter(|line| line.contains("went with the old form")).count()
    };
    let before = drops(&scene);
    for (name, replacements, label) in EDITS {
        scene.swap(EXTRA, replacements);
        scene.frames(2);
        let report = scene.console("report");
        let expected = format!("indexed=3 labels={label},{label},{label}");
        assert!(report.ends_with(&expected), "{name}: {report}, not {expected}\n{}", scene.story());
        assert_eq!(drops(&scene), before, "{name}: {}", scene.story());
    }
    // A field of one type touches them all.
    scene.swap(EXTRA, &[("struct Label(String)", "struct Label(String, u8)")]);
    scene.frames(2);
    let report = scene.console("report");
    assert!(report.contains("indexed=0 labels="), "{report}");
}
