//! Edits of a menu whose screens are open meanwhile.

use super::{Edit, Game, Keeps, play};

#[test]
fn a_menu_is_edited_while_its_screens_are_open() {
    let game = Game { name: "menu", renewed: &[], persisted: &[], opening: &["wait 30"] };
    play(&game, &[ORDINARY, SHAPES]);
}

/// What set-up code made is seen when the screen opens the next time.
const OPEN_AGAIN: &[&str] = &["press Back", "wait 3", "press Settings", "wait 3"];
const OPEN_SETTINGS: &[&str] = &["press Settings", "wait 3"];

const ORDINARY: &[Edit] = &[
    Edit::ordinary(
        "a color in a system",
        &[("PRESSED: Color = Color::srgb(0.25, 0.75", "PRESSED: Color = Color::srgb(0.25, 0.50")],
        &["screen=Settings volume=6 ", "+1(Px(200.0),0.50)"],
    )
    .playing(&["press Settings", "wait 3", "press Louder", "wait 2"])
    .with_next(),
    Edit::ordinary(
        "a color of what is there",
        &[("NORMAL: Color = Color::srgb(0.25, 0.25", "NORMAL: Color = Color::srgb(0.25, 0.30")],
        &["screen=Settings volume=6 ", "-1(Px(200.0),0.30)"],
    ),
    Edit::ordinary("a text", &[("\"{}: {}\"", "\"{} = {}\"")], &["text=`Volume = 6`"])
    .with_next(),
    Edit::ordinary(
        "a text in set-up code",
        &[("heading(\"Settings\")", "heading(\"Options\")")],
        &["title=`Options`"],
    )
    .playing(OPEN_AGAIN)
    .with_next(),
    Edit::ordinary("a color in set-up code", &[("srgb(0.75, 0.75, 0.75)", "srgb(0.75, 0.75, 0.50)")], &["blue=0.50"])
        .playing(OPEN_AGAIN)
    .with_next(),
    Edit::ordinary("a layout", &[("BUTTON_WIDTH: f32 = 200.0", "BUTTON_WIDTH: f32 = 240.0")], &["+1(Px(240.0),0.30)"])
        .playing(OPEN_AGAIN),
    Edit::ordinary(
        "a new button",
        &[("            button_with(\"Back\"", "            button_with(\"Mute\", Action::Volume(-100)),\n            button_with(\"Back\"")],
        &["volume=0 ", "-100(Px(240.0),0.50)"],
    )
    .playing(&["press Back", "wait 3", "press Settings", "wait 3", "press Mute", "wait 2"])
    .with_next(),
    Edit::ordinary(
        "the initial value of a resource that the game has changed",
        &[("START_VOLUME: u32 = 5", "START_VOLUME: u32 = 7")],
        &["volume=0 "],
    ),
    Edit::ordinary(
        "a new function",
        &[
            ("shown.label, volume.level", "shown.label, bar(volume.level)"),
            ("fn on_opened", "fn bar(level: u32) -> String {\n    \"|\".repeat(level as usize)\n}\n\nfn on_opened"),
        ],
        &["volume=2 ", "text=`Volume = ||`"],
    )
    .playing(&["press Louder", "wait 2", "press Louder", "wait 2"]),
    Edit::ordinary(
        "a parameter of a function",
        &[("bar(level: u32)", "bar(level: u32, sign: &str)"), ("\"|\".repeat", "sign.repeat"), ("bar(volume.level)", "bar(volume.level, \"#\")")],
        &["text=`Volume = ##`"],
    ),
    Edit::ordinary(
        "a function that goes",
        &[
            ("bar(volume.level, \"#\")", "volume.level"),
            ("fn bar(level: u32, sign: &str) -> String {\n    sign.repeat(level as usize)\n}\n\n", ""),
        ],
        &["text=`Volume = 2"],
    )
    .with_next(),
    Edit::ordinary(
        "a new system",
        &[
            ("color_buttons, show_volume)", "color_buttons, show_volume, unit)"),
            ("fn on_opened", "fn unit(mut texts: Query<&mut Text, With<VolumeText>>) {\n    texts.iter_mut().for_each(|mut text| text.0 += \" dB\");\n}\n\nfn on_opened"),
        ],
        &["text=`Volume = 2 dB`"],
    ),
    Edit::ordinary(
        "a run condition",
        &[("show_volume, unit)", "show_volume, unit.run_if(in_state(Screen::Main)))")],
        &["text=`Volume = 2`"],
    ),
    Edit::ordinary(
        "a run condition that goes",
        &[("unit.run_if(in_state(Screen::Main))", "unit")],
        &["text=`Volume = 2 dB`"],
    ),
    Edit::ordinary(
        "a system that goes",
        &[
            ("show_volume, unit)", "show_volume)"),
            ("fn unit(mut texts: Query<&mut Text, With<VolumeText>>) {\n    texts.iter_mut().for_each(|mut text| text.0 += \" dB\");\n}\n\n", ""),
        ],
        &["text=`Volume = 2"],
    )
    .with_next(),
    Edit::ordinary(
        "a parameter of a system",
        &[
            ("fn show_volume(volume", "fn show_volume(screen: Res<State<Screen>>, volume"),
            ("volume.level);\n    }\n}\n\nfn on", "volume.level);\n        text.0 += &format!(\" {:?}\", screen.get());\n    }\n}\n\nfn on"),
        ],
        &["text=`Volume = 2 Settings`"],
    ),
    Edit::ordinary(
        "a system of a transition",
        &[
            (".add_systems(OnExit(Screen::Splash), close_splash)", ".add_systems(OnExit(Screen::Splash), close_splash)\n        .add_systems(OnExit(Screen::Settings), mute)"),
            ("fn on_opened", "fn mute(mut volume: ResMut<Volume>) {\n    volume.level = 1;\n}\n\nfn on_opened"),
        ],
        &["volume=1 ", "text=`Volume = 1 Settings`"],
    )
    .playing(OPEN_AGAIN)
    .with_next(),
    Edit::ordinary("the body of an observer", &[("opened += 1", "opened += 1000")], &["opened=40"])
        .playing(OPEN_AGAIN),
    // A variable is told from the function of its name, whose bundle has a type without one.
    Edit::ordinary(
        "a variable with the name of a function that returns a bundle",
        &[("for (text, color, title) in &titles", "for (text, color, heading) in &titles"), ("title.size", "heading.size")],
        &["screen=Settings volume=1 "],
    ),
];

