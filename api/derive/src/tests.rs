//! The errors of the derive, and inputs that it accepts.

use super::expand::expand;

fn refused(input: &str) -> String {
    let input = syn::parse_str(input).unwrap();
    expand(&input).unwrap_err().to_string()
}

#[test]
fn unsupported_input_is_an_error_with_a_remedy() {
    let rows = [
        ("union U { a: u8 }", "use an enum"),
        ("struct S { #[serde(flatten)] a: A }", "write the field as it is"),
        ("#[serde(untagged)] enum E { A }", "leave the enum tagged by its variants' indices"),
        ("#[serde(tag = \"t\", content = \"c\")] enum E { A }", "leave the enum tagged"),
        ("#[serde(tag = \"t\")] struct S { a: u8 }", "leave the enum tagged"),
        (
            "struct S { #[serde(skip_serializing_if = \"Option::is_none\")] a: A }",
            "write the field always",
        ),
        ("struct S { #[serde(skip_serializing)] a: A }", "use `skip`"),
        ("enum E { A, #[serde(skip)] B }", "remove the variant"),
        ("enum E { #[serde(untagged)] A }", "leave the enum tagged"),
        ("struct S { #[serde(with = \"hex\")] a: A }", "#[persist(as = \"Type\")]"),
        ("struct S { #[serde(serialize_with = \"hex\")] a: A }", "`serialize_with` decides"),
        ("struct S { #[serde(deserialize_with = \"hex\")] a: A }", "`deserialize_with` decides"),
        ("#[serde(from = \"A\", into = \"A\")] struct S { a: A }", "`from` decides"),
        ("#[serde(try_from = \"A\")] struct S { a: A }", "`try_from` decides"),
        ("#[serde(remote = \"A\")] struct S { a: A }", "`remote` decides"),
        ("struct S { #[persist(recursive)] a: Vec<A> }", "does not name S or Self"),
        ("#[persist(dropped(\"a\"))] struct S { a: A }", "it still exists"),
        ("#[persist(fallback = \"C\")] enum E { A, B }", "no such variant; there are: A, B"),
        ("enum E { #[persist(fallback)] A, #[persist(fallback)] B }", "only one variant"),
        ("#[persist(fallback = \"A\")] struct S;", "`fallback` is for enums"),
        ("#[persist(version = 2)] struct S;", "give both"),
        ("#[persist(migrate = m)] struct S;", "give both"),
        ("#[persist(renamed = \"a\")] struct S;", "unknown attribute"),
        ("struct S { #[persist(was = \"a\")] a: u8 }", "unknown attribute"),
    ];
    for (input, remedy) in rows {
        let error = refused(input);
        assert!(error.contains(remedy), "{input}: {error}");
    }
}

#[test]
fn attributes_that_do_not_affect_the_encoding_are_accepted() {
    let rows = [
        "#[serde(rename_all = \"camelCase\", deny_unknown_fields)] struct S { #[serde(rename = \"x\")] a: u8 }",
        "#[serde(rename(serialize = \"a\", deserialize = \"b\"), bound = \"\")] struct S;",
        "#[serde(transparent)] struct S(u8);",
        "#[serde(from = \"A\", into = \"A\")] #[persist(as = \"A\")] struct S { a: B }",
        "struct S { #[serde(with = \"x::opaque\")] a: A }",
        "struct S { #[serde(with = \"x\")] #[persist(as = Vec<u8>)] a: A }",
        "struct S<'a, T: Clone, const N: usize> where T: Copy { a: &'a T, b: [u8; N] }",
        "#[persist(crate = crate::schema)] struct S { #[persist(recursive(O))] a: Option<Box<O>> }",
    ];
    for input in rows {
        let parsed = syn::parse_str(input).unwrap();
        if let Err(error) = expand(&parsed) {
            panic!("{input}: {error}");
        }
    }
}

#[test]
fn the_schema_crate_defaults_to_the_api() {
    let input = syn::parse_str("struct S { a: u8 }").unwrap();
    let tokens = expand(&input).unwrap().to_string();
    assert!(tokens.contains(":: playground_api :: schema :: Persist for S"), "{tokens}");
}
