//! The log page, and the last lines of the log for the foot of the modules page.

use playground_api::bevy_egui::egui;

use egui::{Align, Id, Label, Layout, RichText, ScrollArea, TextEdit, TextStyle, Ui};

use super::{ConsoleAction, theme};
use crate::console::command::Command;
use crate::console::view::{Log, LogLine};

/// The id of the filter.
pub fn filter_id() -> Id {
    Id::new("playground_console_log_filter")
}

/// The filter, and the lines that match it.
#[derive(Debug, Clone, Default)]
pub struct LogTab {
    filter: String,
    /// Indices of the lines that match.
    matching: Vec<usize>,
    /// The log's revision and the filter for which `matching` was computed.
    matched: (u64, String),
    scroll_to_end: bool,
}

impl LogTab {
    /// Scrolls to the newest line in the next frame.
    pub fn scroll_to_end(&mut self) {
        self.scroll_to_end = true;
    }

    pub fn show(&mut self, ui: &mut Ui, log: &Log, page: f32, actions: &mut Vec<ConsoleAction>) {
        self.update_matches(log);
        ui.horizontal(|ui| {
            let filter = TextEdit::singleline(&mut self.filter)
                .id(filter_id())
                .desired_width(220.0)
                .hint_text("filter (Ctrl+F)");
            theme::name(&ui.add(filter), "filter the log");
            let count = format!("{} of {} lines", self.matching.len(), log.lines().len());
            ui.label(RichText::new(count).small().color(theme::DIM));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let clear = ui.small_button("clear");
                theme::name(&clear, "clear the log");
                if clear.clicked() {
                    actions.push(ConsoleAction::Run(Command::Clear));
                }
                let copy = ui.small_button("copy");
                theme::name(&copy, "copy the log");
                if copy.clicked() {
                    let text: Vec<&str> = self.lines(log).map(|line| &*line.text).collect();
                    ui.ctx().copy_text(text.join("\n"));
                }
            });
        });
        ui.spacing_mut().item_spacing.y = 1.0;
        let row_height = ui.text_style_height(&TextStyle::Monospace);
        let mut area = ScrollArea::both().auto_shrink(false).stick_to_bottom(true);
        if std::mem::take(&mut self.scroll_to_end) {
            area = area.vertical_scroll_offset(self.matching.len() as f32 * (row_height + 1.0));
        }
        let page_height = ui.available_height() - row_height;
        area.show_rows(ui, row_height, self.matching.len(), |ui, rows| {
            if page != 0.0 {
                ui.scroll_with_delta(egui::vec2(0.0, page * page_height));
            }
            for line in self.lines(log).skip(rows.start).take(rows.len()) {
                row(ui, line);
            }
        });
    }

    fn lines<'a>(&'a self, log: &'a Log) -> impl Iterator<Item = &'a LogLine> {
        self.matching.iter().filter_map(|&at| log.lines().get(at))
    }

    fn update_matches(&mut self, log: &Log) {
        if self.matched.0 == log.revision() && self.matched.1 == self.filter {
            return;
        }
        self.matched = (log.revision(), self.filter.clone());
        let filter = self.filter.trim().to_lowercase();
        let lines = log.lines().iter().enumerate();
        self.matching = lines
            .filter(|(_, line)| filter.is_empty() || line.text.to_lowercase().contains(&filter))
            .map(|(at, _)| at)
            .collect();
    }
}

/// The newest lines, so that a command's output shows on every page.
pub fn last_lines(ui: &mut Ui, log: &Log, count: usize) {
    if log.lines().is_empty() {
        return;
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let first = log.lines().len().saturating_sub(count);
        for line in log.lines().range(first..) {
            let text = RichText::new(&*line.text).monospace().color(theme::level_color(line.level));
            ui.add(Label::new(text).truncate());
        }
    });
}

fn row(ui: &mut Ui, line: &LogLine) {
    let text = RichText::new(&*line.text).monospace().color(theme::level_color(line.level));
    ui.add(Label::new(text).extend());
}
