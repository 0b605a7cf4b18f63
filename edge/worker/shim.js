// What the platform sees of the Wasm. Rust answers every error itself; what arrives here all the same is a trap, after which
// nothing in the Wasm's memory can be relied on: the object is reset, and its next request finds what is stored.
import * as wasm from './index.js'

export class Inbox {
  constructor(state, env) {
    this.state = state
    this.inner = new wasm.Inbox(state, env)
  }

  async run(method, ...given) {
    try {
      return await this.inner[method](...given)
    } catch (error) {
      console.error(`headwater: ${error?.stack ?? error}`)
      this.state.abort(String(error))
      throw error
    }
  }

  fetch(request) {
    return this.run('fetch', request)
  }

  alarm() {
    return this.run('alarm')
  }
}

export default {
  fetch(request, env, context) {
    const answer = wasm.fetch(request, env, context)
    // Others may go to their object together with this one: it is finished even if its client has gone.
    context.waitUntil(answer)
    return answer
  },
}
