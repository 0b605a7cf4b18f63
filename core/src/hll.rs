//! HyperLogLog with 2^14 registers (Flajolet, Fusy, Gandouet, Meunier 2007): distinct visitors past the sample's exact
//! range, standard error 0.81 %.
//!
//! The registers are the whole state, so they merge by maximum in any order. Estimates come from the composite
//! estimator of Apache DataSketches, which looks at nothing but registers; its order-dependent HIP value is not used.
use datasketches::common::NumStdDev;
use datasketches::hll::HllSketch;

use crate::dict::stable_hash;
use crate::{Column, Dict, Estimate, RowDimension, StrId, VisitorHash};

/// log2 of the number of registers.
const LG_K: u8 = 14;
/// The number of registers.
pub(crate) const REGISTERS: usize = 1 << LG_K;
/// The most values of one dimension that have a sketch of their own: those with the lowest hashes.
pub(crate) const MAX_VALUES: usize = 256;

/// One sketch: the greatest rank seen by each register.
#[derive(Clone, PartialEq, Eq)]
pub struct Hll {
    registers: Box<[u8; REGISTERS]>,
}

impl core::fmt::Debug for Hll {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Hll({:.0})", self.estimate().value)
    }
}

impl Default for Hll {
    fn default() -> Self {
        Self { registers: Box::new([0; REGISTERS]) }
    }
}

impl Hll {
    /// Adds a visitor. The low 14 bits of the hash choose the register, the leading zeros of the rest are the rank.
    pub fn insert(&mut self, VisitorHash(hash): VisitorHash) {
        let register = &mut self.registers[hash as usize & (REGISTERS - 1)];
        let rank = ((hash >> LG_K).leading_zeros() - u32::from(LG_K) + 1) as u8;
        *register = (*register).max(rank);
    }

    /// Adds everyone that another sketch has seen.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.registers.iter_mut().zip(other.registers.iter()) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// How many distinct visitors, with 95 % bounds.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let zeros = self.registers.iter().filter(|&&r| r == 0).count();
        if zeros == REGISTERS {
            return Estimate::exact(0);
        }
        // The library reads its own HLL_8 image: preamble, two sums of 2^-rank (ranks below 32 and the others), the
        // number of zero registers, then one byte a register. The out-of-order flag (16) asks for the composite estimator.
        let (mut low, mut high) = (0.0f64, 0.0f64);
        for &rank in self.registers.iter() {
            let share = f64::exp2(-f64::from(rank));
            if rank < 32 { low += share } else { high += share }
        }
        let mut image = Vec::with_capacity(40 + REGISTERS);
        image.extend_from_slice(&[10, 1, 7, LG_K, 0, 16, 0, 2 | (2 << 2)]);
        for sum in [0.0, low, high] {
            image.extend_from_slice(&sum.to_le_bytes());
        }
        image.extend_from_slice(&(zeros as u32).to_le_bytes());
        image.extend_from_slice(&0u32.to_le_bytes());
        image.extend_from_slice(&self.registers[..]);
        match HllSketch::deserialize(&image) {
            Ok(sketch) => Estimate {
                value: sketch.composite_estimate(),
                low: sketch.lower_bound(NumStdDev::Two),
                high: sketch.upper_bound(NumStdDev::Two),
            },
            // Unreachable while the library reads its documented format, which the accuracy tests check.
            Err(_) => Estimate { value: f64::NAN, low: 0.0, high: f64::INFINITY },
        }
    }

    /// The form on the wire: the greatest rank of each register.
    pub(crate) fn column(&self) -> Column {
        Column::new(&self.registers[..])
    }

    /// 64 - 14 bits are left for the rank, so 51 is the greatest.
    pub(crate) fn from_column(ranks: &Column) -> Option<Self> {
        let mut hll = Self::default();
        let whole = ranks.len() == REGISTERS && ranks.is_below(52);
        hll.registers.iter_mut().enumerate().for_each(|(at, register)| *register = ranks.get(at) as u8);
        whole.then_some(hll)
    }
}

/// The sketches of a bucket that has outgrown its sample: the total, and the values of six dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hlls {
    /// Every visitor.
    pub total: Hll,
    /// By dimension and value, sorted; at most 256 values of a dimension.
    pub values: Vec<(RowDimension, StrId, Hll)>,
}

impl Hlls {
    /// The sketch of one value, if it is among those kept.
    #[must_use]
    pub fn of(&self, dimension: RowDimension, value: StrId) -> Option<&Hll> {
        self.values.binary_search_by_key(&(dimension, value), |v| (v.0, v.1)).ok().map(|at| &self.values[at].2)
    }

    /// The sketch of one value, made if it is not there.
    pub(crate) fn of_mut(&mut self, dimension: RowDimension, value: StrId) -> &mut Hll {
        let at = match self.values.binary_search_by_key(&(dimension, value), |v| (v.0, v.1)) {
            Ok(at) => at,
            Err(at) => {
                self.values.insert(at, (dimension, value, Hll::default()));
                at
            }
        };
        &mut self.values[at].2
    }

    /// Drops all but the [`lowest`] values of each dimension.
    pub(crate) fn trim(&mut self, dict: &Dict) {
        let kept = lowest(self.values.iter().map(|v| (v.0, v.1)).collect(), dict);
        self.values.retain(|v| kept.binary_search(&(v.0, v.1)).is_ok());
    }
}

/// Of sorted values, the 256 of each dimension whose strings have the lowest hashes: a choice that does not depend on
/// who came first, so that merging stays associative.
pub(crate) fn lowest(values: Vec<(RowDimension, StrId)>, dict: &Dict) -> Vec<(RowDimension, StrId)> {
    let mut kept = Vec::with_capacity(values.len());
    for group in values.chunk_by(|a, b| a.0 == b.0) {
        let mut ranked: Vec<_> = group.iter().map(|v| (stable_hash(2, dict.get(v.1).as_bytes()), *v)).collect();
        ranked.sort_unstable();
        ranked.truncate(MAX_VALUES);
        kept.extend(ranked.into_iter().map(|r| r.1));
    }
    kept.sort_unstable();
    kept
}
