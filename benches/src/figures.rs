//! Figures of the same thing over several rounds, and how they are told.

/// One figure for each round, in the order of the rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        sorted[sorted.len() / 2]
    }

    pub(crate) fn some_median(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.median())
    }

    /// Round by round, as many times the other; where one has fewer rounds the rest is left out.
    pub(crate) fn over(&self, other: &Figures) -> Figures {
        Figures(self.0.iter().zip(&other.0).map(|(this, other)| this / other).collect())
    }

    /// Round by round, less the other.
    pub(crate) fn less(&self, other: &Figures) -> Figures {
        Figures(self.0.iter().zip(&other.0).map(|(this, other)| this - other).collect())
    }

    /// The median, with the least and the most in brackets.
    pub(crate) fn rendered(&self) -> String {
        if self.0.is_empty() {
            return "–".to_owned();
        }
        let sorted = self.sorted();
        let median = number(self.median());
        match sorted[..] {
            [least, .., most] => format!("{median} ({} to {})", number(least), number(most)),
            _ => median,
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl From<f64> for Figures {
    fn from(figure: f64) -> Figures {
        Figures(vec![figure])
    }
}

impl FromIterator<f64> for Figures {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Figures {
        Figures(figures.into_iter().collect())
    }
}

/// A number with three digits that count.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// A Markdown table, padded so that it can be read as it is.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count(), 3]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    let mut table = line(&mut head.iter().copied());
    table += &line(&mut rule.iter().map(String::as_str));
    for row in rows {
        table += &line(&mut row.iter().map(String::as_str));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_by_median_least_and_most_and_ratios_pair_by_pair() {
        let figures: Figures = [30.0, 10.0, 20.0].into_iter().collect();
        assert_eq!(figures.rendered(), "20.0 (10.0 to 30.0)");
        assert_eq!(Figures::from(4.214).rendered(), "4.21");
        let others: Figures = [10.0, 10.0].into_iter().collect();
        assert_eq!(figures.over(&others).rendered(), "3.00 (1.00 to 3.00)");
        assert_eq!(figures.less(&others).rendered(), "20.0 (0.00 to 20.0)");
    }

    #[test]
    fn a_table_is_padded_to_its_widest_cells() {
        let rows = [vec!["a".to_owned(), "long one".to_owned()]];
        assert_eq!(table(&["x", "y"], &rows), "| x   | y        |\n| --- | -------- |\n| a   | long one |\n");
    }
}
