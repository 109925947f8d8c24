//! Tables of edits of three games, each made while the game runs. The games are as Bevy's own
//! examples are: hardly anything in them is persisted.
//!
//! A game is one module. After each edit its types are looked up in the world: which entities have
//! them, and whether these are the values from before.

mod breakout;
mod menu;
mod minefield;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

use bevy::ecs::component::ComponentId;
use bevy::prelude::{Entity, Transform, Vec3, World};
use playground_api::schema::names::stable_name;
use playground_tests::{Copy, Scene, number, workspace};

use crate::DEMO;

/// A game.
struct Game {
    /// Its folder below `fixtures/games`.
    name: &'static str,
    /// Types whose entities are spawned anew by each swap, in `OnLoad`.
    renewed: &'static [&'static str],
    /// Types that the game persists.
    persisted: &'static [&'static str],
    /// Console commands at the start of a game.
    opening: &'static [&'static str],
}

/// An edit that goes live.
struct Edit {
    /// The name in messages.
    name: &'static str,
    /// Texts with their replacements, one after the other.
    replacements: &'static [(&'static str, &'static str)],
    keeps: Keeps,
    /// What the report tells from here on, as arguments of `format!`.
    asks: Option<&'static str>,
    /// Console commands after the edit.
    play: &'static [&'static str],
    /// Reported afterwards, by the new code.
    shows: &'static [&'static str],
    /// It is saved together with the next one: each build takes its time.
    joins: bool,
}

impl Edit {
    /// An edit that touches no type.
    const fn ordinary(
        name: &'static str,
        replacements: &'static [(&'static str, &'static str)],
        shows: &'static [&'static str],
    ) -> Self {
        Self { name, replacements, keeps: Keeps::All, asks: None, play: &[], shows, joins: false }
    }

    /// A change of one type.
    const fn shape(
        name: &'static str,
        keeps: Keeps,
        replacements: &'static [(&'static str, &'static str)],
        shows: &'static [&'static str],
    ) -> Self {
        Self { name, replacements, keeps, asks: None, play: &[], shows, joins: false }
    }

    /// In one save with the next one.
    const fn with_next(self) -> Self {
        Self { joins: true, ..self }
    }

    /// With more in the report.
    const fn asking(self, asks: &'static str) -> Self {
        Self { asks: Some(asks), ..self }
    }

    /// With console commands before the report.
    const fn playing(self, play: &'static [&'static str]) -> Self {
        Self { play, ..self }
    }
}

/// What an edit leaves of the values that nobody persists.
enum Keeps {
    All,
    AllBut(&'static [&'static str]),
}

/// Where the values of a game's types are, by the names of the types.
type Census = BTreeMap<String, BTreeSet<(ComponentId, Entity)>>;

/// The world at the end of a frame.
struct Seen {
    census: Census,
    places: BTreeMap<Entity, Vec3>,
}

/// The last line of a game's report.
const REPORTED: &str = "    lines.join(\" \")\n";

/// Buffers of Bevy's, which hold nothing for long, and what is looked up again.
const PASSING: [&str; 4] = ["Messages<", "NextState<", "PreviousState<", "CachedSystemId<"];

impl Seen {
    fn of(world: &World) -> Self {
        let infos = world.components().iter_registered();
        let names: BTreeMap<ComponentId, String> = infos
            .map(|info| (info.id(), stable_name(&info.name()).into_owned()))
            .filter(|(_, name)| name.contains("apps_demo::"))
            .filter(|(_, name)| !PASSING.iter().any(|passing| name.contains(passing)))
            .collect();
        let (mut census, mut places) = (Census::new(), BTreeMap::new());
        for archetype in world.archetypes().iter() {
            for component in archetype.iter_components() {
                let Some(name) = names.get(&component) else { continue };
                let name = name.replace("apps_demo::", "");
                let entities = archetype.entities().iter().map(|entity| entity.id());
                census.entry(name).or_default().extend(entities.map(|entity| (component, entity)));
            }
        }
        for (_, entity) in census.values().flatten() {
            if let Some(transform) = world.get::<Transform>(*entity) {
                places.insert(*entity, transform.translation);
            }
        }
        Self { census, places }
    }
}

impl Keeps {
    /// True where the values of the type of that name are to go.
    fn drops(&self, name: &str) -> bool {
        match self {
            Self::All => false,
            Self::AllBut(types) => types.contains(&name),
        }
    }
}

/// Makes all edits of the tables, one on top of the other, while the game runs.
fn play(game: &Game, tables: &[&[Edit]]) {
    let source = workspace().join("tests/fixtures/games").join(game.name).join("src/lib.rs");
    let copy = Copy::of_fixtures();
    copy.write(DEMO, &fs::read_to_string(source).expect("a game"));
    let mut scene = Scene::with_plugin(copy, |_| {});
    scene.frames(3);
    game.opening.iter().for_each(|line| say(&mut scene, line));
    let mut save = Vec::new();
    for edit in tables.iter().copied().flatten() {
        save.push(edit);
        if !edit.joins {
            try_save(&mut scene, game, &save);
            save.clear();
        }
    }
    assert!(save.is_empty(), "the last edit has none to be saved with");
}

/// A console command, or frames that pass.
fn say(scene: &mut Scene, line: &str) {
    match line.strip_prefix("wait ") {
        Some(frames) => scene.frames(frames.parse().expect("a number of frames")),
        None => drop(scene.console(line)),
    }
}

