//! Short notices at the bottom right of the game, e.g. for a swap or an error.
//!
//! A notice has a key, usually its module's id, and replaces the notice with the same key. An error
//! stays until its cause is gone or it is replaced or dismissed; most others fade after some seconds.

use std::collections::BTreeSet;

use playground_api::bevy_egui::egui;

use egui::{Align, Align2, Area, Color32, Frame, Id, Label, Layout, Order, RichText, Ui, vec2};

use super::panel::theme;
use crate::ids::ModuleId;

/// The most notices on screen: the oldest that fades makes room for a new one.
const SHOWN: usize = 6;
const FADE_S: f64 = 0.8;
const WIDTH: f32 = 380.0;

/// The level of a notice, which sets its colour and how long it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeLevel {
    /// Something is in progress; stays until it is replaced or removed.
    Progress,
    /// Stays 6 seconds.
    Info,
    /// Stays 6 seconds.
    Success,
    /// Stays 12 seconds.
    Warn,
    /// A decision is needed; stays until it is replaced or dismissed.
    Question,
    /// Stays until it is replaced or dismissed.
    Error,
}

impl NoticeLevel {
    fn stays_s(self) -> Option<f64> {
        match self {
            Self::Info | Self::Success => Some(6.0),
            Self::Warn => Some(12.0),
            Self::Progress | Self::Question | Self::Error => None,
        }
    }

    fn has_button(self) -> bool {
        matches!(self, Self::Question | Self::Error)
    }

    fn color(self) -> Color32 {
        match self {
            Self::Progress | Self::Info => theme::BLUE,
            Self::Success => theme::GREEN,
            Self::Warn | Self::Question => theme::AMBER,
            Self::Error => theme::RED,
        }
    }
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its level.
    pub level: NoticeLevel,
    /// The headline, e.g. `systems_steering live in 480 ms`.
    pub title: String,
    /// One or two lines, e.g. the times of the build's steps; may be empty.
    pub body: String,
    /// A dim line at the end, e.g. `details in console (F1)`.
    pub details: Option<String>,
    /// The modules whose newest code cannot run. It is dismissed once that of all of them can, or
    /// they are gone.
    pub about: BTreeSet<ModuleId>,
}

impl Notice {
    /// A notice without details.
    pub fn new(level: NoticeLevel, title: impl Into<String>, body: impl Into<String>) -> Self {
        let about = BTreeSet::new();
        Self { level, title: title.into(), body: body.into(), details: None, about }
    }

    /// Names the modules whose newest code cannot run.
    pub fn about(mut self, modules: BTreeSet<ModuleId>) -> Self {
        self.about = modules;
        self
    }

    /// Adds a dim line at the end.
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }
}

/// The notices on screen.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    shown: Vec<Shown>,
    /// The number of notices so far.
    count: u64,
}

#[derive(Debug, Clone)]
struct Shown {
    key: String,
    /// Unlike the key, not shared with the notice that replaces it.
    number: u64,
    notice: Notice,
    /// egui's time of its first frame.
    since: Option<f64>,
}

impl Notices {
    /// Shows a notice, in place of the one with the same key if there is one.
    pub fn replace(&mut self, key: impl Into<String>, notice: Notice) {
        let key = key.into();
        self.count += 1;
        let new = Shown { key, number: self.count, notice, since: None };
        match self.shown.iter_mut().find(|shown| shown.key == new.key) {
            Some(old) => *old = new,
            None => self.shown.push(new),
        }
        if self.shown.len() > SHOWN {
            let fading = self.shown.iter().position(|shown| shown.notice.level.stays_s().is_some());
            self.shown.remove(fading.unwrap_or(0));
        }
    }

    /// Removes a notice; returns false if there was none with this key.
    pub fn dismiss(&mut self, key: &str) -> bool {
        let before = self.shown.len();
        self.shown.retain(|shown| shown.key != key);
        self.shown.len() != before
    }

