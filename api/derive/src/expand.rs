//! Generates the implementation of `Persist` for a type.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Fields, GenericParam, Path, Result, Type};

use super::attributes::{Attributes, On};
use super::fields::{Context, FieldTokens, expand_field};
use super::recursive::mentions;

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = Attributes::of(&input.attrs, On::Type)?;
    let root: Path = match &attributes.root {
        Some(root) => root.clone(),
        None => syn::parse_quote!(::playground_api::schema),
    };
    let params: Vec<Ident> =
        input.generics.type_params().map(|param| param.ident.clone()).collect();
    let context = Context {
        root: &root,
        ident: &input.ident,
        params: &params,
        of_struct: matches!(input.data, Data::Struct(_)),
        default: attributes.default.as_ref(),
    };
    if attributes.migrate.is_some() != attributes.version.is_some_and(|version| version > 0) {
        return Err(syn::Error::new_spanned(
            &input.ident,
            "`version` is the version that `migrate` upgrades to: give both, with a version from 1, or \
             neither",
        ));
    }
    let mut written = Vec::new();
    let shape = match (&attributes.written_as, &input.data) {
        (Some(other), _) => {
            written.push(other.clone());
            quote!(#root::Shape::TupleStruct(const {
                &[#root::Field::plain("0", <#other as #root::Persist>::REF)]
            }))
        }
        (None, Data::Struct(data)) => {
            let (shape, names) = fields(&data.fields, &context, &mut written)?;
            check_dropped(&attributes, &names)?;
            shape
        }
        (None, Data::Enum(data)) => variants(data, &attributes, &context, &mut written)?,
        (None, Data::Union(data)) => {
            return Err(syn::Error::new_spanned(
                data.union_token,
                "unions are not supported: use an enum",
            ));
        }
    };
    if attributes.fallback.is_some() && !matches!(input.data, Data::Enum(_)) {
        return Err(syn::Error::new_spanned(&input.ident, "`fallback` is for enums"));
    }
    Ok(implementation(input, &attributes, &root, &shape, &written))
}

