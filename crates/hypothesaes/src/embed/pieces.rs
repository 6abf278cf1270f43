//! Long texts embedded piece by piece, and put together again.

use hypothesaes_math::Matrix;
use hypothesaes_math::vector::normalise;
use rayon::prelude::*;

use super::Embed;
use crate::Result;
use crate::data::Texts;
use crate::text::chunks;
use crate::watch::Watch;

/// A vector for each text: the mean of its pieces', each as heavy as it has tokens, of unit length. Zeros if
/// a piece's vector could not be had, since the others alone would be another text's.
pub(super) fn embed<'t>(
    embedder: &dyn Embed,
    texts: &'t Texts,
    tokens: usize,
    watch: &dyn Watch,
) -> Result<Matrix> {
    let budget = embedder.max_tokens().map_or(tokens, |most| most.min(tokens));
    let all: Vec<&str> = texts.iter().collect();
    let cut = |text: &&'t str| chunks(text, budget, |part| embedder.tokens(part));
    let of_text: Vec<Vec<(&str, usize)>> = all.par_iter().map(cut).collect();
    let pieces: Texts = of_text.iter().flatten().map(|(piece, _)| *piece).collect();
    let several = of_text.iter().filter(|pieces| pieces.len() > 1).count();
    watch.say(&format!(
        "{several} of {} texts are cut into pieces of at most {budget} tokens: {} pieces in all",
        texts.len(),
        pieces.len()
    ));
    watch.begin("embed", pieces.len() as u64, "pieces");
    let x = embedder.embed(&pieces, watch)?;
    Ok(means(&x, &of_text, embedder.may_lack()))
}

fn means(x: &Matrix, of_text: &[Vec<(&str, usize)>], may_lack: bool) -> Matrix {
    let mut means = Matrix::zeros(of_text.len(), x.cols());
    let mut first = 0;
    for (i, pieces) in of_text.iter().enumerate() {
        let rows = || (first..first + pieces.len()).map(|row| x.row(row));
        let is_whole = !may_lack || rows().all(|row| row.iter().any(|v| *v != 0.0));
        let mean = means.row_mut(i);
        for (row, (_, tokens)) in rows().zip(pieces).filter(|_| is_whole) {
            let weight = (*tokens).max(1) as f32;
            mean.iter_mut().zip(row).for_each(|(mean, v)| *mean += weight * v);
        }
        normalise(mean);
        first += pieces.len();
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    /// Of a text its first letter's place in `ABC`.
    struct Letters {
        may_lack: bool,
    }

    impl Embed for Letters {
        fn id(&self) -> String {
            "letters".into()
        }
        fn embed(&self, texts: &Texts, _: &dyn Watch) -> Result<Matrix> {
            let row =
                |text: &str| ["A", "B", "C"].map(|l| f32::from(u8::from(text.starts_with(l))));
            let rows: Vec<f32> = texts.iter().flat_map(row).collect();
            Ok(Matrix::from_vec(texts.len(), 3, rows)?)
        }
        fn tokens(&self, text: &str) -> usize {
            text.split_whitespace().count()
        }
        fn max_tokens(&self) -> Option<usize> {
            Some(4)
        }
        fn may_lack(&self) -> bool {
            self.may_lack
        }
    }

    fn embedded(may_lack: bool) -> Matrix {
        let texts = ["A x x. B x x x. ", "C x.", "", "C x x x. Unknown."];
        let texts: Texts = texts.into_iter().collect();
        embed(&Letters { may_lack }, &texts, 100, &Unwatched).unwrap()
    }

    #[test]
    fn a_text_is_the_mean_of_its_pieces() {
        let x = embedded(false);
        assert!((x.row(0)[0] - 0.6).abs() < 1e-6 && (x.row(0)[1] - 0.8).abs() < 1e-6);
        assert_eq!(x.row(1), [0.0, 0.0, 1.0]);
        assert_eq!(x.row(2), [0.0; 3]);
        assert_eq!(x.row(3), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_text_of_which_a_piece_is_missing_is_missing() {
        let x = embedded(true);
        assert_eq!(x.row(3), [0.0; 3]);
        assert_eq!(x.row(1), [0.0, 0.0, 1.0]);
    }
}
