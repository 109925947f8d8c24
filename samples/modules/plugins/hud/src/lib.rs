//! A HUD that does not rely on colour: numbers, segments, light on dark.
#![forbid(unsafe_code)]

use core_arena::{GameState, Health, Player, Score, Wave};
use playground_api::prelude::*;

export_module! {
    kind: Plugins,
    requires: { core_arena: "^0.1" },
    persist: [],
    build: build,
}

/// The number of segments of the bar of health.
const SEGMENTS: usize = 10;
const LIGHT: Color = Color::WHITE;
const DARK: Color = Color::srgba(0.0, 0.0, 0.0, 0.85);

/// A segment of the bar of health, from the left.
#[own_identity]
#[derive(Component, Clone, Copy)]
struct Segment(usize);

/// A text that is updated.
#[own_identity]
#[derive(Component, Clone, Copy)]
enum Readout {
    Health,
    Dash,
    Wave,
    Points,
    Over,
}

fn build(module: &mut ModuleApp) {
    module.add_systems(OnLoad, lay_out).add_systems(Update, (segments, texts));
}

fn lay_out(mut commands: Commands) {
    let segment = |number: usize| {
        (
            Node { width: px(22), height: px(18), border: UiRect::all(px(2)), ..default() },
            BorderColor::all(LIGHT),
            BackgroundColor(DARK),
            Segment(number),
        )
    };
    commands.spawn((
        Name::new("hud"),
        Node {
            position_type: PositionType::Absolute,
            width: percent(100),
            padding: UiRect::axes(px(32), px(20)),
            justify_content: JustifyContent::SpaceBetween,
            align_items: AlignItems::Center,
            ..default()
        },
        BackgroundColor(DARK),
        despawn_on_reload!(),
        Children::spawn(SpawnWith(move |row: &mut ChildSpawner| {
            row.spawn((Node { column_gap: px(4), align_items: AlignItems::Center, ..default() },))
                .with_children(|bar| {
                    for number in 0..SEGMENTS {
                        bar.spawn(segment(number));
                    }
                    bar.spawn(readout(Readout::Health));
                });
            for text in [Readout::Dash, Readout::Over, Readout::Wave, Readout::Points] {
                row.spawn(readout(text));
            }
        })),
    ));
}

fn readout(readout: Readout) -> impl Bundle {
    (Text::default(), TextFont::from_font_size(FontSize::Px(24.0)), TextColor(LIGHT), readout)
}

/// Fills the segments that the player's health reaches.
fn segments(
    player: Query<&Health, With<Player>>,
    mut segments: Query<(&Segment, &mut BackgroundColor)>,
) {
    let left = player.single().map_or(0.0, Health::fraction) * SEGMENTS as f32;
    for (segment, mut background) in &mut segments {
        let color = if (segment.0 as f32) < left { LIGHT } else { DARK };
        background.set_if_neq(BackgroundColor(color));
    }
}

fn texts(
    state: Res<State<GameState>>,
    score: Res<Score>,
    wave: Res<Wave>,
    player: Query<(&Health, &Player)>,
    mut readouts: Query<(&Readout, &mut Text)>,
) {
    let player = player.single().ok();
    for (readout, mut text) in &mut readouts {
        let content = match readout {
            Readout::Health => player.map_or(String::new(), |(health, _)| {
                format!(" {} of {}", health.current.max(0), health.max)
            }),
            Readout::Dash => {
                player.map_or(String::new(), |(_, player)| match player.dash_readiness() {
                    ready if ready >= 1.0 => "dash ready".to_owned(),
                    _ => format!("dash in {:.1} s", player.dash_cooldown_s),
                })
            }
            Readout::Wave => format!("wave {}", wave.number.max(1)),
            Readout::Points => format!("{} points x{}", score.points, score.combo.max(1)),
            Readout::Over => match state.get() {
                GameState::Playing => String::new(),
                GameState::GameOver => "game over: R or Enter".to_owned(),
            },
        };
        if text.0 != content {
            text.0 = content;
        }
    }
}
