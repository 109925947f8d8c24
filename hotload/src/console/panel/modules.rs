//! The modules page: a table grouped by kind, with a switch and buttons for each module.

use std::collections::{BTreeMap, BTreeSet};

use playground_api::bevy_egui::egui;

use egui::{Align, Button, Color32, Id, Label, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::{ConsoleAction, part, plan, theme};
use crate::console::command::Command;
use crate::console::view::ModuleRow;

/// The order of the groups; other kinds follow in order of appearance.
const KINDS: [&str; 4] = ["core", "systems", "plugins", "apps"];
/// Longer errors are truncated on screen; the copy button copies the full text.
const SHOWN_ERROR_LINES: usize = 400;
const ROW_HEIGHT: f32 = 18.0;

/// The id of the filter.
pub fn filter_id() -> Id {
    Id::new("playground_console_modules_filter")
}

/// The filter, and the errors that are expanded.
#[derive(Debug, Clone, Default)]
pub struct ModulesTab {
    filter: String,
    open: BTreeSet<String>,
    /// The errors seen so far: only a new one expands by itself.
    seen: BTreeMap<String, String>,
    closed_plans: plan::Closed,
}

impl ModulesTab {
    /// Expands new errors and forgets fixed ones.
    pub fn note_errors(&mut self, rows: &[ModuleRow]) {
        for row in rows {
            match (&row.last_error, self.seen.get(&row.id)) {
                (Some(error), Some(seen)) if error == seen => {}
                (Some(error), _) => {
                    self.open.insert(row.id.clone());
                    self.seen.insert(row.id.clone(), error.clone());
                }
                (None, Some(_)) => {
                    self.open.remove(&row.id);
                    self.seen.remove(&row.id);
                }
                (None, None) => {}
            }
        }
    }

    pub fn show(
        &mut self,
        ui: &mut Ui,
        rows: &[ModuleRow],
        page: f32,
        actions: &mut Vec<ConsoleAction>,
    ) {
        let shown: Vec<&ModuleRow> = rows.iter().filter(|row| passes(row, &self.filter)).collect();
        let columns = Columns::of(ui.available_width());
        ui.horizontal(|ui| {
            let filter = TextEdit::singleline(&mut self.filter)
                .id(filter_id())
                .desired_width(columns.left() - 8.0)
                .hint_text("filter by id, kind or state (Ctrl+F)");
            theme::name(&ui.add(filter), "filter the modules");
            headings(ui, &columns);
            if shown.len() != rows.len() {
                let count = format!("{} of {}", shown.len(), rows.len());
                ui.label(RichText::new(count).small().color(theme::DIM));
            }
        });
        let page_height = ui.available_height() - ROW_HEIGHT;
        ScrollArea::vertical().auto_shrink(false).id_salt("modules").show(ui, |ui| {
            if page != 0.0 {
                ui.scroll_with_delta(vec2(0.0, page * page_height));
            }
            for kind in kinds(&shown) {
                let of_kind = shown.iter().filter(|row| row.kind == kind);
                let title = format!("{kind}  {}", of_kind.clone().count());
                let title = RichText::new(title).small().strong().color(theme::DIM);
                part(ui, ("kind", kind), |ui| ui.label(title));
                for row in of_kind {
                    part(ui, ("row", &row.id), |ui| self.row(ui, row, &columns, actions));
                }
                ui.add_space(4.0);
            }
            if shown.is_empty() {
                let text = if rows.is_empty() { "no modules yet" } else { "no module matches" };
                ui.label(RichText::new(text).color(theme::DIM));
            }
        });
    }

    fn row(
        &mut self,
        ui: &mut Ui,
        row: &ModuleRow,
        columns: &Columns,
        actions: &mut Vec<ConsoleAction>,
    ) {
        // Reserved for the background, whose rectangle is known after the row is drawn.
        let background = ui.painter().add(egui::Shape::Noop);
        let drawn = ui.horizontal(|ui| {
            toggle(ui, row, actions);
            theme::dot(ui, theme::state_color(row.state));
            let id_color = if row.enabled { theme::TEXT } else { theme::DIM };
            text(ui, columns.id, &row.id, id_color);
            text(ui, columns.state, row.state.label(), theme::state_color(row.state));
            let generation = match row.generation {
                0 => String::new(),
                number => format!("g{number}"),
            };
            number(ui, columns.generation, &generation, theme::DIM);
            if columns.details {
                text(ui, columns.version, &row.version, theme::DIM);
                for took in [row.check_ms, row.build_ms, row.link_ms, row.swap_ms] {
                    let color = if took.is_some() { theme::TEXT } else { theme::FAINT };
                    number(ui, columns.time, &millis(took), color);
                }
            }
            buttons(ui, row, actions);
            if let Some(error) = &row.last_error {
                self.error_line(ui, row, error);
            } else if let Some((number, last)) = &row.returned {
                let text = format!("{number} errors returned; {last}");
                let text = RichText::new(text).small().color(theme::AMBER);
                let label = ui.add(Label::new(text).truncate());
                theme::name(&label, &format!("errors returned by {}", row.id));
            }
        });
        let rect = drawn.response.rect.expand2(vec2(4.0, 1.0));
        if ui.rect_contains_pointer(rect) {
            ui.painter().set(background, egui::Shape::rect_filled(rect, 3.0, theme::HOVER));
        }
        if let Some(error) = &row.last_error
            && self.open.contains(&row.id)
        {
            error_in_full(ui, &row.id, error);
        }
        plan::show(ui, row, &mut self.closed_plans, actions);
    }

    /// The error's first line: a button that expands and collapses the rest.
    fn error_line(&mut self, ui: &mut Ui, row: &ModuleRow, error: &str) {
        let open = self.open.contains(&row.id);
        let mark = if open { "⏷" } else { "⏵" };
        let first = error.lines().find(|line| !line.trim().is_empty()).unwrap_or("failed");
        let summary = RichText::new(format!("{mark} {first}")).small().color(theme::RED);
        let button = ui.add(Button::new(summary).frame(false).truncate());
        theme::name(&button, &format!("error of {}", row.id));
        if button.clicked() {
            if open {
                self.open.remove(&row.id);
            } else {
                self.open.insert(row.id.clone());
            }
        }
    }
}

/// Widths of the cells; a narrow window has no version and times.
struct Columns {
    id: f32,
    state: f32,
    generation: f32,
    version: f32,
    time: f32,
    details: bool,
}

impl Columns {
    fn of(width: f32) -> Self {
        let id = if width > 1_100.0 { 190.0 } else { 160.0 };
        let details = width > 860.0;
        Self { id, state: 74.0, generation: 32.0, version: 54.0, time: 44.0, details }
    }

    /// The width of switch, dot and id with the gaps between them.
    fn left(&self) -> f32 {
        26.0 + 8.0 + 8.0 + 8.0 + self.id + 8.0
    }
}

fn headings(ui: &mut Ui, columns: &Columns) {
    text(ui, columns.state, "state", theme::FAINT);
    number(ui, columns.generation, "gen", theme::FAINT);
    if columns.details {
        text(ui, columns.version, "version", theme::FAINT);
        for heading in ["check", "build", "link", "swap"] {
            number(ui, columns.time, heading, theme::FAINT);
        }
        text(ui, 40.0, "ms", theme::FAINT);
    }
}

fn toggle(ui: &mut Ui, row: &ModuleRow, actions: &mut Vec<ConsoleAction>) {
    let label = format!("{} enabled", row.id);
    let switch =
        ui.add_enabled_ui(row.can_toggle, |ui| theme::switch(ui, row.enabled, &label)).inner;
    let switch = match &row.why_not_toggle {
        Some(why) if !row.can_toggle => {
            // For screen readers.
            ui.ctx().accesskit_node_builder(switch.id, |node| node.set_description(why.as_str()));
            switch.on_disabled_hover_text(why)
        }
        _ => switch,
    };
    if switch.clicked() {
        let id = row.id.clone();
        let command = if row.enabled { Command::Disable { id } } else { Command::Enable { id } };
        actions.push(ConsoleAction::Run(command));
    }
}

fn buttons(ui: &mut Ui, row: &ModuleRow, actions: &mut Vec<ConsoleAction>) {
    let id = &row.id;
    let commands = [
        ("reload", true, Command::Reload { id: id.clone(), force: false }),
        (
            "rollback",
            row.can_rollback,
            Command::Rollback { id: id.clone(), generation: None, state: false },
        ),
        ("plan", true, Command::Plan { id: id.clone() }),
    ];
    for (name, enabled, command) in commands {
        let button = ui.add_enabled(enabled, Button::new(RichText::new(name).small()));
        theme::name(&button, &format!("{name} {id}"));
        if button.clicked() {
            actions.push(ConsoleAction::Run(command));
        }
    }
}

fn error_in_full(ui: &mut Ui, id: &str, error: &str) {
    let frame = egui::Frame::new().fill(theme::WELL).corner_radius(3).inner_margin(6);
    frame.outer_margin(egui::Margin { left: 36, ..Default::default() }).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let title = format!("last error of {id}");
            ui.label(RichText::new(title).small().color(theme::DIM));
            let copy = ui.small_button("copy");
            theme::name(&copy, &format!("copy error of {id}"));
            if copy.clicked() {
                ui.ctx().copy_text(error.to_owned());
            }
        });
        ScrollArea::both()
            .id_salt(("error", id))
            .max_height(220.0)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                let job = rustc_colored(ui, error);
                ui.add(Label::new(job).selectable(true).extend());
            });
    });
}

