//! Fits the rows of the live view into the terminal: a row that wraps, or more rows than there are, would smear it.

use crate::os::terminal::TerminalSize;

/// Replaces the end of a row that is cut.
const CUT: char = '…';

/// The rows about the cameras, and those about everything else.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Each with whether its camera is well: it streams, or is switched off.
    pub(super) cameras: Vec<(bool, String)>,
    /// Models, frames, broker and what is degraded.
    pub(super) rest: Vec<String>,
}

impl Rows {
    /// The rows that fit; all of them without a terminal. Where there are too many, cameras in trouble stay, and a row says how
    /// many others are left out.
    pub(super) fn fit(self, size: Option<TerminalSize>) -> Vec<String> {
        let Some(size) = size else { return self.all() };
        // The cursor stands in the row below.
        let most = size.rows.saturating_sub(1).max(1);
        let mut rows = match self.cameras.len() + self.rest.len() > most {
            true => self.without_some_cameras(most),
            false => self.all(),
        };
        rows.truncate(most);
        rows.iter().map(|row| cut(row, size.columns)).collect()
    }

    fn all(self) -> Vec<String> {
        self.cameras.into_iter().map(|(_, row)| row).chain(self.rest).collect()
    }

    fn without_some_cameras(self, most: usize) -> Vec<String> {
        let (well, troubled): (Vec<_>, Vec<_>) = self.cameras.into_iter().partition(|(is_well, _)| *is_well);
        let total = well.len() + troubled.len();
        // One row says how many are left out. At least one camera is shown, whatever is degraded.
        let shown = most.saturating_sub(self.rest.len() + 1).clamp(1, total.max(1));
        let rows = troubled.into_iter().chain(well).map(|(_, row)| row).take(shown);
        let left_out = (total > shown).then(|| format!("camera   {CUT} and {} more", total - shown));
        rows.chain(left_out).chain(self.rest).collect()
    }
}

/// The row within this width. What is not ASCII counts as two columns, as it is in some scripts, and control characters,
/// which a camera's reason may bring, are blanks.
fn cut(row: &str, columns: usize) -> String {
    let width = |c: char| if c.is_ascii() { 1 } else { 2 };
    let row: String = row.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if row.chars().map(width).sum::<usize>() <= columns {
        return row;
    }
    let (mut kept, mut left) = (String::new(), columns.saturating_sub(width(CUT)));
    for c in row.chars() {
        let Some(rest) = left.checked_sub(width(c)) else { break };
        kept.push(c);
        left = rest;
    }
    kept.push(CUT);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(columns: usize, rows: usize) -> Option<TerminalSize> {
        Some(TerminalSize { columns, rows })
    }

    fn rows(well: usize, troubled: usize, rest: usize) -> Rows {
        let camera = |number: usize| (number < well, format!("camera {number}"));
        Rows {
            cameras: (0..well + troubled).map(camera).collect(),
            rest: (0..rest).map(|number| format!("rest {number}")).collect(),
        }
    }

    #[test]
    fn what_fits_is_shown_as_it_is_and_what_goes_to_a_file_too() {
        let expected = ["camera 0", "camera 1", "rest 0"];
        assert_eq!(rows(1, 1, 1).fit(size(80, 4)), expected);
        assert_eq!(rows(1, 1, 1).fit(None), expected);
    }

    #[test]
    fn a_terminal_with_few_rows_shows_the_cameras_in_trouble_and_counts_the_others() {
        let shown = rows(30, 2, 3).fit(size(80, 10));
        assert_eq!(shown.len(), 9, "the cursor has the last row");
        assert_eq!(shown[..3], ["camera 30", "camera 31", "camera 0"]);
        assert_eq!(shown[5..], ["camera   … and 27 more", "rest 0", "rest 1", "rest 2"]);
    }

    #[test]
    fn no_drawing_is_higher_than_the_terminal() {
        for height in 1..12 {
            for (cameras, rest) in [(0, 0), (0, 20), (1, 20), (20, 0), (5, 5)] {
                let shown = rows(cameras, 0, rest).fit(size(80, height)).len();
                assert!(shown <= (height - 1).max(1), "{cameras} cameras, {rest} others, {height} rows: {shown}");
            }
        }
    }

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        assert_eq!(cut("0123456789", 10), "0123456789");
        assert_eq!(cut("0123456789", 9), "0123456…");
        assert_eq!(cut("摄像机", 6), "摄像机");
        assert_eq!(cut("摄像机", 5), "摄…");
        assert_eq!(cut("not\x1b[2Jfound\n", 80), "not [2Jfound ");
    }
}
