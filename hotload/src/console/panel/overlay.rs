//! The progress of the first build, in the middle of the window.

use playground_api::bevy_egui::egui;

use egui::{Align2, Area, Frame, Id, Label, Order, ProgressBar, RichText, ScrollArea, Ui, vec2};

use super::theme;
use crate::console::view::Progress;

/// Shows the progress of the first build: its current step, the number of steps, the time.
///
/// An error is shown in full below it; the build continues when the error is fixed.
pub fn progress_overlay(ctx: &egui::Context, progress: &Progress) {
    let screen = ctx.content_rect();
    let wide = if progress.error.is_some() { 820.0 } else { 420.0 };
    let width = (screen.width() - 80.0).clamp(120.0, wide);
    Area::new(Id::new("playground_progress"))
        .order(Order::Middle)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .fade_in(false)
        .show(ctx, |ui| {
            theme::apply(ui);
            let card = Frame::new().fill(theme::SHEET).corner_radius(6).inner_margin(18);
            card.stroke(egui::Stroke::new(1.0, theme::LINE)).show(ui, |ui| {
                ui.set_width(width);
                card_content(ui, progress, screen.height() * 0.5);
            });
        });
}

fn card_content(ui: &mut Ui, progress: &Progress, max_height: f32) {
    ui.spacing_mut().item_spacing.y = 8.0;
    let color = if progress.error.is_some() { theme::RED } else { theme::TEXT };
    ui.horizontal(|ui| {
        ui.label(RichText::new(&progress.what).heading().color(color));
        ui.label(RichText::new(progress.counted()).heading().color(theme::DIM));
    });
    match progress.fraction() {
        Some(fraction) => {
            let fill = if progress.error.is_some() { theme::RED } else { theme::BLUE };
            let bar = ui.add(ProgressBar::new(fraction).desired_height(8.0).fill(fill));
            theme::name(&bar, "progress of the build");
        }
        None => {
            ui.add(egui::Spinner::new());
        }
    }
    ui.horizontal(|ui| {
        let elapsed = format!("{:.0} s", progress.elapsed_s);
        ui.label(RichText::new(elapsed).monospace().color(theme::DIM));
        if let Some(detail) = &progress.detail {
            let text = RichText::new(detail).monospace().color(theme::DIM);
            ui.add(Label::new(text).truncate());
        }
    });
    if let Some(error) = &progress.error {
        ScrollArea::both().max_height(max_height).auto_shrink([false, true]).show(ui, |ui| {
            let text = RichText::new(error).monospace().color(theme::TEXT);
            ui.add(Label::new(text).selectable(true).extend());
        });
    }
}
