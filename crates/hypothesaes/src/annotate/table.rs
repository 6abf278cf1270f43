//! The table `annotations`, in long form.

use hypothesaes_math::Error;

use super::{Annotations, Calibration};
use crate::Result;
use crate::table::{Column, Table, Values};

impl Annotations {
    /// Table `annotations`: a row per hypothesis and text, hypothesis by hypothesis.
    ///
    /// # Errors
    /// [`crate::Error::Math`] if there is not one id per text and one per concept.
    pub fn table(&self, row_ids: &[u64], hypothesis_ids: &[String]) -> Result<Table> {
        Error::check_len("row_ids", row_ids.len(), self.n_texts())?;
        Error::check_len("hypothesis_ids", hypothesis_ids.len(), self.n_concepts())?;
        let rows: Vec<Option<i64>> = row_ids.iter().map(|&id| i64::try_from(id).ok()).collect();
        let ids = hypothesis_ids.iter().flat_map(|id| vec![Some(id.clone()); row_ids.len()]);
        let row_id = Column {
            name: "row_id",
            unit: "",
            description: "0-based number of the row in the input",
            values: Values::Integer(rows.repeat(hypothesis_ids.len())),
        };
        let values = self.values.iter().flatten().copied();
        let n = self.n_concepts() * self.n_texts();
        let mut reasons = vec![None; n];
        for missing in &self.missing {
            reasons[missing.concept * self.n_texts() + missing.text] = Some(missing.reason.clone());
        }
        let p_yes = self.p_yes.iter().flatten().map(|p| p.map(f64::from));
        let p_yes = p_yes.chain(std::iter::repeat(None)).take(n);
        Ok(Table {
            name: "annotations",
            columns: vec![
                row_id,
                Column::text("hypothesis_id", "hypothesis whose concept was looked for", ids),
                Column::flag(
                    "value",
                    "whether the concept is true of the text; empty if missing",
                    values,
                ),
                Column::number(
                    "p_yes",
                    "share",
                    "probability of yes that the model gives; empty if it gives none",
                    p_yes,
                ),
                Column::text("reason", "why the annotation is missing", reasons),
            ],
        })
    }
}

/// Table `calibration`: a row per way of stacking that was tried; `None` if none was.
pub(crate) fn calibration_table(calibrations: &[Calibration]) -> Option<Table> {
    let number = |name, unit, description, of: fn(&Calibration) -> Option<f64>| {
        Column::number(name, unit, description, calibrations.iter().map(of))
    };
    let count = |name, description, of: fn(&Calibration) -> usize| {
        Column::integer(name, "count", description, calibrations.iter().map(|c| Some(of(c))))
    };
    let layout = |c: &Calibration| Some(format!("{:?}", c.layout).to_lowercase());
    let columns = vec![
        Column::text("layout", "how pairs were put into calls", calibrations.iter().map(layout)),
        count("stack", "concepts per text and call, at most", |c| c.stack),
        count("n", "pairs asked stacked, singly, and singly again", |c| c.n),
        number("agreement", "share", "pairs on which stacked and single answers agree", |c| {
            Some(c.agreement)
        }),
        number("conf_low", "share", "lower end of its 95 % interval (Wilson)", |c| {
            Some(c.conf_low)
        }),
        number("conf_high", "share", "upper end", |c| Some(c.conf_high)),
        number("kappa", "kappa", "agreement corrected for chance (Cohen)", |c| c.kappa),
        number("self_agreement", "share", "pairs on which two single answers agree", |c| {
            Some(c.self_agreement)
        }),
        number("self_conf_low", "share", "lower end of its 95 % interval (Wilson)", |c| {
            Some(c.self_conf_low)
        }),
        Column::flag(
            "stands",
            "whether agreement reaches self_conf_low, so that the run may ask so",
            calibrations.iter().map(|c| Some(c.stands)),
        ),
    ];
    (!calibrations.is_empty()).then_some(Table { name: "calibration", columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_long_form_and_keeps_what_is_missing() {
        let values = vec![vec![Some(true), None], vec![Some(false), Some(true)]];
        let annotations = Annotations::new(2, values).unwrap();
        let table = annotations.table(&[7, 9], &["H01".into(), "H02".into()]).unwrap();
        let values = |name: &str| table.column(name).unwrap().values.clone();
        assert_eq!(values("row_id"), Values::Integer(vec![Some(7), Some(9), Some(7), Some(9)]));
        assert_eq!(values("value"), Values::Flag(vec![Some(true), None, Some(false), Some(true)]));
        let Values::Text(ids) = values("hypothesis_id") else { panic!("ids are texts") };
        assert_eq!(ids.iter().flatten().collect::<Vec<_>>(), ["H01", "H01", "H02", "H02"]);
        assert!(annotations.table(&[7], &["H01".into(), "H02".into()]).is_err());
        assert!(annotations.table(&[7, 9], &[]).is_err());
    }
}
