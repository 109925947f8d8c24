//! Many swaps in one process. Takes minutes: not a part of `cargo test`.
//!
//! ```sh
//! cargo test --test soak -- --ignored --nocapture
//! ```

use std::time::Instant;

use playground_tests::{Copy, Scene, number};

const TAGS: &str = "plugins/tags/src/lib.rs";

/// Something on every fighter of the arena, in one of two forms.
fn source(round: u32) -> String {
    let (field, of) = if round.is_multiple_of(2) { ("number", "u32") } else { ("label", "f64") };
    let former = if round.is_multiple_of(2) { "label" } else { "number" };
    format!(
        r#"//! Tags what fights.
#![forbid(unsafe_code)]

use core_arena::Health;
use core_physics::StableId;
use playground_api::prelude::*;

export_module! {{
    kind: Plugins,
    requires: {{ core_arena: "^0.1", core_physics: "^0.1" }},
    persist: [Tag],
    build: build,
}}

/// A number that stays with its bearer.
#[derive(Component, Persist, Serialize, Deserialize, Clone, Debug, Default)]
pub struct Tag {{
    #[persist(rename = "{former}")]
    {field}: {of},
}}

fn build(module: &mut ModuleApp) {{
    module.add_systems(FixedPostUpdate, tag).add_console_command("tags", "counts them", tags);
}}

fn tag(untagged: Query<(Entity, &StableId), (With<Health>, Without<Tag>)>, mut commands: Commands) {{
    for (entity, id) in &untagged {{
        commands.entity(entity).insert(Tag {{ {field}: id.0 as {of} }});
    }}
}}

fn tags(In(_): In<Vec<String>>, tags: Query<(&Tag, &StableId)>) -> String {{
    let right = tags.iter().filter(|(tag, id)| tag.{field} == id.0 as {of}).count();
    format!("tags={{}} right={{right}}", tags.iter().count())
}}
"#
    )
}

fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_default()
}

fn maps() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap_or_default().lines().count()
}

#[test]
#[ignore = "takes minutes"]
fn two_hundred_swaps_between_two_schemas_lose_nothing() {
    const ROUNDS: u32 = 200;
    let copy = Copy::of_game();
    let manifest = copy.read("plugins/trails/Cargo.toml");
    let manifest = manifest.replace("plugins_trails", "plugins_tags");
    let api = "playground_api.workspace = true\n";
    let manifest = manifest.replace(api, &format!("{api}serde.workspace = true\n"));
    copy.write("plugins/tags/Cargo.toml", &manifest);
    let dependencies = copy.read("plugins/tags/Cargo.toml");
    for core in ["core_arena", "core_physics"] {
        assert!(dependencies.contains(core), "{dependencies}");
    }
    copy.write(TAGS, &source(0));
    let mut scene = Scene::with_plugin(copy, |plugin| {
        plugin.app = Some("arena".to_owned());
        plugin.watch = false;
    });
    scene.console("wait 300; snapshot save start");
    let (mut hashes, mut longest_ms) = ([String::new(), String::new()], 0.0_f64);
    let (memory, maps_before, started) = (status("VmRSS:"), maps(), Instant::now());
    for round in 0..ROUNDS {
        if round > 0 {
            scene.write(TAGS, &source(round));
            let told = scene.console("reload plugins_tags; tags");
            let tags = number(&told, "tags");
            assert!(tags > Some(0) && tags == number(&told, "right"), "round {round}: {told}");
            let swapped = scene.event("swapped", Some("plugins_tags")).expect("a swap");
            longest_ms = longest_ms.max(swapped["ms"]["pause"].as_f64().unwrap_or_default());
        }
        // From where it began: the same in each of the two forms, whatever was swapped meanwhile.
        let told = scene.console("snapshot load start; hash");
        let hash = told.lines().last().unwrap_or_default().to_owned();
        let known = &mut hashes[(round % 2) as usize];
        if known.is_empty() {
            known.clone_from(&hash);
        }
        assert!(hash.starts_with("hash ") && *known == hash, "round {round}: {known} {told}");
        if round % 20 == 19 {
            println!("{} of {ROUNDS}, {:.0} s", round + 1, started.elapsed().as_secs_f64());
        }
    }
    let swaps = f64::from(ROUNDS - 1);
    println!(
        "{swaps} swaps in {:.0} s, longest pause {longest_ms:.1} ms, {:.0} KiB and {:.1} maps a swap",
        started.elapsed().as_secs_f64(),
        (status("VmRSS:") - memory) as f64 / swaps,
        (maps() - maps_before) as f64 / swaps
    );
}
