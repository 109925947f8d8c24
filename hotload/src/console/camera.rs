//! The camera that the console and modules' egui panels are drawn on: the game's, so that the game
//! finds the only camera there is; one of the console's own while the game has none.

use std::cmp::Reverse;

use bevy::camera::RenderTarget;
use bevy::camera::visibility::RenderLayers;
use bevy::core_pipeline::{Core2d, Core3d};
use bevy::prelude::*;
use bevy::render::RenderApp;
use bevy::ui_render::ui_pass;
use bevy::window::PrimaryWindow;
use playground_api::bevy_egui::render::egui_pass;
use playground_api::bevy_egui::{
    EguiContext, EguiGlobalSettings, EguiMultipassSchedule, EguiPreUpdateSet, PrimaryEguiContext,
    egui,
};

/// Keeps egui's primary context on the right camera.
pub struct ConsoleCameraPlugin;

impl Plugin for ConsoleCameraPlugin {
    fn build(&self, app: &mut App) {
        // Egui would take the first camera, and lose its context with that.
        app.world_mut().resource_mut::<EguiGlobalSettings>().auto_create_primary_context = false;
        app.add_systems(PreStartup, place_context)
            .add_systems(PreUpdate, place_context.before(EguiPreUpdateSet::InitContexts));
        // On one camera, Bevy's UI and egui have no order of their own.
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render
                .add_systems(Core2d, between.after(ui_pass).before(egui_pass))
                .add_systems(Core3d, between.after(ui_pass).before(egui_pass));
        }
    }
}

/// Carries the order: egui is drawn above the game's UI.
fn between() {}

/// The console's own camera.
#[derive(Component)]
struct ConsoleCamera;

type Cameras<'w, 's> = Query<
    'w,
    's,
    (Entity, &'static Camera, &'static RenderTarget, Has<ConsoleCamera>, Has<PrimaryEguiContext>),
>;

/// Moves the context when the game's camera comes or goes.
fn place_context(
    mut commands: Commands,
    cameras: Cameras,
    window: Option<Single<Entity, With<PrimaryWindow>>>,
    mut contexts: Query<&mut EguiContext>,
    mut last: Local<Option<egui::Context>>,
) {
    let window = window.map(|window| *window);
    let target = drawn_last(&cameras, window);
    let holders = cameras.iter().filter(|(.., holds)| *holds);
    let holders: Vec<(Entity, bool)> = holders.map(|(id, _, _, own, _)| (id, own)).collect();
    let is_placed = |(holder, own): &(Entity, bool)| target.map_or(*own, |it| it == *holder);
    for (holder, own) in holders.iter().filter(|holder| !is_placed(holder)) {
        if *own {
            commands.entity(*holder).despawn();
        } else {
            commands
                .entity(*holder)
                .remove::<EguiMultipassSchedule>()
                .remove_with_requires::<PrimaryEguiContext>();
        }
    }
    if let Some((holder, _)) = holders.iter().find(|holder| is_placed(holder)) {
        // The camera may be gone when the context is needed again.
        *last = contexts.get_mut(*holder).ok().map(|mut context| context.get_mut().clone());
    } else {
        let context = (continued(last.as_ref()), PrimaryEguiContext);
        let camera = target.unwrap_or_else(|| commands.spawn(own_camera(&cameras)).id());
        commands.entity(camera).insert(context);
    }
}

/// The game's camera that draws over its others, on the whole of the window.
fn drawn_last(cameras: &Cameras, window: Option<Entity>) -> Option<Entity> {
    let covers = |camera: &Camera, target: &RenderTarget| {
        let RenderTarget::Window(of) = target else { return false };
        let is_shown = of.normalize(window).is_some_and(|of| Some(of.entity()) == window);
        camera.is_active && camera.viewport.is_none() && is_shown
    };
    let candidates = cameras.iter().filter(|(_, camera, of, own, _)| !own && covers(camera, of));
    // Of two with the same order, the one that has it.
    let last =
        candidates.max_by_key(|(id, camera, .., holds)| (camera.order, *holds, Reverse(*id)));
    last.map(|(id, ..)| id)
}

/// A camera that sees nothing of the game. It clears the window only if nothing else does.
fn own_camera(cameras: &Cameras) -> impl Bundle + use<> {
    let is_alone = !cameras.iter().any(|(_, camera, _, own, _)| camera.is_active && !own);
    let clear_color = if is_alone { ClearColorConfig::Default } else { ClearColorConfig::None };
    (
        Name::new("console camera"),
        ConsoleCamera,
        Camera2d,
        Camera { order: 1000, clear_color, ..default() },
        RenderLayers::none(),
    )
}

/// A context that goes on where another one was. It is a new one, since the textures of fonts were
/// sent for the other's camera.
fn continued(last: Option<&egui::Context>) -> EguiContext {
    let mut context = EguiContext::default();
    if let Some(last) = last {
        let memory = last.memory(|memory| memory.clone());
        context.get_mut().memory_mut(|new| *new = memory);
        // Fonts exist after the first frame.
        if last.cumulative_frame_nr() > 0 {
            let fonts = last.fonts(|fonts| fonts.definitions().clone());
            context.get_mut().set_fonts(fonts);
        }
    } else {
        // Lists that are filtered and code that is edited draw other widgets in the same place, which
        // egui would frame in red.
        #[cfg(debug_assertions)]
        context.get_mut().all_styles_mut(|style| style.debug.warn_if_rect_changes_id = false);
    }
    context
}

