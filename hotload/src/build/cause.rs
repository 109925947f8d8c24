//! Why a module was built: what differs between the inputs of two generations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::inputs::Inputs;
use super::sources::Stamps;
use crate::epoch::Identity;
use crate::ids::{Epoch, ModuleId};

/// A reason to build a module again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// These files of its own were written, added or removed; their paths are relative to the
    /// workspace.
    Files(Vec<PathBuf>),
    /// Types of a core got another identity, with all that is compiled against them.
    Types {
        /// The core.
        core: ModuleId,
        /// The types, with the identities before and after.
        types: Vec<ChangedType>,
    },
    /// All types of a core got another identity, since code or settings that they share changed.
    AllTypes {
        /// The core.
        core: ModuleId,
        /// The identity before.
        from: Epoch,
        /// The identity after.
        to: Epoch,
    },
    /// A part of a core that rustc reads while it compiles a dependent changed: a signature, a constant, a
    /// generic function, a macro.
    Interface(ModuleId),
    /// Only function bodies of a core changed, which are linked in.
    Bodies(ModuleId),
    /// Its manifest, the compiler's options or a library changed.
    Settings,
}

/// A type whose identity changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedType {
    /// The name.
    pub name: String,
    /// The identity before; `None` if the type is new.
    pub from: Option<Epoch>,
    /// The identity after; `None` if the type is gone.
    pub to: Option<Epoch>,
}

/// The differences between two inputs of a module, and those of the cores that it links to. Empty if
/// it was built again though nothing changed.
pub fn causes<'a>(
    workspace: &Path,
    (before, now): (&Inputs, &Inputs),
    cores: impl Iterator<Item = (&'a ModuleId, &'a Inputs, &'a Inputs)>,
) -> Vec<Cause> {
    let mut causes = Vec::new();
    let files = written(&before.stamps, &now.stamps);
    if !files.is_empty() {
        let relative = |path: &PathBuf| path.strip_prefix(workspace).unwrap_or(path).to_owned();
        causes.push(Cause::Files(files.into_iter().map(relative).collect()));
    }
    for (core, before, now) in cores {
        causes.extend(cause_in_core(core, before, now));
    }
    if causes.is_empty() && before.hash != now.hash {
        causes.push(Cause::Settings);
    }
    causes
}

fn written<'a>(before: &'a Stamps, now: &'a Stamps) -> BTreeSet<&'a PathBuf> {
    let differs = |(path, stamp): &(&PathBuf, _), other: &Stamps| other.get(*path) != Some(*stamp);
    let new = now.iter().filter(|it| differs(it, before));
    let gone = before.iter().filter(|it| differs(it, now));
    new.chain(gone).map(|(path, _)| path).collect()
}

fn cause_in_core(core: &ModuleId, before: &Inputs, now: &Inputs) -> Option<Cause> {
    let core = core.clone();
    let (old, new) = (&*before.identity, &*now.identity);
    if old.crate_epoch != new.crate_epoch {
        let (from, to) = (old.crate_epoch.clone(), new.crate_epoch.clone());
        return Some(Cause::AllTypes { core, from, to });
    }
    let types = changed_types(old, new);
    if !types.is_empty() {
        return Some(Cause::Types { core, types });
    }
    if before.interface != now.interface {
        return Some(Cause::Interface(core));
    }
    (before.hash != now.hash).then_some(Cause::Bodies(core))
}

fn changed_types(before: &Identity, now: &Identity) -> Vec<ChangedType> {
    let epochs = |identity: &Identity| -> BTreeMap<String, Epoch> {
        let types = identity.types.iter();
        types.map(|(name, own)| (name.clone(), own.epoch.clone())).collect()
    };
    let (before, now) = (epochs(before), epochs(now));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let changed = names.into_iter().filter_map(|name| {
        let (from, to) = (before.get(name).cloned(), now.get(name).cloned());
        (from != to).then(|| ChangedType { name: name.clone(), from, to })
    });
    changed.collect()
}

impl Cause {
    /// The cause without values, as a notice has it: the modules that share it have the same text.
    pub fn headline(&self) -> String {
        match self {
            Self::Files(files) if files.len() == 1 => format!("{} was written", files[0].display()),
            Self::Files(files) => format!("{} files were written", files.len()),
            Self::Types { core, types } if types.len() <= Self::MOST_NAMED => {
                let names: Vec<String> = types.iter().map(|it| format!("`{}`", it.name)).collect();
                format!("{} of {core} changed", names.join(", "))
            }
            Self::Types { core, types } => format!("{} types of {core} changed", types.len()),
            Self::AllTypes { core, .. } => format!("code that the types of {core} share changed"),
            Self::Interface(core) => format!("what other crates compile of {core} changed"),
            Self::Bodies(core) => format!("function bodies of {core} changed"),
            Self::Settings => {
                "its manifest, the compiler's options or a library changed".to_owned()
            }
        }
    }

    const MOST_NAMED: usize = 3;

    /// True if something in a core caused the module to be compiled, though it was not edited.
    pub fn is_in_core(&self) -> bool {
        match self {
            Self::Types { .. } | Self::AllTypes { .. } | Self::Interface(_) => true,
            Self::Files(_) | Self::Bodies(_) | Self::Settings => false,
        }
    }
}

