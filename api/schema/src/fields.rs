//! Matches the fields of structs and the variants of enums.

use super::bytecode::{Op, Site};
use super::compile::types::{Kind, kind};
use super::compile::{Compiler, FieldNode, Node};
use super::definition::{Definition, FieldDef, Form};
use super::diff::Severity;
use super::wire_format::put_varint;

/// The type's `dropped` list.
struct Dropped<'a> {
    list: &'a [String],
    /// The variant that contains the fields.
    variant: Option<&'a str>,
}

impl Dropped<'_> {
    fn lists(&self, name: &str) -> bool {
        let full = self.variant.map(|variant| format!("{variant}.{name}"));
        self.list.iter().any(|dropped| dropped == name || Some(dropped) == full.as_ref())
    }
}

impl<'a> Compiler<'a> {
    /// Structs and tuples: fields are matched by name, or by position between named and numbered
    /// ones.
    pub(super) fn structs(&mut self, writer: &'a Definition, reader: Node<'a>) {
        let old: Vec<&FieldDef> = writer.form.written().collect();
        let new = reader.fields();
        let called = |ty: &Definition, name: &str| !name.is_empty() && ty.is_called(name);
        let same = called(reader.def, &writer.name);
        let wraps = reader.def.form.newtype().filter(|_| !same);
        let unwraps = writer.form.newtype().filter(|_| !same);
        if wraps.is_some_and(|field| called(&field.ty, &writer.name))
            || unwraps.is_some_and(|field| called(reader.def, &field.ty.name))
        {
            return self.inside(writer, reader, wraps.is_some());
        }
        let kinds = (kind(&writer.form), kind(&reader.def.form));
        let differ = kinds == (Some(Kind::Named), Some(Kind::Numbered))
            || kinds == (Some(Kind::Numbered), Some(Kind::Named));
        if old.len() != new.len() {
            let compound = |field: &FieldDef| {
                kind(&field.ty.form).is_some() || matches!(field.ty.form, Form::Array(..))
            };
            if reader.def.form.newtype().is_some_and(|field| differ || compound(field))
                && !old.is_empty()
            {
                return self.inside(writer, reader, true);
            }
            if writer.form.newtype().is_some_and(|field| differ || compound(field))
                && !new.is_empty()
            {
                return self.inside(writer, reader, false);
            }
            if differ {
                return self.impossible(format!(
                    "{writer} -> {}: {} fields by position, but there are {}; keep their names, \
                     or write a `migrate` function",
                    reader.def,
                    new.len(),
                    old.len()
                ));
            }
        }
        if differ {
            self.changed(Severity::Converted, writer, reader);
        } else if !writer.name.is_empty() && writer.name != reader.def.name {
            if same {
                self.note(Severity::Kept, format!("renamed from {}", writer.name));
            } else {
                self.changed(Severity::Converted, writer, reader);
            }
        }
        let dropped = Dropped { list: &reader.def.dropped, variant: None };
        self.fields(&old, &new, differ, &dropped);
    }

    fn inside(&mut self, writer: &'a Definition, reader: Node<'a>, wrap: bool) {
        self.changed(Severity::Converted, writer, reader);
        match (writer.form.newtype(), reader.fields().first()) {
            (_, Some(field)) if wrap => self.pair(writer, field.ty(), Some(*field)),
            (Some(field), _) => self.pair(&field.ty, reader, None),
            _ => self.peel(writer, reader),
        }
    }

