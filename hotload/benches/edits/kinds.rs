//! The kinds of edits.

use playground_tests::bench::PLUGIN_MANIFEST;

/// A kind of edit.
pub struct Kind {
    /// The name in the table.
    pub name: &'static str,
    /// The name among the figures.
    pub key: &'static str,
    /// The event that ends it, and its module.
    pub end: (&'static str, &'static str),
    pub change: Change,
    /// The edit that follows each time: a repair, or one that takes it back.
    pub then: Option<&'static Self>,
}

/// The change.
pub enum Change {
    /// Each a file, a text in it, and that in its place; `{n}` is a number of the edit's own.
    Edit(&'static [(&'static str, &'static str, &'static str)]),
    /// New files, each with its content.
    Add(&'static [(&'static str, &'static str)]),
    /// A folder that is removed.
    Remove(&'static str),
    /// A line in the console, which cargo has no part in.
    Command(&'static str),
}

impl Kind {
    const fn new(
        name: &'static str,
        key: &'static str,
        module: &'static str,
        edits: &'static [(&'static str, &'static str, &'static str)],
    ) -> Self {
        Self { name, key, end: ("swapped", module), change: Change::Edit(edits), then: None }
    }

    const fn error(self, module: &'static str, repair: &'static Self) -> Self {
        Self { end: ("build_failed", module), then: Some(repair), ..self }
    }

    const fn then(self, next: &'static Self) -> Self {
        Self { then: Some(next), ..self }
    }

    const fn command(
        name: &'static str,
        key: &'static str,
        end: (&'static str, &'static str),
        line: &'static str,
    ) -> Self {
        Self { name, key, end, change: Change::Command(line), then: None }
    }

    /// True if cargo refuses it.
    pub fn is_error(&self) -> bool {
        self.end.0 == "build_failed"
    }
}

const FLOCK: &str = "modules/systems/steering/src/flock.rs";
const SHAPE: &str = "modules/core/physics/src/shape.rs";
const WEAPON: &str = "modules/core/arena/src/weapon.rs";
const SPARKS: &str = "modules/plugins/sparks/src/spark.rs";
const SPARKS_ROOT: &str = "modules/plugins/sparks/src/lib.rs";
const STEERING: &str = "modules/systems/steering/Cargo.toml";
const GRID: &str = "modules/core/physics/src/grid.rs";
const DEMO: &str = "modules/apps/demo/src/lib.rs";

/// In the modules of the arena.
pub const ARENA: &[Kind] = &[
    Kind::new(
        "leaf: a body",
        "leaf_body",
        "systems_steering",
        &[(FLOCK, "distance_squared.sqrt().max(0.01", "distance_squared.sqrt().max(0.01{n}")],
    ),
    Kind::new(
        "leaf: a field of its own type",
        "leaf_field",
        "plugins_sparks",
        &[(SPARKS, "    thrown: u32,\n", "    thrown: u32,\n    pub more_{n}: u32,\n")],
    ),
    Kind::new(
        "core with dependents: a body",
        "core_body",
        "core_physics",
        &[(
            "modules/core/physics/src/body.rs",
            "Vec2::from_angle(angle",
            "Vec2::from_angle(angle + 0.000{n}",
        )],
    ),
    Kind::new(
        "core with dependents: a generic body",
        "core_generic",
        "core_physics",
        &[(GRID, "self.column_row(point - radius", "self.column_row(point - radius + 0.000{n}")],
    ),
    Kind::new(
        "core with dependents: a constant",
        "core_constant",
        "core_physics",
        &[(GRID, "SMALLEST_CELL: f32 = 1.0", "SMALLEST_CELL: f32 = 1.0{n}")],
    ),
    Kind::new(
        "core with dependents: a field",
        "core_field",
        "core_physics",
        &[
            (SHAPE, "    pub flash: f32,\n", "    pub flash: f32,\n    pub glow_{n}: f32,\n"),
            (SHAPE, "flash: 0.0", "flash: 0.0, glow_{n}: 0.0"),
        ],
    ),
    Kind::new(
        "an error",
        "error",
        "systems_steering",
        &[(FLOCK, "distance_squared.sqrt().max(", "distance_squared.sqrt().max(broken_{n} + ")],
    )
    .error("systems_steering", &REPAIRED_ERROR),
    Kind::new(
        "a field that dependents lack",
        "error_in_dependent",
        "apps_arena",
        &[(
            WEAPON,
            "    pub bullet_speed: f32,\n",
            "    pub bullet_speed: f32,\n    pub shots_{n}: u32,\n",
        )],
    )
    .error("apps_arena", &REPAIRED_FIELD),
    Kind::new(
        "what a module requires",
        "requires",
        "plugins_sparks",
        &[(SPARKS_ROOT, "core_canvas: \"^0.1\" }", "core_canvas: \"^0.1.0\" }")],
    )
    .then(&Kind::new(
        "… as before",
        "requires_back",
        "plugins_sparks",
        &[(SPARKS_ROOT, "core_canvas: \"^0.1.0\" }", "core_canvas: \"^0.1\" }")],
    )),
    Kind::new(
        "a dependency, in the lock file already",
        "dependency",
        "systems_steering",
        &[(STEERING, "serde.workspace = true\n", "serde.workspace = true\nsmallvec = \"1\"\n")],
    )
    .then(&Kind::new(
        "… removed",
        "dependency_removed",
        "systems_steering",
        &[(STEERING, "serde.workspace = true\nsmallvec = \"1\"\n", "serde.workspace = true\n")],
    )),
    Kind {
        name: "a new module folder",
        key: "folder",
        end: ("swapped", "plugins_extra"),
        change: Change::Add(&[
            ("modules/plugins/extra/Cargo.toml", PLUGIN_MANIFEST),
            ("modules/plugins/extra/src/lib.rs", EXTRA),
        ]),
        then: Some(&Kind {
            name: "… removed",
            key: "folder_removed",
            end: ("disabled", "plugins_extra"),
            change: Change::Remove("modules/plugins/extra"),
            then: None,
        }),
    },
    Kind::command("a module off", "disable", ("disabled", "plugins_hud"), "disable plugins_hud")
        .then(&Kind::command("… on", "enable", ("enabled", "plugins_hud"), "enable plugins_hud")),
    Kind::command("another app", "app", ("app_changed", "apps_boids"), "app boids").then(
        &Kind::command("… the first one", "app_back", ("app_changed", "apps_arena"), "app arena"),
    ),
];

