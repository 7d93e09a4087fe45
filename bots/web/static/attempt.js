// Runs the actions of a dialog and tells in its status line how they went.

// status: the element. failed: called after an error, to show again what holds.
// Returns a function that runs an action, which returns a sentence, or nothing: then it leaves what another action, which
// began later, has said.
export function attempts(status, failed) {
  return async (action) => {
    status.textContent = "";
    try {
      const sentence = await action();
      if (sentence) status.textContent = sentence;
    } catch (error) {
      status.textContent = error.message;
      failed();
    }
  };
}
