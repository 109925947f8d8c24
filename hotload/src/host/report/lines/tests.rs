use super::*;
use crate::build::rustc::CompileTimes;
use crate::restore::Dropped;
use crate::swap::SetUpSystem;

fn lost(type_name: &str, count: usize, systems: &[&str]) -> Lost {
    let systems = systems.iter().map(|system| (*system).to_owned()).collect();
    Lost { type_name: type_name.to_owned(), count, systems }
}

fn generations(ids: &[&str]) -> Vec<GenerationId> {
    ids.iter().map(|id| GenerationId { module: (*id).into(), number: 2 }).collect()
}

fn swapped(times: Times) -> Happened {
    let modules = generations(&["core_x"]);
    Happened::Swapped {
        pack: None,
        lead: modules[0].clone(),
        modules,
        linked: Vec::new(),
        times,
        migrated: 0,
        orphaned: Vec::new(),
        set_up: Vec::new(),
        causes: Vec::new(),
        dropped: Vec::new(),
        is_edit: true,
    }
}

#[test]
fn rustcs_messages_have_neither_colours_nor_blank_lines_around_them() {
    let rendered = ["\u{1b}[33mwarning\u{1b}[0m: a\n --> x\n\n", "warning: b\n\n"];
    assert_eq!(messages(&rendered.map(str::to_owned)), "warning: a\n --> x\n\nwarning: b");
    let happened =
        Happened::CompilerWarned { module: "m".into(), texts: vec![rendered[0].to_owned()] };
    let (level, text) = line(&happened).expect("warnings are printed");
    assert_eq!((level, text.as_str()), (Level::Warn, "m: 1 warning\nwarning: a\n --> x"));
    // A linker writes line by line.
    assert_eq!(messages(&["ld: no".to_owned(), "  space".to_owned()]), "ld: no\n  space");
}

#[test]
fn only_what_was_measured_is_shown() {
    // The artifact is of an earlier build, and no save caused the swap.
    let times = Times { pause_ms: 1.42, ..Times::default() };
    let happened = swapped(times);
    assert_eq!((live(&happened), timing(&happened)), ("core_x live".into(), "pause 1.4 ms".into()));

    let compile =
        CompileTimes { check_ms: 140.0, compile_ms: 210.0, link_ms: 40.0, verify_ms: 1.0 };
    let edit = Times { watch_ms: 1.0, probe_ms: 13.0, compile, total_ms: 414.0, ..times };
    assert_eq!(timing(&swapped(edit)), "check 140, compile 210, link 40, pause 1.4 ms");
}

#[test]
fn a_stage_that_took_long_is_shown() {
    let compile = CompileTimes {
        check_ms: 2963.0,
        compile_ms: 2198.0,
        link_ms: 122.0,
        ..CompileTimes::default()
    };
    let times = Times { watch_ms: 59_000.0, compile, total_ms: 64_810.0, ..Times::default() };
    let expected = "sources and cargo 59000, check 2963, compile 2198, link 122, pause 0.0 ms";
    assert_eq!(timing(&swapped(times)), expected);
    // A core is live once the modules that link to it are built, too.
    let times = Times { watch_ms: 10.0, compile, total_ms: 9_000.0, ..Times::default() };
    assert!(timing(&swapped(times)).contains("link 122, waiting and other modules 3707, pause"));
}

