//! The layout of the HUD.

use playground_api::prelude::*;

/// A bar.
#[own_identity]
#[derive(Component, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// The player's health.
    Health,
    /// The progress of the dash's cooldown.
    Dash,
}

/// A text that is updated.
#[own_identity]
#[derive(Component, Clone, Copy, PartialEq, Eq)]
pub enum Readout {
    /// The wave's number.
    Wave,
    /// The score.
    Points,
    /// The combo, if there is one.
    Combo,
    /// The final score.
    Summary,
}

/// Marks the panel that is shown when the game is over.
#[own_identity]
#[derive(Component)]
pub struct GameOverPanel;

/// The HUD's colours.
pub mod palette {
    use bevy::prelude::Color;

    /// Headings and numbers.
    pub const BRIGHT: Color = Color::srgb(0.92, 0.96, 1.0);
    /// Labels.
    pub const DIM: Color = Color::srgb(0.48, 0.56, 0.66);
    /// The player's colour.
    pub const ACCENT: Color = Color::srgb(0.30, 0.92, 0.82);
    /// Low health.
    pub const ALARM: Color = Color::srgb(1.0, 0.30, 0.32);
    /// The combo.
    pub const WARM: Color = Color::srgb(1.0, 0.76, 0.28);
    /// The background of bars.
    pub const GROOVE: Color = Color::srgba(0.10, 0.13, 0.19, 0.9);
    /// The background of panels.
    pub const PANEL: Color = Color::srgba(0.025, 0.032, 0.055, 0.92);
    /// The border of panels.
    pub const BORDER: Color = Color::srgb(0.16, 0.22, 0.32);
}

/// Spawns the HUD.
pub fn lay_out(mut commands: Commands) {
    commands.spawn((
        Name::new("hud"),
        full_screen(JustifyContent::SpaceBetween, AlignItems::FlexStart),
        despawn_on_reload!(),
        children![vitals(), wave(), points()],
    ));
    commands.spawn((
        Name::new("game over"),
        full_screen(JustifyContent::Center, AlignItems::Center),
        GameOverPanel,
        Visibility::Hidden,
        despawn_on_reload!(),
        children![summary()],
    ));
}

fn full_screen(justify_content: JustifyContent, align_items: AlignItems) -> Node {
    Node {
        position_type: PositionType::Absolute,
        width: percent(100),
        height: percent(100),
        padding: UiRect::axes(px(64), px(40)),
        justify_content,
        align_items,
        ..default()
    }
}

/// Three columns of the same width, so that the middle one is centred.
fn column(align_items: AlignItems) -> Node {
    Node {
        flex_direction: FlexDirection::Column,
        width: px(260),
        row_gap: px(5),
        align_items,
        ..default()
    }
}

fn vitals() -> impl Bundle {
    (
        column(AlignItems::FlexStart),
        children![
            text("HULL", 13.0, palette::DIM),
            bar(Bar::Health, 240.0, 12.0),
            bar(Bar::Dash, 120.0, 5.0),
        ],
    )
}

fn wave() -> impl Bundle {
    (
        column(AlignItems::Center),
        children![
            text("WAVE", 13.0, palette::DIM),
            (text("", 30.0, palette::BRIGHT), Readout::Wave),
        ],
    )
}

fn points() -> impl Bundle {
    (
        column(AlignItems::FlexEnd),
        children![
            text("SCORE", 13.0, palette::DIM),
            (text("", 30.0, palette::BRIGHT), Readout::Points),
            (text("", 18.0, palette::WARM), Readout::Combo),
        ],
    )
}

fn summary() -> impl Bundle {
    (
        Node {
            flex_direction: FlexDirection::Column,
            align_items: AlignItems::Center,
            row_gap: px(14),
            padding: UiRect::axes(px(64), px(40)),
            border: UiRect::all(px(1)),
            border_radius: BorderRadius::all(px(10)),
            ..default()
        },
        BackgroundColor(palette::PANEL),
        BorderColor::all(palette::BORDER),
        children![
            text("GAME OVER", 46.0, palette::ALARM),
            (text("", 20.0, palette::BRIGHT), Readout::Summary),
            text("R or Enter to play again", 15.0, palette::DIM),
        ],
    )
}

fn text(content: &str, size: f32, color: Color) -> impl Bundle {
    (Text::new(content), TextFont::from_font_size(FontSize::Px(size)), TextColor(color))
}

fn bar(bar: Bar, width: f32, height: f32) -> impl Bundle {
    let rounded = BorderRadius::all(px(height * 0.5));
    (
        Node { width: px(width), height: px(height), border_radius: rounded, ..default() },
        BackgroundColor(palette::GROOVE),
        children![(
            Node { width: percent(100), height: percent(100), border_radius: rounded, ..default() },
            BackgroundColor(palette::ACCENT),
            bar,
        )],
    )
}
