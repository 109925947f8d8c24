//! What a module leaves in the world beside its systems: resources, cached systems, observers of
//! entities, values of run conditions, and what set-up code spawns.

use bevy::prelude::{ClearColor, Fixed, Srgba, Text, Time};
use playground_tests::Scene;

use crate::{EXTRA, OBSERVE};

/// The beginning of every plugin. `build` is the rest of the method calls on the module.
fn plugin(build: &str, rest: &str) -> String {
    format!(
        r#"#![forbid(unsafe_code)]

use playground_api::prelude::*;

export_module! {{ kind: Plugins, requires: {{ core_scene: "^0.1" }}, persist: [Extra], build: build }}

#[derive(Resource, Debug, Default, PartialEq, Persist, Serialize, Deserialize)]
pub struct Extra {{
    pub runs: u64,
}}

fn build(module: &mut ModuleApp) {{
    module{build}
        .add_console_command("report", "what is there", report);
}}

{rest}
"#
    )
}

fn scene_with(source: &str) -> Scene {
    let mut scene = Scene::demo();
    scene.write(EXTRA, source);
    scene.wait_for("swapped", "plugins_extra");
    scene.frames(3);
    scene
}

/// Makes an edit and checks the report a few frames later.
fn edit(scene: &mut Scene, from: &str, to: &str, expected: &str) {
    scene.swap(EXTRA, &[(from, to)]);
    scene.frames(3);
    let report = scene.console("report");
    assert!(report.contains(expected), "{to}: {report}, not {expected}\n{}", scene.story());
}

