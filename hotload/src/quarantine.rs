//! Artifacts that crashed the game are not loaded again.

use thiserror::Error;

use crate::explain::{Explain, Explanation};
use crate::journal::Quarantined;

/// An artifact is in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.explain())]
pub struct QuarantineError(pub Quarantined);

impl Explain for QuarantineError {
    fn explain(&self) -> Explanation {
        let Quarantined { module, hash, reason, .. } = &self.0;
        Explanation::new(
            "H1001",
            format!("the newest `{module}` (artifact {}) is in quarantine: {reason}", hash.short()),
        )
        .remedy(format!("Fix it and save, or `quarantine clear` and `reload {module}`"))
    }
}
