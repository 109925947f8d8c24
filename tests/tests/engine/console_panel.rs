//! The console as a person uses it: clicks and keys in, commands out; no game and no window.

use std::sync::Arc;

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use playground_api::bevy_egui::egui;
use playground_hotload::console::{command, history, notices, panel, plan, view};

use command::{Command, Names, QuarantineCommand, SnapshotCommand};
use egui::{Event, Key, Modifiers};
use notices::{Notice, NoticeLevel, Notices};
use panel::{ConsoleAction, ConsoleState, Tab};
use plan::{Detail, Item, ItemFate, ModulePlan, Weight};
use playground_hotload::packs::StoreCommand;
use view::{
    ConsoleView, Level, ModuleCommand, ModuleRow, ModuleState, PackQuestion, PackRow, Progress,
};

// ---- The harness -------------------------------------------------------------------------------

const RUSTC: &str = "error[E0308]: mismatched types
  --> modules/systems/combat/src/lib.rs:14:9
   |
14 |         health.0 -= damage;
   |                     ^^^^^^ expected `f32`, found `u32`";

/// The console with what it shows and what it was asked for.
struct Screen {
    view: ConsoleView,
    state: ConsoleState,
    actions: Vec<ConsoleAction>,
    open: bool,
}

type Console = Harness<'static, Screen>;

fn row(id: &str, kind: &'static str) -> ModuleRow {
    ModuleRow {
        id: id.to_owned(),
        kind,
        version: "0.1.0".to_owned(),
        generation: 1,
        state: ModuleState::Active,
        enabled: true,
        can_toggle: true,
        ..ModuleRow::default()
    }
}

fn arena() -> ConsoleView {
    let mut core = row("core_arena", "core");
    core.can_toggle = false;
    core.why_not_toggle = Some("systems_combat and 3 others require it".to_owned());
    let mut combat = row("systems_combat", "systems");
    combat.state = ModuleState::Failed;
    combat.last_error = Some(RUSTC.to_owned());
    let mut steering = row("systems_steering", "systems");
    steering.generation = 4;
    steering.can_rollback = true;
    steering.check_ms = Some(120.0);
    steering.build_ms = Some(210.0);
    steering.link_ms = Some(60.0);
    steering.swap_ms = Some(1.24);
    let mut trails = row("plugins_trails", "plugins");
    trails.enabled = false;
    trails.state = ModuleState::Disabled;
    ConsoleView {
        modules: vec![
            row("apps_arena", "apps"),
            row("plugins_hud", "plugins"),
            trails,
            combat,
            steering,
            core,
        ],
        commands: vec![ModuleCommand {
            name: "spawn".to_owned(),
            usage: "spawn <count>".to_owned(),
            help: "adds enemies".to_owned(),
            module: "systems_combat".to_owned(),
        }],
        app: "arena".to_owned(),
        apps: vec!["arena".to_owned(), "boids".to_owned()],
        frame: 1_234,
        fps: 60.0,
        frame_ms: 3.2,
        ..ConsoleView::default()
    }
}

fn console(view: ConsoleView) -> Console {
    let screen = Screen { view, state: ConsoleState::default(), actions: Vec::new(), open: true };
    let mut harness = Harness::builder().with_size([1280.0, 900.0]).build_ui_state(
        |ui, screen: &mut Screen| {
            if screen.open {
                screen.actions.extend(panel::show(ui.ctx(), &screen.view, &mut screen.state));
            }
        },
        screen,
    );
    settle(&mut harness);
    harness
}

/// A few frames, as a blinking cursor never lets the console come to rest.
fn settle(console: &mut Console) {
    console.run_steps(4);
}

fn click(console: &mut Console, label: &str) {
    console.get_by_label(label).click();
    settle(console);
}

fn type_text(console: &mut Console, text: &str) {
    console.event(Event::Text(text.to_owned()));
    settle(console);
}

fn press(console: &mut Console, key: Key) {
    console.key_press(key);
    settle(console);
}

fn press_with(console: &mut Console, modifiers: Modifiers, key: Key) {
    console.key_press_modifiers(modifiers, key);
    settle(console);
}

fn asked(console: &mut Console) -> Vec<ConsoleAction> {
    std::mem::take(&mut console.state_mut().actions)
}

fn run(line: &str) -> Vec<ConsoleAction> {
    command::parse(line).unwrap().into_iter().map(ConsoleAction::Run).collect()
}

fn submit(line: &str) -> Vec<ConsoleAction> {
    vec![ConsoleAction::Submit(line.to_owned())]
}

fn has(console: &Console, label: &str) -> bool {
    console.query_by_label(label).is_some()
}

fn shows(console: &Console, text: &str) -> bool {
    console.query_all_by_label_contains(text).next().is_some()
}

