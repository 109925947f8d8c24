//! The changes that a swap would make, as shown in the log and on the modules page.

use std::fmt;

/// The plan of one module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModulePlan {
    /// The module.
    pub module: String,
    /// The module's types and systems, the most severe change first.
    pub items: Vec<Item>,
    /// The other modules of the same swap.
    pub along: Vec<String>,
}

/// One system or type of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// How the swap changes it.
    pub fate: ItemFate,
    /// Its name.
    pub name: String,
    /// The number of values of the type in the world.
    pub values: Option<usize>,
    /// How the type's fields and variants change.
    pub details: Vec<Detail>,
}

/// How a field or variant of a type changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The field or variant and what happens to it.
    pub text: String,
    /// How severe it is.
    pub weight: Weight,
}

/// How severe a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing is lost.
    Fine,
    /// Values are new, or each value is checked when it is converted.
    Notable,
    /// Values are dropped, as the module's author declared.
    Declared,
    /// Values are dropped.
    Lost,
    /// Values cannot be converted.
    Impossible,
}

/// How a system or type changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ItemFate {
    /// The type keeps its storage.
    #[default]
    TypeKept,
    /// The type's values are moved to the new type unchanged.
    TypeUnchanged,
    /// The type's values are converted.
    TypeMigrated,
    /// The type is new.
    TypeNew,
    /// The type's values are dropped, as the module's author declared.
    TypeGivenUp,
    /// The type's values are dropped.
    TypeDropped,
    /// The type is not persisted, and its crate gets a new epoch.
    NotPersisted,
    /// The system is new.
    SystemAdded,
    /// The system is removed.
    SystemRemoved,
    /// The system gets new code and keeps its change ticks.
    SystemReplaced,
}

impl ItemFate {
    /// The text in a plan.
    pub fn label(self) -> &'static str {
        match self {
            Self::TypeKept => "type kept",
            Self::TypeUnchanged => "type unchanged",
            Self::TypeMigrated => "type migrated",
            Self::TypeNew => "type new",
            Self::TypeGivenUp => "type given up",
            Self::TypeDropped => "type dropped",
            Self::NotPersisted => "not persisted",
            Self::SystemAdded => "system added",
            Self::SystemRemoved => "system removed",
            Self::SystemReplaced => "system replaced",
        }
    }

    /// How severe it is.
    pub fn weight(self) -> Weight {
        match self {
            Self::TypeKept | Self::TypeUnchanged | Self::SystemReplaced => Weight::Fine,
            Self::TypeMigrated | Self::TypeNew | Self::SystemAdded => Weight::Notable,
            Self::SystemRemoved | Self::TypeGivenUp => Weight::Declared,
            Self::TypeDropped | Self::NotPersisted => Weight::Lost,
        }
    }
}

impl Item {
    /// True if values are dropped without a declaration.
    pub fn drops_values(&self) -> bool {
        let has_values = self.values.unwrap_or_default() > 0;
        let is_lossy = self.details.iter().any(|detail| detail.weight == Weight::Lost);
        has_values && (self.fate == ItemFate::TypeDropped || is_lossy)
    }

    /// E.g. `1 value`; empty if values are not counted.
    pub fn counted(&self) -> String {
        match self.values {
            None => String::new(),
            Some(0) => "no values".to_owned(),
            Some(1) => "1 value".to_owned(),
            Some(count) => format!("{count} values"),
        }
    }
}

impl ModulePlan {
    /// Puts the most severe changes first.
    pub fn sort(&mut self) {
        let weight = |item: &Item| {
            let details = item.details.iter().map(|detail| detail.weight).max();
            details.max(Some(item.fate.weight()))
        };
        self.items.sort_by_key(|item| std::cmp::Reverse(weight(item)));
    }

    /// True if the swap is possible once the user confirms that values are dropped.
    pub fn needs_confirmation(&self) -> bool {
        let mut details = self.items.iter().flat_map(|item| &item.details);
        let is_impossible = details.any(|detail| detail.weight == Weight::Impossible);
        !is_impossible && self.items.iter().any(Item::drops_values)
    }

    /// True if no type or system is added, removed or converted.
    pub fn changes_only_code(&self) -> bool {
        let is_kept = |item: &Item| item.fate.weight() == Weight::Fine;
        self.items.iter().all(is_kept)
    }
}

impl fmt::Display for ModulePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.module)?;
        if self.items.is_empty() {
            f.write_str("\n  nothing changes")?;
        }
        for item in &self.items {
            write!(f, "\n  {:<16} {}", item.fate.label(), item.name)?;
            if item.values.is_some() {
                write!(f, ", {}", item.counted())?;
            }
            item.details.iter().try_for_each(|detail| write!(f, "\n{:23}{}", "", detail.text))?;
        }
        if !self.along.is_empty() {
            write!(f, "\n  swaps together with {}", self.along.join(", "))?;
        }
        Ok(())
    }
}