const EXTRA: &str = "//! A new module.
#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! { kind: Plugins, requires: {}, persist: [], build: build }

fn build(_module: &mut ModuleApp) {}
";

const REPAIRED_ERROR: Kind = Kind::new(
    "… its repair",
    "repair",
    "systems_steering",
    &[(FLOCK, "max(broken_{n} + ", "max(0.0 + ")],
);

const REPAIRED_FIELD: Kind = Kind::new(
    "… which get it",
    "repair_in_dependent",
    // The first of the two.
    "systems_combat",
    &[
        ("modules/systems/combat/src/enemies.rs", "(Weapon {", "(Weapon { shots_{n}: 0,"),
        ("modules/apps/arena/src/ship.rs", "        Weapon {", "        Weapon { shots_{n}: 0,"),
    ],
);

/// In a small game, all in one module.
pub const BREAKOUT: &[Kind] = &[
    Kind::new(
        "breakout: a body",
        "breakout_body",
        "apps_demo",
        &[(DEMO, "depth.min_element() <= 0.0", "depth.min_element() <= 0.0{n}")],
    ),
    Kind::new(
        "breakout: a constant",
        "breakout_constant",
        "apps_demo",
        &[(DEMO, "PADDLE_SPEED: f32 = 300.0", "PADDLE_SPEED: f32 = 300.0{n}")],
    ),
    Kind::new(
        "breakout: a field",
        "breakout_field",
        "apps_demo",
        &[(DEMO, "    luck: u32,\n", "    luck: u32,\n    pub more_{n}: u32,\n")],
    ),
    Kind::new(
        "breakout: a system",
        "breakout_system",
        "apps_demo",
        &[
            (
                DEMO,
                "fn steer(\n",
                "fn added_{n}(mut pace: ResMut<Pace>) {\n    pace.speed += 0.0;\n}\n\nfn steer(\n",
            ),
            (
                DEMO,
                "fn build(module: &mut ModuleApp) {\n",
                "fn build(module: &mut ModuleApp) {\n    module.add_systems(Update, added_{n});\n",
            ),
        ],
    ),
];

/// In a menu, all in one module.
pub const MENU: &[Kind] = &[
    Kind::new(
        "menu: a body",
        "menu_body",
        "apps_demo",
        &[(DEMO, "let size = 40.0", "let size = 40.0{n}")],
    ),
    Kind::new(
        "menu: a constant",
        "menu_constant",
        "apps_demo",
        &[(DEMO, "SPLASH_SECONDS: f32 = 0.25", "SPLASH_SECONDS: f32 = 0.25{n}")],
    ),
];
