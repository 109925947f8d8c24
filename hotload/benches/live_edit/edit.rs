//! Edits of function bodies: each replaces one expression with a different one each time.

use std::fs;
use std::path::{Path, PathBuf};

/// An edit of an expression in a function's body.
pub struct Edit {
    /// The edited module.
    pub module: &'static str,
    /// The folder that contains `modules/`.
    folder: &'static str,
    /// The file, relative to `modules/`'s parent.
    pub file: &'static str,
    /// The original expression.
    from: &'static str,
    /// The replacement, as the texts before and after a number.
    to: (&'static str, &'static str),
}

/// In a system of a module with two systems.
pub const SYSTEM: Edit = Edit {
    module: "systems_steering",
    folder: "",
    file: "modules/systems/steering/src/flock.rs",
    from: "distance_squared.sqrt().max(0.01)",
    to: ("distance_squared.sqrt().max(0.01", ")"),
};

/// In an app.
pub const APP: Edit = Edit {
    module: "apps_arena",
    folder: "",
    file: "modules/apps/arena/src/game.rs",
    from: "score.over_for_s += time.delta_secs()",
    to: ("score.over_for_s += time.delta_secs() * 1.0", ""),
};

/// In a method of the core that all other modules depend on.
pub const CORE: Edit = Edit {
    module: "core_physics",
    folder: "",
    file: "modules/core/physics/src/body.rs",
    from: "Vec2::from_angle(angle)",
    to: ("Vec2::from_angle(angle * 1.0", ")"),
};

/// In a system of the test modules.
pub const SMALL: Edit = Edit {
    module: "systems_walk",
    folder: "tests/fixtures",
    file: "modules/systems/walk/src/lib.rs",
    from: "tally.version = 1",
    to: ("tally.version = 1", ""),
};

impl Edit {
    /// The file's text with the edit of this number.
    pub fn text(&self, original: &str, number: u32) -> String {
        self.replaced(original, &format!("{}{:05}{}", self.to.0, number + 1, self.to.1))
    }

    /// The file's text with a body that does not compile.
    pub fn broken(&self, original: &str, number: u32) -> String {
        self.replaced(original, &format!("{{ let broken: () = {number}; {} }}", self.from))
    }

    /// The original file in the workspace.
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
