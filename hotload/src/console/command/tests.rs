use super::grammar::{flags, text};
use super::*;
use clap::CommandFactory;

fn parse_error(line: &str) -> String {
    parse(line).unwrap_err().to_string()
}

fn each_command(command: &clap::Command, check: &mut dyn FnMut(&clap::Command)) {
    for subcommand in command.get_subcommands() {
        check(subcommand);
        each_command(subcommand, check);
    }
}

#[test]
fn the_grammar_is_sound_and_explains_itself() {
    Command::command().debug_assert();
    each_command(&Command::command(), &mut |command| {
        let name = command.get_name();
        assert!(!text(command.get_about()).is_empty(), "{name} has no help");
        for arg in command.get_arguments() {
            assert!(!text(arg.get_help()).is_empty(), "{} of {name} has no help", arg.get_id());
            // `usage` and `complete` know arguments by position, and flags without a value.
            let flag = !arg.get_action().takes_values() && arg.get_long().is_some();
            assert!(arg.is_positional() || flag, "{} of {name}", arg.get_id());
        }
    });
}

#[test]
fn each_argument_is_completed_or_takes_any_text() {
    let names = Names {
        modules: vec!["the_module"],
        apps: vec!["the_app"],
        packs: vec!["the_pack"],
        snapshots: vec!["the_snapshot"],
        commands: Vec::new(),
    };
    let mut grammar = Command::command();
    grammar.build();
    each_command(&grammar, &mut |command| {
        let mut line = format!("{} ", grammar::path(command));
        for arg in command.get_positionals() {
            let candidates = complete(&line, &names).candidates;
            let id = arg.get_id().as_str();
            match id {
                "module" | "app" | "snapshot" | "pack" => {
                    assert_eq!(candidates, [format!("the_{id}")], "{line}");
                }
                "command" => assert_eq!(candidates.len(), super::names().count(), "{line}"),
                "generation" | "file" | "frames" | "key" | "name" => {
                    assert!(candidates.iter().all(|name| name.starts_with("--")), "{line}");
                }
                _ => panic!("the argument `{id}` of `{line}` has no rule in `Names::values_of`"),
            }
            line.push_str("1 ");
        }
        if !command.has_subcommands() {
            let mut flags: Vec<String> = flags(command).collect();
            flags.sort();
            assert_eq!(complete(&line, &names).candidates, flags, "{line}");
            assert_eq!(complete(&format!("{line}-"), &names).candidates, flags, "{line}");
        }
    });
}

#[test]
fn subcommands_and_unused_flags_are_completed() {
    let names = Names { snapshots: vec!["boss"], ..Names::default() };
    let rows: [(&str, &[&str]); 8] = [
        ("snapshot ", &["delete", "diff", "list", "load", "parked", "save"]),
        ("snapshot lo", &["load"]),
        ("snapshot load --force b", &["boss"]),
        ("snapshot load boss --force ", &[]),
        ("snapshot list ", &[]),
        ("snapshot nonsense ", &[]),
        ("quarantine c", &["clear"]),
        ("rollback a 3 ", &["--state"]),
    ];
    for (line, candidates) in rows {
        assert_eq!(complete(line, &names).candidates, candidates, "{line}");
    }
}

#[test]
fn flags_stand_anywhere_and_may_be_repeated() {
    let rollback =
        |generation| Ok(vec![Command::Rollback { id: "a".to_owned(), generation, state: true }]);
    assert_eq!(parse("rollback --state a 12"), rollback(Some(12)));
    assert_eq!(parse("rollback a --state 12"), rollback(Some(12)));
    assert_eq!(parse("rollback a 12 --state"), rollback(Some(12)));
    assert_eq!(parse("rollback --state a"), rollback(None));
    let reload = Ok(vec![Command::Reload { id: "a".to_owned(), force: true }]);
    assert_eq!(parse("reload --force a --force"), reload);
    let load = SnapshotCommand::Load { name: "-a".to_owned(), force: true };
    assert_eq!(parse("snapshot load --force -a"), Ok(vec![Command::Snapshot(load)]));
}

