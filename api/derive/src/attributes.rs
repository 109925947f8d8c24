//! Parses `#[persist(…)]`, and the parts of `#[serde(…)]` that affect the encoding.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::parse::Parse;
use syn::{Attribute, LitStr, Result, Token, Type};

/// The source of a default.
pub enum DefaultFrom {
    /// The trait `Default`.
    Trait,
    /// A function, by its path.
    Path(syn::ExprPath),
}

/// Custom serialization of a field.
pub enum With {
    /// A module with a function `serialize`, by its path.
    Module(syn::ExprPath),
    /// A function, by its path.
    Function(syn::ExprPath),
}

/// The attributes of a type, field or variant.
#[derive(Default)]
pub struct Attributes {
    pub root: Option<syn::Path>,
    pub was: Vec<String>,
    pub dropped: Vec<LitStr>,
    pub version: Option<u32>,
    pub migrate: Option<syn::ExprPath>,
    pub fallback: Option<LitStr>,
    pub is_fallback: bool,
    pub aliases: Vec<String>,
    pub recursive: Option<Vec<syn::Ident>>,
    pub written_as: Option<Type>,
    pub skip: bool,
    pub default: Option<DefaultFrom>,
    pub with: Option<With>,
    /// The error for custom serialization without `as`, which makes the encoded type unknown.
    foreign: Option<syn::Error>,
}

/// The item that attributes belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum On {
    Type,
    Field,
    Variant,
}

impl Attributes {
    pub fn of(attributes: &[Attribute], on: On) -> Result<Self> {
        let mut all = Self::default();
        for attribute in attributes {
            if matches!(&attribute.meta, syn::Meta::Path(path) if path.is_ident("persist")) {
                return Err(syn::Error::new_spanned(
                    attribute,
                    "`#[persist]` derives `Persist`, `Serialize` and `Deserialize` itself: write it \
                     above the derives, and remove those three",
                ));
            } else if attribute.path().is_ident("persist") {
                attribute.parse_nested_meta(|meta| all.persist(&meta, on))?;
            } else if attribute.path().is_ident("serde") {
                attribute.parse_nested_meta(|meta| all.serde(&meta, on))?;
            }
        }
        match all.foreign.take() {
            Some(error) if all.written_as.is_none() && !all.is_opaque() => Err(error),
            _ => Ok(all),
        }
    }

    /// True for `#[serde(with = "…::opaque")]` without an `as`.
    pub fn is_opaque(&self) -> bool {
        let Some(With::Module(module)) = &self.with else { return false };
        self.written_as.is_none()
            && module.path.segments.last().is_some_and(|segment| segment.ident == "opaque")
    }

    fn persist(&mut self, meta: &ParseNestedMeta<'_>, on: On) -> Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match (name.as_str(), on) {
            ("crate", On::Type) => self.root = Some(value(meta)?),
            ("was", On::Type) => self.was.push(text(meta)?.value()),
            ("dropped", On::Type) => {
                let content;
                syn::parenthesized!(content in meta.input);
                let names = content.parse_terminated(<LitStr as Parse>::parse, Token![,])?;
                self.dropped.extend(names);
            }
            ("version", On::Type) => {
                self.version = Some(meta.value()?.parse::<syn::LitInt>()?.base10_parse()?);
            }
            ("migrate", On::Type) => self.migrate = Some(value(meta)?),
            ("fallback", On::Type) => self.fallback = Some(text(meta)?),
            ("fallback", On::Variant) => self.is_fallback = true,
            ("rename", On::Field | On::Variant) => self.aliases.push(text(meta)?.value()),
            ("recursive", On::Field) => {
                let mut names = Vec::new();
                if meta.input.peek(syn::token::Paren) {
                    let content;
                    syn::parenthesized!(content in meta.input);
                    let listed = content.parse_terminated(syn::Ident::parse, Token![,])?;
                    names.extend(listed);
                }
                self.recursive = Some(names);
            }
            ("as", On::Type | On::Field) => self.written_as = Some(value(meta)?),
            _ => {
                return Err(meta.error(
                    "unknown attribute; types have `was`, `dropped`, `version`, `migrate`, \
                     `fallback`, `as`, `crate`; fields `rename`, `recursive`, `as`; variants \
                     `rename`, `fallback`",
                ));
            }
        }
        Ok(())
    }

    fn serde(&mut self, meta: &ParseNestedMeta<'_>, on: On) -> Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match (name.as_str(), on) {
            ("skip", On::Field) => self.skip = true,
            ("skip" | "skip_serializing" | "skip_deserializing", On::Variant) => {
                return Err(meta.error(
                    "values of the variants after it would be decoded as other variants; remove \
                     the variant, or reject it where it is used",
                ));
            }
            ("skip_serializing" | "skip_deserializing" | "skip_serializing_if", _) => {
                return Err(meta.error(
                    "bincode would decode a field that was not encoded; use `skip`, or write the \
                     field always",
                ));
            }
            ("flatten", _) => {
                return Err(meta.error("bincode cannot decode it; write the field as it is"));
            }
            ("untagged" | "tag" | "content", _) => {
                return Err(meta.error(
                    "bincode cannot decode it; leave the enum tagged by its variants' indices",
                ));
            }
            ("getter" | "variant_identifier" | "field_identifier", _) => {
                return Err(meta.error("not supported: implement `Persist` by hand"));
            }
            ("default", _) => {
                self.default = Some(match meta.input.peek(Token![=]) {
                    true => DefaultFrom::Path(value(meta)?),
                    false => DefaultFrom::Trait,
                });
            }
            ("alias", On::Field | On::Variant) => self.aliases.push(text(meta)?.value()),
            ("with", On::Field) => {
                self.with = Some(With::Module(value(meta)?));
                self.refuse(meta, "with");
            }
            ("serialize_with", On::Field) => {
                self.with = Some(With::Function(value(meta)?));
                self.refuse(meta, "serialize_with");
            }
            (
                "deserialize_with" | "from" | "try_from" | "into" | "remote" | "with"
                | "serialize_with",
                _,
            ) => {
                rest(meta)?;
                self.refuse(meta, &name);
            }
            _ => rest(meta)?,
        }
        Ok(())
    }

    /// Records an error, which `as` or `opaque` resolves.
    fn refuse(&mut self, meta: &ParseNestedMeta<'_>, name: &str) {
        self.foreign.get_or_insert(syn::Error::new_spanned(
            &meta.path,
            format!(
                "`{name}` decides what is encoded: name the encoded type with `#[persist(as = \
                 \"Type\")]`, or use `#[serde(with = \"…::opaque\")]`"
            ),
        ));
    }
}

/// The value after the `=`, verbatim or in a string.
fn value<T: Parse>(meta: &ParseNestedMeta<'_>) -> Result<T> {
    let input = meta.value()?;
    if input.peek(LitStr) { input.parse::<LitStr>()?.parse() } else { input.parse() }
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    meta.value()?.parse()
}

/// Skips the value of an attribute that does not affect the encoding.
fn rest(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}