/// A compiler's message, coloured by line.
fn rustc_colored(ui: &Ui, message: &str) -> egui::text::LayoutJob {
    let font = egui::TextStyle::Monospace.resolve(ui.style());
    let mut job = egui::text::LayoutJob::default();
    let mut lines = message.trim_end().lines();
    for (at, line) in lines.by_ref().take(SHOWN_ERROR_LINES).enumerate() {
        let format = egui::TextFormat::simple(font.clone(), line_color(line));
        let break_before = if at > 0 { "\n" } else { "" };
        job.append(&format!("{break_before}{line}"), 0.0, format);
    }
    let more = lines.count();
    if more > 0 {
        let format = egui::TextFormat::simple(font, theme::DIM);
        job.append(&format!("\n{more} more lines (copy for all of them)"), 0.0, format);
    }
    job
}

fn line_color(line: &str) -> Color32 {
    let text = line.trim_start();
    if text.starts_with("error") {
        theme::RED
    } else if text.starts_with("warning") {
        theme::AMBER
    } else if text.starts_with("-->") || text.starts_with(":::") {
        theme::BLUE
    } else if text.starts_with("= help") || text.starts_with("= note") || text.starts_with("help") {
        theme::GREEN
    } else {
        theme::TEXT
    }
}

fn cell(ui: &mut Ui, width: f32, layout: Layout, label: Label) {
    ui.allocate_ui_with_layout(vec2(width, ROW_HEIGHT), layout, |ui| {
        ui.set_width(width);
        ui.add(label);
    });
}

fn text(ui: &mut Ui, width: f32, text: &str, color: Color32) {
    let label = Label::new(RichText::new(text).monospace().color(color)).truncate();
    cell(ui, width, Layout::left_to_right(Align::Center), label);
}

fn number(ui: &mut Ui, width: f32, text: &str, color: Color32) {
    let label = Label::new(RichText::new(text).monospace().color(color)).truncate();
    cell(ui, width, Layout::right_to_left(Align::Center), label);
}

fn millis(took: Option<f32>) -> String {
    match took {
        None => "-".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}

fn kinds<'a>(rows: &[&'a ModuleRow]) -> Vec<&'a str> {
    let mut kinds: Vec<&str> = Vec::new();
    for row in rows {
        if !kinds.contains(&row.kind) {
            kinds.push(row.kind);
        }
    }
    kinds.sort_by_key(|kind| KINDS.iter().position(|known| known == kind).unwrap_or(KINDS.len()));
    kinds
}

/// True if the row's id, kind and state contain every word of the filter.
fn passes(row: &ModuleRow, filter: &str) -> bool {
    let text = format!("{} {} {}", row.id, row.kind, row.state.label()).to_lowercase();
    filter.to_lowercase().split_whitespace().all(|word| text.contains(word))
}
