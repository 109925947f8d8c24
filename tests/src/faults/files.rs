//! Faults that come before anything is read as a library: the file itself, and what was recorded.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{Barrier, Elf, FileFault, Good, Hash, Made, Make, malformed};
use object::elf;

const fn unreadable(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "Build the module again, or give the path of its artifact";
    FileFault { name, make, code: "H0213", reason, remedy, barrier: Barrier::Inspection }
}

const fn no_file(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    let remedy = "Move it away and build the module again";
    FileFault { name, make, code: "H0214", reason, remedy, barrier: Barrier::Inspection }
}

const fn outside(name: &'static str, make: Make) -> FileFault {
    let (reason, remedy) = ("expected a file inside of", "Copy the file into that folder");
    FileFault { name, make, code: "H0215", reason, remedy, barrier: Barrier::Inspection }
}

const fn others(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0216",
        reason,
        remedy: "`chmod o-w`",
        barrier: Barrier::Inspection,
    }
}

const fn size(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0217",
        reason,
        remedy: "Build the module again",
        barrier: Barrier::Inspection,
    }
}

const fn hash(name: &'static str, make: Make) -> FileFault {
    let (reason, remedy) = ("expected the blake3 hash", "build the module again");
    FileFault { name, make, code: "H0219", reason, remedy, barrier: Barrier::Inspection }
}

const fn no_hash(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0220",
        reason,
        remedy: "Get that file from whoever built",
        barrier: Barrier::Inspection,
    }
}

const fn not_elf(name: &'static str, make: Make, reason: &'static str) -> FileFault {
    FileFault {
        name,
        make,
        code: "H0202",
        reason,
        remedy: "Build the module again",
        barrier: Barrier::Inspection,
    }
}

fn made(path: PathBuf) -> Made {
    Made { path, hash: Hash::Right }
}

fn link(folder: &Path, target: &Path) -> Made {
    let path = folder.join("link.so");
    symlink(target, &path).expect("a link");
    made(path)
}

fn with_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("other permissions");
}

/// Of `size` bytes, none of which is on the disk.
fn sparse(good: &Good, folder: &Path, size: u64) -> Made {
    let made = good.write(folder, &[]);
    let file = fs::File::options().write(true).open(&made.path).expect("the file");
    file.set_len(size).expect("a file that takes no room");
    made
}

/// A pipe or a socket, at which nobody is.
fn node(folder: &Path, kind: FileType) -> Made {
    let path = folder.join("node.so");
    mknodat(CWD, &path, kind, Mode::from_raw_mode(0o600), 0).expect("a special file");
    made(path)
}

fn recorded(made: Made) -> Made {
    Made { hash: Hash::Recorded, ..made }
}

pub(super) fn text(good: &Good, folder: &Path, hash: String) -> Made {
    Made { hash: Hash::Text(hash), ..good.write(folder, &good.bytes) }
}

pub(super) fn right_hash(good: &Good) -> String {
    blake3::hash(&good.bytes).to_hex().to_string()
}

