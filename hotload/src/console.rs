//! The in-game console: its output, its view, and the commands entered into it.

mod camera;
pub mod command;
pub mod history;
pub mod notices;
pub mod panel;
pub mod plan;
pub mod view;

use std::io::{IsTerminal, Write, stderr};

use bevy::diagnostic::FrameTimeDiagnosticsPlugin;
use bevy::input::keyboard::KeyCode;
use bevy::prelude::*;
use bevy::window::FileDragAndDrop;
use playground_api::bevy_egui::input::EguiWantsInput;
use playground_api::bevy_egui::{EguiContexts, EguiPrimaryContextPass};
use playground_api::options::KeyboardFocus;

use camera::ConsoleCameraPlugin;
use command::Command;
use notices::Notices;
use panel::{ConsoleAction, ConsoleState};
use view::{ConsoleView, Level, Log, Progress};

/// The number of lines of output that the console keeps.
const LOG_LINES: usize = 5000;

/// The console. The host fills it between two frames; the panel draws it.
#[derive(Resource)]
pub struct Console {
    /// Short notices in the game.
    pub notices: Notices,
    /// The first build in progress, shown over the game.
    pub progress: Option<Progress>,
    open: bool,
    log: Log,
    view: ConsoleView,
    state: ConsoleState,
    input: Vec<Input>,
    echo: bool,
}

/// Input of the console.
pub enum Input {
    /// A typed line.
    Text(String),
    /// A click on a button or switch.
    Command(Command),
    /// The answer *no* to the question whether a module's data may be dropped.
    Decline(String),
    /// The answer *no* to the question about a pack's publisher.
    DeclineTrust,
}

impl Console {
    /// An empty console; with `echo` it prints its output to the terminal as well.
    pub fn new(echo: bool) -> Self {
        Self {
            notices: Notices::default(),
            progress: None,
            open: false,
            log: Log::new(LOG_LINES),
            view: ConsoleView::default(),
            state: ConsoleState::default(),
            input: Vec::new(),
            echo,
        }
    }

    /// True while the console is shown.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Adds output.
    pub fn print(&mut self, level: Level, text: &str) {
        self.view.log = Log::new(0);
        let text_shown = if level == Level::Input { format!("> {text}") } else { text.to_owned() };
        self.log.push(level, &text_shown);
        if self.echo && level != Level::Input {
            println!("{text}");
        }
    }

    /// Prints progress to stderr only; on a terminal it overwrites the line.
    pub fn aside(&self, text: &str) {
        if !self.echo {
            return;
        }
        let mut stderr = stderr().lock();
        // Progress is optional.
        let _ = if stderr.is_terminal() {
            write!(stderr, "\r\u{1b}[K{text}").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "{text}")
        };
    }

    /// Empties the output.
    pub fn clear(&mut self) {
        self.log.clear();
    }

    /// The output so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Adds a line to the input.
    pub fn submit(&mut self, line: impl Into<String>) {
        self.input.push(Input::Text(line.into()));
    }

    /// The input since the last call.
    pub fn take_input(&mut self) -> Vec<Input> {
        std::mem::take(&mut self.input)
    }

    /// Takes the last view, to be updated and passed to [`Self::set_view`].
    pub fn take_view(&mut self) -> ConsoleView {
        std::mem::take(&mut self.view)
    }

    /// Sets the view to draw; the console adds its log and the frame times.
    pub fn set_view(&mut self, view: ConsoleView) {
        let (fps, frame_ms) = (self.view.fps, self.view.frame_ms);
        self.view = ConsoleView { log: self.log.clone(), fps, frame_ms, ..view };
    }

    /// Sets the frame times in the view.
    pub fn set_frame_times(&mut self, fps: f32, frame_ms: f32) {
        self.view.fps = fps;
        self.view.frame_ms = frame_ms;
    }
}

/// The text without terminal escape sequences, e.g. the colours of rustc's messages.
pub fn plain_text(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Draws the console and the notices into the window's egui context.
pub struct ConsolePlugin;

impl Plugin for ConsolePlugin {
    fn build(&self, app: &mut App) {
        if !app.is_plugin_added::<FrameTimeDiagnosticsPlugin>() {
            app.add_plugins(FrameTimeDiagnosticsPlugin::default());
        }
        app.add_plugins(ConsoleCameraPlugin)
            .add_systems(PreUpdate, (toggle, take_dropped_packs))
            .add_systems(EguiPrimaryContextPass, draw)
            .add_systems(PostUpdate, take_focus);
    }
}

fn toggle(keys: Res<ButtonInput<KeyCode>>, mut console: ResMut<Console>) {
    if keys.just_pressed(KeyCode::Backquote) || keys.just_pressed(KeyCode::F1) {
        console.open = !console.open;
    }
}

/// A pack that is dropped onto the window is installed.
fn take_dropped_packs(mut drops: MessageReader<FileDragAndDrop>, mut console: ResMut<Console>) {
    for drop in drops.read() {
        let FileDragAndDrop::DroppedFile { path_buf, .. } = drop else { continue };
        if path_buf.extension().is_some_and(|ending| ending == "pgpack") {
            let command = panel::install(&path_buf.to_string_lossy());
            console.input.push(Input::Command(Command::Pack(command)));
        }
    }
}

fn draw(mut contexts: EguiContexts, mut console: ResMut<Console>) -> Result {
    let context = contexts.ctx_mut()?;
    let console = &mut *console;
    if let Some(progress) = &console.progress {
        panel::progress_overlay(context, progress);
    }
    if console.open {
        for action in panel::show(context, &console.view, &mut console.state) {
            match action {
                ConsoleAction::Run(command) => console.input.push(Input::Command(command)),
                ConsoleAction::Submit(line) => console.input.push(Input::Text(line)),
                ConsoleAction::Decline(id) => console.input.push(Input::Decline(id)),
                ConsoleAction::DeclineTrust => console.input.push(Input::DeclineTrust),
                ConsoleAction::Close => console.open = false,
            }
        }
    }
    console.notices.show(context);
    Ok(())
}

/// The open console has the keyboard focus.
fn take_focus(
    console: Res<Console>,
    egui: Option<Res<EguiWantsInput>>,
    mut focus: ResMut<KeyboardFocus>,
) {
    let pointer_over_console = egui.is_some_and(|egui| egui.wants_any_pointer_input());
    let now = KeyboardFocus { console: console.open, pointer_over_console };
    focus.set_if_neq(now);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_that_are_dropped_onto_the_window_are_installed() {
        let mut app = App::new();
        app.add_message::<FileDragAndDrop>().insert_resource(Console::new(false));
        app.add_systems(Update, take_dropped_packs);
        let window = Entity::PLACEHOLDER;
        for name in ["/home/a b/boss.pgpack", "/home/picture.png"] {
            let dropped = FileDragAndDrop::DroppedFile { window, path_buf: name.into() };
            app.world_mut().write_message(dropped);
        }
        app.world_mut().write_message(FileDragAndDrop::HoveredFileCanceled { window });
        app.update();
        let mut console = app.world_mut().resource_mut::<Console>();
        let input = console.take_input();
        let [Input::Command(Command::Pack(command))] = input.as_slice() else {
            panic!("{} inputs", input.len());
        };
        assert_eq!(*command, panel::install("/home/a b/boss.pgpack"));
    }
}
