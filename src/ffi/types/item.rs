//! The items of lists, and the part of a list that a query returns.

use crate::Value;
use crate::ffi::glue::boundary::Call;
use crate::ffi::glue::buffer::policysync_bytes;
use crate::ffi::glue::error::Failure;
use crate::ffi::glue::growing::Growing;
use crate::state::Page;
use crate::value::ValueType;

/// The type of a value: `value_type` of `policysync_item`.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum policysync_type {
    /// No value: the item is a name only.
    POLICYSYNC_TYPE_NONE = 0,
    /// `null`.
    POLICYSYNC_TYPE_NULL = 1,
    /// `true` or `false`.
    POLICYSYNC_TYPE_BOOL = 2,
    /// A number without a fraction that 64 bits hold.
    POLICYSYNC_TYPE_INTEGER = 3,
    /// Any other number.
    POLICYSYNC_TYPE_DOUBLE = 4,
    /// A string, which may be bytes in base64url.
    POLICYSYNC_TYPE_TEXT = 5,
    /// An array.
    POLICYSYNC_TYPE_ARRAY = 6,
    /// An object.
    POLICYSYNC_TYPE_OBJECT = 7,
}

/// One item of a list. Its pointers are valid until the next call with the list.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_item {
    /// `sizeof(policysync_item)`.
    pub struct_size: u32,
    /// The type of the value: a `policysync_type`.
    pub value_type: u32,
    /// The name: a kind, the id of an entity, or the path of a field.
    pub name: policysync_bytes,
    /// The value of a field as canonical JSON; empty if the item is a name only.
    pub value: policysync_bytes,
    /// The text without quotes and escapes, if the value is a string; otherwise empty.
    pub text: policysync_bytes,
    /// The integer, if the value is one; 1 for `true`; otherwise 0.
    pub integer: i64,
    /// The number, if the value is an integer or a double; otherwise 0.
    pub number: f64,
}

// SAFETY: `repr(C)`, begins with its size. Zero is an empty item.
unsafe impl Growing for policysync_item {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "out";
}

impl policysync_item {
    /// Views a name and its value, which must outlive the view. `text` is the text of the value.
    pub(in crate::ffi) fn of(name: &str, value: Option<&Value>, text: Option<&str>) -> Self {
        let integer = value.and_then(Value::integer);
        let boolean = value.and_then(Value::boolean);
        let value_type = match value.map(Value::value_type) {
            None => policysync_type::POLICYSYNC_TYPE_NONE,
            Some(ValueType::Null) => policysync_type::POLICYSYNC_TYPE_NULL,
            Some(ValueType::Boolean) => policysync_type::POLICYSYNC_TYPE_BOOL,
            Some(ValueType::Number) if integer.is_some() => policysync_type::POLICYSYNC_TYPE_INTEGER,
            Some(ValueType::Number) => policysync_type::POLICYSYNC_TYPE_DOUBLE,
            Some(ValueType::String) => policysync_type::POLICYSYNC_TYPE_TEXT,
            Some(ValueType::Array) => policysync_type::POLICYSYNC_TYPE_ARRAY,
            Some(ValueType::Object) => policysync_type::POLICYSYNC_TYPE_OBJECT,
        };
        Self {
            struct_size: u32::try_from(size_of::<Self>()).unwrap_or(u32::MAX),
            value_type: value_type.number(),
            name: policysync_bytes::of(name),
            value: value.map_or(policysync_bytes::NONE, |value| policysync_bytes::of(value.as_str())),
            text: text.map_or(policysync_bytes::NONE, policysync_bytes::of),
            integer: integer.or(boolean.map(i64::from)).unwrap_or(0),
            number: value.and_then(Value::number).unwrap_or(0.0),
        }
    }
}

impl policysync_type {
    #[expect(clippy::as_conversions, reason = "an enum without fields is its number")]
    const fn number(self) -> u32 {
        self as u32
    }
}

/// A part of a sorted list of names. Start with `policysync_page page = POLICYSYNC_PAGE_INIT;`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct policysync_page {
    /// `sizeof(policysync_page)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Selects names that begin with this; empty for all.
    pub prefix: policysync_bytes,
    /// Selects names after this one, which need not exist: the last name of the previous page; empty for the first
    /// page.
    pub after: policysync_bytes,
    /// The greatest number of names; 0 for all.
    pub max_count: u64,
}

// SAFETY: `repr(C)`, begins with its size. Zero is the whole list.
unsafe impl Growing for policysync_page {
    const FIRST_SIZE: usize = size_of::<Self>();
    const NAME: &'static str = "page";
}

impl policysync_page {
    /// Converts the page; NULL for the whole list.
    pub(in crate::ffi) fn take<'c>(call: &'c Call, page: *const Self) -> Result<Page<'c>, Failure> {
        if page.is_null() {
            return Ok(Page::new());
        }
        let Self { reserved, prefix, after, max_count, .. } = call.growing(page)?;
        if reserved != 0 {
            return Err(Failure::argument("page.reserved is not 0"));
        }
        let page =
            Page::new().prefix(prefix.text(call, "page.prefix")?).after(after.text(call, "page.after")?);
        Ok(match max_count {
            0 => page,
            count => page.limit(usize::try_from(count).unwrap_or(usize::MAX)),
        })
    }
}