    /// Converts matched fields, adds new ones and drops the rest.
    fn fields(
        &mut self,
        old: &[&'a FieldDef],
        new: &[FieldNode<'a>],
        by_position: bool,
        dropped: &Dropped<'_>,
    ) {
        let sources = if by_position {
            (0..new.len()).map(Some).collect()
        } else {
            let old: Vec<_> =
                old.iter().map(|field| (field.name.as_str(), &field.aliases)).collect();
            let new = new.iter().map(|field| (field.def.name.as_str(), &field.def.aliases));
            sources(&old, &new.collect::<Vec<_>>())
        };
        let mut order: Vec<usize> = sources.iter().copied().flatten().collect();
        let in_order = order.is_sorted();
        order.sort_unstable();
        for (i, field) in old.iter().enumerate() {
            if order.binary_search(&i).is_err() {
                self.note_drop(&field.name, dropped);
            }
        }
        if in_order {
            let mut next = 0;
            for (field, source) in new.iter().zip(&sources) {
                if let Some(at) = source {
                    self.leave_out(&old[next..*at]);
                    self.field(old[*at], *field, by_position);
                    next = at + 1;
                } else {
                    self.new_field(*field);
                }
            }
            self.leave_out(&old[next..]);
            return;
        }
        let marks = old.len() as u32 + 1;
        let opened = self.bytecode.open(Op::Frame { marks, end: 0 });
        let taken: Vec<usize> = sources.iter().copied().flatten().collect();
        for (i, field) in old.iter().enumerate() {
            let follows = taken.windows(2).any(|pair| (pair[0] + 1, pair[1]) == (i, i));
            if order.binary_search(&i).is_ok() && !follows {
                self.bytecode.push(Op::Mark(i as u32));
            }
            self.walk(&field.ty);
        }
        self.bytecode.push(Op::Mark(old.len() as u32));
        self.bytecode.push(Op::Drop);
        let mut next = None;
        for (field, source) in new.iter().zip(&sources) {
            if let Some(at) = source {
                if next != Some(*at) {
                    self.bytecode.push(Op::Seek(*at as u32));
                }
                self.field(old[*at], *field, by_position);
                next = Some(at + 1);
            } else {
                self.new_field(*field);
            }
        }
        self.bytecode.push(Op::Seek(old.len() as u32));
        self.bytecode.close(opened);
    }

    fn field(&mut self, old: &'a FieldDef, new: FieldNode<'a>, by_position: bool) {
        self.within(&new.def.name, |this| {
            if !by_position && old.name != new.def.name {
                this.note(Severity::Kept, format!("renamed from {}", old.name));
            }
            this.pair(&old.ty, new.ty(), Some(new));
        });
    }

    fn new_field(&mut self, field: FieldNode<'a>) {
        self.within(&field.def.name, |this| match this.default_of(field) {
            Some(bytes) => {
                this.note(Severity::New, "new, from its default".to_owned());
                this.bytecode.constant(&bytes);
            }
            None => this.impossible(format!(
                "new, without a default: add `#[serde(default)]`, or implement `Default` for its \
                 type or the enclosing struct (its type is {})",
                field.def.ty
            )),
        });
    }

    /// The encoded default of a field; empty if only its definition is known.
    pub(super) fn default_of(&mut self, field: FieldNode<'a>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match field.field {
            None if field.def.has_default => Some(bytes),
            None => None,
            Some(field) => match (field.default?)(&mut bytes) {
                Ok(()) => Some(bytes),
                Err(error) => {
                    self.impossible(format!("its default cannot be encoded: {error}"));
                    Some(Vec::new())
                }
            },
        }
    }

    fn note_drop(&mut self, name: &str, dropped: &Dropped<'_>) {
        let declared = dropped.lists(name);
        let description = if declared {
            "dropped (declared)".to_owned()
        } else {
            format!(
                "would be dropped; keep it, name its successor with `#[persist(rename = \
                 \"{name}\")]`, or list it in `#[persist(dropped(\"{name}\"))]`"
            )
        };
        self.within(name, |this| this.note(Severity::Dropped { declared }, description));
    }

    fn leave_out(&mut self, fields: &[&'a FieldDef]) {
        if fields.is_empty() {
            return;
        }
        self.bytecode.push(Op::Flush);
        self.bytecode.label();
        for field in fields {
            self.within(&field.name, |this| this.walk(&field.ty));
        }
        self.bytecode.push(Op::Drop);
        self.bytecode.label();
    }

    /// Enums: variants are matched by name, then their fields.
    pub(super) fn variants(&mut self, writer: &'a Definition, reader: Node<'a>) {
        let (Form::Enum { variants: old, .. }, Form::Enum { variants: new, fallback }) =
            (&writer.form, &reader.def.form)
        else {
            return;
        };
        if !writer.name.is_empty() && writer.name != reader.def.name {
            if reader.def.is_called(&writer.name) {
                self.note(Severity::Kept, format!("renamed from {}", writer.name));
            } else {
                self.changed(Severity::Converted, writer, reader);
            }
        }
        let names: Vec<_> = old.iter().map(|v| (v.name.as_str(), &v.aliases)).collect();
        let targets_by_name: Vec<_> = new.iter().map(|v| (v.name.as_str(), &v.aliases)).collect();
        let mut targets = vec![None; old.len()];
        for (to, source) in sources(&names, &targets_by_name).into_iter().enumerate() {
            match source {
                Some(from) => targets[from] = Some(to),
                None if writer.name.is_empty() => {}
                None => self.within(&new[to].name, |this| {
                    this.note(Severity::New, "new variant".to_owned());
                }),
            }
        }
        let passes = targets.iter().enumerate().all(|(i, to)| *to == Some(i));
        let first_arm = self.bytecode.arms.len();
        let arms = old.len() as u32;
        self.bytecode.arms.resize(first_arm + old.len() + 1, 0);
        self.bytecode.push(Op::Enum { first_arm: first_arm as u32, arms, passes });
        for (i, variant) in old.iter().enumerate() {
            self.bytecode.arms[first_arm + i] = self.bytecode.label();
            let fields: Vec<&FieldDef> = variant.form.written().collect();
            match (targets[i], fallback.map(|index| index as usize)) {
                (Some(to), _) => {
                    if !passes {
                        self.bytecode.constant(&index(to));
                    }
                    self.within(&new[to].name, |this| {
                        if variant.name != new[to].name {
                            this.note(Severity::Kept, format!("renamed from {}", variant.name));
                        }
                        let dropped =
                            Dropped { list: &reader.def.dropped, variant: Some(&new[to].name) };
                        this.payload(&variant.form, &fields, reader, to, &dropped);
                    });
                }
                (None, Some(to)) if to < new.len() => self.within(&variant.name, |this| {
                    let description = format!("removed, becomes {}", new[to].name);
                    this.note(Severity::Dropped { declared: true }, description);
                    this.leave_out(&fields);
                    this.bytecode.constant(&index(to));
                    for field in reader.variant_fields(&new[to].form, to) {
                        this.new_field(field);
                    }
                }),
                _ => self.within(&variant.name, |this| {
                    this.removed_variant(writer, reader, &variant.name)
                }),
            }
        }
        self.bytecode.arms[first_arm + old.len()] = self.bytecode.label();
    }

    /// Converts the fields of a variant.
    fn payload(
        &mut self,
        form: &'a Form,
        old: &[&'a FieldDef],
        reader: Node<'a>,
        to: usize,
        dropped: &Dropped<'_>,
    ) {
        let Form::Enum { variants, .. } = &reader.def.form else { return };
        let new = reader.variant_fields(&variants[to].form, to);
        let kinds = (kind(form), kind(&variants[to].form));
        let differ = kinds == (Some(Kind::Named), Some(Kind::Numbered))
            || kinds == (Some(Kind::Numbered), Some(Kind::Named));
        if differ && old.len() != new.len() {
            return self.impossible(format!(
                "{} fields by position, but there are {}; keep their names, or write a `migrate` \
                 function",
                new.len(),
                old.len()
            ));
        }
        if differ {
            self.note(Severity::Converted, "fields by position".to_owned());
        }
        self.fields(old, &new, differ, dropped);
    }

    /// A variant without a successor: values that have it are an error.
    fn removed_variant(&mut self, writer: &Definition, reader: Node<'_>, variant: &str) {
        self.note(
            Severity::Checked,
            "removed: values that have it cannot be converted; keep it, name its successor with \
             `#[persist(rename = \"…\")]`, or mark one with `#[persist(fallback)]`"
                .to_owned(),
        );
        let site = self.bytecode.site;
        self.bytecode.site = self.bytecode.sites.len() as u32;
        self.bytecode.sites.push(Site {
            path: self.path.clone(),
            from: format!("{writer}::{variant}"),
            to: reader.def.to_string(),
        });
        self.bytecode.push(Op::Fail);
        self.bytecode.site = site;
    }
}

/// A name and its former names.
type Named<'a> = (&'a str, &'a Vec<String>);

/// For each new item, the index of the old item that it replaces: the one of the same name, else
/// one that has one of its former names, else one that had its name before (a renaming that is
/// undone).
fn sources(old: &[Named<'_>], new: &[Named<'_>]) -> Vec<Option<usize>> {
    let find = |name: &str| old.iter().position(|(old, _)| *old == name);
    let mut taken: Vec<bool> = vec![false; old.len()];
    let mut sources: Vec<Option<usize>> = new.iter().map(|(name, _)| find(name)).collect();
    for source in sources.iter().flatten() {
        taken[*source] = true;
    }
    let former = |(_, aliases): &Named<'_>, taken: &[bool]| {
        aliases.iter().filter_map(|alias| find(alias)).find(|at| !taken[*at])
    };
    let back = |(name, _): &Named<'_>, taken: &[bool]| {
        let was = |aliases: &Vec<String>| aliases.iter().any(|alias| alias == name);
        old.iter().enumerate().position(|(at, (_, aliases))| !taken[at] && was(aliases))
    };
    for find in [&former as &dyn Fn(&Named<'_>, &[bool]) -> Option<usize>, &back] {
        for (source, new) in sources.iter_mut().zip(new) {
            if source.is_none() {
                *source = find(new, &taken);
                if let Some(at) = *source {
                    taken[at] = true;
                }
            }
        }
    }
    sources
}

fn index(variant: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, variant as u128);
    bytes
}
