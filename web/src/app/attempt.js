// One part's fault is no other's.

function tell(what, fault) {
  console.warn(`report: ${what} stays as it was: ${fault?.message ?? fault}`);
}

/** The result of `work`, or undefined where it throws. */
export function attempt(what, work) {
  try {
    return work();
  } catch (fault) {
    tell(what, fault);
    return undefined;
  }
}

/** The same for work that takes its time; `undo` puts back what was there. */
export async function attemptLater(what, work, undo) {
  try {
    return await work();
  } catch (fault) {
    tell(what, fault);
    undo();
    return undefined;
  }
}
