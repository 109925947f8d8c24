//! Errors of the operating system, and how a person can fix them.

use std::io;

use rustix::io::Errno;

const ROOM: &str = "Make room there";
const PERMISSION: &str = "Make it readable and writable for the user of the game";
const DESCRIPTORS: &str =
    "Raise the limit on open files (`ulimit -n`), or close what has many open";

/// Errors caused by a machine limit (disk, quota, permissions, descriptors), not by the request.
const LIMITS: [(Errno, &str, &str); 7] = [
    (Errno::NOSPC, "No space left on device", ROOM),
    (Errno::DQUOT, "Disk quota exceeded", ROOM),
    (Errno::ACCESS, "Permission denied", PERMISSION),
    (Errno::PERM, "Operation not permitted", PERMISSION),
    (Errno::ROFS, "Read-only file system", PERMISSION),
    (Errno::MFILE, "Too many open files", DESCRIPTORS),
    (Errno::NFILE, "Too many open files in system", DESCRIPTORS),
];

/// The remedy for an error that is caused by a limit; `None` for others.
pub fn known(error: &io::Error) -> Option<&'static str> {
    let errno = Errno::from_io_error(error)?;
    LIMITS.iter().find(|(limit, ..)| *limit == errno).map(|(.., remedy)| *remedy)
}

/// The remedy for an error of a file or process.
pub fn remedy(error: &io::Error) -> &'static str {
    known(error).unwrap_or("Check that it is there, its permissions and the free space")
}

/// The remedy, if these words of another program name a limit.
pub fn remedy_in(words: &str) -> Option<&'static str> {
    let is_told = |(errno, text, _): &&(Errno, &str, &str)| {
        words.contains(text) || words.contains(&format!("(os error {})", errno.raw_os_error()))
    };
    LIMITS.iter().find(is_told).map(|(.., remedy)| *remedy)
}

/// True if the whole process lacks a resource, whatever file the error is about.
pub fn is_of_process(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| [Errno::MFILE, Errno::NFILE, Errno::NOMEM].contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_known_by_number_and_by_word() {
        let error = io::Error::from(Errno::NOSPC);
        assert_eq!(remedy(&error), ROOM);
        assert_eq!(remedy_in(&error.to_string()), Some(ROOM));
        assert_eq!(remedy_in("LLVM ERROR: IO failure: No space left on device"), Some(ROOM));
        assert_eq!(remedy_in("error[E0425]: cannot find value `x`"), None);
        assert!(is_of_process(&io::Error::from(Errno::MFILE)) && !is_of_process(&error));
    }
}
