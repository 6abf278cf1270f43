//! The table `annotations`, in long form.

use hypothesaes_math::Error;

use super::Annotations;
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
            ],
        })
    }
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
