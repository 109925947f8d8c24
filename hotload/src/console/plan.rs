//! What a swap of modules would change, as a person reads it: in the log and on the modules page.

use std::fmt;

/// The plan of one module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModulePlan {
    /// The module.
    pub module: String,
    /// What changes and what stays, types first.
    pub items: Vec<Item>,
    /// Modules that swap together with it.
    pub along: Vec<String>,
}

/// One system or type of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What becomes of it.
    pub fate: ItemFate,
    /// Its name.
    pub name: String,
    /// How many values of the type the world holds.
    pub values: Option<usize>,
    /// What becomes of the type's parts.
    pub details: Vec<Detail>,
}

/// What becomes of a part of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The part and what becomes of it.
    pub text: String,
    /// How much it matters.
    pub weight: Weight,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing is lost.
    Fine,
    /// Values are new, or are checked one by one.
    Worth,
    /// Values go, as the author said.
    Declared,
    /// Values go.
    Lost,
    /// Values cannot be carried over.
    Impossible,
}

/// What becomes of a system or type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ItemFate {
    /// The type's storage stays as it is.
    #[default]
    TypeKept,
    /// The type's values are carried over as they are.
    TypeUnchanged,
    /// The type's values are carried over into another form.
    TypeMigrated,
    /// The type is new.
    TypeNew,
    /// The type's values go, as its author said.
    TypeGivenUp,
    /// The type's values go.
    TypeDropped,
    /// Nobody persists the type, and its crate gets other types.
    NotPersisted,
    /// The system is new.
    SystemAdded,
    /// The system leaves.
    SystemRemoved,
    /// The system gets new code.
    SystemGoesOn,
}

impl ItemFate {
    /// The words for it.
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
            Self::SystemGoesOn => "system goes on",
        }
    }

    /// How much it matters.
    pub fn weight(self) -> Weight {
        match self {
            Self::TypeKept | Self::TypeUnchanged | Self::SystemGoesOn => Weight::Fine,
            Self::TypeMigrated | Self::TypeNew | Self::SystemAdded => Weight::Worth,
            Self::SystemRemoved | Self::TypeGivenUp => Weight::Declared,
            Self::TypeDropped | Self::NotPersisted => Weight::Lost,
        }
    }
}

impl Item {
    /// True if the world loses values that nobody has given up.
    pub fn asks(&self) -> bool {
        let has_values = self.values.unwrap_or_default() > 0;
        let loses = self.details.iter().any(|detail| detail.weight == Weight::Lost);
        has_values && (self.fate == ItemFate::TypeDropped || loses)
    }

    /// `1 value`.
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
    /// What matters most first.
    pub fn sort(&mut self) {
        let weight = |item: &Item| {
            let details = item.details.iter().map(|detail| detail.weight).max();
            details.max(Some(item.fate.weight()))
        };
        self.items.sort_by_key(|item| std::cmp::Reverse(weight(item)));
    }

    /// True if a yes is all that is missing for the swap.
    pub fn asks(&self) -> bool {
        let mut details = self.items.iter().flat_map(|item| &item.details);
        let is_impossible = details.any(|detail| detail.weight == Weight::Impossible);
        !is_impossible && self.items.iter().any(Item::asks)
    }

    /// True if all types and systems stay.
    pub fn changes_only_code(&self) -> bool {
        let stays = |item: &Item| item.fate.weight() == Weight::Fine;
        self.items.iter().all(stays)
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