#[test]
fn what_was_only_linked_again_is_counted_and_why_the_rest_was_compiled_is_said() {
    let with = |ids: &[&str], only_linked: &[&str], why: &[(&str, usize)]| {
        let mut happened = swapped(Times { pause_ms: 1.0, ..Times::default() });
        let Happened::Swapped { modules, linked, causes, .. } = &mut happened else { panic!() };
        *modules = generations(ids);
        *linked = only_linked.iter().map(|id| ModuleId::from(*id)).collect();
        *causes = why.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect();
        let (_, text) = line(&happened).expect("an edit is printed");
        text
    };
    assert_eq!(
        with(&["core_x", "user_p", "user_q"], &["user_p"], &[("`Wall` of core_x changed", 1)]),
        "core_x with 2 others live: 1 of 3 modules only linked again, pause 1.0 ms\n\
         `Wall` of core_x changed: 1 other module compiled"
    );
    // Nothing of it is new: it was built along with an edit, and runs now.
    assert_eq!(with(&["core_x"], &["core_x"], &[]), "core_x live: pause 1.0 ms");
    let causes =
        [("`Wall` of core_x changed", 2), ("what other crates compile of core_y changed", 3)];
    assert!(with(&["core_x"], &[], &causes).ends_with("core_y changed: 3 other modules compiled"));
}

#[test]
fn what_a_swap_drops_is_named_with_its_type_and_number() {
    let mut happened = swapped(Times::default());
    let Happened::Swapped { migrated, orphaned, dropped, .. } = &mut happened else { return };
    *migrated = 1;
    *orphaned = vec![lost("plugins_hud::layout::Bar", 2, &["plugins_hud::show"])];
    let (type_name, fields) = ("core_arena::Contact".to_owned(), vec!["extra".to_owned()]);
    *dropped = vec![Dropped { type_name, fields, count: 13 }];
    let (level, text) = line(&happened).expect("a swap is printed");
    assert_eq!(level, Level::Warn);
    assert!(text.contains("confirmed: `extra` of 13 values of `core_arena::Contact`\n"), "{text}");
    assert!(text.ends_with("; 1 value carried over"), "{text}");
    let expected = [
        "`extra` of 13 values of `core_arena::Contact`",
        "2 values of `plugins_hud::layout::Bar`, which `plugins_hud::show` asks for",
    ];
    assert_eq!(lost_values(&happened), expected);
    if let Happened::Swapped { orphaned, .. } = &mut happened {
        *orphaned = (0..5).map(|number| lost(&format!("T{number}"), 1, &[])).collect();
    }
    assert_eq!(lost_values(&happened).len(), MOST_LOST);
    assert_eq!(lost_values(&happened)[MOST_LOST - 1], "and values of 4 more types");
}

#[test]
fn the_systems_that_ask_for_lost_values_are_counted() {
    let text = |systems: &[&str]| counted_with_systems(&lost("m::T", 1, systems));
    assert_eq!(text(&[]), "1 value of `m::T`");
    assert_eq!(text(&["m::a", "m::b"]), "1 value of `m::T`, which `m::a` and `m::b` ask for");
    let expected = "1 value of `m::T`, which `m::a` and 2 other systems ask for";
    assert_eq!(text(&["m::a", "m::b", "m::c"]), expected);
}

#[test]
fn edited_set_up_code_is_named_with_the_remedy() {
    let mut happened = swapped(Times::default());
    let Happened::Swapped { set_up: edited, .. } = &mut happened else { return };
    let system = |schedule: &str, name: &str| SetUpSystem {
        schedule: schedule.to_owned(),
        name: name.to_owned(),
    };
    *edited = vec![system("Startup", "m::paddles"), system("OnEnter(Menu)", "m::menu")];
    let (level, text) = line(&happened).expect("a swap is printed");
    let expected = "`m::paddles` in Startup, `m::menu` in OnEnter(Menu) ran before this edit: \
                    `restart` begins the app anew and runs it again";
    assert!(level == Level::Info && text.ends_with(expected), "{text}");
}

#[test]
fn a_rollback_of_several_modules_is_one_line() {
    let generations = generations(&["core_x", "user_p", "user_q"]);
    let lead = generations[1].clone();
    let reason = "by hand".to_owned();
    let by_hand = Happened::RolledBack { lead, generations, is_by_hand: true, reason };
    let expected = "user_p: generation 2 is back, with 2 others, by hand";
    assert_eq!(line(&by_hand), Some((Level::Info, expected.to_owned())));
}
