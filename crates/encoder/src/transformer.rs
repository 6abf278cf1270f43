//! A stack of blocks: what all architectures are made of.

use crate::attention::{Attention, RelativeBias, Space};
use crate::linear::Linear;
use crate::ops::{Activation, Norm};

/// Tokens in, a vector for each out.
pub(crate) struct Transformer {
    pub embeddings: Embeddings,
    pub blocks: Vec<Block>,
    pub bias: Option<RelativeBias>,
    pub last_norm: Option<Norm>,
    /// Width of a token's vector.
    pub h: usize,
    /// Tokens of a text at most.
    pub positions: usize,
}

/// What a token is before it has seen others.
pub(crate) struct Embeddings {
    /// Vocabulary x width.
    pub words: Vec<f32>,
    pub width: usize,
    /// From position 0 on, positions x width.
    pub positions: Option<Vec<f32>>,
    /// Of the one kind of token there is here.
    pub kind: Option<Vec<f32>>,
    pub norm: Option<Norm>,
    /// From width to h, where they differ.
    pub widen: Option<Linear>,
}

/// Attention, then a network for each token by itself.
pub(crate) struct Block {
    pub attention: Attention,
    pub mlp: Mlp,
    pub norms: Norms,
}

/// Where a block normalises.
pub(crate) enum Norms {
    /// After adding what attention saw, and after adding the network's.
    After([Norm; 2]),
    /// What attention sees, unless normalised before, and what the network sees.
    Before(Option<Norm>, Norm),
}

pub(crate) enum Mlp {
    Plain {
        up: Linear,
        activation: Activation,
        down: Linear,
    },
    /// `down(act(up x) * gate x)`; `up` gives both, one after the other.
    Gated {
        up: Linear,
        activation: Activation,
        down: Linear,
    },
}

impl Transformer {
    /// Vectors of all tokens of the texts, one after the other (tokens x h).
    pub fn run(&self, texts: &[&[u32]], space: &mut Space) -> Vec<f32> {
        let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        let mut x = self.embeddings.of(texts);
        for block in &self.blocks {
            block.run(&mut x, &lengths, self.bias.as_ref(), space);
        }
        if let Some(norm) = &self.last_norm {
            norm.apply(&mut x);
        }
        x
    }
}

impl Embeddings {
    fn of(&self, texts: &[&[u32]]) -> Vec<f32> {
        let mut x = Vec::with_capacity(texts.iter().map(|t| t.len()).sum::<usize>() * self.width);
        for (position, id) in texts.iter().flat_map(|ids| ids.iter().enumerate()) {
            let start = x.len();
            x.extend_from_slice(row(&self.words, *id as usize, self.width));
            let positions = self.positions.as_ref().map(|all| row(all, position, self.width));
            for other in [positions, self.kind.as_deref()].into_iter().flatten() {
                x[start..].iter_mut().zip(other).for_each(|(x, v)| *x += v);
            }
        }
        if let Some(norm) = &self.norm {
            norm.apply(&mut x);
        }
        let Some(widen) = &self.widen else { return x };
        let mut wide = Vec::new();
        widen.apply(&x, &mut wide);
        wide
    }
}

fn row(all: &[f32], at: usize, width: usize) -> &[f32] {
    &all[at * width..(at + 1) * width]
}

impl Block {
    fn run(
        &self,
        x: &mut [f32],
        lengths: &[usize],
        bias: Option<&RelativeBias>,
        space: &mut Space,
    ) {
        let mut seen = std::mem::take(&mut space.normed);
        let copy = |seen: &mut Vec<f32>, x: &[f32], norm: Option<&Norm>| {
            seen.clear();
            seen.extend_from_slice(x);
            norm.inspect(|norm| norm.apply(seen));
        };
        let before = match &self.norms {
            Norms::After(_) => [None, None],
            Norms::Before(first, second) => [first.as_ref(), Some(second)],
        };
        copy(&mut seen, x, before[0]);
        self.attention.add(&seen, lengths, bias, space, x);
        if let Norms::After([first, _]) = &self.norms {
            first.apply(x);
        }
        copy(&mut seen, x, before[1]);
        self.mlp.add(&seen, space, x);
        if let Norms::After([_, second]) = &self.norms {
            second.apply(x);
        }
        space.normed = seen;
    }
}

impl Mlp {
    fn add(&self, x: &[f32], space: &mut Space, to: &mut [f32]) {
        match self {
            Self::Plain { up, activation, down } => {
                up.apply(x, &mut space.inner);
                activation.apply(&mut space.inner);
                down.add(&space.inner, to);
            }
            Self::Gated { up, activation, down } => {
                up.apply(x, &mut space.inner);
                let wide = up.outs();
                space.gate.clear();
                for row in space.inner.chunks_exact_mut(wide) {
                    let (bent, gate) = row.split_at_mut(wide / 2);
                    activation.apply(bent);
                    space.gate.extend(bent.iter().zip(gate).map(|(b, g)| *b * *g));
                }
                down.add(&space.gate, to);
            }
        }
    }
}