impl fmt::Display for Cause {
    /// The headline, and a line for each file or value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        match self {
            Self::Files(files) if files.len() > 1 => {
                files.iter().try_for_each(|file| write!(f, "\n  {}", file.display()))
            }
            Self::Types { types, .. } => {
                types.iter().try_for_each(|ChangedType { name, from, to }| match (from, to) {
                    (Some(from), Some(to)) => write!(f, "\n  {name}: {from} → {to}"),
                    (None, Some(to)) => write!(f, "\n  {name}: new, {to}"),
                    (Some(from), None) => write!(f, "\n  {name}: {from}, gone"),
                    (None, None) => Ok(()),
                })
            }
            Self::AllTypes { from, to, .. } => write!(f, "\n  {from} → {to}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::epoch::OwnIdentity;
    use crate::ids::InputsHash;

    fn inputs(text: &str, crate_epoch: &str, types: &[(&str, &str)]) -> Inputs {
        let own = |(name, epoch): &(&str, &str)| {
            let own =
                OwnIdentity { epoch: Epoch::from((*epoch).to_owned()), module: String::new() };
            ((*name).to_owned(), own)
        };
        let hash = InputsHash::from(text.to_owned());
        Inputs {
            hash: hash.clone(),
            compiled: hash.clone(),
            // The first word of the text stands for it.
            interface: InputsHash::from(text.split(' ').next().unwrap_or_default().to_owned()),
            identity: Arc::new(Identity {
                epoch: Epoch::from(crate_epoch.to_owned()),
                crate_epoch: Epoch::from(crate_epoch.to_owned()),
                types: types.iter().map(own).collect(),
            }),
            cores: BTreeMap::new(),
            facts: Arc::default(),
            refused: None,
            known: None,
            failed: false,
            stamps: Arc::default(),
        }
    }

    fn of_core(before: &Inputs, now: &Inputs) -> Option<String> {
        cause_in_core(&"core_x".into(), before, now).map(|cause| cause.to_string())
    }

    #[test]
    fn a_cores_change_is_named_by_the_most_that_it_affects() {
        let before = inputs("a 1", "c1", &[("Shape", "s1"), ("Trail", "t1")]);
        let text = |now: Inputs| of_core(&before, &now);
        assert_eq!(text(inputs("a 1", "c1", &[("Shape", "s1"), ("Trail", "t1")])), None);
        assert_eq!(
            text(inputs("a 2", "c1", &[("Shape", "s1"), ("Trail", "t1")])).as_deref(),
            Some("function bodies of core_x changed")
        );
        assert_eq!(
            text(inputs("b 2", "c1", &[("Shape", "s1"), ("Trail", "t1")])).as_deref(),
            Some("what other crates compile of core_x changed")
        );
        assert_eq!(
            text(inputs("b 2", "c1", &[("Shape", "s2"), ("Wall", "w1")])).as_deref(),
            Some(
                "`Shape`, `Trail`, `Wall` of core_x changed\n  Shape: s1 → s2\n  Trail: t1, gone\n  \
                 Wall: new, w1"
            )
        );
        assert_eq!(
            text(inputs("b 2", "c2", &[("Shape", "s2"), ("Trail", "t1")])).as_deref(),
            Some("code that the types of core_x share changed\n  c1 → c2")
        );
    }

    #[test]
    fn a_modules_own_files_come_first_and_settings_are_what_is_left() {
        let stamped = |text: &str, files: &[(&str, bool)]| {
            let stamp = |(path, there): &(&str, bool)| {
                let stamp = there.then(|| crate::build::Stamp::of(Path::new("/"))).flatten();
                (PathBuf::from(path), stamp)
            };
            Inputs {
                stamps: Arc::new(files.iter().map(stamp).collect()),
                ..inputs(text, "c1", &[])
            }
        };
        let core = ModuleId::from("core_x");
        let (core_before, core_now) = (inputs("a 1", "c1", &[]), inputs("a 2", "c1", &[]));
        let of = |before: &Inputs, now: &Inputs, core_now: &Inputs| {
            let cores = [(&core, &core_before, core_now)].into_iter();
            let causes = causes(Path::new("/w"), (before, now), cores);
            causes.iter().map(Cause::headline).collect::<Vec<_>>()
        };
        let before = stamped("x", &[("/w/a.rs", true), ("/w/b.rs", true)]);
        let same = || stamped("y", &[("/w/a.rs", true), ("/w/b.rs", true)]);
        assert_eq!(of(&before, &before.clone(), &core_before), Vec::<String>::new());
        assert_eq!(
            of(&before, &same(), &core_before),
            ["its manifest, the compiler's options or a library changed"]
        );
        assert_eq!(of(&before, &same(), &core_now), ["function bodies of core_x changed"]);
        let other = stamped("y", &[("/w/a.rs", false), ("/w/b.rs", true)]);
        assert_eq!(
            of(&before, &other, &core_now),
            ["a.rs was written", "function bodies of core_x changed"]
        );
        let more = stamped("y", &[("/w/a.rs", true), ("/w/c.rs", true)]);
        assert_eq!(of(&before, &more, &core_before), ["2 files were written"]);
    }
}
