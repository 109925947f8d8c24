//! Names that stand for values: a function among them may become a part of a type.
//!
//! In `let text = text("0"); spawn(text)`, the second `text` is a variable. Names are searched with the
//! scopes of variables, so that such a function is only called.

use std::collections::BTreeSet;
use std::mem;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};

use super::known_macros::takes_expressions;
use super::names::{is_field, is_mark, name_of};

/// The names in the file that stand for more than a call, without those of variables.
pub(super) fn values(file: &syn::File, found: &mut BTreeSet<String>) {
    Search { found, scopes: Vec::new() }.visit_file(file);
}

struct Search<'f> {
    found: &'f mut BTreeSet<String>,
    /// The variables of the blocks around, outermost first.
    scopes: Vec<BTreeSet<String>>,
}

impl Search<'_> {
    fn is_variable(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.contains(name))
    }

    fn in_scope(&mut self, search: impl FnOnce(&mut Self)) {
        self.scopes.push(BTreeSet::new());
        search(self);
        self.scopes.pop();
    }

    /// Adds the variables of a pattern to the innermost scope.
    fn bind(&mut self, pattern: &syn::Pat) {
        let mut names = Bound::default();
        names.visit_pat(pattern);
        if let Some(scope) = self.scopes.last_mut() {
            scope.extend(names.0);
        }
        // Paths of constants, and blocks in them.
        self.visit_pat(pattern);
    }

    /// Code whose scopes are not known: the arguments of macros and attributes.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut imports = false;
        for (at, token) in tokens.iter().enumerate() {
            let (before, rest) = (&tokens[..at], &tokens[at + 1..]);
            match token {
                TokenTree::Ident(word) if word == "use" => {
                    imports = !rest.first().is_some_and(|token| is_mark(token, '<'));
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => imports = false,
                _ if imports => {}
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) => {
                    let defined = before
                        .last()
                        .is_some_and(|it| matches!(it, TokenTree::Ident(it) if it == "fn"));
                    let called = matches!(rest.first(), Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis);
                    let name = name.to_string();
                    if !defined && !called && !is_field(before, rest) && !self.is_variable(&name) {
                        self.found.insert(name);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn function<'a>(&mut self, signature: &'a syn::Signature, body: Option<&'a syn::Block>) {
        // A nested function does not see the variables around it.
        let outer = mem::take(&mut self.scopes);
        self.in_scope(|inner| {
            inner.visit_signature(signature);
            for input in &signature.inputs {
                if let syn::FnArg::Typed(input) = input {
                    inner.bind(&input.pat);
                }
            }
            if let Some(body) = body {
                inner.visit_block(body);
            }
        });
        self.scopes = outer;
    }
}

/// The variables of a pattern.
#[derive(Default)]
struct Bound(BTreeSet<String>);

impl<'a> Visit<'a> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'a syn::PatIdent) {
        self.0.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}

impl<'a> Visit<'a> for Search<'_> {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        self.function(&item.sig, Some(&item.block));
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        self.function(&item.sig, Some(&item.block));
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        self.function(&item.sig, item.default.as_ref());
    }

    fn visit_item(&mut self, item: &'a syn::Item) {
        // Items in a block do not see its variables.
        let outer = mem::take(&mut self.scopes);
        visit::visit_item(self, item);
        self.scopes = outer;
    }

    fn visit_item_use(&mut self, _: &'a syn::ItemUse) {}

    fn visit_block(&mut self, block: &'a syn::Block) {
        self.in_scope(|inner| visit::visit_block(inner, block));
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        local.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, diverge)) = &init.diverge {
                self.visit_expr(diverge);
            }
        }
        self.bind(&local.pat);
    }

    fn visit_expr_closure(&mut self, closure: &'a syn::ExprClosure) {
        self.in_scope(|inner| {
            closure.inputs.iter().for_each(|input| inner.bind(input));
            inner.visit_expr(&closure.body);
        });
    }

    fn visit_expr_for_loop(&mut self, repeat: &'a syn::ExprForLoop) {
        self.visit_expr(&repeat.expr);
        self.in_scope(|inner| {
            inner.bind(&repeat.pat);
            inner.visit_block(&repeat.body);
        });
    }

    fn visit_expr_if(&mut self, condition: &'a syn::ExprIf) {
        self.in_scope(|inner| {
            inner.visit_expr(&condition.cond);
            inner.visit_block(&condition.then_branch);
        });
        if let Some((_, otherwise)) = &condition.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, repeat: &'a syn::ExprWhile) {
        self.in_scope(|inner| {
            inner.visit_expr(&repeat.cond);
            inner.visit_block(&repeat.body);
        });
    }

    /// Its variables are those of the `if` or `while` around it.
    fn visit_expr_let(&mut self, condition: &'a syn::ExprLet) {
        self.visit_expr(&condition.expr);
        self.bind(&condition.pat);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        self.in_scope(|inner| {
            inner.bind(&arm.pat);
            if let Some((_, guard)) = &arm.guard {
                inner.visit_expr(guard);
            }
            inner.visit_expr(&arm.body);
        });
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        match &*call.func {
            syn::Expr::Path(function) => {
                // What is called is no value, but its generic arguments may be.
                visit::visit_path(self, &function.path);
                if let Some(own) = &function.qself {
                    self.visit_qself(own);
                }
            }
            other => self.visit_expr(other),
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_path(&mut self, path: &'a syn::ExprPath) {
        let is_local = path.path.get_ident().is_some_and(|it| self.is_variable(&it.to_string()));
        if let Some(last) = path.path.segments.last().filter(|_| !is_local) {
            self.found.insert(last.ident.to_string());
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        let parser = Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        match call.parse_body_with(parser) {
            Ok(arguments) if takes_expressions(&name_of(&call.path)) => {
                arguments.iter().for_each(|argument| self.visit_expr(argument));
            }
            _ => self.tokens(call.tokens.clone()),
        }
    }

    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        } else {
            visit::visit_attribute(self, attribute);
        }
    }

    /// Texts in which syn finds no Rust.
    fn visit_expr(&mut self, expression: &'a syn::Expr) {
        match expression {
            syn::Expr::Verbatim(tokens) => self.tokens(tokens.clone()),
            other => visit::visit_expr(self, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_no_functions() {
        let table = [
            ("fn f() { let text = text(1); spawn(text); }", &[][..]),
            ("fn f() { spawn(text); let text = 1; }", &["text"]),
            ("fn f() { { let text = 1; } spawn(text) }", &["text"]),
            ("fn f() { let text = text; }", &["text"]),
            ("fn f() { let a = 1; fn g() { spawn(a) } }", &["a"]),
            ("fn f() { let a = 1; const B: u8 = a; }", &["a"]),
            ("fn f(text: u8) { spawn(text) }", &[]),
            ("fn f() { repeat_with(text); }", &["text"]),
            ("fn f() { repeat_with(more::text); }", &["text"]),
            ("fn f(text: u8) { repeat_with(more::text); }", &["text"]),
            ("fn f() { if let Some(text) = text { spawn(text) } }", &["text"]),
            ("fn f() { if let Some(text) = g() && h(text) { spawn(text) } else { k() } }", &[]),
            ("fn f() { if let Some(text) = g() {} else { spawn(text) } }", &["text"]),
            ("fn f() { while let Some(text) = g() { spawn(text) } }", &[]),
            ("fn f() { for text in g() { spawn(text) } spawn(bar) }", &["bar"]),
            ("fn f() { for text in text {} }", &["text"]),
            ("fn f() { match g() { Some(text) if h(text) => text, None => bar } }", &["bar"]),
            ("fn f() { g(|text, (a, b)| h(text, a, b)); h(text) }", &["text"]),
            ("fn f() { let Some(text) = g() else { return h(text) }; }", &["text"]),
            ("fn f(text: u8) { println!(\"{}\", text); vec![bar] }", &["bar"]),
            (
                "fn f() { format!(\"{}\", g().map(|text| text.a)); format!(\"{a}\", a = text) }",
                &["a", "text"],
            ),
            ("fn f() { other!(g().map(|text| text.a)) }", &["text"]),
            ("fn f(text: u8) -> T { T { text, bar } }", &["bar"]),
            ("fn f() { g::<[u8; text]>() }", &["text"]),
            ("struct A([u8; text]);", &["text"]),
            ("static A: fn() = text;", &["text"]),
            ("#[require(A = text)] struct B;", &["A", "text"]),
            ("fn f() { struct C; impl C { fn g(text: u8) { h(text) } } h(bar) }", &["bar"]),
            ("impl T for u8 { fn g(&self, text: u8) { h(text, bar) } }", &["bar"]),
            ("trait T { fn g(text: u8) { h(text, bar) } }", &["bar"]),
        ];
        for (code, expected) in table {
            let mut found = BTreeSet::new();
            values(&syn::parse_file(code).unwrap(), &mut found);
            let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{code}");
        }
    }
}
