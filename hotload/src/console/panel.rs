//! The in-game console: a panel at the top of the window, with the command line at its bottom.
//!
//! ```text
//!  Modules  Packs  Log                app ▾   60 fps   ×
//!  ───────────────────────────────────────────────────
//!  the tab's content: modules.rs, packs.rs or log.rs
//!  ───────────────────────────────────────────────────
//!  the last output, candidates of a completion
//!  ❯ command line                         line.rs
//! ```
//!
//! [`show`] draws a [`ConsoleView`] and returns the user's actions; it changes only its own
//! [`ConsoleState`]. Keys: Enter submits, Tab completes, up and down go through the history, Page Up
//! and Page Down scroll, Ctrl+1 to Ctrl+3 select the tab, Ctrl+F focuses the filter, Shift+Tab
//! moves the focus from the line to the widgets above it, Escape closes.

mod line;
mod log;
mod modules;
mod overlay;
mod packs;
mod plan;
pub(super) mod theme;

pub use overlay::progress_overlay;
pub use packs::install;

use playground_api::bevy_egui::egui;

use egui::{
    Align, Area, Event, Frame, Id, Key, Layout, Modifiers, Order, RichText, Sense, Ui, UiBuilder,
    vec2,
};

use super::command::{self, Command};
use super::history::History;
use super::view::ConsoleView;
use crate::packs::StoreCommand;

/// An action of the user in the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleAction {
    /// A click on a button or switch.
    Run(Command),
    /// A line from the command line, to be parsed, echoed and run.
    Submit(String),
    /// The answer *no* to the question whether a module's data may be dropped.
    Decline(String),
    /// The answer *no* to the question about a pack's publisher.
    DeclineTrust,
    /// A request to close the console.
    Close,
}

/// The console's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// The table of the modules.
    #[default]
    Modules,
    /// The installed packs.
    Packs,
    /// The output.
    Log,
}

/// The console's state that persists between frames, also while it is closed.
#[derive(Debug, Clone)]
pub struct ConsoleState {
    /// The selected page.
    pub tab: Tab,
    /// Submitted lines.
    pub history: History,
    /// The console's height as a fraction of the window's, from 0.25 to 1.
    pub height: f32,
    /// The modules page.
    pub(super) modules: modules::ModulesTab,
    packs: packs::PacksTab,
    /// The output page.
    pub(super) log: log::LogTab,
    line: line::Line,
    /// Height of the foot in the previous frame.
    foot: f32,
    last_frame: Option<u64>,
}

impl Default for ConsoleState {
    fn default() -> Self {
        Self {
            tab: Tab::default(),
            history: History::default(),
            height: 0.62,
            modules: modules::ModulesTab::default(),
            packs: packs::PacksTab::default(),
            log: log::LogTab::default(),
            line: line::Line::default(),
            foot: 28.0,
            last_frame: None,
        }
    }
}

impl ConsoleState {
    /// The text on the command line.
    pub fn line(&self) -> &str {
        self.line.text()
    }

    /// True if the console was not shown in the previous frame.
    fn just_opened(&mut self, frame: u64) -> bool {
        let last = self.last_frame.replace(frame);
        last.is_none_or(|last| last + 1 < frame)
    }
}

