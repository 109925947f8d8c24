//! Edits of a field of mines, where observers and a one-shot system do most of the work.

use super::{Edit, Game, Keeps, play};

#[test]
fn a_minefield_is_edited_while_it_is_played() {
    let game = Game {
        name: "minefield",
        renewed: &["Title"],
        persisted: &[],
        opening: &["tidy", "wait 2"],
    };
    play(&game, &[ORDINARY, OBSERVERS, SHAPES]);
}

const ORDINARY: &[Edit] = &[
    Edit::ordinary(
        "a color",
        &[(
            "FLAG_COLOR: Color = Color::srgb(0.25, 0.75",
            "FLAG_COLOR: Color = Color::srgb(0.25, 0.50",
        )],
        &["found=1 ", "flag=1(0.50)"],
    )
    .playing(&["look 0 0", "wait 3"])
    .with_next(),
    Edit::ordinary("a body", &[(".sin().abs()", ".sin().abs() + 2.0")], &["bright=true"])
    .with_next(),
    Edit::ordinary("a text", &[("\"{} {}\"", "\"{} found: {}\"")], &["text=`Mines found: 1`"])
    .with_next(),
    Edit::ordinary(
        "a layout",
        &[("TITLE_LEFT: f32 = 4.0", "TITLE_LEFT: f32 = 12.0")],
        &["left=Px(12.0)"],
    ),
    Edit::ordinary(
        "a new function",
        &[
            ("title.word, progress", "loud(title.word), progress"),
            ("fn place", "fn loud(text: &str) -> String {\n    text.to_uppercase()\n}\n\nfn place"),
        ],
        &["text=`MINES found: 1`"],
    ),
    Edit::ordinary(
        "a function that goes",
        &[
            ("loud(title.word), progress", "title.word, progress"),
            ("fn loud(text: &str) -> String {\n    text.to_uppercase()\n}\n\n", ""),
        ],
        &["text=`Mines found: 1"],
    )
    .with_next(),
    Edit::ordinary(
        "a new system",
        &[
            ("blink, show_title)", "blink, show_title, shout)"),
            (
                "fn place",
                "fn shout(mut texts: Query<&mut Text>) {\n    texts.iter_mut().for_each(|mut text| text.0 += \"!\");\n}\n\nfn place",
            ),
        ],
        &["text=`Mines found: 1!`"],
    ),
    Edit::ordinary(
        "a run condition",
        &[(
            "show_title, shout)",
            "show_title, shout.run_if(|progress: Res<Progress>| progress.found > 1))",
        )],
        &["text=`Mines found: 1`"],
    ),
    Edit::ordinary(
        "a run condition that goes",
        &[("shout.run_if(|progress: Res<Progress>| progress.found > 1)", "shout")],
        &["text=`Mines found: 1!`"],
    ),
    Edit::ordinary(
        "a system that goes",
        &[
            ("show_title, shout)", "show_title)"),
            (
                "fn shout(mut texts: Query<&mut Text>) {\n    texts.iter_mut().for_each(|mut text| text.0 += \"!\");\n}\n\n",
                "",
            ),
        ],
        &[" Mines found: "],
    )
    .with_next(),
    Edit::ordinary(
        "a parameter of a system",
        &[
            ("fn show_title(", "fn show_title(index: Res<Index>, "),
            (
                "\"{} found: {}\", title.word,",
                "\"{} {} found: {}\", index.mines.len(), title.word,",
            ),
        ],
        &["text=`16 Mines found: "],
    )
    .with_next(),
    Edit::ordinary(
        "a parameter of a function",
        &[
            ("fn place(words: &[String])", "fn place(words: &[String], first: i32)"),
            ("place(&words)", "place(&words, 1)"),
            (
                "(numbers.next().unwrap_or_default(),",
                "(numbers.next().unwrap_or_default() - first,",
            ),
        ],
        &["found=2 ", "found: 2`"],
    )
    .playing(&["look 8 5", "wait 3"]),
];

