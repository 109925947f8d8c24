//! Codes, headlines and remedies of the probe's errors.

use super::ProbeError;
use crate::explain::{Explain, Explanation};

impl Explain for ProbeError {
    fn explain(&self) -> Explanation {
        match self {
            Self::NoProbe { program, reason, remedy } => Explanation::new(
                "H0503",
                format!(
                    "new code cannot be tried, since no probe could be started from {}: {reason}",
                    program.display()
                ),
            )
            .remedy(*remedy),
            Self::Died { module, stage, how, said } => {
                Explanation::new("H0504", format!("`{module}` ended the probe {stage}: {how}"))
                    .details(said)
                    .remedy("The game did not load it. Fix it and save")
            }
            Self::Hangs { module, stage, limit_ms, said } => Explanation::new(
                "H0505",
                format!("`{module}` timed out after {limit_ms} ms {stage}"),
            )
            .details(said)
            .remedy("The game did not load it. Fix it and save: look for a loop there"),
            Self::Differs { module } => Explanation::new(
                "H0405",
                format!(
                    "the `build` of module `{module}` asks for other systems, types or commands than \
                     it did in the probe"
                ),
            )
            .remedy(
                "Record the same at every call, and decide with run conditions, not with files or \
                 the time",
            ),
            Self::Refused(explanation) => explanation.clone(),
            Self::Abandoned => Explanation::new(
                "H0506",
                "the trial was stopped, since the source changed again",
            )
            .remedy("The newer source is tried next"),
        }
    }
}
