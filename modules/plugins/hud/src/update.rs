//! Updates the HUD.

use core_arena::{GameState, Health, Player, Score, Wave};
use playground_api::prelude::*;

use crate::layout::{Bar, GameOverPanel, Readout, palette};

/// The health bar, red when health is low.
pub fn health(
    player: Query<&Health, With<Player>>,
    mut bars: Query<(&Bar, &mut Node, &mut BackgroundColor)>,
) {
    let left = player.single().map_or(0.0, Health::fraction);
    let color = if left < 0.3 { palette::ALARM } else { palette::ACCENT };
    for (bar, mut node, mut background) in &mut bars {
        if *bar == Bar::Health {
            fill(&mut node, left);
            background.set_if_neq(BackgroundColor(color));
        }
    }
}

/// The bar that is full when the next dash is ready.
pub fn dash(player: Query<&Player>, mut bars: Query<(&Bar, &mut Node)>) {
    let ready = player.single().map_or(0.0, Player::dash_readiness);
    for (bar, mut node) in &mut bars {
        if *bar == Bar::Dash {
            fill(&mut node, ready);
        }
    }
}

/// Wave, score and combo.
pub fn texts(score: Res<Score>, wave: Res<Wave>, mut readouts: Query<(&Readout, &mut Text)>) {
    for (readout, mut text) in &mut readouts {
        let content = match readout {
            Readout::Wave => wave.number.max(1).to_string(),
            Readout::Points => score.points.to_string(),
            Readout::Combo if score.combo > 1 => format!("x{}", score.combo),
            Readout::Combo => String::new(),
            Readout::Summary => format!(
                "{} points    {} kills    wave {}    best {}",
                score.points, score.kills, wave.number, score.best
            ),
        };
        if text.0 != content {
            text.0 = content;
        }
    }
}

/// Shows the panel while the game is over.
pub fn game_over(
    state: Res<State<GameState>>,
    mut panels: Query<&mut Visibility, With<GameOverPanel>>,
) {
    let visible = match state.get() {
        GameState::Playing => Visibility::Hidden,
        GameState::GameOver => Visibility::Visible,
    };
    for mut visibility in &mut panels {
        visibility.set_if_neq(visible);
    }
}

/// Sets a bar's width. Skips unchanged widths, since each change triggers a layout.
fn fill(node: &mut Mut<Node>, part: f32) {
    let width = percent((part * 200.0).round() * 0.5);
    if node.width != width {
        node.width = width;
    }
}