    /// Removes the notices for which `stays` is false.
    pub fn retain(&mut self, mut stays: impl FnMut(&Notice) -> bool) {
        self.shown.retain(|shown| stays(&shown.notice));
    }

    /// The notices with their keys, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Notice)> {
        self.shown.iter().map(|shown| (shown.key.as_str(), &shown.notice))
    }

    /// Draws the notices, the newest at the bottom. Call it once a frame.
    pub fn show(&mut self, ctx: &egui::Context) {
        let now = ctx.input(|input| input.time);
        for shown in &mut self.shown {
            shown.since.get_or_insert(now);
        }
        self.shown.retain(|shown| shown.left_s(now).is_none_or(|left| left > 0.0));
        let Some(next) = self.shown.iter().filter_map(|shown| shown.left_s(now)).reduce(f64::min)
        else {
            return self.draw(ctx, now);
        };
        // egui may redraw only on input: request the frames in which a notice fades.
        let wait = if next > FADE_S { next - FADE_S } else { 0.0 };
        ctx.request_repaint_after(std::time::Duration::from_secs_f64(wait));
        self.draw(ctx, now);
    }

    fn draw(&mut self, ctx: &egui::Context, now: f64) {
        let mut dismissed = None;
        let mut bottom = -12.0;
        for shown in self.shown.iter().rev() {
            let opacity = shown.left_s(now).map_or(1.0, |left| (left / FADE_S).min(1.0));
            let area = Area::new(Id::new(("playground_notice", shown.number)))
                .order(Order::Foreground)
                .anchor(Align2::RIGHT_BOTTOM, vec2(-12.0, bottom))
                // A notice without a button leaves the pointer to the game.
                .interactable(shown.notice.level.has_button())
                .fade_in(false)
                .show(ctx, |ui| {
                    theme::apply(ui);
                    ui.set_opacity(opacity as f32);
                    card(ui, &shown.notice)
                });
            bottom -= area.response.rect.height() + 6.0;
            if area.inner {
                dismissed = Some(shown.number);
            }
        }
        if let Some(number) = dismissed {
            self.shown.retain(|shown| shown.number != number);
        }
    }
}

impl Shown {
    fn left_s(&self, now: f64) -> Option<f64> {
        let stays = self.notice.level.stays_s()?;
        Some(self.since.map_or(stays, |since| since + stays - now))
    }
}

/// Returns true if the notice was dismissed.
fn card(ui: &mut Ui, notice: &Notice) -> bool {
    let color = notice.level.color();
    let frame = Frame::new().fill(theme::SHEET).corner_radius(4).inner_margin(egui::Margin {
        left: 14,
        right: 10,
        top: 8,
        bottom: 8,
    });
    let drawn = frame.stroke(egui::Stroke::new(1.0, theme::LINE)).show(ui, |ui| {
        ui.set_width(WIDTH);
        ui.spacing_mut().item_spacing.y = 3.0;
        let dismissed = title(ui, notice, color);
        if !notice.body.is_empty() {
            let body = RichText::new(&notice.body).monospace().color(theme::TEXT);
            ui.add(Label::new(body).selectable(false).wrap());
        }
        if let Some(details) = &notice.details {
            let details = RichText::new(details).small().color(theme::DIM);
            ui.add(Label::new(details).selectable(false).wrap());
        }
        dismissed
    });
    let mut stripe = drawn.response.rect;
    stripe.set_width(4.0);
    ui.painter().rect_filled(stripe, 2.0, color);
    drawn.inner
}

fn title(ui: &mut Ui, notice: &Notice, color: Color32) -> bool {
    let title = RichText::new(&notice.title).strong().color(color);
    if !notice.level.has_button() {
        ui.add(Label::new(title).selectable(false).wrap());
        return false;
    }
    ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
        let button = ui.small_button("×");
        theme::name(&button, &format!("dismiss {}", notice.title));
        ui.with_layout(Layout::left_to_right(Align::Min).with_main_justify(false), |ui| {
            ui.add(Label::new(title).selectable(false).wrap());
        });
        button.clicked()
    })
    .inner
}
