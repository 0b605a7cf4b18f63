// The loader: what a page's script tag loads. It turns what happens into signals (texts of fields), hands them to the
// Wasm, which adds up, and moves bytes. Where Wasm is refused, or a page is left before it came, the signals themselves
// are posted. docs/wire.md (Signals) says what is in a signal; tracker-js/README.md says how small this has to stay.
;(() => {
  // Whatever happens in here, the page does not hear of it.
  const quietly = (work, ...given) => {
    try {
      return work(...given)
    } catch {}
  }

  quietly(() => {
    const { src, dataset } = document.currentScript
    const { site, api = new URL('b', src), exclude = '^$', include = '', interval = 1e4, identity } = dataset
    const { hostname, pathname, search } = location
    const calls = window.headwater?.q || []
    const key = 'headwater:' + site

    let storage = 0, settings, machine, timer
    // Signals; with the Wasm, those it has not been told yet.
    let signals = []
    // Without it: whether that is decided, and how many signals were posted.
    let plain, told = 0

    // Form feeds separate: nobody types them.
    const text = (...fields) => fields.join`\f`

    const arm = ms => {
      clearTimeout(timer)
      timer = ms && setTimeout(quietly, ms, work)
    }

    const part = body => navigator.sendBeacon(api, body)
    // Posts, and tells the answer's status and `Retry-After`.
    const post = async body => {
      try {
        const { status, headers } = await fetch(api, { method: 'POST', body, keepalive: 1 })
        work('a', status, headers.get('retry-after'))
      } catch {
        quietly(work, 'a')
      }
    }

    const bytes = (at, length) => new Uint8Array(machine.memory.buffer, at, length)
    // What storage holds and a message, for the Wasm.
    const tell = message =>
      machine.r(new TextEncoder().encodeInto((storage[key] || '') + '\0' + message, bytes(machine.b(), 24576)).written)

    // Does what is due: hands over signals and news, and waits.
    const work = (kind, ...fields) => {
      if (machine) {
        signals.map(tell)
        signals = []
        kind && tell(text(kind, Date.now(), ...fields))
        arm(tell(text('t', Date.now())))
      } else if ((plain = plain || kind) && signals[told]) {
        part(JSON.stringify([text(Date.now(), told, settings), ...signals]))
        told = signals.length
      }
    }

    const signal = (kind, name, ...fields) => {
      if (settings && pathname.match(include) && !pathname.match(exclude)) {
        signals.push(text(kind, Date.now(), name, pathname, hostname, ...fields))
        machine ? work() : arm(interval)
      }
    }
    const view = () => {
      const query = new URLSearchParams(search)
      const from = document.referrer
      const utm = name => query.get('utm_' + name)
      signal(
        'v',
        '',
        from.split(/[/:]+/)[1],
        from.split(/[?#]/)[0],
        utm('source') || query.get('ref') || query.get('source'),
        ...['medium', 'campaign', 'content', 'term', ''].map(utm),
      )
    }
    const headwater = (window.headwater = (name, options) =>
      quietly(() => {
        const { props = {}, value, currency, interactive, callback } = options || {}
        name == 'pageview'
          ? view()
          : signal(interactive == false ? 'e' : 'i', name, Math.round(value * 1e6), ...Object.entries(props).sort().slice(0, 30).flat(), currency)
        callback && setTimeout(callback)
      }))

    quietly(() => {
      storage = localStorage
    })
    if (
      navigator.doNotTrack != 1 &&
      !navigator.globalPrivacyControl &&
      ('automated' in dataset || !navigator.webdriver) &&
      ('local' in dataset || !/^(localhost|127\.|\[:|$)/.test(hostname)) &&
      !storage.headwater_ignore
    ) {
      if (dataset.storage == 'none') storage = 0
      settings = text(
        Date.now(),
        crypto.getRandomValues(new BigUint64Array(1)),
        site,
        storage && 1,
        identity,
        screen.width,
        interval,
        navigator.language,
        Intl.DateTimeFormat().resolvedOptions().timeZone,
      )
      view()
      calls.map(call => headwater(...call))
      const handlers = {
        click({ target }) {
          for (; target; target = target.parentElement) {
            const props = {}
            for (const { name, value } of target.attributes) {
              const [, prop] = name.split('data-headwater-prop-')
              if (prop) props[prop] = value
            }
            const { headwaterEvent } = target.dataset
            headwaterEvent && headwater(headwaterEvent, { props })
            target.hostname && signal('l', target.hostname)
          }
        },
        // On leaving, `pagehide` comes first and `visibilitychange` after it; the second finds nothing more to send.
        pagehide: () => work('h'),
        visibilitychange: () => work(document.hidden ? 'h' : machine && 's'),
      }
      for (const name in handlers) addEventListener(name, event => quietly(handlers[name], event), true)
      WebAssembly.instantiateStreaming(fetch(src.replace('.js', '.wasm')), {
        // Keep, send, part: tracker-js/shell/src/wasm.rs.
        e: {
          k: (at, length) => (storage[key] = new TextDecoder().decode(bytes(at, length))),
          s: (at, length) => post(bytes(at, length).slice()),
          p: (at, length) => part(bytes(at, length)),
        },
      }).then(
        ({ instance }) => {
          if (!plain) {
            machine = instance.exports
            tell(text('b', settings))
          }
          work()
        },
        () => work('p'),
      )
    }
  })
})()
