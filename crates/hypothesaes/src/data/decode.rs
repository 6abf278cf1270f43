//! Bytes in some encoding in, UTF-8 out; what is malformed is an error, never a replacement.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

const BUFFER: usize = 1 << 17;

/// The encoding that a byte-order mark at the start of `head` tells of.
pub(super) fn by_mark(head: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_bom(head).map(|(encoding, _)| encoding)
}

/// UTF-16 without a mark shows as text in which every other byte is zero.
pub(super) fn looks_like_utf16(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|&&b| b == 0).count();
    let half = head.len() / 2;
    match (zeros(0), zeros(1)) {
        (0, odd) if 2 * odd > half => Some(UTF_16LE),
        (even, 0) if 2 * even > half => Some(UTF_16BE),
        _ => None,
    }
}

/// The text of `bytes` without its mark.
pub(super) fn decoded(bytes: Box<dyn Read>, encoding: &'static Encoding) -> Decoded {
    Decoded {
        bytes,
        encoding,
        decoder: encoding.new_decoder_with_bom_removal(),
        input: Piece::default(),
        output: Piece::default(),
        consumed: 0,
        ended: false,
        done: false,
        malformed: None,
    }
}

/// Reads as UTF-8.
pub(super) struct Decoded {
    bytes: Box<dyn Read>,
    encoding: &'static Encoding,
    decoder: Decoder,
    input: Piece,
    output: Piece,
    /// Bytes that the decoder took in.
    consumed: u64,
    /// There are no more bytes.
    ended: bool,
    /// The decoder has been told so, and must not be asked again.
    done: bool,
    /// Position of a malformed byte, told once all text before it has been handed over.
    malformed: Option<u64>,
}

/// A buffer and what of it is in use.
struct Piece {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Default for Piece {
    fn default() -> Self {
        Self { bytes: vec![0; BUFFER], start: 0, end: 0 }
    }
}

impl Piece {
    fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

impl BufRead for Decoded {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.output.is_empty() && !self.done {
            if let Some(position) = self.malformed {
                return Err(self.complaint(position));
            }
            if self.input.is_empty() && !self.ended {
                self.input.end = self.bytes.read(&mut self.input.bytes)?;
                self.input.start = 0;
                self.ended = self.input.end == 0;
            }
            self.decode();
        }
        Ok(&self.output.bytes[self.output.start..self.output.end])
    }

    fn consume(&mut self, n: usize) {
        self.output.start += n;
    }
}

impl Read for Decoded {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(to)?;
        self.consume(n);
        Ok(n)
    }
}

impl Decoded {
    /// Fills the empty output from the input.
    fn decode(&mut self) {
        let (input, output) = (&mut self.input, &mut self.output);
        let bytes = &input.bytes[input.start..input.end];
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(bytes, &mut output.bytes, self.ended);
        input.start += read;
        (output.start, output.end) = (0, written);
        self.consumed += read as u64;
        match result {
            DecoderResult::InputEmpty => self.done = self.ended,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => {
                let back = u64::from(length) + u64::from(after);
                self.malformed = Some(self.consumed.saturating_sub(back) + 1);
            }
        }
    }

    fn complaint(&self, position: u64) -> io::Error {
        let name = self.encoding.name();
        let remedy = if self.encoding == UTF_8 {
            "; if the file is in another encoding, name it, such as `--encoding windows-1252`"
        } else {
            "; name another encoding or mend the file"
        };
        let message = format!("byte {position} of the contents is not valid {name}{remedy}");
        io::Error::new(io::ErrorKind::InvalidData, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::WINDOWS_1252;

    fn read(bytes: &[u8], encoding: &'static Encoding) -> Result<String, String> {
        let mut text = String::new();
        let mut reader = decoded(Box::new(io::Cursor::new(bytes.to_vec())), encoding);
        reader.read_to_string(&mut text).map(|_| text).map_err(|e| e.to_string())
    }

    #[test]
    fn marks_are_taken_off_and_bytes_decoded() {
        let check = |bytes: &[u8], encoding, text: &str| {
            assert_eq!(read(bytes, encoding).as_deref(), Ok(text));
        };
        check(b"\xef\xbb\xbfh\xc3\xa9", UTF_8, "h\u{e9}");
        check(b"\xff\xfeh\0\xe9\0", UTF_16LE, "h\u{e9}");
        check(b"\xfe\xff\0h\0\xe9", UTF_16BE, "h\u{e9}");
        check(b"h\xe9", WINDOWS_1252, "h\u{e9}");
        check(b"", UTF_8, "");
        let long = "\u{1f600}x".repeat(100_000);
        check(long.as_bytes(), UTF_8, &long);
    }

    #[test]
    fn malformed_bytes_are_named_by_position() {
        let check = |bytes: &[u8], encoding, position: &str| {
            let message = read(bytes, encoding).unwrap_err();
            assert!(message.starts_with(&format!("byte {position} of ")), "{message}");
        };
        check(b"ab\xffcd", UTF_8, "3");
        check(b"ab\xe2\x82", UTF_8, "3");
        check(b"\xff\xfea\0\x00\xdcb\0", UTF_16LE, "5");
        check(b"\xff\xfea\0b", UTF_16LE, "5");
        let late = [&b"x".repeat(300_000)[..], b"\xc0"].concat();
        check(&late, UTF_8, "300001");
    }
}
