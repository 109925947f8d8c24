//! Packs that cannot run.

use crate::packs::WentBack;

/// The version of a pack that is installed again, and why.
pub fn went_back(WentBack { failed, now, reason }: &WentBack) -> String {
    let what = format!("{failed} cannot run ({reason})");
    match now {
        Ok((version, true)) => format!("{what}: {version} is installed again"),
        Ok((_, false)) => {
            format!("{what}: it is switched off; `pack enable {}` tries again", failed.id)
        }
        Err(refusal) => format!("{what}, and stays installed:\n{refusal}"),
    }
}
