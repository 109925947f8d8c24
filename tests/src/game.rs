//! The game as a process of its own, over a temporary copy: what happens to it can be real.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, kill_process, prlimit};
use serde_json::Value;

use crate::{Copy, PATIENCE, Tally};

/// A running game without a window, killed when it is dropped.
pub struct Game {
    /// Its workspace.
    pub copy: Copy,
    events: PathBuf,
    process: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    said: Vec<String>,
    asked: u32,
}

impl Game {
    /// Starts `program` over the copy.
    pub fn start(program: &str, copy: Copy, arguments: &[&str]) -> Self {
        Self::start_by(Command::new(program), copy, arguments)
    }

    /// Starts another game over the same workspace.
    pub fn start_beside(&self, program: &str, arguments: &[&str]) -> Self {
        let copy = self.copy.clone();
        Self::start_with(Command::new(program), copy, "events_beside.jsonl", arguments)
    }

    /// Starts the game with a command that ends in its program.
    pub fn start_by(command: Command, copy: Copy, arguments: &[&str]) -> Self {
        Self::start_with(command, copy, "events.jsonl", arguments)
    }

    fn start_with(mut command: Command, copy: Copy, events: &str, arguments: &[&str]) -> Self {
        let mut process = command
            // Less than two seconds in place of five, which many tests wait for.
            .args(["--headless", "--app", "demo", "--probation", "100", "--events", events])
            .args(arguments)
            .current_dir(&copy.root)
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the game starts");
        let stdin = process.stdin.take().expect("it is piped");
        let (send, lines) = channel();
        let stdout = process.stdout.take().expect("it is piped");
        let stderr = process.stderr.take().expect("it is piped");
        let other = send.clone();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.for_each(|line| drop(send.send(line)));
        });
        thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.for_each(|line| drop(other.send(line)));
        });
        let events = copy.root.join(events);
        Self { copy, events, process, stdin, lines, said: Vec::new(), asked: 0 }
    }

    /// The id of the process that was started: the game, or its supervisor.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The game of a supervisor.
    pub fn child(&self) -> u32 {
        let pid = self.id();
        let mut child = None;
        self.until("a child", || {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let children = children.unwrap_or_default();
            child = children.split_whitespace().next().and_then(|child| child.parse().ok());
            child.is_some()
        });
        child.expect("it was waited for")
    }

    /// True as long as it did not end.
    pub fn is_alive(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// The next line that holds `text`.
    ///
    /// # Panics
    ///
    /// When none comes.
    pub fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(_) => panic!("nothing with `{text}`:\n{}", self.story()),
            }
        }
    }

    /// Types a line into its console.
    pub fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("the game listens");
    }

    /// Types a line, and gives what is printed until it is done.
    pub fn ask(&mut self, line: &str) -> String {
        self.asked += 1;
        let end = format!("end-of-line-{}", self.asked);
        let start = self.said.len();
        self.say(line);
        self.say(&format!("help {end}"));
        self.wait_for(&format!("there is no command `{end}`"));
        self.said[start..].join("\n")
    }

    /// The counts of the test modules, after at least one more step.
    pub fn tally(&mut self) -> Tally {
        self.say("wait 10; tally");
        Tally(self.wait_for("walked="))
    }

    /// Waits until there were so many swaps.
    ///
    /// # Panics
    ///
    /// When something does not build or is refused before.
    pub fn wait_for_swaps(&self, count: usize) {
        self.until("the swap", || {
            let failed = [self.events("build_failed"), self.events("refused")].concat();
            assert!(failed.is_empty(), "swap {count}: {failed:?}\n{}", self.story());
            self.events("swapped").len() >= count
        });
    }

    /// All events of that kind, also of games before this one.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let text = fs::read_to_string(&self.events).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["event"] == kind).collect()
    }

    /// Waits until there are so many events of that kind.
    ///
    /// # Panics
    ///
    /// When they do not come.
    pub fn wait_for_events(&mut self, kind: &str, count: usize) {
        self.until(&format!("{count} of `{kind}`"), || self.events(kind).len() >= count);
    }

    /// Waits for what is seen from outside.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    pub fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < until, "never: {what}\n{}", self.story());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The output up to now, for a test that failed.
    pub fn story(&self) -> String {
        let rest: Vec<String> = self.lines.try_iter().collect();
        let events = fs::read_to_string(&self.events).unwrap_or_default();
        let printed = [self.said.join("\n"), rest.join("\n")].join("\n");
        format!("printed:\n{printed}\nevents:\n{events}")
    }

    /// The journal of this game: how far new code has come.
    pub fn journal(&self) -> String {
        let path = format!("target/playground/journal/{}.jsonl", self.id());
        fs::read_to_string(self.copy.root.join(path)).unwrap_or_default()
    }

    /// Kills it, as nothing can keep it from.
    pub fn kill(mut self) -> Copy {
        kill(self.id());
        self.process.wait().expect("it ends");
        self.copy.clone()
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        self.process.wait().expect("it ends")
    }

    /// Limits what its process may have open to so many more than it has. Gives what the limit was.
    pub fn limit_descriptors(&self, more: u64) -> Rlimit {
        let folder = format!("/proc/{}/fd", self.id());
        let entries = fs::read_dir(folder).expect("a process has descriptors").flatten();
        let open: Vec<u64> =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        // The system gives the lowest number that is free, and none at or above the limit.
        let mut free = (0..).filter(|number| !open.contains(number));
        let limit = free.nth(usize::try_from(more).expect("a small number"));
        // What is started has the limits of the one who starts it.
        let was = getrlimit(Resource::Nofile);
        self.set_descriptors(Rlimit { current: limit, maximum: was.maximum });
        was
    }

    /// Sets the limit on what its process may have open.
    pub fn set_descriptors(&self, limit: Rlimit) {
        prlimit(Some(pid(self.id())), Resource::Nofile, limit).expect("a limit on a child");
    }
}

impl Drop for Game {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn pid(id: u32) -> Pid {
    let raw = i32::try_from(id).expect("a process id");
    Pid::from_raw(raw).expect("a process id")
}

/// True where a process runs; one that only waits for its parent to take note of its end does not.
pub fn runs(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

/// Kills a process.
pub fn kill(id: u32) {
    send(id, Signal::KILL);
}

/// Sends a signal to a process.
pub fn send(id: u32, signal: Signal) {
    kill_process(pid(id), signal).expect("it runs");
}

/// True where this program may run as root does.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A path as a process sees it that has mounts of its own.
pub fn seen_by(id: u32, path: &Path) -> PathBuf {
    let below = path.strip_prefix("/").expect("a whole path");
    Path::new("/proc").join(id.to_string()).join("root").join(below)
}
