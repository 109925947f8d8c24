//! Updates the score.

use core_arena::{Died, Score};
use playground_api::prelude::*;

use crate::tuning::CombatTuning;

/// Counts points and kills; kills in quick succession multiply their points.
pub fn count(
    time: Res<Time>,
    tuning: Res<CombatTuning>,
    mut died: MessageReader<Died>,
    mut score: ResMut<Score>,
) {
    score.combo_left_s = (score.combo_left_s - time.delta_secs()).max(0.0);
    if score.combo_left_s == 0.0 {
        score.combo = 1;
    }
    for death in died.read() {
        let Some(kind) = death.enemy else { continue };
        score.points += tuning.enemy(kind).points * score.combo;
        score.kills += 1;
        score.best = score.best.max(score.points);
        score.combo = (score.combo + 1).min(tuning.max_combo);
        score.combo_left_s = tuning.combo_s;
    }
}
