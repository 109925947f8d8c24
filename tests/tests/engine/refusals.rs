//! What is refused, with the reason, while the old code goes on.

use std::fs;
use std::path::Path;

use playground_hotload::inspect::{HostFacts, InspectError, Inspected, inspect};
use playground_tests::{Copy, Scene};

use crate::{OBSERVE, SCENE, WALK};

/// After a refusal everything is as it was.
fn nothing_changed(scene: &mut Scene) {
    assert_eq!(scene.count("swapped"), 0, "{}", scene.story());
    let before = scene.exact_tally();
    scene.frames(5);
    let after = scene.exact_tally();
    let grown = |name| after.get(name) - before.get(name);
    assert!(grown("walked") > 0, "{before:?} {after:?}");
    // By one or by two, as the code has it that runs.
    assert!(grown("local") > 0 && grown("local") % grown("walked") == 0, "{before:?} {after:?}");
}

#[test]
fn systems_that_cannot_run_together_are_refused() {
    let mut scene = Scene::demo();
    let in_set = "observe.in_set(SceneSet::Read)";

    // A cycle with the order that the core asks for.
    let systems = "module.add_systems(";
    let backwards =
        "module.configure_sets(FixedUpdate, SceneSet::Read.before(SceneSet::Write)).add_systems(";
    let reason = scene.refusal("refused", OBSERVE, &[(systems, backwards)]);
    assert!(reason.contains("H0402") && reason.contains("FixedUpdate"), "{reason}");
    assert!(reason.contains("cycle") && reason.contains("Write"), "{reason}");
    nothing_changed(&mut scene);

    // An order that nobody decided, between two that write the same.
    let reason = scene.refusal("refused", OBSERVE, &[(backwards, systems), (in_set, "observe")]);
    assert!(reason.contains("H0402") && reason.contains("FixedUpdate"), "{reason}");
    assert!(reason.contains("walk") && reason.contains("core_scene::Tally"), "{reason}");
    nothing_changed(&mut scene);

    // Parameters that exclude each other.
    let parameters = "mut a: Query<&mut Body>,\n    mut b: Query<&mut Body>,\n    added: Query<";
    let edit = [
        ("(FixedUpdate, observe)", "(FixedUpdate, observe.in_set(SceneSet::Read))"),
        ("added: Query<", parameters),
        ("*runs += 1;", "*runs += a.iter_mut().count() as u64 + b.iter_mut().count() as u64;"),
    ];
    let reason = scene.refusal("refused", OBSERVE, &edit);
    assert!(reason.contains("H0401") && reason.contains("systems_observe"), "{reason}");
    assert!(reason.contains("conflict"), "{reason}");
    nothing_changed(&mut scene);

    // What is right again goes live.
    let edit = [(parameters, "added: Query<"), (edit[2].1, edit[2].0)];
    scene.edit_all(OBSERVE, &edit);
    scene.frames(20);
    scene.edit(OBSERVE, "*runs += 1;", "*runs += 2;");
    scene.wait_for("swapped", "systems_observe");
    let before = scene.tally();
    scene.frames(5);
    assert_eq!((scene.exact_tally().get("local") - before.get("local")) % 2, 0);

    // A running schedule cannot forget an order between sets of an unchanged core.
    let order = ".configure_sets(FixedPostUpdate, SceneSet::Write.before(SceneSet::Read))";
    let more = format!(
        "module{order}.add_systems(FixedPostUpdate, (early.in_set(SceneSet::Write), \
         late.in_set(SceneSet::Read))).add_systems("
    );
    let idle = "fn early() {}\n\nfn late() {}\n\nfn observe(";
    scene.swap(OBSERVE, &[(systems, &more), ("fn observe(", idle)]);
    let reason = scene.refusal("refused", OBSERVE, &[(order, "")]);
    assert!(reason.contains("H0403") && reason.contains("systems_observe"), "{reason}");
    assert!(reason.contains("Write comes before Read in FixedPostUpdate"), "{reason}");
    nothing_changed(&mut scene);
    scene.swap(OBSERVE, &[("module.add_systems", &format!("module{order}.add_systems"))]);
    scene.exact_tally();
}

