//! Code that values hold: function pointers, closures, trait objects, and systems that run on
//! request.

use playground_tests::{Scene, number};

use crate::EXTRA;

const CODE: &str = r#"
/// Function pointers, as a resource.
#[derive(Resource)]
pub struct Hooks(Vec<fn(u32) -> u32>);

/// A closure, as a component within another type.
#[derive(Component)]
pub struct Button {
    action: Action,
}

enum Action {
    Run(Box<dyn Fn() -> u32 + Send + Sync>),
    #[expect(dead_code, reason = "a variant without code")]
    Stop,
}

/// A trait object that `OnLoad` makes anew.
#[derive(Resource)]
pub struct Weapon(Box<dyn Shot>);

trait Shot: Send + Sync + 'static {
    fn damage(&self) -> u32;
}

struct Laser;

impl Shot for Laser {
    fn damage(&self) -> u32 {
        1
    }
}

/// No code in it.
#[derive(Resource, Default)]
pub struct Plain {
    count: u32,
    of: std::marker::PhantomData<fn() -> u32>,
}

fn hook(number: u32) -> u32 {
    number + 1
}

fn fill(hooks: Option<Res<Hooks>>, mut commands: Commands) {
    if hooks.is_none() {
        commands.insert_resource(Hooks(vec![hook]));
        commands.spawn(Button { action: Action::Run(Box::new(|| hook(20))) });
    }
    commands.insert_resource(Weapon(Box::new(Laser)));
}

fn held(
    In(_): In<Vec<String>>,
    hooks: Res<Hooks>,
    button: Single<&Button>,
    weapon: Res<Weapon>,
    plain: Res<Plain>,
) -> String {
    let pressed = match &button.action {
        Action::Run(run) => run(),
        Action::Stop => 0,
    };
    let _: u32 = plain.count + size_of_val(&plain.of) as u32;
    format!("hook={} pressed={pressed} damage={}", hooks.0[0](10), weapon.0.damage())
}

/// Keeps the ids of registered systems.
#[derive(Resource, Default)]
pub struct Ids {
    wave: Option<bevy::ecs::system::SystemId<In<u32>, u32>>,
    other: Option<bevy::ecs::system::SystemId<(), u32>>,
    at_run_time: Option<bevy::ecs::system::SystemId<(), u32>>,
}

fn wave(In(size): In<u32>, mut waves: Local<u32>, mut kept: Keep<u32>) -> u32 {
    *waves += 1;
    *kept += 1;
    size * 100 + *waves * 10 + *kept
}

fn other() -> u32 {
    5
}

fn ask(systems: Res<RegisteredSystems>, mut ids: ResMut<Ids>) -> Result {
    if ids.wave.is_none() {
        ids.wave = Some(systems.id("wave")?);
        ids.other = Some(systems.id("other")?);
    }
    Ok(())
}

fn run_all(In(words): In<Vec<String>>, world: &mut World) -> String {
    if words.first().is_some_and(|word| word == "register") {
        let id = world.register_system(|| 77_u32);
        world.resource_mut::<Ids>().at_run_time = Some(id);
    }
    let ids = world.resource::<Ids>();
    let (wave, other, at_run_time) = (ids.wave, ids.other, ids.at_run_time);
    let wave = wave.and_then(|id| world.run_system_with(id, 3).ok()).unwrap_or_default();
    let other = other.and_then(|id| world.run_system(id).ok()).unwrap_or_default();
    let late = at_run_time.and_then(|id| world.run_system(id).ok()).unwrap_or_default();
    let cached = world.run_system_cached(self::other).unwrap_or_default();
    format!("wave={wave} other={other} late={late} cached={cached}")
}

