//! What a module's author reads after a slip: what to do, and not the bounds of the API.

use playground_tests::Scene;

use crate::EXTRA;

/// The message of each slip is short, and holds these.
fn assert_told(replacements: &[(&str, &str)], expected: &[&str], most_lines: usize) {
    let mut scene = Scene::demo();
    let reason = scene.refusal("build_failed", EXTRA, replacements);
    for text in expected {
        assert!(reason.contains(text), "no `{text}`:\n{reason}");
    }
    assert!(reason.lines().count() <= most_lines, "{} lines:\n{reason}", reason.lines().count());
}

#[test]
fn a_forgotten_derive_is_named() {
    let derives = "#[derive(Resource, Debug, Default, Persist, Serialize, Deserialize)]";
    let without = "#[derive(Resource, Debug, Default, Serialize, Deserialize)]";
    let told =
        ["`Extra` has no schema", "add `#[derive(Persist)]`", "`Extra` is in the list `persist`"];
    assert_told(&[(derives, without)], &told, 50);
    let without = "#[derive(Resource, Debug, Default, Persist)]";
    assert_told(&[(derives, without)], &["derive `Persist`, `Serialize` and `Deserialize`"], 30);
}

#[test]
fn a_field_without_a_schema_is_named() {
    let field = ("    pub runs: u64,", "    pub runs: u64,\n    pub at: Option<std::net::IpAddr>,");
    let told = ["`IpAddr` has no schema", "playground_api::schema::opaque"];
    assert_told(&[field], &told, 25);
}

#[test]
fn plugins_are_refused_with_the_reason() {
    let adds = "    module\n        .add_plugins(bevy::app::TaskPoolPlugin::default())\n";
    let told = ["a module cannot add plugins", "the host's `main`"];
    assert_told(&[("    module\n", adds)], &told, 20);
}

#[test]
fn a_missing_crate_is_one_message_with_its_line() {
    let mut scene = Scene::demo();
    let manifest = "plugins/extra/Cargo.toml";
    let reason = scene.refusal("build_failed", manifest, &[("serde.workspace = true\n", "")]);
    assert_eq!(reason.matches("can't find crate for `serde`").count(), 1, "{reason}");
    assert!(reason.contains("Add `serde.workspace = true` to [dependencies]"), "{reason}");
}

#[test]
fn an_observer_may_have_a_run_condition() {
    let mut scene = Scene::demo();
    let observes =
        "    module\n        .add_observer(on_mark.run_if(|extra: Res<Extra>| extra.runs > 0))\n";
    let on_mark = "\nfn on_mark(_: On<Add, Mark>, mut extra: ResMut<Extra>) {\n    \
                   extra.runs += 100_000;\n}\n\nfn run(";
    scene.swap(EXTRA, &[("    module\n", observes), ("\nfn run(", on_mark)]);
    let runs = |scene: &mut Scene| playground_tests::number(&scene.console("extra"), "runs");
    scene.frames(2);
    assert!(runs(&mut scene).is_some_and(|runs| runs < 100_000), "nothing was added");
    scene.console("disable plugins_extra; enable plugins_extra");
    scene.frames(2);
    assert!(runs(&mut scene).is_some_and(|runs| runs > 100_000), "{}", scene.console("extra"));
}
