//! Tries new code for the tests, whose own executables run tests.

fn main() {
    playground_hotload::probe::serve_if_asked();
    eprintln!("this is started by tests");
}