// ---- The modules page --------------------------------------------------------------------------

#[test]
fn a_switch_asks_to_enable_or_disable() {
    let mut console = console(arena());
    click(&mut console, "plugins_hud enabled");
    assert_eq!(asked(&mut console), run("disable plugins_hud"));
    click(&mut console, "plugins_trails enabled");
    assert_eq!(asked(&mut console), run("enable plugins_trails"));
}

#[test]
fn a_switch_that_cannot_move_says_why() {
    let mut console = console(arena());
    let switch = console.get_by_label("core_arena enabled");
    let node = switch.accesskit_node();
    assert!(node.is_disabled());
    let description = node.data().description().unwrap_or_default().to_owned();
    assert_eq!(description, "systems_combat and 3 others require it");
    switch.hover();
    console.run_steps(60);
    assert!(shows(&console, "systems_combat and 3 others require it"));
    click(&mut console, "core_arena enabled");
    assert_eq!(asked(&mut console), []);
}

#[test]
fn the_buttons_of_a_row_act_on_its_module() {
    let mut console = console(arena());
    click(&mut console, "reload systems_steering");
    assert_eq!(asked(&mut console), run("reload systems_steering"));
    click(&mut console, "rollback systems_steering");
    assert_eq!(asked(&mut console), run("rollback systems_steering"));
    // Nothing to go back to.
    click(&mut console, "rollback plugins_hud");
    assert_eq!(asked(&mut console), []);
    click(&mut console, "plan systems_steering");
    assert_eq!(asked(&mut console), run("plan systems_steering"));
    assert_eq!(console.state().state.tab, Tab::Log, "a plan's lines are in the log");
}

#[test]
fn a_row_shows_generation_state_and_times() {
    let console = console(arena());
    for text in ["g4", "0.1.0", "failed", "disabled", "active", "120", "210", "60", "1.2"] {
        assert!(console.query_all_by_label(text).next().is_some(), "{text} is not shown");
    }
    assert!(has(&console, "1 in trouble"));
    // In the order in which modules depend on each other, whatever the view's order.
    let top = |title: &str| console.get_by_label(title).rect().top();
    assert!(top("core  1") < top("systems  2"));
    assert!(top("systems  2") < top("plugins  2"));
    assert!(top("plugins  2") < top("apps  1"));
}

#[test]
fn a_new_error_is_open_closes_on_a_click_and_opens_again_when_it_changes() {
    let mut console = console(arena());
    assert!(shows(&console, "expected `f32`, found `u32`"));
    assert!(has(&console, "copy error of systems_combat"));
    click(&mut console, "error of systems_combat");
    assert!(!shows(&console, "expected `f32`, found `u32`"));
    assert!(has(&console, "error of systems_combat"), "its first line stays");

    let combat = 3;
    console.state_mut().view.modules[combat].last_error = Some("error: another\nline".to_owned());
    settle(&mut console);
    assert!(shows(&console, "error: another\nline"));
    console.state_mut().view.modules[combat].last_error = None;
    settle(&mut console);
    assert!(!has(&console, "error of systems_combat"));
}

#[test]
fn an_error_is_copied_in_full() {
    let mut console = console(arena());
    console.get_by_label("copy error of systems_combat").click();
    let mut copied = None;
    for _ in 0..4 {
        console.step();
        for command in &console.output().platform_output.commands {
            if let egui::OutputCommand::CopyText(text) = command {
                copied = Some(text.clone());
            }
        }
    }
    assert_eq!(copied.as_deref(), Some(RUSTC));
}

#[test]
fn the_filter_finds_modules_by_id_kind_and_state() {
    let mut view = arena();
    view.modules.extend((0..50).map(|n| row(&format!("systems_extra_{n}"), "systems")));
    let mut console = console(view);
    press_with(&mut console, Modifiers::COMMAND, Key::F);
    type_text(&mut console, "hud");
    assert!(has(&console, "plugins_hud enabled"));
    assert!(!has(&console, "plugins_trails enabled"));
    assert!(has(&console, "1 of 56"));
    for _ in 0..3 {
        press(&mut console, Key::Backspace);
    }
    type_text(&mut console, "plugins disabled");
    assert!(has(&console, "plugins_trails enabled"));
    assert!(!has(&console, "plugins_hud enabled"));
    type_text(&mut console, " nonsense");
    assert!(has(&console, "no module matches"));
    // Escape goes back to the command line first and closes the console after that.
    press(&mut console, Key::Escape);
    assert_eq!(asked(&mut console), []);
    assert!(console.get_by_label("command line").is_focused());
    press(&mut console, Key::Escape);
    assert_eq!(asked(&mut console), [ConsoleAction::Close]);
}

