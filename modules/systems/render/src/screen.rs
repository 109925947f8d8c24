//! The camera, and the mesh that shows the canvas. New code spawns both anew.

use bevy::asset::RenderAssetUsages;
use bevy::camera::ScalingMode;
use bevy::camera::visibility::NoFrustumCulling;
use bevy::mesh::PrimitiveTopology;
use bevy::sprite_render::AlphaMode2d;
use core_canvas::Canvas;
use core_physics::Bounds;
use playground_api::prelude::*;

/// Margin around the world that is in view, in world units.
const MARGIN: f32 = 30.0;

const BACKGROUND: Color = Color::srgb(0.020, 0.024, 0.039);

/// Marks the camera.
#[own_identity]
#[derive(Component)]
pub struct GameCamera;

/// Marks the mesh.
#[own_identity]
#[derive(Component)]
pub struct Surface;

/// Spawns the camera.
pub fn set_up_camera(mut commands: Commands, bounds: Res<Bounds>) {
    commands.spawn((
        Name::new("game camera"),
        GameCamera,
        Camera2d,
        Camera { clear_color: ClearColorConfig::Custom(BACKGROUND), ..default() },
        Projection::Orthographic(OrthographicProjection {
            scaling_mode: framing(&bounds),
            ..OrthographicProjection::default_2d()
        }),
        IsDefaultUiCamera,
        despawn_on_reload!(),
    ));
}

/// Spawns the mesh.
pub fn set_up_surface(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<ColorMaterial>>,
) {
    commands.spawn((
        Name::new("canvas"),
        Surface,
        Mesh2d(meshes.add(mesh(&Canvas::default()))),
        MeshMaterial2d(materials.add(ColorMaterial {
            alpha_mode: AlphaMode2d::Blend,
            ..ColorMaterial::from_color(Color::WHITE)
        })),
        NoFrustumCulling,
        despawn_on_reload!(),
    ));
}

/// Clears the canvas.
pub fn clear(mut canvas: ResMut<Canvas>) {
    canvas.clear();
}

/// Keeps the whole world in view.
pub fn frame_world(bounds: Res<Bounds>, mut cameras: Query<&mut Projection, With<GameCamera>>) {
    if !bounds.is_changed() {
        return;
    }
    for mut projection in &mut cameras {
        if let Projection::Orthographic(projection) = &mut *projection {
            projection.scaling_mode = framing(&bounds);
        }
    }
}

/// Copies the canvas to the mesh.
pub fn show(
    canvas: Res<Canvas>,
    mut meshes: ResMut<Assets<Mesh>>,
    surfaces: Query<&Mesh2d, With<Surface>>,
) -> Result {
    for surface in &surfaces {
        meshes.insert(surface.id(), mesh(&canvas))?;
    }
    Ok(())
}

fn framing(bounds: &Bounds) -> ScalingMode {
    let size = (bounds.half_size + MARGIN) * 2.0;
    ScalingMode::AutoMin { min_width: size.x, min_height: size.y }
}

fn mesh(canvas: &Canvas) -> Mesh {
    let count = canvas.layers().iter().map(|layer| layer.positions.len()).sum();
    let mut positions = Vec::with_capacity(count);
    let mut colors = Vec::with_capacity(count);
    for layer in canvas.layers() {
        positions.extend_from_slice(&layer.positions);
        colors.extend_from_slice(&layer.colors);
    }
    if positions.is_empty() {
        // A mesh without vertices has no buffer to draw from.
        positions.resize(3, [0.0; 3]);
        colors.resize(3, [0.0; 4]);
    }
    Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD)
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colors)
}
