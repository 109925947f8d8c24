//! Errors of the pipeline itself.

use thiserror::Error;

use crate::explain::{Explain, Explanation};

/// Why an attempt cannot continue.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.explain())]
pub enum PipelineError {
    /// A defect of the pipeline.
    Panicked,
}

impl Explain for PipelineError {
    fn explain(&self) -> Explanation {
        match self {
            Self::Panicked => Explanation::new(
                "H0406",
                "an attempt to build and check modules panicked; the panic is on the terminal",
            )
            .remedy("What runs goes on. Save again or `reload` the module, and report the panic"),
        }
    }
}