#[test]
fn a_switch_can_be_reached_and_moved_without_a_mouse() {
    let mut console = console(arena());
    console.get_by_label("plugins_hud enabled").focus();
    settle(&mut console);
    press(&mut console, Key::Space);
    assert_eq!(asked(&mut console), run("disable plugins_hud"));

    console.get_by_label("command line").focus();
    settle(&mut console);
    press_with(&mut console, Modifiers::SHIFT, Key::Tab);
    assert!(!console.get_by_label("command line").is_focused(), "Shift+Tab leaves the line");
    press(&mut console, Key::Tab);
    assert!(console.get_by_label("command line").is_focused(), "and Tab comes back to it");
}

#[test]
fn apps_and_closing_are_a_click_away() {
    let mut console = console(arena());
    click(&mut console, "app arena");
    assert_eq!(asked(&mut console), [], "it runs already");
    click(&mut console, "app boids");
    assert_eq!(asked(&mut console), run("app boids"));
    click(&mut console, "close the console");
    assert_eq!(asked(&mut console), [ConsoleAction::Close]);
}

// ---- The command line --------------------------------------------------------------------------

/// A field goes, of a component that 2,000 enemies carry.
fn plan_that_asks() -> ModulePlan {
    let lost = Detail { text: "armor: would be dropped".to_owned(), weight: Weight::Lost };
    let contact = Item {
        fate: ItemFate::TypeMigrated,
        name: "core_arena::Contact".to_owned(),
        values: Some(2_000),
        details: vec![lost],
    };
    let kept =
        Item { name: "core_arena::Health".to_owned(), values: Some(2_001), ..Item::default() };
    ModulePlan {
        module: "core_arena".to_owned(),
        items: vec![kept, contact],
        along: vec!["systems_combat".to_owned()],
    }
}

#[test]
fn a_plan_that_would_drop_values_asks_and_takes_yes_and_no() {
    let mut view = arena();
    let core = view.modules.iter_mut().find(|row| row.id == "core_arena").unwrap();
    core.state = ModuleState::Waiting;
    core.plan = Some(Arc::new(plan_that_asks()));
    let mut console = console(view);
    assert!(shows(&console, "core_arena::Contact") && shows(&console, "2000 values"));
    assert!(shows(&console, "armor: would be dropped"));
    assert!(shows(&console, "swaps together with systems_combat"));
    click(&mut console, "yes, drop values of core_arena");
    let yes = Command::Reload { id: "core_arena".to_owned(), force: true };
    assert_eq!(asked(&mut console), [ConsoleAction::Run(yes)]);

    click(&mut console, "no, keep values of core_arena");
    assert!(!shows(&console, "core_arena::Contact"));
    assert_eq!(asked(&mut console), [ConsoleAction::Decline("core_arena".to_owned())]);
    // The same question, asked by another save, is another question.
    let core = console.state_mut().view.modules.iter_mut().find(|row| row.id == "core_arena");
    core.unwrap().plan = Some(Arc::new(plan_that_asks()));
    settle(&mut console);
    assert!(shows(&console, "core_arena::Contact"));
    click(&mut console, "no, keep values of core_arena");
    assert!(!shows(&console, "core_arena::Contact"));
}

#[test]
fn a_plan_that_loses_nothing_or_cannot_be_asks_nothing() {
    let mut view = arena();
    let core = view.modules.iter_mut().find(|row| row.id == "core_arena").unwrap();
    let mut plan = plan_that_asks();
    plan.items[1].details[0].weight = Weight::Impossible;
    core.plan = Some(Arc::new(plan.clone()));
    let mut console = console(view);
    assert!(shows(&console, "core_arena::Contact"));
    assert!(!has(&console, "yes, drop values of core_arena"));

    plan.items[1].details[0].weight = Weight::Lost;
    plan.items[1].values = Some(0);
    let core = console.state_mut().view.modules.iter_mut().find(|row| row.id == "core_arena");
    core.unwrap().plan = Some(Arc::new(plan));
    settle(&mut console);
    assert!(shows(&console, "no values") && !has(&console, "yes, drop values of core_arena"));
    click(&mut console, "close plan of core_arena");
    assert!(!shows(&console, "core_arena::Contact"));
}

#[test]
fn a_line_is_submitted_and_the_line_keeps_the_focus() {
    let mut console = console(arena());
    assert!(console.get_by_label("command line").is_focused(), "open, and ready to type");
    type_text(&mut console, "disable plugins_hud; wait 60");
    press(&mut console, Key::Enter);
    assert_eq!(asked(&mut console), submit("disable plugins_hud; wait 60"));
    assert_eq!(console.state().state.line(), "");
    type_text(&mut console, "hash");
    press(&mut console, Key::Enter);
    assert_eq!(asked(&mut console), submit("hash"));
    press(&mut console, Key::Enter);
    assert_eq!(asked(&mut console), [], "nothing was typed");
}

