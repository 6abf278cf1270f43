//! The part of the pickle format that a dictionary of options and tensors is written in.
//!
//! Opcodes and their meaning: Python's `pickletools`, protocol 2. What a pickle would have called
//! is looked up in the function `call`, and there only.

use std::rc::Rc;

/// More steps than this no pickle of an autoencoder has; it also bounds how deep values nest.
const MOST_STEPS: usize = 4_096;

/// What a pickle makes.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    Tuple(Rc<[Self]>),
    List(Vec<Self>),
    Dict(Vec<(Self, Self)>),
    Tensor(Rc<Tensor>),
    /// A name that the pickle would import.
    Name(Rc<str>),
    /// The bytes of tensors.
    Storage(Rc<Storage>),
}

/// A tensor, but for its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Class of its storage, such as `FloatStorage`.
    pub kind: String,
    /// Name of its storage.
    pub storage: String,
    /// Numbers of the storage before its first.
    pub start: usize,
    pub shape: Vec<usize>,
    /// Numbers from one index to the next, for each dimension.
    pub stride: Vec<usize>,
}

/// Where the bytes of tensors lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    kind: String,
    name: String,
}

impl Tensor {
    /// Number of its values, if that can be counted.
    pub fn n_values(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |n, &length| n.checked_mul(length))
    }

    /// The strides of a tensor whose last index runs fastest.
    pub fn rows_first(&self) -> Vec<usize> {
        let mut stride: Vec<usize> = Vec::new();
        let mut step = 1_usize;
        for &length in self.shape.iter().rev() {
            stride.push(step);
            step = step.saturating_mul(length);
        }
        stride.reverse();
        stride
    }
}

impl Value {
    /// The value under this key of a dictionary.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else { return None };
        entries.iter().find(|(k, _)| matches!(k, Self::Text(k) if **k == *key)).map(|(_, v)| v)
    }

    /// The keys of a dictionary that are texts.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let entries = if let Self::Dict(entries) = self { entries.as_slice() } else { &[] };
        entries.iter().filter_map(|(k, _)| if let Self::Text(k) = k { Some(&**k) } else { None })
    }

    /// A whole number that is not negative.
    pub fn whole(&self) -> Option<usize> {
        if let Self::Int(i) = self { usize::try_from(*i).ok() } else { None }
    }

    /// A tuple or list of them.
    pub fn wholes(&self) -> Option<Vec<usize>> {
        let values = match self {
            Self::Tuple(values) => values,
            Self::List(values) => values.as_slice(),
            _ => return None,
        };
        values.iter().map(Self::whole).collect()
    }
}

/// Runs the program.
///
/// # Errors
/// In words, at the first step that is unknown or does not fit.
pub fn read(program: &[u8]) -> Result<Value, String> {
    let mut machine =
        Machine { rest: program, stack: Vec::new(), marks: Vec::new(), memo: Vec::new() };
    for _ in 0..MOST_STEPS {
        if let Some(value) = machine.step()? {
            return Ok(value);
        }
    }
    Err(format!("its pickle has more than {MOST_STEPS} steps"))
}

struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    /// Where on the stack the marks are.
    marks: Vec<usize>,
    /// What the program keeps to use again.
    memo: Vec<(u32, Value)>,
}

