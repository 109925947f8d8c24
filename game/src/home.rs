//! Where the game's modules, saves and packs are.

use std::env;
use std::path::PathBuf;

use playground_hotload::dist::MODULES;
use playground_pack::manifest::MANIFEST;

/// The folders of a game: in the workspace that it is built in, or where it was installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// The modules of a game that was released; `None` in the workspace.
    pub modules: Option<PathBuf>,
    /// The folder for what the game writes; the workspace's if `None`.
    pub data: Option<PathBuf>,
}

impl Home {
    /// Finds out whether this program was released: its modules are beside it then. `data` is the
    /// folder for what it writes, if that was given.
    pub fn find(data: Option<PathBuf>) -> Self {
        let own = env::current_exe().ok();
        let beside = own.and_then(|own| Some(own.parent()?.join(MODULES)));
        let modules = beside.filter(|folder| folder.join(MANIFEST).is_file());
        let data = data.or_else(|| modules.as_ref().and_then(|_| user_data()));
        Self { modules, data }
    }

    /// The folder of snapshots, if it is not the workspace's.
    pub fn saves(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|data| data.join("saves"))
    }

    /// The folder of installed packs, if it is not the workspace's.
    pub fn packs(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|data| data.join("packs"))
    }
}

/// The game's folder among the user's data, by the rules of freedesktop.org.
fn user_data() -> Option<PathBuf> {
    let of = |name: &str| {
        let path = PathBuf::from(env::var_os(name)?);
        // Relative paths are to be ignored.
        path.is_absolute().then_some(path)
    };
    let data = of("XDG_DATA_HOME").or_else(|| Some(of("HOME")?.join(".local/share")));
    // Without a home there is still a place for this run.
    let data = data.unwrap_or_else(env::temp_dir);
    Some(data.join("playground"))
}