pub(super) const FAULTS: &[FileFault] = &[
    unreadable("no file of that name", |_, to| made(to.join("none.so")), "No such file"),
    unreadable("an empty path", |_, _| made(PathBuf::new()), "No such file"),
    unreadable(
        "a path through a file",
        |good, to| made(good.write(to, &good.bytes).path.join("lib.so")),
        "Not a directory",
    ),
    unreadable(
        "a name that is too long",
        |_, to| made(to.join(format!("{}.so", "x".repeat(253)))),
        "File name too long",
    ),
    unreadable(
        "a name with a NUL",
        |_, to| made(to.join(OsStr::from_bytes(b"lib\0.so"))),
        "expected a file that can be read",
    ),
    unreadable(
        "a name that is not UTF-8, of no file",
        |_, to| made(to.join(OsStr::from_bytes(b"lib\xff\xfe.so"))),
        "No such file",
    ),
    unreadable("a link to nothing", |_, to| link(to, &to.join("none.so")), "No such file"),
    unreadable("a link to itself", |_, to| link(to, Path::new("link.so")), "Too many levels"),
    unreadable(
        "two links to each other",
        |_, to| {
            symlink("link.so", to.join("other.so")).expect("a link");
            link(to, Path::new("other.so"))
        },
        "Too many levels",
    ),
    no_file(
        "a folder",
        |_, to| {
            let path = to.join("folder.so");
            fs::create_dir(&path).expect("a folder");
            made(path)
        },
        "found a folder",
    ),
    no_file("a named pipe", |_, to| node(to, FileType::Fifo), "found a named pipe"),
    no_file("a socket", |_, to| node(to, FileType::Socket), "found a socket"),
    outside("a device", |_, _| made("/dev/null".into())),
    outside("a device without an end", |_, _| made("/dev/zero".into())),
    outside("a link to a device", |_, to| link(to, Path::new("/dev/zero"))),
    outside("a file elsewhere", |_, _| made(std::env::current_exe().expect("this program"))),
    outside("a link that leads out", |_, to| {
        link(to, &std::env::current_exe().expect("this program"))
    }),
    outside("a folder that leads out", |_, to| {
        symlink("/etc", to.join("folder")).expect("a link");
        made(to.join("folder/passwd"))
    }),
    outside("a path with dots that leads out", |_, to| {
        let up = "../".repeat(to.components().count());
        made(to.join(format!("{up}etc/passwd")))
    }),
    outside("what the kernel makes up", |_, _| made("/proc/self/maps".into())),
    others(
        "a file that others can write to",
        |good, to| {
            let made = good.write(to, &good.bytes);
            with_mode(&made.path, 0o646);
            made
        },
        "found mode 646",
    ),
    others(
        "a file that everyone can do everything with",
        |good, to| {
            let made = good.write(to, &good.bytes);
            with_mode(&made.path, 0o777);
            made
        },
        "found mode 777",
    ),
    others(
        "a folder that others can write to",
        |good, to| {
            let folder = to.join("open");
            fs::create_dir(&folder).expect("a folder");
            with_mode(&folder, 0o757);
            good.write(&folder, &good.bytes)
        },
        "found mode 757",
    ),
    others(
        "a folder like /tmp",
        |good, to| {
            let folder = to.join("open/inner");
            fs::create_dir_all(&folder).expect("folders");
            with_mode(&to.join("open"), 0o1777);
            good.write(&folder, &good.bytes)
        },
        "found mode 1777",
    ),
    others(
        "a link into a folder that others can write to",
        |good, to| {
            let folder = to.join("open");
            fs::create_dir(&folder).expect("a folder");
            with_mode(&folder, 0o777);
            link(to, &good.write(&folder, &good.bytes).path)
        },
        "found mode 777",
    ),
    size("empty", |good, to| good.write(to, &[]), "found 0."),
    size("one byte", |good, to| good.write(to, b"\x7f"), "found 1."),
    size("cut in the file header", |good, to| good.cut(to, 40), "found 40."),
    size("cut before the last byte of the file header", |good, to| good.cut(to, 63), "found 63."),
    size("larger than any module", |good, to| sparse(good, to, (512 << 20) + 1), "found 536870913"),
    size("a terabyte", |good, to| sparse(good, to, 1 << 40), "found 1099511627776"),
    not_elf("text", |good, to| good.write(to, &b"fn main() {}\n".repeat(9)), "[66, 6e, 20, 6d]"),
    not_elf(
        "a script",
        |good, to| good.write(to, format!("#!/bin/sh\n{}", "echo no\n".repeat(20)).as_bytes()),
        "[23, 21, 2f, 62]",
    ),
    not_elf(
        "a static library",
        |good, to| good.write(to, format!("!<arch>\n{}", "x".repeat(90)).as_bytes()),
        "[21, 3c, 61, 72]",
    ),
    not_elf(
        "a library of Windows",
        |good, to| good.write(to, format!("MZ\u{1}\0{}", "\0".repeat(90)).as_bytes()),
        "[4d, 5a, 01, 00]",
    ),
    not_elf(
        "a library of macOS",
        |good, to| good.write(to, &[0xcf, 0xfa, 0xed, 0xfe].repeat(20)),
        "[cf, fa, ed, fe]",
    ),
    not_elf("zeros", |good, to| good.write(to, &vec![0; good.bytes.len()]), "[00, 00, 00, 00]"),
    not_elf("a hole", |good, to| sparse(good, to, 1 << 20), "[00, 00, 00, 00]"),
    not_elf(
        "a byte too much at the start",
        |good, to| good.write(to, &[b"\n", &good.bytes[..]].concat()),
        "[0a, 7f, 45, 4c]",
    ),
    malformed("cut behind the file header", |good, to| good.cut(to, 64), "which is cut off"),
    malformed("cut in the program headers", |good, to| good.cut(to, 64 + 100), "which is cut off"),
    malformed(
        "cut in the symbol table",
        |good, to| good.cut(to, Elf::new(good).table(elf::DT_SYMTAB) + 100),
        "which is cut off",
    ),
    malformed(
        "cut in the string table",
        |good, to| good.cut(to, Elf::new(good).table(elf::DT_STRTAB) + 100),
        "which is cut off",
    ),
    malformed(
        "cut in the relocations",
        |good, to| good.cut(to, Elf::new(good).table(elf::DT_RELA) + 100),
        "which is cut off",
    ),
    malformed(
        "cut in the code",
        |good, to| {
            let elf = Elf::new(good);
            good.cut(to, elf.u64(elf.code() + super::edit::OFFSET) as usize + 1000)
        },
        "which is cut off",
    ),
    malformed(
        "cut in PLAYGROUND_MODULE",
        |good, to| good.cut(to, Elf::new(good).export() + 50),
        "which is cut off",
    ),
    malformed(
        "cut in the dynamic table",
        |good, to| good.cut(to, Elf::new(good).entries()[4]),
        "which is cut off",
    ),
    malformed("cut in half", |good, to| good.cut(to, good.bytes.len() / 2), "which is cut off"),
    malformed(
        "cut before the last byte",
        |good, to| good.cut(to, good.bytes.len() - 1),
        "which is cut off",
    ),
    malformed(
        "cut, and filled with zeros again",
        |good, to| {
            let mut bytes = good.bytes[..good.bytes.len() / 4].to_vec();
            bytes.resize(good.bytes.len(), 0);
            good.write(to, &bytes)
        },
        "expected",
    ),
    malformed(
        "a block in the middle missing",
        |good, to| {
            let middle = Elf::new(good).table(elf::DT_RELA);
            let bytes = [&good.bytes[..middle], &good.bytes[middle + 4096..]].concat();
            good.write(to, &bytes)
        },
        "which is cut off",
    ),
    hash("another byte of code", |good, to| {
        recorded(good.edited(to, |elf| {
            let code = elf.code();
            let at = elf.u64(code + super::edit::OFFSET) as usize + 999;
            elf.bytes[at] ^= 1;
        }))
    }),
    hash("a byte behind the end", |good, to| {
        recorded(good.write(to, &[&good.bytes[..], b"\n"].concat()))
    }),
    hash("another epoch than was recorded", |good, to| {
        recorded(good.edited(to, |elf| {
            let at = elf.export() + super::edit::ENTRY_BYTES;
            let epoch = at + elf.manifest().find("\nepoch = ").expect("an epoch") + 10;
            let other = if elf.bytes[epoch] == b'0' { b'1' } else { b'0' };
            elf.bytes[epoch] = other;
        }))
    }),
    hash("cut, with the recorded hash", |good, to| recorded(good.cut(to, good.bytes.len() - 100))),
    hash("another file with the recorded hash", |good, to| {
        recorded(good.write(to, &b"anything\n".repeat(100)))
    }),
    no_hash("an empty hash", |good, to| text(good, to, String::new()), "found ``"),
    no_hash(
        "a hash that was cut",
        |good, to| text(good, to, right_hash(good)[..63].to_owned()),
        "as `b3sum` prints it",
    ),
    no_hash(
        "another kind of hash",
        |good, to| text(good, to, format!("sha256:{}", "0".repeat(64))),
        "found `sha256:00",
    ),
    no_hash(
        "no end of a hash",
        |good, to| text(good, to, right_hash(good).repeat(1000)),
        "found 64000 bytes",
    ),
];
