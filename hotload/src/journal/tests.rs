//! Crashes at any point, several games, and unwritable folders.

use super::*;

/// A temporary folder.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("playground-journal-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn journal(&self) -> (Journal, Death) {
        let (journal, death, error) = Journal::open(&self.0, None);
        assert!(error.is_none(), "{error:?}");
        (journal, death)
    }

    /// Writes the journal of a game that was killed after writing `text`.
    fn write_journal(&self, text: &str) {
        fs::create_dir_all(self.0.join("journal")).unwrap();
        fs::write(self.0.join("journal/1.jsonl"), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn good(set: &[(&str, &str)]) -> BTreeMap<ModuleId, Good> {
    let good =
        |hash: &str| Good { hash: hash.into(), epoch: "e".into(), abi: playground_api::ABI.into() };
    set.iter().map(|(module, hash)| ((*module).into(), good(hash))).collect()
}

fn line(module: &str, hash: &str, stage: &str) -> String {
    format!(
        "{{\"what\":\"pending\",\"module\":\"{module}\",\"hash\":\"{hash}\",\"stage\":\"{stage}\"}}\n"
    )
}

#[test]
fn a_kill_at_any_byte_of_the_journal_blames_complete_lines() {
    let folder = Folder::new("cut");
    folder.journal().0.ran_well(good(&[("a", "1"), ("b", "2")])).unwrap();
    let text = [
        line("a", "3", "load"),
        line("c", "5", "loaded") + &line("a", "3", "swap"),
        line("b", "4", "load"),
        "{\"what\":\"over\",\"hash\":\"3\"}\n".to_owned(),
    ]
    .concat();
    let whole = |end: usize| text[..end].matches('\n').count();
    for end in 0..=text.len() {
        folder.write_journal(&text[..end]);
        let (mut journal, death) = folder.journal();
        let hashes: Vec<&str> = death.quarantined.iter().map(|q| q.hash.as_str()).collect();
        // The last line also counts without its newline.
        let lines = whole(end).max(whole((end + 1).min(text.len())));
        let expected: &[&str] = match lines {
            0 => &[],
            1..=3 => &["3"],
            4 => &["3", "4"],
            _ => &["4"],
        };
        assert_eq!(hashes, expected, "{end}: {}", &text[..end]);
        assert_eq!(journal.clear_quarantine().unwrap(), expected.len());
        journal.end();
        // It is reported once.
        assert_eq!(folder.journal().1, Death::default());
    }
}

#[test]
fn committed_code_is_not_to_blame_and_can_be_loaded_again() {
    let folder = Folder::new("good");
    let (mut journal, _) = folder.journal();
    let (a, hash) = (ModuleId::from("a"), ArtifactHash::of(b"code"));
    journal.keep(&hash, b"code").unwrap();
    journal.keep(&"other".into(), b"old").unwrap();
    journal.before(&a, &hash).unwrap();
    journal.over(&hash).unwrap();
    journal.ran_well(good(&[("a", hash.as_str())])).unwrap();
    assert!(!journal.kept(&"other".into()).exists(), "no game can fall back to it");
    journal.before(&a, &hash).unwrap();
    assert_eq!(fs::read_to_string(journal.own_path()).unwrap(), "");
    assert_eq!(journal.good(&a).map(|(_, _, bytes)| bytes), Some(b"code".to_vec()));
    // Bytes that do not match their hash are not used.
    fs::write(journal.kept(&hash), b"code!").unwrap();
    assert_eq!(journal.good(&a), None);
}

#[test]
fn a_first_set_is_tried_again_and_a_single_module_is_not() {
    let folder = Folder::new("first");
    folder.write_journal(&[line("b", "2", "probation"), line("a", "1", "probation")].concat());
    let (mut journal, death) = folder.journal();
    assert_eq!(death.tried_again, ["a", "b"]);
    assert!(journal.quarantine().is_empty());
    journal.end();
    folder.write_journal(&line("a", "1", "load"));
    let (journal, death) = folder.journal();
    assert_eq!(death.quarantined, journal.quarantine());
    let reason = journal.quarantined(&"1".into()).map(|quarantined| quarantined.reason.as_str());
    assert_eq!(reason, Some("the game died while it was being loaded"));
}

#[test]
fn a_kill_in_the_middle_of_a_commit_blames_nobody() {
    let folder = Folder::new("commit");
    folder.journal().0.ran_well(good(&[("a", "1"), ("b", "2")])).unwrap();
    folder.write_journal(&[line("a", "1", "probation"), line("c", "3", "probation")].concat());
    let (journal, death) = folder.journal();
    let hashes: Vec<&str> = death.quarantined.iter().map(|q| q.hash.as_str()).collect();
    assert_eq!(hashes, ["3"]);
    assert!(journal.quarantined(&"1".into()).is_none());
}

#[test]
fn the_journal_of_a_running_game_is_ignored() {
    let folder = Folder::new("alive");
    folder.journal().0.ran_well(good(&[("a", "0")])).unwrap();
    folder.write_journal(&line("a", "1", "swap"));
    let path = folder.0.join("journal/1.jsonl");
    let held = File::open(&path).unwrap();
    held.lock().unwrap();
    assert_eq!(folder.journal().1, Death::default());
    assert!(path.exists());
    drop(held);
    assert_eq!(folder.journal().1.quarantined.len(), 1);
    assert!(!path.exists());
}

#[test]
fn a_game_that_somebody_killed_blames_nobody() {
    let folder = Folder::new("killed");
    folder.journal().0.ran_well(good(&[("a", "0")])).unwrap();
    folder.write_journal(&line("a", "1", "probation"));
    fs::write(folder.0.join("journal/2.jsonl"), line("a", "2", "probation")).unwrap();
    let (journal, death, _) = Journal::open(&folder.0, Some(1));
    let hashes: Vec<&str> = death.quarantined.iter().map(|q| q.hash.as_str()).collect();
    assert_eq!(hashes, ["2"], "the other game crashed");
    assert!(journal.quarantined(&"1".into()).is_none());
    assert!(!folder.0.join("journal/1.jsonl").exists(), "it is read once");
}

#[test]
fn two_games_keep_each_others_entries() {
    let folder = Folder::new("two");
    let (mut one, _) = folder.journal();
    one.ran_well(good(&[("a", "1")])).unwrap();
    // Like in another process, which has read the files before they change.
    let mut two = Journal { folder: folder.0.clone(), ..Journal::default() };
    two.read_again();
    one.keep(&"3".into(), b"new").unwrap();
    one.before(&"a".into(), &"3".into()).unwrap();
    two.ran_well(good(&[("b", "2")])).unwrap();
    assert!(one.kept(&"3".into()).exists(), "the other one may need it");
    one.over(&"3".into()).unwrap();
    one.ran_well(good(&[("a", "3")])).unwrap();
    two.read_again();
    assert_eq!(two.good, good(&[("a", "3"), ("b", "2")]));
    // Artifacts of another build of the game are not used.
    let mut old = good(&[("a", "3")]);
    old.values_mut().for_each(|good| good.abi = "another".into());
    one.write("good.json", &old).unwrap();
    one.read_again();
    assert!(one.good.is_empty());
}

#[test]
fn an_unwritable_folder_is_an_error() {
    let folder = Folder::new("blocked");
    fs::write(&folder.0, "a file where the folder would be").unwrap();
    let (mut journal, death, error) = Journal::open(&folder.0.join("below"), None);
    assert!(error.is_some_and(|error| error.to_string().contains("H1002")));
    assert_eq!(death, Death::default());
    journal.before(&"a".into(), &"1".into()).unwrap();
    let _ = fs::remove_file(&folder.0);
}