fn run("#;

fn scene() -> Scene {
    let mut scene = Scene::demo();
    let adds = "    module\n        .init_resource::<Plain>()\n        .init_resource::<Ids>()\n\
                \x20       .register_system(\"wave\", wave)\n        .register_system(\"other\", other)\n\
                \x20       .add_systems(OnLoad, (fill, ask))\n\
                \x20       .add_console_command(\"held\", \"code in values\", held)\n\
                \x20       .add_console_command(\"run_all\", \"systems on request\", run_all)\n";
    let bevy = (
        "use playground_api::prelude::*;",
        "use bevy::prelude::*;\nuse playground_api::prelude::*;",
    );
    scene.swap(EXTRA, &[("    module\n", adds), ("\nfn run(", CODE), bevy]);
    scene.frames(3);
    scene
}

#[test]
fn values_that_hold_old_code_are_named() {
    let mut scene = scene();
    assert_eq!(scene.console("held"), "hook=11 pressed=21 damage=1");
    let said = scene.swap_and_log(EXTRA, &[("number + 1", "number + 2")]);
    // As it cannot be otherwise, and so it is said.
    assert_eq!(scene.console("held"), "hook=11 pressed=21 damage=1");
    let line = said.lines().find(|line| line.contains("trait objects")).unwrap_or(&said);
    for named in ["`plugins_extra::Hooks` (1 value)", "`plugins_extra::Button` (1 value)"] {
        assert!(line.contains(named), "{named}: {said}");
    }
    // What `OnLoad` made anew is not, nor what holds none.
    assert!(!line.contains("Weapon") && !line.contains("Plain"), "{said}");
    // Code of another module is where it was.
    scene.swap(crate::WALK, &[("tally.version = 1;", "tally.version = 2;")]);
    scene.frames(3);
    assert_eq!(scene.log().iter().filter(|line| line.contains("trait objects")).count(), 1);
    // As the remedy says.
    let said = scene.swap_and_log(
        EXTRA,
        &[(
            "    if hooks.is_none() {\n        commands.insert_resource(Hooks(vec![hook]));",
            "    commands.insert_resource(Hooks(vec![hook]));\n    if hooks.is_none() {",
        )],
    );
    assert!(scene.console("held").contains("hook=12"), "{said}");
    assert!(!said.contains("plugins_extra::Hooks`"), "{said}");
}

#[test]
fn registered_systems_run_new_code_under_the_same_id() {
    let mut scene = scene();
    assert_eq!(scene.console("run_all"), "wave=311 other=5 late=0 cached=5");
    let said = scene.swap_and_log(EXTRA, &[("size * 100", "size * 200"), ("    5\n", "    6\n")]);
    // Their `Local`s begin again, `Keep` goes on, as in other systems.
    assert_eq!(scene.console("run_all"), "wave=612 other=6 late=0 cached=6");
    assert!(!said.contains("registered at run time"), "{said}");

    // Of those that the world registered, it is said that they keep their code.
    assert_eq!(scene.console("run_all register"), "wave=623 other=6 late=77 cached=6");
    let said = scene.swap_and_log(EXTRA, &[("|| 77_u32", "|| 78_u32"), ("    6\n", "    7\n")]);
    assert!(said.contains("1 system that was registered at run time runs"), "{said}");
    assert_eq!(scene.console("run_all"), "wave=614 other=7 late=77 cached=7");

    // One that is registered no longer, or with other types.
    let edits = [
        ("        .register_system(\"other\", other)\n", ""),
        ("In(size): In<u32>, mut waves", "In(size): In<u64>, mut waves"),
        ("-> u32 {\n    *waves", "-> u64 {\n    *waves"),
        ("size * 200 + *waves * 10 + *kept", "size + u64::from(*waves + *kept)"),
    ];
    scene.swap_and_log(EXTRA, &edits);
    assert_eq!(scene.console("run_all"), "wave=0 other=0 late=77 cached=7");
    // Another module takes the key, and a name of the console's.
    let adds = "    module\n        .register_system(\"wave\", || ())\n        \
                .add_console_command(\"hash\", \"hidden\", |_: In<Vec<String>>| String::new())\n";
    scene.swap(crate::WALK, &[("    module\n", adds)]);
    let log = scene.log().join("\n");
    let both = "modules `plugins_extra` and `systems_walk` both register a system `wave`";
    assert!(log.contains(both), "{log}");
    assert!(log.contains("the command `hash` of module `systems_walk` cannot be called"), "{log}");
    // A module that is switched off runs nothing.
    scene.console("disable plugins_extra; enable plugins_extra");
    scene.frames(3);
    assert_eq!(number(&scene.console("run_all"), "wave"), Some(0));
}
