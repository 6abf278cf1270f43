//! From a specification to SVG.

use std::thread;

use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Runtime};

use crate::{Error, Result};

/// Vega and Vega-Lite, which define `renderChart`.
const VEGA: &str = include_str!("../../../web/dist/render.js");
/// Bytes that the engine may take.
const MEMORY: usize = 1 << 30;
/// Bytes of calls within calls; the thread has twice as many, as the engine counts its own alone.
const STACK: usize = 4 << 20;

/// An engine with Vega in it: a part of a second to start, then it draws one chart after another.
pub struct Renderer {
    context: Context,
}

impl Renderer {
    /// Starts an engine, on a thread of its own whose stack is deep enough whoever calls, and does
    /// `work` with it.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub fn with<T: Send>(work: impl FnOnce(&Self) -> T + Send) -> Result<T> {
        let engine = |why: &dyn std::fmt::Display| Error::Engine(why.to_string());
        thread::scope(|scope| {
            let thread = thread::Builder::new().name("charts".into()).stack_size(2 * STACK);
            let started =
                thread.spawn_scoped(scope, || Self::new().map(|renderer| work(&renderer)));
            let done = started.map_err(|e| engine(&e))?.join();
            done.map_err(|_| engine(&"the engine failed"))?
        })
    }

    fn new() -> Result<Self> {
        let engine = |error: rquickjs::Error| Error::Engine(error.to_string());
        let runtime = Runtime::new().map_err(engine)?;
        runtime.set_memory_limit(MEMORY);
        runtime.set_max_stack_size(STACK);
        let context = Context::full(&runtime).map_err(engine)?;
        let started = context.with(|ctx| ctx.eval::<(), _>(VEGA).catch(&ctx).map_err(told));
        started.map_err(Error::Engine)?;
        Ok(Self { context })
    }

    /// The picture of a Vega-Lite specification in JSON whose data are in it. Equal specifications give
    /// equal bytes.
    ///
    /// # Errors
    /// [`Error::Spec`].
    pub fn svg(&self, spec: &str) -> Result<String> {
        self.context.with(|ctx| draw(&ctx, spec)).map_err(Error::Spec)
    }
}

fn draw(ctx: &Ctx, spec: &str) -> Result<String, String> {
    let render: Function = ctx.globals().get("renderChart").catch(ctx).map_err(told)?;
    let drawn: MaybePromise = render.call((spec,)).catch(ctx).map_err(told)?;
    drawn.finish().catch(ctx).map_err(told)
}

/// What went wrong, without the places in Vega's code.
fn told(error: CaughtError) -> String {
    match error {
        CaughtError::Exception(exception) => exception.message().unwrap_or_default(),
        other => other.to_string(),
    }
}
