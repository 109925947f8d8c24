//! Packs that cannot run.

use crate::host::happened::Happened;

/// The version of a pack that is installed again, and why.
pub fn went_back(happened: &Happened) -> String {
    let Happened::PackWentBack { failed, now, reason } = happened else { return String::new() };
    let what = format!("{failed} cannot run ({reason})");
    match now {
        Ok((version, true)) => format!("{what}: {version} is installed again"),
        Ok((_, false)) => {
            format!("{what}: it is switched off; `pack enable {}` tries again", failed.id)
        }
        Err(refusal) => format!("{what}, and stays installed:\n{refusal}"),
    }
}