/// What one save touches leaves the types that the others touch.
const SHAPES: &[Edit] = &[
    Edit::shape(
        "a variant of a state",
        Keeps::AllBut(&["bevy_state::state::resources::State<Screen>", "bevy_state::state_scoped::DespawnOnExit<Screen>", "Action"]),
        &[("    Settings,\n}", "    Settings,\n    Credits,\n}"), ("Action::Open(Screen::Splash)),", "Action::Open(Screen::Credits)),")],
        &["screen=Credits "],
    )
    .playing(&["press About", "wait 3"]),
    Edit::shape(
        "a new name in `Screen`",
        Keeps::AllBut(&["bevy_state::state::resources::State<Screen>", "bevy_state::state_scoped::DespawnOnExit<Screen>", "Action"]),
        &[("Credits", "Makers")],
        &["makers=Makers"],
    )
    .asking(r#""makers={:?}", Screen::Makers"#)
    .with_next(),
    Edit::shape(
        "a variant of a component",
        Keeps::AllBut(&["Action"]),
        &[
            ("    Volume(i32),", "    Volume(i32),\n    Loudest,"),
            ("\"Mute\", Action::Volume(-100)", "\"Loudest\", Action::Loudest"),
            ("            Action::Volume(by) => volume", "            Action::Loudest => volume.level = 11,\n            Action::Volume(by) => volume"),
            ("            Action::Volume(by) => format", "            Action::Loudest => \"loudest\".to_owned(),\n            Action::Volume(by) => format"),
        ],
        &["volume=11 ", "loudest(Px(240.0)"],
    )
    .playing(&["press Settings", "wait 3", "press Loudest", "wait 2"])
    .with_next(),
    Edit::shape(
        "a field of a component",
        Keeps::AllBut(&["Title"]),
        &[("struct Title {", "struct Title {\n    level: u8,"), ("Title { size }", "Title { level: 2, size }")],
        &["level=Some(2)"],
    )
    .asking(r#""level={:?}", titles.iter().map(|(_, _, title)| title.level).next()"#)
    .with_next(),
    Edit::shape(
        "a field of a text's marker",
        Keeps::AllBut(&["VolumeText"]),
        &[("struct VolumeText {", "struct VolumeText {\n    most: u32,"), ("VolumeText { label:", "VolumeText { most: 9, label:")],
        &["most=Some(9)"],
    )
    .asking(r#""most={:?}", volumes.iter().map(|(_, shown)| shown.most).next()"#)
    .playing(OPEN_SETTINGS),
    Edit::shape("a new name in `Action`", Keeps::AllBut(&["Action"]), &[("Action::Loudest", "Action::Full"), ("    Loudest,", "    Full,")], &["loudest(Px(240.0)"])
        .playing(OPEN_SETTINGS)
    .with_next(),
    Edit::shape("a new name in `Title`", Keeps::AllBut(&["Title"]), &[("level: u8", "depth: u8"), ("level: 2", "depth: 2"), ("title.level", "title.depth")], &["level=Some(2)"])
    .with_next(),
    Edit::shape("a new name in `VolumeText`", Keeps::AllBut(&["VolumeText"]), &[("most", "limit")], &["limit=Some(9)"])
        .playing(OPEN_SETTINGS)
    .with_next(),
    Edit::shape(
        "a field of a message",
        Keeps::AllBut(&[]),
        &[
            ("struct Clicked {", "struct Clicked {\n    weight: u32,"),
            ("Clicked { action:", "Clicked { weight: 5, action:"),
            ("counts.weight = 1", "counts.weight = click.weight"),
        ],
        &["weight=5"],
    )
    .playing(OPEN_SETTINGS)
    .with_next(),
    Edit::shape(
        "a field of an event",
        Keeps::AllBut(&[]),
        &[
            ("struct Opened {", "struct Opened {\n    by: u32,"),
            ("Opened { screen: ", "Opened { by: 8, screen: "),
            ("counts.opened += 1000", "counts.opened = 80 + opened.by"),
        ],
        &["opened=88"],
    ),
    Edit::shape(
        "a new name in `Clicked`",
        Keeps::AllBut(&[]),
        &[("    weight: u32,\n    action", "    force: u32,\n    action"), ("weight: 5", "force: 6"), ("click.weight", "click.force")],
        &["weight=6"],
    )
    .playing(OPEN_SETTINGS)
    .with_next(),
    Edit::shape(
        "a new name in `Opened`",
        Keeps::AllBut(&[]),
        &[("by: 8", "from: 9"), ("    by: u32", "    from: u32"), ("opened.by", "opened.from")],
        &["opened=89"],
    )
    .with_next(),
    Edit::shape(
        "a field of a resource",
        Keeps::AllBut(&["Counts"]),
        &[
            ("struct Counts {", "struct Counts {\n    keys: u8,"),
            ("counts.pressed += 1;", "counts.pressed += 1;\n        counts.keys = 3;"),
        ],
        &["keys=3"],
    )
    .asking(r#""keys={}", counts.keys"#)
    .playing(OPEN_SETTINGS)
    .with_next(),
    Edit::shape(
        "a field of a resource that is inserted",
        Keeps::AllBut(&["Volume"]),
        &[
            ("struct Volume {", "struct Volume {\n    balance: i8,"),
            ("Volume { level:", "Volume { balance: -2, level:"),
        ],
        &["balance=-2"],
    )
    .asking(r#""balance={}", volume.balance"#)
    .with_next(),
    Edit::shape(
        "a field of a timer",
        Keeps::AllBut(&["SplashTimer"]),
        &[
            ("struct SplashTimer {", "struct SplashTimer {\n    rounds: u8,"),
            ("SplashTimer { timer:", "SplashTimer { rounds: 4, timer:"),
        ],
        &["rounds=4"],
    )
    .asking(r#""rounds={}", timer.rounds"#),
    Edit::shape("a new name in `Counts`", Keeps::AllBut(&["Counts"]), &[("keys", "taps")], &["taps=3"])
        .playing(OPEN_SETTINGS)
    .with_next(),
    Edit::shape("a new name in `Volume`", Keeps::AllBut(&["Volume"]), &[("balance", "side")], &["side=-2"])
    .with_next(),
    Edit::shape("a new name in `SplashTimer`", Keeps::AllBut(&["SplashTimer"]), &[("rounds", "laps")], &["laps=4"]),
];
