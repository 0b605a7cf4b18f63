// Runs the built Worker in workerd for a test: `node host.mjs SETTINGS`, where SETTINGS is JSON:
// {modules: folder of index.js and index_bg.wasm, or script: the text of another Worker, port, storage: folder, bindings,
// also: what is put behind index.js, for faults that no request can cause}.
// Prints `ready PORT` once it listens, and ends with its standard input. No connection outside this machine is tried.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Log, LogLevel, Miniflare } from 'miniflare'

const { modules, script, port, storage, bindings, also = '' } = JSON.parse(process.argv[2])
const read = (name, type) => ({ type, path: name, contents: readFileSync(join(modules, name)) })
const index = () => ({ type: 'ESModule', path: 'index.js', contents: readFileSync(join(modules, 'index.js'), 'utf8') + also })

const miniflare = new Miniflare({
  host: '127.0.0.1',
  port,
  cf: false,
  telemetry: { enabled: false },
  log: new Log(LogLevel.ERROR),
  compatibilityDate: '2026-04-01',
  modules: script ? [{ type: 'ESModule', path: 'index.js', contents: script }] : [index(), read('index_bg.wasm', 'CompiledWasm')],
  bindings,
  ...(script ? {} : { durableObjects: { INBOX: { className: 'Inbox', useSQLite: true } } }),
  durableObjectsPersist: storage,
})

await miniflare.ready
console.log(`ready ${port}`)
process.stdin.resume()
process.stdin.on('end', async () => {
  await miniflare.dispose()
  process.exit(0)
})