#[test]
fn what_is_typed_within_one_frame_is_taken_in_its_order() {
    let mut console = console(arena());
    let key = |key| Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let text = |text: &str| Event::Text(text.to_owned());
    console.input_mut().events.extend([
        text("h"),
        text("ash"),
        key(Key::Enter),
        text("mod"),
        key(Key::Tab),
        key(Key::Enter),
        text("wait"),
    ]);
    settle(&mut console);
    assert_eq!(asked(&mut console), [submit("hash"), submit("modules")].concat());
    assert_eq!(console.state().state.line(), "wait");
}

#[test]
fn a_click_elsewhere_gives_the_keyboard_back_to_the_line() {
    let mut console = console(arena());
    click(&mut console, "plugins_hud enabled");
    type_text(&mut console, "hash");
    assert_eq!(console.state().state.line(), "hash");
}

#[test]
fn up_and_down_go_through_the_history_and_back_to_the_draft() {
    let mut console = console(arena());
    for line in ["modules", "hash", "hash"] {
        type_text(&mut console, line);
        press(&mut console, Key::Enter);
    }
    type_text(&mut console, "wait");
    press(&mut console, Key::ArrowUp);
    assert_eq!(console.state().state.line(), "hash");
    press(&mut console, Key::ArrowUp);
    assert_eq!(console.state().state.line(), "modules", "no duplicates in a row");
    press(&mut console, Key::ArrowUp);
    assert_eq!(console.state().state.line(), "modules", "nothing is older");
    press(&mut console, Key::ArrowDown);
    press(&mut console, Key::ArrowDown);
    assert_eq!(console.state().state.line(), "wait");
    // The cursor is at the end of what came from the history.
    press(&mut console, Key::ArrowUp);
    type_text(&mut console, "; quit");
    assert_eq!(console.state().state.line(), "hash; quit");
}

#[test]
fn tab_completes_and_goes_through_the_candidates() {
    let mut console = console(arena());
    type_text(&mut console, "ena");
    press(&mut console, Key::Tab);
    assert_eq!(console.state().state.line(), "enable ");
    type_text(&mut console, "plug");
    press(&mut console, Key::Tab);
    assert_eq!(console.state().state.line(), "enable plugins_");
    assert!(has(&console, "complete plugins_hud"));
    assert!(has(&console, "complete plugins_trails"));
    press(&mut console, Key::Tab);
    assert_eq!(console.state().state.line(), "enable plugins_hud");
    press(&mut console, Key::Tab);
    assert_eq!(console.state().state.line(), "enable plugins_trails");
    press_with(&mut console, Modifiers::SHIFT, Key::Tab);
    assert_eq!(console.state().state.line(), "enable plugins_hud");
    // Typing on takes the list away; so does Escape, before it closes the console.
    type_text(&mut console, "; app ");
    assert!(!has(&console, "complete plugins_hud"));
    press(&mut console, Key::Tab);
    assert!(has(&console, "complete boids"));
    press(&mut console, Key::Escape);
    assert!(!has(&console, "complete boids"));
    assert_eq!(asked(&mut console), []);
    press(&mut console, Key::Tab);
    click(&mut console, "complete boids");
    press(&mut console, Key::Enter);
    assert_eq!(asked(&mut console), submit("enable plugins_hud; app boids"));
}

#[test]
fn tab_completes_at_the_cursor_and_keeps_what_is_behind_it() {
    let mut console = console(arena());
    type_text(&mut console, "dis; hash");
    for _ in 0..6 {
        press(&mut console, Key::ArrowLeft);
    }
    press(&mut console, Key::Tab);
    assert_eq!(console.state().state.line(), "disable ; hash");
    type_text(&mut console, "hud");
    press(&mut console, Key::Tab);
    assert_eq!(console.state().state.line(), "disable plugins_hud ; hash");
}

#[test]
fn the_key_that_opens_the_console_writes_nothing() {
    let mut console = console(arena());
    // bevy_egui sends the text before the key; other layouts have another sign on it.
    for sign in ["`", "^"] {
        console.state_mut().open = false;
        settle(&mut console);
        console.state_mut().open = true;
        console.input_mut().events.push(Event::Text(sign.to_owned()));
        console.input_mut().events.push(Event::Key {
            key: Key::Backtick,
            physical_key: Some(Key::Backtick),
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        });
        settle(&mut console);
        assert_eq!(console.state().state.line(), "");
    }
    type_text(&mut console, "`hash");
    assert_eq!(console.state().state.line(), "hash");
}

#[test]
fn the_usage_of_a_command_stands_beside_it() {
    let mut console = console(arena());
    type_text(&mut console, "reload ");
    assert!(has(&console, "reload <module> [--force]"));
    type_text(&mut console, "x; spawn");
    assert!(has(&console, "spawn <count>"));
}

