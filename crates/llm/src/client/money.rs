//! What was spent, what is under way, and whether one more call may leave.

#[derive(Debug, Default)]
pub(super) struct Spending {
    spent: f64,
    reserved: f64,
    unknown: bool,
}

impl Spending {
    pub fn spent(&self) -> Option<f64> {
        (!self.unknown).then_some(self.spent)
    }

    pub fn known_part(&self) -> f64 {
        self.spent
    }

    /// Sets `dollars` aside if the ceiling allows it, whatever the calls under way come to.
    pub fn reserve(&mut self, dollars: f64, ceiling: Option<f64>) -> bool {
        if ceiling.is_some_and(|most| self.spent + self.reserved + dollars > most) {
            return false;
        }
        self.reserved += dollars;
        true
    }

    pub fn release(&mut self, dollars: f64) {
        self.reserved = (self.reserved - dollars).max(0.0);
    }

    /// A call has cost this; `None` if its price is unknown.
    pub fn spend(&mut self, dollars: Option<f64>) {
        match dollars {
            Some(dollars) => self.spent += dollars,
            None => self.unknown = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_under_way_count_against_the_ceiling() {
        let mut spending = Spending::default();
        assert!(spending.reserve(0.6, Some(1.0)));
        assert!(!spending.reserve(0.6, Some(1.0)));
        spending.release(0.6);
        spending.spend(Some(0.1));
        assert!(spending.reserve(0.6, Some(1.0)));
        assert_eq!(spending.spent(), Some(0.1));
        spending.spend(None);
        assert_eq!(spending.spent(), None);
    }
}
