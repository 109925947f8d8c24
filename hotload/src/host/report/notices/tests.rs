use super::*;
use crate::generation::Times;
use crate::ids::GenerationId;
use crate::restore::Dropped;

fn generations(ids: &[&str]) -> Vec<GenerationId> {
    ids.iter().map(|id| GenerationId { module: (*id).into(), number: 1 }).collect()
}

fn shown(happened: &Happened) -> (String, Notice) {
    match notice(happened) {
        Change::Show(key, notice) => (key, notice),
        _ => panic!("no notice of {happened:?}"),
    }
}

#[test]
fn a_swap_that_loses_values_says_so_in_the_colour_of_warnings() {
    let modules = generations(&["core_x", "user_p"]);
    let swapped = |dropped: Vec<Dropped>| Happened::Swapped {
        pack: None,
        lead: modules[1].clone(),
        modules: modules.clone(),
        linked: Vec::new(),
        times: Times::default(),
        migrated: 0,
        orphaned: Vec::new(),
        set_up: Vec::new(),
        causes: Vec::new(),
        dropped,
        is_edit: true,
    };
    let (key, fine) = shown(&swapped(Vec::new()));
    assert_eq!((key.as_str(), fine.level), ("user_p", NoticeLevel::Success));
    let lost = Dropped { type_name: "core_x::T".to_owned(), fields: Vec::new(), count: 1 };
    let (_, lossy) = shown(&swapped(vec![lost]));
    assert_eq!(lossy.level, NoticeLevel::Warn);
    assert!(lossy.body.ends_with("\nlost: 1 value of `core_x::T`"), "{}", lossy.body);
    assert_eq!(outdated(&swapped(Vec::new())), ["core_x"]);
}

#[test]
fn a_rollback_of_several_modules_is_one_notice() {
    let generations = generations(&["core_x", "user_p"]);
    let back = |is_by_hand| Happened::RolledBack {
        lead: generations[0].clone(),
        generations: generations.clone(),
        is_by_hand,
        reason: "a panic".to_owned(),
    };
    let (key, by_hand) = shown(&back(true));
    assert_eq!(key, "core_x");
    assert_eq!(by_hand.title, "core_x: generation 1 is back, with 1 other, by hand");
    assert_eq!((by_hand.body.as_str(), by_hand.details), ("", None));
    let (_, panicked) = shown(&back(false));
    assert_eq!(panicked.body, "a panic");
    assert_eq!(outdated(&back(false)), ["user_p"]);
}

#[test]
fn a_workspace_that_cannot_be_read_is_shown_with_the_innermost_cause() {
    let first = "H0102: cargo cannot read the workspace at /w:";
    for (message, innermost) in [
        ("", ""),
        (
            "error: unclosed table, expected `]`\n --> Cargo.toml:1:11\n  |\n1 | [workspace\n  |  ^\n",
            "\nCargo.toml:1:11: error: unclosed table, expected `]`",
        ),
        (
            "error: failed to load manifest\n\nCaused by:\n  failed to read `/w/a/Cargo.toml`\n\n\
             Caused by:\n  No such file or directory (os error 2)\n",
            "\nfailed to read `/w/a/Cargo.toml`: No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(cargos_reason(&format!("{first}\n{message}")), format!("{first}{innermost}"));
    }
    assert_eq!(cargos_reason("one line"), "one line");
}
