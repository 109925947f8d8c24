//! Set-up code: what runs again, and what the user is told where it does not.

use playground_tests::{Copy, Scene};

use crate::DEMO;

/// Entities of set-up code, tied in each way.
const SET_UP: &str = r#"
const COLOR: u32 = 1;

/// Who spawned it, and the code's number then.
#[derive(Component)]
struct Sign(&'static str, u32);

/// The screens of this app.
#[derive(States, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Screen {
    #[default]
    Title,
    Play,
}

fn painted() -> u32 {
    COLOR * 10
}

fn loose(mut commands: Commands) {
    commands.spawn(Sign("loose", painted()));
}

fn lasting(mut commands: Commands) {
    commands.spawn(Sign("lasting", 1));
}

fn title(mut commands: Commands) {
    commands.spawn((Sign("title", 100), DespawnOnExit(Screen::Title), despawn_on_reload!()));
}

fn play(mut commands: Commands) {
    commands.spawn((Sign("play", 200), DespawnOnExit(Screen::Play), despawn_on_unload!()));
}

fn never(mut commands: Commands) {
    commands.spawn(Sign("never", 300));
}

fn other() -> u32 {
    7
}

fn signs(In(words): In<Vec<String>>, signs: Query<&Sign>, mut next: ResMut<NextState<Screen>>) -> String {
    if words.first().is_some_and(|word| word == "play") {
        next.set(Screen::Play);
    }
    let mut all: Vec<String> = signs.iter().map(|sign| format!("{}={}", sign.0, sign.1)).collect();
    all.sort();
    format!("{} other={}", all.join(" "), other())
}

fn tally("#;

/// The app with this set-up code from its start on.
fn scene(replacements: &[(&str, &str)]) -> Scene {
    let copy = Copy::of_fixtures();
    let adds = "    module\n        .init_state::<Screen>()\n\
                \x20       .add_systems(Startup, (loose, lasting))\n\
                \x20       .add_systems(OnEnter(Screen::Title), title)\n\
                \x20       .add_systems(OnEnter(Screen::Play), play)\n\
                \x20       .add_systems(OnEnter(Phase::Second), never)\n\
                \x20       .add_console_command(\"signs\", \"all signs\", signs)\n";
    let bevy = "use bevy::prelude::*;\nuse playground_api::prelude::*;";
    copy.edit(
        DEMO,
        &[
            ("    module\n", adds),
            ("\nfn tally(", SET_UP),
            ("use playground_api::prelude::*;", bevy),
        ],
    );
    copy.edit(DEMO, replacements);
    let mut scene = Scene::with_plugin(copy, |_| {});
    scene.frames(3);
    scene
}

#[test]
fn what_set_up_code_tied_is_there_as_the_newest_code_spawns_it() {
    let mut scene = scene(&[
        ("Sign(\"loose\", painted())", "(Sign(\"loose\", painted()), despawn_on_reload!())"),
        (
            "Sign(\"lasting\", 1)",
            "(Sign(\"lasting\", 1), despawn_on_unload!(), despawn_on_reload!())",
        ),
    ]);
    let told = |loose: u32, screen: &str| format!("lasting=1 loose={loose} {screen} other=7");
    assert_eq!(scene.console("signs"), told(10, "title=100"));
    // `Startup`, and `OnEnter` of the screen that is open.
    let edits =
        [("COLOR: u32 = 1", "COLOR: u32 = 2"), ("Sign(\"title\", 100)", "Sign(\"title\", 101)")];
    let said = scene.swap_and_log(DEMO, &edits);
    assert_eq!(scene.console("signs"), told(20, "title=101"));
    assert!(!said.contains("`restart`"), "{said}");
    // An edit that gives the crate's types another identity.
    let edits = [
        ("    Play,\n", "    Play,\n    /// New.\n    End,\n"),
        ("COLOR: u32 = 2", "COLOR: u32 = 3"),
    ];
    scene.swap_and_log(DEMO, &edits);
    assert_eq!(scene.console("signs"), told(30, "title=101"));

    scene.console("signs play");
    scene.frames(3);
    assert_eq!(scene.console("signs"), told(30, "play=200"));
    // An app that comes back.
    for _ in 0..2 {
        scene.console("app other");
        scene.frames(3);
        scene.console("app demo");
        scene.frames(3);
        assert_eq!(scene.console("signs"), told(30, "play=200"));
    }
    // A swap does not despawn what is tied to the module only, and so does not spawn it again.
    scene.swap_and_log(DEMO, &[("Sign(\"play\", 200)", "Sign(\"play\", 201)")]);
    assert_eq!(scene.console("signs"), told(30, "play=200"));
}

#[test]
fn set_up_code_that_does_not_run_again_is_named() {
    let mut scene = scene(&[]);
    // What the set-up reaches, at any depth; and nothing else.
    for (edit, named) in [
        (("COLOR: u32 = 1", "COLOR: u32 = 2"), Some("`apps_demo::loose` in Startup")),
        (("COLOR * 10", "COLOR * 20"), Some("`apps_demo::loose` in Startup")),
        (
            ("Sign(\"never\", 300)", "Sign(\"never\", 301)"),
            Some("`apps_demo::never` in OnEnter(Second)"),
        ),
        (
            ("Sign(\"play\", 200)", "Sign(\"play\", 201)"),
            Some("`apps_demo::play` in OnEnter(Play)"),
        ),
        (("    7\n", "    8\n"), None),
        (("fn other()", "fn more() -> u8 {\n    1\n}\n\nfn other()"), None),
    ] {
        let said = scene.swap_and_log(DEMO, &[edit]);
        let hint = said.lines().find(|line| line.contains("`restart`"));
        match named {
            Some(named) => {
                let expected = format!("{named} ran before this edit");
                assert!(hint.is_some_and(|hint| hint.contains(&expected)), "{edit:?}: {said}");
            }
            None => assert_eq!(hint, None, "{edit:?}"),
        }
    }
}
