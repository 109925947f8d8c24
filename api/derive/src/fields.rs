//! Generates the schema of one field.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Field, Path, Result, Type};

use super::attributes::{Attributes, DefaultFrom, On, With};
use super::recursive::{mentions, replace, text};

/// The type that contains a field.
pub struct Context<'a> {
    pub root: &'a Path,
    /// The type's name.
    pub ident: &'a Ident,
    /// The type's generic parameters.
    pub params: &'a [Ident],
    /// True for structs: fields have offsets, and defaults from the struct's `Default`.
    pub of_struct: bool,
    /// The default of the struct.
    pub default: Option<&'a DefaultFrom>,
}

/// The expression for a field's schema, and the field's encoded type.
pub struct FieldTokens {
    pub tokens: TokenStream,
    pub name: String,
    pub written: Option<Type>,
}

/// Generates the schema of the field at `index`.
pub fn expand_field(field: &Field, index: usize, context: &Context<'_>) -> Result<FieldTokens> {
    let attributes = Attributes::of(&field.attrs, On::Field)?;
    let (root, ty) = (context.root, &field.ty);
    let member = match &field.ident {
        Some(ident) => ident.to_token_stream(),
        None => syn::Index::from(index).to_token_stream(),
    };
    let name = member.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
    let label = text(ty);
    let mut written = None;
    let schema = if attributes.skip {
        quote!(const { &#root::Schema::unwritten::<#ty>(#label) })
    } else if attributes.is_opaque() {
        quote!(const { &#root::Schema::opaque::<#ty>(#label) })
    } else if let Some(other) = &attributes.written_as {
        written = Some(other.clone());
        let inner = quote!(<#other as #root::Persist>::REF);
        quote!(const { &#root::Schema::plain::<#ty>(#label, #root::Shape::TupleStruct(const {
            &[#root::Field::plain("0", #inner)]
        })) })
    } else {
        let mut seen = ty.clone();
        if let Some(names) = &attributes.recursive {
            let mut names = names.clone();
            if names.is_empty() {
                names.push(context.ident.clone());
                names.push(Ident::new("Self", context.ident.span()));
            }
            seen = replace(ty, root, &names).ok_or_else(|| {
                let listed: Vec<String> = names.iter().map(ToString::to_string).collect();
                syn::Error::new_spanned(
                    ty,
                    format!(
                        "`recursive`, but the type does not name {}; remove the attribute, or \
                         name the enclosing type with `recursive(Type)`",
                        listed.join(" or ")
                    ),
                )
            })?;
        }
        written = Some(ty.clone());
        quote!(<#seen as #root::Persist>::REF)
    };
    let aliases = &attributes.aliases;
    let skip = attributes.skip;
    let offset = if context.of_struct {
        quote!(::core::option::Option::Some(::core::mem::offset_of!(Self, #member)))
    } else {
        quote!(::core::option::Option::None)
    };
    let default = if skip {
        quote!(::core::option::Option::None)
    } else {
        default(ty, &member, &attributes, context)
    };
    let tokens = quote! {
        #root::Field {
            name: #name,
            aliases: &[#(#aliases),*],
            schema: #schema,
            offset: #offset,
            skip: #skip,
            default: #default,
        }
    };
    Ok(FieldTokens { tokens, name, written })
}

/// An expression of type `Option<WriteDefault>`.
fn default(
    ty: &Type,
    member: &TokenStream,
    attributes: &Attributes,
    context: &Context<'_>,
) -> TokenStream {
    let root = context.root;
    let none = quote!(::core::option::Option::None);
    // The local type below cannot name the generic parameters.
    let generic = context.params.iter().any(|param| mentions(ty.to_token_stream(), param));
    let (helper, write) = match &attributes.with {
        None => (TokenStream::new(), quote!(#root::defaults::write)),
        Some(_) if generic => return none,
        Some(with) => {
            let function = match with {
                With::Module(module) => quote!(#module::serialize),
                With::Function(function) => quote!(#function),
            };
            let helper = quote! {
                struct __With;
                impl #root::defaults::WriteWith<#ty> for __With {
                    fn serialize<S: #root::defaults::serde::Serializer>(
                        value: &#ty,
                        serializer: S,
                    ) -> ::core::result::Result<S::Ok, S::Error> {
                        #function(value, serializer)
                    }
                }
            };
            (helper, quote!(#root::defaults::write_with::<#ty, __With>))
        }
    };
    let closure = |body: TokenStream| {
        quote!(::core::option::Option::Some(
            (|out: &mut ::std::vec::Vec<u8>| { #body }) as #root::WriteDefault
        ))
    };
    // Encodes `part` of the default of `ty` if it has one, else does `otherwise`.
    let probed = |ty: TokenStream, part: TokenStream, otherwise: TokenStream| {
        let write = closure(quote! {
            match #root::defaults::Probe::<#ty>::MAKE {
                ::core::option::Option::Some(make) => #write(&make() #part, out),
                ::core::option::Option::None => ::core::result::Result::Ok(()),
            }
        });
        quote! {
            match #root::defaults::Probe::<#ty>::MAKE {
                ::core::option::Option::Some(_) => #write,
                ::core::option::Option::None => #otherwise,
            }
        }
    };
    let of_type = match &attributes.with {
        None => quote!(#root::defaults::Written::<#ty>::WRITE),
        Some(_) => probed(ty.to_token_stream(), TokenStream::new(), none),
    };
    let value = match (&attributes.default, context.default) {
        (Some(DefaultFrom::Trait), _) => {
            closure(quote!(#write(&<#ty as ::core::default::Default>::default(), out)))
        }
        (Some(DefaultFrom::Path(path)), _) => closure(quote! {
            let value: #ty = #path();
            #write(&value, out)
        }),
        (None, Some(DefaultFrom::Path(path))) => closure(quote! {
            let value: Self = #path();
            #write(&value.#member, out)
        }),
        (None, _) if context.of_struct => probed(quote!(Self), quote!(.#member), of_type),
        (None, _) => of_type,
    };
    quote!({
        #[allow(unused_imports)]
        use #root::defaults::{WithoutDefault as _, WithoutWritten as _};
        #helper
        #value
    })
}
