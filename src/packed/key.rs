//! Keys of packed containers.

/// A position in a packed container, four bytes wide.
pub(crate) trait Key: Copy + Default + Ord {
    fn from_position(position: u32) -> Self;

    fn position(self) -> u32;
}

impl Key for u32 {
    #[inline]
    fn from_position(position: u32) -> Self {
        position
    }

    #[inline]
    fn position(self) -> u32 {
        self
    }
}

/// Implements [`Key`] for a newtype over `u32`.
macro_rules! impl_key {
    ($name:ident) => {
        impl crate::packed::Key for $name {
            #[inline]
            fn from_position(position: u32) -> Self {
                Self(position)
            }

            #[inline]
            fn position(self) -> u32 {
                self.0
            }
        }
    };
}

pub(crate) use impl_key;

/// An optional key in four bytes. `u32::MAX` encodes `None`: no container grows that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackedOption<K>(K);

impl<K: Key> PackedOption<K> {
    pub(crate) fn none() -> Self {
        Self(K::from_position(u32::MAX))
    }

    #[inline]
    pub(crate) fn get(self) -> Option<K> {
        (self.0.position() != u32::MAX).then_some(self.0)
    }
}

impl<K> From<K> for PackedOption<K> {
    fn from(key: K) -> Self {
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_holds_every_key_that_a_container_has() {
        assert_eq!(PackedOption::<u32>::none().get(), None);
        for key in [0, 1, u32::MAX - 1] {
            assert_eq!(PackedOption::from(key).get(), Some(key));
        }
        assert_eq!(size_of::<PackedOption<u32>>(), 4);
    }
}
