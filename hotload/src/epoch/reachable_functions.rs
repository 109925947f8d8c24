//! The functions whose bodies are part of the epoch: those that can run for a type without a call
//! in ordinary code, and all functions that they call.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};

use super::macro_effects::{self, Macros, is_hook, name_of};
use super::significant_tokens::{attributes, impl_item_attributes, is_test};

/// Attributes that name no function and do not change the function.
const SILENT: [&str; 32] = [
    "allow",
    "automatically_derived",
    "cfg",
    "clippy",
    "cold",
    "default",
    "deny",
    "deprecated",
    "derive",
    "diagnostic",
    "doc",
    "expect",
    "forbid",
    "global_allocator",
    "ignore",
    "inline",
    "macro_export",
    "macro_use",
    "must_use",
    "no_std",
    "non_exhaustive",
    "optimize",
    "path",
    "recursion_limit",
    "repr",
    "rustfmt",
    "should_panic",
    "test",
    "track_caller",
    "type_length_limit",
    "type_path",
    "warn",
];

/// Decides whether a function's body is part of the epoch.
pub(super) struct ReachableFunctions {
    /// Functions of these names.
    names: BTreeSet<String>,
    /// All functions in modules, and methods of types, of these names.
    modules: BTreeSet<String>,
    pub macros: Macros,
}

impl ReachableFunctions {
    /// `files` are the crate's, each with its module path.
    pub fn of<'a>(files: impl Iterator<Item = (&'a [String], &'a syn::File)>) -> Self {
        let files: Vec<_> = files.collect();
        let macros = Macros::of(files.iter().map(|(_, file)| *file));
        let mut found = Collector {
            macros: &macros,
            at: Vec::new(),
            functions: Vec::new(),
            aliases: BTreeMap::new(),
            names: BTreeSet::new(),
            modules: BTreeSet::new(),
        };
        for (modules, file) in files {
            found.at = modules.to_vec();
            found.visit_file(file);
        }
        let (names, modules) = found.reach();
        Self { names, modules, macros }
    }

    /// True if the function's body is part of the epoch. `modules` is the function's module path.
    pub fn contains(
        &self,
        attributes: &[syn::Attribute],
        signature: &syn::Signature,
        modules: &[String],
    ) -> bool {
        is_special(attributes, signature)
            || self.names.contains(&signature.ident.to_string())
            || modules.iter().any(|module| self.modules.contains(module))
    }
}

/// True for functions whose bodies shape types by themselves: const and async functions, and those
/// with an attribute macro.
fn is_special(attributes: &[syn::Attribute], signature: &syn::Signature) -> bool {
    signature.constness.is_some()
        || signature.asyncness.is_some()
        || attributes.iter().any(|attribute| !is_silent(attribute))
}

fn is_silent(attribute: &syn::Attribute) -> bool {
    let first = attribute.path().segments.first().map(|segment| segment.ident.to_string());
    first.is_some_and(|name| SILENT.contains(&name.as_str()))
}

struct Function {
    name: String,
    modules: Vec<String>,
    calls: BTreeSet<String>,
}

/// Collects functions, aliases and the first reachable names, before calls are followed.
struct Collector<'m> {
    macros: &'m Macros,
    at: Vec<String>,
    functions: Vec<Function>,
    /// `use name as alias`, alias first.
    aliases: BTreeMap<String, BTreeSet<String>>,
    names: BTreeSet<String>,
    modules: BTreeSet<String>,
}

