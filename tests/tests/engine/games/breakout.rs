//! Edits of breakout while the ball flies.

use super::{Edit, Game, Keeps, play};

#[test]
fn breakout_is_edited_while_the_ball_flies() {
    let game =
        Game { name: "breakout", renewed: &["ScoreText"], persisted: &["Score"], opening: &[] };
    play(&game, &[ORDINARY, SHAPES]);
}

const ORDINARY: &[Edit] = &[
    Edit::ordinary(
        "a constant",
        &[("PADDLE_SIZE: Vec2 = Vec2::new(120.0", "PADDLE_SIZE: Vec2 = Vec2::new(220.0")],
        &["paddle_x=200 "],
    )
    .playing(&["steer 1", "wait 150", "steer 0"]),
    Edit::ordinary(
        "a color",
        &[("PADDLE_COLOR: Color = Color::srgb(0.5", "PADDLE_COLOR: Color = Color::srgb(0.75")],
        &["paddle_color=0.75", "paddle_x=200 "],
    )
    .with_next(),
    Edit::ordinary(
        "the background",
        &[("BACKGROUND: Color = Color::srgb(0.25", "BACKGROUND: Color = Color::srgb(0.50")],
        &["background=0.50"],
    )
    .with_next(),
    Edit::ordinary("a text", &[("\"{} {}\"", "\"{} x {}\"")], &[" x Score`"])
    .with_next(),
    Edit::ordinary("a layout", &[("TOP: f32 = 8.0", "TOP: f32 = 16.0")], &["top=Px(16.0)"]),
    Edit::ordinary(
        "a new function",
        &[
            ("shown.label);", "louder(shown.label));"),
            (
                "fn steer_to",
                "fn louder(text: &str) -> String {\n    text.to_uppercase()\n}\n\nfn steer_to",
            ),
        ],
        &[" x SCORE`"],
    ),
    Edit::ordinary(
        "a function that goes",
        &[
            ("louder(shown.label));", "shown.label);"),
            ("fn louder(text: &str) -> String {\n    text.to_uppercase()\n}\n\n", ""),
        ],
        &[" x Score"],
    )
    .with_next(),
    Edit::ordinary(
        "a new system",
        &[
            ("(Update, show_score)", "(Update, (show_score, shout).chain())"),
            (
                "fn steer_to",
                "fn shout(mut texts: Query<&mut Text>) {\n    texts.iter_mut().for_each(|mut text| text.0 += \"!\");\n}\n\nfn steer_to",
            ),
        ],
        &[" x Score!`"],
    ),
    Edit::ordinary(
        "a run condition",
        &[(", shout)", ", shout.run_if(|steering: Res<Steering>| steering.direction > 0.0))")],
        &[" x Score`"],
    ),
    Edit::ordinary(
        "a run condition that goes",
        &[("shout.run_if(|steering: Res<Steering>| steering.direction > 0.0)", "shout")],
        &[" x Score!`"],
    ),
    Edit::ordinary(
        "a system that goes",
        &[
            ("(Update, (show_score, shout).chain())", "(Update, show_score)"),
            (
                "fn shout(mut texts: Query<&mut Text>) {\n    texts.iter_mut().for_each(|mut text| text.0 += \"!\");\n}\n\n",
                "",
            ),
        ],
        &[" Score`"],
    )
    .with_next(),
    Edit::ordinary(
        "a parameter of a system",
        &[
            (
                "fn show_score(score: Res<Score>,",
                "fn show_score(sides: Query<&Side>, score: Res<Score>,",
            ),
            ("\"{} x {}\", score", "\"{} of {} {}\", sides.iter().count(), score"),
        ],
        &["text=`4 of "],
    ),
    Edit::ordinary(
        "a parameter of a function",
        &[
            ("fn brick(row", "fn brick(points: u32, row"),
            ("brick(row, column)", "brick(2, row, column)"),
            ("Brick { points: 1 }", "Brick { points }"),
        ],
        &["worth=Some(2)"],
    )
    .playing(&["again"])
    .with_next(),
    Edit::ordinary(
        "the initial value of a resource",
        &[("Pace { speed: 240.0 }", "Pace { speed: 300.0 }")],
        &["pace=300 ", "ball_speed=300 "],
    )
    .with_next(),
    Edit::ordinary("the body of an observer", &[("luck = 1", "luck = 7")], &["luck=7 "])
        .playing(&["wait 300"])
    .with_next(),
    Edit::ordinary(
        "the body of a method",
        &[(
            "Self::Left => Vec2::new(-FIELD.x / 2.0",
            "Self::Left => Vec2::new(-FIELD.x / 2.0 - 100.0",
        )],
        &["left=Some(-420.0)"],
    )
    .asking(r#""left={:?}", Some(Side::Left.position().x)"#),
];

/// What one save touches leaves the types that the others touch.
const SHAPES: &[Edit] = &[
    Edit::shape(
        "a field of a component",
        Keeps::AllBut(&["Brick"]),
        &[
            ("struct Brick {", "struct Brick {\n    armour: u32,"),
            ("Brick { points }", "Brick { points, armour: 2 }"),
        ],
        &["armour=Some(2)"],
    )
    .asking(r#""armour={:?}", bricks.iter().map(|brick| brick.armour).max()"#),
    Edit::shape(
        "a new name in `Brick`",
        Keeps::AllBut(&["Brick"]),
        &[("armour", "plates")],
        &["plates=Some(2)"],
    )
    .with_next(),
    Edit::shape(
        "a field of the paddle",
        Keeps::AllBut(&["Paddle"]),
        &[
            ("struct Paddle {", "struct Paddle {\n    tilt: f32,"),
            ("Paddle { speed", "Paddle { tilt: 0.5, speed"),
        ],
        &["tilt=Some(0.5)"],
    )
    .asking(r#""tilt={:?}", paddles.iter().map(|(_, _, paddle)| paddle.tilt).next()"#)
    .with_next(),
    Edit::shape(
        "a field of the ball",
        Keeps::AllBut(&["Ball"]),
        &[
            ("struct Ball {", "struct Ball {\n    spin: i8,"),
            ("Ball { velocity:", "Ball { spin: -3, velocity:"),
        ],
        &["spin=Some(-3)"],
    )
    .asking(r#""spin={:?}", balls.iter().map(|ball| ball.spin).next()"#)
    .with_next(),
    Edit::shape(
        "a field of the colliders",
        Keeps::AllBut(&["Collider"]),
        &[
            ("struct Collider {", "struct Collider {\n    layer: u8,"),
            ("Collider { size:", "Collider { layer: 4, size:"),
        ],
        &["layer=Some(4)"],
    )
    .asking(r#""layer={:?}", colliders.iter().map(|collider| collider.layer).max()"#)
    .with_next(),
    Edit::shape(
        "a field of a text's marker",
        Keeps::AllBut(&["ScoreText"]),
        &[
            ("struct ScoreText {", "struct ScoreText {\n    unit: char,"),
            ("ScoreText { label:", "ScoreText { unit: 'p', label:"),
        ],
        &["unit=Some('p')"],
    )
    .asking(r#""unit={:?}", texts.iter().map(|(_, _, shown)| shown.unit).next()"#)
    .with_next(),
    Edit::shape(
        "a variant",
        Keeps::AllBut(&["Side"]),
        &[
            ("    Bottom,\n    Top,\n}", "    Bottom,\n    Top,\n    Middle,\n}"),
            ("Self::Bottom | Self::Top", "_"),
            ("Self::Top =>", "Self::Middle => Vec2::ZERO,\n            Self::Top =>"),
        ],
        &["middle=0"],
    )
    .asking(r#""middle={}", Side::Middle.position().x"#),
    Edit::shape(
        "a new name in `Paddle`",
        Keeps::AllBut(&["Paddle"]),
        &[("tilt", "angle")],
        &["angle=Some(0.5)"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Ball`",
        Keeps::AllBut(&["Ball"]),
        &[("spin", "twist")],
        &["twist=Some(-3)"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Collider`",
        Keeps::AllBut(&["Collider"]),
        &[("layer", "plane")],
        &["plane=Some(4)"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `ScoreText`",
        Keeps::AllBut(&["ScoreText"]),
        &[("unit", "mark")],
        &["mark=Some('p')"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Side`",
        Keeps::AllBut(&["Side"]),
        &[("Middle", "Net"), ("middle", "net")],
        &["net=0"],
    )
    .with_next(),
    Edit::shape(
        "a field of a message",
        Keeps::AllBut(&[]),
        &[
            ("struct Hit {", "struct Hit {\n    force: u32,"),
            ("Hit { weight:", "Hit { force: 5, weight:"),
            ("strength = hit.weight", "strength = hit.force"),
        ],
        &["strength=5 "],
    )
    .playing(&["wait 300"])
    .with_next(),
    Edit::shape(
        "a field of an event",
        Keeps::AllBut(&[]),
        &[
            ("struct Broken {", "struct Broken {\n    bonus: u32,"),
            ("Broken { points:", "Broken { bonus: 8, points:"),
            ("bounces.luck = 7", "bounces.luck = broken.bonus"),
        ],
        &["luck=8 "],
    )
    .playing(&["wait 300"]),
    Edit::shape(
        "a new name in `Hit`",
        Keeps::AllBut(&[]),
        &[("force", "impact"), ("impact: 5", "impact: 6")],
        &["strength=6 "],
    )
    .playing(&["wait 300"])
    .with_next(),
    Edit::shape(
        "a new name in `Broken`",
        Keeps::AllBut(&[]),
        &[("bonus", "extra"), ("extra: 8", "extra: 9")],
        &["luck=9 "],
    )
    .playing(&["wait 300"])
    .with_next(),
    Edit::shape(
        "a field of the score, which is persisted",
        Keeps::AllBut(&["Score"]),
        &[
            ("struct Score {", "struct Score {\n    best: u32,"),
            ("score.points = 0;", "score.points = 0;\n    score.best = 50;"),
        ],
        &["best=50"],
    )
    .asking(r#""best={}", score.best"#)
    .with_next(),
    Edit::shape(
        "a field of a resource",
        Keeps::AllBut(&["Steering"]),
        &[
            ("struct Steering {", "struct Steering {\n    keys: u8,"),
            (
                "steering.direction = direction",
                "steering.keys += 1;\n    steering.direction = direction",
            ),
        ],
        &["keys=1"],
    )
    .asking(r#""keys={}", steering.keys"#)
    .playing(&["steer 0"])
    .with_next(),
    Edit::shape(
        "a field of a resource that is inserted",
        Keeps::AllBut(&["Pace"]),
        &[
            ("struct Pace {", "struct Pace {\n    most: f32,"),
            ("Pace { speed:", "Pace { most: 400.0, speed:"),
        ],
        &["most=400", "pace=300 "],
    )
    .asking(r#""most={}", pace.most"#)
    .with_next(),
    Edit::shape(
        "a field of another resource",
        Keeps::AllBut(&["Bounces"]),
        &[
            ("struct Bounces {", "struct Bounces {\n    hard: u32,"),
            ("    bounces.luck =", "    bounces.hard = 3;\n    bounces.luck ="),
        ],
        &["hard=3"],
    )
    .asking(r#""hard={}", bounces.hard"#)
    .playing(&["wait 300"]),
    Edit::shape(
        "a new name in `Score`",
        Keeps::AllBut(&["Score"]),
        &[
            ("score.best", "score.record"),
            ("    best:", "    #[persist(rename = \"best\")]\n    record:"),
            ("score.record = 50;\n", "\n"),
        ],
        &["best=50"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Steering`",
        Keeps::AllBut(&["Steering"]),
        &[("keys", "taps")],
        &["taps=1"],
    )
    .playing(&["steer 0"])
    .with_next(),
    Edit::shape(
        "a new name in `Pace`",
        Keeps::AllBut(&["Pace"]),
        &[("most", "limit")],
        &["limit=400"],
    )
    .with_next(),
    Edit::shape(
        "a new name in `Bounces`",
        Keeps::AllBut(&["Bounces"]),
        &[("hard", "loud")],
        &["loud="],
    )
    .playing(&["wait 300"])
    .with_next(),
    Edit::shape(
        "a new component",
        Keeps::AllBut(&[]),
        &[
            (
                "/// A brick broke.",
                "#[own_identity]\n#[derive(Component)]\nstruct Trail(u8);\n\n/// A brick broke.",
            ),
            ("        Ball { twist", "        Trail(3),\n        Ball { twist"),
            (
                "    balls: Query<&Ball>,\n    bricks",
                "    balls: Query<&Ball>,\n    trails: Query<&Trail>,\n    bricks",
            ),
        ],
        &["trail=Some(3)"],
    )
    .asking(r#""trail={:?}", trails.iter().map(|trail| trail.0).next()"#),
    Edit::shape(
        "a component that goes",
        Keeps::AllBut(&["Trail"]),
        &[
            ("#[own_identity]\n#[derive(Component)]\nstruct Trail(u8);\n\n", ""),
            ("        Trail(3),\n", ""),
            ("    trails: Query<&Trail>,\n", ""),
            (", trails.iter().map(|trail| trail.0).next()", ", None::<u8>"),
        ],
        &["trail=None"],
    ),
];