impl Machine<'_> {
    /// One step; the result if it was the last.
    fn step(&mut self) -> Result<Option<Value>, String> {
        let [code] = self.bytes()?;
        match code {
            b'.' => return self.pop().map(Some),
            0x80 => {
                let [protocol] = self.bytes()?;
                if protocol > 5 {
                    return Err(format!("its pickle is of protocol {protocol}"));
                }
            }
            b'(' => self.marks.push(self.stack.len()),
            b'c' => {
                let name = format!("{}.{}", self.line()?, self.line()?);
                self.stack.push(Value::Name(name.into()));
            }
            b'}' => self.stack.push(Value::Dict(Vec::new())),
            b']' => self.stack.push(Value::List(Vec::new())),
            b')' => self.tuple(0)?,
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' => {
                let values = self.since_mark()?;
                self.stack.push(Value::Tuple(values.into()));
            }
            b'a' => {
                let value = self.pop()?;
                self.append(vec![value])?;
            }
            b'e' => {
                let values = self.since_mark()?;
                self.append(values)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.insert(vec![key, value])?;
            }
            b'u' => {
                let values = self.since_mark()?;
                self.insert(values)?;
            }
            b'q' => {
                let [at] = self.bytes()?;
                self.keep(at.into())?;
            }
            b'r' => {
                let at = u32::from_le_bytes(self.bytes()?);
                self.keep(at)?;
            }
            b'h' => {
                let [at] = self.bytes()?;
                self.recall(at.into())?;
            }
            b'j' => {
                let at = u32::from_le_bytes(self.bytes()?);
                self.recall(at)?;
            }
            b'Q' => {
                let storage = storage(&self.pop()?)?;
                self.stack.push(storage);
            }
            b'R' => {
                let arguments = self.pop()?;
                let result = call(&self.pop()?, &arguments)?;
                self.stack.push(result);
            }
            // Attributes of a dictionary, which torch uses for the versions of its modules.
            b'b' => {
                self.pop()?;
                if !matches!(self.stack.last(), Some(Value::Dict(_))) {
                    return Err("its pickle sets attributes of what is no dictionary".into());
                }
            }
            other => {
                let value = self.scalar(other)?;
                self.stack.push(value);
            }
        }
        Ok(None)
    }

    /// A value that stands in the program itself.
    fn scalar(&mut self, code: u8) -> Result<Value, String> {
        Ok(match code {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'J' => Value::Int(i32::from_le_bytes(self.bytes()?).into()),
            b'K' => Value::Int(u8::from_le_bytes(self.bytes()?).into()),
            b'M' => Value::Int(u16::from_le_bytes(self.bytes()?).into()),
            0x8a => self.long()?,
            b'G' => Value::Float(f64::from_be_bytes(self.bytes()?)),
            b'X' => {
                let length = u32::from_le_bytes(self.bytes()?);
                self.text(length as usize)?
            }
            0x8c => {
                let [length] = self.bytes()?;
                self.text(length.into())?
            }
            other => return Err(format!("its pickle has the opcode {other:#04x}, unknown here")),
        })
    }

    fn take(&mut self, n: usize) -> Result<&[u8], String> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or("its pickle ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        Ok(*self.take(N)?.as_array().expect("as many were taken"))
    }

    fn line(&mut self) -> Result<String, String> {
        let end = self.rest.iter().position(|&b| b == b'\n').ok_or("its pickle ends too early")?;
        let line = self.take(end + 1)?[..end].to_vec();
        String::from_utf8(line).map_err(|e| e.to_string())
    }

    fn text(&mut self, length: usize) -> Result<Value, String> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|e| e.to_string())?;
        Ok(Value::Text(text.into()))
    }

    /// A whole number of up to eight bytes, two's complement.
    fn long(&mut self) -> Result<Value, String> {
        let [length] = self.bytes()?;
        let digits = self.take(length.into())?;
        if digits.len() > 8 {
            return Err("its pickle has a whole number of more than 64 bits".into());
        }
        let sign = digits.last().is_some_and(|b| b & 0x80 != 0);
        let mut all = [if sign { 0xff } else { 0 }; 8];
        all[..digits.len()].copy_from_slice(digits);
        Ok(Value::Int(i64::from_le_bytes(all)))
    }

    /// The topmost value that is above the last mark.
    fn pop(&mut self) -> Result<Value, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let value = if self.stack.len() > floor { self.stack.pop() } else { None };
        value.ok_or_else(|| "its pickle takes a value where there is none".into())
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.marks.pop().ok_or("its pickle has no mark where one is needed")?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, n: usize) -> Result<(), String> {
        let mut values: Vec<Value> = (0..n).map(|_| self.pop()).collect::<Result<_, _>>()?;
        values.reverse();
        self.stack.push(Value::Tuple(values.into()));
        Ok(())
    }

    fn append(&mut self, values: Vec<Value>) -> Result<(), String> {
        let Some(Value::List(list)) = self.stack.last_mut() else {
            return Err("its pickle appends to what is no list".into());
        };
        list.extend(values);
        Ok(())
    }

    fn insert(&mut self, values: Vec<Value>) -> Result<(), String> {
        let Some(Value::Dict(dict)) = self.stack.last_mut() else {
            return Err("its pickle sets entries of what is no dictionary".into());
        };
        let mut values = values.into_iter();
        while let Some(key) = values.next() {
            dict.push((key, values.next().ok_or("its pickle has a key without value")?));
        }
        Ok(())
    }

    fn keep(&mut self, at: u32) -> Result<(), String> {
        let value = self.stack.last().ok_or("its pickle keeps a value where there is none")?;
        // What grows later is not kept: a copy would miss that.
        if !matches!(value, Value::Dict(_) | Value::List(_)) {
            self.memo.push((at, value.clone()));
        }
        Ok(())
    }

    fn recall(&mut self, at: u32) -> Result<(), String> {
        let kept = self.memo.iter().rev().find(|(place, _)| *place == at);
        let (_, value) = kept.ok_or("its pickle uses a dictionary or list twice, or none")?;
        self.stack.push(value.clone());
        Ok(())
    }
}