#[test]
fn an_error_names_the_subcommand_and_the_flag() {
    let rows = [
        (
            "snapshot",
            "`snapshot` expects save, load, list, parked, diff or delete, found nothing after it; \
             usage: snapshot save|load|list|parked|diff|delete",
        ),
        (
            "snapshot svae a",
            "`snapshot` expects save, load, list, parked, diff or delete, found `svae`; \
             usage: snapshot save|load|list|parked|diff|delete",
        ),
        (
            "snapshot load",
            "`snapshot load` expects a snapshot's name, found nothing after it; \
             usage: snapshot load <snapshot> [--force]",
        ),
        (
            "snapshot load a --forse",
            "`snapshot load` expects `--force` or nothing, found `--forse`; \
             usage: snapshot load <snapshot> [--force]",
        ),
        (
            "quarantine",
            "`quarantine` expects list or clear, found nothing after it; \
             usage: quarantine list|clear",
        ),
        (
            "rollback a b",
            "`rollback` expects a generation's number, found `b`; \
             usage: rollback <module> [generation] [--state]",
        ),
        ("enable \"\"", "`enable` expects a module's id, found ``; usage: enable <module>"),
        (
            "reload a --force=b",
            "`reload` expects other arguments, found `--force`; usage: reload <module> [--force]",
        ),
        (
            "load a",
            "`load` expects an artifact's file, with its blake3 hash in `<file>.b3` beside it, \
             found nothing after it; usage: load <module> <file>",
        ),
    ];
    for (line, message) in rows {
        assert_eq!(parse_error(line), message);
    }
}

#[test]
fn help_lists_every_command_and_explains_one() {
    let added = [("spawn", "adds enemies")];
    let all = help(None, &added).unwrap();
    for name in names() {
        assert!(all.lines().any(|line| line.starts_with(name)), "{name} is not in\n{all}");
    }
    for line in ["snapshot load <snapshot> [--force]  ", "quarantine clear  ", "spawn  "] {
        assert!(all.lines().any(|known| known.starts_with(line)), "{line} is not in\n{all}");
    }
    assert_eq!(
        help(Some("reload"), &added).unwrap(),
        "reload <module> [--force]\n  Builds and swaps a module\n    \
         <module>   A module's id\n    [--force]  Swaps even if persisted data is dropped"
    );
    assert!(help(Some("snapshot"), &added).unwrap().contains("snapshot diff <snapshot>"));
    assert_eq!(help(Some("spawn"), &added).unwrap(), "spawn\n  adds enemies");
    let error = help(Some("spwan"), &added).unwrap_err();
    assert_eq!(error.to_string(), "there is no command `spwan`. Did you mean `spawn`?");
    let error = help(Some("gibberish"), &added).unwrap_err();
    assert_eq!(error.to_string(), "there is no command `gibberish`. `help` lists them.");
}

#[test]
fn the_usage_is_that_of_the_command_or_subcommand_under_way() {
    let usage = |line| usage(&last_command(line));
    assert_eq!(usage("hash; rollback a").unwrap(), "rollback <module> [generation] [--state]");
    assert_eq!(usage("snapshot").unwrap(), "snapshot save|load|list|parked|diff|delete");
    assert_eq!(usage("snapshot save \"a;b").unwrap(), "snapshot save <name>");
    assert_eq!(usage("spawn"), None);
    assert_eq!(usage("hash;"), None);
}

#[test]
fn a_wrong_argument_does_not_hide_the_module() {
    assert!(parse("rollback systems_plan x").is_err());
    assert_eq!(named_module("rollback systems_plan x").as_deref(), Some("systems_plan"));
    assert_eq!(named_module("reload --sorce systems_plan"), None);
    assert_eq!(named_module("snapshot load x y"), None);
    assert_eq!(named_module("wait x"), None);
    assert_eq!(named_module("rollback a x; rollback b y"), None);
}