#[test]
fn a_system_that_bevy_runs_and_orders_others_by_is_refused_a_second_time() {
    let mut scene = Scene::demo();
    let from = "module.add_systems(FixedUpdate, observe";
    let fonts = "bevy::text::load_font_assets_into_font_collection";
    let second = format!("module.add_systems(PostUpdate, {fonts});\n    {from}");
    let reason = scene.refusal("refused", OBSERVE, &[(from, &second)]);
    assert!(reason.contains("H0604") && reason.contains("PostUpdate"), "{reason}");
    assert!(reason.contains("load_font_assets_into_font_collection"), "{reason}");
    assert!(reason.contains("wrap it in a function of your own"), "{reason}");
    nothing_changed(&mut scene);

    // A function of its own may run there, also beside a change of the rest.
    let own = format!("module.add_systems(PostUpdate, fonts);\n    {from}");
    let edit = [
        (second.as_str(), own.as_str()),
        ("fn observe(", "fn fonts() {}\n\nfn observe("),
        ("*runs += 1;", "*runs += 2;"),
    ];
    scene.swap(OBSERVE, &edit);
    let before = scene.tally();
    scene.frames(5);
    assert_eq!((scene.exact_tally().get("local") - before.get("local")) % 2, 0);
}

#[test]
fn requirements_that_do_not_hold_are_refused() {
    let mut scene = Scene::demo();
    let requires = "requires: { core_scene: \"^0.1\" }";

    let other_version = "requires: { core_scene: \"^0.2\" }";
    let reason = scene.refusal("refused", OBSERVE, &[(requires, other_version)]);
    assert!(reason.contains("systems_observe") && reason.contains("core_scene"), "{reason}");
    assert!(reason.contains("^0.2") && reason.contains("0.1.0"), "both values: {reason}");
    nothing_changed(&mut scene);

    let unknown = "requires: { core_scene: \"^0.1\", systems_wings: \"^0.1\" }";
    let reason = scene.refusal("refused", OBSERVE, &[(other_version, unknown)]);
    assert!(reason.contains("systems_observe") && reason.contains("systems_wings"), "{reason}");
    nothing_changed(&mut scene);

    let on_walk = "requires: { core_scene: \"^0.1\", systems_walk: \"^0.1\" }";
    scene.swap(OBSERVE, &[(unknown, on_walk)]);
    let on_observe = "requires: { core_scene: \"^0.1\", systems_observe: \"^0.1\" }";
    let reason = scene.refusal("refused", WALK, &[(requires, on_observe)]);
    assert!(reason.contains("systems_walk") && reason.contains("systems_observe"), "{reason}");
    scene.mark();
    nothing_changed(&mut scene);
}

#[test]
fn state_outside_of_the_world_is_refused_in_a_core() {
    let mut scene = Scene::demo();
    let counter = "use std::sync::atomic::AtomicU32;\n\nstatic COUNT: AtomicU32 = AtomicU32::new(0);\n\n/// Something that moves.";
    let reason = scene.refusal("build_failed", SCENE, &[("/// Something that moves.", counter)]);
    let line = scene.read(SCENE).lines().position(|line| line.starts_with("static")).unwrap() + 1;
    assert!(reason.contains("H0310") && reason.contains("core_scene"), "{reason}");
    assert!(reason.contains(&format!("{SCENE}:{line}")) && reason.contains("Resource"), "{reason}");
    nothing_changed(&mut scene);
}

#[test]
fn a_feature_that_would_build_bevy_again_is_refused() {
    let mut scene = Scene::demo();
    let manifest = "systems/observe/Cargo.toml";
    let serde = "serde = { workspace = true, features = [\"rc\"] }";
    scene.edit(manifest, "serde.workspace = true", serde);
    let line = scene.wait_for_line("H0303");
    let event = scene.event("refused", None).expect("other tools read of it as well");
    assert!(event["reason"].as_str().is_some_and(|reason| reason.contains("H0303")), "{event}");
    let said = scene.log().join("\n");
    assert!(said.contains("systems_observe") && said.contains("serde"), "{line}\n{said}");
    assert!(said.contains("`rc`"), "the feature is named: {said}");
    nothing_changed(&mut scene);

    let bevy = "bevy = { workspace = true, features = [\"glam_assert\"] }";
    scene.edit_all(manifest, &[(serde, "serde.workspace = true"), ("bevy.workspace = true", bevy)]);
    scene.until("the other feature is named", |scene| {
        scene.log().iter().any(|line| line.contains("glam_assert"))
    });
    nothing_changed(&mut scene);

    // Without it modules are built again.
    scene.edit(manifest, bevy, "bevy.workspace = true");
    scene.swap(OBSERVE, &[("*runs += 1", "*runs += 2")]);
    scene.frames(2);
    scene.exact_tally();
}

#[test]
fn an_api_that_changed_meanwhile_is_refused() {
    let mut scene = Scene::demo();
    let api = scene.root().join("api/src/lib.rs");
    let text = fs::read_to_string(&api).expect("the API");
    fs::write(&api, format!("{text}\n/// New.\npub const NEW: u32 = 1;\n")).expect("a change");
    // Only a manifest makes cargo look at the API again.
    scene.edit("systems/observe/Cargo.toml", "[lints]", "# Changed.\n[lints]");
    scene.wait_for_line("H0304");
    nothing_changed(&mut scene);
}

