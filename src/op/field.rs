//! The name of a field.

/// The name of a field: the kind of an entity, its id, and the path of the field in it.
///
/// Functions that take a field also take a tuple of its three parts. The parts are not checked: a write fails if one is
/// not an identifier, and a read then finds nothing.
///
/// ```
/// use policysync::Field;
///
/// let title = Field::new("Task", "t1", "title");
/// assert_eq!(title, ("Task", "t1", "title").into());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a field has exactly three names")]
pub struct Field<'a> {
    /// The kind of the entity.
    pub entity: &'a str,
    /// The id of the entity, unique among entities of its kind.
    pub entity_id: &'a str,
    /// The path of the field in its entity. A `/` separates segments.
    pub path: &'a str,
}

impl<'a> Field<'a> {
    /// Returns the name of the field `path` of the entity `entity_id` of the kind `entity`.
    #[must_use]
    pub const fn new(entity: &'a str, entity_id: &'a str, path: &'a str) -> Self {
        Self { entity, entity_id, path }
    }
}

impl<'a, E, I, P> From<(&'a E, &'a I, &'a P)> for Field<'a>
where
    E: AsRef<str> + ?Sized,
    I: AsRef<str> + ?Sized,
    P: AsRef<str> + ?Sized,
{
    fn from((entity, entity_id, path): (&'a E, &'a I, &'a P)) -> Self {
        Self::new(entity.as_ref(), entity_id.as_ref(), path.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_of_any_strings_names_a_field() {
        let id = format!("t{}", 1);
        let path: Box<str> = "title".into();
        assert_eq!(Field::from(("Task", &id, &path)), Field::new("Task", "t1", "title"));
    }

    #[test]
    fn fields_sort_by_entity_id_and_path() {
        let mut fields = [Field::new("B", "a", "a"), Field::new("A", "b", "a"), Field::new("A", "a", "b")];
        fields.sort_unstable();
        assert_eq!(fields.map(|field| field.entity_id), ["a", "b", "a"]);
    }
}