impl Collector<'_> {
    /// Follows calls by name, starting from the names that are already reachable.
    fn reach(self) -> (BTreeSet<String>, BTreeSet<String>) {
        let Self { macros, functions, aliases, names: seeds, modules, .. } = self;
        let mut by_name: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
        for function in &functions {
            by_name.entry(&function.name).or_default().push(function);
        }
        let mut queue: Vec<String> = seeds.into_iter().collect();
        let in_modules = functions
            .iter()
            .filter(|function| function.modules.iter().any(|module| modules.contains(module)));
        queue.extend(in_modules.flat_map(|function| function.calls.iter().cloned()));

        let mut names = BTreeSet::new();
        while let Some(name) = queue.pop() {
            if names.contains(&name) {
                continue;
            }
            for function in by_name.get(name.as_str()).into_iter().flatten() {
                queue.extend(function.calls.iter().cloned());
            }
            queue.extend(aliases.get(&name).into_iter().flatten().cloned());
            if let Some(definition) = macros.definitions.get(&name) {
                macro_effects::idents(definition.clone(), &mut |ident| queue.push(ident));
            }
            names.insert(name);
        }
        (names, modules)
    }

    fn mention_tokens(&mut self, tokens: TokenStream) {
        macro_effects::idents(tokens, &mut |ident| {
            self.names.insert(ident);
        });
    }

    fn function(
        &mut self,
        attributes: &[syn::Attribute],
        signature: &syn::Signature,
        block: &syn::Block,
    ) {
        let calls = Calls::in_block(block);
        if is_special(attributes, signature) {
            self.names.extend(calls.iter().cloned());
        }
        let (name, modules) = (signature.ident.to_string(), self.at.clone());
        self.functions.push(Function { name, modules, calls });
    }
}

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a syn::ImplItem) {
        if !is_test(impl_item_attributes(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.at.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if item.trait_.is_some() {
            let mut calls = Calls::default();
            calls.visit_item_impl(item);
            self.names.extend(calls.0);
        }
        self.at.push(self_type(item));
        visit::visit_item_impl(self, item);
        self.at.pop();
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        let mut calls = Calls::default();
        calls.visit_item_trait(item);
        self.names.extend(calls.0);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.names.extend(Calls::in_expr(&item.expr));
        visit::visit_item_const(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.names.extend(Calls::in_expr(&item.expr));
        visit::visit_impl_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'a syn::ItemStatic) {
        self.names.extend(Calls::in_expr(&item.expr));
        visit::visit_item_static(self, item);
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let name = name_of(&item.mac.path);
        if item.ident.is_none() && name != "export_module" {
            self.mention_tokens(item.mac.tokens.clone());
            self.names.insert(name);
        }
    }

    fn visit_impl_item_macro(&mut self, item: &'a syn::ImplItemMacro) {
        self.mention_tokens(item.mac.to_token_stream());
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        if self.macros.is_shaping(call) {
            self.mention_tokens(call.to_token_stream());
        }
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        if is_hook(&call.method.to_string()) {
            self.mention_tokens(call.args.to_token_stream());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func
            && is_hook(&name_of(&function.path))
        {
            self.mention_tokens(call.args.to_token_stream());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_use_rename(&mut self, rename: &'a syn::UseRename) {
        let names = self.aliases.entry(rename.rename.to_string()).or_default();
        names.insert(rename.ident.to_string());
    }

    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        if is_silent(attribute) {
            return;
        }
        let tokens = attribute.meta.to_token_stream();
        self.mention_tokens(tokens.clone());
        // serde: `default = "function"`, `with = "module"`.
        macro_effects::strings(tokens, &mut |path| {
            let parts = path.split(|c: char| !c.is_alphanumeric() && c != '_');
            let mut last = None;
            for part in parts.filter(|part| !part.is_empty()) {
                self.names.insert(part.to_owned());
                last = Some(part.to_owned());
            }
            self.modules.extend(last);
        });
    }
}

/// The name of the type that an impl is for.
pub(super) fn self_type(item: &syn::ItemImpl) -> String {
    match &*item.self_ty {
        syn::Type::Path(path) => name_of(&path.path),
        _ => String::new(),
    }
}

/// The names of called or passed functions, and all identifiers in macro calls.
#[derive(Default)]
struct Calls(BTreeSet<String>);

impl Calls {
    fn in_block(block: &syn::Block) -> BTreeSet<String> {
        let mut calls = Self::default();
        calls.visit_block(block);
        calls.0
    }

    fn in_expr(expr: &syn::Expr) -> BTreeSet<String> {
        let mut calls = Self::default();
        calls.visit_expr(expr);
        calls.0
    }
}

impl<'a> Visit<'a> for Calls {
    fn visit_expr_path(&mut self, path: &'a syn::ExprPath) {
        self.0.insert(name_of(&path.path));
        visit::visit_expr_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        self.0.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.0.insert(name_of(&call.path));
        macro_effects::idents(call.tokens.clone(), &mut |ident| {
            self.0.insert(ident);
        });
    }
}
