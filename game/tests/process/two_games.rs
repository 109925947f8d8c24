//! Two games in one checkout, both of which watch it.

use playground_tests::Copy;
use playground_tests::game::Game;

use crate::{PROGRAM, WALK};

#[test]
fn each_save_goes_live_in_both() {
    let first = Game::start(PROGRAM, Copy::of_fixtures(), &[]);
    let second = first.start_beside(PROGRAM, &[]);
    let mut games = [first, second];
    for game in &mut games {
        game.wait_for("ready: apps_demo");
    }
    for version in 2..8 {
        let (from, to) = (version - 1, version);
        let from = format!("tally.version = {from};");
        games[0].copy.edit(WALK, &[(&from, &format!("tally.version = {to};"))]);
        for game in &mut games {
            // The first one came before it was ready.
            let swaps = usize::try_from(version).expect("a small number");
            game.wait_for_swaps(swaps);
            assert_eq!(game.tally().get("version"), version, "{}", game.story());
        }
    }
    for game in &games {
        assert_eq!(game.events("swapped").len(), 7, "{}", game.story());
    }
}
