//! The camera, and the mesh that shows the canvas.
//!
//! Both are identified by [`DespawnOnUnload`] and Bevy's own components, not by a type of this
//! module, so that they are found again after any swap.

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

/// Spawns the camera if it does not exist.
pub fn set_up_camera(
    mut commands: Commands,
    cameras: Query<&DespawnOnUnload, With<Camera2d>>,
    bounds: Res<Bounds>,
) {
    if cameras.iter().any(is_own) {
        return;
    }
    commands.spawn((
        Name::new("game camera"),
        Camera2d,
        Camera { clear_color: ClearColorConfig::Custom(BACKGROUND), ..default() },
        Projection::Orthographic(OrthographicProjection {
            scaling_mode: framing(&bounds),
            ..OrthographicProjection::default_2d()
        }),
        IsDefaultUiCamera,
        despawn_on_unload!(),
    ));
}

/// Spawns the mesh if it does not exist.
pub fn set_up_surface(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<ColorMaterial>>,
    surfaces: Query<&DespawnOnUnload, With<Mesh2d>>,
) {
    if surfaces.iter().any(is_own) {
        return;
    }
    commands.spawn((
        Name::new("canvas"),
        Mesh2d(meshes.add(mesh(&Canvas::default()))),
        MeshMaterial2d(materials.add(ColorMaterial {
            alpha_mode: AlphaMode2d::Blend,
            ..ColorMaterial::from_color(Color::WHITE)
        })),
        NoFrustumCulling,
        despawn_on_unload!(),
    ));
}

/// Clears the canvas.
pub fn clear(mut canvas: ResMut<Canvas>) {
    canvas.clear();
}

/// Keeps the whole world in view.
pub fn frame_world(
    bounds: Res<Bounds>,
    mut cameras: Query<(&mut Projection, &DespawnOnUnload), With<Camera2d>>,
) {
    if !bounds.is_changed() {
        return;
    }
    for (mut projection, owner) in &mut cameras {
        if let Projection::Orthographic(projection) = &mut *projection
            && is_own(owner)
        {
            projection.scaling_mode = framing(&bounds);
        }
    }
}

/// Copies the canvas to the mesh.
pub fn show(
    canvas: Res<Canvas>,
    mut meshes: ResMut<Assets<Mesh>>,
    surfaces: Query<(&Mesh2d, &DespawnOnUnload)>,
) -> Result {
    for (surface, owner) in &surfaces {
        if is_own(owner) {
            meshes.insert(surface.id(), mesh(&canvas))?;
        }
    }
    Ok(())
}

fn is_own(owner: &DespawnOnUnload) -> bool {
    *owner == despawn_on_unload!()
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
