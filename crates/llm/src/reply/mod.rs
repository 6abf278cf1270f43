pub mod thoughts { pub fn strip(t:&str)->Option<&str>{Some(t)} }
