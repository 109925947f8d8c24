//! The probe's side: loads the artifacts that it is given, and tries them.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::process::{
    Resource, Rlimit, Signal, getpid, getppid, kill_process, set_parent_process_death_signal,
    setrlimit,
};

use super::{ASKED_BY, Asked, Image, Reply, Request, Tried};
use crate::artifact::ArtifactError;
use crate::build::rustc::ms;
use crate::explain::Explain;
use crate::generation::{Generation, SharedGeneration, Times};
use crate::ids::{ArtifactHash, ModuleId};
use crate::inspect::{self, HostFacts};
use crate::load;
use crate::plan::{self, Outlines, PlanError, Trial};
use crate::refusal::Refusal;
use crate::stored;

/// More than any trial needs: code that allocates more is stopped before the machine runs out.
const MOST_MEMORY_BYTES: u64 = 32 << 30;
const MOST_WRITTEN_BYTES: u64 = 64 << 20;

/// In a process that a game started as its probe, serves as a probe and never returns; returns at
/// once in any other process.
///
/// Call it first in `main`: a probe then opens no window and runs none of the app's code.
/// [`HotLoadPlugin`](crate::HotLoadPlugin) calls it as well.
pub fn serve_if_asked() {
    let Some(asked_by) = env::var_os(ASKED_BY) else { return };
    let asked_by: Option<i32> = asked_by.to_str().and_then(|text| text.parse().ok());
    let parent = || getppid().map(|parent| parent.as_raw_nonzero().get());
    if asked_by.is_none() {
        return;
    }
    // Ends with the game, even in the middle of an endless loop.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    if parent() != asked_by {
        leave();
    }
    // If memory is short, the kernel kills the probe before the game.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let limit = |most| Rlimit { current: Some(most), maximum: Some(most) };
    let _ = setrlimit(Resource::Core, limit(0));
    let _ = setrlimit(Resource::As, limit(MOST_MEMORY_BYTES));
    let _ = setrlimit(Resource::Fsize, limit(MOST_WRITTEN_BYTES));
    let Ok(stream) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else {
        leave()
    };
    let Ok(reading) = stream.try_clone() else { leave() };
    let (requests, asked) = channel();
    // With the same stack size as the thread that does this in the game.
    let worker = thread::Builder::new().spawn(move || Server::new(stream).run(&asked));
    if worker.is_err() {
        leave();
    }
    for line in BufReader::new(reading).lines() {
        let request = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        let Some(request) = request else { break };
        if requests.send(request).is_err() {
            break;
        }
    }
    leave();
}

/// Exits immediately: a constructor that hangs holds the loader's lock, which a normal exit waits
/// for.
fn leave() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}

struct Server {
    stream: Arc<Mutex<UnixStream>>,
    loaded: BTreeMap<ArtifactHash, SharedGeneration>,
}

impl Server {
    fn new(stream: UnixStream) -> Self {
        Self { stream: Arc::new(Mutex::new(stream)), loaded: BTreeMap::new() }
    }

    fn run(&mut self, asked: &Receiver<Request>) {
        let facts = match HostFacts::of_this_process(playground_api::ABI) {
            Ok(facts) => facts,
            Err(error) => return self.tell(&Reply::Unfit(error.to_string())),
        };
        self.tell(&Reply::Ready);
        for request in asked {
            match request {
                Request::Preload(images) => {
                    if let Err(refusal) = images.iter().try_for_each(|it| self.load(it, &facts)) {
                        self.tell(&Reply::Unfit(refusal.to_string()));
                    }
                }
                Request::Try { new, together } => {
                    let reply = match new.iter().try_for_each(|image| self.load(image, &facts)) {
                        Ok(()) => self.attempt(&new, &together),
                        Err(refusal) => Reply::Refused(refusal.explain()),
                    };
                    self.tell(&reply);
                }
            }
        }
    }

    fn load(&mut self, image: &Image, facts: &HostFacts) -> Result<(), Refusal> {
        if self.loaded.contains_key(&image.hash) {
            return Ok(());
        }
        self.at(&image.module, "while it was loaded");
        let unreadable = |source| ArtifactError::Unreadable { file: image.path.clone(), source };
        let bytes = fs::read(&image.path).map_err(unreadable)?;
        let inspected = inspect::inspect(&image.path, bytes, &image.module, facts)?;
        let (code, inspected) = load::load(load::seal(inspected)?)?;
        let generation = Generation {
            number: 0,
            hash: inspected.hash().clone(),
            manifest: inspected.manifest().clone(),
            schemas: inspected.schemas().to_vec(),
            code,
            stored: Vec::new(),
            times: Times::default(),
            pack: None,
            inputs: None,
            causes: Vec::new(),
            additions: OnceLock::new(),
        };
        self.loaded.insert(image.hash.clone(), Arc::new(generation));
        Ok(())
    }

    /// Calls `build` of the new modules, and tries all of `together`.
    fn attempt(&self, new: &[Image], together: &[ArtifactHash]) -> Reply {
        let find = |hash: &ArtifactHash| self.loaded.get(hash).cloned();
        let Some(modules) = together.iter().map(find).collect::<Option<Vec<_>>>() else {
            return Reply::Unfit("it was not given all modules".to_owned());
        };
        // Modules that are switched off are tried as well, on their own.
        let mut alone = BTreeMap::new();
        for generation in new.iter().filter(|image| !together.contains(&image.hash)) {
            let Some(generation) = find(&generation.hash) else { continue };
            self.at(generation.id(), "in its `build`");
            match plan::outline(&generation) {
                Ok(outline) => alone.insert(generation.id().clone(), Asked::of(&outline)),
                Err(error) => return Reply::Refused(error.explain()),
            };
        }
        let told = |module: &ModuleId, stage: &str| self.at(module, stage);
        let outlines = match plan::plan(&modules, &Outlines::new(), Trial::Told(&told)) {
            Ok(outlines) => outlines,
            Err(error) => return Reply::Refused(error.explain()),
        };
        let asked = outlines.iter().map(|(id, outline)| (id.clone(), Asked::of(outline)));
        let mut tried = Tried { asked: asked.chain(alone).collect(), ..Tried::default() };
        let started = Instant::now();
        for generation in new.iter().filter_map(|image| find(&image.hash)) {
            self.at(generation.id(), "while the parameters of its code were set up");
            match stored::named_by(&generation) {
                Ok(stored) => tried.stored.insert(generation.id().clone(), stored),
                Err(panic) => return Reply::Refused(PlanError::from(panic).explain()),
            };
        }
        tried.stored_ms = ms(started);
        Reply::Fine(tried)
    }

    fn at(&self, module: &ModuleId, stage: &str) {
        self.tell(&Reply::At { module: module.clone(), stage: stage.to_owned() });
    }

    fn tell(&self, reply: &Reply) {
        let Ok(mut line) = serde_json::to_vec(reply) else { leave() };
        line.push(b'\n');
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        if stream.write_all(&line).is_err() {
            leave();
        }
    }
}
