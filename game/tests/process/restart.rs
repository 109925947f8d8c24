//! `restart` in the console: the game begins anew, in the same process.

use playground_tests::Copy;
use playground_tests::game::Game;

use crate::{DEMO, PROGRAM};

/// Set-up code whose entities are tied to nothing.
const SET_UP: &str = r#"
#[derive(Component)]
struct Sign(u32);

fn paint(signs: Query<&Sign>, mut commands: Commands) {
    commands.spawn(Sign(11 + 1000 * signs.iter().count() as u32));
}

fn signs(In(_): In<Vec<String>>, signs: Query<&Sign>) -> String {
    let mut all: Vec<u32> = signs.iter().map(|sign| sign.0).collect();
    all.sort();
    format!("signs {all:?}")
}

fn tally("#;

#[test]
fn set_up_code_runs_again_and_nothing_is_repeated() {
    for supervised in ["--supervise", "--no-supervise"] {
        let copy = Copy::of_fixtures();
        let adds = "    module\n        .add_systems(Startup, paint)\n\
                    \x20       .add_console_command(\"signs\", \"all signs\", signs)\n";
        copy.edit(DEMO, &[("    module\n", adds), ("\nfn tally(", SET_UP)]);
        let arguments = [supervised, "--exec", "snapshot save first"];
        let mut game = Game::start(PROGRAM, copy, &arguments);
        game.wait_for("snapshot `first`");
        assert!(game.ask("signs").contains("signs [11]"));
        let is_supervised = supervised == "--supervise";
        let before = is_supervised.then(|| game.child());

        game.copy.edit(DEMO, &[("Sign(11 ", "Sign(12 ")]);
        let hint = game.wait_for("`restart` begins the app anew");
        assert!(hint.contains("`apps_demo::paint` in Startup"), "{hint}");
        assert!(game.ask("signs").contains("signs [11]"));
        game.say("restart");
        game.wait_for("the game begins anew");
        game.wait_for("ready: apps_demo");
        assert!(game.ask("signs").contains("signs [12]"));
        // The app that runs, also where the command line says another one.
        game.say("app other");
        game.wait_for("apps_other runs");
        game.say("restart");
        game.wait_for("ready: apps_other");
        assert_eq!(is_supervised.then(|| game.child()), before, "another process");
        game.say("quit");
        assert!(game.ended().success());
        let saved = game.events("snapshot_saved");
        assert_eq!(saved.iter().filter(|it| it["reason"] == "first").count(), 1);
        assert_eq!(game.events("quarantined").len(), 0);
    }
}
