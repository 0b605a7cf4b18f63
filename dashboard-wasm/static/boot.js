// Starts the Wasm, and says so where a browser or a policy refuses it.
import init from './dashboard.js';

init({ module_or_path: new URL('dashboard_bg.wasm', import.meta.url) }).catch((error) => {
  console.error(error);
  const note = document.createElement('p');
  note.className = 'boot';
  note.setAttribute('role', 'alert');
  note.textContent = 'The dashboard could not start: ' + error
    + '. It needs a browser with WebAssembly, and a content security policy that allows \'wasm-unsafe-eval\'. Reload the page to try again.';
  document.getElementById('app').replaceChildren(note);
});
