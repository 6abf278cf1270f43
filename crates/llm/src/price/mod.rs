use crate::question::Usage;
pub struct Prices; pub struct Price;
impl Prices { pub fn built_in()->Self{Prices}  pub fn of(&self,_:&str)->Option<&Price>{None} }
impl Price { pub fn cost(&self,_:Usage,_:bool)->f64{0.0} }