/// Shows the console and returns the user's actions, in order.
///
/// Call it once a frame while the console is open, after everything that it should cover.
pub fn show(
    ctx: &egui::Context,
    view: &ConsoleView,
    state: &mut ConsoleState,
) -> Vec<ConsoleAction> {
    let opened = state.just_opened(ctx.cumulative_frame_nr());
    let mut actions = Vec::new();
    if opened && view.pack_question.is_some() {
        // Whoever opens the console then was told that there is a question.
        state.tab = Tab::Packs;
    }
    drop_backquote(ctx);
    state.modules.note_errors(&view.modules);
    let page = shortcuts(ctx, state, &mut actions);
    // The line has the focus unless another widget does.
    if opened || ctx.memory(|memory| memory.focused().is_none()) {
        ctx.memory_mut(|memory| memory.request_focus(line::id()));
    }

    let screen = ctx.content_rect();
    let size = vec2(screen.width(), (screen.height() * state.height.clamp(0.25, 1.0)).round());
    Area::new(Id::new("playground_console"))
        .order(Order::Foreground)
        .fixed_pos(screen.min)
        .constrain(false)
        .fade_in(false)
        .show(ctx, |ui| {
            theme::apply(ui);
            let sheet =
                Frame::new().fill(theme::SHEET).inner_margin(egui::Margin::symmetric(12, 8));
            let inner = size - sheet.total_margin().sum();
            sheet.show(ui, |ui| {
                ui.set_min_size(inner);
                ui.set_max_size(inner);
                header(ui, view, state, &mut actions);
                let (page_rect, foot_rect) = split(ui, state.foot);
                let page_id = match state.tab {
                    Tab::Modules => fixed_id("modules page"),
                    Tab::Packs => fixed_id("packs page"),
                    Tab::Log => fixed_id("log page"),
                };
                ui.scope_builder(page_id.max_rect(page_rect), |ui| match state.tab {
                    Tab::Modules => state.modules.show(ui, &view.modules, page, &mut actions),
                    Tab::Packs => {
                        let question = view.pack_question.as_ref();
                        state.packs.show(ui, &view.packs, question, page, &mut actions);
                    }
                    Tab::Log => state.log.show(ui, &view.log, page, &mut actions),
                });
                ui.scope_builder(UiBuilder::new().max_rect(foot_rect), |ui| {
                    foot(ui, view, state, &mut actions);
                });
            });
            edge(ui, screen, state);
        });
    let answers_at_length = |action: &ConsoleAction| {
        let ConsoleAction::Run(command) = action else { return false };
        matches!(
            command,
            Command::Plan { .. }
                | Command::Pack(
                    StoreCommand::Why { .. }
                        | StoreCommand::Info { .. }
                        | StoreCommand::Verify { .. }
                )
        )
    };
    if actions.iter().any(answers_at_length) {
        state.tab = Tab::Log;
        state.log.scroll_to_end();
    }
    actions
}

/// Divides the rest of the sheet between the page and the foot.
fn split(ui: &Ui, foot: f32) -> (egui::Rect, egui::Rect) {
    let rest = ui.available_rect_before_wrap();
    rest.split_top_bottom_at_y((rest.bottom() - foot).max(rest.top()))
}

/// The last output, the candidates of a completion, and the command line.
fn foot(
    ui: &mut Ui,
    view: &ConsoleView,
    state: &mut ConsoleState,
    actions: &mut Vec<ConsoleAction>,
) {
    theme::rule(ui);
    if state.tab != Tab::Log {
        log::last_lines(ui, &view.log, 3);
    }
    if let Some(line) = state.line.show(ui, view, &mut state.history) {
        state.tab = page_after(&line, state.tab);
        state.log.scroll_to_end();
        actions.push(ConsoleAction::Submit(line));
    }
    // The page above takes the new height into account in the next frame.
    let height = ui.min_rect().height();
    if height != state.foot {
        state.foot = height;
        ui.ctx().request_repaint();
    }
}

/// Removes the text of the key that opens and closes the console from the frame's input.
///
/// On some keyboard layouts that key types another character. All text in the frame of its press is
/// therefore removed, unless it contains a letter or digit, which another key must have typed.
fn drop_backquote(ctx: &egui::Context) {
    ctx.input_mut(|input| {
        let pressed = input.events.iter().any(|event| {
            matches!(event, Event::Key { key, physical_key, pressed: true, .. }
                if *physical_key == Some(Key::Backtick) || *key == Key::Backtick)
        });
        input.events.retain(|event| match event {
            Event::Text(text) if pressed => text.chars().any(char::is_alphanumeric),
            Event::Text(text) => text != "`",
            _ => true,
        });
    });
}

/// Handles the keys that work independently of the focus; returns the number of pages to scroll.
fn shortcuts(
    ctx: &egui::Context,
    state: &mut ConsoleState,
    actions: &mut Vec<ConsoleAction>,
) -> f32 {
    let filter = match state.tab {
        Tab::Modules => modules::filter_id(),
        Tab::Packs => packs::filter_id(),
        Tab::Log => log::filter_id(),
    };
    let pressed = |modifiers, key| ctx.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::COMMAND, Key::Num1) {
        state.tab = Tab::Modules;
    }
    if pressed(Modifiers::COMMAND, Key::Num2) {
        state.tab = Tab::Packs;
    }
    if pressed(Modifiers::COMMAND, Key::Num3) {
        state.tab = Tab::Log;
    }
    if pressed(Modifiers::COMMAND, Key::F) {
        ctx.memory_mut(|memory| memory.request_focus(filter));
    }
    // egui removes the focus at the start of the frame in which Escape is pressed.
    if pressed(Modifiers::NONE, Key::Escape) {
        let in_filter = ctx.memory(|memory| memory.had_focus_last_frame(filter));
        if in_filter || state.line.hide_candidates() {
            ctx.memory_mut(|memory| memory.request_focus(line::id()));
        } else {
            actions.push(ConsoleAction::Close);
        }
    }
    let up = if pressed(Modifiers::NONE, Key::PageUp) { 1.0 } else { 0.0 };
    let down = if pressed(Modifiers::NONE, Key::PageDown) { 1.0 } else { 0.0 };
    up - down
}