#[test]
fn inserted_resources_follow_edits_of_their_values() {
    let source = plugin(
        "\n        .insert_resource(Gravity(9.5))\n        .insert_resource(Score(10))\n        \
         .insert_resource(Extra { runs: 5 })\n        .insert_resource(ClearColor(Color::srgb(0.5, 0.0, 0.0)))\
         \n        .add_systems(Update, score)",
        "#[derive(Resource)]
pub struct Gravity(f32);

#[derive(Resource)]
pub struct Score(u32);

fn score(mut score: ResMut<Score>) {
    score.0 += 1;
}

fn report(
    In(_): In<Vec<String>>,
    gravity: Option<Res<Gravity>>,
    score: Res<Score>,
    extra: Res<Extra>,
    clear: Res<ClearColor>,
) -> String {
    let red = clear.0.to_srgba().red;
    let gravity = gravity.map_or(0.0, |gravity| gravity.0);
    format!(\"gravity={gravity} score_over_10={} extra={} red={red}\", score.0 > 12, extra.runs)
}
",
    );
    let mut scene = scene_with(&source);
    let red = |scene: &Scene| {
        let colour = scene.app.world().resource::<ClearColor>().0;
        format!("{:.2}", Srgba::from(colour).red)
    };
    // The plugin was there before without them; its persisted resource keeps its value.
    let report = scene.console("report");
    assert!(report.contains("gravity=9.5 score_over_10=true extra="), "{report}");
    assert!(report.contains("red=0.5") && !report.contains("extra=5 "), "{report}");

    edit(&mut scene, "Gravity(9.5)", "Gravity(1.5)", "gravity=1.5 score_over_10=true");
    edit(&mut scene, "srgb(0.5,", "srgb(0.25,", "red=0.25");
    // The game has changed it: it goes on.
    edit(&mut scene, "Score(10)", "Score(0)", "score_over_10=true");
    edit(&mut scene, "runs: 5", "runs: 0", "gravity=1.5");
    // A value that others made comes back.
    edit(
        &mut scene,
        "\n        .insert_resource(ClearColor(Color::srgb(0.25, 0.0, 0.0)))",
        "",
        "red=0.1686",
    );
    let with = "\n        .insert_resource(ClearColor(Color::srgb(0.75, 0.0, 0.0)))\n        .add_systems(";
    edit(&mut scene, "\n        .add_systems(", with, "red=0.75");
    scene.mark();
    scene.console("disable plugins_extra");
    scene.wait_for("disabled", "plugins_extra");
    assert_eq!(red(&scene), "0.17");
    scene.console("enable plugins_extra");
    scene.until("it is on again", |scene| red(scene) == "0.75");
    // One that nobody had goes.
    edit(&mut scene, "\n        .insert_resource(Gravity(1.5))", "", "gravity=0 ");
}

#[test]
fn what_two_modules_register_stays_while_one_of_them_does() {
    // Both register the core's message, and a resource of Bevy's.
    let source = plugin(
        ".init_resource::<Extra>()\n        .add_message::<core_scene::Ping>()\n        \
         .init_resource::<core_scene::Tally>()",
        "fn report(In(_): In<Vec<String>>, tally: Option<Res<core_scene::Tally>>) -> String {
    format!(\"tally={}\", tally.is_some())
}
",
    );
    let mut scene = scene_with(&source);
    edit(&mut scene, "\n        .init_resource::<core_scene::Tally>()", "", "tally=true");
    edit(&mut scene, "\n        .add_message::<core_scene::Ping>()", "", "tally=true");
    scene.mark();
    scene.console("disable plugins_extra");
    scene.wait_for("disabled", "plugins_extra");
    scene.frames(20);
    scene.exact_tally();
    let sent = scene.exact_tally().get("sent");
    scene.frames(20);
    assert!(scene.exact_tally().get("sent") > sent, "messages go on: {}", scene.read(OBSERVE));
}

#[test]
fn what_set_up_code_spawns_is_spawned_anew() {
    let source = plugin(
        ".init_resource::<Extra>()\n        .add_systems(OnLoad, set_up)",
        "fn set_up(mut commands: Commands) {
    commands
        .spawn((Text::new(\"one\"), despawn_on_reload!(), children![Text::new(\"below\")]))
        .observe(on_poke);
}

#[derive(EntityEvent)]
pub struct Poke(Entity);

fn on_poke(poke: On<Poke>, mut texts: Query<&mut Text>) {
    if let Ok(mut text) = texts.get_mut(poke.0) {
        text.0 += \"!\";
    }
}

fn report(
    In(_): In<Vec<String>>,
    texts: Query<&Text>,
    tops: Query<Entity, (With<Text>, Without<ChildOf>)>,
    mut commands: Commands,
) -> String {
    tops.iter().for_each(|top| commands.trigger(Poke(top)));
    let mut texts: Vec<&str> = texts.iter().map(|text| text.0.as_str()).collect();
    texts.sort();
    format!(\"texts={}.\", texts.join(\",\"))
}
",
    );
    let mut scene = scene_with(&source);
    edit(&mut scene, "\"one\"", "\"two\"", "texts=below,two.");
    edit(&mut scene, "children![Text::new(\"below\")]", "children![]", "texts=two.");
    edit(&mut scene, "fn report", "#[derive(Component)]\nstruct New;\n\nfn report", "texts=two.");
    // Its observers come with it.
    assert!(scene.console("report").contains("texts=two!."), "poked by the report before");
    edit(&mut scene, "\"!\"", "\"?\"", "texts=two.");
    assert!(scene.console("report").contains("texts=two?."), "{}", scene.story());
    assert!(!scene.log().iter().any(|line| line.contains("from before")), "{}", scene.story());
    scene.mark();
    scene.console("disable plugins_extra");
    scene.wait_for("disabled", "plugins_extra");
    let world = scene.app.world_mut();
    assert_eq!(world.query::<&Text>().iter(world).count(), 0);
}

#[test]
fn cached_systems_and_observers_of_entities_run_new_code() {
    let source = plugin(
        "\n        .init_resource::<Extra>()\n        .add_entity_observer::<Target, Poke, _, _>(on_poke)\n        \
         .add_systems(Update, (run, poke).chain())",
        "#[derive(Component)]
pub struct Target;

#[derive(EntityEvent)]
pub struct Poke(Entity);

#[derive(Resource, Default)]
pub struct Seen {
    cached: u32,
    given: u32,
    poked: u32,
    pokes: u32,
    sent: u32,
}

fn run(mut commands: Commands, targets: Query<(), With<Target>>) {
    commands.init_resource::<Seen>();
    if targets.is_empty() {
        commands.spawn_batch([Target, Target]);
    }
    commands.run_system_cached(pulse);
    commands.run_system_cached_with(give, 10);
}

fn poke(mut commands: Commands, targets: Query<Entity, With<Target>>, mut seen: ResMut<Seen>) {
    for target in &targets {
        seen.sent += 1;
        commands.trigger(Poke(target));
    }
}

fn pulse(mut seen: ResMut<Seen>) {
    seen.cached = 1;
}

fn give(In(number): In<u32>, mut seen: ResMut<Seen>) {
    seen.given = number + 1;
}

fn on_poke(_: On<Poke>, mut seen: ResMut<Seen>) {
    seen.poked = 1;
    seen.pokes += 1;
}

fn report(In(_): In<Vec<String>>, mut seen: ResMut<Seen>, targets: Query<(), With<Target>>) -> String {
    let text = format!(
        \"cached={} given={} poked={} targets={} once={}\",
        seen.cached, seen.given, seen.poked, targets.iter().count(), seen.pokes == seen.sent
    );
    seen.poked = 0;
    text
}
",
    );
    let mut scene = scene_with(&source);
    let report = scene.console("report");
    assert!(report.contains("cached=1 given=11 poked=1 targets=2 once=true"), "{report}");
    edit(&mut scene, "cached = 1;", "cached = 2;", "cached=2 given=11 poked=1");
    edit(&mut scene, "number + 1", "number + 2", "cached=2 given=12 poked=1");
    edit(&mut scene, "poked = 1", "poked = 3", "poked=3 targets=2 once=true");
    // A target that is new is observed too.
    let more = "if targets.iter().count() < 3";
    edit(&mut scene, "if targets.is_empty()", more, "poked=3 targets=4 once=true");
    assert!(!scene.log().iter().any(|line| line.contains("from before")), "{}", scene.story());

    // Bevy's own way: the swap says so, and what to do.
    scene.swap(
        EXTRA,
        &[
            ("\n        .add_entity_observer::<Target, Poke, _, _>(on_poke)", ""),
            ("    commands.init_resource::<Seen>();", "    commands.init_resource::<Seen>();\n    if targets.iter().count() == 4 {\n        commands.spawn(Target).observe(on_poke);\n    }"),
        ],
    );
    scene.frames(3);
    let report = scene.console("report");
    assert!(report.contains("poked=3 targets=5"), "{report}");
    edit(&mut scene, "poked = 3", "poked = 7", "poked=3 targets=5");
    let line = scene.wait_for_line("run the code from before");
    assert!(line.contains("`plugins_extra::on_poke` (1)"), "{line}");
    assert!(line.contains("add_entity_observer"), "{line}");
}

#[test]
fn run_conditions_go_on() {
    let source = plugin(
        "\n        .init_resource::<Extra>()\n        .init_resource::<Eggs>()\n        .add_message::<Cracked>()\n        \
         .configure_sets(Update, Nest.run_if(run_once))\n        \
         .add_systems(FixedUpdate, (\n            lay.run_if(run_once),\n            \
         hatch.run_if(once_after_delay(Duration::from_millis(50))),\n            \
         tick.run_if(on_timer(Duration::from_millis(100))),\n            \
         (both, tick).chain().run_if(run_once),\n            \
         third.run_if(at_third),\n            crack.run_if(run_once),\n            \
         cracked.run_if(on_message::<Cracked>),\n        ).chain())\n        \
         .add_systems(Update, nest.in_set(Nest))",
        "use std::time::Duration;

#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
struct Nest;

#[derive(Message)]
pub struct Cracked;

#[derive(Resource, Default)]
pub struct Eggs {
    laid: u32,
    hatched: u32,
    ticks: u32,
    frames: u32,
    others: [u32; 4],
}

fn lay(mut eggs: ResMut<Eggs>) {
    eggs.laid += 1;
}

fn hatch(mut eggs: ResMut<Eggs>) {
    eggs.hatched += 1;
}

fn tick(mut eggs: ResMut<Eggs>) {
    eggs.ticks += 1;
}

fn both(mut eggs: ResMut<Eggs>) {
    eggs.others[0] += 1;
}

fn at_third(mut asked: Keep<u32>) -> bool {
    *asked += 1;
    *asked == 3
}

fn third(mut eggs: ResMut<Eggs>) {
    eggs.others[1] += 1;
}

fn crack(mut cracked: MessageWriter<Cracked>) {
    cracked.write(Cracked);
}

fn cracked(mut eggs: ResMut<Eggs>) {
    eggs.others[2] += 1;
}

fn nest(mut eggs: ResMut<Eggs>) {
    eggs.others[3] += 1;
}

fn report(In(_): In<Vec<String>>, eggs: Res<Eggs>) -> String {
    format!(
        \"version 1 laid={} hatched={} ticks={} others={:?}\",
        eggs.laid, eggs.hatched, eggs.ticks, eggs.others
    )
}
",
    );
    let mut scene = scene_with(&source);
    scene.frames(30);
    let once = "laid=1 hatched=1 ";
    let report = scene.console("report");
    assert!(report.contains(once) && report.contains("others=[1, 1, 1, 1]"), "{report}");
    for version in 2..4 {
        let (from, to) = (format!("version {}", version - 1), format!("version {version}"));
        edit(&mut scene, &from, &to, &format!("{to} {once}"));
        scene.frames(10);
        let report = scene.console("report");
        assert!(report.contains(once) && report.contains("others=[1, 1, 1, 1]"), "{report}");
    }
    // Another condition beside it, another delay.
    edit(&mut scene, "lay.run_if(run_once)", "lay.run_if(|| true).run_if(run_once)", once);
    edit(&mut scene, "from_millis(50)", "from_millis(90)", once);
    // The interval goes on: so many ticks as without any of the swaps.
    let ticks = |scene: &mut Scene| {
        let report = scene.console("report");
        let frame = scene.app.world().resource::<Time<Fixed>>().elapsed_secs_f64();
        (playground_tests::number(&report, "ticks").unwrap_or_default() as f64, frame)
    };
    let (before, from) = ticks(&mut scene);
    for version in 4..7 {
        let (from, to) = (format!("version {}", version - 1), format!("version {version}"));
        edit(&mut scene, &from, &to, &to);
    }
    let (after, to) = ticks(&mut scene);
    assert!((after - before - (to - from) * 10.0).abs() <= 1.0, "{before} {after} {from} {to}");
}

/// Each system keeps a thousand of its own, each condition is true at its third question only.
const SEVERAL: &str = "#[derive(Resource, Default)]
pub struct Log {
    given: u32,
    now: Vec<u32>,
    runs: [u32; 5],
}

#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Left,
    Right,
}

fn begin(mut log: ResMut<Log>) {
    log.now.clear();
}

fn number(mut kept: Keep<u32>, mut log: ResMut<Log>) {
    if *kept == 0 {
        log.given += 1;
        *kept = log.given;
    }
    log.now.push(*kept);
}

fn at_third(mut asked: Keep<u32>) -> bool {
    *asked += 1;
    *asked == 3
}

fn runs<const N: usize>(mut log: ResMut<Log>) {
    log.runs[N] += 1;
}

fn report(In(_): In<Vec<String>>, log: Res<Log>) -> String {
    format!(\"given={} now={:?} runs={:?}\", log.given, log.now, log.runs)
}
";

#[test]
fn systems_of_one_name_keep_their_own_memory_when_others_come_and_go() {
    let source = plugin(
        ".init_resource::<Log>()
        .add_systems(First, begin)
        .add_systems(PreUpdate, number)
        .add_systems(Update, number)
        .add_systems(PostUpdate, number)",
        SEVERAL,
    );
    let mut scene = scene_with(&source);
    assert!(scene.console("report").contains("given=3 now=[1, 2, 3]"), "{}", scene.story());
    for (from, to, expected) in [
        // The first of three goes, another one comes in front of the rest.
        ("        .add_systems(PreUpdate, number)\n", "", "given=3 now=[2, 3]"),
        ("(Update, number)", "(First, number.after(begin)).add_systems(Update, number)", {
            "given=4 now=[4, 2, 3]"
        }),
        // One moves to another schedule.
        ("(First, number.after(begin))", "(Last, number)", "given=4 now=[2, 3, 4]"),
        // Several in one schedule, told apart by their sets and conditions.
        (
            "(Update, number)",
            "(Update, (number.in_set(Side::Left), number.in_set(Side::Right)).chain())",
            "given=5 now=[2, 5, 3, 4]",
        ),
        (
            "(number.in_set(Side::Left), number.in_set(Side::Right)).chain()",
            { "number.in_set(Side::Right)" },
            "given=5 now=[5, 3, 4]",
        ),
        (
            "(Update, number.in_set(Side::Right))",
            { "(Update, (number.in_set(Side::Right), number.run_if(|| true)).chain())" },
            "given=6 now=[5, 6, 3, 4]",
        ),
        (
            "(number.in_set(Side::Right), number.run_if(|| true)).chain()",
            { "number.run_if(|| true)" },
            "given=6 now=[6, 3, 4]",
        ),
    ] {
        edit(&mut scene, from, to, expected);
    }
}

#[test]
fn conditions_of_one_name_keep_their_own_memory_when_others_come_and_go() {
    let source = plugin(
        ".init_resource::<Log>()
        .add_systems(PreUpdate, (runs::<0>, runs::<1>).run_if(at_third))
        .add_systems(Update, (runs::<2>, runs::<3>).run_if(at_third))
        .add_systems(PostUpdate, runs::<4>.run_if(at_third))",
        SEVERAL,
    );
    let mut scene = scene_with(&source);
    scene.frames(3);
    assert!(scene.console("report").contains("runs=[1, 1, 1, 1, 1]"), "{}", scene.story());
    for (from, to) in [
        ("        .add_systems(PreUpdate, (runs::<0>, runs::<1>).run_if(at_third))\n", ""),
        // A tuple loses a system, and gets another one.
        ("(runs::<2>, runs::<3>)", "runs::<2>"),
        ("(Update, runs::<2>", "(Update, (runs::<2>, begin)"),
        // Another condition in front, another schedule.
        ("(runs::<2>, begin)", "(runs::<2>, begin).run_if(|| true)"),
        ("(PostUpdate, runs::<4>", "(Last, runs::<4>"),
    ] {
        edit(&mut scene, from, to, "runs=[1, 1, 1, 1, 1]");
        scene.frames(4);
        assert!(scene.console("report").contains("runs=[1, 1, 1, 1, 1]"), "{from} -> {to}");
    }
}