/// Makes edits that are saved together.
fn try_save(scene: &mut Scene, game: &Game, edits: &[&Edit]) {
    let names: Vec<&str> = edits.iter().map(|edit| edit.name).collect();
    let name = names.join(", ");
    let started = Instant::now();
    let (state, points) = (scene.console("state"), points(scene, game));
    let told = losses(scene).len();
    let before = save(scene, edits, &name);
    let after = Seen::of(scene.app.world());
    let took_s = started.elapsed().as_secs_f32();
    let told = losses(scene).split_off(told).join("\n");
    let drops = |kind: &str| edits.iter().any(|edit| edit.keeps.drops(kind));
    check_values(game, &name, &drops, (&before, &after), &told);
    assert!(!stale(scene), "{name}: old code runs on\n{}", scene.story());
    assert!(self::points(scene, game) >= points, "{name}: {points:?}\n{}", scene.story());
    if edits.iter().all(|edit| matches!(edit.keeps, Keeps::All)) {
        assert!(told.is_empty(), "{name}: {told}");
        assert_eq!(scene.console("state"), state, "{name}\n{}", scene.story());
    } else {
        scene.console("again");
        game.opening.iter().for_each(|line| say(scene, line));
    }
    scene.frames(2);
    edits.iter().flat_map(|edit| edit.play).for_each(|line| say(scene, line));
    let report = scene.console("report");
    for shown in edits.iter().flat_map(|edit| edit.shows) {
        assert!(report.contains(shown), "{name}: no `{shown}` in `{report}`\n{}", scene.story());
    }
    println!("{name}: {took_s:.2} of {:.2} s: {report}", started.elapsed().as_secs_f32());
}

/// Saves edits and lets frames pass until they are live. Gives the last frame of the old code; no
/// frame of the new one has passed.
fn save(scene: &mut Scene, edits: &[&Edit], name: &str) -> Seen {
    let lines: Vec<String> = edits
        .iter()
        .flat_map(|edit| edit.asks)
        .map(|asks| format!("    lines.push(format!({asks}));\n{REPORTED}"))
        .collect();
    let lines = lines.iter().map(|line| (REPORTED, line.as_str()));
    let replacements = edits.iter().flat_map(|edit| edit.replacements).copied();
    scene.edit_all(DEMO, &replacements.chain(lines).collect::<Vec<_>>());
    let before = RefCell::new(Seen::of(scene.app.world()));
    scene.until(name, |scene| {
        for other in ["refused", "build_failed", "rolled_back"] {
            assert!(scene.event(other, None).is_none(), "{name}: {other}\n{}", scene.story());
        }
        let live = scene.event("swapped", Some("apps_demo")).is_some();
        if !live {
            *before.borrow_mut() = Seen::of(scene.app.world());
        }
        live
    });
    before.into_inner()
}

/// The persisted score.
fn points(scene: &mut Scene, game: &Game) -> Option<i64> {
    let persists = !game.persisted.is_empty();
    persists.then(|| number(&scene.console("points"), "points").expect("a score"))
}

/// Compares the values of the frame before a swap with those after it.
fn check_values(
    game: &Game,
    name: &str,
    drops: &dyn Fn(&str) -> bool,
    (before, after): (&Seen, &Seen),
    told: &str,
) {
    let none = BTreeSet::new();
    for (kind, was) in before.census.iter().filter(|(_, was)| !was.is_empty()) {
        let is = after.census.get(kind).unwrap_or(&none);
        let kept = was.intersection(is).count();
        // The game goes on in the frame of the swap, and breaks or opens one thing at most.
        let few = was.len().abs_diff(is.len()) <= 1;
        if game.persisted.contains(&kind.as_str()) {
            assert!(few, "{name}: `{kind}` is persisted: {was:?} {is:?}");
        } else if drops(kind) {
            assert_eq!(kept, 0, "{name}: `{kind}` stays, and was to go: {was:?} {is:?}");
            let named = (was.len().saturating_sub(1)..=was.len() + 1)
                .any(|count| told.contains(&notice(count, kind)));
            assert!(named, "{name}: `{}` is not in `{told}`", notice(was.len(), kind));
        } else if game.renewed.contains(&kind.as_str()) {
            let ids = |set: &BTreeSet<(ComponentId, Entity)>| -> BTreeSet<ComponentId> {
                set.iter().map(|(id, _)| *id).collect()
            };
            assert_eq!((was.len(), ids(was)), (is.len(), ids(is)), "{name}: `{kind}`");
        } else {
            let missing = was.len() - kept;
            assert!(few && missing <= 1, "{name}: `{kind}` was to stay: {was:?} {is:?}\n{told}");
        }
    }
    // Entities go on where they were, also where their components went.
    for (entity, place) in &before.places {
        let moved = after.places.get(entity).map_or(0.0, |now| now.distance(*place));
        assert!(moved < 20.0, "{name}: {entity} jumped by {moved}");
    }
}

/// How the loss of values is told.
fn notice(count: usize, kind: &str) -> String {
    let values = if count == 1 { "1 value".to_owned() } else { format!("{count} values") };
    match kind.split_once('<') {
        None => format!("{values} of `apps_demo::{kind}`"),
        // Bevy's own around one of the game's.
        Some((outer, inner)) => format!("{values} of `{outer}<apps_demo::{inner}`"),
    }
}

/// The lines that told of lost values.
fn losses(scene: &Scene) -> Vec<String> {
    let log = scene.log().into_iter();
    log.filter(|line| line.contains("went with the old form")).collect()
}

/// True where a swap told of code that it could not exchange.
fn stale(scene: &Scene) -> bool {
    scene.log().iter().any(|line| line.contains("run the code from before"))
}