// ---- The packs page ----------------------------------------------------------------------------

fn packed() -> ConsoleView {
    let boss = PackRow {
        id: "boss_wave".to_owned(),
        title: "Boss wave".to_owned(),
        version: "1.2.0".to_owned(),
        publisher: "signed with the key 0A".to_owned(),
        description: "A boss.\nWith a wave.".to_owned(),
        modules: vec!["systems_boss".to_owned(), "plugins_boss_hud".to_owned()],
        is_on: true,
        problem: None,
    };
    let palette = PackRow {
        id: "palette".to_owned(),
        title: "Palette".to_owned(),
        is_on: false,
        problem: Some("2.0.0: it was rolled back".to_owned()),
        ..boss.clone()
    };
    ConsoleView { packs: vec![boss, palette], ..arena() }
}

#[test]
fn packs_are_switched_explained_and_removed_on_their_page() {
    let mut console = console(packed());
    press_with(&mut console, Modifiers::COMMAND, Key::Num2);
    for shown in ["Boss wave", "boss_wave 1.2.0", "A boss.", "systems_boss, plugins_boss_hud"] {
        assert!(shows(&console, shown), "{shown}");
    }
    assert!(shows(&console, "2.0.0: it was rolled back") && shows(&console, "no sandbox"));
    let (boss, palette) = (|| "boss_wave".to_owned(), || "palette".to_owned());
    for (label, command) in [
        ("pack boss_wave enabled", StoreCommand::Disable { id: boss() }),
        ("pack palette enabled", StoreCommand::Enable { id: palette() }),
        ("remove pack palette", StoreCommand::Remove { id: palette() }),
    ] {
        click(&mut console, label);
        assert_eq!(asked(&mut console), [ConsoleAction::Run(Command::Pack(command))]);
        assert_eq!(console.state().state.tab, Tab::Packs);
    }
    // An answer of many lines is in the log.
    click(&mut console, "why pack boss_wave");
    let why = Command::Pack(StoreCommand::Why { id: boss() });
    assert_eq!(asked(&mut console), [ConsoleAction::Run(why)]);
    assert_eq!(console.state().state.tab, Tab::Log);
}

#[test]
fn a_publisher_is_trusted_or_not_on_the_packs_page() {
    let install = |trust: bool| StoreCommand::Install {
        file: "a b.pgpack".to_owned(),
        trust,
        developer: false,
        downgrade: true,
    };
    let mut view = packed();
    let text = "Boss wave 1.2.0\nthe whole key: RW".to_owned();
    view.pack_question = Some(PackQuestion { command: install(false), text });
    // The console opens where the question is, and other pages can still be seen.
    let mut console = console(view);
    assert!(shows(&console, "Do you trust this publisher") && shows(&console, "the whole key: RW"));
    press_with(&mut console, Modifiers::COMMAND, Key::Num1);
    settle(&mut console);
    assert_eq!(console.state().state.tab, Tab::Modules);
    press_with(&mut console, Modifiers::COMMAND, Key::Num2);
    click(&mut console, "trust the publisher and install");
    assert_eq!(asked(&mut console), [ConsoleAction::Run(Command::Pack(install(true)))]);
    click(&mut console, "do not trust the publisher");
    assert_eq!(asked(&mut console), [ConsoleAction::DeclineTrust]);
    // A file that is typed.
    console.state_mut().view.pack_question = None;
    settle(&mut console);
    console.get_by_label("file of a pack").focus();
    settle(&mut console);
    type_text(&mut console, "x.pgpack");
    click(&mut console, "install the pack");
    let typed = Command::Pack(panel::install("x.pgpack"));
    assert_eq!(asked(&mut console), [ConsoleAction::Run(typed)]);
}

// ---- The log -----------------------------------------------------------------------------------

#[test]
fn an_answer_is_seen_on_every_page() {
    let mut console = console(arena());
    console.state_mut().view.log.push(Level::Input, "> disable plugins_hud");
    console.state_mut().view.log.push(Level::Info, "plugins_hud is off");
    settle(&mut console);
    assert!(has(&console, "plugins_hud is off"), "at the foot of the modules");
    type_text(&mut console, "help");
    press(&mut console, Key::Enter);
    assert_eq!(console.state().state.tab, Tab::Log, "an answer of many lines");
    assert!(has(&console, "plugins_hud is off"));
    press_with(&mut console, Modifiers::COMMAND, Key::Num1);
    assert_eq!(console.state().state.tab, Tab::Modules);
    press_with(&mut console, Modifiers::COMMAND, Key::Num2);
    assert_eq!(console.state().state.tab, Tab::Packs);
    press_with(&mut console, Modifiers::COMMAND, Key::Num3);
    assert_eq!(console.state().state.tab, Tab::Log);
}

