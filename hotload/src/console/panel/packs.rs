//! The packs page: the installed packs with their switches, and the question about a publisher.

use playground_api::bevy_egui::egui;

use egui::{Button, Id, Label, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::{ConsoleAction, part, theme};
use crate::console::command::Command;
use crate::console::view::{PackQuestion, PackRow};
use crate::packs::{NO_SANDBOX, StoreCommand};

/// The id of the text field for a file.
pub fn filter_id() -> Id {
    Id::new("playground_console_packs_file")
}

/// The file that is typed.
#[derive(Debug, Clone, Default)]
pub struct PacksTab {
    file: String,
}

impl PacksTab {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        rows: &[PackRow],
        question: Option<&PackQuestion>,
        page: f32,
        actions: &mut Vec<ConsoleAction>,
    ) {
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.file)
                .id(filter_id())
                .desired_width(360.0)
                .hint_text("a .pgpack file, or drop one onto the window");
            let field = ui.add(field);
            theme::name(&field, "file of a pack");
            let button = ui.add_enabled(!self.file.trim().is_empty(), Button::new("install"));
            theme::name(&button, "install the pack");
            let entered =
                field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if button.clicked() || (entered && !self.file.trim().is_empty()) {
                actions.push(run(install(self.file.trim())));
                self.file.clear();
            }
        });
        ui.label(RichText::new(NO_SANDBOX).small().color(theme::DIM));
        if let Some(question) = question {
            part(ui, "question", |ui| ask(ui, question, actions));
        }
        let page_height = ui.available_height();
        ScrollArea::vertical().auto_shrink(false).id_salt("packs").show(ui, |ui| {
            if page != 0.0 {
                ui.scroll_with_delta(vec2(0.0, page * page_height));
            }
            for row in rows {
                part(ui, ("pack", &row.id), |ui| show_row(ui, row, actions));
            }
            if rows.is_empty() {
                ui.label(RichText::new("no packs are installed").color(theme::DIM));
            }
        });
    }
}

/// The command that installs a file.
pub fn install(file: &str) -> StoreCommand {
    StoreCommand::Install {
        file: file.to_owned(),
        trust: false,
        developer: false,
        downgrade: false,
    }
}

fn run(command: StoreCommand) -> ConsoleAction {
    ConsoleAction::Run(Command::Pack(command))
}

fn ask(ui: &mut Ui, question: &PackQuestion, actions: &mut Vec<ConsoleAction>) {
    let frame = egui::Frame::new().fill(theme::WELL).corner_radius(3).inner_margin(8);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let title = "Do you trust this publisher from now on?";
        ui.label(RichText::new(title).strong().color(theme::AMBER));
        ui.add(Label::new(RichText::new(&question.text).monospace()).wrap().selectable(true));
        ui.horizontal(|ui| {
            let yes = ui.button("trust and install");
            theme::name(&yes, "trust the publisher and install");
            if yes.clicked() {
                actions.push(run(question.with_trust()));
            }
            let no = ui.button("no");
            theme::name(&no, "do not trust the publisher");
            if no.clicked() {
                actions.push(ConsoleAction::DeclineTrust);
            }
        });
    });
    ui.add_space(4.0);
}

fn show_row(ui: &mut Ui, row: &PackRow, actions: &mut Vec<ConsoleAction>) {
    let id = || row.id.clone();
    ui.horizontal(|ui| {
        let switch = theme::switch(ui, row.is_on, &format!("pack {} enabled", row.id));
        if switch.clicked() {
            let (on, off) = (StoreCommand::Disable { id: id() }, StoreCommand::Enable { id: id() });
            actions.push(run(if row.is_on { on } else { off }));
        }
        let color = if row.is_on { theme::TEXT } else { theme::DIM };
        ui.label(RichText::new(&row.title).strong().color(color));
        let known = format!("{} {}", row.id, row.version);
        ui.label(RichText::new(known).monospace().color(theme::DIM));
        let buttons = [
            ("why", StoreCommand::Why { id: id() }),
            ("info", StoreCommand::Info { id: id() }),
            ("verify", StoreCommand::Verify { pack: id() }),
            ("remove", StoreCommand::Remove { id: id() }),
        ];
        for (name, command) in buttons {
            let button = ui.add(Button::new(RichText::new(name).small()));
            theme::name(&button, &format!("{name} pack {}", row.id));
            if button.clicked() {
                actions.push(run(command));
            }
        }
        ui.label(RichText::new(&row.publisher).small().color(theme::DIM));
    });
    let mut below = |text: &str, color| {
        ui.horizontal(|ui| {
            ui.add_space(36.0);
            ui.add(Label::new(RichText::new(text).small().color(color)).wrap());
        });
    };
    if let Some(problem) = &row.problem {
        below(problem, theme::RED);
    }
    if let Some(first) = row.description.lines().next() {
        below(first, theme::DIM);
    }
    below(&row.modules.join(", "), theme::DIM);
    ui.add_space(4.0);
}
