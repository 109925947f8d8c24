//! The kinds of edits.

/// A kind of edit.
pub struct Kind {
    /// The name in the table.
    pub name: &'static str,
    /// The name among the figures.
    pub key: &'static str,
    /// The event that ends it, and its module.
    pub end: (&'static str, &'static str),
    /// Each a file, a text in it, and that in its place; `{n}` is a number of the edit's own.
    pub edits: &'static [(&'static str, &'static str, &'static str)],
    /// The edit that repairs it, if it is an error.
    pub repair: Option<&'static Self>,
}

impl Kind {
    const fn new(
        name: &'static str,
        key: &'static str,
        module: &'static str,
        edits: &'static [(&'static str, &'static str, &'static str)],
    ) -> Self {
        Self { name, key, end: ("swapped", module), edits, repair: None }
    }

    const fn error(self, module: &'static str, repair: &'static Self) -> Self {
        Self { end: ("build_failed", module), repair: Some(repair), ..self }
    }
}

const FLOCK: &str = "modules/systems/steering/src/flock.rs";
const SHAPE: &str = "modules/core/physics/src/shape.rs";
const WEAPON: &str = "modules/core/arena/src/weapon.rs";
const SPARKS: &str = "modules/plugins/sparks/src/spark.rs";
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
        &[(
            "modules/core/physics/src/grid.rs",
            "self.column_row(point - radius",
            "self.column_row(point - radius + 0.000{n}",
        )],
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
];

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
