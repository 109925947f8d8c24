//! The command line: history, completion, submission.

use playground_api::bevy_egui::egui;

use egui::text::{CCursor, CCursorRange};
use egui::{Align, Event, FocusDirection, Id, Key, Layout, Modifiers, RichText, TextEdit, Ui};

use super::{part, theme};
use crate::console::command::{self, Completion};
use crate::console::history::History;
use crate::console::view::ConsoleView;

/// If there are more candidates, the number of the others is shown.
const SHOWN_CANDIDATES: usize = 48;

/// The id of the text field.
pub fn id() -> Id {
    Id::new("playground_console_line")
}

/// The line's text and the candidates of the last Tab.
#[derive(Debug, Clone, Default)]
pub struct Line {
    text: String,
    offered: Option<Offered>,
    /// Input postponed to the next frame.
    postponed: Vec<Event>,
}

/// The index of the first event to postpone: one of the line's own keys after text or another key.
fn first_to_postpone(events: &[Event]) -> usize {
    let mut any_before = false;
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Key { key, pressed: true, .. } => {
                let is_own = [Key::Enter, Key::Tab, Key::ArrowUp, Key::ArrowDown].contains(key);
                if is_own && any_before {
                    return at;
                }
                any_before = true;
            }
            Event::Text(_) | Event::Paste(_) | Event::Cut | Event::Ime(_) => any_before = true,
            _ => {}
        }
    }
    events.len()
}

#[derive(Debug, Clone)]
struct Offered {
    completion: Completion,
    /// The text before and after the cursor when Tab was pressed.
    head: String,
    tail: String,
    /// The index of the candidate on the line.
    at: Option<usize>,
}

impl Line {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns false if no candidates were shown.
    pub fn hide_candidates(&mut self) -> bool {
        self.offered.take().is_some()
    }

