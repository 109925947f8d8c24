//! Random orders of events.

use proptest::prelude::*;

use super::id;
use super::model::{self, Model, Source};
use crate::worker::event::{FileEvent, Request};

#[derive(Clone, Debug)]
enum Action {
    Save { module: usize, source: Source, seen: bool },
    LoadFile { module: usize, source: Source },
    Decline(usize),
    Touch(usize),
    Reload { module: usize, force: bool },
    Plan(usize),
    Switch { module: usize, on: bool },
    Quarantine { clear: bool },
    Lost,
    Readable(bool),
    RollBack(usize),
    SwitchOff(usize),
    Install(Source),
    RemovePack,
    RemoveFolder(usize),
    Link { module: usize, on: bool },
    Read,
    FinishAttempt,
    Answer,
    Hold,
    Deliver,
}

/// Its text is replaced by one that differs from all others.
fn source() -> impl Strategy<Value = Source> {
    let rarely = |probability| prop::bool::weighted(probability);
    (rarely(0.25), rarely(0.15), rarely(0.2), rarely(0.1)).prop_map(
        |(broken, refused, drops, breaks_swap)| Source {
            compiles: !broken,
            refused,
            drops,
            breaks_swap,
            ..Source::fine(0)
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    let module = || 0..model::MODULES.len();
    prop_oneof![
        6 => (module(), source(), prop::bool::weighted(0.9))
            .prop_map(|(module, source, seen)| Action::Save { module, source, seen }),
        1 => (0..2_usize, source()).prop_map(|(module, source)| {
            Action::LoadFile { module, source: Source { compiles: true, ..source } }
        }),
        1 => module().prop_map(Action::Decline),
        1 => module().prop_map(Action::Touch),
        3 => (module(), any::<bool>()).prop_map(|(module, force)| Action::Reload { module, force }),
        2 => module().prop_map(Action::Plan),
        1 => (module(), any::<bool>()).prop_map(|(module, on)| Action::Switch { module, on }),
        1 => any::<bool>().prop_map(|clear| Action::Quarantine { clear }),
        1 => Just(Action::Lost),
        1 => any::<bool>().prop_map(Action::Readable),
        1 => module().prop_map(Action::RollBack),
        1 => module().prop_map(Action::SwitchOff),
        3 => source().prop_map(|source| Action::Install(Source { compiles: true, ..source })),
        1 => Just(Action::RemovePack),
        2 => module().prop_map(Action::RemoveFolder),
        2 => (module(), any::<bool>()).prop_map(|(module, on)| Action::Link { module, on }),
        6 => Just(Action::Read),
        6 => Just(Action::FinishAttempt),
        6 => Just(Action::Answer),
        2 => Just(Action::Hold),
        4 => Just(Action::Deliver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// For any order of events: every ticket is answered once, at most one proposal is with the
    /// host, no data is dropped that no request allowed (the model checks these as it goes); and at
    /// rest each module's newest source is live, or was reported as failed or refused.
    #[test]
    fn nothing_is_lost_in_any_order(actions in prop::collection::vec(action(), 1..60)) {
        let mut model = Model::of_all();
        for action in actions {
            model.act(&action);
        }
        model.readable = true;
        for core in model.missing_cores() {
            model.save(core.as_str(), model.next_source());
        }
        model.files(FileEvent::Lost { error: None });
        model.rest();
        model.assert_at_rest();
    }
}

impl Model {
    fn act(&mut self, action: &Action) {
        let name = |at: &usize| model::MODULES[*at].0;
        match action {
            Action::Save { module, source, seen } => {
                let source = Source { text: self.next_source().text, ..*source };
                if *seen {
                    self.save(name(module), source);
                } else {
                    self.save_unseen(name(module), source);
                }
            }
            Action::LoadFile { module, source } => {
                let source = Source { text: self.next_source().text, ..*source };
                self.load_file(name(module), source);
            }
            Action::Decline(module) => self.decline(name(module)),
            Action::Touch(module) => self.touch(name(module)),
            Action::Reload { module, force } => {
                self.request(Request::Reload { id: id(name(module)), force: *force });
            }
            Action::Plan(module) => {
                self.request(Request::Plan(id(name(module))));
            }
            Action::Switch { module, on } => self.switch(name(module), *on),
            Action::Quarantine { clear } => {
                self.request(Request::Quarantine { clear: *clear });
            }
            Action::Lost => self.files(FileEvent::Lost { error: None }),
            Action::Readable(readable) => self.readable = *readable,
            Action::RollBack(module) => self.roll_back(name(module)),
            Action::SwitchOff(module) => self.switch_off(name(module)),
            Action::Install(source) => {
                self.install(Source { text: self.next_source().text, ..*source });
            }
            Action::RemovePack => self.remove_pack(),
            Action::RemoveFolder(module) => self.remove_folder(name(module)),
            Action::Link { module, on } => {
                let (id, links) = model::MODULES[*module];
                let source = self.next_source();
                self.link(id, if *on { links } else { &[] }, source);
            }
            Action::Read => self.finish_reading(),
            Action::FinishAttempt => self.finish_attempt(),
            Action::Answer => self.answer_proposal(),
            Action::Hold => self.hold(),
            Action::Deliver => self.deliver(),
        }
    }
}