/// The page to show after a line was submitted: the log, unless the table shows the result as well.
fn page_after(line: &str, tab: Tab) -> Tab {
    let in_table = |command: &Command| {
        matches!(
            command,
            Command::Enable { .. }
                | Command::Disable { .. }
                | Command::Reload { .. }
                | Command::Rollback { .. }
                | Command::Wait { .. }
                | Command::Clear
                | Command::Hash
        )
    };
    match command::parse(line) {
        Ok(commands) if commands.iter().all(in_table) => tab,
        Ok(_) => Tab::Log,
        // An error of one line, which the foot of the table shows as well.
        Err(_) => tab,
    }
}

fn header(
    ui: &mut Ui,
    view: &ConsoleView,
    state: &mut ConsoleState,
    actions: &mut Vec<ConsoleAction>,
) {
    ui.horizontal(|ui| {
        let troubled = view.modules.iter().filter(|row| row.state.is_trouble()).count();
        part(ui, "modules", |ui| {
            ui.selectable_value(&mut state.tab, Tab::Modules, RichText::new("Modules").strong());
        });
        if troubled > 0 {
            let text = RichText::new(format!("{troubled} in trouble")).small().color(theme::RED);
            part(ui, "troubled", |ui| ui.label(text));
        }
        part(ui, "packs", |ui| {
            let asks = view.pack_question.is_some();
            let title = RichText::new("Packs").strong();
            let title = if asks { title.color(theme::AMBER) } else { title };
            ui.selectable_value(&mut state.tab, Tab::Packs, title);
        });
        part(ui, "log", |ui| {
            ui.selectable_value(&mut state.tab, Tab::Log, RichText::new("Log").strong());
        });
        if let Some(progress) = &view.progress {
            part(ui, "progress", |ui| {
                ui.separator();
                let bar = egui::ProgressBar::new(progress.fraction().unwrap_or(0.0));
                ui.add(bar.desired_width(120.0).desired_height(6.0).fill(theme::BLUE));
                ui.label(RichText::new(progress.line()).small().color(theme::BLUE));
            });
        }
        let right = fixed_id("right").layout(Layout::right_to_left(Align::Center));
        ui.scope_builder(right, |ui| {
            let close = ui.button("×").on_hover_text("Close (Escape, F1)");
            theme::name(&close, "close the console");
            if close.clicked() {
                actions.push(ConsoleAction::Close);
            }
            let speed =
                format!("{:.0} fps  {:.1} ms  frame {}", view.fps, view.frame_ms, view.frame);
            ui.label(RichText::new(speed).monospace().small().color(theme::DIM));
            apps(ui, view, actions);
        });
    });
    theme::rule(ui);
}

/// egui numbers widgets by their order: what comes and goes would give all after it other ids.
fn fixed_id(name: impl std::hash::Hash) -> UiBuilder {
    UiBuilder::new().id(Id::new(("playground_console", name)))
}

/// A part of the console whose widgets keep their ids, whatever comes before it.
fn part<R>(ui: &mut Ui, name: impl std::hash::Hash, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.scope_builder(fixed_id(name), content).inner
}

fn apps(ui: &mut Ui, view: &ConsoleView, actions: &mut Vec<ConsoleAction>) {
    // The layout is right to left.
    for app in view.apps.iter().rev() {
        let running = *app == view.app;
        let button = ui.selectable_label(running, RichText::new(app).small());
        theme::name(&button, &format!("app {app}"));
        if button.clicked() && !running {
            actions.push(ConsoleAction::Run(Command::App { name: Some(app.clone()) }));
        }
    }
    if !view.apps.is_empty() {
        ui.label(RichText::new("app").small().color(theme::DIM));
    }
}

/// The lower edge, which can be dragged to resize the console.
fn edge(ui: &mut Ui, screen: egui::Rect, state: &mut ConsoleState) {
    let sheet = ui.min_rect();
    let grip = egui::Rect::from_x_y_ranges(sheet.x_range(), sheet.bottom() - 4.0..=sheet.bottom());
    let response = ui.interact(grip, Id::new("playground_console_edge"), Sense::drag());
    let lit = response.hovered() || response.dragged();
    let color = if lit { theme::BLUE } else { theme::LINE };
    ui.painter().hline(grip.x_range(), grip.bottom() - 1.0, egui::Stroke::new(2.0, color));
    if lit {
        ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeVertical);
    }
    if response.dragged() {
        let moved = response.drag_delta().y / screen.height().max(1.0);
        state.height = (state.height + moved).clamp(0.25, 1.0);
    }
}
