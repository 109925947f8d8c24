//! The command line that modules are compiled with.

use super::*;

fn arguments(recorded: &[&str], linker: Option<Linker>) -> Vec<String> {
    let recorded = ["rustc", "--crate-name", "x"].iter().chain(recorded);
    let job = Job {
        id: "x".into(),
        crate_name: "x".into(),
        recipe: Recipe {
            folder: "/".into(),
            arguments: recorded.map(|&argument| argument.to_owned()).collect(),
            environment: Vec::new(),
        },
        identity: Arc::new(Identity {
            epoch: "0123456789abcdef".into(),
            crate_epoch: "0123456789abcdef".into(),
            types: BTreeMap::new(),
        }),
        cores: BTreeMap::new(),
        core_folders: BTreeMap::new(),
        is_core: false,
        folder: "/built".into(),
        linker,
        api: Some("/built/shared/libplayground_api.so".into()),
        kept: None,
        links_later: false,
    };
    job.command().get_args().map(|it| it.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_flag_of_the_users_linker_does_not_reach_that_of_modules() {
    let lld = || Linker { script: "s".into(), exports: "e".into(), lld: "l".into() };
    for flags in [
        &["-C", "link-arg=-fuse-ld=mold"][..],
        &["-Clink-arg=-fuse-ld=mold"],
        &["-Clink-args=-fuse-ld=mold -Wl,-z,now"],
        &["--codegen=link-arg=-fuse-ld=mold"],
        &["--codegen", "link-arg=-fuse-ld=mold"],
    ] {
        let flags = [flags, &["-Clinker=clang", "-Ctarget-cpu=native"]].concat();
        let with = arguments(&flags, Some(lld())).join(" ");
        assert!(!with.contains("mold") && !with.contains("clang"), "{with}");
        assert!(with.contains("-C target-cpu=native"), "{with}");
        // Without a linker of its own, rustc links as the user says.
        assert!(arguments(&flags, None).join(" ").contains("mold"));
    }
}

#[test]
fn the_api_is_the_one_that_the_game_runs_with() {
    let cargos = ["so", "rlib"].map(|end| format!("playground_api=/deps/libplayground_api.{end}"));
    let other = "serde=/deps/libserde-0a.rlib";
    let flags = ["--extern", &cargos[0], "--extern", &cargos[1], "--extern", other];
    let arguments = arguments(&flags, None).join(" ");
    assert!(!arguments.contains("/deps/libplayground_api"), "{arguments}");
    let own = "--extern playground_api=/built/shared/libplayground_api.so";
    for expected in [own, other, "-L dependency=/built/shared"] {
        assert_eq!(arguments.matches(expected).count(), 1, "{expected}: {arguments}");
    }
}

#[test]
fn only_the_epoch_names_the_crates_types() {
    let arguments = arguments(&["-C", "metadata=0a", "-Cmetadata=0b"], None).join(" ");
    assert!(!arguments.contains("metadata=0a") && !arguments.contains("metadata=0b"));
    assert_eq!(arguments.matches("metadata=").count(), 1, "{arguments}");
}
