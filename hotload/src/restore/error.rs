//! Why values cannot be converted to the new form of their types.

use thiserror::Error;

use super::Dropped;
use crate::explain::{Explain, Explanation};
use crate::guard::Panic;
use crate::ids::ModuleId;

/// Why values cannot be converted.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub enum RestoreError {
    /// A persisted type is gone while the world still holds values of that type.
    Gone {
        /// The module.
        module: ModuleId,
        /// The type.
        type_name: String,
        /// The number of values.
        count: usize,
    },
    /// Values have fields or variants that are gone.
    Fields {
        /// The module.
        module: ModuleId,
        /// The type, its fields, and the number of values.
        lost: Dropped,
    },
    /// The types are unrelated.
    Types {
        /// The module.
        module: ModuleId,
        /// The type, its parts and the remedy.
        reason: String,
    },
    /// A value does not fit the new type.
    Value {
        /// The module.
        module: ModuleId,
        /// The value, the reason, and the remedy.
        reason: String,
    },
    /// Several entities have a value of a type that is now a single resource.
    Several {
        /// The module.
        module: ModuleId,
        /// The type.
        type_name: String,
        /// The number of values.
        count: usize,
    },
    /// A module's code panicked while values were converted.
    Panicked(#[from] Panic),
}

impl RestoreError {
    fn asks(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Fields { .. })
    }
}

/// All reasons why values cannot be converted: one or more.
#[derive(Debug, Error)]
#[error("{}", self.explain())]
pub struct RestoreErrors {
    first: RestoreError,
    others: Vec<RestoreError>,
}

impl RestoreErrors {
    /// These errors; `None` if there are none.
    pub(super) fn of(errors: Vec<RestoreError>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(Self { first, others: errors.collect() })
    }

    /// True if the edit only lacks permission to drop values.
    pub fn asks(&self) -> bool {
        self.first.asks() && self.others.iter().all(RestoreError::asks)
    }
}

impl Explain for RestoreError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Gone { module, type_name, count } => Explanation::new(
                "H0602",
                format!(
                    "module `{module}` no longer persists `{type_name}`, of which the world holds \
                     {count}"
                ),
            )
            .remedy(format!(
                "Keep the type, say `dropped: [\"{type_name}\"]` in `export_module!`, or drop the \
                 values with `reload {module} --force`"
            )),
            Self::Value { module, reason } => Explanation::new(
                "H0603",
                format!("values of module `{module}` cannot be carried over: {reason}"),
            ),
            Self::Fields { module, lost } => {
                Explanation::new("H0605", format!("module `{module}` would drop {lost}")).remedy(
                    format!(
                        "Keep it, name its successor with `#[persist(rename = \"…\")]`, say \
                         `#[persist(dropped(\"…\"))]` on the type, or drop it with \
                         `reload {module} --force`"
                    ),
                )
            }
            Self::Types { module, reason } => Explanation::new(
                "H0606",
                format!("module `{module}`: values cannot be carried over: {reason}"),
            ),
            Self::Several { module, type_name, count } => Explanation::new(
                "H0607",
                format!(
                    "module `{module}` makes a resource of the component `{type_name}`, of which \
                     the world holds {count}: there has to be one"
                ),
            )
            .remedy("Remove the others first, or keep the component"),
            Self::Panicked(panic) => Explanation::new(
                "H0609",
                format!("{panic}. Values that it converts cannot be carried over"),
            )
            .remedy("Fix that code and save"),
        }
    }
}

impl Explain for RestoreErrors {
    fn explain(&self) -> Explanation {
        let others = self.others.iter().map(Explain::explain).collect();
        Explanation { others, ..self.first.explain() }
    }
}