const OBSERVERS: &[Edit] = &[
    Edit::ordinary(
        "the body of a global observer",
        &[("contains_key(&look.at) {", "contains_key(&look.at) && look.at.0 != 1 {")],
        &["found=3 "],
    )
    .playing(&["look 2 2", "wait 3", "look 3 1", "wait 3"]),
    Edit::ordinary(
        "the body of an observer of what is added",
        &[("= mines.get(added.entity) {", "= mines.get(added.entity)\n        && mine.at.0 != 7\n    {")],
        &["found=0 "],
    )
    .playing(&["again", "wait 2"])
    .with_next(),
    Edit::ordinary(
        "the body of an observer of entities",
        &[("exploded += rules.worth", "exploded += rules.worth * 10")],
        &["mines=12 indexed=10 ", "exploded=40 "],
    )
    .playing(&["explode 1 3", "wait 5"]),
    Edit::ordinary(
        "the body of a one-shot system",
        &[("flag.number > 1", "flag.number > 0")],
        &["found=1 ", "flags=0 "],
    )
    .playing(&["look 1 0", "wait 3", "tidy", "wait 2"])
    .with_next(),
    Edit::ordinary(
        "the initial value of a resource",
        &[("Rules { worth: 1 }", "Rules { worth: 2 }")],
        &["mines=6 indexed=4 ", "exploded=160 "],
    )
    .playing(&["explode 2 5", "wait 8"]),
    Edit::ordinary(
        "the initial value of a resource that the game has changed",
        &[("Progress { found: 0, exploded: 0,", "Progress { found: 5, exploded: 5,")],
        &["found=1 "],
    )
    .with_next(),
    Edit::ordinary(
        "a constant",
        &[("REACH: i32 = 1", "REACH: i32 = 2")],
        &["mines=4 indexed=2 ", "exploded=200 "],
    )
    .playing(&["explode 5 5", "wait 4"]),
    Edit::ordinary(
        "a new global observer",
        &[
            (".add_observer(look)", ".add_observer(look)\n        .add_observer(on_flag)"),
            ("fn place", "fn on_flag(_: On<Add, Flag>, mut progress: ResMut<Progress>) {\n    progress.exploded = 7;\n}\n\nfn place"),
        ],
        &["found=2 exploded=7 "],
    )
    .playing(&["look 1 0", "wait 3"]),
    Edit::ordinary(
        "a new observer of entities",
        &[
            (".add_observer(look)", ".add_observer(look)\n        .add_entity_observer::<Lamp, Explode, _, _>(on_lamp)"),
            ("fn place", "fn on_lamp(_: On<Explode>, mut rules: ResMut<Rules>) {\n    rules.worth = 3;\n}\n\nfn place"),
        ],
        &["mines=3 indexed=1 ", "worth=3 "],
    )
    .playing(&["explode 1 0", "wait 3"]),
    Edit::ordinary(
        "observers that go",
        &[
            ("\n        .add_observer(on_flag)", ""),
            ("\n        .add_entity_observer::<Lamp, Explode, _, _>(on_lamp)", ""),
            ("fn on_flag(_: On<Add, Flag>, mut progress: ResMut<Progress>) {\n    progress.exploded = 7;\n}\n\n", ""),
            ("fn on_lamp(_: On<Explode>, mut rules: ResMut<Rules>) {\n    rules.worth = 3;\n}\n\n", ""),
        ],
        &["found=1 exploded=0 "],
    )
    .playing(&["again", "wait 2", "look 1 0", "wait 3"]),
];