#[test]
fn a_long_log_shows_its_end_scrolls_and_is_filtered() {
    let mut view = arena();
    for n in 0..3_000 {
        view.log.push(Level::Info, &format!("line {n}"));
    }
    view.log.push(Level::Error, "error: two\nlines");
    let mut console = console(view);
    click(&mut console, "Log");
    assert!(has(&console, "lines") && has(&console, "line 2999"));
    let rows = console.query_all_by_label_contains("line ").count();
    assert!(rows < 100, "{rows} rows laid out: only those in sight should be");
    press(&mut console, Key::PageUp);
    console.run_steps(60);
    assert!(!has(&console, "line 2999"));
    press_with(&mut console, Modifiers::COMMAND, Key::F);
    type_text(&mut console, "line 299");
    assert!(has(&console, "11 of 3002 lines"));
    assert!(has(&console, "line 299") && has(&console, "line 2990"));
    click(&mut console, "clear the log");
    assert_eq!(asked(&mut console), run("clear"));
}

#[test]
fn a_log_is_bounded_and_shared() {
    let mut log = view::Log::new(3);
    log.push(Level::Info, "a\nb\n\tc\r\nd");
    let texts: Vec<&str> = log.lines().iter().map(|line| &*line.text).collect();
    assert_eq!(texts, ["b", "    c", "d"]);
    let shared = log.clone();
    log.push(Level::Warn, "e");
    assert_eq!(shared.lines().len(), 3);
    assert_eq!(&*shared.lines()[2].text, "d");
    assert_ne!(shared.revision(), log.revision());
    log.clear();
    assert!(log.lines().is_empty());
}

// ---- The command language ----------------------------------------------------------------------

