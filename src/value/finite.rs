//! The check that a serializable value contains only finite numbers.

use std::fmt;

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{JsonError, JsonFault};

/// Refuses infinities and NaN, for which `serde_json` writes `null`.
pub(super) fn refuse_non_finite<T: Serialize + ?Sized>(value: &T) -> Result<(), JsonError> {
    match value.serialize(Finite) {
        Err(Stop::NotFinite) => Err(JsonError::new(0, JsonFault::NotFinite)),
        // `serde_json` reports any other error.
        Err(Stop::Other) | Ok(()) => Ok(()),
    }
}

/// A serializer that visits a value and writes nothing.
#[derive(Clone, Copy)]
struct Finite;

#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("number is not finite")]
    NotFinite,
    #[error("cannot be serialized")]
    Other,
}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Stop {
        Stop::Other
    }
}

/// Methods for types whose values contain no number, or only finite ones.
macro_rules! accept {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<(), Stop> { Ok(()) })*
    };
}

/// Methods for types that hold one value.
macro_rules! look_into {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method<T: Serialize + ?Sized>(self, $(_: $argument,)* value: &T) -> Result<(), Stop> {
            value.serialize(self)
        })*
    };
}

/// Methods that begin a compound value.
macro_rules! begin {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Finite, Stop> { Ok(self) })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Finite;
    type SerializeTuple = Finite;
    type SerializeTupleStruct = Finite;
    type SerializeTupleVariant = Finite;
    type SerializeMap = Finite;
    type SerializeStruct = Finite;
    type SerializeStructVariant = Finite;

    accept! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    look_into! {
        serialize_some() serialize_newtype_struct(&'static str)
        serialize_newtype_variant(&'static str, u32, &'static str)
    }

    begin! {
        serialize_seq(Option<usize>) serialize_map(Option<usize>) serialize_tuple(usize)
        serialize_struct(&'static str, usize) serialize_struct_variant(&'static str, u32, &'static str, usize)
        serialize_tuple_struct(&'static str, usize) serialize_tuple_variant(&'static str, u32, &'static str, usize)
    }

    fn serialize_f32(self, number: f32) -> Result<(), Stop> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Stop> {
        if number.is_finite() { Ok(()) } else { Err(Stop::NotFinite) }
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), Stop> {
        Ok(())
    }
}

/// Traits of compound values, whose elements are visited one by one.
macro_rules! look_at_each {
    ($($Trait:ident { $($method:ident($($name:ty)?)),* })*) => {
        $(impl $Trait for Finite {
            type Ok = ();
            type Error = Stop;

            $(fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Result<(), Stop> {
                value.serialize(*self)
            })*

            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        })*
    };
}

look_at_each! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key(), serialize_value() }
    SerializeStruct { serialize_field(&'static str) }
    SerializeStructVariant { serialize_field(&'static str) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    struct Newtype(f64);

    #[derive(Serialize)]
    struct Pair(f64, f32);

    #[derive(Serialize)]
    struct Point {
        x: Option<f64>,
        y: f32,
    }

    #[derive(Serialize)]
    enum Shape {
        Dot,
        Circle(f64),
        Square(f64, f64),
        Line { length: f64 },
    }

    fn all_shapes(number: f64) -> Vec<Box<dyn Fn() -> Result<(), JsonError>>> {
        vec![
            Box::new(move || refuse_non_finite(&number)),
            Box::new(move || refuse_non_finite(&[1.0, number])),
            Box::new(move || refuse_non_finite(&vec![number])),
            Box::new(move || refuse_non_finite(&("a", number))),
            Box::new(move || refuse_non_finite(&Newtype(number))),
            Box::new(move || refuse_non_finite(&Pair(number, 0.0))),
            Box::new(move || refuse_non_finite(&Point { x: Some(number), y: 0.0 })),
            Box::new(move || refuse_non_finite(&Shape::Circle(number))),
            Box::new(move || refuse_non_finite(&Shape::Square(0.0, number))),
            Box::new(move || refuse_non_finite(&Shape::Line { length: number })),
            Box::new(move || refuse_non_finite(&BTreeMap::from([("key", number)]))),
        ]
    }

    #[test]
    fn a_number_that_is_not_finite_is_found_in_every_shape() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (index, refuse) in all_shapes(number).iter().enumerate() {
                let error = refuse().unwrap_err();
                assert_eq!(error.fault(), &JsonFault::NotFinite, "shape {index}");
            }
        }
        assert!(refuse_non_finite(&Pair(0.0, f32::NAN)).is_err());
    }

    #[test]
    fn values_without_such_numbers_pass() {
        for refuse in all_shapes(f64::MAX) {
            assert_eq!(refuse(), Ok(()));
        }
        assert_eq!(refuse_non_finite(&(true, 'c', "s", 1_u8, -1_i64, 1_u128, ())), Ok(()));
        assert_eq!(
            refuse_non_finite(&(Shape::Dot, Point { x: None, y: f32::MIN }, format_args!("x"))),
            Ok(())
        );
    }

    struct Unwilling;

    impl Serialize for Unwilling {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(ser::Error::custom("not today"))
        }
    }

    #[test]
    fn a_value_that_cannot_be_serialized_passes() {
        assert_eq!(refuse_non_finite(&Unwilling), Ok(()));
        assert_eq!(refuse_non_finite(&(Unwilling, f64::NAN)), Ok(()));
        assert_eq!(
            [Stop::NotFinite, Stop::Other].map(|stop| stop.to_string()),
            ["number is not finite", "cannot be serialized"]
        );
    }
}