/// What one save touches leaves the types that the others touch.
const SHAPES: &[Edit] = &[
    Edit::shape(
        "a field of a component with observers",
        Keeps::AllBut(&["Mine"]),
        &[
            ("struct Mine {", "struct Mine {\n    force: u32,"),
            ("Mine { at:", "Mine { force: 2, at:"),
        ],
        &["force=Some(2)", "mines=15 indexed=13 "],
    )
    .asking(r#""force={:?}", mines.iter().map(|(mine, _)| mine.force).max()"#)
    .playing(&["explode 1 0", "wait 3"]),
    Edit::shape(
        "a new name in `Mine`",
        Keeps::AllBut(&["Mine"]),
        &[("force", "power")],
        &["power=Some(2)"],
    )
    .with_next(),
    Edit::shape(
        "a field of a marker",
        Keeps::AllBut(&["Flag"]),
        &[
            ("struct Flag {", "struct Flag {\n    team: u8,"),
            ("Flag { number:", "Flag { team: 4, number:"),
        ],
        &["team=Some(4)"],
    )
    .asking(r#""team={:?}", flags.iter().map(|(flag, _)| flag.team).max()"#)
    .playing(&["look 1 0", "wait 3"])
    .with_next(),
    Edit::shape(
        "a field of a lamp",
        Keeps::AllBut(&["Lamp"]),
        &[
            ("struct Lamp {", "struct Lamp {\n    hue: f32,"),
            ("Lamp { brightness:", "Lamp { hue: 0.5, brightness:"),
        ],
        &["hue=Some(0.5)"],
    )
    .asking(r#""hue={:?}", lamps.iter().map(|lamp| lamp.hue).next()"#)
    .with_next(),
    Edit::shape(
        "a field of a text's marker",
        Keeps::AllBut(&["Title"]),
        &[
            ("struct Title {", "struct Title {\n    bold: bool,"),
            ("Title { word:", "Title { bold: true, word:"),
        ],
        &["bold=Some(true)"],
    )
    .asking(r#""bold={:?}", titles.iter().map(|(_, _, title)| title.bold).next()"#),
    Edit::shape(
        "a new name in `Flag`",
        Keeps::AllBut(&["Flag"]),
        &[("team", "side")],
        &["side=Some(4)"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Lamp`",
        Keeps::AllBut(&["Lamp"]),
        &[("hue", "tone")],
        &["tone=Some(0.5)"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Title`",
        Keeps::AllBut(&["Title"]),
        &[("bold", "heavy")],
        &["heavy=Some(true)"],
    )
    .with_next(),
    Edit::shape(
        "a field of an event of entities",
        Keeps::AllBut(&[]),
        &[
            ("struct Explode {", "struct Explode {\n    power: u32,"),
            ("Explode { entity: *", "Explode { power: 3, entity: *"),
            ("+= rules.worth * 10", "+= explosion.power"),
        ],
        &["exploded=3 "],
    )
    .playing(&["explode 1 0", "wait 3"])
    .with_next(),
    Edit::shape(
        "a field of an event",
        Keeps::AllBut(&[]),
        &[
            ("struct Look {", "struct Look {\n    by: u32,"),
            ("Look { at:", "Look { by: 8, at:"),
            ("looked = 1", "looked = look.by"),
        ],
        &["looked=8"],
    )
    .playing(&["look 4 3", "wait 3"])
    .with_next(),
    Edit::shape(
        "a field of a message",
        Keeps::AllBut(&[]),
        &[
            ("struct Found {", "struct Found {\n    weight: u32,"),
            ("Found { at:", "Found { weight: 2, at:"),
            ("progress.found += 1", "progress.found += found.weight"),
        ],
        &["found=2 "],
    ),
    Edit::shape(
        "a new name in `Explode`",
        Keeps::AllBut(&[]),
        &[
            ("    power: u32,\n    entity", "    heat: u32,\n    entity"),
            ("power: 3", "heat: 4"),
            ("explosion.power", "explosion.heat"),
        ],
        &["exploded=4 "],
    )
    .playing(&["explode 1 0", "wait 3"])
    .with_next(),
    Edit::shape(
        "a new name in `Look`",
        Keeps::AllBut(&[]),
        &[("    by: u32", "    from: u32"), ("by: 8", "from: 9"), ("look.by", "look.from")],
        &["looked=9"],
    )
    .playing(&["look 4 3", "wait 3"])
    .with_next(),
    Edit::shape(
        "a new name in `Found`",
        Keeps::AllBut(&[]),
        &[("weight", "value"), ("value: 2", "value: 3")],
        &["found=3 "],
    )
    .playing(&["look 4 3", "wait 3"])
    .with_next(),
    Edit::shape(
        "a field of an index",
        Keeps::AllBut(&["Index"]),
        &[
            ("struct Index {", "struct Index {\n    added: u32,"),
            ("index.mines.insert", "index.added += 1;\n        index.mines.insert"),
        ],
        &["added=true"],
    )
    .asking(r#""added={}", index.added >= 13"#)
    .with_next(),
    Edit::shape(
        "a field of a resource that is inserted",
        Keeps::AllBut(&["Progress"]),
        &[
            ("struct Progress {", "struct Progress {\n    looks: u32,"),
            ("Progress { found:", "Progress { looks: 6, found:"),
        ],
        &["looks=6"],
    )
    .asking(r#""looks={}", progress.looks"#)
    .with_next(),
    Edit::shape(
        "a field of another resource",
        Keeps::AllBut(&["Rules"]),
        &[
            ("struct Rules {", "struct Rules {\n    lives: u32,"),
            ("Rules { worth:", "Rules { lives: 9, worth:"),
        ],
        &["lives=9"],
    )
    .asking(r#""lives={}", rules.lives"#),
    Edit::shape(
        "a new name in `Index`",
        Keeps::AllBut(&["Index"]),
        &[("added: u32", "adds: u32"), ("index.added", "index.adds")],
        &["added=true"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Progress`",
        Keeps::AllBut(&["Progress"]),
        &[("looks", "tries")],
        &["tries=6"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Rules`",
        Keeps::AllBut(&["Rules"]),
        &[("lives", "hearts")],
        &["hearts=9"],
    ),
];
