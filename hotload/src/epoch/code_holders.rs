//! Types whose values may hold code: function pointers, closures, trait objects. A swap cannot
//! exchange what they hold.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use super::facts::Facts;
use super::names::name_of;

impl Facts {
    /// True if values of this type of the crate may hold code. `type_name` has neither path nor
    /// arguments.
    pub fn holds_code(&self, type_name: &str) -> bool {
        self.declarations.code_holders.contains(type_name)
    }

    /// True if a function registers systems with Bevy at run time.
    pub fn registers_systems(&self) -> bool {
        let names = ["register_system", "register_boxed_system", "register_tracked_system"];
        let registers = |name: &&str| self.functions.iter().any(|it| it.body.names.contains(*name));
        names.iter().any(registers)
    }
}

/// The types of these files that hold code, themselves or in a type of the crate within them.
pub(super) fn code_holders<'a>(files: impl Iterator<Item = &'a syn::File>) -> BTreeSet<String> {
    let mut types = Types::default();
    files.for_each(|file| types.visit_file(file));
    let mut holders = types.direct;
    loop {
        let more: Vec<String> = types
            .parts
            .iter()
            .filter(|(name, parts)| !holders.contains(*name) && !parts.is_disjoint(&holders))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return holders;
        }
        holders.extend(more);
    }
}

#[derive(Default)]
struct Types {
    /// Types that hold code themselves.
    direct: BTreeSet<String>,
    /// The names in the fields of each type or alias.
    parts: BTreeMap<String, BTreeSet<String>>,
}

impl Types {
    fn add(&mut self, name: &syn::Ident, visit: impl FnOnce(&mut Fields)) {
        let mut fields = Fields::default();
        visit(&mut fields);
        if fields.has_code {
            self.direct.insert(name.to_string());
        }
        self.parts.entry(name.to_string()).or_default().extend(fields.names);
    }
}

impl<'a> Visit<'a> for Types {
    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.add(&item.ident, |fields| fields.visit_fields(&item.fields));
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.add(&item.ident, |fields| {
            item.variants.iter().for_each(|it| fields.visit_variant(it))
        });
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.add(&item.ident, |fields| fields.visit_type(&item.ty));
    }
}

#[derive(Default)]
struct Fields {
    has_code: bool,
    names: BTreeSet<String>,
}

impl<'a> Visit<'a> for Fields {
    fn visit_type_bare_fn(&mut self, _: &'a syn::TypeBareFn) {
        self.has_code = true;
    }

    fn visit_type_trait_object(&mut self, _: &'a syn::TypeTraitObject) {
        self.has_code = true;
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let name = name_of(path);
        // It holds nothing.
        if name != "PhantomData" {
            visit::visit_path(self, path);
            self.names.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_closures_and_trait_objects_are_code_at_any_depth() {
        let file = "
            struct Hooks(Vec<fn(&mut Log)>);
            struct Named { hooks: Option<Box<Hooks>>, count: u32 }
            enum Action { Run(Box<dyn Fn() + Send + Sync>), Stop }
            type Callback = std::sync::Arc<dyn Trait>;
            struct Button<T> { on_press: Callback, of: T }
            mod deep { pub struct Table([super::Action; 3]); }
            struct Plain { count: u32, of: std::marker::PhantomData<fn(Hooks)> }
            struct Marker;
        ";
        let file = syn::parse_file(file).expect("it is Rust");
        let expected = ["Action", "Button", "Callback", "Hooks", "Named", "Table"];
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(code_holders([&file].into_iter()), expected);
    }
}