#[cfg(test)]
mod tests {
    use bevy::camera::{ImageRenderTarget, Viewport};

    use super::*;

    fn app() -> App {
        let mut app = App::new();
        app.add_systems(Update, place_context);
        app.world_mut().spawn((Window::default(), PrimaryWindow));
        app.update();
        app
    }

    /// The camera that has the context, whether it is the console's, and the number of cameras.
    fn placed(app: &mut App) -> (Entity, bool, usize) {
        app.update();
        let world = app.world_mut();
        let mut holders = world
            .query_filtered::<(Entity, Has<ConsoleCamera>), (With<PrimaryEguiContext>, With<EguiContext>)>();
        let (holder, own) = holders.single(world).expect("one context");
        (holder, own, world.query::<&Camera>().iter(world).count())
    }

    fn game_camera(app: &mut App, order: isize) -> Entity {
        app.world_mut().spawn((Camera2d, Camera { order, ..default() })).id()
    }

    #[test]
    fn the_games_camera_is_the_only_one() {
        let mut app = app();
        let (own, is_own, count) = placed(&mut app);
        assert!(is_own && count == 1);
        // What egui remembers goes along.
        let id = egui::Id::new("kept");
        let mut context = app.world_mut().get_mut::<EguiContext>(own).expect("a context");
        context.get_mut().data_mut(|data| data.insert_temp(id, 7));
        app.update();
        let camera = game_camera(&mut app, 0);
        assert_eq!(placed(&mut app), (camera, false, 1));
        let mut context = app.world_mut().get_mut::<EguiContext>(camera).expect("a context");
        assert_eq!(context.get_mut().data(|data| data.get_temp::<i32>(id)), Some(7));
        // A swap replaces it by another one.
        app.world_mut().despawn(camera);
        let camera = game_camera(&mut app, 0);
        assert_eq!(placed(&mut app), (camera, false, 1));
        app.world_mut().despawn(camera);
        let (own, is_own, count) = placed(&mut app);
        assert!(is_own && count == 1);
        let mut context = app.world_mut().get_mut::<EguiContext>(own).expect("a context");
        assert_eq!(context.get_mut().data(|data| data.get_temp::<i32>(id)), Some(7));
    }

    /// The number of shapes in a frame in which a widget has another id than the one there before.
    #[cfg(debug_assertions)]
    fn shapes(context: &egui::Context) -> usize {
        let draw = |name: &str| {
            let output = context.run_ui(egui::RawInput::default(), |ui| {
                let rect = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(9.0, 9.0));
                ui.interact(rect, egui::Id::new(name), egui::Sense::click());
            });
            output.shapes.len()
        };
        draw("before");
        draw("after")
    }

    #[cfg(debug_assertions)]
    #[test]
    fn other_widgets_in_the_same_place_are_not_marked_unless_a_game_wants_it() {
        assert_ne!(shapes(&egui::Context::default()), 0, "as egui does by default");
        let mut app = app();
        let (own, ..) = placed(&mut app);
        let mut context = app.world_mut().get_mut::<EguiContext>(own).expect("a context");
        assert_eq!(shapes(context.get_mut()), 0);
        let mark = |style: &mut egui::Style| style.debug.warn_if_rect_changes_id = true;
        context.get_mut().all_styles_mut(mark);
        let camera = game_camera(&mut app, 0);
        assert_eq!(placed(&mut app), (camera, false, 1));
        let mut context = app.world_mut().get_mut::<EguiContext>(camera).expect("a context");
        assert_ne!(shapes(context.get_mut()), 0);
    }

    #[test]
    fn of_several_cameras_the_last_one_on_the_whole_window_has_it() {
        let mut app = app();
        let (below, above) = (game_camera(&mut app, 1), game_camera(&mut app, 3));
        assert_eq!(placed(&mut app), (above, false, 2));
        // They keep it while another one of the same order comes.
        let same = game_camera(&mut app, 3);
        assert_eq!(placed(&mut app), (above, false, 3));
        app.world_mut().despawn(same);
        app.world_mut().get_mut::<Camera>(above).expect("a camera").is_active = false;
        assert_eq!(placed(&mut app), (below, false, 2));
        let world = app.world();
        assert!(world.get::<EguiMultipassSchedule>(above).is_none());
        assert!(world.get::<EguiContext>(above).is_none());
        // One that draws a part of the window, and one that draws elsewhere.
        let mut camera = app.world_mut().get_mut::<Camera>(below).expect("a camera");
        camera.viewport = Some(Viewport::default());
        let image = ImageRenderTarget { handle: Handle::default(), scale_factor: 1.0 };
        app.world_mut().entity_mut(above).insert(RenderTarget::Image(image));
        app.world_mut().get_mut::<Camera>(above).expect("a camera").is_active = true;
        let (own, is_own, count) = placed(&mut app);
        assert!(is_own && count == 3);
        let clear = &app.world().get::<Camera>(own).expect("a camera").clear_color;
        assert!(matches!(clear, ClearColorConfig::None), "the others draw below it");
    }
}
