// The loader: what a page's script tag loads. It turns what happens into signals (texts of fields), hands them to the
// Wasm, which adds up, and moves bytes. Where Wasm is refused, or a page is left before it came, the signals themselves
// are posted. docs/wire.md (Signals) says what is in a signal; tracker-js/README.md says how small this has to stay.
// What is counted without being called for, and what else a tag may ask for, is in the second part of this file, t.auto.js
// here and `t.js?auto` in the page: it comes while the page is read.
;(() => {
  // Whatever happens in here, the page does not hear of it.
  const quietly = (work, ...given) => {
    try {
      return work(...given)
    } catch {}
  }

  quietly(() => {
    const tag = document.currentScript
    const { src, dataset } = tag
    // `local` counts on localhost; a number in it is the least time between two beacons there.
    const { site, api = new URL('b', src), local } = dataset
    const key = 'headwater:' + site
    const calls = window.headwater?.q ?? []

    let storage = {}, from = document.referrer
    // Of the view: its page, if it counts, and its properties; those of everything on it; what t.auto.js gave.
    let page = location.pathname, props, common, auto
    let started, timer, machine, settings
    // Signals; with the Wasm, those it has not been told yet.
    const signals = []
    // Without it: whether that is decided, and how many signals were posted.
    let plain, told = 0

    // Form feeds separate: nobody types them.
    const text = (kind, ...fields) => [kind, Date.now(), ...fields].join`\f`
    const pairs = (all, own) => Object.entries({ ...all, ...own }).slice(0, 30).flat()

    // Posts, and tells the answer's status and `Retry-After`.
    const post = async (body, answered) => {
      let status, headers
      try {
        ;({ status, headers } = await fetch(api, { body, keepalive: 1, method: 'POST' }))
      } catch {}
      quietly(answered, 'a', status, headers?.get('retry-after'))
    }
    // Nobody says that it arrived: t.auto.js posts it once more. It goes once all that are due are kept: Firefox may end the
    // script of a page that is left in the midst of `sendBeacon`.
    const part = async body => {
      try {
        await quietly(() => (storage[key + ':'] = (storage[key + ':'] || '').slice(-1e5) + body + '\n'))
        navigator.sendBeacon(api, body)
      } catch {}
    }

    const bytes = (at, length) => new Uint8Array(machine.memory.buffer, at, length)
    // A body, with the time of this attempt.
    const body = (at, length) => {
      new DataView(machine.memory.buffer).setUint32(at + 1, Date.now() / 1e3)
      return bytes(at, length).slice()
    }
    // Comes back after so many milliseconds, unless that is settled already.
    const arm = ms => (timer = timer || (ms && setTimeout(quietly, ms, work, machine && 't')))
    // What storage holds and a message, for the Wasm.
    const tell = message =>
      arm(machine.r(new TextEncoder().encodeInto((storage[key] || '') + '\0' + message, bytes(machine.b(), 2e4)).written))

    const tell_all = () => signals.splice(0).map(tell)

    // Does what is due: hands over signals and news.
    const work = (kind, ...fields) => {
      timer = clearTimeout(timer)
      if (machine) {
        tell_all()
        kind && tell(text(kind, ...fields))
      } else if ((plain = plain || kind) && signals[told]) {
        part(JSON.stringify([text('', told, settings), ...signals]))
        told = signals.length
      }
    }

    const signal = (kind, name, ...fields) => {
      if (settings && page) {
        signals.push(text(kind, name, page, location.hostname, ...fields))
        // Engaged time goes with what comes next.
        kind == 'g' || (machine ? tell_all() : arm(local || 1e4))
      }
    }
    // Counts the time that was spent here: before another view (`next`), or on leaving.
    const settle = next => {
      const spent = auto?.[0](next)
      spent && signal('g', '', ...spent, ...pairs(common, props), '')
    }
    const view = (path, given) => {
      settle(1)
      let own, campaign
      // Without t.auto.js nobody knows which pages are left out.
      ;[page, common, own, ...campaign] = auto
        ? auto[1](from, path)
        : [!dataset.include && !dataset.exclude && page, , , , , , , , ,]
      props = given
      signal('v', '', own, from.split(/[?#]/)[0], ...campaign, ...pairs(common, props), '')
      // What follows comes from here.
      from = location.href
    }
    const headwater = (name, { path, props, value, currency, interactive, callback } = {}) => {
      name == 'pageview'
        ? view(path, props)
        : signal(interactive == false ? 'e' : 'i', name, Math.round(value * 1e6), ...pairs(common, props), currency)
      callback && setTimeout(callback)
    }
    // Once t.auto.js is there, or cannot be had, or the page is left.
    const start = () => {
      if (!started) {
        started = 1
        'manual' in dataset || view()
        calls.map(call => quietly(headwater, ...call))
      }
    }
    const hide = () => work('h', start(), settle())

    window.headwater = (...call) => (started ? quietly(headwater, ...call) : calls.push(call))
    dataset.storage != 'none' && quietly(() => (storage = localStorage))
    if (
      navigator.doNotTrack != 1 &&
      !navigator.globalPrivacyControl &&
      ('automated' in dataset || !navigator.webdriver) &&
      ('local' in dataset || !/^(localhost|127\.|\[:|$)/.test(location.hostname)) &&
      !storage.headwater_ignore
    ) {
      settings = text(
        'b',
        crypto.getRandomValues(new BigUint64Array(1)),
        +!!storage.key,
        dataset.identity,
        screen.width,
        local || 1e4,
        site,
        navigator.language,
        Intl.DateTimeFormat().resolvedOptions().timeZone,
      )
      addEventListener('pagehide', () => quietly(hide))
      import(src + '?auto')
        .then(module => module.default(tag, key, storage, quietly, headwater, signal, view, post, hide))
        .then(given => start((auto = given)), start)
      WebAssembly.instantiateStreaming(fetch(src.replace('.js', '.wasm')), {
        // Keep, send, part: tracker-js/shell/src/wasm.rs.
        e: {
          k: (at, length) => quietly(() => (storage[key] = new TextDecoder().decode(bytes(at, length)))),
          s: (at, length) => post(body(at, length), work),
          p: (at, length) => quietly(part, body(at, length)),
        },
      }).then(
        ({ instance }) => {
          plain || tell(settings, (machine = instance.exports))
          work()
        },
        () => work('p'),
      )
    } else start()
  })
})()
