use super::*;

#[test]
fn rustcs_messages_have_neither_colours_nor_blank_lines_around_them() {
    let rendered = ["\u{1b}[33mwarning\u{1b}[0m: a\n --> x\n\n", "warning: b\n\n"];
    assert_eq!(messages(&rendered.map(str::to_owned)), "warning: a\n --> x\n\nwarning: b");
    let happened =
        Happened::CompilerWarned { module: "m".into(), texts: vec![rendered[0].to_owned()] };
    let (level, text) = line(&happened).expect("warnings are printed");
    assert_eq!((level, text.as_str()), (Level::Warn, "m: 1 warning\nwarning: a\n --> x"));
    // A linker writes line by line.
    assert_eq!(messages(&["ld: no".to_owned(), "  space".to_owned()]), "ld: no\n  space");
}
