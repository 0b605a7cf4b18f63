// What the platform sees of the Wasm. Rust answers every error itself; what arrives here all the same is a trap, after which
// nothing in the Wasm's memory can be relied on. The next call from outside makes a new instance, in which objects find what is
// stored; what was under way in the old one never ends, so whoever waits for it is told.
import * as wasm from './index.js'

/** Whether the instance is lost, the how manieth it is, and how to tell those who wait. */
let trapped = false
let instance = 0
const waiting = new Set()
globalThis.headwaterTrapped = () => {
  trapped = true
  for (const tell of waiting) tell(new Error('the Wasm has trapped'))
  waiting.clear()
}
wasm.watch()

/** What `work` gives, unless the Wasm traps first. */
const unlessTrapped = async work => {
  if (trapped) {
    trapped = false
    instance += 1
    wasm.__wbg_reset_state()
    wasm.watch()
  }
  let tell
  const lost = new Promise((_, reject) => { tell = reject })
  waiting.add(tell)
  try {
    return await Promise.race([work(), lost])
  } finally {
    waiting.delete(tell)
  }
}

export class Inbox {
  constructor(state, env) {
    this.given = [state, env]
  }

  /** The object in the Wasm as it is now. */
  inner() {
    if (this.made !== instance) {
      this.object = new wasm.Inbox(...this.given)
      this.made = instance
    }
    return this.object
  }

  fetch(request) {
    return unlessTrapped(() => this.inner().fetch(request))
  }

  alarm() {
    return unlessTrapped(() => this.inner().alarm())
  }
}

const again = error => {
  console.error(`headwater: ${error?.stack ?? error}`)
  const body = JSON.stringify({ type: 'about:blank', title: 'Not now', status: 503, detail: 'the edge has to begin anew: send this again' })
  const headers = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'retry-after': '1',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Retry-After',
  }
  return new Response(body, { status: 503, headers })
}

export default {
  fetch(request, env, context) {
    const answer = unlessTrapped(() => wasm.fetch(request, env, context)).catch(again)
    // Others may go to their object together with this one: it is finished even if its client has gone.
    context.waitUntil(answer)
    return answer
  },
}