    /// Shows the candidates and the line below them; returns a submitted line.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &ConsoleView,
        history: &mut History,
    ) -> Option<String> {
        let id = id();
        // In the frame in which Tab moves the focus here, that Tab does not complete.
        let focused = ui.memory(|memory| memory.has_focus(id) && memory.had_focus_last_frame(id));
        self.postpone_keys_after_text(ui, focused);
        let submitted = if focused { self.keys(ui, view, history) } else { None };
        self.candidates(ui);
        let row = |ui: &mut Ui| {
            ui.label(RichText::new(">").monospace().strong().color(theme::BLUE));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                self.usage(ui, view);
                let field = TextEdit::singleline(&mut self.text)
                    .id(id)
                    .font(egui::TextStyle::Monospace)
                    .frame(egui::Frame::new())
                    .desired_width(ui.available_width())
                    .hint_text("help    Tab completes, up and down go through the history")
                    // Keeps Tab from moving the focus to the next widget.
                    .lock_focus(true);
                let response = ui.add(field);
                theme::name(&response, "command line");
                if response.changed() {
                    self.offered = None;
                    history.leave();
                    self.strip_backquote();
                }
            });
        };
        part(ui, "line", |ui| ui.horizontal(row));
        submitted
    }

    /// The line handles its own keys before the text field handles text. If both come in one frame,
    /// a key after text is postponed to the next frame, so that input is handled in its order.
    fn postpone_keys_after_text(&mut self, ui: &Ui, focused: bool) {
        let mut events = std::mem::take(&mut self.postponed);
        if !focused {
            return;
        }
        ui.input_mut(|input| {
            events.append(&mut input.events);
            self.postponed = events.split_off(first_to_postpone(&events));
            input.events = events;
        });
        if !self.postponed.is_empty() {
            ui.ctx().request_repaint();
        }
    }

    /// Handles the line's own keys; returns a submitted line.
    fn keys(&mut self, ui: &mut Ui, view: &ConsoleView, history: &mut History) -> Option<String> {
        let pressed =
            |ui: &Ui, modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
        // First, since Tab without modifiers also matches Shift+Tab.
        if pressed(ui, Modifiers::SHIFT, Key::Tab) {
            if self.offered.is_some() {
                self.cycle(ui, false);
            } else {
                ui.memory_mut(|memory| memory.move_focus(FocusDirection::Previous));
            }
        }
        if pressed(ui, Modifiers::NONE, Key::Tab) {
            self.tab(ui, view);
        }
        if pressed(ui, Modifiers::NONE, Key::ArrowUp)
            && let Some(line) = history.older(&self.text).map(str::to_owned)
        {
            self.offered = None;
            self.put(ui, line, "");
        }
        if pressed(ui, Modifiers::NONE, Key::ArrowDown)
            && let Some(line) = history.newer().map(str::to_owned)
        {
            self.offered = None;
            self.put(ui, line, "");
        }
        if !pressed(ui, Modifiers::NONE, Key::Enter) {
            return None;
        }
        let line = std::mem::take(&mut self.text);
        self.offered = None;
        history.push(&line);
        let line = line.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// The first Tab completes as far as all candidates agree, later ones cycle through them.
    fn tab(&mut self, ui: &Ui, view: &ConsoleView) {
        if self.offered.is_some() {
            return self.cycle(ui, true);
        }
        let cursor = TextEdit::load_state(ui.ctx(), id())
            .and_then(|state| state.cursor.char_range())
            .map_or(usize::MAX, |range| range.primary.index);
        let at = self.text.char_indices().nth(cursor).map_or(self.text.len(), |(at, _)| at);
        let (head, tail) = self.text.split_at(at);
        let (head, tail) = (head.to_owned(), tail.to_owned());
        let completion = command::complete(&head, &view.names());
        let applied = completion.applied(&head);
        if completion.candidates.len() > 1 {
            self.offered =
                Some(Offered { completion, head: applied.clone(), tail: tail.clone(), at: None });
        }
        self.put(ui, applied, &tail);
    }

    fn cycle(&mut self, ui: &Ui, forward: bool) {
        let Some(offered) = &mut self.offered else { return };
        let count = offered.completion.candidates.len();
        let next = match (offered.at, forward) {
            (None, true) => 0,
            (None, false) => count.saturating_sub(1),
            (Some(at), true) => (at + 1) % count.max(1),
            (Some(at), false) => (at + count.saturating_sub(1)) % count.max(1),
        };
        self.choose(ui, next);
    }

    fn choose(&mut self, ui: &Ui, index: usize) {
        let Some(offered) = &mut self.offered else { return };
        let Some(candidate) = offered.completion.candidates.get(index) else { return };
        offered.at = Some(index);
        let head = offered.completion.with(&offered.head, candidate);
        let tail = offered.tail.clone();
        self.put(ui, head, &tail);
    }

    /// Sets the text, with the cursor between its two parts.
    fn put(&mut self, ui: &Ui, head: String, tail: &str) {
        let cursor = CCursor::new(head.chars().count());
        self.text = head + tail;
        let mut state = TextEdit::load_state(ui.ctx(), id()).unwrap_or_default();
        state.cursor.set_char_range(Some(CCursorRange::one(cursor)));
        TextEdit::store_state(ui.ctx(), id(), state);
    }

    /// The key that opens the console may have typed its character, or a paste may begin with it.
    fn strip_backquote(&mut self) {
        if self.text.starts_with('`') {
            self.text = self.text.trim_start_matches('`').to_owned();
        }
    }

    /// The usage of the command that is being typed, at the right end.
    fn usage(&self, ui: &mut Ui, view: &ConsoleView) {
        let words = command::last_command(&self.text);
        let Some(name) = words.first() else { return };
        let usage = command::usage(&words).or_else(|| {
            let added = view.commands.iter().find(|command| command.name == *name);
            added.map(|command| command.usage.clone())
        });
        if let Some(usage) = usage {
            ui.label(RichText::new(usage).monospace().small().color(theme::DIM));
        }
    }

    fn candidates(&mut self, ui: &mut Ui) {
        let Some(offered) = &self.offered else { return };
        let candidates = &offered.completion.candidates;
        // The page that contains the chosen one.
        let first = offered.at.unwrap_or(0) / SHOWN_CANDIDATES * SHOWN_CANDIDATES;
        let mut clicked = None;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(4.0, 2.0);
            let shown = candidates.iter().enumerate().skip(first).take(SHOWN_CANDIDATES);
            for (index, candidate) in shown {
                let text = RichText::new(candidate).monospace();
                let label = ui.selectable_label(offered.at == Some(index), text);
                theme::name(&label, &format!("complete {candidate}"));
                if label.clicked() {
                    clicked = Some(index);
                }
            }
            let more = candidates.len().saturating_sub(first + SHOWN_CANDIDATES);
            if more > 0 {
                ui.label(RichText::new(format!("{more} more")).small().color(theme::DIM));
            }
        });
        if let Some(index) = clicked {
            self.choose(ui, index);
            self.offered = None;
            ui.memory_mut(|memory| memory.request_focus(id()));
        }
    }
}
