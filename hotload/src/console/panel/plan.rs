//! The plan of a module below its row, with a confirmation if the swap would drop values.

use std::collections::BTreeMap;
use std::sync::Arc;

use playground_api::bevy_egui::egui;

use egui::{Button, RichText, ScrollArea, Ui};

use super::{ConsoleAction, theme};
use crate::console::command::Command;
use crate::console::plan::{Item, ItemFate, ModulePlan};
use crate::console::view::ModuleRow;

/// A higher plan is scrolled.
const MAX_HEIGHT: f32 = 240.0;

/// The plan that was closed last, by module.
pub type Closed = BTreeMap<String, Arc<ModulePlan>>;

/// Shows the row's plan, unless this plan was closed.
pub fn show(ui: &mut Ui, row: &ModuleRow, closed: &mut Closed, actions: &mut Vec<ConsoleAction>) {
    let Some(plan) = &row.plan else { return };
    if closed.get(&row.id).is_some_and(|closed| Arc::ptr_eq(closed, plan)) {
        return;
    }
    let frame = egui::Frame::new().fill(theme::WELL).corner_radius(3).inner_margin(6);
    frame.outer_margin(egui::Margin { left: 36, ..Default::default() }).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            if plan.needs_confirmation() {
                let title =
                    format!("{} needs your confirmation: the swap drops what is red", row.id);
                ui.label(RichText::new(title).small().color(theme::AMBER));
                return confirmation(ui, row, plan, closed, actions);
            }
            let title = format!("what a swap of {} changes", row.id);
            ui.label(RichText::new(title).small().color(theme::DIM));
            let close = ui.small_button("close");
            theme::name(&close, &format!("close plan of {}", row.id));
            if close.clicked() {
                closed.insert(row.id.clone(), plan.clone());
            }
        });
        ScrollArea::vertical()
            .id_salt(("plan", &row.id))
            .max_height(MAX_HEIGHT)
            .auto_shrink([false, true])
            .show(ui, |ui| items(ui, plan));
        if !plan.along.is_empty() {
            let text = format!("swaps together with {}", plan.along.join(", "));
            ui.label(RichText::new(text).small().color(theme::DIM));
        }
    });
}

fn confirmation(
    ui: &mut Ui,
    row: &ModuleRow,
    plan: &Arc<ModulePlan>,
    closed: &mut Closed,
    actions: &mut Vec<ConsoleAction>,
) {
    let yes = RichText::new("yes, drop it and swap").small().color(theme::RED);
    let yes = ui.add(Button::new(yes));
    theme::name(&yes, &format!("yes, drop values of {}", row.id));
    if yes.clicked() {
        actions.push(ConsoleAction::Run(Command::Reload { id: row.id.clone(), force: true }));
    }
    let no = ui.small_button("no, keep the old code");
    theme::name(&no, &format!("no, keep values of {}", row.id));
    if no.clicked() {
        actions.push(ConsoleAction::Decline(row.id.clone()));
        closed.insert(row.id.clone(), plan.clone());
    }
}

fn items(ui: &mut Ui, plan: &ModulePlan) {
    if plan.items.is_empty() {
        ui.label(RichText::new("nothing changes").color(theme::DIM));
    }
    for item in plan.items.iter().filter(|item| item.fate != ItemFate::SystemReplaced) {
        line(ui, item);
    }
    let kept = plan.items.iter().filter(|item| item.fate == ItemFate::SystemReplaced).count();
    if kept > 0 {
        let text =
            format!("{kept} systems keep their place with new code; their `Local`s are reset");
        ui.label(RichText::new(text).small().color(theme::DIM));
    }
}

fn line(ui: &mut Ui, item: &Item) {
    let color = theme::weight_color(item.fate.weight());
    let mono = |text: String, color| RichText::new(text).monospace().color(color);
    ui.horizontal(|ui| {
        ui.label(mono(format!("{:<15}", item.fate.label()), color));
        ui.label(mono(item.name.clone(), theme::TEXT));
        ui.label(mono(item.counted(), theme::DIM));
    });
    for detail in &item.details {
        let color = theme::weight_color(detail.weight);
        ui.label(mono(format!("{:16}{}", "", detail.text), color));
    }
}
