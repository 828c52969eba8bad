//! A tensor's values, or one column of its rows.

/// Every `step`th value from `at` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'a> {
    pub(super) values: &'a [f32],
    pub(super) step: usize,
    pub(super) at: usize,
}

/// All values of a tensor, or those of a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a>(Column<'a>);

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self(Column { values, step: 1, at: 0 })
    }
}

impl<'a> From<Column<'a>> for Values<'a> {
    fn from(column: Column<'a>) -> Self {
        Self(column)
    }
}

impl<'a> Values<'a> {
    pub(super) fn iter(self) -> impl Iterator<Item = f32> + 'a {
        self.0.values.iter().skip(self.0.at).step_by(self.0.step).copied()
    }

    /// The least and the largest; `None` if there are none.
    pub(super) fn range(self) -> Option<(f32, f32)> {
        self.iter().map(|value| (value, value)).reduce(|(least, most), (value, _)| (least.min(value), most.max(value)))
    }
}