fn implementation(
    input: &DeriveInput,
    attributes: &Attributes,
    root: &Path,
    shape: &TokenStream,
    written: &[Type],
) -> TokenStream {
    let ident = &input.ident;
    let name = ident.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    // Without the module of a type with an identity of its own.
    let own = quote!(const {
        const PATH: &str = ::core::concat!(::core::module_path!(), "::", #name);
        const STABLE: [u8; #root::names::stable_len(PATH)] = #root::names::stable_bytes(PATH);
        #root::names::stable_text(&STABLE)
    });
    let (name, aliases) = names(input, attributes, root, &own);
    let mut generics = input.generics.clone();
    for param in generics.type_params_mut() {
        // Its name is part of the type's own.
        param.bounds.push(syn::parse_quote!(#root::Persist));
        if written.iter().any(|ty| mentions(ty.to_token_stream(), &param.ident)) {
            param.bounds.push(syn::parse_quote!(#root::defaults::serde::Serialize));
        }
    }
    let (impl_generics, type_generics, bounds) = generics.split_for_impl();
    let dropped = &attributes.dropped;
    let version = attributes.version.unwrap_or(0);
    let migrate = match &attributes.migrate {
        Some(path) => quote!(::core::option::Option::Some(#path as #root::Migrate)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #[automatically_derived]
        impl #impl_generics #root::Persist for #ident #type_generics #bounds {
            const NAME: &'static str = #name;
            const SCHEMA: #root::Schema = #root::Schema {
                name: <Self as #root::Persist>::NAME,
                aliases: &[#(#aliases),*],
                size: ::core::mem::size_of::<Self>(),
                align: ::core::mem::align_of::<Self>(),
                version: #version,
                dropped: &[#(#dropped),*],
                shape: #shape,
                migrate: #migrate,
            };
        }
    }
}

/// The type's name and its former ones. Those of a generic type hold its arguments; before it was
/// generic, it had none.
fn names(
    input: &DeriveInput,
    attributes: &Attributes,
    root: &Path,
    own: &TokenStream,
) -> (TokenStream, Vec<TokenStream>) {
    let arguments: Vec<TokenStream> = input
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Lifetime(_) => None,
            GenericParam::Type(param) => {
                let ident = &param.ident;
                Some(quote!(#root::Argument::Type(<#ident as #root::Persist>::NAME)))
            }
            GenericParam::Const(param) => {
                let ident = &param.ident;
                Some(match param.ty.to_token_stream().to_string().as_str() {
                    "bool" => quote!(#root::Argument::Bool(#ident)),
                    "char" => quote!(#root::Argument::Char(#ident)),
                    _ => quote!(#root::Argument::Number(#ident as i128)),
                })
            }
        })
        .collect();
    let was = attributes.was.iter();
    if arguments.is_empty() {
        return (own.clone(), was.map(|was| quote!(#was)).collect());
    }
    let generic = |base: &TokenStream| quote!(const { &#root::TypeName::new(#base, &[#(#arguments),*]) }.as_str());
    // One with arguments is the name of another type as it stands.
    let with_arguments = was.clone().filter(|was| !was.contains('<'));
    let mut aliases: Vec<TokenStream> = with_arguments.map(|was| generic(&quote!(#was))).collect();
    aliases.extend(was.map(|was| quote!(#was)));
    aliases.push(own.clone());
    (generic(own), aliases)
}

/// The shape of a struct or variant, and its fields' names.
fn fields(
    fields: &Fields,
    context: &Context<'_>,
    written: &mut Vec<Type>,
) -> Result<(TokenStream, Vec<String>)> {
    let root = context.root;
    let mut parts = Vec::new();
    let mut names = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let FieldTokens { tokens, name, written: ty } = expand_field(field, index, context)?;
        parts.push(tokens);
        names.push(name);
        written.extend(ty);
    }
    let shape = match fields {
        Fields::Named(_) => quote!(#root::Shape::Struct(const { &[#(#parts),*] })),
        Fields::Unnamed(_) => quote!(#root::Shape::TupleStruct(const { &[#(#parts),*] })),
        Fields::Unit => quote!(#root::Shape::UnitStruct),
    };
    Ok((shape, names))
}

fn variants(
    data: &syn::DataEnum,
    attributes: &Attributes,
    context: &Context<'_>,
    written: &mut Vec<Type>,
) -> Result<TokenStream> {
    let root = context.root;
    let mut parts = Vec::new();
    let mut names = Vec::new();
    let mut fallback = None;
    for (index, variant) in data.variants.iter().enumerate() {
        let own = Attributes::of(&variant.attrs, On::Variant)?;
        let (shape, _) = fields(&variant.fields, context, written)?;
        let name = variant.ident.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
        let named = attributes.fallback.as_ref().is_some_and(|text| text.value() == name);
        if own.is_fallback || named {
            if fallback.is_some() {
                return Err(syn::Error::new_spanned(
                    variant,
                    "only one variant can be the fallback",
                ));
            }
            fallback = Some(index as u32);
        }
        let aliases = &own.aliases;
        parts.push(quote! {
            #root::Variant { name: #name, aliases: &[#(#aliases),*], shape: #shape }
        });
        names.push(name);
    }
    check_dropped(attributes, &names)?;
    if let (Some(text), None) = (&attributes.fallback, fallback) {
        return Err(syn::Error::new_spanned(
            text,
            format!("no such variant; there are: {}", names.join(", ")),
        ));
    }
    let fallback = match fallback {
        Some(index) => quote!(::core::option::Option::Some(#index)),
        None => quote!(::core::option::Option::None),
    };
    Ok(quote! {
        #root::Shape::Enum { variants: const { &[#(#parts),*] }, fallback: #fallback }
    })
}

/// Rejects existing fields or variants in `dropped`.
fn check_dropped(attributes: &Attributes, names: &[String]) -> Result<()> {
    match attributes.dropped.iter().find(|dropped| names.contains(&dropped.value())) {
        Some(dropped) => Err(syn::Error::new_spanned(
            dropped,
            "it still exists: remove it from the type, or from `dropped`",
        )),
        None => Ok(()),
    }
}
