//! Edits of function bodies: each names one expression, and what it becomes is new each time.

use std::fs;
use std::path::{Path, PathBuf};

/// A place in a function's body.
pub struct Edit {
    /// The module that it is in.
    pub module: &'static str,
    /// The folder of the workspace that `modules/` is in.
    folder: &'static str,
    /// The file, beside `modules/`.
    file: &'static str,
    /// What stands there.
    from: &'static str,
    /// What stands there in its place, around a number.
    to: (&'static str, &'static str),
}

/// A system's body, in a module of two systems.
pub const SYSTEM: Edit = Edit {
    module: "systems_steering",
    folder: "",
    file: "modules/systems/steering/src/flock.rs",
    from: "distance_squared.sqrt().max(0.01)",
    to: ("distance_squared.sqrt().max(0.01", ")"),
};

/// A body in an app.
pub const APP: Edit = Edit {
    module: "apps_arena",
    folder: "",
    file: "modules/apps/arena/src/game.rs",
    from: "score.over_for_s += time.delta_secs()",
    to: ("score.over_for_s += time.delta_secs() * 1.0", ""),
};

/// A method in the core that everything else links to.
pub const CORE: Edit = Edit {
    module: "core_physics",
    folder: "",
    file: "modules/core/physics/src/body.rs",
    from: "Vec2::from_angle(angle)",
    to: ("Vec2::from_angle(angle * 1.0", ")"),
};

/// A system's body in the test modules.
pub const SMALL: Edit = Edit {
    module: "systems_walk",
    folder: "tests/fixtures",
    file: "modules/systems/walk/src/lib.rs",
    from: "tally.version = 1",
    to: ("tally.version = 1", ""),
};

impl Edit {
    /// The file's text with the edit of that number in it.
    pub fn text(&self, original: &str, number: u32) -> String {
        self.replaced(original, &format!("{}{:05}{}", self.to.0, number + 1, self.to.1))
    }

    /// The file's text with a body that does not compile.
    pub fn broken(&self, original: &str, number: u32) -> String {
        self.replaced(original, &format!("{{ let broken: () = {number}; {} }}", self.from))
    }

    /// The file as it is tracked.
    pub fn original(&self) -> String {
        read(&self.path(&playground_tests::workspace().join(self.folder)))
    }

    /// The file in a copy of the workspace.
    pub fn path(&self, root: &Path) -> PathBuf {
        root.join(self.file)
    }

    fn replaced(&self, original: &str, to: &str) -> String {
        assert_eq!(original.matches(self.from).count(), 1, "{} in {}", self.from, self.file);
        original.replace(self.from, to)
    }
}

/// A file's text.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
