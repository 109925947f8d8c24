//! Colours and small widgets shared by the console, the notices and the overlay.

use playground_api::bevy_egui::egui;

use egui::{
    Color32, FontFamily, FontId, Response, Sense, Stroke, TextStyle, Ui, Visuals, WidgetInfo,
    WidgetType, vec2,
};

use crate::console::plan::Weight;
use crate::console::view::{Level, ModuleState};

pub const SHEET: Color32 = Color32::from_rgba_premultiplied(15, 17, 21, 244);
pub const WELL: Color32 = Color32::from_rgb(10, 11, 14);
pub const HOVER: Color32 = Color32::from_rgb(27, 31, 39);
pub const LINE: Color32 = Color32::from_rgb(46, 51, 61);
pub const TEXT: Color32 = Color32::from_rgb(208, 212, 220);
pub const DIM: Color32 = Color32::from_rgb(130, 138, 152);
pub const FAINT: Color32 = Color32::from_rgb(78, 85, 97);
pub const BLUE: Color32 = Color32::from_rgb(102, 170, 255);
pub const GREEN: Color32 = Color32::from_rgb(104, 204, 134);
pub const AMBER: Color32 = Color32::from_rgb(235, 185, 90);
pub const VIOLET: Color32 = Color32::from_rgb(186, 148, 250);
pub const RED: Color32 = Color32::from_rgb(242, 110, 104);

/// The colour of a module's state.
pub fn state_color(state: ModuleState) -> Color32 {
    match state {
        ModuleState::Queued => DIM,
        ModuleState::Building => BLUE,
        ModuleState::Active => GREEN,
        ModuleState::Probation => VIOLET,
        ModuleState::Waiting => AMBER,
        ModuleState::Failed | ModuleState::Quarantined => RED,
        ModuleState::Disabled => FAINT,
    }
}

/// The colour of a plan's entry.
pub fn weight_color(weight: Weight) -> Color32 {
    match weight {
        Weight::Fine => DIM,
        Weight::Notable => TEXT,
        Weight::Declared => AMBER,
        Weight::Lost | Weight::Impossible => RED,
    }
}

pub fn level_color(level: Level) -> Color32 {
    match level {
        Level::Info => TEXT,
        Level::Warn => AMBER,
        Level::Error => RED,
        Level::Input => BLUE,
    }
}

/// Sets a dark, compact style for this `Ui` alone: the game's own windows keep their style.
pub fn apply(ui: &mut Ui) {
    let style = ui.style_mut();
    let mut visuals = Visuals::dark();
    visuals.override_text_color = None;
    visuals.extreme_bg_color = WELL;
    visuals.selection.bg_fill = Color32::from_rgb(38, 66, 104);
    visuals.selection.stroke = Stroke::new(1.0, Color32::from_rgb(200, 222, 255));
    visuals.widgets.noninteractive.fg_stroke.color = TEXT;
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, LINE);
    visuals.widgets.inactive.fg_stroke.color = TEXT;
    visuals.widgets.inactive.weak_bg_fill = Color32::from_rgb(34, 38, 47);
    visuals.widgets.hovered.weak_bg_fill = Color32::from_rgb(48, 54, 66);
    visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, FAINT);
    style.visuals = visuals;
    style.spacing.item_spacing = vec2(8.0, 4.0);
    style.spacing.button_padding = vec2(6.0, 1.0);
    style.spacing.interact_size = vec2(30.0, 18.0);
    style.spacing.scroll = egui::style::ScrollStyle::solid();
    let sizes = [
        (TextStyle::Small, FontFamily::Proportional, 11.0),
        (TextStyle::Body, FontFamily::Proportional, 13.0),
        (TextStyle::Button, FontFamily::Proportional, 12.0),
        (TextStyle::Heading, FontFamily::Proportional, 16.0),
        (TextStyle::Monospace, FontFamily::Monospace, 12.0),
    ];
    style.text_styles =
        sizes.into_iter().map(|(name, family, size)| (name, FontId::new(size, family))).collect();
}

/// A thin horizontal line.
pub fn rule(ui: &mut Ui) {
    ui.add(egui::Separator::default().spacing(5.0));
}

/// A dot in a state's colour.
pub fn dot(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(8.0, 18.0), Sense::hover());
    ui.painter().circle_filled(rect.center(), 3.5, color);
}

/// Sets the name that screen readers read, if the widget's text alone is not enough.
pub fn name(response: &Response, label: &str) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_label(label));
}

/// A switch that is toggled by a click or the space key.
pub fn switch(ui: &mut Ui, on: bool, label: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(26.0, 14.0), Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(WidgetType::Checkbox, enabled, on, label));
    if ui.is_rect_visible(rect) {
        let how_on = ui.ctx().animate_bool_responsive(response.id, on);
        let fill = egui::lerp(egui::Rgba::from(LINE)..=egui::Rgba::from(GREEN), how_on * 0.75);
        let edge = match (response.has_focus(), response.hovered()) {
            (true, _) => Stroke::new(1.5, BLUE),
            (false, true) => Stroke::new(1.0, DIM),
            (false, false) => Stroke::new(1.0, FAINT),
        };
        let radius = rect.height() / 2.0;
        let knob = egui::lerp(rect.left() + radius..=rect.right() - radius, how_on);
        let painter = ui.painter();
        painter.rect(rect, radius, fill, edge, egui::StrokeKind::Inside);
        painter.circle_filled(egui::pos2(knob, rect.center().y), radius - 3.0, TEXT);
    }
    response
}
