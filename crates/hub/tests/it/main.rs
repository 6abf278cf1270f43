//! Downloads from a hub that these tests play.

mod broken;
mod cached;
mod download;
mod hostile;
mod refused;
mod repo;
mod server;
