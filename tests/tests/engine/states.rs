//! Bevy's components that bind an entity to a state, with a module's state.

use bevy::ecs::entity_disabling::Disabled;
use bevy::ecs::system::RunSystemOnce;
use bevy::prelude::*;
use bevy::state::app::StatesPlugin;
use playground_tests::Scene;

use crate::{EXTRA, SCENE};

/// As the test modules have it.
#[derive(States, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    First,
    Second,
}

/// Defines the code here, and as text for a module.
macro_rules! here_and_in_a_module {
    ($($code:tt)*) => {
        $($code)*

        const CODE: &str = stringify!($($code)*);
    };
}

here_and_in_a_module! {
    #[derive(Component)]
    struct Bound(&'static str);

    fn bind(mut commands: Commands, bound: Query<(), (With<Bound>, Allow<Disabled>)>) {
        if !bound.is_empty() {
            return;
        }
        let first = Phase::First;
        commands.spawn((Bound("despawn on exit"), DespawnOnExit(first)));
        commands.spawn((Bound("disable on exit"), DisableOnExit(first)));
        commands.spawn((Bound("enable on exit"), Disabled, EnableOnExit(first)));
        commands.spawn((Bound("despawn on enter"), DespawnOnEnter(first)));
        commands.spawn((Bound("disable on enter"), DisableOnEnter(first)));
        commands.spawn((Bound("enable on enter"), Disabled, EnableOnEnter(first)));
        let is_second = |change: &StateTransitionEvent<Phase>| change.entered == Some(Phase::Second);
        commands.spawn((Bound("despawn when"), DespawnWhen::<Phase>::new(is_second)));
        commands.spawn((Bound("disable when"), DisableWhen::<Phase>::new(is_second)));
        commands.spawn((Bound("enable when"), Disabled, EnableWhen::<Phase>::new(is_second)));
    }

    fn go(In(words): In<Vec<String>>, mut next: ResMut<NextState<Phase>>) -> String {
        let second = words.first().is_some_and(|word| word == "second");
        next.set(if second { Phase::Second } else { Phase::First });
        String::new()
    }

    fn list(In(_): In<Vec<String>>, bound: Query<(&Bound, Has<Disabled>), Allow<Disabled>>) -> String {
        let shown = |(bound, disabled): (&Bound, bool)| {
            format!("{}{}", bound.0, if disabled { " (disabled)" } else { "" })
        };
        let mut all: Vec<String> = bound.iter().map(shown).collect();
        all.sort();
        all.join(", ")
    }
}

/// A scene whose module `plugins_extra` has the entities.
fn scene() -> Scene {
    let mut scene = Scene::demo();
    let uses = "use bevy::ecs::entity_disabling::Disabled;\nuse bevy::prelude::*;\n\
                use core_scene::Phase;\nuse playground_api::prelude::*;";
    let adds = "    module\n        .add_systems(OnLoad, bind)\n        \
                .add_console_command(\"bound\", \"entities of a phase\", list)\n        \
                .add_console_command(\"go\", \"to a phase\", go)\n";
    let code = format!("\n{CODE}\n\nfn run(");
    let edits = [
        ("use playground_api::prelude::*;", uses),
        ("    module\n", adds),
        ("\nfn run(", code.as_str()),
    ];
    scene.swap(EXTRA, &edits);
    scene.frames(3);
    scene
}

#[test]
fn entities_follow_a_modules_state_as_they_do_in_bevy() {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, StatesPlugin)).init_state::<Phase>();
    app.update();
    app.world_mut().run_system_once(bind).expect("it spawns");
    let mut scene = scene();
    for phase in ["second", "first", "first", "second"] {
        app.world_mut().run_system_once_with(go, vec![phase.to_owned()]).expect("a state");
        app.update();
        let in_bevy = app.world_mut().run_system_once_with(list, Vec::new()).expect("a list");
        scene.console(&format!("go {phase}"));
        scene.frames(3);
        assert_eq!(scene.console("bound"), in_bevy, "in {phase}");
    }
}

#[test]
fn closures_over_a_state_are_named_when_their_code_or_the_state_changes() {
    const CLOSURES: [&str; 3] = ["DespawnWhen", "DisableWhen", "EnableWhen"];
    let mut scene = scene();
    let said = scene.swap_and_log(EXTRA, &[("extra.runs += 1;", "extra.runs += 2;")]);
    for closure in CLOSURES {
        let named = format!("`bevy_state::state_scoped::{closure}<core_scene::Phase>` (1 value)");
        assert!(said.contains(&named), "{named}: {said}");
    }
    assert!(!said.contains("DespawnOnExit<"), "{said}");

    // With a new form of the state they can only go; what holds a value follows.
    let third = ("    Second,", "    Second,\n    /// New.\n    Third,");
    let said = scene.swap_and_log(SCENE, &[third]);
    for closure in CLOSURES {
        let named = format!("1 value of `bevy_state::state_scoped::{closure}<core_scene::Phase>`");
        assert!(said.contains(&named), "{named}: {said}");
    }
    assert!(!said.contains("DespawnOnExit<"), "{said}");
}