#[test]
fn every_command_is_parsed() {
    let rows = [
        ("help", Command::Help { command: None }),
        ("help wait", Command::Help { command: Some("wait".to_owned()) }),
        ("modules", Command::Modules),
        ("enable a", Command::Enable { id: "a".to_owned() }),
        ("disable a", Command::Disable { id: "a".to_owned() }),
        ("reload a", Command::Reload { id: "a".to_owned(), force: false }),
        ("reload a --force", Command::Reload { id: "a".to_owned(), force: true }),
        (r#"load a "b c.so""#, Command::Load { id: "a".to_owned(), path: "b c.so".to_owned() }),
        ("rollback a", Command::Rollback { id: "a".to_owned(), generation: None, state: false }),
        (
            "rollback a 12 --state",
            Command::Rollback { id: "a".to_owned(), generation: Some(12), state: true },
        ),
        ("stats", Command::Stats),
        ("history a", Command::History { id: "a".to_owned() }),
        ("plan a", Command::Plan { id: "a".to_owned() }),
        ("why a", Command::Why { id: "a".to_owned() }),
        ("app", Command::App { name: None }),
        ("app boids", Command::App { name: Some("boids".to_owned()) }),
        ("hash", Command::Hash),
        ("snapshot save a", Command::Snapshot(SnapshotCommand::Save { name: "a".to_owned() })),
        (
            "snapshot load a --force",
            Command::Snapshot(SnapshotCommand::Load { name: "a".to_owned(), force: true }),
        ),
        (
            "snapshot load a",
            Command::Snapshot(SnapshotCommand::Load { name: "a".to_owned(), force: false }),
        ),
        ("snapshot list", Command::Snapshot(SnapshotCommand::List)),
        ("snapshot diff a", Command::Snapshot(SnapshotCommand::Diff { name: "a".to_owned() })),
        ("snapshot delete a", Command::Snapshot(SnapshotCommand::Delete { name: "a".to_owned() })),
        (
            r#"pack install "a b.pgpack" --trust"#,
            Command::Pack(StoreCommand::Install {
                file: "a b.pgpack".to_owned(),
                trust: true,
                developer: false,
                downgrade: false,
            }),
        ),
        (
            "pack update a --developer",
            Command::Pack(StoreCommand::Update { file: "a".to_owned(), developer: true }),
        ),
        ("pack list", Command::Pack(StoreCommand::List)),
        ("pack info a", Command::Pack(StoreCommand::Info { id: "a".to_owned() })),
        ("pack why a", Command::Pack(StoreCommand::Why { id: "a".to_owned() })),
        ("pack enable a", Command::Pack(StoreCommand::Enable { id: "a".to_owned() })),
        ("pack disable a", Command::Pack(StoreCommand::Disable { id: "a".to_owned() })),
        ("pack remove a", Command::Pack(StoreCommand::Remove { id: "a".to_owned() })),
        ("pack verify a", Command::Pack(StoreCommand::Verify { pack: "a".to_owned() })),
        ("pack keys", Command::Pack(StoreCommand::Keys)),
        ("pack trust a", Command::Pack(StoreCommand::Trust { key: "a".to_owned() })),
        ("pack revoke a", Command::Pack(StoreCommand::Revoke { key: "a".to_owned() })),
        ("quarantine list", Command::Quarantine(QuarantineCommand::List)),
        ("quarantine clear", Command::Quarantine(QuarantineCommand::Clear)),
        ("wait 60", Command::Wait { frames: 60 }),
        ("restart", Command::Restart),
        ("quit", Command::Quit),
        ("clear", Command::Clear),
        (
            r#"spawn "two words" "a;b" "say \"hi\" \\" "" c:\d"#,
            Command::Other {
                name: "spawn".to_owned(),
                args: ["two words", "a;b", r#"say "hi" \"#, "", r"c:\d"].map(str::to_owned).into(),
            },
        ),
    ];
    for (line, command) in &rows {
        assert_eq!(command::parse(line), Ok(vec![command.clone()]), "{line}");
    }
    for name in command::names() {
        assert!(command::usage(&[name]).unwrap().starts_with(name));
        let tried = rows.iter().any(|(line, _)| line.split(' ').next() == Some(name));
        assert!(tried, "{name} has no row");
    }
}

#[test]
fn commands_are_separated_and_empty_ones_skipped() {
    let commands = command::parse(" ; modules;;  wait 600 ;hash; ").unwrap();
    assert_eq!(commands, [Command::Modules, Command::Wait { frames: 600 }, Command::Hash]);
    assert_eq!(command::parse("  ;; "), Ok(Vec::new()));
    assert_eq!(
        command::parse("reload --force a"),
        Ok(vec![Command::Reload { id: "a".to_owned(), force: true }])
    );
}

#[test]
fn a_refused_line_names_what_was_expected_and_found() {
    let rows = [
        (
            "enable",
            "`enable` expects a module's id, found nothing after it; usage: enable <module>",
        ),
        ("disable -x", "`disable` expects no flag, found `-x`; usage: disable <module>"),
        ("wait soon", "`wait` expects a number of frames, found `soon`; usage: wait <frames>"),
        ("wait -1", "`wait` expects a number of frames, found `-1`; usage: wait <frames>"),
        (
            "reload a --forse",
            "`reload` expects `--force` or nothing, found `--forse`; usage: reload <module> [--force]",
        ),
        (
            "reload a b",
            "`reload` expects nothing more, found `b`; usage: reload <module> [--force]",
        ),
        ("hash now", "`hash` expects nothing more, found `now`; usage: hash"),
        ("quit; plan a b", "`plan` expects nothing more, found `b`; usage: plan <module>"),
        (
            "hash; spawn \"two",
            "expected a closing `\"` for the quote at column 13, found the end of the line",
        ),
    ];
    for (line, message) in rows {
        assert_eq!(command::parse(line).unwrap_err().to_string(), message);
    }
}

#[test]
fn completion_knows_what_stands_where() {
    let names = Names {
        packs: vec![],
        snapshots: vec!["before_boss"],
        modules: vec!["plugins_hud", "plugins_trails", "systems_combat"],
        apps: vec!["arena", "boids", "big arena"],
        commands: vec!["spawn"],
    };
    let rows: [(&str, &[&str], &str); 15] = [
        ("", &[], ""),
        ("re", &["reload", "restart"], "re"),
        ("rel", &["reload"], "reload "),
        ("sp", &["spawn"], "spawn "),
        ("help sp", &["spawn"], "help spawn "),
        ("hash; dis", &["disable"], "hash; disable "),
        ("plan PLUG", &["plugins_hud", "plugins_trails"], "plan plugins_"),
        ("enable hud", &["plugins_hud"], "enable plugins_hud "),
        ("enable a ", &[], "enable a "),
        ("reload systems_combat ", &["--force"], "reload systems_combat --force "),
        ("app a", &["arena"], "app arena "),
        ("app bi", &["big arena"], "app \"big arena\" "),
        ("app \"big a", &["big arena"], "app \"big arena\" "),
        ("spawn pl", &[], "spawn pl"),
        ("nonsense", &[], "nonsense"),
    ];
    for (line, candidates, applied) in rows {
        let completion = command::complete(line, &names);
        if !line.is_empty() {
            assert_eq!(completion.candidates, candidates, "{line}");
        }
        assert_eq!(completion.applied(line), applied);
    }
    assert_eq!(command::complete("", &names).candidates.len(), command::names().count() + 1);
}

#[test]
fn a_mistyped_name_finds_the_one_that_was_meant() {
    let names = Names { commands: vec!["spawn"], ..Names::default() };
    let rows = [
        ("moduels", Some("modules")),
        ("Hash", Some("hash")),
        ("relaod", Some("reload")),
        ("spwan", Some("spawn")),
        ("rollbck", Some("rollback")),
        ("teleport", None),
        ("", None),
    ];
    for (typed, meant) in rows {
        assert_eq!(command::suggest(typed, names.all_commands()), meant, "{typed}");
    }
}

#[test]
fn a_history_is_bounded() {
    let mut history = history::History::new(2);
    for line in ["a", "b", " b ", "", "c"] {
        history.push(line);
    }
    assert_eq!(history.lines().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(history.older("draft"), Some("c"));
    assert_eq!(history.older(""), Some("b"));
    assert_eq!(history.older(""), None);
    assert_eq!(history.newer(), Some("c"));
    assert_eq!(history.newer(), Some("draft"));
    assert_eq!(history.newer(), None);
}

// ---- Notices and progress ----------------------------------------------------------------------

fn game_with(notices: Notices) -> Harness<'static, Notices> {
    let mut harness = Harness::builder()
        .with_step_dt(0.25)
        .build_ui_state(|ui, notices: &mut Notices| notices.show(ui.ctx()), notices);
    harness.run_steps(2);
    harness
}

fn titles(game: &Harness<Notices>) -> Vec<String> {
    game.state().iter().map(|(_, notice)| notice.title.clone()).collect()
}

#[test]
fn a_success_fades_and_a_failure_stays() {
    let mut notices = Notices::default();
    notices.replace(
        "systems_steering",
        Notice::new(
            NoticeLevel::Success,
            "systems_steering live in 480 ms",
            "check 120, compile 210, link 60, pause 1.2 ms",
        ),
    );
    notices.replace(
        "systems_combat",
        Notice::new(NoticeLevel::Error, "systems_combat", "lib.rs:14:9: mismatched types")
            .details("details in console (F1)"),
    );
    let mut game = game_with(notices);
    for text in ["check 120, compile 210, link 60, pause 1.2 ms", "details in console (F1)"] {
        assert!(game.query_by_label(text).is_some(), "{text}");
    }
    // The newest is at the bottom.
    let top = |title: &str| game.get_by_label(title).rect().top();
    assert!(top("systems_steering live in 480 ms") < top("systems_combat"));
    game.run_steps(40);
    assert_eq!(titles(&game), ["systems_combat"]);
    game.get_by_label("dismiss systems_combat").click();
    game.run_steps(4);
    assert!(titles(&game).is_empty());
}

#[test]
fn a_new_notice_of_a_module_takes_the_old_ones_place() {
    let mut notices = Notices::default();
    let error = |title: &str| Notice::new(NoticeLevel::Error, title, "");
    notices.replace("a", error("a fails"));
    notices.replace("b", error("b fails"));
    notices.replace("a", Notice::new(NoticeLevel::Success, "a is live", ""));
    let mut game = game_with(notices);
    assert_eq!(titles(&game), ["a is live", "b fails"]);
    // Its time begins anew.
    game.run_steps(16);
    game.state_mut().replace("a", Notice::new(NoticeLevel::Success, "a is live again", ""));
    game.run_steps(16);
    assert_eq!(titles(&game), ["a is live again", "b fails"]);
    assert!(game.state_mut().dismiss("b"));
    assert!(!game.state_mut().dismiss("b"));
    assert_eq!(titles(&game), ["a is live again"]);
}

#[test]
fn notices_do_not_fill_the_screen() {
    let mut notices = Notices::default();
    notices.replace("broken", Notice::new(NoticeLevel::Error, "broken", ""));
    for n in 0..20 {
        notices.replace(format!("{n}"), Notice::new(NoticeLevel::Info, format!("info {n}"), ""));
    }
    let game = game_with(notices);
    assert_eq!(titles(&game).len(), 6);
    assert_eq!(titles(&game)[0], "broken", "a failure outlasts what would fade anyway");
    assert_eq!(titles(&game)[5], "info 19");
}

#[test]
fn the_first_build_shows_what_it_does_and_how_far_it_is() {
    let progress = Progress {
        what: "building systems_combat".to_owned(),
        done: 2,
        total: 12,
        elapsed_s: 7.4,
        last_s: None,
        detail: Some("core_arena v0.1.0".to_owned()),
        error: Some(RUSTC.to_owned()),
    };
    let game = Harness::new_ui_state(
        |ui, progress: &mut Progress| panel::progress_overlay(ui.ctx(), progress),
        progress.clone(),
    );
    for text in ["building systems_combat", "2 of 12 done", "7 s", "core_arena v0.1.0"] {
        assert!(game.query_by_label(text).is_some(), "{text}");
    }
    assert!(game.query_by_label_contains("expected `f32`, found `u32`").is_some());

    let mut view = arena();
    view.progress = Some(progress);
    assert!(has(&console(view), "building systems_combat (2 of 12 done)"));
}
