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
    const { site, api = new URL('b', src), interval = 1e4 } = dataset
    const key = 'headwater:' + site
    const calls = window.headwater?.q || []

    let storage = {}, from = document.referrer
    // Of the view: its page, if it counts, and its properties; those of everything on it; what t.auto.js gave.
    let page = location.pathname, props, common, auto
    let settings, machine, timer, started
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
        ;({ status, headers } = await fetch(api, { method: 'POST', body, keepalive: 1 }))
      } catch {}
      quietly(answered, 'a', status, headers?.get('retry-after'))
    }
    // Nobody says that it arrived: t.auto.js posts it once more.
    const part = body => {
      quietly(() => (storage[key + ':'] = (storage[key + ':'] || '').slice(-5e4) + body + '\n'))
      navigator.sendBeacon(api, body)
    }

    const bytes = (at, length) => new Uint8Array(machine.memory.buffer, at, length)
    // A body, with the time of this attempt.
    const body = (at, length) => {
      new DataView(machine.memory.buffer).setFloat64(at + 1, Date.now())
      return bytes(at, length).slice()
    }
    // What storage holds and a message, for the Wasm.
    const tell = message =>
      machine.r(new TextEncoder().encodeInto((storage[key] || '') + '\0' + message, bytes(machine.b(), 2e4)).written)

    const arm = ms => {
      clearTimeout(timer)
      timer = ms && setTimeout(quietly, ms, work)
    }
    // Does what is due: hands over signals and news, and waits.
    const work = (kind, ...fields) => {
      if (machine) {
        signals.splice(0).map(tell)
        kind && tell(text(kind, ...fields))
        arm(tell(text('t')))
      } else if ((plain = plain || kind) && signals[told]) {
        part(JSON.stringify([text('', told, settings), ...signals]))
        told = signals.length
      }
    }

    const signal = (kind, name, ...fields) => {
      if (settings && page) {
        signals.push(text(kind, name, page, location.hostname, ...fields))
        // Engaged time goes with what comes next.
        kind == 'g' || (machine ? work() : arm(interval))
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
    const hide = () => {
      start()
      settle()
      work('h')
    }

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
        site,
        storage.key && 1,
        dataset.identity,
        screen.width,
        interval,
        navigator.language,
        Intl.DateTimeFormat().resolvedOptions().timeZone,
      )
      addEventListener('pagehide', () => quietly(hide))
      import(src + '?auto')
        .then(module => module.default(tag, key, storage, quietly, headwater, signal, view, post, hide))
        .then(given => (auto = given))
        .then(start, start)
      WebAssembly.instantiateStreaming(fetch(src.replace('.js', '.wasm')), {
        // Keep, send, part: tracker-js/shell/src/wasm.rs.
        e: {
          k: (at, length) => quietly(() => (storage[key] = new TextDecoder().decode(bytes(at, length)))),
          s: (at, length) => post(body(at, length), work),
          p: (at, length) => quietly(part, body(at, length)),
        },
      }).then(
        ({ instance }) => {
          if (!plain) {
            machine = instance.exports
            tell(settings)
          }
          work()
        },
        () => work('p'),
      )
    } else start()
  })
})()
