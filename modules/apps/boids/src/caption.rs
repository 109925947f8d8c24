//! The caption: number of boids and controls.

use playground_api::prelude::*;

use crate::population::Boid;

/// Marks the caption.
#[own_identity]
#[derive(Component)]
pub struct Caption;

/// Spawns the caption.
pub fn set_up(mut commands: Commands) {
    commands.spawn((
        Name::new("caption"),
        Caption,
        Node {
            position_type: PositionType::Absolute,
            left: px(20),
            bottom: px(20),
            padding: UiRect::axes(px(12), px(7)),
            border_radius: BorderRadius::all(px(6)),
            ..default()
        },
        BackgroundColor(Color::srgba(0.025, 0.032, 0.055, 0.92)),
        Text::default(),
        TextFont::from_font_size(FontSize::Px(16.0)),
        TextColor(Color::srgb(0.62, 0.70, 0.80)),
        despawn_on_reload!(),
    ));
}

/// Updates the number of boids.
pub fn update(boids: Query<(), With<Boid>>, mut captions: Query<&mut Text, With<Caption>>) {
    for mut text in &mut captions {
        let count = boids.count();
        let content = format!("{count} boids    left mouse: come    right mouse: flee");
        if text.0 != content {
            text.0 = content;
        }
    }
}