#[test]
fn a_library_that_changed_meanwhile_is_refused() {
    const BODY: &str = "pub fn step() -> u64 {\n    1\n}\n";
    let mut scene = Scene::demo();
    // So that the manifest follows the source at once, which does not compile without it.
    scene.copy().own_target();
    let library = scene.root().join("libs/steps");
    let write = |name: &str, text: &str| {
        let path = library.join(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("folders");
        fs::write(&path, text).expect("the library");
    };
    write("Cargo.toml", "[package]\nname = \"steps\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("src/lib.rs", BODY);
    scene.write(OBSERVE, &scene.read(OBSERVE).replace("*runs += 1", "*runs += steps::step()"));
    let manifest = "systems/observe/Cargo.toml";
    let with = "[dependencies]\nsteps = { path = \"../../../libs/steps\" }";
    scene.edit(manifest, "[dependencies]", with);
    scene.wait_for("swapped", "systems_observe");
    scene.frames(2);
    scene.exact_tally();

    // Its types would be the same ones for the process, whatever they look like now.
    scene.mark();
    write("src/lib.rs", &BODY.replace('1', "2"));
    let line = scene.wait_for_line("H0313");
    assert!(line.contains("`steps`") && line.contains("libs/steps"), "{line}");
    nothing_changed(&mut scene);

    // As it was is as good as never changed.
    write("src/lib.rs", BODY);
    scene.swap(OBSERVE, &[("steps::step()", "steps::step() + 1")]);
    scene.frames(2);
    scene.exact_tally();

    // What is saved while it is gone goes live when it is back.
    let (libraries, gone) = (scene.root().join("libs"), scene.root().join("gone"));
    scene.mark();
    fs::rename(&libraries, &gone).expect("moved");
    scene.wait_for_line("H0102");
    scene.edit(OBSERVE, "steps::step() + 1", "steps::step() + 2");
    scene.frames(10);
    fs::rename(&gone, &libraries).expect("moved");
    scene.wait_for("swapped", "systems_observe");
}

#[test]
fn artifacts_that_are_not_exactly_right_are_refused_from_their_bytes() {
    let copy = Copy::of_fixtures();
    let path = copy.root.join("target/playground/artifacts/systems_walk.so");
    let bytes = fs::read(&path).expect("the artifact");
    let facts = HostFacts::of_this_process(playground_api::ABI).expect("facts of this process");
    let check = |bytes: Vec<u8>, id: &str| -> Result<Inspected, InspectError> {
        inspect(Path::new("walk.so"), bytes, &id.into(), &facts)
    };
    let refused = |bytes: Vec<u8>, id: &str, what: &str| {
        let error = check(bytes, id).err().unwrap_or_else(|| panic!("{what} was accepted"));
        let text = error.to_string();
        assert!(text.contains("walk.so") || text.contains(id), "the file is named: {text}");
        text
    };
    let patched = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let mut patched = bytes.clone();
        let places: Vec<usize> = patched
            .windows(from.len())
            .enumerate()
            .filter(|(_, window)| *window == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        assert!(!places.is_empty(), "`{from}` is not in the artifact");
        for at in places {
            patched[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        patched
    };

    let inspected = check(bytes.clone(), "systems_walk").expect("as it was built, it is right");
    assert_eq!(inspected.manifest().id, "systems_walk");
    assert_eq!(inspected.bytes(), bytes, "what was inspected is what will be loaded");

    let text = refused(bytes.clone(), "systems_run", "another module's artifact");
    assert!(text.contains("systems_walk") && text.contains("systems_run"), "both values: {text}");

    let abi = playground_api::ABI;
    let (head, tail) = abi.split_at(abi.len() - 4);
    let foreign = format!(
        "{head}{}",
        tail.chars().rev().map(|c| if c == '0' { '1' } else { '0' }).collect::<String>()
    );
    let text = refused(patched(abi, &foreign), "systems_walk", "another ABI");
    assert!(text.contains(abi) || text.contains(tail), "{text}");

    refused(patched("PLAYGROUND_MODULE", "PLAYGROUND_MODULF"), "systems_walk", "no module");
    let text = refused(patched("bevy_ecs", "bevy_ecz"), "systems_walk", "a missing symbol");
    assert!(text.contains("bevy_ecz"), "the symbol is named: {text}");

    for length in [0, 1, 63, 64, 200, bytes.len() / 2, bytes.len() - 1] {
        refused(bytes[..length].to_vec(), "systems_walk", "a file that was cut");
    }
    refused(
        b"#!/bin/sh\necho not a library at all, but long enough to be looked at, really\n".to_vec(),
        "systems_walk",
        "a script",
    );
    let mut machine = bytes.clone();
    machine[18] = 183;
    refused(machine, "systems_walk", "another machine's");
}