/// `("storage", class, name, device, number of values)`.
fn storage(id: &Value) -> Result<Value, String> {
    if let Value::Tuple(parts) = id
        && let [Value::Text(what), Value::Name(class), Value::Text(name), ..] = &**parts
        && **what == *"storage"
        && let Some(kind) = class.strip_prefix("torch.")
    {
        return Ok(Value::Storage(Rc::new(Storage { kind: kind.into(), name: (**name).into() })));
    }
    Err("its pickle refers to something outside that is no storage of tensors".into())
}

/// What a call would give, for the two that are known.
fn call(function: &Value, arguments: &Value) -> Result<Value, String> {
    let Value::Name(name) = function else {
        return Err("its pickle calls what is no function".into());
    };
    let Value::Tuple(arguments) = arguments else {
        return Err("its pickle calls a function without arguments".into());
    };
    match (&**name, &**arguments) {
        ("collections.OrderedDict", []) => Ok(Value::Dict(Vec::new())),
        (
            "torch._utils._rebuild_tensor_v2",
            [Value::Storage(storage), start, shape, stride, ..],
        ) => {
            let tensor = || {
                Some(Tensor {
                    kind: storage.kind.clone(),
                    storage: storage.name.clone(),
                    start: start.whole()?,
                    shape: shape.wholes()?,
                    stride: stride.wholes()?,
                })
            };
            let tensor = tensor().filter(|t| t.shape.len() == t.stride.len());
            Ok(Value::Tensor(Rc::new(tensor.ok_or("its pickle has a tensor of no shape")?)))
        }
        (name, _) => Err(format!("its pickle wants to call `{name}`, which is not done here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(program: &[u8], words: &str) {
        let message = read(program).unwrap_err();
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn plain_values_are_read() {
        // pickle.dumps({"a": (1, -2, 300, None, True), "b": [0.5, 2**40]}, protocol=2)
        let program = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01(K\x01J\xfe\xff\xff\xffM,\x01N\x88tq\x02\
                        X\x01\x00\x00\x00bq\x03]q\x04(G?\xe0\x00\x00\x00\x00\x00\x00\x8a\x06\x00\x00\
                        \x00\x00\x00\x01eu.";
        let value = read(program).unwrap();
        let tuple =
            [Value::Int(1), Value::Int(-2), Value::Int(300), Value::None, Value::Bool(true)];
        assert_eq!(value.get("a"), Some(&Value::Tuple(tuple.into())));
        let list = vec![Value::Float(0.5), Value::Int(1 << 40)];
        assert_eq!(value.get("b"), Some(&Value::List(list)));
        assert_eq!(value.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(value.get("c"), None);
    }

    #[test]
    fn trap_09_what_would_run_is_refused_by_name() {
        refused(b"cos\nsystem\n(X\x04\x00\x00\x00echotR.", "`os.system`");
        refused(b"cbuiltins\neval\n(X\x01\x00\x00\x001tR.", "`builtins.eval`");
        // An instance made by other opcodes.
        refused(b"(cos\nsystem\no.", "opcode 0x6f");
        refused(b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "opcode 0x93");
        refused(b"X\x01\x00\x00\x00xQ.", "no storage");
        refused(b"cos\nsystem\nNb.", "attributes");
    }

    #[test]
    fn damaged_programs_are_refused() {
        refused(b"", "ends too early");
        refused(b"X\xff\xff\xff\xffab", "ends too early");
        refused(b".", "where there is none");
        refused(b"(.", "where there is none");
        refused(b"u.", "no mark");
        refused(b"}(K\x01u.", "key without value");
        refused(b"K\x01K\x02a.", "no list");
        refused(b"h\x00.", "twice, or none");
        refused(b"}q\x00h\x00.", "twice, or none");
        refused(&b"N\x85".repeat(5_000), "more than 4096 steps");
    }
}
